// UDP on Deno.listenDatagram, which Deno has where it was started with `--unstable-net`.
//
// It receives into one array, whose bytes are valid until the next one is asked for, and reads what it sends later: what is handed
// over belongs to it. On a fresh socket the first burst would arrive in reverse (host/transport/first_send.ts).
//
// Against node:dgram on Deno, 40 MB of HTTP/3 took 0.50 to 0.58 s of processor time and not 0.57 to 0.65, and 20 MB received 0.20 to
// 0.28 s and not 0.25 to 0.36.

import type { DatagramSink, DatagramSocket, DatagramTarget } from "./datagrams.ts";
import { FirstSend } from "./first_send.ts";

interface NetAddress {
  readonly transport: "udp";
  readonly hostname: string;
  readonly port: number;
}

interface DatagramConn {
  readonly addr: NetAddress;
  receive(room: Uint8Array): Promise<[Uint8Array, NetAddress]>;
  send(payload: Uint8Array, to: NetAddress): Promise<number>;
  close(): void;
  ref(): void;
  unref(): void;
}

/** The part of the global `Deno` that is used here. */
interface DenoGlobal {
  listenDatagram?(target: NetAddress): DatagramConn;
}

/** More than any datagram of IP holds. */
const ROOM_BYTES = 65_536;

/** Whether this process may do so. */
export function hasDenoDatagrams(): boolean {
  return typeof denoGlobal()?.listenDatagram === "function";
}

function denoGlobal(): DenoGlobal | undefined {
  return (globalThis as unknown as { Deno?: DenoGlobal }).Deno;
}

/** Binds a socket: of both families where no host is given and the machine has IPv6. Throws when it cannot be bound. */
export function bindDenoDatagrams(target: DatagramTarget, sink: DatagramSink): DatagramSocket {
  const hosts = target.host === undefined ? ["::", "0.0.0.0"] : [target.host];
  let failure: unknown;
  for (const hostname of hosts) {
    try {
      const at: NetAddress = { transport: "udp", hostname, port: target.port ?? 0 };
      const conn = (denoGlobal() as Required<DenoGlobal>).listenDatagram(at);
      return new DenoDatagramSocket(conn, sink, hostname.includes(":"));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

class DenoDatagramSocket implements DatagramSocket {
  readonly host: string;
  readonly port: number;
  readonly #conn: DatagramConn;
  readonly #sink: DatagramSink;
  readonly #isIpv6: boolean;
  readonly #first = new FirstSend();
  #underWay = 0;
  readonly #onSent: (() => void)[] = [];
  #isClosed = false;

  constructor(conn: DatagramConn, sink: DatagramSink, isIpv6: boolean) {
    this.#conn = conn;
    this.#sink = sink;
    this.#isIpv6 = isIpv6;
    this.host = conn.addr.hostname;
    this.port = conn.addr.port;
    void this.#receive();
  }

  async #receive(): Promise<void> {
    const room = new Uint8Array(ROOM_BYTES);
    let failure: Error | null = null;
    while (!this.#isClosed) {
      try {
        const [payload, { hostname, port }] = await this.#conn.receive(room);
        this.#sink.onDatagram(payload, hostname, port);
      } catch (error) {
        failure = this.#isClosed ? null : (error as Error);
        break;
      }
    }
    this.#isClosed = true;
    this.#sink.onClose(failure);
  }

  send(payload: Uint8Array, hostname: string, port: number, family: 4 | 6, onSent?: () => void): void {
    const name = this.#isIpv6 && family === 4 ? `::ffff:${hostname}` : hostname;
    this.#first.run((done) => {
      if (this.#isClosed) return;
      if (onSent !== undefined) this.#onSent.push(onSent);
      this.#underWay++;
      const settled = (): void => {
        done();
        this.#settle();
      };
      // An error of one datagram is that datagram's.
      this.#conn.send(payload, { transport: "udp", hostname: name, port }).then(settled, settled);
    });
  }

  /** Those that have to wait leave in any order, so nobody is told before all have. */
  #settle(): void {
    if (--this.#underWay > 0) return;
    for (const onSent of this.#onSent.splice(0)) onSent();
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#conn.close();
    }
    return Promise.resolve();
  }

  ref(): void {
    this.#conn.ref();
  }

  unref(): void {
    this.#conn.unref();
  }
}
