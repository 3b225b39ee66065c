// The connections to one origin, and the requests that wait for one.
//
// A request goes to the connection of the most wanted protocol that has room. Where none has, connections are made: one while it is
// not known what the server speaks, or when it is known to carry many requests on one; else one for each that waits, up to the
// limit. An alternative service (RFC 7838) is dialed beside what there is, and takes over once it is there; while there is nothing
// else, the origin itself gets its turn a moment later, or as soon as the alternative fails.
//
// Invariant: a request waits, is on one connection, or has ended; whatever ends a connection attempt looks at who waits.

import type { AltSvcCache } from "./alt_svc_cache.ts";
import type { Alternative } from "./alt_svc_cache.ts";
import type { ResolvedClientOptions } from "./client_options.ts";
import type {
  CarriedExchange,
  CarriedRequest,
  Carrier,
  CarrierOwner,
  Dialer,
  DialTarget,
  ExchangeSink,
  ProtocolName,
} from "./dialer.ts";
import { HttpClientError } from "./http_client_error.ts";

/** A request that is to be sent, and who is to be told. */
export interface PooledRequest {
  readonly request: CarriedRequest;
  readonly sink: ExchangeSink;
  /** It is under way; called once. */
  began(exchange: CarriedExchange, carrier: Carrier): void;
}

export interface PoolContext {
  readonly options: ResolvedClientOptions;
  readonly dialers: readonly Dialer[];
  readonly altSvc: AltSvcCache;
  /** Nothing is left of the pool. */
  onEmpty(pool: OriginPool): void;
}

const RANK: Readonly<Record<ProtocolName, number>> = { h3: 0, h2: 1, "http/1.1": 2 };
/** The head start of an alternative service while there is no connection at all. */
const HEAD_START_MS = 250;
/** After a connection that could not be made while others work. */
const DIAL_PAUSE_MS = 200;

export class OriginPool implements CarrierOwner {
  readonly origin: string;
  readonly #url: URL;
  readonly #context: PoolContext;
  readonly #waiting: PooledRequest[] = [];
  /** Most wanted first, among equals the one that was used last. */
  readonly #carriers: Carrier[] = [];
  readonly #dials = new Set<AbortController>();
  #alternativeDial: AbortController | null = null;
  readonly #alternativeOf = new WeakMap<Carrier, Alternative>();
  /** What the last connection to the origin itself spoke. */
  #spoken: ProtocolName | null = null;
  #headStart: NodeJS.Timeout | null = null;
  /** The alternative that is being dialed has had its head start. */
  #isHeadStartOver = false;
  /** After a dial that failed: until when no other is made while there are connections. */
  #dialPause: NodeJS.Timeout | null = null;
  #isClosed = false;
  #isPumping = false;

  constructor(url: URL, context: PoolContext) {
    this.origin = url.origin;
    this.#url = url;
    this.#context = context;
  }

  get connectionCount(): number {
    return this.#carriers.length;
  }

  get isIdle(): boolean {
    return (
      this.#waiting.length + this.#carriers.length + this.#dials.size === 0 && this.#alternativeDial === null
    );
  }

  /** Sends the request when there is room for it. */
  add(pooled: PooledRequest): void {
    this.#waiting.push(pooled);
    this.#pump();
    if (this.#waiting.length > this.#context.options.queuedPerOrigin && this.remove(pooled)) {
      pooled.sink.failed(new HttpClientError("ERR_HTTPY_CLIENT_QUEUE_FULL", { isUnprocessed: true }));
    }
  }

