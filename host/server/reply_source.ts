// The content of a streamed reply: chunks pulled one at a time from what the handler gave.
//
// Web streams and async iterables look the same from here on. `cancel` tells the source at once that nobody reads on, also
// while a chunk is being waited for: a generator then ends as soon as it comes to its next `yield`, an iterator of another
// kind and a web stream when they are told. Nobody waits for that, and what the source makes of it concerns nobody.
//
// Invariant: a source is told of its end at most once, and never after it has ended by itself.

import type { ReplyBody } from "../router/index.ts";

/** The bodies that are pulled. */
export type StreamedBody = Exclude<ReplyBody, null | string | Uint8Array>;

interface Pulled {
  readonly done?: boolean | undefined;
  readonly value?: unknown;
}

const encoder = new TextEncoder();

export class ReplySource {
  readonly #pull: () => Promise<Pulled>;
  readonly #stop: (reason: Error) => unknown;
  #isOver = false;

  /** Throws a TypeError when the body cannot be read, a locked stream for one. */
  constructor(body: StreamedBody) {
    if (body instanceof ReadableStream) {
      const reader = body.getReader();
      this.#pull = () => reader.read();
      this.#stop = (reason) => reader.cancel(reason);
    } else {
      const iterator = body[Symbol.asyncIterator]();
      this.#pull = () => iterator.next();
      this.#stop = () => iterator.return?.();
    }
  }

  /** The next chunk, null at the end. Rejects as the source does, and with a TypeError for what is not a chunk. */
  async next(): Promise<Uint8Array | null> {
    if (this.#isOver) return null;
    let pulled: Pulled;
    try {
      pulled = await this.#pull();
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
    return this.chunkOf(pulled);
  }

  /**
   * The same in two steps, with one promise less for each chunk: asks for the next chunk, which `chunkOf` gives. Fails as the
   * source does, which has `ended` then.
   */
  pull(): Promise<Pulled> {
    return this.#pull();
  }

  /** The source has failed by itself. */
  ended(): void {
    this.#isOver = true;
  }

  /** The chunk that was pulled, null at the end. Throws a TypeError for what is not a chunk. */
  chunkOf(pulled: Pulled): Uint8Array | null {
    if (this.#isOver) return null;
    if (pulled.done !== true) return bytesOf(pulled.value);
    this.#isOver = true;
    return null;
  }

  /** Nobody reads on. Does not wait and does not throw. */
  cancel(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      Promise.resolve(this.#stop(reason)).catch(() => undefined);
    } catch {
      // The source's own trouble with being given up.
    }
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a chunk of the reply's body is ${describe(chunk)}; it must be a string or bytes`);
}

function describe(chunk: unknown): string {
  return chunk === null || typeof chunk !== "object" ? String(chunk) : "an object";
}
