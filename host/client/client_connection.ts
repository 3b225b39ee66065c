// A connection in the client's role: a socket of the runtime and a connection of an engine instance that all clients share.
//
// The instance is started with the first connection. Bytes of the socket are copied to the engine; what the engine has to send is
// written once for each entry from outside.

import { connect as connectTcp, type Socket } from "node:net";
import type * as nodeTls from "node:tls";
import {
  Engine,
  loadModule,
  OpenFlag,
  Protocol,
  Role,
  type EventSink,
  type ReceivedHead,
  type SocketEvents,
  type SocketPayload,
} from "../engine/index.ts";

/** What a connection's owner is told. */
export interface ConnectionOwner {
  /** The connection can carry a request. */
  connected(): void;
  /** Bytes were read: what could not be done before may be possible now. */
  progressed(): void;
  response(head: ReceivedHead): void;
  socketOpen(head: ReceivedHead, deflate: number): void;
  socketData(flags: number, payload: SocketPayload): void;
  socketClose(flags: number, code: number, reason: string, status: number): void;
  writable(): void;
  /** Nothing follows. `status` is why, 0 when nothing is wrong. */
  disconnected(status: number, error: Error | null): void;
}

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Speak HTTP/2: by ALPN, or by prior knowledge without TLS. */
  readonly http2: boolean;
  /** Options of node:tls beside those above. */
  readonly tls: object;
}

const CLIENT_MEMORY_BYTES = 64 * 1024 * 1024;
const INDEX_MASK = 0xfffff;

/** The instance of all clients of this process. */
class ClientHost implements EventSink, SocketEvents {
  readonly engine: Engine;
  readonly sockets = this;
  readonly #connectionAt: (ClientConnection | undefined)[] = [];
  readonly #exchangeAt: (ClientConnection | undefined)[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(module: WebAssembly.Module) {
    this.engine = Engine.create(module, { memoryBytes: CLIENT_MEMORY_BYTES, now: performance.now() });
  }

  add(connection: ClientConnection): void {
    this.#connectionAt[connection.handle & INDEX_MASK] = connection;
  }

  delete(connection: ClientConnection): void {
    this.#connectionAt[connection.handle & INDEX_MASK] = undefined;
    this.bind(connection.exchange, undefined);
  }

  /** Says whose an exchange is. */
  bind(exchange: number, connection: ClientConnection | undefined): void {
    if (exchange > 0) this.#exchangeAt[exchange & INDEX_MASK] = connection;
  }

  armTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const deadline = this.engine.doors.pollDeadline();
    if (deadline === Infinity) return;
    const delay = Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), 2_147_483_647);
    this.#timer = setTimeout(() => {
      this.engine.doors.handleTimeout(performance.now());
      this.engine.readEvents(this);
      this.armTimer();
    }, delay);
    this.#timer.unref();
  }

  #at(connection: number): ClientConnection | undefined {
    return this.#connectionAt[connection & INDEX_MASK];
  }

  response(connection: number, _exchange: number, head: ReceivedHead): void {
    this.#at(connection)?.owner.response(head);
  }

  socketOpen(connection: number, _socket: number, head: ReceivedHead, deflate: number): void {
    this.#at(connection)?.owner.socketOpen(head, deflate);
  }

  socketData(socket: number, flags: number, payload: SocketPayload): void {
    this.#exchangeAt[socket & INDEX_MASK]?.owner.socketData(flags, payload);
  }

  socketPing(socket: number, payload: SocketPayload): void {
    this.engine.sockets.pong(socket, payload);
  }

  socketPong(): void {}

  socketClose(socket: number, flags: number, code: number, reason: string, status: number): void {
    this.#exchangeAt[socket & INDEX_MASK]?.owner.socketClose(flags, code, reason, status);
  }

  aborted(connection: number, exchange: number, status: number): void {
    this.engine.doors.releaseExchange(exchange);
    this.#at(connection)?.fail(status);
  }

  writable(connection: number): void {
    this.#at(connection)?.owner.writable();
  }

  transmit(connection: number): void {
    this.#at(connection)?.flush();
  }

  readPause(connection: number): void {
    this.#at(connection)?.socket.pause();
  }

  readResume(connection: number): void {
    this.#at(connection)?.socket.resume();
  }

  close(connection: number, status: number, abort: boolean): void {
    this.#at(connection)?.closing(status, abort);
  }

  request(_connection: number, exchange: number): void {
    this.engine.doors.releaseExchange(exchange);
  }

  informational(): void {}
  body(): void {}
  end(): void {}
  peerEnded(): void {}
  tunnel(): void {}
}

let shared: Promise<ClientHost> | null = null;

/** The instance, started when it is first asked for. */
function clientHost(): Promise<ClientHost> {
  return (shared ??= loadModule().then((module) => new ClientHost(module)));
}

export class ClientConnection {
  readonly owner: ConnectionOwner;
  readonly socket: Socket;
  /** The engine's handle of the connection. */
  readonly handle: number;
  readonly #host: ClientHost;
  #exchange = 0;
  #isClosed = false;
  #status = 0;

  /** Connects; `owner.connected` is told when that is done. */
  static async open(target: ConnectionTarget, owner: ConnectionOwner): Promise<ClientConnection> {
    const tls = target.isSecure ? await import("node:tls") : null;
    return new ClientConnection(await clientHost(), target, owner, tls);
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
    this.socket =
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
    if (this.handle < 0) this.socket.destroy(new Error("too many connections"));
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
      if (!this.socket.write(engine.transmitted(length).slice())) {
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
    if (abort) this.socket.destroy();
    else this.socket.end();
  }

  /** The exchange was cut. */
  fail(status: number): void {
    this.#status ||= status;
    this.exchange = 0;
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #listen(target: ConnectionTarget): void {
    const { socket } = this;
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
        if (taken < 0) return void this.socket.destroy();
        engine.readEvents(this.#host);
        offset += taken;
      }
    }
    this.owner.progressed();
  }
}
