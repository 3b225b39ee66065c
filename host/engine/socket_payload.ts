// Payload of a WebSocket's event, where it lies in linear memory. One object is used for all events: it is valid during the call
// that it is given to.

import type { EngineMemory } from "./memory.ts";

/** Up to so many bytes a loop is faster than a call into the runtime. */
const SHORT_BYTES = 64;

/** Bytes of a WebSocket message in the engine's memory, valid during the call that gives them. */
export class SocketPayload {
  readonly #memory: EngineMemory;
  #ptr = 0;
  #len = 0;

  constructor(memory: EngineMemory) {
    this.#memory = memory;
  }

  /** For the reader of events. */
  point(ptr: number, len: number): void {
    this.#ptr = ptr;
    this.#len = len;
  }

  get length(): number {
    return this.#len;
  }

  /** The payload as text; the engine has checked that a whole message is UTF-8. */
  text(): string {
    return this.#memory.utf8(this.#ptr, this.#len);
  }

  /** A copy. */
  bytes(): Uint8Array {
    const len = this.#len;
    const { bytes } = this.#memory;
    if (len > SHORT_BYTES) return bytes.slice(this.#ptr, this.#ptr + len);
    const copy = new Uint8Array(len);
    for (let at = 0, from = this.#ptr; at < len; at++, from++) copy[at] = bytes[from] as number;
    return copy;
  }

  /** Copies the payload into `target`, which has room for it. */
  copyTo(target: Uint8Array, offset: number): void {
    target.set(this.#memory.bytes.subarray(this.#ptr, this.#ptr + this.#len), offset);
  }
}
