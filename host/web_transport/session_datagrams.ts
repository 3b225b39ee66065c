// Datagrams of a WebTransport session as web streams.

import type { WebTransportDatagrams } from "../router/index.ts";

/** What datagrams need of their session. */
export interface DatagramCarrier {
  /** Datagrams may be lost anywhere, so here too. */
  send(bytes: Uint8Array): void | Promise<void>;
  maxDatagramSize(): number;
}

export class SessionDatagrams implements WebTransportDatagrams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  incomingHighWaterMark: number;
  readonly #carrier: DatagramCarrier;
  readonly #waiting: Uint8Array[] = [];
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(carrier: DatagramCarrier, waitingMost: number) {
    this.#carrier = carrier;
    this.incomingHighWaterMark = waitingMost;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#reader = controller),
        pull: () => this.#pull(),
        cancel: () => this.#stop(),
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => void (this.#writer = controller),
      write: (chunk) => {
        if (!(chunk instanceof Uint8Array)) throw new TypeError("a datagram is bytes (Uint8Array)");
        return carrier.send(chunk);
      },
    });
  }

  get maxDatagramSize(): number {
    return this.#carrier.maxDatagramSize();
  }

  /** One has arrived; the bytes are the caller's. */
  arrived(bytes: Uint8Array): void {
    if (this.#isOver) return;
    while (this.#waiting.length >= Math.max(1, this.incomingHighWaterMark)) this.#waiting.shift();
    this.#waiting.push(bytes.slice());
    this.#wakeReader();
  }

  /** The session is over: closed, or cut by the error. */
  end(error: Error | null): void {
    if (error !== null) this.#writer.error(error);
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#reader.error(error);
    else if (this.#waiting.length === 0) this.#reader.close();
    this.#wakeReader();
  }

  async #pull(): Promise<void> {
    for (;;) {
      const datagram = this.#waiting.shift();
      if (datagram !== undefined) this.#reader.enqueue(datagram);
      if (this.#isOver && this.#waiting.length === 0) this.#finish();
      if (datagram !== undefined || this.#isOver) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #finish(): void {
    try {
      this.#reader.close();
    } catch {
      // It has ended with an error, or is closed.
    }
  }

  #stop(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