  /** Takes back a request that still waits; false when it does not. */
  remove(pooled: PooledRequest): boolean {
    const index = this.#waiting.indexOf(pooled);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /** Closes every connection once its requests are over; those that wait fail. */
  close(): void {
    this.#isClosed = true;
    this.#abortDials();
    for (const carrier of [...this.#carriers]) carrier.close();
    this.#failWaiting(new HttpClientError("ERR_HTTPY_CLIENT_CLOSED", { isUnprocessed: true }));
    this.#forgetIfIdle();
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.close();
    for (const carrier of [...this.#carriers]) carrier.destroy();
  }

  /** An alternative service said that it does not speak for the origin (RFC 9110 §15.5.20). */
  misdirected(carrier: Carrier): void {
    const alternative = this.#alternativeOf.get(carrier);
    if (alternative !== undefined) this.#context.altSvc.failed(alternative);
    carrier.close();
  }

  // What the carriers tell.

  roomy(carrier: Carrier): void {
    // What was used last is the least likely to have been closed by the server meanwhile.
    const index = this.#carriers.indexOf(carrier);
    if (index > 0 && !carrier.isMultiplexed) {
      this.#carriers.splice(index, 1);
      this.#insert(carrier);
    }
    this.#pump();
  }

  closed(carrier: Carrier): void {
    const index = this.#carriers.indexOf(carrier);
    if (index >= 0) this.#carriers.splice(index, 1);
    this.#pump();
    this.#forgetIfIdle();
  }

  // Its own.

  #pump(): void {
    // A connection that is tried may tell of room at once.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
        if (!this.#begin(first)) break;
      }
    } finally {
      this.#isPumping = false;
    }
    if (this.#waiting.length > 0 && !this.#isClosed) this.#dialMore();
  }

  /** Begins the first request that waits; false when there is no room for it. */
  #begin(pooled: PooledRequest): boolean {
    for (const carrier of [...this.#carriers]) {
      if (!isUsable(carrier)) continue;
      let exchange: CarriedExchange | "full" | "gone";
      try {
        exchange = carrier.open(requestOn(carrier, pooled.request), pooled.sink);
      } catch (error) {
        this.remove(pooled);
        pooled.sink.failed(error as HttpClientError);
        return true;
      }
      if (typeof exchange === "string") continue;
      this.remove(pooled);
      pooled.began(exchange, carrier);
      this.#preferAlternative();
      return true;
    }
    return false;
  }

  #insert(carrier: Carrier): void {
    const rank = RANK[carrier.protocol];
    const at = this.#carriers.findIndex((other) => RANK[other.protocol] >= rank);
    this.#carriers.splice(at < 0 ? this.#carriers.length : at, 0, carrier);
  }

  /** Makes the connections that those who wait need. */
  #dialMore(): void {
    const isAlternativeOnItsWay = this.#preferAlternative();
    if (this.#headStart !== null || this.#dialPause !== null) return;
    const usable = this.#carriers.filter(isUsable);
    if (isAlternativeOnItsWay && !this.#isHeadStartOver && usable.length + this.#dials.size === 0) {
      this.#headStart = setTimeout(() => {
        this.#endHeadStart();
        this.#pump();
      }, HEAD_START_MS);
      return;
    }
    const { options } = this.#context;
    const isSingle =
      (this.#spoken !== null && this.#spoken !== "http/1.1") ||
      (this.#spoken === null && this.#url.protocol === "https:");
    const wanted = isSingle ? 1 : this.#waiting.length;
    const target = this.#target();
    const dialer = this.#dialerFor(target);
    if (dialer === undefined) {
      if (usable.length > 0 || this.#alternativeDial !== null) return;
      return this.#failWaiting(new HttpClientError("ERR_HTTPY_CLIENT_PROTOCOL_NOT_SPOKEN", NOBODY));
    }
    while (this.#dials.size < wanted && usable.length + this.#dials.size < options.connectionsPerOrigin) {
      void this.#dial(dialer, target);
    }
  }

  #target(): DialTarget {
    const isSecure = this.#url.protocol === "https:";
    const host = this.#url.hostname.replace(/^\[|\]$/gu, "");
    const port = this.#url.port === "" ? (isSecure ? 443 : 80) : Number(this.#url.port);
    const { protocols } = this.#context.options;
    const spoken = protocols.filter((one) =>
      this.#context.dialers.some((dialer) => !dialer.needsAlternative && dialer.protocols.includes(one)),
    );
    return { host, port, isSecure, serverName: host, protocols: spoken, alternative: null };
  }

  #dialerFor(target: DialTarget): Dialer | undefined {
    return this.#context.dialers.find(
      (dialer) => !dialer.needsAlternative && dialer.protocols.some((one) => target.protocols.includes(one)),
    );
  }

  async #dial(dialer: Dialer, target: DialTarget): Promise<void> {
    const control = new AbortController();
    this.#dials.add(control);
    let failure: HttpClientError | null = null;
    try {
      const carrier = await this.#connect(dialer, target, control);
      this.#spoken = carrier.protocol;
    } catch (error) {
      failure = connectError(error);
    }
    this.#dials.delete(control);
    // Those who wait for another attempt, or for a connection to have room, still may get one.
    const isHopeless =
      this.#dials.size === 0 && this.#alternativeDial === null && !this.#carriers.some(isUsable);
    if (failure !== null && isHopeless) this.#failWaiting(failure);
    else if (failure !== null) this.#pauseDials();
    this.#pump();
    this.#forgetIfIdle();
  }

