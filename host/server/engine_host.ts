// The connections of one engine instance, and what the engine tells of them and of the exchanges on them.
//
// Requests become exchanges here and go to whoever answers them; the usual one is over before its event has been read. When the
// instance is lost its connections are reset; the pool starts another one, and the rest of the server does not notice.

import { CloseCode, OpenFlag, Protocol, Role, Status } from "../engine/index.ts";
import { EngineError } from "../engine/engine_error.ts";
import type { EventSink, ReceivedHead, Engine } from "../engine/index.ts";
import type { Exchange, Reply } from "../router/index.ts";
import type { Socket } from "../transport/transport.ts";
import { SessionTable } from "../web_transport/session_table.ts";
import { EngineInstance } from "./engine_instance.ts";
import { QuicTable, type EndpointHost } from "./quic_table.ts";
import { writeFailure, writeReply, type ReplyHost } from "./reply_writer.ts";
import { ServerExchange } from "./server_exchange.ts";
import { Session, type OpenExchange } from "./session.ts";
import { SocketTable } from "./socket_table.ts";
import type { Topics } from "./topics.ts";

/** What the pool gives to each of its hosts. */
export interface HostContext {
  handle(exchange: Exchange): Reply | Promise<Reply>;
  /** The instance trapped; the host has closed its connections. */
  onFailure(host: EngineHost, error: unknown): void;
  /** Whether HTTP/2 announces that it takes WebSockets (RFC 8441 §3). */
  opensWebSockets(): boolean;
  readonly topics: Topics;
  /** The alt-svc field of answers over TLS, null for none. */
  altSvc(): string | null;
  /** Something went wrong that concerns one exchange, and nobody else was told. */
  onError(error: unknown, exchange: ServerExchange): void;
}

const INDEX_MASK = 0xfffff;

export class EngineHost extends EngineInstance implements EventSink, ReplyHost, EndpointHost {
  readonly sockets = new SocketTable();
  readonly webTransport = new SessionTable();
  readonly topics: Topics;
  readonly sessions = new Set<Session>();
  readonly #context: HostContext;
  readonly #sessionAt: (Session | undefined)[] = [];
  readonly #exchangeAt: (ServerExchange | undefined)[] = [];
  /** Endpoints of QUIC, and their connections. */
  readonly endpoints = new QuicTable(this);
  readonly quic = this.endpoints.events;

  constructor(engine: Engine, context: HostContext) {
    super(engine);
    this.#context = context;
    this.topics = context.topics;
  }

  /** Takes a connection, to drain it at once when `isLast`; false when the instance is full, or lost. */
  accept(socket: Socket, isLast = false): boolean {
    if (this.isFailed) return false;
    const flags =
      (socket.isSecure ? OpenFlag.SECURE : OpenFlag.NONE) |
      (this.#context.opensWebSockets() ? OpenFlag.EXTENDED_CONNECT : OpenFlag.NONE);
    try {
      const protocol = socket.alpn === "h2" ? Protocol.HTTP_2 : Protocol.HTTP_1;
      const handle = this.engine.doors.openConnection(protocol, Role.SERVER, flags, this.now());
      if (handle < 0) return false;
      const session = new Session(this, socket, handle);
      this.#sessionAt[handle & INDEX_MASK] = session;
      this.sessions.add(session);
      socket.start(session);
      if (isLast) this.#drain(session);
      this.armTimer();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /** A connection of HTTP/3, which its endpoint has accepted. */
  adopt(session: Session): void {
    this.#sessionAt[session.handle & INDEX_MASK] = session;
    this.sessions.add(session);
  }

  override readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this);
  }

  /** The session's socket is gone. */
  forget(session: Session): void {
    this.sessions.delete(session);
    this.#sessionAt[session.handle & INDEX_MASK] = undefined;
    const { exchanges } = session;
    for (const exchange of exchanges) session.deleteExchange(exchange);
    if (!this.isFailed) {
      try {
        this.engine.doors.closeConnection(session.handle);
      } catch (error) {
        this.fail(error);
      }
    }
    for (const exchange of exchanges) this.#abort(exchange, Status.H1_UNEXPECTED_END);
    this.webTransport.lose(session.handle);
    for (const socket of session.webSockets) {
      // The engine keeps an exchange that it did not tell the end of until it is released.
      this.release(socket.handle);
      socket.aborted();
    }
  }

  /** The exchange's answer is complete and the engine was told so. */
  finished(exchange: ServerExchange): void {
    exchange.finish();
    if (exchange.session.deleteExchange(exchange)) {
      this.#exchangeAt[exchange.handle & INDEX_MASK] = undefined;
    }
  }

  /** Lets open exchanges finish and closes. */
  drain(): void {
    if (this.isFailed) return;
    for (const session of [...this.sessions]) this.#drain(session);
  }

  #drain(session: Session): void {
    this.run(session, () => {
      for (const socket of session.webSockets) socket.close(CloseCode.GOING_AWAY);
      for (const opened of this.webTransport.on(session.handle)) opened.drain();
      this.engine.doors.drainConnection(session.handle, this.now());
    });
  }

