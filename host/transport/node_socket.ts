// A connection on node:net or node:tls.
//
// Plain sockets read straight into the sink's buffer: the accepted handle is taken from the paused socket that the server
// made and given to a new one with `onread` (Node's documented option, but only its constructor takes an accepted handle, so
// this is feature-tested). TLS sockets, and runtimes without that, copy each chunk there from `data` events.
//
// Deno's TLS sockets write a string that has to wait as UTF-8, whatever encoding was asked for, so there text becomes bytes.
//
// Deno's TLS sockets also tell `end` where the peer reset the connection: what is under way there is only cut by its next write.
//
// A stream that was ended tells no `drain` any more, so `finish` stands in for it.
//
// Writing hands over to the stream, which copies nothing; the caller gives up the bytes.

import { Socket as NetSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import { runtime } from "./runtime.ts";
import type { Socket, SocketSink } from "./transport.ts";

/** The part of node's socket that its types leave out. */
interface AcceptedSocket {
  _handle: unknown;
}

/** What `resetAndDestroy` sets to have the handle reset rather than closed; without effect where it is not known. */
interface ResettableSocket extends NetSocket {
  resetAndClosing?: boolean;
}

interface OnReadOptions {
  handle: unknown;
  allowHalfOpen: boolean;
  onread: { buffer: Uint8Array; callback: (length: number) => boolean };
}

/** More than this waiting in a stream makes `write` answer false. */
const HIGH_WATER_BYTES = 245760;

export class NodeSocket implements Socket {
  readonly isSecure: boolean;
  readonly alpn: string | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #readsInPlace: boolean;
  readonly #writesText: boolean;
  #socket: NetSocket;
  #isPaused = false;

  constructor(socket: NetSocket | TLSSocket, isSecure: boolean, readsInPlace: boolean) {
    this.#socket = socket;
    this.isSecure = isSecure;
    this.#readsInPlace = readsInPlace && !isSecure;
    this.#writesText = !isSecure || runtime !== "deno";
    const alpn = isSecure ? (socket as TLSSocket).alpnProtocol : null;
    this.alpn = typeof alpn === "string" ? alpn : null;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
  }

  start(sink: SocketSink): void {
    if (this.#readsInPlace && this.#startInPlace(sink)) return;
    const socket = this.#socket;
    const { receiveBuffer } = sink;
    socket.on("data", (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += receiveBuffer.length) {
        const part = chunk.subarray(at, at + receiveBuffer.length);
        receiveBuffer.set(part);
        sink.onBytes(part.length, part);
      }
    });
    this.#listen(socket, sink);
    socket.resume();
  }

  /** Moves the accepted handle to a socket that reads into the sink's buffer. False when this runtime cannot. */
  #startInPlace(sink: SocketSink): boolean {
    const accepted = this.#socket as unknown as AcceptedSocket;
    const handle = accepted._handle;
    if (handle === null || typeof handle !== "object") return false;
    accepted._handle = null;
    const options: OnReadOptions = {
      handle,
      allowHalfOpen: true,
      onread: {
        buffer: sink.receiveBuffer,
        callback: (length) => {
          sink.onBytes(length);
          return !this.#isPaused;
        },
      },
    };
    const socket = new NetSocket(options);
    this.#socket = socket;
    this.#listen(socket, sink);
    // Starts the handle; `onread` takes the bytes before the stream sees them.
    socket.read(0);
    socket.resume();
    return true;
  }

  #listen(socket: NetSocket, sink: SocketSink): void {
    let failure: Error | null = null;
    socket.on("end", () => sink.onEnd());
    socket.on("drain", () => sink.onDrain());
    socket.on("finish", () => sink.onDrain());
    socket.on("error", (error: Error) => (failure = error));
    socket.on("close", () => sink.onClose(failure));
    socket.setNoDelay(true);
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (onWritten === undefined) this.#socket.write(bytes);
    else {
      this.#socket.write(bytes, (error) => {
        // A write that failed may still be on its way through the kernel's queue.
        if (error === null || error === undefined) onWritten();
      });
    }
    return this.#socket.writableLength < HIGH_WATER_BYTES;
  }

  writeText(text: string): boolean {
    if (!this.#writesText) return this.write(Buffer.from(text, "latin1"));
    this.#socket.write(text, "latin1");
    return this.#socket.writableLength < HIGH_WATER_BYTES;
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    const socket = this.#socket;
    socket.cork();
    this.writeText(text);
    socket.write(bytes);
    socket.uncork();
    return socket.writableLength < HIGH_WATER_BYTES;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    const socket = this.#socket as ResettableSocket;
    // Not by `resetAndDestroy`, which first ends the stream, and so tells the peer the very thing that this is to deny. Once
    // the stream was ended it is too late, and other handles than TCP's cannot be reset.
    if (!this.isSecure && this.remoteAddress !== "" && !socket.writableEnded) socket.resetAndClosing = true;
    socket.destroy();
  }
}
