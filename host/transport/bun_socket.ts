// A connection of Bun.listen.
//
// Bun's sockets write at once what the kernel takes and keep nothing: what it did not take waits here, in order, until `drain`.
// So bytes that are valid for the call only (`writeBorrowed`) reach the kernel straight from linear memory, and are copied
// where they have to wait. Bun tells `close` within `terminate` and `end`; the sink is told in a microtask of its own.
//
// Invariant: while something waits, everything written goes behind it.

import type { Socket, SocketSink } from "./transport.ts";

/** The part of Bun's sockets that is used here. */
export interface NativeSocket {
  data: BunSocket | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Answers how many of the bytes were taken; below zero when it is closed. */
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  /** Ends the write side. */
  shutdown(): void;
  /** Closes, with an end for the peer. */
  end(): void;
  /** Closes, with a reset for the peer. */
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(isOn: boolean): void;
}

/** More than this waiting makes `write` answer false. */
const HIGH_WATER_BYTES = 245_760;
/** Text up to this length is encoded into one array that all sockets share. */
const SHARED_TEXT_BYTES = 16_384;
const sharedText = Buffer.allocUnsafeSlow(SHARED_TEXT_BYTES);

interface Waiting {
  bytes: Uint8Array;
  readonly onWritten: (() => void) | undefined;
}

export class BunSocket implements Socket {
  readonly isSecure = false;
  readonly alpn = null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #native: NativeSocket;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #sink: SocketSink | null = null;
  #owesDrain = false;
  #isPaused = false;
  #hasEnded = false;
  #peerEnded = false;
  #isClosed = false;

  constructor(native: NativeSocket) {
    this.#native = native;
    this.remoteAddress = native.remoteAddress;
    this.remotePort = native.remotePort;
    native.setNoDelay(true);
  }

  start(sink: SocketSink): void {
    this.#sink = sink;
  }

  // What Bun tells.

  received(chunk: Uint8Array): void {
    const sink = this.#sink;
    if (sink === null) return;
    const { receiveBuffer } = sink;
    if (chunk.length <= receiveBuffer.length) {
      receiveBuffer.set(chunk);
      sink.onBytes(chunk.length, chunk);
      return;
    }
    for (let at = 0; at < chunk.length; at += receiveBuffer.length) {
      const part = chunk.subarray(at, at + receiveBuffer.length);
      receiveBuffer.set(part);
      sink.onBytes(part.length, part);
    }
  }

  /** The kernel takes bytes again. */
  drained(): void {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0] as Waiting;
      const taken = this.#native.write(first.bytes);
      if (taken <= 0) return;
      this.#waitingBytes -= taken;
      if (taken < first.bytes.length) {
        first.bytes = first.bytes.subarray(taken);
        return;
      }
      this.#waiting.shift();
      first.onWritten?.();
    }
    if (this.#hasEnded) this.#endNow();
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.#sink?.onDrain();
  }

  ended(): void {
    this.#peerEnded = true;
    this.#sink?.onEnd();
  }

  closed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    queueMicrotask(() => this.#sink?.onClose(error ?? null));
  }

  // What the server asks.

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (this.#isClosed) return true;
    const taken = this.#writeNow(bytes);
    if (taken === bytes.length) onWritten?.();
    else this.#wait(taken === 0 ? bytes : bytes.subarray(taken), onWritten);
    return this.#accepts();
  }

  writeBorrowed(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    const taken = this.#writeNow(bytes);
    // Not by `slice`, which of a Buffer is no copy.
    if (taken < bytes.length) this.#wait(new Uint8Array(bytes.subarray(taken)), undefined);
    return this.#accepts();
  }

  writeText(text: string): boolean {
    if (text.length > SHARED_TEXT_BYTES) return this.write(Buffer.from(text, "latin1"));
    return this.writeBorrowed(sharedText.subarray(0, sharedText.write(text, 0, "latin1")));
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.writeText(text);
    return this.write(bytes);
  }

  get pendingBytes(): number {
    return this.#waitingBytes;
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#native.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#native.resume();
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#hasEnded = true;
    if (this.#waiting.length > 0) this.#owesDrain = true;
    else this.#endNow();
  }

  destroy(): void {
    if (!this.#isClosed) this.#native.end();
  }

  reset(): void {
    if (!this.#isClosed) this.#native.terminate();
  }

  /** Bytes that the kernel takes now. */
  #writeNow(bytes: Uint8Array): number {
    return this.#waiting.length > 0 ? 0 : Math.max(this.#native.write(bytes), 0);
  }

  #wait(bytes: Uint8Array, onWritten: (() => void) | undefined): void {
    this.#waiting.push({ bytes, onWritten });
    this.#waitingBytes += bytes.length;
  }

  #accepts(): boolean {
    if (this.#waitingBytes < HIGH_WATER_BYTES) return true;
    this.#owesDrain = true;
    return false;
  }

  /** Everything was written. Once both sides have ended, Bun closes. */
  #endNow(): void {
    if (this.#peerEnded) this.#native.end();
    else this.#native.shutdown();
  }
}
