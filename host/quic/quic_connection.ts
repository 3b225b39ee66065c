// A QUIC connection with streams and datagrams of its own (RFC 9000, RFC 9221), for protocols other than HTTP/3.

import { CloseFlag, ConnectedFlag, QuicStat, Status, StreamNews } from "../engine/index.ts";
import type { QuicCommands } from "../engine/quic_commands.ts";
import { QuicConnectionError, type QuicEnd } from "./quic_error.ts";
import { QuicStream, type StreamConnection } from "./quic_stream.ts";

/** What is known of a connection's path and traffic. */
export interface QuicStats {
  readonly smoothedRttMs: number;
  readonly latestRttMs: number;
  readonly minRttMs: number;
  readonly congestionWindowBytes: number;
  readonly bytesInFlight: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  readonly packetsLost: number;
  /** The largest datagram that the path is known to carry. */
  readonly mtuBytes: number;
  /** 1, or 2 for RFC 9369. */
  readonly version: number;
  /** RFC 8446 §B.4. */
  readonly cipherSuite: number;
  readonly keyUpdates: number;
}

/** What a connection may be closed with. */
export interface QuicCloseInfo {
  readonly code?: bigint | number;
  /** At most 256 bytes of it are sent. */
  readonly reason?: string;
}

/** The engine that a connection is on. */
export interface ConnectionHost {
  readonly quic: QuicCommands;
  now(): number;
  /** Sends what there is once the code that is running has finished. */
  flushLater(connection: QuicConnection): void;
}

/** Datagrams that wait to be read; more are dropped, the oldest first, as a network would. */
const WAITING_DATAGRAMS = 256;

/** A QUIC connection with streams and datagrams of its own, for protocols other than HTTP/3. */
export class QuicConnection implements StreamConnection {
  readonly handle: number;
  readonly #host: ConnectionHost;
  readonly #streams = new Map<number, QuicStream<QuicConnection>>();
  readonly #incoming: QuicStream<QuicConnection>[] = [];
  #onIncoming: (() => void) | null = null;
  #onOpenable: (() => void)[] = [];
  readonly #datagrams: Uint8Array[] = [];
  #onDatagram: (() => void) | null = null;
  #end: QuicEnd | null = null;
  #alpn = "";
  #serverName = "";
  #flags = 0;
  readonly #ready = deferred<void>();
  readonly #confirmed = deferred<void>();
  readonly #closed = deferred<QuicEnd>();
  #remote: { host: string; port: number };
  #pathChanges = 0;

  constructor(host: ConnectionHost, handle: number, remote: { host: string; port: number }) {
    this.#host = host;
    this.handle = handle;
    this.#remote = remote;
    // Who does not wait for them is not to be ended by them.
    this.#ready.promise.catch(() => undefined);
    this.#confirmed.promise.catch(() => undefined);
  }

  /** The handshake is complete. Rejects with a QuicConnectionError when it fails. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Both sides know that it is: from here on the connection can move. */
  get confirmed(): Promise<void> {
    return this.#confirmed.promise;
  }

  /** How the connection ended. Never rejects. */
  get closed(): Promise<QuicEnd> {
    return this.#closed.promise;
  }

  /** The protocol that ALPN chose. */
  get alpn(): string {
    return this.#alpn;
  }

  /** The server's name as the client asked for it. */
  get serverName(): string {
    return this.#serverName;
  }

  get remoteAddress(): string {
    return this.#remote.host;
  }

  get remotePort(): number {
    return this.#remote.port;
  }

