// A WebTransport session of the server: what handlers are given (router/web_transport.ts), on top of an exchange of the engine whose
// content are capsules. The engine reads those, and tells streams and datagrams; here they become web streams.

import { QuicStat, Status } from "../engine/index.ts";
import { StreamEnds, type StreamCarrier, type StreamCodes } from "../quic/stream_ends.ts";
import type {
  WebTransportBidirectionalStream,
  WebTransportCloseInfo,
  WebTransportRoute,
  WebTransportSession,
} from "../router/index.ts";
import type { Session } from "./session.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import { letGo } from "./platform.ts";
import { applicationCodeOf, WebTransportError, wireCodeOf } from "./web_transport_error.ts";

/** A packet around a datagram, at most: header, connection ID, packet number, tag, type, length, number of the session. */
const DATAGRAM_OVERHEAD_BYTES = 1 + 20 + 4 + 16 + 3 + 8;
const REASON_BYTES = 1024;
const MOST_CODE = 0xffff_ffff;

const CODES: StreamCodes = {
  codeOf: (reason) => {
    const code = (reason as { streamErrorCode?: unknown } | null | undefined)?.streamErrorCode;
    const isCode = typeof code === "number" && Number.isInteger(code) && code >= 0 && code <= MOST_CODE;
    return wireCodeOf(isCode ? code : 0);
  },
  resetError: (code) => streamError("has reset the stream", code),
  stopError: (code) => streamError("no longer reads the stream", code),
};

function streamError(what: string, wire: bigint): WebTransportError {
  const streamErrorCode = applicationCodeOf(wire);
  const by = streamErrorCode === null ? `code 0x${wire.toString(16)} of HTTP/3` : `code ${streamErrorCode}`;
  return new WebTransportError(`the peer ${what} with ${by}`, { streamErrorCode });
}

/** Streams of the peer, as they come; the transport bounds how many there can be. */
class Incoming<T> {
  readonly readable: ReadableStream<T>;
  #controller!: ReadableStreamDefaultController<T>;
  #isOver = false;

  constructor() {
    this.readable = new ReadableStream<T>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => void (this.#isOver = true),
    });
  }

  add(stream: T): void {
    if (!this.#isOver) this.#controller.enqueue(stream);
  }

  end(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === null) this.#controller.close();
    else this.#controller.error(error);
  }
}

export class ServerWebTransport implements WebTransportSession, StreamCarrier {
  data: unknown;
  readonly session: Session;
  /** The engine's handle. */
  readonly handle: number;
  readonly ready = Promise.resolve();
  readonly closed: Promise<WebTransportCloseInfo>;
  readonly draining: Promise<void>;
  readonly datagrams: SessionDatagrams;
  readonly #bidirectional = new Incoming<WebTransportBidirectionalStream>();
  readonly #unidirectional = new Incoming<ReadableStream<Uint8Array>>();
  /** By the engine's handles. */
  readonly #streams = new Map<number, StreamEnds>();
  #onOpenable: (() => void)[] = [];
  #resolveClosed!: (info: WebTransportCloseInfo) => void;
  #rejectClosed!: (error: Error) => void;
  #resolveDraining!: () => void;
  #isOver = false;
  readonly #keepAlive: NodeJS.Timeout | null;

