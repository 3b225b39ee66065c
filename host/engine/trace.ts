// What makes a connection's calls repeatable where an instance has many: calls that serve one connection each, and what each call
// could draw from the random generator (assembly/session/trace.ts, assembly/crypto/drbg.ts).

import { Layout } from "../../assembly/abi/layout.ts";
import type { Doors } from "./doors.ts";
import type { EngineMemory } from "./memory.ts";

const KEY_BYTES = 32;

export class Trace {
  readonly #doors: Doors;
  readonly #memory: EngineMemory;
  readonly #traceAt: number;
  readonly #keyPtr: number;

  constructor(doors: Doors, memory: EngineMemory, layout: Uint32Array) {
    this.#doors = doors;
    this.#memory = memory;
    this.#traceAt = (layout[Layout.TRACE_PTR] as number) >>> 2;
    this.#keyPtr = layout[Layout.RANDOM_PTR] as number;
  }

  /** From now on a call serves one connection. */
  start(): void {
    this.#memory.words[this.#traceAt] = 1;
  }

  /** The connection that the last call of an endpoint's door or `handleTimeout` served, 0 for none. */
  get served(): number {
    return this.#memory.words[this.#traceAt + 1] as number;
  }

  /** Empties the generator's pool, and answers a copy of the key that whatever is drawn next follows from. */
  takeKey(): Uint8Array {
    this.#doors.addEntropy();
    return this.#memory.bytes.slice(this.#keyPtr, this.#keyPtr + KEY_BYTES);
  }

  /** Whether something was drawn since that key was taken. */
  hasDrawn(key: Uint8Array): boolean {
    const { bytes } = this.#memory;
    return key.some((byte, index) => bytes[this.#keyPtr + index] !== byte);
  }

  /** Has what is drawn next follow from that key. */
  setKey(key: Uint8Array): void {
    this.#doors.addEntropy();
    this.#memory.bytes.set(key, this.#keyPtr);
  }
}
