// UDP on node:dgram, which Deno and Bun have too.
//
// The kernel's usual receive buffer holds 92 datagrams: 4 MiB are asked for where that works. On Deno, whose sockets make a buffer
// of the size that was set for every datagram, the setting is small instead. Addresses are numeric, so a `lookup` that answers at once
// spares each send a turn through the resolver. On a fresh socket of Deno's the first burst would arrive in reverse
// (host/transport/first_send.ts).

import type { Socket } from "node:dgram";
import type { DatagramSink, DatagramSocket, DatagramTarget } from "./datagrams.ts";
import { FirstSend } from "./first_send.ts";
import { runtime } from "./runtime.ts";

const BUFFER_BYTES = 4 * 1024 * 1024;
/** On Linux the kernel doubles it: enough for a datagram of Ethernet. */
const DENO_BUFFER_BYTES = 1024;

/** Binds a socket: of both families where no host is given and the machine has IPv6. Rejects when it cannot be bound. */
export async function bindNodeDatagrams(target: DatagramTarget, sink: DatagramSink): Promise<DatagramSocket> {
  const dgram = await import("node:dgram");
  const hosts = target.host === undefined ? ["::", "0.0.0.0"] : [target.host];
  let failure: unknown;
  for (const host of hosts) {
    const family = host.includes(":") ? "udp6" : "udp4";
    const socket = dgram.createSocket({
      type: family,
      ipv6Only: target.ipv6Only ?? false,
      reuseAddr: false,
      ...(target.reusePort === true ? { reusePort: true } : {}),
      lookup: (name, _options, callback) => callback(null, name, family === "udp6" ? 6 : 4),
    });
    try {
      await bind(socket, target.port ?? 0, host);
      return new NodeDatagramSocket(socket, sink, family === "udp6");
    } catch (error) {
      failure = error;
      socket.close();
    }
  }
  throw failure;
}

function bind(socket: Socket, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address: host, exclusive: false }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

class NodeDatagramSocket implements DatagramSocket {
  readonly #socket: Socket;
  readonly #isIpv6: boolean;
  readonly #first = runtime === "deno" ? new FirstSend() : null;
  readonly host: string;
  readonly port: number;
  #isClosed = false;
  #mappedFrom = "";
  #mappedTo = "";

  constructor(socket: Socket, sink: DatagramSink, isIpv6: boolean) {
    this.#socket = socket;
    this.#isIpv6 = isIpv6;
    const address = socket.address();
    this.host = address.address;
    this.port = address.port;
    enlarge(socket);
    socket.on("message", (payload, from) => sink.onDatagram(payload, from.address, from.port));
    let error: Error | null = null;
    socket.on("error", (cause) => {
      error = cause;
      if (!this.#isClosed) socket.close();
    });
    socket.on("close", () => {
      this.#isClosed = true;
      sink.onClose(error);
    });
  }

  send(payload: Uint8Array, host: string, port: number, family: 4 | 6, onSent = ignored): void {
    if (this.#isClosed) return;
    const name = this.#isIpv6 && family === 4 ? this.#mapped(host) : host;
    if (this.#first === null) this.#socket.send(payload, port, name, onSent);
    else {
      this.#first.run((done) => {
        if (this.#isClosed) return;
        this.#socket.send(payload, port, name, () => {
          done();
          onSent?.();
        });
      });
    }
  }

  /** An address of IPv4 as a socket of IPv6 takes it; that of the datagram before is kept. */
  #mapped(host: string): string {
    if (host !== this.#mappedFrom) {
      this.#mappedFrom = host;
      this.#mappedTo = `::ffff:${host}`;
    }
    return this.#mappedTo;
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#isClosed = true;
      // What was sent in this turn is handed to the kernel first.
      setImmediate(() => this.#socket.close());
    });
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}

/**
 * Elsewhere a callback, so that an error of one datagram is that datagram's. Node tells nobody of one without, and spares a tick for
 * each.
 */
const ignored = runtime === "node" ? undefined : (): void => undefined;

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(runtime === "deno" ? DENO_BUFFER_BYTES : BUFFER_BYTES);
    if (runtime !== "deno") socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // The kernel's own size then.
  }
}
