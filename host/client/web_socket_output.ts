// Messages of a client's WebSocket that the engine has no room for yet, in their order.

import { Status, type Engine } from "../engine/index.ts";

/** Messages up to this size are handed over in one piece. */
const WHOLE_BYTES = 65536;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly kind: number;
  /** Payload that was handed over; -1 while the frame's header was not. */
  sent: number;
}

export class WebSocketOutput {
  readonly #queue: Waiting[] = [];
  #byteLength = 0;

  /** Bytes of the messages that wait, each whole until all of it was handed over. */
  get byteLength(): number {
    return this.#byteLength;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(bytes: Uint8Array, kind: number): void {
    this.#queue.push({ bytes, kind, sent: -1 });
    this.#byteLength += bytes.length;
  }

  /** Hands over what the engine takes, on this exchange. */
  advance(engine: Engine, exchange: number): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (!pass(engine, exchange, first)) return;
      this.#queue.shift();
      this.#byteLength -= first.bytes.length;
    }
  }

  /** Nobody will read it any more. What waited stays counted, as `bufferedAmount` of the standard has it. */
  drop(): void {
    this.#queue.length = 0;
  }
}

/** Hands a message over; false when some of it has to wait. One that nobody takes any more is passed, too. */
function pass(engine: Engine, exchange: number, waiting: Waiting): boolean {
  const { bytes } = waiting;
  if (waiting.sent < 0) {
    if (bytes.length <= WHOLE_BYTES) {
      return engine.sockets.sendBytes(exchange, waiting.kind, bytes) !== Number(Status.WOULD_BLOCK);
    }
    const begun = engine.doors.beginMessage(exchange, waiting.kind, bytes.length);
    if (begun < 0) return begun !== Number(Status.WOULD_BLOCK);
    waiting.sent = 0;
  }
  while (waiting.sent < bytes.length) {
    const part = bytes.subarray(waiting.sent, waiting.sent + engine.sockets.payloadMost);
    const taken = engine.sockets.sendPayload(exchange, part);
    if (taken < 0) return true;
    waiting.sent += taken;
    if (taken < part.length) return false;
  }
  return true;
}