  constructor(session: Session, handle: number, route: WebTransportRoute, data: unknown) {
    this.session = session;
    this.handle = handle;
    this.data = data;
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    // Who does not wait for it is not to be ended by it.
    this.closed.catch(() => undefined);
    this.draining = new Promise((resolve) => (this.#resolveDraining = resolve));
    this.datagrams = new SessionDatagrams(
      { send: (bytes) => this.#sendDatagram(bytes), maxDatagramSize: () => this.#maxDatagramSize() },
      session.host.engine.limit("quicDatagramCount"),
    );
    const { keepAliveMs } = route;
    this.#keepAlive = keepAliveMs === 0 ? null : setInterval(() => this.#ping(), keepAliveMs);
    if (this.#keepAlive !== null) letGo(this.#keepAlive);
  }

  get remoteAddress(): string {
    return this.session.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.session.socket.remotePort;
  }

  get incomingBidirectionalStreams(): ReadableStream<WebTransportBidirectionalStream> {
    return this.#bidirectional.readable;
  }

  get incomingUnidirectionalStreams(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#unidirectional.readable;
  }

  async createBidirectionalStream(): Promise<WebTransportBidirectionalStream> {
    const { readable, writable } = await this.#open(false);
    return { readable, writable };
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return (await this.#open(true)).writable;
  }

  close(info: WebTransportCloseInfo = {}): void {
    const { closeCode = 0, reason = "" } = info;
    if (!Number.isInteger(closeCode) || closeCode < 0 || closeCode > MOST_CODE)
      throw new RangeError(`closeCode is ${closeCode}; it must be a whole number from 0 to ${MOST_CODE}`);
    if (this.#isOver) return;
    const { host } = this.session;
    const text = cutReason(reason);
    host.trapped(() => host.engine.webTransport.close(this.handle, closeCode, text, host.now()));
    host.release(this.handle);
    this.session.scheduleFlush();
    this.#end(null, { closeCode, reason: text });
  }

  // What the engine tells.

  streamArrived(handle: number, id: number): StreamEnds {
    const isUnidirectional = (id & 2) !== 0;
    const stream = this.#adopt(handle, { reads: true, writes: !isUnidirectional });
    const { readable, writable } = stream;
    if (isUnidirectional) this.#unidirectional.add(readable);
    else this.#bidirectional.add({ readable, writable });
    return stream;
  }

  /** A stream is over; its handle is stale. */
  streamEnded(handle: number): void {
    this.#streams.delete(handle);
  }

  openable(): void {
    for (const wake of this.#onOpenable.splice(0)) wake();
  }

  drainArrived(): void {
    this.#resolveDraining();
  }

  closeArrived(closeCode: number, reason: string): void {
    this.session.host.release(this.handle);
    this.session.scheduleFlush();
    this.#end(null, { closeCode, reason });
  }

  /** The connection is gone, or the stream of the session was cut. */
  aborted(): void {
    this.#end(new WebTransportError("the session was cut", { source: "session" }), {});
  }

  /** The server closes: both sides are told. */
  drain(): void {
    this.#resolveDraining();
    const { host } = this.session;
    if (!this.#isOver) host.trapped(() => host.engine.webTransport.drain(this.handle, host.now()));
  }

  // What its streams ask.

  write(stream: number, bytes: Uint8Array, isFin: boolean): number {
    const { host, handle } = this.session;
    if (host.isFailed) return Status.INVALID_STATE;
    this.session.scheduleFlush();
    return host.trapped(() => host.engine.quic.writeStream(handle, stream, bytes, isFin, host.now()));
  }

  peek(stream: number): Uint8Array {
    const { host } = this.session;
    return host.trapped(() => host.engine.quic.peekStream(stream));
  }

  consume(stream: number, length: number): void {
    const { host, handle } = this.session;
    host.trapped(() => host.engine.quic.consumeStream(handle, stream, length, host.now()));
    this.session.scheduleFlush();
  }

  isAtEnd(stream: number): boolean {
    const { host } = this.session;
    return host.trapped(() => host.engine.quic.isAtEnd(stream));
  }

  reset(stream: number, code: bigint): void {
    const { host, handle } = this.session;
    if (host.isFailed) return;
    host.trapped(() => host.engine.quic.resetStream(handle, stream, code, host.now()));
    this.session.scheduleFlush();
  }

  stop(stream: number, code: bigint): void {
    const { host, handle } = this.session;
    if (host.isFailed) return;
    host.trapped(() => host.engine.quic.stopStream(handle, stream, code, host.now()));
    this.session.scheduleFlush();
  }

  // Its own.

  async #open(isUnidirectional: boolean): Promise<StreamEnds> {
    const { host } = this.session;
    for (;;) {
      if (this.#isOver || host.isFailed)
        throw new WebTransportError("the session is over", { source: "session" });
      const stream = host.trapped(() =>
        host.engine.webTransport.openStream(this.handle, isUnidirectional, host.now()),
      );
      this.session.scheduleFlush();
      if (stream > 0) {
        const ends = this.#adopt(stream, { reads: !isUnidirectional, writes: true });
        host.webTransport.addStream(stream, this, ends);
        return ends;
      }
      if (stream !== Status.WOULD_BLOCK)
        throw new WebTransportError("the engine has no room for a stream", { source: "session" });
      await new Promise<void>((resolve) => this.#onOpenable.push(resolve));
    }
  }

  #adopt(handle: number, directions: { reads: boolean; writes: boolean }): StreamEnds {
    const stream = new StreamEnds(this, CODES, handle, directions);
    this.#streams.set(handle, stream);
    return stream;
  }

  #sendDatagram(bytes: Uint8Array): void {
    const { host } = this.session;
    if (this.#isOver || host.isFailed) return;
    host.trapped(() => host.engine.webTransport.sendDatagram(this.handle, bytes, host.now()));
    this.session.scheduleFlush();
  }

  #maxDatagramSize(): number {
    const { host, handle } = this.session;
    const stats = this.#isOver || host.isFailed ? null : host.engine.quic.stats(handle);
    return stats === null ? 0 : Math.max(0, (stats[QuicStat.MTU_BYTES] as number) - DATAGRAM_OVERHEAD_BYTES);
  }

  #ping(): void {
    const { host, handle } = this.session;
    if (host.isFailed) return;
    host.trapped(() => host.engine.quic.ping(handle, host.now()));
    this.session.scheduleFlush();
  }

  /** Closed, with this information, unless there is an error. */
  #end(error: WebTransportError | null, info: WebTransportCloseInfo): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    this.session.host.webTransport.delete(this, this.#streams.keys());
    const cut = error ?? new WebTransportError("the session is closed", { source: "session" });
    for (const stream of this.#streams.values()) stream.fail(cut);
    this.#streams.clear();
    this.#bidirectional.end(error);
    this.#unidirectional.end(error);
    this.datagrams.end(error);
    this.#resolveDraining();
    if (error === null) this.#resolveClosed(info);
    else this.#rejectClosed(error);
    this.openable();
  }
}

/** As much of a reason as may be sent, cut between characters. */
function cutReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= REASON_BYTES) return reason;
  let end = REASON_BYTES;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
