// One request as the router sees it, on top of an exchange of the engine.
//
// It lives from the REQUEST event until its answer is complete, or until its handler has answered a peer that is gone. Then
// the engine's memory goes to somebody else, and what was not read before reads as empty; content that was not read is an
// error, so that nobody takes a part of it for the whole.

import { EngineError } from "../engine/engine_error.ts";
import { handshakeHttpStatusOf, Status } from "../engine/index.ts";
import type { ReceivedHead } from "../engine/index.ts";
import type { Exchange, HeaderPairs, Protocol } from "../router/index.ts";
import { BodyReader, type BodySource } from "./body_reader.ts";
import type { OpenExchange, Session, SessionHost } from "./session.ts";

const NO_PAIRS: HeaderPairs = [];

/** The parts of an exchange that wait for something. */
interface Late {
  reader: BodyReader | null;
  abortCallbacks: ((reason: Error) => void)[] | null;
  abortReason: Error | null;
  writableWaiter: (() => void) | null;
  /** Ends what produces the answer. */
  cancelReply: ((reason: Error) => void) | null;
}

/** The instance that an exchange is on. */
export interface ExchangeHost extends SessionHost {
  /** The exchange's answer is complete and the engine was told so. */
  finished(exchange: ServerExchange): void;
  /** Tells a failure that concerns one exchange. */
  report(error: unknown, exchange: ServerExchange): void;
}

export class ServerExchange implements Exchange, BodySource, OpenExchange {
  readonly host: ExchangeHost;
  readonly session: Session;
  /** The engine's handle. */
  readonly handle: number;
  readonly #head: ReceivedHead;
  #target: string | null = null;
  /** What only an exchange has that is not answered at once. */
  #late: Late | null = null;
  /** The answer is complete, or never will be: the engine is not to be asked about this exchange again. */
  isOver = false;
  /** The handler has given its reply: it may ask no more of the head once the exchange is over. */
  isAnswered = false;
  /** The answer was complete before anybody asked for the content. */
  #isContentLost = false;