  /** A session from before was resumed. */
  get isResumed(): boolean {
    return (this.#flags & ConnectedFlag.RESUMED) !== 0;
  }

  /** What was sent before the handshake was complete has been accepted (0-RTT). */
  get isEarlyDataAccepted(): boolean {
    return (this.#flags & ConnectedFlag.EARLY_ACCEPTED) !== 0;
  }

  get isClosed(): boolean {
    return this.#end !== null;
  }

  /** Opens a stream; waits while the peer allows no more. */
  async openStream(options: { readonly unidirectional?: boolean } = {}): Promise<QuicStream<QuicConnection>> {
    const isUnidirectional = options.unidirectional === true;
    for (;;) {
      this.#assertOpen();
      const handle = this.#host.quic.openStream(this.handle, isUnidirectional);
      if (handle > 0) {
        const stream = new QuicStream(this, handle, this.#host.quic.streamId(handle), true);
        this.#streams.set(handle, stream);
        return stream;
      }
      if (handle !== Status.WOULD_BLOCK) throw new TypeError("the engine has no room for a stream");
      this.#host.flushLater(this);
      await new Promise<void>((resolve) => this.#onOpenable.push(resolve));
    }
  }

  /** Streams that the peer opens, until the connection ends. */
  async *incomingStreams(): AsyncGenerator<QuicStream<QuicConnection>, void, void> {
    for (;;) {
      const stream = this.#incoming.shift();
      if (stream !== undefined) yield stream;
      else if (this.#end !== null) return;
      else await new Promise<void>((resolve) => (this.#onIncoming = resolve));
    }
  }

  /** Sends a datagram, which may be lost. False when too many wait, the peer takes none, or it is too large. */
  sendDatagram(bytes: Uint8Array): boolean {
    this.#assertOpen();
    const status = this.#host.quic.sendDatagram(this.handle, bytes, this.#host.now());
    this.#host.flushLater(this);
    return status === Status.OK;
  }

  /** Datagrams of the peer, until the connection ends. */
  async *incomingDatagrams(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const datagram = this.#datagrams.shift();
      if (datagram !== undefined) yield datagram;
      else if (this.#end !== null) return;
      else await new Promise<void>((resolve) => (this.#onDatagram = resolve));
    }
  }

  /** Closes with a code of the application's. */
  close(info: QuicCloseInfo = {}): Promise<QuicEnd> {
    if (this.#end === null) {
      const code = BigInt(info.code ?? 0);
      if (code < 0n || code >= 1n << 62n)
        throw new RangeError(`code is ${code}; it must be from 0 to 2^62 - 1`);
      this.#host.quic.close(this.handle, code, info.reason ?? "", this.#host.now());
      this.#host.flushLater(this);
    }
    return this.closed;
  }

  /** Sends a PING, which keeps the connection from idling out. */
  ping(): void {
    this.#assertOpen();
    this.#host.quic.ping(this.handle, this.#host.now());
    this.#host.flushLater(this);
  }

  /** How often the connection has moved to another path (RFC 9000 §9), as either side asked for. */
  get pathChanges(): number {
    return this.#pathChanges;
  }

  /** Updates the keys as soon as that may be done (RFC 9001 §6). */
  updateKeys(): void {
    this.#assertOpen();
    this.#host.quic.updateKeys(this.handle);
    this.#host.flushLater(this);
  }

  /**
   * Has the peer send to a fresh connection ID, and retire all others (RFC 9000 §5.1.2), so that nobody on the way can tell by the old
   * ones that it is the same connection. False while the peer has no newer one.
   */
  retireConnectionIds(): boolean {
    this.#assertOpen();
    const status = this.#host.quic.retireIds(this.handle);
    this.#host.flushLater(this);
    return status === 0;
  }

  /** Keying material for an application (RFC 8446 §7.5); null before the handshake is complete. */
  exportKey(label: string, context: Uint8Array, length: number): Uint8Array | null {
    return this.#end === null ? this.#host.quic.exportKey(this.handle, label, context, length) : null;
  }

  /** Null once the connection is over. */
  stats(): QuicStats | null {
    const values = this.#end === null ? this.#host.quic.stats(this.handle) : null;
    if (values === null) return null;
    const at = (stat: QuicStat) => values[stat] as number;
    return {
      smoothedRttMs: at(QuicStat.SMOOTHED_RTT_MS),
      latestRttMs: at(QuicStat.LATEST_RTT_MS),
      minRttMs: at(QuicStat.MIN_RTT_MS),
      congestionWindowBytes: at(QuicStat.CONGESTION_WINDOW_BYTES),
      bytesInFlight: at(QuicStat.BYTES_IN_FLIGHT),
      bytesSent: at(QuicStat.BYTES_SENT),
      bytesReceived: at(QuicStat.BYTES_RECEIVED),
      datagramsSent: at(QuicStat.PACKETS_SENT),
      datagramsReceived: at(QuicStat.PACKETS_RECEIVED),
      packetsLost: at(QuicStat.PACKETS_LOST),
      mtuBytes: at(QuicStat.MTU_BYTES),
      version: at(QuicStat.VERSION),
      cipherSuite: at(QuicStat.SUITE),
      keyUpdates: at(QuicStat.KEY_UPDATES),
    };
  }

  #assertOpen(): void {
    if (this.#end !== null) throw new QuicConnectionError(this.#end);
  }

  // What a stream asks of its connection.

  write(stream: number, bytes: Uint8Array, isFin: boolean): number {
    const taken = this.#host.quic.writeStream(this.handle, stream, bytes, isFin, this.#host.now());
    this.#host.flushLater(this);
    return taken;
  }

  peek(stream: number): Uint8Array {
    return this.#host.quic.peekStream(stream);
  }

  consume(stream: number, length: number): void {
    this.#host.quic.consumeStream(this.handle, stream, length, this.#host.now());
    this.#host.flushLater(this);
  }

  isAtEnd(stream: number): boolean {
    return this.#host.quic.isAtEnd(stream);
  }

  reset(stream: number, code: bigint): void {
    this.#host.quic.resetStream(this.handle, stream, code, this.#host.now());
    this.#host.flushLater(this);
  }

  stop(stream: number, code: bigint): void {
    this.#host.quic.stopStream(this.handle, stream, code, this.#host.now());
    this.#host.flushLater(this);
  }

  prioritize(stream: number, urgency: number, isIncremental: boolean): void {
    this.#host.quic.prioritize(stream, urgency, isIncremental);
  }

  // What the engine tells of it.

  onConnected(flags: number, alpn: string, serverName: string): void {
    this.#flags = flags;
    this.#alpn = alpn;
    this.#serverName = serverName;
    this.#ready.resolve();
  }

  onConfirmed(): void {
    this.#confirmed.resolve();
  }

  onPath(remote: { host: string; port: number }): void {
    this.#remote = remote;
    this.#pathChanges++;
  }

  onStream(handle: number, news: number, id: number, code: bigint): void {
    let stream = this.#streams.get(handle);
    if (stream === undefined) {
      if ((news & StreamNews.OPENED) === 0) return;
      stream = new QuicStream(this, handle, id, false);
      this.#streams.set(handle, stream);
      this.#incoming.push(stream);
      const wake = this.#onIncoming;
      this.#onIncoming = null;
      wake?.();
    }
    stream.receive(news, code);
    if (news & StreamNews.CLOSED) this.#streams.delete(handle);
  }

  onOpenable(): void {
    for (const wake of this.#onOpenable.splice(0)) wake();
  }

  onDatagrams(): void {
    const { quic } = this.#host;
    for (let bytes = quic.readDatagram(this.handle); bytes !== null; bytes = quic.readDatagram(this.handle)) {
      if (this.#datagrams.length >= WAITING_DATAGRAMS) this.#datagrams.shift();
      this.#datagrams.push(bytes);
    }
    const wake = this.#onDatagram;
    this.#onDatagram = null;
    wake?.();
  }

  onClosed(flags: number, code: bigint, reason: string, status: number): void {
    const end: QuicEnd = {
      code,
      reason,
      status,
      isApplication: (flags & CloseFlag.APPLICATION) !== 0,
      isRemote: (flags & CloseFlag.REMOTE) !== 0,
    };
    this.#end = end;
    const error = new QuicConnectionError(end);
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#streams.clear();
    this.#ready.reject(error);
    this.#confirmed.reject(error);
    this.#closed.resolve(end);
    this.onOpenable();
    this.#onIncoming?.();
    this.#onDatagram?.();
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
