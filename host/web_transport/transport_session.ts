// A session of WebTransport on an exchange of the engine whose content are capsules, either role: the engine reads those, and tells
// streams and datagrams; here they become web streams, in the browser's shape (https://www.w3.org/TR/webtransport/).
//
// Invariant: `ready` settles before `closed` does, and nothing is asked of the engine before `opened` or after `end`.

import { QuicStat, Status } from "../engine/index.ts";
import { StreamEnds, type StreamCarrier, type StreamCodes } from "../quic/stream_ends.ts";
import type { WebTransportBidirectionalStream, WebTransportCloseInfo } from "../router/index.ts";
import { IncomingStreams } from "./incoming_streams.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import type { SessionLink } from "./session_link.ts";
import type { ToldSession } from "./session_table.ts";
import { applicationCodeOf, WebTransportError, wireCodeOf } from "./web_transport_error.ts";

/** A packet around a datagram, at most: header, connection ID, packet number, tag, type, length, number of the session. */
const DATAGRAM_OVERHEAD_BYTES = 1 + 20 + 4 + 16 + 3 + 8;
/** Of UDP, what every path of QUIC carries (RFC 9000 §14). */
const LEAST_MTU_BYTES = 1200;
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

export class TransportSession implements StreamCarrier, ToldSession {
  /** Resolves when the session is open; rejects with a WebTransportError when it never will be. */
  readonly ready: Promise<void>;
  /** Resolves when either side has closed the session; rejects with a WebTransportError when it was cut. */
  readonly closed: Promise<WebTransportCloseInfo>;
  readonly draining: Promise<void>;
  readonly datagrams: SessionDatagrams;
  readonly #bidirectional = new IncomingStreams<WebTransportBidirectionalStream>();
  readonly #unidirectional = new IncomingStreams<ReadableStream<Uint8Array>>();
  /** By the engine's handles. */
  readonly #streams = new Map<number, StreamEnds>();
  #onOpenable: (() => void)[] = [];
  #resolveReady!: () => void;
  #rejectReady!: (error: Error) => void;
  #resolveClosed!: (info: WebTransportCloseInfo) => void;
  #rejectClosed!: (error: Error) => void;
  #resolveDraining!: () => void;
  #link: SessionLink | null = null;
  #handle = 0;
  #isOver = false;
  #keepAlive: ReturnType<typeof setInterval> | null = null;