  constructor(host: ExchangeHost, session: Session, handle: number, head: ReceivedHead) {
    this.host = host;
    this.session = session;
    this.handle = handle;
    this.#head = head;
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return (this.#target ??= this.#head.target);
  }

  get scheme(): "http" | "https" {
    return this.session.socket.isSecure ? "https" : "http";
  }

  get authority(): string {
    return this.#head.authority;
  }

  get protocol(): Protocol {
    return this.#head.protocol;
  }

  get remoteAddress(): string {
    return this.session.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.session.socket.remotePort;
  }

  header(name: string): string | undefined {
    return this.#head.field(name);
  }

  headerPairs(): HeaderPairs {
    return this.#head.fields();
  }

  get hasBody(): boolean {
    return this.#head.hasBody || this.#isContentLost;
  }

  get contentLength(): number {
    return this.#head.contentLength;
  }

  read(): Promise<Uint8Array | null> {
    const reader = this.#late?.reader;
    if (reader !== undefined && reader !== null) return reader.read();
    if (this.#isContentLost) return Promise.reject(readingTooLate());
    return this.#head.hasBody ? this.#bodyReader().read() : Promise.resolve(null);
  }

  trailerPairs(): HeaderPairs {
    return this.isOver ? NO_PAIRS : this.#head.trailers();
  }

  onAbort(callback: (reason: Error) => void): void {
    const late = this.#waiting();
    if (late.abortReason !== null) this.#tell(callback, late.abortReason);
    else if (!this.isOver) (late.abortCallbacks ??= []).push(callback);
  }

  sendInformational(status: number, headers: HeaderPairs): void {
    if (this.isOver) return;
    const { host } = this;
    const result = host.trapped(() => host.engine.sendInformational(this.handle, status, headers));
    if (result < 0) throw new EngineError(result, `sending ${status}`);
    this.session.scheduleFlush();
  }

  push(path: string, headers: HeaderPairs): boolean {
    if (this.isOver) return false;
    const { host } = this;
    const result = host.trapped(() => host.engine.push(this.handle, path, headers));
    if (result < 0) throw new EngineError(result, `pushing ${path}`);
    this.session.scheduleFlush();
    return result > 0;
  }

  webSocketRefusal(): number {
    if (this.isOver) return 400;
    const { host } = this;
    const status = host.trapped(() => host.engine.doors.checkHandshake(this.handle));
    return status === Status.OK ? 0 : handshakeHttpStatusOf(status);
  }

  // What the session tells.

  /** Content arrived; `bytes` is a view that is valid during the call. `isGathered`: it did not arrive as it lies. */
  bodyArrived(bytes: Uint8Array, isEnd: boolean, isGathered: boolean): void {
    const reader = this.#bodyReader();
    reader.push(this.session.keep(bytes, isGathered));
    if (isEnd) reader.end();
  }

  bodyEnded(): void {
    this.#bodyReader().end();
  }

  /** The peer went away, or broke the protocol within this request. `isFinal`: no answer can be sent any more. */
  abort(reason: Error, isFinal: boolean): void {
    const late = this.#waiting();
    if (isFinal) {
      this.isOver = true;
      if (this.#head.hasBody) this.#bodyReader().fail(reason);
    }
    if (late.abortReason === null) {
      late.abortReason = reason;
      const callbacks = late.abortCallbacks;
      late.abortCallbacks = null;
      if (callbacks !== null) for (const callback of callbacks) this.#tell(callback, reason);
    }
    if (!isFinal) return;
    late.cancelReply?.(reason);
    late.cancelReply = null;
    this.writable();
    if (this.isAnswered) this.release();
  }

  #tell(callback: (reason: Error) => void, reason: Error): void {
    try {
      callback(reason);
    } catch (error) {
      this.host.report(error, this);
    }
  }

  /** The engine can take more content. */
  writable(): void {
    const late = this.#late;
    if (late === null) return;
    const waiter = late.writableWaiter;
    late.writableWaiter = null;
    waiter?.();
  }

  // What the reply's writer needs.

  /** Resolves once more can be sent, or never will be. */
  whenWritable(): Promise<void> {
    return new Promise((resolve) => (this.#waiting().writableWaiter = resolve));
  }

  /** Calls back when the peer goes away before the answer is complete, so that nothing more is produced for it. */
  cancelsReply(cancel: (reason: Error) => void): void {
    this.#waiting().cancelReply = cancel;
  }

  /** The answer is complete. */
  finish(): void {
    this.isOver = true;
    const late = this.#late;
    if (late !== null) {
      late.abortCallbacks = null;
      late.cancelReply = null;
    }
    const reader = late?.reader ?? null;
    if (reader === null) this.#isContentLost = this.#head.hasBody;
    else if (!reader.isComplete) reader.fail(readingTooLate());
    this.#head.release();
  }

  /** Ends an answer that cannot be completed, so that the peer does not take it for complete. */
  cut(): void {
    const { host } = this;
    host.release(this.handle);
    host.finished(this);
    this.session.scheduleFlush();
  }

  /** Gives an exchange that was cut back to the engine. Its head reads as empty from here on. */
  release(): void {
    this.host.release(this.handle);
    this.#head.release();
  }

  // What the body's reader asks.

  wanted(byteLength: number): void {
    if (this.isOver) return;
    const { host } = this;
    host.trapped(() => host.engine.doors.readBody(this.handle, byteLength, host.now()));
    this.session.scheduleFlush();
  }

  #bodyReader(): BodyReader {
    return (this.#waiting().reader ??= new BodyReader(this));
  }

  #waiting(): Late {
    return (this.#late ??= {
      reader: null,
      abortCallbacks: null,
      abortReason: null,
      writableWaiter: null,
      cancelReply: null,
    });
  }
}

function readingTooLate(): EngineError {
  return new EngineError(Status.INVALID_STATE, "reading after the answer");
}
