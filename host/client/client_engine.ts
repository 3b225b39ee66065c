// The instance of the engine that a client's connections share: the client's fault domain.
//
// Every entry from outside goes through `run`: the call, the events it caused, the output, the timer. When the module traps, the
// instance is lost with its connections, and the client starts another one with its next connection.

import { DeadlineTimer } from "../engine/deadline_timer.ts";
import { Engine, loadModule, resolveLimits } from "../engine/index.ts";
import type { EventSink, LimitOptions, ReceivedHead } from "../engine/index.ts";
import type { QuicEvents } from "../engine/quic_events.ts";
import { type QlogTarget, withQlog } from "../quic/qlog.ts";
import { QuicConnectionError } from "../quic/quic_error.ts";
import { QuicLinks } from "./quic_links.ts";

const INDEX_MASK = 0xfffff;
const HOUR_MS = 3_600_000;
/** TransportError.INTERNAL_ERROR (RFC 9000 §20.1). */
const INTERNAL_ERROR = 1n;

/**
 * A server that takes its time is no attack on a client, which has its AbortSignal: what a server would call slow is allowed
 * here as far as the engine's table goes. A server that refuses is none either.
 */
const CLIENT_LIMITS: LimitOptions = {
  bodyWindowMs: HOUR_MS,
  bodyRateBytesPerS: 0,
  writeTimeoutMs: HOUR_MS,
  stallTimeoutMs: HOUR_MS,
  headTimeoutMs: 60_000,
  resetBurst: 10_000,
  readWindowBytes: 262_144,
};

/** What connections of QUIC end with whose engine was lost. */
const LOST = new QuicConnectionError({
  code: INTERNAL_ERROR,
  isApplication: false,
  isRemote: false,
  reason: "the engine was lost",
  status: 0,
});

export interface ClientEngineOptions {
  readonly memoryBytes: number;
  /** How long a connection without requests is kept. */
  readonly idleTimeoutMs: number;
  readonly limits: LimitOptions;
  /** Where traces of connections of QUIC go. Default null: nowhere. */
  readonly qlog?: QlogTarget | null;
}

/** What a connection on the instance is told. */
export interface CarrierListener {
  /** The engine's handle of the connection. */
  readonly handle: number;
  /** A flush is due; set and cleared by the instance. */
  isFlushScheduled: boolean;
  /** Where its bytes come from. */
  readonly wire: { pause(): void; resume(): void };
  /** Writes what the engine has to send. */
  transmit(): void;
  /** The engine is through with the peer, because of `status`; `abort`: do not wait for it. */
  closing(status: number, abort: boolean): void;
  /** The instance is lost. */
  engineFailed(error: Error): void;
}

/** What one exchange on it is told. */
export interface ExchangeListener {
  /** The engine's handle of the exchange. */
  readonly handle: number;
  responded(head: ReceivedHead): void;
  informed(statusCode: number, head: ReceivedHead): void;
  /** `bytes` is a view that is valid during the call. */
  bodyArrived(bytes: Uint8Array, isEnd: boolean): void;
  bodyEnded(): void;
  aborted(status: number): void;
  writable(): void;
}

export class ClientEngine implements EventSink {
  readonly engine: Engine;
  /** Connections of QUIC. */
  readonly links = new QuicLinks(this);
  readonly quic: QuicEvents;
  readonly #carrierAt: (CarrierListener | undefined)[] = [];
  readonly #exchangeAt: (ExchangeListener | undefined)[] = [];
  readonly #carriers = new Set<CarrierListener>();
  #dirty: CarrierListener[] = [];
  readonly #timer: DeadlineTimer;
  #failure: Error | null = null;

  static async start({
    memoryBytes,
    idleTimeoutMs,
    limits,
    qlog,
  }: ClientEngineOptions): Promise<ClientEngine> {
    const module = await loadModule();
    const table = resolveLimits({ ...CLIENT_LIMITS, idleTimeoutMs, ...limits });
    const engine = Engine.create(module, { memoryBytes, limits: table, now: performance.now() });
    return new ClientEngine(engine, qlog ?? null);
  }

  private constructor(engine: Engine, qlog: QlogTarget | null) {
    this.engine = engine;
    this.#timer = new DeadlineTimer(engine, () => this.#handleTimeout());
    const { events } = this.links;
    const stats = (handle: number): Float64Array | null => engine.quic.stats(handle);
    this.quic =
      qlog === null
        ? events
        : withQlog(events, { target: qlog, role: "client", stats, now: () => this.now() });
  }

  /** Why the instance is lost, null while it is not. */
  get failure(): Error | null {
    return this.#failure;
  }

  now(): number {
    return performance.now();
  }

