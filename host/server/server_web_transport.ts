// A WebTransport session of the server: what handlers are given (router/web_transport.ts).

import type { WebTransportSession } from "../router/index.ts";
import type { SessionLink } from "../web_transport/session_link.ts";
import type { SessionTable } from "../web_transport/session_table.ts";
import { TransportSession } from "../web_transport/transport_session.ts";
import type { Session, SessionHost } from "./session.ts";

/** The instance that a WebTransport session is on. */
export interface WebTransportHost extends SessionHost {
  readonly webTransport: SessionTable;
}

export class ServerWebTransport extends TransportSession implements WebTransportSession {
  data: unknown;
  readonly #connection: Session;

  /** It is open from the start. */
  constructor(
    host: WebTransportHost,
    connection: Session,
    handle: number,
    terms: { keepAliveMs: number; data: unknown },
  ) {
    super(host.engine.limit("quicDatagramCount"));
    this.#connection = connection;
    this.data = terms.data;
    this.opened(linkOf(host, connection), handle, terms.keepAliveMs);
  }

  get remoteAddress(): string {
    return this.#connection.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.socket.remotePort;
  }
}

function linkOf(host: WebTransportHost, connection: Session): SessionLink {
  return {
    engine: host.engine,
    table: host.webTransport,
    connection: connection.handle,
    get isFailed() {
      return host.isFailed;
    },
    now: () => host.now(),
    trapped: (call) => host.trapped(call),
    flushLater: () => connection.scheduleFlush(),
    release: (session) => host.release(session),
  };
}
