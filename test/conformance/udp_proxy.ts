// A proxy of UDP between a client and a server on this machine, which loses and delays what it passes on, and which may take another
// port towards the server, as a NAT does that forgot.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Random } from "../fuzz/random.ts";

export interface ProxyOptions {
  readonly targetPort: number;
  /** 0 … 1. */
  readonly loss?: number;
  /** In each direction. */
  readonly delayMs?: number;
}

const SEED = 7;

export class UdpProxy {
  readonly #front: Socket;
  #back: Socket;
  readonly #options: ProxyOptions;
  readonly #random = new Random(SEED);
  #clientPort = 0;
  lost = 0;
  passed = 0;

  private constructor(front: Socket, back: Socket, options: ProxyOptions) {
    this.#front = front;
    this.#back = back;
    this.#options = options;
    front.on("message", (bytes, { port }) => {
      this.#clientPort = port;
      this.#pass(() => this.#back.send(bytes, options.targetPort, "127.0.0.1"));
    });
    this.#listenBack();
  }

  static async start(options: ProxyOptions): Promise<UdpProxy> {
    return new UdpProxy(await bound(), await bound(), options);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** From now on the server sees the client at another port. */
  async rebind(): Promise<void> {
    const old = this.#back;
    this.#back = await bound();
    this.#listenBack();
    old.close();
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }

  #listenBack(): void {
    this.#back.on("message", (bytes) =>
      this.#pass(() => this.#front.send(bytes, this.#clientPort, "127.0.0.1")),
    );
  }

  #pass(send: () => void): void {
    const { loss = 0, delayMs = 0 } = this.#options;
    if (this.#random.below(1000) < loss * 1000) {
      this.lost++;
      return;
    }
    this.passed++;
    const unlessClosed = () => {
      try {
        send();
      } catch {
        // Closed while the datagram was under way.
      }
    };
    if (delayMs === 0) unlessClosed();
    else setTimeout(unlessClosed, delayMs);
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
