// Connections over message ports: a byte pipe between pages, workers and service workers, where there are no sockets.
//
// Each port is one connection. What travels on it, both ways alike:
//
//   Uint8Array   bytes, transferred where their buffer holds nothing else
//   number       so many bytes have been read: credit for the other side
//   "end"        no more bytes follow
//   "reset"      the connection is lost
//
// A side that is paused reads nothing and gives no credit, so what waits between the two is bounded by who writes:
// `write` answers false beyond a high-water mark. A port tells nothing of a peer that is gone without a word; the engine's
// deadlines end such a connection.

import type { BoundAddress, Listener, ListenTarget, Socket, SocketSink, Transport } from "./transport.ts";

/** The part of a MessagePort that is used here; those of browsers and of runtimes have it. */
export interface PipePort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  start(): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}

/** More than this without credit makes `write` answer false. */
const HIGH_WATER_BYTES = 245_760;
const END = "end";
const RESET = "reset";

/** A transport whose listeners take the ports that are given to `accept`. */
export class PortTransport implements Transport {
  readonly name = "port";
  #onSocket: ((socket: Socket) => void) | null = null;

  listen(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Listener> {
    if (target.tls !== undefined) return Promise.reject(new TypeError("a message port has no TLS"));
    if (this.#onSocket !== null) {
      return Promise.reject(new TypeError("a port transport has one listener, and it listens already"));
    }
    this.#onSocket = onSocket;
    const address: BoundAddress = { host: "", port: 0, path: "message port" };
    const stop = (): Promise<void> => {
      this.#onSocket = null;
      return Promise.resolve();
    };
    return Promise.resolve({ address, stop });
  }

  /** Serves one connection on the port. Without a listener it is reset. */
  accept(port: PipePort): void {
    const socket = new PortSocket(port);
    if (this.#onSocket === null) socket.reset();
    else this.#onSocket(socket);
  }
}

/** One side of a connection. The other side may be one too. */
export class PortSocket implements Socket {
  readonly isSecure = false;
  readonly alpn = null;
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly #port: PipePort;
  #sink: SocketSink | null = null;
  /** Arrived and not read: bytes, and null for the end. */
  readonly #arrived: (Uint8Array | null)[] = [];
  #isPaused = false;
  #unreadBytes = 0;
  #owesDrain = false;
  #hasEnded = false;
  #peerEnded = false;
  #isClosed = false;

  constructor(port: PipePort) {
    this.#port = port;
  }

  start(sink: SocketSink): void {
    this.#sink = sink;
    this.#port.onmessage = ({ data }) => this.#receive(data);
    this.#port.start();
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (this.#isClosed || this.#hasEnded) return true;
    // A copy: the caller's array may be part of a larger one, which a transfer would take with it.
    if (bytes.length > 0) this.#send(bytes.slice());
    onWritten?.();
    return this.#accepts();
  }

  writeBorrowed(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  writeText(text: string): boolean {
    if (this.#isClosed || this.#hasEnded) return true;
    this.#send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    return this.#accepts();
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.writeText(text);
    return this.write(bytes);
  }

  get pendingBytes(): number {
    return this.#unreadBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    queueMicrotask(() => this.#read());
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#hasEnded = true;
    if (this.#unreadBytes > 0) this.#owesDrain = true;
    this.#port.postMessage(END, []);
    this.#closeWhenBothEnded();
  }

  destroy(): void {
    if (!this.#hasEnded && !this.#isClosed) this.#port.postMessage(END, []);
    this.#hasEnded = true;
    this.#close(null);
  }

  reset(): void {
    if (!this.#isClosed) this.#port.postMessage(RESET, []);
    this.#close(null);
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unreadBytes += bytes.length;
    this.#port.postMessage(bytes, [bytes.buffer]);
  }

  #accepts(): boolean {
    if (this.#unreadBytes < HIGH_WATER_BYTES) return true;
    this.#owesDrain = true;
    return false;
  }

  #receive(message: unknown): void {
    if (this.#isClosed) return;
    if (typeof message === "number") {
      this.#credit(message);
    } else if (message instanceof Uint8Array || message === END) {
      this.#arrived.push(message === END ? null : message);
      this.#read();
    } else {
      // A reset, or something that no side of this pipe says.
      this.#close(
        new Error(message === RESET ? "the port's other side reset it" : "not a message of a pipe"),
      );
    }
  }

  #credit(byteLength: number): void {
    this.#unreadBytes = Math.max(this.#unreadBytes - byteLength, 0);
    if (!this.#owesDrain || this.#unreadBytes >= HIGH_WATER_BYTES) return;
    if (this.#hasEnded && this.#unreadBytes > 0) return;
    this.#owesDrain = false;
    this.#sink?.onDrain();
    this.#closeWhenBothEnded();
  }

  #read(): void {
    const sink = this.#sink as SocketSink;
    while (!this.#isPaused && !this.#isClosed) {
      const chunk = this.#arrived.shift();
      if (chunk === undefined) return;
      if (chunk === null) {
        this.#peerEnded = true;
        sink.onEnd();
        this.#closeWhenBothEnded();
        continue;
      }
      this.#port.postMessage(chunk.length, []);
      for (let at = 0; at < chunk.length; at += sink.receiveBuffer.length) {
        const part = chunk.subarray(at, at + sink.receiveBuffer.length);
        sink.receiveBuffer.set(part);
        sink.onBytes(part.length, part);
      }
    }
  }

  #closeWhenBothEnded(): void {
    if (this.#hasEnded && this.#peerEnded && this.#unreadBytes === 0) this.#close(null);
  }

  #close(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrived.length = 0;
    queueMicrotask(() => {
      // What was posted before still arrives: closing follows it.
      this.#port.close();
      this.#sink?.onClose(error);
    });
  }
}
