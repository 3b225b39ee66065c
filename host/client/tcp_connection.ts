// A connection in the client's role over TCP: a socket of the runtime and a connection of the engine instance of all clients.
//
// Bytes of the socket are copied to the engine; what the engine has to send is
// written once for each entry from outside.

import { connect as connectTcp, type Socket } from "node:net";
import type * as nodeTls from "node:tls";
import { OpenFlag, Protocol, Role, type Engine } from "../engine/index.ts";
import { clientHost, type ClientConnection, type ClientHost, type ConnectionOwner } from "./client_host.ts";

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Speak HTTP/2: by ALPN, or by prior knowledge without TLS. */
  readonly http2: boolean;
  /** Over QUIC: announce WebTransport. Default false. */
  readonly webTransport?: boolean;
  /** Options of node:tls beside those above. */
  readonly tls: object;
}

export class TcpConnection implements ClientConnection {
  readonly owner: ConnectionOwner;
  readonly #socket: Socket;
  /** The engine's handle of the connection. */
  readonly handle: number;
  readonly #host: ClientHost;
  #exchange = 0;
  #isClosed = false;
  #status = 0;

  /** Connects; `owner.connected` is told when that is done. */
  static async open(target: ConnectionTarget, owner: ConnectionOwner): Promise<TcpConnection> {
    const tls = target.isSecure ? await import("node:tls") : null;
    return new TcpConnection(await clientHost(), target, owner, tls);
  }

  private constructor(
    host: ClientHost,
    target: ConnectionTarget,
    owner: ConnectionOwner,
    tls: typeof nodeTls | null,
  ) {
    this.#host = host;
    this.owner = owner;
    const { doors } = host.engine;
    const flags = target.isSecure ? OpenFlag.SECURE : OpenFlag.NONE;
    const protocol = target.http2 ? Protocol.HTTP_2 : Protocol.HTTP_1;
    this.handle = doors.openConnection(protocol, Role.CLIENT, flags, performance.now());
    const { host: name, port } = target;
    this.#socket =
      tls !== null
        ? tls.connect({
            ...target.tls,
            host: name,
            port,
            servername: /^[\d.]+$|:/u.test(name) ? "" : name,
            ALPNProtocols: [target.http2 ? "h2" : "http/1.1"],
          })
        : connectTcp({ host: name, port });
    this.#listen(target);
    if (this.handle < 0) this.#socket.destroy(new Error("too many connections"));
    else host.add(this);
  }

  /** The engine's handle of the exchange on it; 0 while there is none. */
  get exchange(): number {
    return this.#exchange;
  }

  set exchange(exchange: number) {
    this.#host.bind(this.#exchange, undefined);
    this.#exchange = exchange;
    this.#host.bind(exchange, this);
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  get engine(): Engine {
    return this.#host.engine;
  }

  /** Does something on the engine, then tells what it caused and writes what it has to send. */
  run(enter: () => void): void {
    if (this.#isClosed) return;
    enter();
    this.flush();
  }

  flush(): void {
    const { engine } = this.#host;
    engine.readEvents(this.#host);
    if (this.#isClosed) return;
    for (;;) {
      const length = engine.pollTransmit(this.handle);
      if (length <= 0) break;
      if (!this.#socket.write(engine.transmitted(length).slice())) {
        engine.doors.transmitBlocked(this.handle, performance.now());
        break;
      }
    }
    if (engine.hasEvents) engine.readEvents(this.#host);
    this.#host.armTimer();
  }

  /** The engine is through with the peer. */
  closing(status: number, abort: boolean): void {
    this.#status ||= status;
    if (abort) this.#socket.destroy();
    else this.#socket.end();
  }

  /** The exchange was cut. */
  fail(status: number): void {
    this.#status ||= status;
    this.exchange = 0;
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(target: ConnectionTarget): void {
    const socket = this.#socket;
    let failure: Error | null = null;
    socket.setNoDelay(true);
    socket.on(target.isSecure ? "secureConnect" : "connect", () => {
      if (this.handle >= 0) this.run(() => this.owner.connected());
    });
    socket.on("data", (chunk: Buffer) => this.run(() => this.#receive(chunk)));
    socket.on("end", () => this.run(() => void this.engine.doors.receiveEnd(this.handle, performance.now())));
    socket.on("drain", () =>
      this.run(() => {
        this.engine.doors.transmitDrained(this.handle, performance.now());
        this.owner.writable();
      }),
    );
    socket.on("error", (error) => (failure = error));
    socket.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      if (this.handle >= 0) {
        this.engine.doors.closeConnection(this.handle);
        this.#host.delete(this);
        if (this.exchange !== 0) this.engine.doors.releaseExchange(this.exchange);
      }
      this.owner.disconnected(this.#status, failure);
    });
  }

  #receive(chunk: Buffer): void {
    const { engine } = this.#host;
    const region = engine.receiveBuffer;
    for (let from = 0; from < chunk.length; from += region.length) {
      const part = chunk.subarray(from, from + region.length);
      region.set(part);
      for (let offset = 0; offset < part.length && !this.#isClosed;) {
        const taken = engine.doors.receive(this.handle, offset, part.length - offset, performance.now());
        if (taken < 0) return void this.#socket.destroy();
        engine.readEvents(this.#host);
        offset += taken;
      }
    }
    this.owner.progressed();
  }
}
