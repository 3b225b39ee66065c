// A WebTransport session of the server: what handlers are given (router/web_transport.ts).

import type { WebTransportSession } from "../router/index.ts";
import type { SessionLink } from "../web_transport/session_link.ts";
import { TransportSession } from "../web_transport/transport_session.ts";
import type { Session } from "./session.ts";

export class ServerWebTransport extends TransportSession implements WebTransportSession {
  data: unknown;
  readonly #connection: Session;

  /** It is open from the start. */
  constructor(connection: Session, handle: number, keepAliveMs: number, data: unknown) {
    super(connection.host.engine.limit("quicDatagramCount"));
    this.#connection = connection;
    this.data = data;
    this.opened(linkOf(connection), handle, keepAliveMs);
  }

  get remoteAddress(): string {
    return this.#connection.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.socket.remotePort;
  }
}

function linkOf(connection: Session): SessionLink {
  const { host } = connection;
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