  /** Closes everything at once; answers how many connections and exchanges that cut. */
  destroy(): { connections: number; exchanges: number } {
    let connections = 0;
    let exchanges = 0;
    for (const session of [...this.sessions]) {
      // A peer that has its answers and only has not ended its side loses nothing.
      if (!session.isEnding) connections++;
      exchanges += session.exchangeCount;
      if (session.isEnding) session.socket.destroy();
      else session.socket.reset();
    }
    this.stop();
    return { connections, exchanges };
  }

  altSvc(): string | null {
    return this.#context.altSvc();
  }

  /** Tells a failure that concerns one exchange. */
  report(error: unknown, exchange: ServerExchange): void {
    this.#context.onError(error, exchange);
  }

  protected override lost(error: unknown): void {
    for (const session of [...this.sessions]) {
      for (const exchange of session.exchanges) this.#abort(exchange, Status.INVALID_STATE);
      for (const socket of session.webSockets) socket.aborted();
      this.webTransport.lose(session.handle);
      session.socket.reset();
    }
    this.#context.onFailure(this, error);
  }

  #abort(exchange: OpenExchange, status: number): void {
    this.#exchangeAt[exchange.handle & INDEX_MASK] = undefined;
    exchange.abort(new EngineError(status), true);
  }

  // Datagrams are polled for an endpoint as a whole: no connection asks for its own.
  protected override timedOut(): void {
    this.endpoints.flush();
  }

  // What the engine tells.

  request(connection: number, handle: number, head: ReceivedHead): void {
    const session = this.#sessionAt[connection & INDEX_MASK] ?? this.endpoints.open(connection);
    if (session === undefined) {
      this.release(handle);
      return;
    }
    const exchange = new ServerExchange(this, session, handle, head);
    let reply: Reply | Promise<Reply> | undefined;
    try {
      reply = this.#context.handle(exchange);
      if (!(reply instanceof Promise)) writeReply(this, exchange, reply);
    } catch (error) {
      writeFailure(exchange, error);
    }
    // The usual request is over by now, and nothing needs to find it.
    if (!(reply instanceof Promise) && exchange.isOver) return;
    this.#exchangeAt[handle & INDEX_MASK] = exchange;
    session.addExchange(exchange);
    if (reply instanceof Promise) {
      reply.then(
        (late) => this.#answerLate(exchange, () => writeReply(this, exchange, late)),
        (error: unknown) => this.#answerLate(exchange, () => writeFailure(exchange, error)),
      );
    }
  }

  #answerLate(exchange: ServerExchange, write: () => void): void {
    if (this.isFailed) return;
    try {
      write();
      exchange.session.scheduleFlush();
    } catch (error) {
      this.fail(error);
    }
  }

  /** An exchange that is being answered; an event may name one that is over. */
  #find(handle: number): ServerExchange | undefined {
    const exchange = this.#exchangeAt[handle & INDEX_MASK];
    return exchange !== undefined && exchange.handle === handle ? exchange : undefined;
  }

  body(_connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean, isGathered: boolean): void {
    this.#find(exchange)?.bodyArrived(bytes, isEnd, isGathered);
  }

  end(_connection: number, exchange: number): void {
    this.#find(exchange)?.bodyEnded();
  }

  aborted(_connection: number, handle: number, status: number): void {
    const exchange = this.#find(handle);
    const opened = this.sockets.find(handle) ?? this.webTransport.find(handle);
    if (opened !== undefined) {
      this.release(handle);
      opened.aborted();
      return;
    }
    if (exchange === undefined) {
      // Its reply came to nothing before this was read.
      this.release(handle);
      return;
    }
    exchange.session.deleteExchange(exchange);
    this.#abort(exchange, status);
  }

  peerEnded(_connection: number, exchange: number): void {
    this.#find(exchange)?.abort(new EngineError(Status.H1_UNEXPECTED_END), false);
  }

  writable(_connection: number, exchange: number): void {
    this.#find(exchange)?.writable();
    this.sockets.find(exchange)?.writable();
  }

  readPause(connection: number): void {
    this.#sessionAt[connection & INDEX_MASK]?.socket.pause();
  }

  readResume(connection: number): void {
    this.#sessionAt[connection & INDEX_MASK]?.socket.resume();
  }

  transmit(connection: number): void {
    this.#sessionAt[connection & INDEX_MASK]?.scheduleFlush();
  }

  close(connection: number, status: number, abort: boolean): void {
    this.#sessionAt[connection & INDEX_MASK]?.close(status, abort);
  }

  // The server never opens a connection, and CONNECT is answered by the router like any other request.
  tunnel(): void {}
  response(): void {}
  informational(): void {}
}
