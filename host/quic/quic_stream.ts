// A stream of a QUIC connection as web streams: what is not read is not acknowledged to flow control, and what the peer does not take
// waits in `writable`.

import { StreamNews } from "../engine/index.ts";
import { codeOf, QuicStreamError } from "./quic_error.ts";
import type { QuicConnection } from "./quic_connection.ts";

/** What a stream needs of its connection. */
export interface StreamCarrier {
  write(stream: number, bytes: Uint8Array, isFin: boolean): number;
  /** The bytes at the front, valid during the call. */
  peek(stream: number): Uint8Array;
  consume(stream: number, length: number): void;
  isAtEnd(stream: number): boolean;
  reset(stream: number, code: bigint): void;
  stop(stream: number, code: bigint): void;
  prioritize(stream: number, urgency: number, isIncremental: boolean): void;
}

const NOTHING = new Uint8Array();

/** A stream of a QUIC connection as web streams, both ways or one. */
export class QuicStream {
  /** RFC 9000 §2.1: who opened it and whether it goes one way are its two low bits. */
  readonly id: number;
  readonly connection: QuicConnection;
  /** What the peer sends; of a stream that this side opened for itself it has ended. Cancelling sends STOP_SENDING. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What this side sends; of a stream that the peer opened for itself it is closed. Aborting sends RESET_STREAM. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #carrier: StreamCarrier;
  readonly #handle: number;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #onReadable: (() => void) | null = null;
  #onWritable: (() => void) | null = null;
  #isReadOver = false;
  #isWriteOver = false;
  #isGone = false;

  constructor(
    connection: QuicConnection,
    carrier: StreamCarrier,
    handle: number,
    id: number,
    isLocal: boolean,
  ) {
    this.connection = connection;
    this.#carrier = carrier;
    this.#handle = handle;
    this.id = id;
    const isUnidirectional = (id & 2) !== 0;
    const reads = !isUnidirectional || !isLocal;
    const writes = !isUnidirectional || isLocal;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#reader = controller;
          if (reads) return;
          this.#isReadOver = true;
          controller.close();
        },
        pull: () => this.#pull(),
        cancel: (reason) => this.#stop(codeOf(reason)),
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
      abort: (reason) => this.#reset(codeOf(reason)),
    });
    if (!writes) void this.writable.abort(new TypeError("the stream is the peer's")).catch(() => undefined);
  }

  /** Urgency 0 (first) … 7, and whether streams of the same urgency share (RFC 9218 §4). */
  prioritize(urgency: number, isIncremental = false): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) {
      throw new RangeError(`urgency is ${urgency}; it must be a whole number from 0 to 7`);
    }
    if (!this.#isGone) this.#carrier.prioritize(this.#handle, urgency, isIncremental);
  }

  /** Resets both directions with a code. */
  abort(code = 0n): void {
    this.#reset(code);
    this.#stop(code);
    if (!this.#isReadOver) this.#failReading(new QuicStreamError("no longer reads", code));
  }

  /** The engine has told something (StreamNews). */
  receive(news: number, code: bigint): void {
    if (news & StreamNews.RESET) this.#failReading(new QuicStreamError("has reset", code));
    if (news & StreamNews.STOPPED) this.#failWriting(new QuicStreamError("no longer reads", code));
    if (news & StreamNews.READABLE) this.#wakeReader();
    if (news & StreamNews.WRITABLE) this.#wakeWriter();
    if (news & StreamNews.CLOSED) this.#isGone = true;
  }

  /** The connection is over. */
  fail(error: Error): void {
    this.#isGone = true;
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
    const bytes = this.#isGone ? NOTHING : this.#carrier.peek(this.#handle);
    if (bytes.length !== 0) {
      const chunk = bytes.slice();
      this.#carrier.consume(this.#handle, chunk.length);
      this.#reader.enqueue(chunk);
      return true;
    }
    if (!this.#isGone && !this.#carrier.isAtEnd(this.#handle)) return false;
    this.#isReadOver = true;
    this.#reader.close();
    return true;
  }

  async #write(chunk: Uint8Array, isFin: boolean): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream of QUIC takes bytes (Uint8Array)");
    let rest = chunk;
    for (;;) {
      if (this.#isGone || this.#isWriteOver) throw new TypeError("the stream is over");
      const taken = this.#carrier.write(this.#handle, rest, isFin);
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
    if (!this.#isGone) this.#carrier.reset(this.#handle, code);
    this.#wakeWriter();
  }

  #stop(code: bigint): void {
    if (this.#isReadOver || this.#isGone) return;
    this.#carrier.stop(this.#handle, code);
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
