// A connection on node:net or node:tls.
//
// Plain sockets read straight into the sink's buffer, as sockets made with node's documented option `onread` do. Only the
// constructor takes that option, and the server has constructed the socket by then: so it is set where the constructor keeps it,
// which is feature-tested. Where it is not found there, the accepted handle moves to a socket made with `onread`, which costs the
// memory of a second socket. TLS sockets, and runtimes with neither, copy each chunk there from `data` events.
//
// Listeners are the same functions for all sockets, and find theirs on the stream: an idle connection holds no closure.
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
import { DenoTextWriter } from "./deno_text_writer.ts";
import { runtime } from "./runtime.ts";
import type { Socket, SocketSink } from "./transport.ts";

/** The part of node's socket that its types leave out, and what belongs to it here. */
interface OwnedSocket extends NetSocket {
  _handle: unknown;
  [OWNER]?: NodeSocket;
}

const OWNER = Symbol("owner");

/** A handle that can read into memory of its user's. */
interface ReadingHandle {
  useUserBuffer(buffer: Uint8Array): void;
}

/** A handle that tells its peer's name. */
interface NamedHandle {
  getpeername(name: { address?: string; port?: number }): number;
}

/** What `resetAndDestroy` sets to have the handle reset rather than closed; without effect where it is not known. */
interface ResettableSocket extends NetSocket {
  resetAndClosing?: boolean;
}

interface OnReadOptions {
  handle: unknown;
  allowHalfOpen: boolean;
  onread: { buffer: Uint8Array; callback: (this: OwnedSocket, length: number) => boolean };
}

/** More than this waiting in a stream makes `write` answer false. */
const HIGH_WATER_BYTES = 245760;

export class NodeSocket implements Socket {
  readonly isSecure: boolean;
  readonly alpn: string | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #readsInPlace: boolean;
  #socket: NetSocket;
  #sink: SocketSink | null = null;
  #failure: Error | null = null;
  #textWriter: DenoTextWriter | null = null;
  #isPaused = false;

  constructor(socket: NetSocket | TLSSocket, isSecure: boolean, readsInPlace: boolean) {
    this.#socket = socket;
    this.isSecure = isSecure;
    this.#readsInPlace = readsInPlace && !isSecure;
    const alpn = isSecure ? (socket as TLSSocket).alpnProtocol : null;
    this.alpn = typeof alpn === "string" ? alpn : null;
    const peer = peerOf(socket);
    this.remoteAddress = peer.remoteAddress ?? "";
    this.remotePort = peer.remotePort ?? 0;
  }

  start(sink: SocketSink): void {
    this.#sink = sink;
    if (this.#readsInPlace && (this.#setOnread(sink) || this.#moveHandle(sink))) {
      this.#listen();
      // Starts the handle; `onread` takes the bytes before the stream sees them.
      this.#socket.read(0);
      if (runtime === "deno") this.#textWriter = DenoTextWriter.of(this.#socket, () => this.drained());
    } else {
      this.#socket.on("data", onData);
      this.#listen();
    }
    this.#socket.resume();
  }

  /** Has the accepted socket read into the sink's buffer. False when this runtime keeps `onread` elsewhere. */
  #setOnread(sink: SocketSink): boolean {
    const socket = this.#socket as OwnedSocket & Record<symbol, unknown>;
    const handle = socket._handle as Partial<ReadingHandle> | null;
    onreadKeys ??= findOnreadKeys(socket);
    const { buffer, callback } = onreadKeys;
    if (buffer === null || callback === null || typeof handle?.useUserBuffer !== "function") return false;
    socket[buffer] = sink.receiveBuffer;
    socket[callback] = onRead;
    handle.useUserBuffer(sink.receiveBuffer);
    return true;
  }

  /** Moves the accepted handle to a socket that reads into the sink's buffer. False when this runtime cannot. */
  #moveHandle(sink: SocketSink): boolean {
    const accepted = this.#socket as OwnedSocket;
    const handle = accepted._handle;
    if (handle === null || typeof handle !== "object") return false;
    accepted._handle = null;
    const options: OnReadOptions = {
      handle,
      allowHalfOpen: true,
      onread: { buffer: sink.receiveBuffer, callback: onRead },
    };
    this.#socket = new NetSocket(options);
    return true;
  }

  #listen(): void {
    const socket = this.#socket as OwnedSocket;
    socket[OWNER] = this;
    socket.on("end", onEnd);
    socket.on("drain", onDrain);
    socket.on("finish", onDrain);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.setNoDelay(true);
  }

  /** Bytes are at the front of the sink's buffer. False: read no more for now. */
  arrived(length: number): boolean {
    this.#sink?.onBytes(length);
    return !this.#isPaused;
  }

  arrivedElsewhere(chunk: Buffer): void {
    const sink = this.#sink;
    if (sink === null) return;
    const { receiveBuffer } = sink;
    for (let at = 0; at < chunk.length; at += receiveBuffer.length) {
      const part = chunk.subarray(at, at + receiveBuffer.length);
      receiveBuffer.set(part);
      sink.onBytes(part.length, part);
    }
  }

  ended(): void {
    this.#sink?.onEnd();
  }

  drained(): void {
    this.#sink?.onDrain();
  }

  failed(error: Error): void {
    this.#failure = error;
  }

  closed(): void {
    this.#sink?.onClose(this.#failure);
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (onWritten === undefined) this.#socket.write(bytes);
    else {
      this.#socket.write(bytes, (error) => {
        // A write that failed may still be on its way through the kernel's queue.
        if (error === null || error === undefined) onWritten();
      });
    }
    return this.pendingBytes < HIGH_WATER_BYTES;
  }

  writeText(text: string): boolean {
    if (this.#textWriter === null || !this.#textWriter.write(text)) this.#streamText(text);
    return this.pendingBytes < HIGH_WATER_BYTES;
  }

  #streamText(text: string): void {
    if (this.isSecure && runtime === "deno") this.#socket.write(Buffer.from(text, "latin1"));
    else this.#socket.write(text, "latin1");
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    const socket = this.#socket;
    socket.cork();
    this.#streamText(text);
    socket.write(bytes);
    socket.uncork();
    return this.pendingBytes < HIGH_WATER_BYTES;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength + (this.#textWriter?.pendingBytes ?? 0);
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

/** The peer's name from the handle: a socket that is asked keeps an object for it. */
function peerOf(socket: NetSocket): { remoteAddress?: string | undefined; remotePort?: number | undefined } {
  const handle = (socket as OwnedSocket)._handle as Partial<NamedHandle> | null;
  if (typeof handle?.getpeername !== "function") return socket;
  const name: { address?: string; port?: number } = {};
  if (handle.getpeername(name) !== 0 || typeof name.address !== "string") return socket;
  return { remoteAddress: name.address, remotePort: name.port };
}

/** Where a socket's constructor keeps `onread`, null where it is not found; null before the first socket was looked at. */
let onreadKeys: { buffer: symbol | null; callback: symbol | null } | null = null;

function findOnreadKeys(socket: NetSocket): { buffer: symbol | null; callback: symbol | null } {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string): symbol | null =>
    symbols.find(({ description }) => description === name) ?? null;
  return { buffer: named("kBuffer"), callback: named("kBufferCb") };
}

function onRead(this: OwnedSocket, length: number): boolean {
  return this[OWNER]?.arrived(length) ?? true;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.arrivedElsewhere(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.ended();
}

function onDrain(this: OwnedSocket): void {
  this[OWNER]?.drained();
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER]?.failed(error);
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.closed();
}
