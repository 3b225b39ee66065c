// One instance of the engine with its connections: the fault domain of the server.
//
// Every entry from outside goes through `run`: the call, the events it caused, the output, the timer. When the module traps,
// the instance is lost with its connections, the pool starts another one, and the rest of the server does not notice.

import { CloseCode, MessageKind, OpenFlag, Protocol, Role, Status } from "../engine/index.ts";
import { EngineError } from "../engine/engine_error.ts";
import type { EventSink, ReceivedHead, Engine } from "../engine/index.ts";
import type { Exchange, Reply } from "../router/index.ts";
import type { Socket } from "../transport/transport.ts";
import { afterTurn } from "../transport/after_turn.ts";
import { writeFailure, writeReply } from "./reply_writer.ts";
import { QuicTable } from "./quic_table.ts";
import { ServerExchange } from "./server_exchange.ts";
import { SessionTable } from "../web_transport/session_table.ts";
import { SocketTable } from "./socket_table.ts";
import type { Topics } from "./topics.ts";
import { Session } from "./session.ts";
import { UsualFields } from "./usual_fields.ts";
import { WriteBlocks } from "./write_blocks.ts";
import { letGo } from "./platform.ts";

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
const MAX_TIMER_MS = 2_147_483_647;

export class EngineHost implements EventSink {
  readonly engine: Engine;
  readonly sockets = new SocketTable();
  readonly webTransport = new SessionTable();
  readonly topics: Topics;
  readonly usualFields: UsualFields;
  /** Length of a message where a route does not say its own. */
  readonly messageBytesMax: number;
  readonly sessions = new Set<Session>();
  readonly #context: HostContext;
  readonly #sessionAt: (Session | undefined)[] = [];
  readonly #exchangeAt: (ServerExchange | undefined)[] = [];
  readonly blocks = new WriteBlocks();
  /** Endpoints of QUIC, and their connections. */
  readonly endpoints = new QuicTable(this);
  readonly quic = this.endpoints.events;
  #dirty: Session[] = [];
  #dirtyScheduled = false;
  #timer: NodeJS.Timeout | null = null;
  #timerDeadline = Infinity;
  #isFailed = false;

  constructor(engine: Engine, context: HostContext) {
    this.engine = engine;
    this.usualFields = new UsualFields(engine);
    this.#context = context;
    this.topics = context.topics;
    this.messageBytesMax = engine.limit("webSocketMessageBytes");
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  now(): number {
    return performance.now();
  }

  /** Takes a connection, to drain it at once when `isLast`; false when the instance is full, or lost. */
  accept(socket: Socket, isLast = false): boolean {
    if (this.#isFailed) return false;
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

  readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this);
  }

  /** Runs one entry from outside on behalf of a session. */
  run(session: Session, enter: () => void): void {
    if (this.#isFailed) return;
    try {
      enter();
      if (this.engine.hasEvents) this.engine.readEvents(this);
      session.flush();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The session's socket is gone. */
  forget(session: Session): void {
    this.sessions.delete(session);
    this.#sessionAt[session.handle & INDEX_MASK] = undefined;
    const { exchanges } = session;
    for (const exchange of exchanges) session.deleteExchange(exchange);
    if (!this.#isFailed) {
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

  /** Gives an exchange that was cut back to the engine. */
  release(handle: number): void {
    if (!this.#isFailed) this.trapped(() => this.engine.doors.releaseExchange(handle));
  }

  /** Runs a call into the engine on behalf of a handler, which must not take a trap for an error of its own. */
  trapped<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.fail(error);
      throw error;
    }
  }

  /** Sends a text on a WebSocket, as `trapped` would, without a closure for each. */
  sendText(handle: number, text: string): number {
    try {
      return this.engine.sockets.sendText(handle, text);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** The same for a binary message. */
  sendBytes(handle: number, bytes: Uint8Array): number {
    try {
      return this.engine.sockets.sendBytes(handle, MessageKind.BINARY, bytes);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** The exchange's answer is complete and the engine was told so. */
  finished(exchange: ServerExchange): void {
    exchange.finish();
    if (exchange.session.deleteExchange(exchange)) {
      this.#exchangeAt[exchange.handle & INDEX_MASK] = undefined;
    }
  }

  flushLater(session: Session): void {
    this.#dirty.push(session);
    if (this.#dirtyScheduled) return;
    this.#dirtyScheduled = true;
    afterTurn(() => this.#flushDirty());
  }

  #flushDirty(): void {
    this.#dirtyScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    if (this.#isFailed) return;
    try {
      for (const session of dirty) session.flush();
      if (this.engine.hasEvents) this.engine.readEvents(this);
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Lets open exchanges finish and closes. */
  drain(): void {
    if (this.#isFailed) return;
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

  /** Stops the timer of an instance that is no longer needed. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerDeadline = Infinity;
  }

  /** What the answers on a session say of alternative services (RFC 7838), null for nothing. Without TLS nobody could trust it. */
  altSvcOn(session: Session): string | null {
    return session.socket.isSecure ? this.#context.altSvc() : null;
  }

  /** Tells a failure that concerns one exchange. */
  report(error: unknown, exchange: ServerExchange): void {
    this.#context.onError(error, exchange);
  }

  /** The module trapped, or the host itself has a fault: nothing of this instance can be trusted any more. */
  fail(error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.stop();
    for (const session of [...this.sessions]) {
      for (const exchange of session.exchanges) this.#abort(exchange, Status.INVALID_STATE);
      for (const socket of session.webSockets) socket.aborted();
      this.webTransport.lose(session.handle);
      session.socket.reset();
    }
    this.#context.onFailure(this, error);
  }

  #abort(exchange: ServerExchange, status: number): void {
    this.#exchangeAt[exchange.handle & INDEX_MASK] = undefined;
    exchange.abort(new EngineError(status), true);
  }

  /** Sets the one timer to the engine's next deadline, if that is earlier than what it is set to. */
  armTimer(): void {
    const deadline = this.engine.doors.pollDeadline();
    if (deadline >= this.#timerDeadline) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerDeadline = deadline;
    const delay = Math.min(Math.max(Math.ceil(deadline - this.now()), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#handleTimeout(), delay);
    letGo(this.#timer);
  }

  #handleTimeout(): void {
    this.#timer = null;
    this.#timerDeadline = Infinity;
    if (this.#isFailed) return;
    try {
      this.engine.doors.handleTimeout(this.now());
      this.engine.readEvents(this);
      this.endpoints.flush();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  // What the engine tells.

  request(connection: number, handle: number, head: ReceivedHead): void {
    const session = this.#sessionAt[connection & INDEX_MASK] ?? this.endpoints.open(connection);
    if (session === undefined) {
      this.release(handle);
      return;
    }
    const exchange = new ServerExchange(session, handle, head);
    let reply: Reply | Promise<Reply> | undefined;
    try {
      reply = this.#context.handle(exchange);
      if (!(reply instanceof Promise)) writeReply(exchange, reply);
    } catch (error) {
      writeFailure(exchange, error);
    }
    // The usual request is over by now, and nothing needs to find it.
    if (!(reply instanceof Promise) && exchange.isOver) return;
    this.#exchangeAt[handle & INDEX_MASK] = exchange;
    session.addExchange(exchange);
    if (reply instanceof Promise) {
      reply.then(
        (late) => this.#answerLate(exchange, () => writeReply(exchange, late)),
        (error: unknown) => this.#answerLate(exchange, () => writeFailure(exchange, error)),
      );
    }
  }

  #answerLate(exchange: ServerExchange, write: () => void): void {
    if (this.#isFailed) return;
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
