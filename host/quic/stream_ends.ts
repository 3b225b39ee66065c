// The two ends of a stream of the engine as web streams: what is not read is not acknowledged to flow control, and what the peer does
// not take waits in `writable`. Whose stream it is, and what its codes mean, is said by who makes it (quic_stream.ts,
// web_transport/transport_session.ts).

import { StreamNews } from "../engine/index.ts";

/** What a stream needs of its connection. */
export interface StreamCarrier {
  write(stream: number, bytes: Uint8Array, isFin: boolean): number;
  /** The bytes at the front, valid during the call. */
  peek(stream: number): Uint8Array;
  consume(stream: number, length: number): void;
  isAtEnd(stream: number): boolean;
  reset(stream: number, code: bigint): void;
  stop(stream: number, code: bigint): void;
}

/** What codes of RESET_STREAM and STOP_SENDING mean to whom reads and writes. */
export interface StreamCodes {
  /** The code that an error carries for the peer. */
  codeOf(reason: unknown): bigint;
  /** The peer has reset what it sends. */
  resetError(code: bigint): Error;
  /** The peer wants nothing more. */
  stopError(code: bigint): Error;
}

const NOTHING = new Uint8Array();

/** A stream of the engine by its handle, as web streams. */
export class StreamEnds {
  /** What the peer sends; cancelling sends STOP_SENDING. Ended where the stream goes one way, and that way is this side's. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What this side sends; aborting sends RESET_STREAM. Closed where the stream is the peer's alone. */
  readonly writable: WritableStream<Uint8Array>;
  protected readonly handle: number;
  protected isGone = false;
  readonly #carrier: StreamCarrier;
  readonly #codes: StreamCodes;
  #reader!: ReadableByteStreamController;
  #writer!: WritableStreamDefaultController;
  #onReadable: (() => void) | null = null;
  #onWritable: (() => void) | null = null;
  #isReadOver = false;
  #isWriteOver = false;

  constructor(
    carrier: StreamCarrier,
    codes: StreamCodes,
    handle: number,
    directions: { readonly reads: boolean; readonly writes: boolean },
  ) {
    this.#carrier = carrier;
    this.#codes = codes;
    this.handle = handle;
    const { reads, writes } = directions;
    this.readable = new ReadableStream(
      {
        type: "bytes",
        start: (controller) => {
          this.#reader = controller;
          if (reads) return;
          this.#isReadOver = true;
          controller.close();
        },
        pull: () => this.#pull(),
        cancel: (reason) => this.#stop(codes.codeOf(reason)),
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writer = controller;
        if (!writes) this.#isWriteOver = true;
      },
      write: (chunk) => this.#write(chunk, false),
      close: () => this.#write(NOTHING, true),
      abort: (reason) => this.#reset(codes.codeOf(reason)),
    });
    if (!writes) void this.writable.abort(new TypeError("the stream is the peer's")).catch(() => undefined);
  }

  /** Ends both directions at once, with a code. */
  protected cut(code: bigint, error: Error): void {
    this.#reset(code);
    this.#stop(code);
    this.#failReading(error);
  }

  /** The engine has told something (StreamNews). */
  receive(news: number, code: bigint): void {
    if (news & StreamNews.RESET) this.#failReading(this.#codes.resetError(code));
    if (news & StreamNews.STOPPED) this.#failWriting(this.#codes.stopError(code));
    if (news & StreamNews.READABLE) this.#wakeReader();
    if (news & StreamNews.WRITABLE) this.#wakeWriter();
    if (news & StreamNews.CLOSED) this.isGone = true;
  }

  /** The connection is over. */
  fail(error: Error): void {
    this.isGone = true;
    this.#failReading(error);
    this.#failWriting(error);
  }

  async #pull(): Promise<void> {
    while (!this.#isReadOver) {
      if (this.#read()) return;
      await new Promise<void>((resolve) => (this.#onReadable = resolve));
    }
  }

  /** Whether anything was read, the end included. */
  #read(): boolean {
    const bytes = this.isGone ? NOTHING : this.#carrier.peek(this.handle);
    if (bytes.length !== 0) {
      this.#deliver(bytes);
      return true;
    }
    if (!this.isGone && !this.#carrier.isAtEnd(this.handle)) return false;
    this.#isReadOver = true;
    this.#reader.close();
    this.#reader.byobRequest?.respond(0);
    return true;
  }

  /** Into the reader's own buffer, where it has given one, and as a chunk of its own else. */
  #deliver(bytes: Uint8Array): void {
    const request = this.#reader.byobRequest ?? null;
    const view = request?.view ?? null;
    if (request === null || view === null) {
      const chunk = bytes.slice();
      this.#carrier.consume(this.handle, chunk.length);
      this.#reader.enqueue(chunk);
      return;
    }
    const length = Math.min(bytes.length, view.byteLength);
    new Uint8Array(view.buffer, view.byteOffset, length).set(bytes.subarray(0, length));
    this.#carrier.consume(this.handle, length);
    request.respond(length);
  }

  async #write(chunk: Uint8Array, isFin: boolean): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream takes bytes (Uint8Array)");
    let rest = chunk;
    for (;;) {
      if (this.isGone || this.#isWriteOver) throw new TypeError("the stream is over");
      const taken = this.#carrier.write(this.handle, rest, isFin);
      if (taken < 0) throw new TypeError("the stream is over");
      if (taken === rest.length) break;
      rest = rest.subarray(taken);
      await new Promise<void>((resolve) => (this.#onWritable = resolve));
    }
    if (isFin) this.#isWriteOver = true;
  }

  #reset(code: bigint): void {
    if (this.#isWriteOver) return;
    this.#isWriteOver = true;
    if (!this.isGone) this.#carrier.reset(this.handle, code);
    this.#wakeWriter();
  }

  #stop(code: bigint): void {
    if (this.#isReadOver || this.isGone) return;
    this.#carrier.stop(this.handle, code);
  }

  #failReading(error: Error): void {
    if (this.#isReadOver) return;
    this.#isReadOver = true;
    this.#reader.error(error);
    this.#wakeReader();
  }

  #failWriting(error: Error): void {
    if (this.#isWriteOver) return;
    this.#isWriteOver = true;
    this.#writer.error(error);
    this.#wakeWriter();
  }

  #wakeReader(): void {
    const wake = this.#onReadable;
    this.#onReadable = null;
    wake?.();
  }

  #wakeWriter(): void {
    const wake = this.#onWritable;
    this.#onWritable = null;
    wake?.();
  }
}
