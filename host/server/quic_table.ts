// Which endpoints and connections of QUIC an instance has: what the engine tells of them, sent to whom it concerns.
//
// Apart from the listener that binds them, which needs the runtime's cryptography and UDP: an instance in a browser has a table too.

import { ConnectedFlag, decodeAddress, type QuicEvents } from "../engine/index.ts";
import type { Endpoint } from "../quic/endpoint.ts";
import type { SessionTable } from "../web_transport/session_table.ts";
import { QuicSession } from "./quic_session.ts";
import type { Session, SessionHost } from "./session.ts";

/** The instance that endpoints are on. */
export interface EndpointHost extends SessionHost {
  readonly webTransport: SessionTable;
  /** Takes a connection of HTTP/3, which its endpoint has accepted. */
  adopt(session: Session): void;
}

/** What the engine tells of QUIC, for an instance of the server. */
export class QuicTable {
  readonly #host: EndpointHost;
  readonly #endpoints = new Map<number, Endpoint>();
  /** Peers of connections whose handshake is not complete, and the endpoints they came by. */
  readonly #waiting = new Map<number, { endpoint: Endpoint; remote: { host: string; port: number } }>();
  readonly #sessions = new Map<number, QuicSession>();
  readonly events: QuicEvents;
  #isLogged = false;

  constructor(host: EndpointHost) {
    this.#host = host;
    const nothing = () => undefined;
    this.events = {
      accepted: (handle, endpointHandle, address) => {
        const endpoint = this.#endpoints.get(endpointHandle);
        if (endpoint !== undefined) this.#waiting.set(handle, { endpoint, remote: decodeAddress(address) });
      },
      question: (handle, kind, question) => this.#endpointOf(handle)?.answer(handle, kind, question),
      connected: (handle, flags) => {
        if (flags & ConnectedFlag.HTTP3) this.open(handle);
        this.#waiting.get(handle)?.endpoint.forget(handle);
        this.#waiting.delete(handle);
      },
      closed: (handle) => this.#closed(handle),
      path: (handle, address) => this.#sessions.get(handle)?.move(decodeAddress(address)),
      confirmed: nothing,
      stream: (_connection, stream, news, _id, code) => host.webTransport.streamNews(stream, news, code),
      openable: (handle) => host.webTransport.openable(handle),
      datagrams: nothing,
      ticket: nothing,
      token: nothing,
      keyLog: nothing,
    };
  }

  /** Has events told to what `wrap` makes of those that there are: the first time, for all listeners of the instance. */
  tellAlso(wrap: (events: QuicEvents) => QuicEvents): void {
    if (!this.#isLogged) Object.assign(this.events, wrap({ ...this.events }));
    this.#isLogged = true;
  }

  add(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.handle, endpoint);
  }

  remove(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.handle);
  }

  get isEmpty(): boolean {
    return this.#endpoints.size === 0;
  }

  flush(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.flush();
  }

  flushLater(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.flushLater();
  }

  #endpointOf(handle: number): Endpoint | undefined {
    const waiting = this.#waiting.get(handle);
    if (waiting !== undefined) return waiting.endpoint;
    // A client's certificate, and nothing else, is asked about by then.
    return this.#endpoints.values().next().value;
  }

  /** The session of a connection, made when its handshake is complete, or when its first request comes before that. */
  open(handle: number): QuicSession | undefined {
    const known = this.#sessions.get(handle);
    const waiting = this.#waiting.get(handle);
    if (known !== undefined || waiting === undefined) return known;
    const session = new QuicSession(this.#host, waiting.endpoint, handle, waiting.remote);
    this.#sessions.set(handle, session);
    this.#host.adopt(session);
    return session;
  }

  #closed(handle: number): void {
    this.#waiting.get(handle)?.endpoint.forget(handle);
    this.#waiting.delete(handle);
    const session = this.#sessions.get(handle);
    this.#sessions.delete(handle);
    session?.onClose();
  }
}
