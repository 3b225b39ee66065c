// The content of one request on its way to a handler: chunks wait here until they are read.
//
// The engine tells content as it arrives and stops reading from the peer when too much of it is unread
// (limits.readWindowBytes), so what waits here is bounded. A chunk is copied once, out of the engine's memory.

/** Told as the handler asks, so that the engine can grant more. */
export interface BodySource {
  /** The handler asked for content, and has consumed `byteLength` bytes since it last did. */
  wanted(byteLength: number): void;
}

export class BodyReader {
  readonly #source: BodySource;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #failure: Error | null = null;
  #waiting: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void } | null = null;
  /** Bytes given to the handler that the engine has not been told of. */
  #consumed = 0;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** The next chunk, null at the end. One call at a time. */
  read(): Promise<Uint8Array | null> {
    if (this.#waiting !== null) {
      return Promise.reject(new TypeError("read() was called again before the call before was answered"));
    }
    this.#report();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#consumed += chunk.length;
      return Promise.resolve(chunk);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  /** Content arrived. `bytes` belongs to the reader from here on. */
  push(bytes: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting === null) {
      this.#chunks.push(bytes);
      return;
    }
    this.#waiting = null;
    this.#consumed += bytes.length;
    waiting.resolve(bytes);
  }

  /** Whether all of the content has arrived. */
  get isComplete(): boolean {
    return this.#ended;
  }

  /** The content is complete. */
  end(): void {
    this.#ended = true;
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  /** The content will never be complete. Chunks that arrived can still be read. */
  fail(error: Error): void {
    if (this.#ended || this.#failure !== null) return;
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  #report(): void {
    const consumed = this.#consumed;
    this.#consumed = 0;
    if (!this.#ended && this.#failure === null) this.#source.wanted(consumed);
  }
}
