// A connection in the client's role over QUIC (RFC 9114), for one exchange: a WebSocket, or a session of WebTransport. The endpoint writes its datagrams.
//
// The addresses of a name are tried one after the other.

import { isIP } from "node:net";
import type { Engine } from "../engine/index.ts";
import { encodeAddress, parseIp } from "../engine/datagram_batch.ts";
import { checked } from "../engine/engine_error.ts";
import type { QuicConnectionError } from "../quic/quic_error.ts";
import type { SessionLink } from "../web_transport/session_link.ts";
import { clientHost, type ClientConnection, type ClientHost, type ConnectionOwner } from "./client_host.ts";
import type { TlsClientOptions } from "./client_options.ts";
import { addressesOf, configureQuic } from "./quic_dialer.ts";
import type { ClientEndpoint } from "./quic_links.ts";
import type { ConnectionTarget } from "./tcp_connection.ts";

const NO_ERROR = 0x100n;

export class QuicConnection implements ClientConnection {
  readonly owner: ConnectionOwner;
  readonly handle: number;
  /** What waits is the engine's. */
  readonly writableLength = 0;
  readonly #host: ClientHost;
  readonly #shared: ClientEndpoint;
  #exchange = 0;
  #status = 0;
  #isConnected = false;
  #isClosed = false;

  /** Connected, to the first address that answers: `owner.connected` is not told. Rejects when none does. */
  static async open(target: ConnectionTarget, owner: ConnectionOwner): Promise<QuicConnection> {
    const host = await clientHost();
    const tls = target.tls as TlsClientOptions;
    const { config, keys } = await configureQuic(host, tls, 1, {
      webTransport: target.webTransport === true,
    });
    let failure: unknown = new Error("the name has no address");
    for (const address of await addressesOf(target.host)) {
      try {
        const shared = await host.links.endpoint(isIP(address) === 6 ? 6 : 4, keys);
        const name = tls.servername ?? target.host;
        host.engine.doors.setDate(Date.now());
        const serverName = isIP(name) === 0 ? name.toLowerCase() : Uint8Array.from(parseIp(name));
        const to = { address: encodeAddress(address, target.port), serverName };
        const { quic } = host.engine;
        const handle = checked(quic.connect(shared.endpoint.handle, config, to, host.now()), "connecting");
        return await new QuicConnection(host, shared, handle, owner).#open(() => quic.releaseConfig(config));
      } catch (error) {
        failure = error;
      }
    }
    host.engine.quic.releaseConfig(config);
    throw failure;
  }

  private constructor(host: ClientHost, shared: ClientEndpoint, handle: number, owner: ConnectionOwner) {
    this.#host = host;
    this.#shared = shared;
    this.handle = handle;
    this.owner = owner;
  }

  /** Waits for the handshake. `release` is called when the connection, once it was there, has ended. */
  #open(release: () => void): Promise<this> {
    const { links } = this.#host;
    this.#shared.hold(true);
    const opened = new Promise<this>((resolve, reject) => {
      links.add(this.handle, this.#shared.endpoint, {
        connected: () => {
          this.#isConnected = true;
          this.#host.add(this);
          resolve(this);
        },
        progressed: () => {
          if (this.#isConnected) this.owner.progressed();
        },
        closed: (end) => {
          if (this.#isConnected) release();
          this.#closed(end, reject);
        },
      });
    });
    links.readEvents();
    this.flush();
    return opened;
  }

  get engine(): Engine {
    return this.#host.engine;
  }

  /** What a session on this connection needs. */
  get link(): SessionLink {
    const host = this.#host;
    return {
      engine: host.engine,
      table: host.webTransport,
      connection: this.handle,
      isFailed: false,
      now: () => host.now(),
      trapped: (call) => call(),
      flushLater: () => this.flush(),
      release: (session) => {
        this.exchange = 0;
        host.engine.doors.releaseExchange(session);
      },
    };
  }

  get exchange(): number {
    return this.#exchange;
  }

  set exchange(exchange: number) {
    this.#host.bind(this.#exchange, undefined);
    this.#exchange = exchange;
    this.#host.bind(exchange, this);
  }

  run(enter: () => void): void {
    if (this.#isClosed) return;
    enter();
    this.#host.readEvents();
    this.flush();
  }

  flush(): void {
    this.#shared.endpoint.flushLater();
  }

  pause(): void {
    // The engine gives the peer no more credit.
  }

  resume(): void {
    // As above.
  }

  closing(status: number): void {
    this.#status ||= status;
    this.destroy();
  }

  fail(status: number): void {
    this.#status ||= status;
    this.exchange = 0;
    this.destroy();
  }

  end(): void {
    this.run(() => void this.engine.doors.drainConnection(this.handle, this.#host.now()));
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.engine.quic.close(this.handle, NO_ERROR, "", this.#host.now());
    this.flush();
  }

  #closed(end: QuicConnectionError, reject: (error: Error) => void): void {
    this.#isClosed = true;
    this.#shared.hold(false);
    if (!this.#isConnected) return reject(end);
    this.engine.doors.closeConnection(this.handle);
    this.#host.delete(this);
    if (this.#exchange !== 0) this.engine.doors.releaseExchange(this.#exchange);
    this.owner.disconnected(this.#status, end.status === 0 ? null : end);
  }
}