  /** Dials an alternative service that is known and not connected yet. Answers whether one is on its way. */
  #preferAlternative(): boolean {
    if (this.#alternativeDial !== null) return true;
    const { altSvc, dialers, options } = this.#context;
    if (this.#isClosed || this.#url.protocol !== "https:") return false;
    const offered = dialers.filter(({ needsAlternative }) => needsAlternative);
    if (offered.length === 0 || this.#carriers.some((one) => isUsable(one) && one.alternative !== null)) {
      return false;
    }
    const protocols = offered
      .flatMap((dialer) => dialer.protocols)
      .filter((protocol) => options.protocols.includes(protocol));
    const alternative = altSvc.find(this.origin, protocols);
    if (alternative === null) return false;
    const dialer = offered.find((one) => one.protocols.includes(alternative.protocol as ProtocolName));
    if (dialer === undefined) return false;
    void this.#dialAlternative(dialer, alternative);
    return true;
  }

  async #dialAlternative(dialer: Dialer, alternative: Alternative): Promise<void> {
    const control = new AbortController();
    this.#alternativeDial = control;
    this.#isHeadStartOver = false;
    const { altSvc } = this.#context;
    try {
      const carrier = await this.#connect(
        dialer,
        {
          ...this.#target(),
          host: alternative.host.replace(/^\[|\]$/gu, ""),
          port: alternative.port,
          protocols: [alternative.protocol as ProtocolName],
          alternative: `${alternative.host}:${alternative.port}`,
        },
        control,
      );
      this.#alternativeOf.set(carrier, alternative);
      altSvc.worked(alternative);
    } catch {
      // §2.4: the origin itself is still there. An abort says nothing of the service.
      if (!this.#isClosed) altSvc.failed(alternative);
    }
    this.#alternativeDial = null;
    this.#endHeadStart();
    this.#pump();
    this.#forgetIfIdle();
  }

  async #connect(dialer: Dialer, target: DialTarget, control: AbortController): Promise<Carrier> {
    const timer = setTimeout(
      () => control.abort(new HttpClientError("ERR_HTTPY_CLIENT_CONNECT_TIMEOUT", { isUnprocessed: true })),
      this.#context.options.connectTimeoutMs,
    );
    try {
      const carrier = await dialer.dial(target, this, control.signal);
      if (this.#isClosed) {
        carrier.destroy();
        throw new HttpClientError("ERR_HTTPY_CLIENT_CLOSED", { isUnprocessed: true });
      }
      this.#insert(carrier);
      return carrier;
    } finally {
      clearTimeout(timer);
    }
  }

  #failWaiting(error: HttpClientError): void {
    for (const pooled of this.#waiting.splice(0)) pooled.sink.failed(error);
  }

  #abortDials(): void {
    const reason = new HttpClientError("ERR_HTTPY_CLIENT_CLOSED", { isUnprocessed: true });
    for (const control of this.#dials) control.abort(reason);
    this.#alternativeDial?.abort(reason);
    this.#endHeadStart();
    if (this.#dialPause !== null) clearTimeout(this.#dialPause);
    this.#dialPause = null;
  }

  #endHeadStart(): void {
    if (this.#headStart !== null) clearTimeout(this.#headStart);
    this.#headStart = null;
    this.#isHeadStartOver = true;
  }

  #pauseDials(): void {
    this.#dialPause ??= setTimeout(() => {
      this.#dialPause = null;
      this.#pump();
    }, DIAL_PAUSE_MS);
  }

  #forgetIfIdle(): void {
    if (this.isIdle) this.#context.onEmpty(this);
  }
}

const NOBODY = { detail: "no dialer speaks what is allowed", isUnprocessed: true };

/** RFC 7838 §5: an alternative is told that it was taken for one. */
function requestOn({ alternative }: Carrier, request: CarriedRequest): CarriedRequest {
  if (alternative === null) return request;
  return { ...request, fields: [...request.fields, ["alt-used", alternative]] };
}

function isUsable(carrier: Carrier): boolean {
  return carrier.isOpen;
}

function connectError(error: unknown): HttpClientError {
  if (error instanceof HttpClientError) return error;
  return new HttpClientError("ERR_HTTPY_CLIENT_CONNECT", { cause: error, isUnprocessed: true });
}