  add(carrier: CarrierListener): void {
    this.#carrierAt[carrier.handle & INDEX_MASK] = carrier;
    this.#carriers.add(carrier);
    this.armTimer();
  }

  /** The carrier's transport is gone. */
  delete(carrier: CarrierListener): void {
    if (!this.#carriers.delete(carrier)) return;
    this.#carrierAt[carrier.handle & INDEX_MASK] = undefined;
    this.guarded(() => void this.engine.doors.closeConnection(carrier.handle));
  }

  bind(exchange: ExchangeListener): void {
    this.#exchangeAt[exchange.handle & INDEX_MASK] = exchange;
  }

  /** Gives an exchange back to the engine. */
  release(exchange: ExchangeListener): void {
    this.#exchangeAt[exchange.handle & INDEX_MASK] = undefined;
    this.guarded(() => void this.engine.doors.releaseExchange(exchange.handle));
  }

  /** Runs one entry from outside on behalf of a carrier, then tells what it caused and writes what is to be sent. */
  run(carrier: CarrierListener, enter: () => void): void {
    this.guarded(() => {
      enter();
      this.#settle(carrier);
    });
  }

  /** Sends what there is once the code that is running has finished. */
  flushLater(carrier: CarrierListener): void {
    if (carrier.isFlushScheduled) return;
    carrier.isFlushScheduled = true;
    if (this.#dirty.push(carrier) > 1) return;
    queueMicrotask(() => {
      const dirty = this.#dirty;
      this.#dirty = [];
      this.guarded(() => {
        for (const one of dirty) this.#settle(one);
      });
    });
  }

  /** Ends the instance of a client that was closed. */
  stop(): void {
    this.#timer.stop();
  }

  #settle(carrier: CarrierListener): void {
    this.engine.readEvents(this);
    carrier.isFlushScheduled = false;
    carrier.transmit();
    if (this.engine.hasEvents) this.engine.readEvents(this);
    this.armTimer();
  }

  readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this);
  }

  /** Runs a call into the engine, whose failure is that of the instance. */
  guarded(call: () => void): void {
    if (this.#failure !== null) return;
    try {
      call();
    } catch (error) {
      // Anything else is a fault of this host, and leaves the instance's state just as unknown.
      this.fail(error as Error);
    }
  }

  /** The module trapped: nothing of this instance can be trusted any more. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.stop();
    for (const carrier of [...this.#carriers]) carrier.engineFailed(error);
    this.#carriers.clear();
    this.links.failed(LOST);
  }

  /** Sets the timer to the engine's next deadline. */
  armTimer(): void {
    this.#timer.arm();
  }

  #handleTimeout(): void {
    this.guarded(() => {
      this.engine.doors.handleTimeout(this.now());
      this.engine.readEvents(this);
      this.links.flush();
      this.armTimer();
    });
  }

  // What the engine tells.

  response(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#find(exchange)?.responded(head);
  }

  informational(_connection: number, exchange: number, statusCode: number, head: ReceivedHead): void {
    this.#find(exchange)?.informed(statusCode, head);
  }

  body(_connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean): void {
    this.#find(exchange)?.bodyArrived(bytes, isEnd);
  }

  end(_connection: number, exchange: number): void {
    this.#find(exchange)?.bodyEnded();
  }

  aborted(_connection: number, exchange: number, status: number): void {
    this.#find(exchange)?.aborted(status);
  }

  writable(_connection: number, exchange: number): void {
    this.#find(exchange)?.writable();
  }

  transmit(connection: number): void {
    const carrier = this.#carrierAt[connection & INDEX_MASK];
    if (carrier !== undefined) this.flushLater(carrier);
  }

  readPause(connection: number): void {
    this.#carrierAt[connection & INDEX_MASK]?.wire.pause();
  }

  readResume(connection: number): void {
    this.#carrierAt[connection & INDEX_MASK]?.wire.resume();
  }

  close(connection: number, status: number, abort: boolean): void {
    this.#carrierAt[connection & INDEX_MASK]?.closing(status, abort);
  }

  request(_connection: number, exchange: number): void {
    // Pushes are refused in the settings; one that comes all the same is not wanted.
    this.engine.doors.releaseExchange(exchange);
  }

  peerEnded(): void {
    // Whether that cuts a response, its end or `aborted` tells.
  }

  tunnel(): void {
    // CONNECT and upgrades are not asked for.
  }

  /** An exchange under way; an event may name one that is over. */
  #find(handle: number): ExchangeListener | undefined {
    const exchange = this.#exchangeAt[handle & INDEX_MASK];
    return exchange !== undefined && exchange.handle === handle ? exchange : undefined;
  }
}
