// The body of a request: read once, in one of three ways, never beyond its limit.
//
// Bytes come from the exchange one chunk per call, so a reader that stops stops the peer. Buffered reading is
// bounded always; a length announced above the bound is refused before the first read, and so before
// `100 Continue` is sent. Reading as a stream is bounded only where a limit was set for the route, because such
// a handler decides by itself what it keeps.

import type { Exchange } from "./exchange.ts";
import { HttpError } from "./http_error.ts";
import { Status } from "./status.ts";

const EMPTY = new Uint8Array(0);

/** The body of one request. */
export class RequestBody {
  readonly #exchange: Exchange;
  #bufferLimitBytes: number;
  #streamLimitBytes = Infinity;
  #receivedLen = 0;
  #used = false;
  #stream: ReadableStream<Uint8Array> | null = null;
  #end: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } | null = null;
  #outcome: { error: Error } | "complete" | null = null;

  constructor(exchange: Exchange, bufferLimitBytes: number) {
    this.#exchange = exchange;
    this.#bufferLimitBytes = bufferLimitBytes;
    if (!exchange.hasBody) this.#outcome = "complete";
  }

  /** Whether reading has begun. */
  get used(): boolean {
    return this.#used;
  }

  /** Bounds every way of reading; throws 413 when the announced length is above it already. */
  limit(limitBytes: number): void {
    this.#bufferLimitBytes = limitBytes;
    this.#streamLimitBytes = limitBytes;
    if (this.#exchange.contentLength > limitBytes) throw tooLarge(limitBytes);
  }

  /** The whole body. Rejects with 413 above the limit. */
  async bytes(limitBytes: number = this.#bufferLimitBytes): Promise<Uint8Array> {
    this.#begin();
    if (this.#exchange.contentLength > limitBytes) throw tooLarge(limitBytes);
    const first = await this.#nextChunk(limitBytes);
    if (first === null) return EMPTY;
    let next = await this.#nextChunk(limitBytes);
    if (next === null) return first;
    const chunks = [first];
    while (next !== null) {
      chunks.push(next);
      next = await this.#nextChunk(limitBytes);
    }
    return joined(chunks, this.#receivedLen);
  }

  /** The chunks as they arrive. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#begin();
    for (;;) {
      const chunk = await this.#nextChunk(this.#streamLimitBytes);
      if (chunk === null) return;
      yield chunk;
    }
  }

  /** The body as a web stream, always the same one; it reads only as it is pulled. */
  stream(): ReadableStream<Uint8Array> {
    return (this.#stream ??= this.#makeStream());
  }

  /** Resolves once the whole body was read; rejects when it will never be. */
  whenComplete(): Promise<void> {
    if (this.#outcome === "complete") return Promise.resolve();
    if (this.#outcome !== null) return Promise.reject(this.#outcome.error);
    this.#end ??= deferred();
    return this.#end.promise;
  }

  #makeStream(): ReadableStream<Uint8Array> {
    let isOurs = false;
    const begin = (): void => {
      if (!isOurs) this.#begin();
      isOurs = true;
    };
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          begin();
          const chunk = await this.#nextChunk(this.#streamLimitBytes);
          if (chunk === null) controller.close();
          else controller.enqueue(chunk);
        },
        cancel: begin,
      },
      { highWaterMark: 0 },
    );
  }

  #begin(): void {
    if (this.#used) throw new TypeError("The request body was already read");
    this.#used = true;
  }

  async #nextChunk(limitBytes: number): Promise<Uint8Array | null> {
    if (this.#outcome === "complete") return null;
    let chunk: Uint8Array | null;
    try {
      chunk = await this.#exchange.read();
    } catch (cause) {
      const error = new HttpError(Status.BAD_REQUEST, "The request body ended before it was complete", {
        cause,
      });
      this.#outcome = { error };
      this.#end?.reject(error);
      throw error;
    }
    if (chunk === null) {
      this.#outcome = "complete";
      this.#end?.resolve();
      return null;
    }
    this.#receivedLen += chunk.byteLength;
    if (this.#receivedLen > limitBytes) throw tooLarge(limitBytes);
    return chunk;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever asked may have stopped waiting; a broken body is told to its reader.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function tooLarge(limitBytes: number): HttpError {
  return new HttpError(Status.CONTENT_TOO_LARGE, `The request body is larger than ${limitBytes} bytes`);
}
