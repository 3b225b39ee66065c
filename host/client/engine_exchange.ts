// One request on a connection of the engine, and its response.
//
// The request's body is sent as the engine takes it, while the response may already arrive. Once both are complete, or one of
// them never will be, the engine has its memory back, and what was received waits in the reader.
//
// Invariant: the sink is told a response or a failure once, unless the exchange was cancelled before.

import { EngineError } from "../engine/engine_error.ts";
import { H3Status, QuicStatus, SendFlag, Status } from "../engine/index.ts";
import type { ReceivedHead } from "../engine/index.ts";
import { BodyReader, type BodySource } from "../server/body_reader.ts";
import type { CarrierListener, ClientEngine, ExchangeListener } from "./client_engine.ts";
import type {
  CarriedBody,
  CarriedContent,
  CarriedExchange,
  CarriedRequest,
  CarriedResponse,
  ExchangeSink,
  FieldLines,
} from "./dialer.ts";
import { HttpClientError } from "./http_client_error.ts";

/** How long a request waits for 100 (Continue) before its body is sent anyway (RFC 9110 §10.1.1). */
const CONTINUE_TIMEOUT_MS = 1000;
const NOTHING = new Uint8Array(0);

/** The connection that an exchange is on. */
export interface ExchangeCarrier extends CarrierListener {
  readonly client: ClientEngine;
  readonly isMultiplexed: boolean;
  /** The exchange needs the connection no longer; `isLast`: nor can any other have it. */
  finished(exchange: EngineExchange, isLast: boolean): void;
}

export class EngineExchange implements CarriedExchange, CarriedResponse, BodySource, ExchangeListener {
  readonly handle: number;
  readonly #carrier: ExchangeCarrier;
  readonly #sink: ExchangeSink;
  readonly #reader: BodyReader;
  #status = 0;
  #fields: FieldLines = [];
  #contentLength = 0;
  #hasBody = false;
  #trailers: FieldLines = [];
  #head: ReceivedHead | null = null;
  #isSent: boolean;
  #isReceived = false;
  /** The engine is not to be asked about this exchange again. */
  #isOver = false;
  /** The connection closes after the response. */
  #isLast = false;
  #writableWaiter: (() => void) | null = null;
  #continueWaiter: (() => void) | null = null;

  /** Sends the head, and the body as far as it is there. Answers a status when the engine does not take it. */
  static open(
    carrier: ExchangeCarrier,
    request: CarriedRequest,
    sink: ExchangeSink,
  ): EngineExchange | number {
    const { engine } = carrier.client;
    const { method, target, authority, fields, body } = request;
    // RFC 9110 §8.6: a method that content has a meaning for says that there is none.
    const expectsBody = method === "POST" || method === "PUT" || method === "PATCH";
    const contentLength = body === null ? (expectsBody ? 0 : -1) : body.contentLength;
    const isEnd = body === null || (body.contentLength === 0 && body.trailers === null);
    const closes = request.closesConnection && !carrier.isMultiplexed;
    const handle = engine.openExchange(
      carrier.handle,
      {
        method,
        target,
        fields: [["host", authority], ...fields],
        contentLength: body !== null && body.trailers !== null && !carrier.isMultiplexed ? -1 : contentLength,
      },
      (isEnd ? SendFlag.END : SendFlag.NONE) | (closes ? SendFlag.CLOSE : SendFlag.NONE),
      carrier.client.now(),
    );
    if (handle <= 0) return handle;
    const pass = isEnd ? null : body.begin();
    const exchange = new EngineExchange(handle, carrier, sink, isEnd);
    if (!isEnd && pass !== null) exchange.#send(body, pass, request.expectsContinue);
    return exchange;
  }

  private constructor(handle: number, carrier: ExchangeCarrier, sink: ExchangeSink, isSent: boolean) {
    this.handle = handle;
    this.#carrier = carrier;
    this.#sink = sink;
    this.#isSent = isSent;
    this.#reader = new BodyReader(this);
    carrier.client.bind(this);
  }

