// An engine that carries raw QUIC: its events, its timer, its clock, and the connections that it has.

import { DeadlineTimer } from "../engine/deadline_timer.ts";
import { Engine } from "../engine/engine.ts";
import type { EventSink } from "../engine/event_reader.ts";
import { decodeAddress } from "../engine/datagram_batch.ts";
import type { CompiledModule } from "../engine/module.ts";
import type { QuicCommands } from "../engine/quic_commands.ts";
import type { QuicEvents } from "../engine/quic_events.ts";
import type { Endpoint, EngineOwner } from "./endpoint.ts";
import { type QlogTarget, withQlog } from "./qlog.ts";
import { type ConnectionHost, QuicConnection } from "./quic_connection.ts";

/** What happens on one endpoint. */
export interface EndpointListener {
  onConnection?(connection: QuicConnection): void;
  onTicket?(connection: QuicConnection, ticket: Uint8Array): void;
  onToken?(connection: QuicConnection, token: Uint8Array): void;
  onKeyLog?(lines: string): void;
  onClosed?(connection: QuicConnection): void;
}

export interface QuicHostOptions {
  readonly module: CompiledModule;
  readonly limits: Float64Array;
  readonly memoryBytes: number;
  /** Where traces of connections go, and which side they are of. */
  readonly qlog?: { readonly target: QlogTarget; readonly role: "client" | "server" };
}

const SECOND_MS = 1000;
const RESEED_S = 3600;
/** TransportError.INTERNAL_ERROR: what connections end with whose engine was lost. */
const INTERNAL_ERROR = 1n;

export class QuicHost implements EngineOwner, ConnectionHost {
  readonly engine: Engine;
  readonly quic: QuicCommands;
  readonly #endpoints = new Map<number, { endpoint: Endpoint; listener: EndpointListener }>();
  readonly #connections = new Map<number, QuicConnection>();
  readonly #endpointOf = new Map<number, number>();
  readonly #sink: EventSink;
  readonly #timer: DeadlineTimer;
  readonly #clock: NodeJS.Timeout;
  #seconds = 0;
  #isFailed = false;

