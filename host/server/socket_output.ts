// Messages of a WebSocket that do not leave at once: large ones, compressed ones, and those that wait for a slow peer.
//
// A socket has no such object until the first of these. Over HTTP/1.1 a large payload never passes through the engine's memory:
// it frames, and the socket writes the bytes. Order is kept: what comes after a message that waits, waits too.

import { EngineError } from "../engine/engine_error.ts";
import { MessageKind, PayloadPath, Status } from "../engine/index.ts";
import type { WebSocketSendable } from "../router/index.ts";
import type { Session } from "./session.ts";
import type { SocketCompression } from "./socket_compression.ts";
import { tellHandlerError, type RoutedSocket } from "./socket_handlers.ts";

/** Payloads from this size on are written by the socket, where the engine lets it. */
const FRAMED_BYTES = 4096;
/** Bytes that wait after which the peer is not read for now, and what has to be left of them before it is read again. */
const HOLD_BYTES = 1024 * 1024;
const RESUME_BYTES = 262144;

/** The WebSocket whose messages they are. */
export interface OutputOwner extends RoutedSocket {
  readonly session: Session;
  /** The engine's handle. */
  readonly handle: number;
  readonly compression: SocketCompression | null;
  holdForOutput(isHeld: boolean): void;
  /** Everything that waited has been handed over; `isDrained`: after `send` had said to wait. */
  outputEmptied(isDrained: boolean): void;
  /** More waits than the route allows. */
  outputOverflowed(): void;
  terminate(): void;
}

interface Waiting {
  bytes: Uint8Array;
  kind: number;
  /** Payload that was handed over; -1 while the frame's header was not. */
  sent: number;
  /** False while it is being compressed. */
  isReady: boolean;
}

export class SocketOutput {
  readonly #socket: OutputOwner;
  readonly #queue: Waiting[] = [];
  #byteLength = 0;
  /** `send` has said to wait. */
  #isAwaited = false;
  #isHolding = false;
  #isAdvancing = false;

  constructor(socket: OutputOwner) {
    this.#socket = socket;
  }

  /** Bytes that wait here. */
  get byteLength(): number {
    return this.#byteLength;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Sends a message, or keeps it. False: to be waited for. */
  send(message: WebSocketSendable, compress: boolean | undefined): boolean {
    const bytes = bytesOf(message);
    const { compression, session } = this.#socket;
    const kind = typeof message === "string" ? MessageKind.TEXT : MessageKind.BINARY;
    const isCompressed = compression !== null && (compress ?? bytes.length >= compression.threshold);
    const waiting: Waiting = { bytes, kind, sent: -1, isReady: !isCompressed };
    if (!isCompressed && this.#queue.length === 0 && this.#pass(waiting)) {
      session.scheduleFlush();
      return !session.isBlocked;
    }
    this.#queue.push(waiting);
    this.#byteLength += bytes.length;
    if (isCompressed) this.#compress(waiting);
    if (this.#byteLength > this.#socket.route.maxBufferedBytes) {
      this.#socket.outputOverflowed();
      return false;
    }
    if (this.#byteLength > HOLD_BYTES && !this.#isHolding) {
      this.#isHolding = true;
      this.#socket.holdForOutput(true);
    }
    session.scheduleFlush();
    // What is only being compressed is not the peer's fault.
    if (isCompressed && this.#byteLength <= HOLD_BYTES && !session.isBlocked) return true;
    this.#isAwaited = true;
    return false;
  }

  /** There is room again. */
  writable(): void {
    this.#advance();
  }

  /** Nobody will read it any more. */
  drop(): void {
    this.#queue.length = 0;
    this.#byteLength = 0;
  }

  #compress(waiting: Waiting): void {
    const { compression } = this.#socket;
    compression?.deflate(waiting.bytes).then(
      (bytes) => {
        if (!this.#queue.includes(waiting)) return;
        this.#byteLength += bytes.length - waiting.bytes.length;
        waiting.bytes = bytes;
        waiting.kind |= MessageKind.COMPRESSED;
        waiting.isReady = true;
        this.#advance();
      },
      (error: unknown) => {
        if (!this.#queue.includes(waiting)) return;
        tellHandlerError(this.#socket, error);
        this.#socket.terminate();
      },
    );
  }

  #advance(): void {
    const { session } = this.#socket;
    // Passing a message on may free room at once, and be told of it.
    if (this.#isAdvancing || session.isClosed || session.host.isFailed) return;
    this.#isAdvancing = true;
    const wasEmpty = this.#queue.length === 0;
    for (let first = this.#queue[0]; first !== undefined && first.isReady; first = this.#queue[0]) {
      const before = Math.max(first.sent, 0);
      const isPassed = this.#pass(first);
      this.#byteLength -= isPassed ? first.bytes.length - before : Math.max(first.sent, 0) - before;
      if (!isPassed) break;
      this.#queue.shift();
    }
    this.#isAdvancing = false;
    session.scheduleFlush();
    if (this.#isHolding && this.#byteLength <= RESUME_BYTES) {
      this.#isHolding = false;
      this.#socket.holdForOutput(false);
    }
    if (this.#queue.length !== 0 || (wasEmpty && !this.#isAwaited)) return;
    const isDrained = this.#isAwaited;
    this.#isAwaited = false;
    this.#socket.outputEmptied(isDrained);
  }

  /** Hands a message over; false when some of it has to wait. One that nobody takes any more is passed, too. */
  #pass(waiting: Waiting): boolean {
    const { session, handle } = this.#socket;
    if (session.isBlocked) return false;
    const { engine } = session.host;
    const { bytes } = waiting;
    if (waiting.sent < 0) {
      const isWhole = bytes.length < FRAMED_BYTES || (session.isMultiplexed && bytes.length <= WHOLE_BYTES);
      if (isWhole) return this.#isDone(engine.sockets.sendBytes(handle, waiting.kind, bytes));
      const path = engine.doors.beginMessage(handle, waiting.kind, bytes.length);
      if (path < 0) return this.#isDone(path);
      if (path === Number(PayloadPath.SOCKET)) {
        session.writeFramed(bytes);
        return true;
      }
      waiting.sent = 0;
    }
    while (waiting.sent < bytes.length) {
      const offered = Math.min(bytes.length - waiting.sent, engine.sockets.payloadMost);
      const taken = engine.sockets.sendPayload(handle, bytes.subarray(waiting.sent, waiting.sent + offered));
      if (taken < 0) return this.#isDone(taken);
      waiting.sent += taken;
      if (taken < offered) return false;
    }
    return true;
  }

  #isDone(status: number): boolean {
    if (status === Status.WOULD_BLOCK) return false;
    if (status === Status.MEMORY_FULL) this.#socket.session.socket.reset();
    if (status === Status.OUT_OF_BOUNDS) throw new EngineError(status, "sending a message");
    return true;
  }
}

/** Messages up to this size are handed over in one piece where they become frames of HTTP/2. */
const WHOLE_BYTES = 65536;
const encoder = new TextEncoder();

/** The bytes of what is sent, without a copy where it has some. */
export function bytesOf(message: WebSocketSendable): Uint8Array {
  if (typeof message === "string") return encoder.encode(message);
  if (message instanceof Uint8Array) return message;
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  if (ArrayBuffer.isView(message))
    return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  throw new TypeError(`${typeof message} cannot be sent; a message is a string or bytes`);
}