  // The response.

  get status(): number {
    return this.#status;
  }

  get fields(): FieldLines {
    return this.#fields;
  }

  get contentLength(): number {
    return this.#contentLength;
  }

  get hasBody(): boolean {
    return this.#hasBody;
  }

  read(): Promise<Uint8Array | null> {
    return this.#hasBody ? this.#reader.read() : Promise.resolve(null);
  }

  trailers(): FieldLines {
    return this.#trailers;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#reader.fail(
      new HttpClientError("ERR_HTTPY_CLIENT_CONNECTION_LOST", { detail: "it was cancelled" }),
    );
    this.#finish();
  }

  /** The body's reader consumed content: the peer may send more. */
  wanted(byteLength: number): void {
    if (this.#isOver || this.#isReceived) return;
    const { client } = this.#carrier;
    client.run(this.#carrier, () => {
      client.engine.doors.readBody(this.handle, byteLength, client.now());
    });
  }

  // What the engine tells.

  informed(status: number, head: ReceivedHead): void {
    if (status === 100) this.#continue();
    this.#sink.informational(status, head.fields());
  }

  responded(head: ReceivedHead): void {
    this.#head = head;
    this.#status = head.statusCode;
    this.#fields = head.fields();
    this.#hasBody = head.hasBody;
    this.#contentLength = head.contentLength;
    this.#isLast = head.isLast;
    this.#continue();
    this.#sink.response(this);
    if (!this.#hasBody) this.#receivedAll();
  }

  /** `bytes` is a view that is valid during the call. */
  bodyArrived(bytes: Uint8Array, isEnd: boolean): void {
    if (bytes.length > 0) this.#reader.push(bytes.slice());
    if (isEnd) this.bodyEnded();
  }

  bodyEnded(): void {
    this.#trailers = this.#head?.trailers() ?? [];
    this.#receivedAll();
    this.#reader.end();
  }

  aborted(status: number): void {
    this.#failWith(errorOf(status, this.#status !== 0));
  }

  writable(): void {
    const waiter = this.#writableWaiter;
    this.#writableWaiter = null;
    waiter?.();
  }

  // What the carrier tells.

  disconnected(status: number, error: Error | null): void {
    this.#failWith(status < 0 ? errorOf(status, this.#status !== 0) : lost(error));
  }

  engineFailed(cause: Error): void {
    this.#failWith(new HttpClientError("ERR_HTTPY_CLIENT_ENGINE", { cause }));
  }

  // Its own.

  #receivedAll(): void {
    this.#isReceived = true;
    // A server that answered in full wants no more of the request (RFC 9113 §8.1).
    this.#finish();
  }

  #failWith(error: HttpClientError): void {
    if (this.#isOver) return;
    const hasResponse = this.#status !== 0;
    this.#reader.fail(error);
    this.#finish();
    if (!hasResponse) this.#sink.failed(error);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#head?.release();
    this.#head = null;
    const { client } = this.#carrier;
    client.release(this);
    this.writable();
    this.#continue();
    this.#carrier.finished(this, this.#isLast);
    client.flushLater(this.#carrier);
  }

  #continue(): void {
    const waiter = this.#continueWaiter;
    this.#continueWaiter = null;
    waiter?.();
  }

  // The request's body.

  #send(body: CarriedBody, pass: CarriedContent, expectsContinue: boolean): void {
    const { bytes } = body;
    if (bytes !== null && body.trailers === null && !expectsContinue) {
      const taken = this.#carrier.client.engine.sendBody(this.handle, bytes, SendFlag.END);
      if (taken === bytes.length) {
        this.#isSent = true;
        return;
      }
      if (taken >= 0) return this.#guard(this.#sendRest(bytes.subarray(taken)));
    }
    this.#guard(this.#sendAll(body, pass, expectsContinue));
  }

  async #sendRest(rest: Uint8Array): Promise<void> {
    if (await this.#sendBytes(rest)) this.#end(null);
  }

  async #sendAll(body: CarriedBody, pass: CarriedContent, expectsContinue: boolean): Promise<void> {
    if (expectsContinue) await this.#whenContinued();
    if (this.#isOver) return;
    for (let chunk = await pass.next(); chunk !== null; chunk = await pass.next()) {
      if (this.#isOver || !(await this.#sendBytes(chunk))) return;
    }
    const trailers = body.trailers === null ? null : await body.trailers();
    if (!this.#isOver) this.#end(trailers);
  }

  /** Sends bytes as the peer takes them; false when the exchange ended before that. */
  async #sendBytes(bytes: Uint8Array): Promise<boolean> {
    const { client } = this.#carrier;
    for (let at = 0; at < bytes.length;) {
      const taken = client.engine.sendBody(this.handle, bytes.subarray(at), SendFlag.NONE);
      client.flushLater(this.#carrier);
      if (taken < 0 && taken !== Number(Status.WOULD_BLOCK)) throw new EngineError(taken);
      if (taken > 0) {
        at += taken;
        continue;
      }
      await new Promise<void>((resolve) => (this.#writableWaiter = resolve));
      if (this.#isOver) return false;
    }
    return true;
  }

  #end(trailers: FieldLines | null): void {
    const { client } = this.#carrier;
    const ended =
      trailers === null
        ? client.engine.sendBody(this.handle, NOTHING, SendFlag.END)
        : client.engine.sendTrailers(this.handle, trailers);
    if (ended < 0) throw new EngineError(ended);
    this.#isSent = true;
    client.flushLater(this.#carrier);
  }

  #whenContinued(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#continue(), CONTINUE_TIMEOUT_MS);
      this.#continueWaiter = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #guard(sending: Promise<void>): void {
    sending.catch((cause: unknown) => {
      if (cause instanceof WebAssembly.RuntimeError) return this.#carrier.client.fail(cause);
      if (this.#isOver) return;
      this.#failWith(
        cause instanceof HttpClientError
          ? cause
          : new HttpClientError("ERR_HTTPY_CLIENT_REQUEST_BODY", { cause }),
      );
    });
  }
}

const UNPROCESSED: ReadonlySet<number> = new Set<number>([
  Status.H2_REFUSED,
  Status.H2_GONE,
  H3Status.REJECTED,
  H3Status.REFUSED,
  H3Status.GONE,
]);
const LOST: ReadonlySet<number> = new Set<number>([
  Status.H1_UNEXPECTED_END,
  Status.IDLE_TIMEOUT,
  Status.LINGER_TIMEOUT,
  Status.WRITE_TIMEOUT,
  Status.H2_PING_TIMEOUT,
  Status.INVALID_STATE,
  QuicStatus.CONNECTION_IDLE,
  QuicStatus.CLOSED_BY_PEER,
  QuicStatus.STATELESS_RESET,
  QuicStatus.NO_VIABLE_PATH,
]);
const CANCELLED: ReadonlySet<number> = new Set<number>([Status.H2_CANCELLED, H3Status.CANCELLED]);

/** What the engine's reason for an end means to whoever asked. */
function errorOf(status: number, hasResponse: boolean): HttpClientError {
  const cause = new EngineError(status);
  if (UNPROCESSED.has(status)) {
    return new HttpClientError("ERR_HTTPY_CLIENT_REFUSED", { cause, isUnprocessed: !hasResponse });
  }
  if (LOST.has(status)) return lost(cause);
  if (CANCELLED.has(status)) return new HttpClientError("ERR_HTTPY_CLIENT_RESET", { cause });
  const isPeer = cause.blame === "peer";
  return new HttpClientError(isPeer ? "ERR_HTTPY_CLIENT_PROTOCOL" : "ERR_HTTPY_CLIENT_ENGINE", { cause });
}

function lost(cause: Error | null): HttpClientError {
  return new HttpClientError("ERR_HTTPY_CLIENT_CONNECTION_LOST", cause === null ? {} : { cause });
}