  constructor(options: QuicHostOptions) {
    const { module, limits, memoryBytes } = options;
    this.engine = Engine.create(module, { limits, memoryBytes, now: performance.now() });
    this.quic = this.engine.quic;
    this.#timer = new DeadlineTimer(this.engine, () => this.#handleTimeout());
    const events = this.#events();
    const { qlog } = options;
    const log = { stats: (handle: number) => this.quic.stats(handle), now: () => this.now() };
    this.#sink = makeSink(qlog === undefined ? events : withQlog(events, { ...qlog, ...log }));
    this.engine.doors.setDate(Date.now());
    this.#clock = setInterval(() => this.#tick(), SECOND_MS);
    this.#clock.unref();
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  now(): number {
    return performance.now();
  }

  add(endpoint: Endpoint, listener: EndpointListener): void {
    this.#endpoints.set(endpoint.handle, { endpoint, listener });
  }

  /** Connections that were opened here, and not accepted. */
  adopt(endpoint: Endpoint, handle: number, remote: { host: string; port: number }): QuicConnection {
    const connection = new QuicConnection(this, handle, remote);
    this.#connections.set(handle, connection);
    this.#endpointOf.set(handle, endpoint.handle);
    return connection;
  }

  connectionsOf(endpoint: Endpoint): QuicConnection[] {
    return [...this.#connections.values()].filter(
      (connection) => this.#endpointOf.get(connection.handle) === endpoint.handle,
    );
  }

  async remove(endpoint: Endpoint): Promise<void> {
    for (const connection of this.connectionsOf(endpoint)) this.#lose(connection);
    this.#endpoints.delete(endpoint.handle);
    await endpoint.close();
  }

  /** Stops the engine; nothing can be done with it afterwards. */
  stop(): void {
    this.#isFailed = true;
    clearInterval(this.#clock);
    this.#timer.stop();
  }

  readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this.#sink);
  }

  flushLater(connection: QuicConnection): void {
    this.#endpointFor(connection.handle)?.endpoint.flushLater();
  }

  armTimer(): void {
    this.#timer.arm();
  }

  /** The module trapped: its connections are lost. */
  fail(error: unknown): void {
    if (this.#isFailed) return;
    this.stop();
    const reason = `the engine failed: ${error instanceof Error ? error.message : String(error)}`;
    for (const connection of [...this.#connections.values()]) this.#lose(connection, reason);
  }

  #lose(connection: QuicConnection, reason = ""): void {
    this.#connections.delete(connection.handle);
    connection.onClosed(0, INTERNAL_ERROR, reason, 0);
  }

  #handleTimeout(): void {
    if (this.#isFailed) return;
    try {
      this.engine.doors.handleTimeout(this.now());
      this.readEvents();
      for (const { endpoint } of this.#endpoints.values()) endpoint.flush();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  #tick(): void {
    this.#seconds++;
    this.engine.doors.setDate(Date.now());
    if (this.#seconds % RESEED_S === 0) this.engine.addEntropy();
  }

  #endpointFor(handle: number): { endpoint: Endpoint; listener: EndpointListener } | undefined {
    const endpoint = this.#endpointOf.get(handle);
    return endpoint === undefined ? undefined : this.#endpoints.get(endpoint);
  }

  #events(): QuicEvents {
    const at = (handle: number) => this.#connections.get(handle);
    return {
      accepted: (handle, endpointHandle, address) => {
        const entry = this.#endpoints.get(endpointHandle);
        if (entry === undefined) return;
        const { host, port } = decodeAddress(address);
        this.adopt(entry.endpoint, handle, { host, port });
      },
      question: (handle, kind, question) =>
        this.#endpointFor(handle)?.endpoint.answer(handle, kind, question),
      connected: (handle, flags, alpn, serverName) => {
        const connection = at(handle);
        const entry = this.#endpointFor(handle);
        entry?.endpoint.forget(handle);
        if (connection === undefined) return;
        connection.onConnected(flags, alpn, serverName);
        entry?.listener.onConnection?.(connection);
      },
      confirmed: (handle) => at(handle)?.onConfirmed(),
      closed: (handle, flags, code, reason, status) => {
        const connection = at(handle);
        const entry = this.#endpointFor(handle);
        this.#connections.delete(handle);
        this.#endpointOf.delete(handle);
        entry?.endpoint.forget(handle);
        connection?.onClosed(flags, code, reason, status);
        if (connection !== undefined) entry?.listener.onClosed?.(connection);
      },
      stream: (handle, stream, news, id, code) => at(handle)?.onStream(stream, news, id, code),
      openable: (handle) => at(handle)?.onOpenable(),
      datagrams: (handle) => at(handle)?.onDatagrams(),
      ticket: (handle, ticket) => {
        const connection = at(handle);
        if (connection !== undefined)
          this.#endpointFor(handle)?.listener.onTicket?.(connection, ticket.slice());
      },
      token: (handle, token) => {
        const connection = at(handle);
        if (connection !== undefined)
          this.#endpointFor(handle)?.listener.onToken?.(connection, token.slice());
      },
      keyLog: (handle, lines) => this.#endpointFor(handle)?.listener.onKeyLog?.(lines),
      path: (handle, address) => at(handle)?.onPath(decodeAddress(address)),
    };
  }
}

/** An engine that serves raw QUIC alone has no exchanges to tell of. */
function makeSink(quic: QuicEvents): EventSink {
  const nothing = () => undefined;
  return {
    request: nothing,
    response: nothing,
    informational: nothing,
    body: nothing,
    end: nothing,
    aborted: nothing,
    peerEnded: nothing,
    writable: nothing,
    tunnel: nothing,
    transmit: nothing,
    readPause: nothing,
    readResume: nothing,
    close: nothing,
    quic,
  };
}