  constructor(datagramsWaitingMost: number) {
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    // Who does not wait for them is not to be ended by them.
    this.ready.catch(() => undefined);
    this.closed.catch(() => undefined);
    this.draining = new Promise((resolve) => (this.#resolveDraining = resolve));
    this.datagrams = new SessionDatagrams(
      { send: (bytes) => this.#sendDatagram(bytes), maxDatagramSize: () => this.#maxDatagramSize() },
      datagramsWaitingMost,
    );
  }

  /** The session is open; its peer is asked every `keepAliveMs` whether it is there, 0 for never. */
  opened(link: SessionLink, handle: number, keepAliveMs: number): void {
    this.#link = link;
    this.#handle = handle;
    link.table.add(this);
    if (keepAliveMs !== 0) {
      const timer = setInterval(() => this.#ping(), keepAliveMs);
      // A browser's is a number, and keeps nothing alive.
      if (typeof timer === "object") timer.unref();
      this.#keepAlive = timer;
    }
    this.#resolveReady();
  }

  /** The engine's handle, 0 before the session is open. */
  get handle(): number {
    return this.#handle;
  }

  /** The engine's handle of the connection; 0 before the session is open. */
  get connection(): number {
    return this.#link?.connection ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
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
    if (typeof reason !== "string") throw new TypeError(`reason is ${typeof reason}; it must be a string`);
    if (this.#isOver) return;
    const link = this.#link;
    if (link === null) {
      this.fail(new WebTransportError("the session was closed before it was open", { source: "session" }));
      return;
    }
    const text = cutReason(reason);
    link.trapped(() => link.engine.webTransport.close(this.#handle, closeCode, text, link.now()));
    link.release(this.#handle);
    link.flushLater();
    this.#end(null, { closeCode, reason: text });
  }

  /** The session is cut, or will not be opened. */
  fail(error: WebTransportError): void {
    this.#end(error, {});
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
    this.#link?.release(this.#handle);
    this.#link?.flushLater();
    this.#end(null, { closeCode, reason });
  }

  /** The connection is gone. */
  lost(): void {
    this.#link?.release(this.#handle);
    this.aborted();
  }

  /** The stream of the session was cut, and its handle is stale. */
  aborted(): void {
    this.fail(new WebTransportError("the session was cut", { source: "session" }));
  }

  /** This side wants the end: both are told. */
  drain(): void {
    this.#resolveDraining();
    const link = this.#link;
    if (!this.#isOver) link?.trapped(() => link.engine.webTransport.drain(this.#handle, link.now()));
  }

  // What its streams ask. They are there once the session is open.

  write(stream: number, bytes: Uint8Array, isFin: boolean): number {
    const link = this.#link as SessionLink;
    if (link.isFailed) return Status.INVALID_STATE;
    link.flushLater();
    const { engine, connection } = link;
    return link.trapped(() => engine.quic.writeStream(connection, stream, bytes, isFin, link.now()));
  }

  peek(stream: number): Uint8Array {
    const link = this.#link as SessionLink;
    return link.trapped(() => link.engine.quic.peekStream(stream));
  }

  consume(stream: number, length: number): void {
    const link = this.#link as SessionLink;
    const { engine, connection } = link;
    link.trapped(() => engine.quic.consumeStream(connection, stream, length, link.now()));
    link.flushLater();
  }

  isAtEnd(stream: number): boolean {
    const link = this.#link as SessionLink;
    return link.trapped(() => link.engine.quic.isAtEnd(stream));
  }

  reset(stream: number, code: bigint): void {
    const link = this.#link as SessionLink;
    if (link.isFailed) return;
    const { engine, connection } = link;
    link.trapped(() => engine.quic.resetStream(connection, stream, code, link.now()));
    link.flushLater();
  }

  stop(stream: number, code: bigint): void {
    const link = this.#link as SessionLink;
    if (link.isFailed) return;
    const { engine, connection } = link;
    link.trapped(() => engine.quic.stopStream(connection, stream, code, link.now()));
    link.flushLater();
  }

  // Its own.

  /** Called once, when the session is over. */
  protected ended(): void {
    // For roles that have more to end.
  }

  async #open(isUnidirectional: boolean): Promise<StreamEnds> {
    await this.ready;
    const link = this.#link as SessionLink;
    for (;;) {
      if (this.#isOver || link.isFailed)
        throw new WebTransportError("the session is over", { source: "session" });
      const stream = link.trapped(() =>
        link.engine.webTransport.openStream(this.#handle, isUnidirectional, link.now()),
      );
      link.flushLater();
      if (stream > 0) {
        const ends = this.#adopt(stream, { reads: !isUnidirectional, writes: true });
        link.table.addStream(stream, this, ends);
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

  #sendDatagram(bytes: Uint8Array): void | Promise<void> {
    const link = this.#link;
    if (link === null) return this.ready.then(() => this.#sendDatagram(bytes));
    if (this.#isOver || link.isFailed) return;
    link.trapped(() => link.engine.webTransport.sendDatagram(this.#handle, bytes, link.now()));
    link.flushLater();
  }

  #maxDatagramSize(): number {
    const link = this.#link;
    if (this.#isOver || link?.isFailed === true) return 0;
    const stats = link?.engine.quic.stats(link.connection);
    if (stats === null) return 0;
    const mtu = stats === undefined ? LEAST_MTU_BYTES : (stats[QuicStat.MTU_BYTES] as number);
    return Math.max(0, mtu - DATAGRAM_OVERHEAD_BYTES);
  }

  #ping(): void {
    const link = this.#link as SessionLink;
    if (link.isFailed) return;
    link.trapped(() => link.engine.quic.ping(link.connection, link.now()));
    link.flushLater();
  }

  /** Closed, with this information, unless there is an error. */
  #end(error: WebTransportError | null, info: WebTransportCloseInfo): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    this.#link?.table.delete(this, this.#streams.keys());
    const cut = error ?? new WebTransportError("the session is closed", { source: "session" });
    for (const stream of this.#streams.values()) stream.fail(cut);
    this.#streams.clear();
    this.#bidirectional.end(error);
    this.#unidirectional.end(error);
    this.datagrams.end(error);
    this.#resolveDraining();
    // Where it was open, nobody hears of that.
    this.#rejectReady(cut);
    if (error === null) this.#resolveClosed(info);
    else this.#rejectClosed(error);
    this.openable();
    this.ended();
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
