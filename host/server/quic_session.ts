// One connection of HTTP/3, as a session of the server: what an exchange asks of a connection is answered by an endpoint of QUIC,
// which sends whatever there is for all its connections at once.

import { Status } from "../engine/index.ts";
import type { Endpoint } from "../quic/endpoint.ts";
import type { Socket } from "../transport/transport.ts";
import { Session, type SessionHost } from "./session.ts";

/** H3_NO_ERROR (RFC 9114 §8.1). */
const NO_ERROR = 0x100n;
/** H3_INTERNAL_ERROR. */
const INTERNAL_ERROR = 0x102n;

/** The socket's part of a connection that shares its socket with others. */
class QuicSocket implements Socket {
  readonly isSecure = true;
  readonly alpn = "h3";
  readonly pendingBytes = 0;
  remoteAddress: string;
  remotePort: number;
  readonly #close: (code: bigint) => void;

  constructor(remote: { host: string; port: number }, close: (code: bigint) => void) {
    this.remoteAddress = remote.host;
    this.remotePort = remote.port;
    this.#close = close;
  }

  start(): void {
    // Datagrams come through the endpoint.
  }

  write(): boolean {
    return true;
  }

  writeText(): boolean {
    return true;
  }

  writeBoth(): boolean {
    return true;
  }

  pause(): void {
    // QUIC's flow control holds the peer back.
  }

  resume(): void {
    // As above.
  }

  end(): void {
    this.#close(NO_ERROR);
  }

  destroy(): void {
    this.#close(NO_ERROR);
  }

  reset(): void {
    this.#close(INTERNAL_ERROR);
  }
}

export class QuicSession extends Session {
  readonly #endpoint: Endpoint;

  constructor(host: SessionHost, endpoint: Endpoint, handle: number, remote: { host: string; port: number }) {
    super(host, new QuicSocket(remote, (code) => this.#close(code)), handle);
    this.#endpoint = endpoint;
    this.isMultiplexed = true;
  }

  /** The peer has moved (RFC 9000 §9). */
  move(remote: { host: string; port: number }): void {
    const socket = this.socket as QuicSocket;
    socket.remoteAddress = remote.host;
    socket.remotePort = remote.port;
  }

  override flush(): void {
    this.#endpoint.flushLater();
  }

  override scheduleFlush(): void {
    this.#endpoint.flushLater();
  }

  /** Content goes through the engine, which puts it into packets. */
  override layContent(): number {
    return Status.INVALID_ARGUMENT;
  }

  override keep(bytes: Uint8Array): Uint8Array {
    return bytes.slice();
  }

  #close(code: bigint): void {
    if (this.isClosed || this.host.isFailed) return;
    this.host.trapped(() => this.host.engine.quic.close(this.handle, code, "", this.host.now()));
    this.#endpoint.flushLater();
  }
}
