// A WebSocket of the server: what handlers are given (router/web_socket.ts), on top of an exchange of the engine that has become
// a tunnel.
//
// The engine frames, answers pings and keeps the deadlines; here messages are put together and handed to the handlers of the
// route, and what the engine has no room for waits (socket_output.ts). A peer that is slower than what is sent to it is not read
// any further until it has caught up, and neither is one whose handlers are behind.

import { EngineError } from "../engine/engine_error.ts";
import { CloseCode, closeCodeOf, SocketFlag, Status } from "../engine/index.ts";
import type { SocketPayload } from "../engine/index.ts";
import type {
  SendOptions,
  WebSocketConnection,
  WebSocketMessage,
  WebSocketRoute,
  WebSocketSendable,
} from "../router/index.ts";
import type { OpenSocket, Session, SessionHost } from "./session.ts";
import { callHandler, tellHandlerError, tellPeerError } from "./socket_handlers.ts";
import { SocketInput, type InputOwner } from "./socket_input.ts";
import { bytesOf, SocketOutput, type OutputOwner } from "./socket_output.ts";
import type { SocketCompression } from "./socket_compression.ts";
import { checkClose } from "./socket_close.ts";
import type { Subscriber, Topics } from "./topics.ts";

const WHOLE = SocketFlag.FIRST | SocketFlag.LAST;
/** Handlers of one socket that have not resolved, after which it is not read for now. */
const HANDLERS_MOST = 64;

const enum State {
  OPEN = 0,
  /** This side has closed; what the peer sent before is thrown away. */
  CLOSING = 1,
  /** The peer has closed: what was sent before still leaves, then it is answered. */
  ANSWERING = 2,
  CLOSED = 3,
}

/** Why the peer is not read for now. */
const enum Hold {
  OUTPUT = 1,
  INPUT = 2,
  HANDLERS = 4,
}

/** The instance that a WebSocket is on. */
export interface SocketHost extends SessionHost {
  readonly topics: Topics;
  /** Those that are open. */
  readonly sockets: { delete(socket: ServerSocket): void };
}

export class ServerSocket implements WebSocketConnection, OpenSocket, Subscriber, InputOwner, OutputOwner {
  data: unknown;
  readonly protocol: string;
  readonly host: SocketHost;
  readonly session: Session;
  /** The engine's handle. */
  readonly handle: number;
  readonly route: WebSocketRoute;
  readonly compression: SocketCompression | null;
  /** Topics that it is subscribed to; null before the first. */
  topics: Set<string> | null = null;
  #state = State.OPEN;
  #input: SocketInput | null = null;
  #output: SocketOutput | null = null;
  #holds = 0;
  #runningHandlers = 0;
  /** The handlers were told of the end. */
  #isPeerDone = false;
  /** Code of the answer that is owed, or of the close frame that waits for what was sent before it. */
  #closeCode = 0;
  #closeReason = "";

  constructor(
    host: SocketHost,
    session: Session,
    handle: number,
    route: WebSocketRoute,
    terms: { protocol: string; data: unknown; compression: SocketCompression | null },
  ) {
    this.host = host;
    this.session = session;
    this.handle = handle;
    this.route = route;
    this.protocol = terms.protocol;
    this.data = terms.data;
    this.compression = terms.compression;
  }

  get remoteAddress(): string {
    return this.session.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.session.socket.remotePort;
  }

  get isOpen(): boolean {
    return this.#state === State.OPEN;
  }

