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
import type { Session } from "./session.ts";
import { SocketInput } from "./socket_input.ts";
import { bytesOf, SocketOutput } from "./socket_output.ts";
import type { SocketCompression } from "./socket_compression.ts";
import { checkClose } from "./socket_close.ts";

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

export class ServerSocket implements WebSocketConnection {
  data: unknown;
  readonly protocol: string;
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
    session: Session,
    handle: number,
    route: WebSocketRoute,
    terms: { protocol: string; data: unknown; compression: SocketCompression | null },
  ) {
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
    if (this.#state === State.CLOSED || session.host.isFailed) return waiting;
    return waiting + session.host.engine.doors.bufferedBytes(this.handle) + session.socket.pendingBytes;
  }

  send(message: WebSocketSendable, options?: SendOptions): boolean {
    // While the peer's close frame waits for its answer, what its messages asked for may still be said.
    if (this.#state !== State.OPEN && (this.#state !== State.ANSWERING || this.#isPeerDone)) return true;
    if (typeof message === "string" && message.length <= SHORT_TEXT) {
      if (this.#output === null && this.compression === null) {
        const { session } = this;
        const status = session.host.sendText(this.handle, message);
        if (status === Status.OK) {
          session.scheduleFlush();
          return !session.isBlocked;
        }
      }
    }
    return this.#outputNow().send(message, options?.compress);
  }

  ping(payload: string | Uint8Array = NOTHING): void {
    if (this.#state !== State.OPEN) return;
    const bytes = bytesOf(payload);
    if (bytes.length > 125) throw new RangeError(`a ping of ${bytes.length} bytes; it may have 125`);
    const { host } = this.session;
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
    const { host } = this.session;
    host.release(this.handle);
    this.session.scheduleFlush();
    this.#end(CloseCode.ABNORMAL, "", null);
  }

  subscribe(topic: string): void {
    if (this.#state === State.OPEN) this.session.host.topics.subscribe(this, topic);
  }

  unsubscribe(topic: string): void {
    this.session.host.topics.unsubscribe(this, topic);
  }

  isSubscribed(topic: string): boolean {
    return this.topics?.has(topic) ?? false;
  }

  publish(topic: string, message: WebSocketSendable, options?: SendOptions): number {
    return this.session.host.topics.publish(topic, message, options?.compress, this);
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
    if (this.#state !== State.CLOSED) this.session.host.engine.sockets.pong(this.handle, payload);
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
    const { host } = this.session;
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
    this.#tellError(
      new EngineError(Status.WRITE_TIMEOUT, "more waits for a peer than maxBufferedBytes allows"),
    );
    this.terminate();
  }

  /** A handler, or what stands for one, failed. */
  handlerFailed(error: unknown): void {
    if (this.route.options.error === undefined) this.route.report(error);
    else this.#tellError(error instanceof Error ? error : new Error(String(error), { cause: error }));
  }

  // Its own.

  #peerClosed(code: number, reason: string, error: Error | null): void {
    this.#isPeerDone = true;
    this.#input?.end();
    const isWaiting = this.#output !== null && !this.#output.isEmpty;
    if (!isWaiting) this.#answer();
    if (error !== null && this.route.options.error !== undefined) this.#tellError(error);
    this.#callClose(code, reason);
  }

  #answer(): void {
    this.#sendClose();
    this.#state = State.CLOSED;
    this.#leave();
  }

  #sendClose(): void {
    const { host } = this.session;
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
    if (error !== null && this.route.options.error !== undefined) this.#tellError(error);
    this.#callClose(code, reason);
  }

  #leave(): void {
    const { host } = this.session;
    host.topics.leave(this);
    host.sockets.delete(this);
    this.#output?.drop();
    this.compression?.close();
  }

  #deliver(message: WebSocketMessage): void {
    const { options } = this.route;
    try {
      const result: unknown = (options.message as Handler).call(options, this, message);
      if (result instanceof Promise) this.#await(result);
    } catch (error) {
      this.session.host.rethrowTrap(error);
      this.handlerFailed(error);
    }
  }

  #call(name: "open" | "drain" | "ping" | "pong", argument?: Uint8Array): void {
    const { options } = this.route;
    try {
      const result: unknown = (options[name] as Handler | undefined)?.call(options, this, argument);
      if (result instanceof Promise) this.#await(result);
    } catch (error) {
      this.session.host.rethrowTrap(error);
      this.handlerFailed(error);
    }
  }

  #callClose(code: number, reason: string): void {
    const { options } = this.route;
    try {
      const result: unknown = (options.close as Handler | undefined)?.call(options, this, code, reason);
      if (result instanceof Promise) result.catch((error: unknown) => this.handlerFailed(error));
    } catch (error) {
      this.session.host.rethrowTrap(error);
      this.handlerFailed(error);
    }
  }

  #await(result: Promise<unknown>): void {
    if (++this.#runningHandlers >= HANDLERS_MOST) this.#hold(Hold.HANDLERS, true);
    result.then(
      () => this.#handlerEnded(),
      (error: unknown) => {
        this.handlerFailed(error);
        this.#handlerEnded();
      },
    );
  }

  #handlerEnded(): void {
    if (--this.#runningHandlers === HANDLERS_MOST / 2) this.#hold(Hold.HANDLERS, false);
  }

  #tellError(error: Error): void {
    try {
      (this.route.options.error as Handler | undefined)?.call(this.route.options, this, error);
    } catch (thrown) {
      this.route.report(thrown);
    }
  }

  #hold(why: Hold, isHeld: boolean): void {
    const holds = isHeld ? this.#holds | why : this.#holds & ~why;
    if (holds === this.#holds) return;
    const changes = holds === 0 || this.#holds === 0;
    this.#holds = holds;
    const { host } = this.session;
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

/** Handlers differ in their arguments; what each is given is decided above. */
type Handler = (ws: unknown, ...rest: unknown[]) => unknown;

const NOTHING = new Uint8Array(0);
/** Text up to this many code units is sent without making bytes of it. */
const SHORT_TEXT = 4096;
