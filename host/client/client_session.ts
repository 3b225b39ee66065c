// A session of WebTransport in the client's role, on a connection of its own: dials, asks for the session, and ends the connection with it.

import { limitEntries, SendFlag, Status, type ReceivedHead } from "../engine/index.ts";
import { EngineError } from "../engine/engine_error.ts";
import { TransportSession } from "../web_transport/transport_session.ts";
import { WebTransportError } from "../web_transport/web_transport_error.ts";
import type { ConnectionOwner } from "./client_host.ts";
import type { TlsClientOptions } from "./client_options.ts";
import { QuicConnection } from "./quic_connection.ts";

/** What the server may take to end its side of a session that was closed. */
const CLOSE_TIMEOUT_MS = 2000;
const HTTPS_PORT = 443;

/** Options of a session, checked. */
export interface SessionOptions {
  readonly tls: TlsClientOptions;
  /** Further fields of the request; names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
}

export class ClientSession extends TransportSession implements ConnectionOwner {
  readonly #target: URL;
  readonly #options: SessionOptions;
  #connection: QuicConnection | null = null;
  #connectTimer: NodeJS.Timeout | null = null;

  /** Begins to dial. */
  constructor(target: URL, options: SessionOptions) {
    super(limitEntries().find(({ name }) => name === "quicDatagramCount")?.default ?? 1);
    this.#target = target;
    this.#options = options;
    const { connectTimeoutMs } = options;
    this.#connectTimer = setTimeout(
      () => this.#refuse(`the session was not open within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );
    void this.#connect();
  }

  // What the connection tells.

  connected(): void {
    // `QuicConnection.open` has said so.
  }

  progressed(): void {
    // The server's SETTINGS say whether it takes sessions.
    if (!this.isOver && this.handle === 0) this.#ask();
  }

  response({ statusCode }: ReceivedHead): void {
    const connection = this.#connection;
    if (connection === null || this.isOver) return;
    if (statusCode < 200 || statusCode > 299) return this.#refuse(`the server answered ${statusCode}`);
    this.#stopTimer();
    this.opened(connection.link, connection.exchange, this.#options.keepAliveMs);
  }

  writable(): void {
    // Capsules are sent whole.
  }

  disconnected(status: number, error: Error | null): void {
    const cause = error ?? (status === 0 ? undefined : new EngineError(status));
    this.#connection = null;
    this.fail(new WebTransportError("the session was cut", { source: "session", cause }));
  }

  protected override ended(): void {
    this.#stopTimer();
    const connection = this.#connection;
    if (connection === null) return;
    if (this.handle === 0) return connection.destroy();
    // It ends when the server has ended its side of the session.
    connection.end();
    setTimeout(() => connection.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  // Its own.

  async #connect(): Promise<void> {
    const { hostname, port } = this.#target;
    const target = {
      host: hostname.replace(/^\[|\]$/gu, ""),
      port: port === "" ? HTTPS_PORT : Number(port),
      isSecure: true,
      http2: false,
      webTransport: true,
      tls: this.#options.tls,
    };
    try {
      const connection = await QuicConnection.open(target, this);
      if (this.isOver) return connection.destroy();
      this.#connection = connection;
      connection.run(() => this.#ask());
    } catch (cause) {
      this.#refuse("the connection could not be made", cause);
    }
  }

  #ask(): void {
    const connection = this.#connection;
    if (connection === null || connection.exchange !== 0) return;
    const { host, pathname, search } = this.#target;
    const request = {
      method: "CONNECT",
      target: pathname + search,
      // Servers of draft 02 want its name.
      fields: [
        ["host", host],
        ["upgrade", "webtransport"],
        ["sec-webtransport-http3-draft02", "1"],
        ...this.#options.fields,
      ] as const,
      contentLength: -1,
    };
    const { engine, handle } = connection;
    const exchange = engine.openExchange(handle, request, SendFlag.TUNNEL, performance.now());
    if (exchange === Number(Status.WOULD_BLOCK)) return;
    if (exchange <= 0) {
      this.#refuse("the server takes no WebTransport here", new EngineError(exchange));
      return;
    }
    connection.exchange = exchange;
    connection.flush();
  }

  #refuse(message: string, cause?: unknown): void {
    this.fail(new WebTransportError(message, { source: "session", cause }));
  }

  #stopTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}
