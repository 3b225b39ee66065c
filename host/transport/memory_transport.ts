// A network inside the process, for tests that must not depend on timing and for embedders without sockets.
//
// A connection is a pair of sockets. What one side writes travels at most `capacityBytes` ahead of what the other has read,
// as a kernel's buffers would let it, and arrives in pieces of at most `splitBytes`. A side that is paused reads nothing, so a
// stall is `pause()`. Every call of a sink is a microtask of its own: never within a call of a socket's methods, and in the
// same order whenever the same calls were made. No time passes here and nothing is lost.

import type { BoundAddress, Listener, ListenTarget, Socket, SocketSink, Transport } from "./transport.ts";

/** How a connection behaves. */
export interface MemoryNetworkOptions {
  /** The most bytes that arrive at once. Default: as many as the reader has room for. */
  readonly splitBytes?: number;
  /** Bytes that travel without having been read. Default 65,536. */
  readonly capacityBytes?: number;
}

const DEFAULT_CAPACITY_BYTES = 65536;
/** More than this waiting makes `write` answer false. */
const HIGH_WATER_BYTES = 65536;
const FIRST_FREE_PORT = 49152;

export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly #options: MemoryNetworkOptions;
  readonly #listeners = new Map<string, (socket: Socket) => void>();
  #nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions = {}) {
    this.#options = options;
  }

  listen(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Listener> {
    if (target.tls !== undefined) return Promise.reject(new TypeError("the memory transport has no TLS"));
    const address = this.#address(target);
    const name = listenerName(address);
    if (this.#listeners.has(name)) {
      return Promise.reject(new Error(`listen EADDRINUSE: address already in use ${name}`));
    }
    this.#listeners.set(name, onSocket);
    const stop = (): Promise<void> => {
      this.#listeners.delete(name);
      return Promise.resolve();
    };
    return Promise.resolve({ address, stop });
  }

  /** Connects to a listener of this transport, by port or by path; answers the connecting side's socket. */
  connect(to: number | string, options: MemoryNetworkOptions = this.#options): Socket {
    const name = String(to);
    const onSocket = this.#listeners.get(name);
    if (onSocket === undefined) throw new Error(`connect ECONNREFUSED ${name}`);
    const port = this.#nextPort++;
    const connecting = new MemorySocket(options, port);
    const accepted = new MemorySocket(options, port);
    connecting.join(accepted);
    accepted.join(connecting);
    queueMicrotask(() => onSocket(accepted));
    return connecting;
  }

  #address(target: ListenTarget): BoundAddress {
    if (target.path !== undefined) return { host: "", port: 0, path: target.path };
    const port = target.port === undefined || target.port === 0 ? this.#nextPort++ : target.port;
    return { host: target.host ?? "memory", port, path: null };
  }
}

function listenerName(address: BoundAddress): string {
  return address.path ?? String(address.port);
}

class MemorySocket implements Socket {
  readonly isSecure = false;
  readonly alpn = null;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  readonly #splitBytes: number;
  readonly #capacityBytes: number;
  /** The other side; itself until joined. */
  #remote: MemorySocket = this;
  #sink: SocketSink | null = null;
  /** What the other side wrote and this side has not read. */
  readonly #arriving: Uint8Array[] = [];
  #arrivingBytes = 0;
  #isPaused = false;
  #owesDrain = false;
  #hasEnded = false;
  #toldEnd = false;
  #failure: Error | null = null;
  #isDestroyed = false;
  #toldClose = false;
  #isScheduled = false;

  constructor(options: MemoryNetworkOptions, port: number) {
    this.remotePort = port;
    this.#splitBytes = options.splitBytes ?? Infinity;
    this.#capacityBytes = options.capacityBytes ?? DEFAULT_CAPACITY_BYTES;
  }

  join(remote: MemorySocket): void {
    this.#remote = remote;
  }

  start(sink: SocketSink): void {
    this.#sink = sink;
    this.#schedule();
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    const remote = this.#remote;
    if (this.#isDestroyed || this.#hasEnded) return true;
    if (bytes.length > 0) {
      remote.#arriving.push(onWritten === undefined ? bytes : bytes.slice());
      remote.#arrivingBytes += bytes.length;
      remote.#schedule();
    }
    onWritten?.();
    const accepts = this.pendingBytes < HIGH_WATER_BYTES;
    if (!accepts) this.#owesDrain = true;
    return accepts;
  }

  writeText(text: string): boolean {
    return this.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.writeText(text);
    return this.write(bytes);
  }

  get pendingBytes(): number {
    return Math.max(this.#remote.#arrivingBytes - this.#capacityBytes, 0);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#hasEnded || this.#isDestroyed) return;
    this.#hasEnded = true;
    this.#owesDrain = true;
    this.#schedule();
    this.#remote.#schedule();
  }

  destroy(): void {
    this.#close(null);
  }

  reset(): void {
    this.#close(new Error("read ECONNRESET"));
  }

  /** Ends both directions; the other side is told of an end, or of an error that overtakes what was still to arrive. */
  #close(told: Error | null): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#schedule();
    if (told === null) this.#hasEnded = true;
    else this.#remote.#fail(told);
    this.#remote.#schedule();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#isDestroyed = true;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#sink === null || this.#toldClose) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#step(this.#sink as SocketSink);
    });
  }

  /** Tells the sink the one thing that is due most, and comes back for the next. */
  #step(sink: SocketSink): void {
    if (this.#isDestroyed) {
      this.#toldClose = true;
      sink.onClose(this.#failure);
      return;
    }
    if (this.#owesDrain && this.pendingBytes === 0) {
      this.#owesDrain = false;
      this.#schedule();
      sink.onDrain();
    } else if (!this.#isPaused && this.#arrivingBytes > 0) {
      this.#schedule();
      this.#read(sink);
    } else if (!this.#isPaused && this.#remote.#hasEnded === true && !this.#toldEnd) {
      this.#toldEnd = true;
      this.#schedule();
      sink.onEnd();
    } else if (this.#toldEnd && this.#hasEnded && this.#remote.#arrivingBytes === 0) {
      this.#isDestroyed = true;
      this.#schedule();
    }
  }

  #read(sink: SocketSink): void {
    const { receiveBuffer } = sink;
    const most = Math.min(this.#splitBytes, receiveBuffer.length);
    let length = 0;
    while (length < most) {
      const first = this.#arriving[0];
      if (first === undefined) break;
      const part = first.subarray(0, most - length);
      receiveBuffer.set(part, length);
      length += part.length;
      if (part.length === first.length) this.#arriving.shift();
      else this.#arriving[0] = first.subarray(part.length);
    }
    this.#arrivingBytes -= length;
    this.#remote.#schedule();
    sink.onBytes(length);
  }
}
