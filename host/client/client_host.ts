// The engine instance that all clients of WebSockets and WebTransport in a process share, and the connections on it, over TCP and over QUIC alike.

import { DeadlineTimer } from "../engine/deadline_timer.ts";
import { Engine, loadModule } from "../engine/index.ts";
import type {
  CompiledModule,
  EventSink,
  ReceivedHead,
  SocketEvents,
  SocketPayload,
} from "../engine/index.ts";
import { SessionTable } from "../web_transport/session_table.ts";
import { QuicLinks, type LinksHost } from "./quic_links.ts";

/** What a connection's owner is told. */
export interface ConnectionOwner {
  /** The connection can carry a request. */
  connected(): void;
  /** Bytes were read: what could not be done before may be possible now. */
  progressed(): void;
  response(head: ReceivedHead): void;
  writable(): void;
  /** Nothing follows. `status` is why, 0 when nothing is wrong. */
  disconnected(status: number, error: Error | null): void;
}

/** The owner of a connection that carries a WebSocket. */
export interface SocketOwner extends ConnectionOwner {
  socketOpen(head: ReceivedHead, deflate: number): void;
  socketData(flags: number, payload: SocketPayload): void;
  socketClose(flags: number, code: number, reason: string, status: number): void;
}

/** A connection in the client's role that carries one exchange. */
export interface ClientConnection {
  readonly owner: ConnectionOwner;
  readonly engine: Engine;
  /** The engine's handle of the connection. */
  readonly handle: number;
  /** The engine's handle of the exchange on it; 0 while there is none. */
  exchange: number;
  /** Bytes that the engine has given away and the network has not taken. */
  readonly writableLength: number;
  /** Does something on the engine, then tells what it caused and writes what it has to send. */
  run(enter: () => void): void;
  flush(): void;
  pause(): void;
  resume(): void;
  /** The engine is through with the peer. */
  closing(status: number, abort: boolean): void;
  /** The exchange was cut. */
  fail(status: number): void;
  /** Nothing more is to be said. */
  end(): void;
  destroy(): void;
}

const CLIENT_MEMORY_BYTES = 64 * 1024 * 1024;
const INDEX_MASK = 0xfffff;

/** The instance of all clients of WebSockets and WebTransport in this process. */
export class ClientHost implements EventSink, SocketEvents, LinksHost {
  readonly engine: Engine;
  readonly sockets = this;
  readonly webTransport = new SessionTable();
  /** Connections of QUIC. */
  readonly links = new QuicLinks(this);
  readonly quic = this.links.events;
  readonly #connectionAt: (ClientConnection | undefined)[] = [];
  readonly #exchangeAt: (ClientConnection | undefined)[] = [];
  readonly #timer: DeadlineTimer;

  constructor(module: CompiledModule) {
    this.engine = Engine.create(module, { memoryBytes: CLIENT_MEMORY_BYTES, now: performance.now() });
    this.#timer = new DeadlineTimer(this.engine, () => this.#handleTimeout());
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

  /** Why the instance is lost: a trap is thrown to whoever entered it. */
  get failure(): Error | null {
    return null;
  }

  now(): number {
    return performance.now();
  }

  readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this);
  }

  guarded(call: () => void): void {
    call();
  }

  fail(error: Error): void {
    throw error;
  }

  armTimer(): void {
    this.#timer.arm();
  }

  #handleTimeout(): void {
    this.engine.doors.handleTimeout(this.now());
    this.engine.readEvents(this);
    this.links.flush();
    this.armTimer();
  }

  #at(connection: number): ClientConnection | undefined {
    return this.#connectionAt[connection & INDEX_MASK];
  }

  /** Events of sockets come for connections that were asked for one. */
  #socketOwner(connection: ClientConnection | undefined): SocketOwner | undefined {
    return connection?.owner as SocketOwner | undefined;
  }

  response(connection: number, _exchange: number, head: ReceivedHead): void {
    this.#at(connection)?.owner.response(head);
  }

  socketOpen(connection: number, _socket: number, head: ReceivedHead, deflate: number): void {
    this.#socketOwner(this.#at(connection))?.socketOpen(head, deflate);
  }

  socketData(socket: number, flags: number, payload: SocketPayload): void {
    this.#socketOwner(this.#exchangeAt[socket & INDEX_MASK])?.socketData(flags, payload);
  }

  socketPing(socket: number, payload: SocketPayload): void {
    this.engine.sockets.pong(socket, payload);
  }

  socketPong(): void {}

  socketClose(socket: number, flags: number, code: number, reason: string, status: number): void {
    this.#socketOwner(this.#exchangeAt[socket & INDEX_MASK])?.socketClose(flags, code, reason, status);
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
    this.#at(connection)?.pause();
  }

  readResume(connection: number): void {
    this.#at(connection)?.resume();
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
export function clientHost(): Promise<ClientHost> {
  return (shared ??= loadModule().then((module) => new ClientHost(module)));
}