  get bufferedAmount(): number {
    const { session } = this;
    const waiting = this.#output?.byteLength ?? 0;
    if (this.#state === State.CLOSED || this.host.isFailed) return waiting;
    return waiting + this.host.engine.doors.bufferedBytes(this.handle) + session.socket.pendingBytes;
  }

  get takesShared(): boolean {
    return (
      this.#state === State.OPEN &&
      this.compression === null &&
      !this.session.isMultiplexed &&
      !this.session.isBlocked &&
      (this.#output === null || this.#output.isEmpty)
    );
  }

  send(message: WebSocketSendable, options?: SendOptions): boolean {
    // While the peer's close frame waits for its answer, what its messages asked for may still be said.
    if (this.#state !== State.OPEN && (this.#state !== State.ANSWERING || this.#isPeerDone)) return true;
    const { session } = this;
    if (session.hasShared) session.flush();
    if (this.#output === null && this.compression === null) {
      let status: number = Status.WOULD_BLOCK;
      if (typeof message === "string") {
        if (message.length <= SHORT_TEXT) status = this.host.sendText(this.handle, message);
      } else if (message instanceof Uint8Array && message.length <= SHORT_BYTES) {
        status = this.host.sendBytes(this.handle, message);
      }
      if (status === Status.OK) {
        session.scheduleFlush();
        return !session.isBlocked;
      }
    }
    return this.#outputNow().send(message, options?.compress);
  }

  ping(payload: string | Uint8Array = NOTHING): void {
    if (this.#state !== State.OPEN) return;
    const bytes = bytesOf(payload);
    if (bytes.length > 125) throw new RangeError(`a ping of ${bytes.length} bytes; it may have 125`);
    const { host } = this;
    host.trapped(() => host.engine.sockets.ping(this.handle, bytes));
    this.session.scheduleFlush();
  }

  close(code: number = CloseCode.NORMAL, reason = ""): void {
    checkClose(code, reason);
    if (this.#state !== State.OPEN) return;
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#state = State.CLOSING;
    if (this.#output === null || this.#output.isEmpty) this.#sendClose();
  }

  terminate(): void {
    if (this.#state === State.CLOSED) return;
    const { host } = this;
    host.release(this.handle);
    this.session.scheduleFlush();
    this.#end(CloseCode.ABNORMAL, "", null);
  }

  subscribe(topic: string): void {
    if (this.#state === State.OPEN) this.host.topics.subscribe(this, topic);
  }

  unsubscribe(topic: string): void {
    this.host.topics.unsubscribe(this, topic);
  }

  isSubscribed(topic: string): boolean {
    return this.topics?.has(topic) ?? false;
  }

  publish(topic: string, message: WebSocketSendable, options?: SendOptions): number {
    return this.host.topics.publish(topic, message, options?.compress, this);
  }

  receive(): Promise<WebSocketMessage | null> {
    if (this.route.options.message !== undefined) {
      return Promise.reject(new TypeError("messages of this route go to its handler"));
    }
    return this.#inputNow().receive();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WebSocketMessage, void, undefined> {
    for (let message = await this.receive(); message !== null; message = await this.receive()) yield message;
  }

  // What the engine tells.

  opened(): void {
    this.#call("open");
  }

  dataArrived(flags: number, payload: SocketPayload, missing: number): void {
    if (this.#state !== State.OPEN) return;
    const isWhole = (flags & (WHOLE | SocketFlag.COMPRESSED)) === WHOLE;
    if (isWhole && this.#input === null && this.route.options.message !== undefined) {
      this.#deliver((flags & SocketFlag.BINARY) === 0 ? payload.text() : payload.bytes());
    } else {
      this.#inputNow().piece(flags, payload, missing);
    }
  }

  pinged(payload: SocketPayload): void {
    if (this.#state !== State.CLOSED) this.host.engine.sockets.pong(this.handle, payload);
    if (this.route.options.ping !== undefined) this.#call("ping", payload.bytes());
  }

  ponged(payload: SocketPayload): void {
    if (this.route.options.pong !== undefined) this.#call("pong", payload.bytes());
  }

  closeArrived(flags: number, code: number, reason: string, status: number): void {
    if (this.#state === State.CLOSED) return;
    if ((flags & SocketFlag.ANSWER_OWED) !== 0) {
      this.#state = State.ANSWERING;
      this.#closeCode = code;
      this.#closeReason = "";
      const error = status === Status.OK ? null : new EngineError(status);
      if (this.#input !== null && !this.#input.isIdle) {
        // What it sent before comes before its end.
        this.#input.whenIdle(() => this.#peerClosed(code, reason, error));
      } else {
        this.#peerClosed(code, reason, error);
      }
      return;
    }
    this.#end(code, reason, status === Status.OK ? null : new EngineError(status));
  }

  /** The connection is gone, or its stream was reset. */
  aborted(): void {
    this.#end(CloseCode.ABNORMAL, "", null);
  }

  writable(): void {
    this.#output?.writable();
  }

  // What input and output need.

  /** A message is complete. */
  deliver(message: WebSocketMessage): void {
    if (this.#state !== State.CLOSED) this.#deliver(message);
  }

  /** What the peer sent cannot be taken. */
  failed(status: number): void {
    if (this.#state === State.CLOSED) return;
    if (this.#state === State.ANSWERING) {
      // The peer has closed meanwhile: the answer to that says what was wrong before.
      this.#closeCode = closeCodeOf(status);
      this.#peerClosed(this.#closeCode, "", new EngineError(status));
      return;
    }
    const { host } = this;
    host.trapped(() => host.engine.doors.failSocket(this.handle, status, host.now()));
    host.run(this.session, () => undefined);
  }

  holdInput(isHeld: boolean): void {
    this.#hold(Hold.INPUT, isHeld);
  }

  holdForOutput(isHeld: boolean): void {
    this.#hold(Hold.OUTPUT, isHeld);
  }

  /** Everything that waited has been handed over; `isDrained`: after `send` had said to wait. */
  outputEmptied(isDrained: boolean): void {
    if (this.#state === State.CLOSING) {
      this.#sendClose();
    } else if (this.#state === State.ANSWERING) {
      if (this.#isPeerDone) this.#answer();
    } else if (isDrained && this.route.options.drain !== undefined) {
      this.#call("drain");
    }
  }

  /** More waits than the route allows. */
  outputOverflowed(): void {
    tellPeerError(
      this,
      new EngineError(Status.WRITE_TIMEOUT, "more waits for a peer than maxBufferedBytes allows"),
    );
    this.terminate();
  }

  // Its own.

  #peerClosed(code: number, reason: string, error: Error | null): void {
    this.#isPeerDone = true;
    this.#input?.end();
    const isWaiting = this.#output !== null && !this.#output.isEmpty;
    if (!isWaiting) this.#answer();
    tellPeerError(this, error);
    this.#callClose(code, reason);
  }

  #answer(): void {
    this.#sendClose();
    this.#state = State.CLOSED;
    this.#leave();
  }

  #sendClose(): void {
    const { host } = this;
    if (this.session.hasShared) this.session.flush();
    host.trapped(() =>
      host.engine.sockets.close(this.handle, this.#closeCode, this.#closeReason, host.now()),
    );
    this.session.scheduleFlush();
  }

  #end(code: number, reason: string, error: Error | null): void {
    const wasTold = this.#isPeerDone;
    this.#state = State.CLOSED;
    this.#leave();
    this.#input?.end();
    if (wasTold) return;
    this.#isPeerDone = true;
    tellPeerError(this, error);
    this.#callClose(code, reason);
  }

  #leave(): void {
    const { host } = this;
    host.topics.leave(this);
    host.sockets.delete(this);
    this.#output?.drop();
    this.compression?.close();
  }

  #deliver(message: WebSocketMessage): void {
    const result = callHandler(this, "message", message);
    if (result !== null) this.#await(result);
  }

  #call(name: "open" | "drain" | "ping" | "pong", argument?: Uint8Array): void {
    const result = callHandler(this, name, argument);
    if (result !== null) this.#await(result);
  }

  #callClose(code: number, reason: string): void {
    callHandler(this, "close", code, reason)?.catch((error: unknown) => tellHandlerError(this, error));
  }

  #await(result: Promise<unknown>): void {
    if (++this.#runningHandlers >= HANDLERS_MOST) this.#hold(Hold.HANDLERS, true);
    result.then(
      () => this.#handlerEnded(),
      (error: unknown) => {
        tellHandlerError(this, error);
        this.#handlerEnded();
      },
    );
  }

  #handlerEnded(): void {
    if (--this.#runningHandlers === HANDLERS_MOST / 2) this.#hold(Hold.HANDLERS, false);
  }

  #hold(why: Hold, isHeld: boolean): void {
    const holds = isHeld ? this.#holds | why : this.#holds & ~why;
    if (holds === this.#holds) return;
    const changes = holds === 0 || this.#holds === 0;
    this.#holds = holds;
    const { host } = this;
    if (!changes || this.#state !== State.OPEN || host.isFailed) return;
    host.trapped(() => host.engine.doors.holdSocket(this.handle, holds === 0 ? 0 : 1));
    this.session.scheduleFlush();
  }

  #inputNow(): SocketInput {
    return (this.#input ??= new SocketInput(this));
  }

  #outputNow(): SocketOutput {
    return (this.#output ??= new SocketOutput(this));
  }
}

const NOTHING = new Uint8Array(0);
/** Text up to this many code units is sent without making bytes of it; bytes up to so many by the shortest way. */
const SHORT_TEXT = 4096;
const SHORT_BYTES = 4095;
