// A connection that the engine speaks on, as a carrier of requests: HTTP/1.1 with one at a time, the others with many.
//
// What is below it is a Wire: a TCP or TLS socket, or whatever brings a connection's bytes to the peer. When the wire is gone,
// every exchange that has no complete response is told so, with what is known of whether the server acted on it.

import { Status } from "../engine/index.ts";
import { EngineError } from "../engine/engine_error.ts";
import type { ClientEngine } from "./client_engine.ts";
import type {
  CarriedExchange,
  CarriedRequest,
  Carrier,
  CarrierOwner,
  ExchangeSink,
  ProtocolName,
} from "./dialer.ts";
import { EngineExchange, type ExchangeCarrier } from "./engine_exchange.ts";
import { HttpClientError } from "./http_client_error.ts";

/** RFC 9110 §9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** The transport below a connection. */
export interface Wire {
  /** Writes what the engine has to send, as long as the transport takes it. */
  transmit(): void;
  pause(): void;
  resume(): void;
  /** Ends the write side once everything was written. */
  end(): void;
  destroy(): void;
  /** Whether the process stays alive for it: while requests are under way. */
  hold(isHeld: boolean): void;
}

export interface EngineCarrierOptions {
  readonly handle: number;
  readonly protocol: ProtocolName;
  readonly alternative: string | null;
  /** Requests at a time, where the protocol allows several. */
  readonly streamsMax: number;
  /** The handshake is not complete: what is sent may be replayed (RFC 8470), so that it has to be safe. */
  readonly isEarly?: boolean;
}

export class EngineCarrier implements Carrier, ExchangeCarrier {
  readonly client: ClientEngine;
  /** The engine's handle of the connection. */
  readonly handle: number;
  readonly protocol: ProtocolName;
  readonly alternative: string | null;
  readonly wire: Wire;
  isFlushScheduled = false;
  readonly #owner: CarrierOwner;
  readonly #streamsMax: number;
  readonly #exchanges = new Set<EngineExchange>();
  #isEarly: boolean;
  #isOpen = true;
  #isClosed = false;
  /** The engine had no room for a request: the peer's limit, until it is told otherwise. */
  #isFull = false;
  /** Why the engine ended the connection; OK while it did not. */
  #status: number = Status.OK;

  constructor(client: ClientEngine, wire: Wire, owner: CarrierOwner, options: EngineCarrierOptions) {
    this.client = client;
    this.wire = wire;
    this.#owner = owner;
    this.handle = options.handle;
    this.protocol = options.protocol;
    this.alternative = options.alternative;
    this.#isEarly = options.isEarly === true;
    this.#streamsMax = options.protocol === "http/1.1" ? 1 : options.streamsMax;
    client.add(this);
    wire.hold(false);
  }

  get isMultiplexed(): boolean {
    return this.protocol !== "http/1.1";
  }

  get activeCount(): number {
    return this.#exchanges.size;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.client.failure === null;
  }

  open(request: CarriedRequest, sink: ExchangeSink): CarriedExchange | "full" | "gone" {
    if (!this.isOpen) return "gone";
    if (this.#isFull || this.#exchanges.size >= this.#streamsMax) return "full";
    if (this.#isEarly && !SAFE_METHODS.has(request.method)) return "full";
    const exchange = EngineExchange.open(this, request, sink);
    if (exchange instanceof EngineExchange) {
      this.#exchanges.add(exchange);
      if (this.#exchanges.size === 1) this.wire.hold(true);
      this.client.flushLater(this);
      return exchange;
    }
    if (exchange === Number(Status.WOULD_BLOCK)) {
      this.#isFull = true;
      return "full";
    }
    // The ticket allows no early data: the handshake is waited for.
    if (this.#isEarly && exchange === Number(Status.INVALID_STATE)) return "full";
    // The peer said that it goes away, or the connection is about to close.
    if (exchange === Number(Status.INVALID_STATE) || exchange === Number(Status.INVALID_HANDLE)) {
      this.#isOpen = false;
      if (this.#exchanges.size === 0) this.close();
      return "gone";
    }
    throw new HttpClientError("ERR_HTTPY_CLIENT_REQUEST", {
      isUnprocessed: true,
      cause: new EngineError(exchange),
    });
  }

  close(): void {
    this.#isOpen = false;
    if (this.#isClosed) return;
    this.client.run(this, () => {
      this.client.engine.doors.drainConnection(this.handle, this.client.now());
    });
  }

  destroy(): void {
    this.#isOpen = false;
    this.wire.destroy();
  }

  // What the exchanges tell.

  /** The exchange needs the connection no longer. */
  finished(exchange: EngineExchange, isLast: boolean): void {
    if (isLast) this.#isOpen = false;
    if (!this.#exchanges.delete(exchange)) return;
    if (this.#exchanges.size === 0) this.wire.hold(false);
    this.#isFull = false;
    if (this.isOpen) this.#owner.roomy(this);
  }

  // What the engine and the wire tell.

  transmit(): void {
    if (!this.#isClosed) this.wire.transmit();
  }

  /** Bytes arrived: the peer may allow more streams than before. */
  received(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    if (this.isOpen) this.#owner.roomy(this);
  }

  /** The engine is through with the peer. */
  closing(status: number, abort: boolean): void {
    this.#isOpen = false;
    this.#status ||= status;
    if (abort) this.wire.destroy();
    else this.wire.end();
  }

  /** The handshake of a connection that began with early data is complete. */
  confirmed(): void {
    this.#isEarly = false;
    this.#isFull = false;
    if (this.isOpen) this.#owner.roomy(this);
  }

  /** The transport is gone. */
  disconnected(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    this.client.delete(this);
    const status = this.#status;
    for (const exchange of [...this.#exchanges]) exchange.disconnected(status, error);
    this.#owner.closed(this);
  }

  engineFailed(error: Error): void {
    this.#isOpen = false;
    for (const exchange of [...this.#exchanges]) exchange.engineFailed(error);
    this.wire.destroy();
  }
}
