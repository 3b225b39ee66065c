// Messages of a WebSocket that do not come in one piece, are compressed, or are asked for (`receive`) rather than told.
//
// A socket has no such object until the first of these. Bytes are copied once, to where the message is put together: the first
// frame says how long it will be at least. Order is kept: while a message is being inflated, those after it wait.

import { WsStatus, SocketFlag } from "../engine/index.ts";
import type { SocketPayload } from "../engine/index.ts";
import type { WebSocketMessage } from "../router/index.ts";
import type { Session } from "./session.ts";
import type { SocketCompression } from "./socket_compression.ts";
import type { RoutedSocket } from "./socket_handlers.ts";
import { isUtf8 } from "./utf8.ts";

/** A message of this size is given room when it is announced; a longer one as it arrives, since announcing costs nothing. */
const ROOM_AT_ONCE = 1024 * 1024;
const LEAST_ROOM = 256;
/** Messages that wait, by number and bytes, after which the peer is not read for now. */
const WAITING_MOST = 16;
const WAITING_BYTES_MOST = 262144;

/** The WebSocket whose messages they are. */
export interface InputOwner extends RoutedSocket {
  readonly session: Session;
  readonly compression: SocketCompression | null;
  /** A message is complete. */
  deliver(message: WebSocketMessage): void;
  /** What the peer sent cannot be taken. */
  failed(status: number): void;
  holdInput(isHeld: boolean): void;
}

interface Waiting {
  readonly bytes: Uint8Array | null;
  readonly isBinary: boolean;
  /** Complete already. */
  readonly message: WebSocketMessage | null;
}

export class SocketInput {
  readonly #socket: InputOwner;
  #buffer: Uint8Array | null = null;
  #length = 0;
  /** Complete messages in their order, from the first that is being inflated on. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWorking = false;
  /** Messages for `receive`, and who waits for one. */
  #received: WebSocketMessage[] = [];
  #receivedBytes = 0;
  #receivers: ((message: WebSocketMessage | null) => void)[] = [];
  #isEnded = false;
  #idleCallback: (() => void) | null = null;
  #isHeld = false;

  constructor(socket: InputOwner) {
    this.#socket = socket;
  }

  /** Nothing waits to be inflated. */
  get isIdle(): boolean {
    return !this.#isWorking;
  }

  whenIdle(callback: () => void): void {
    this.#idleCallback = callback;
  }

  piece(flags: number, payload: SocketPayload, missing: number): void {
    if ((flags & SocketFlag.FIRST) !== 0) this.#length = 0;
    this.#append(payload, missing);
    if ((flags & SocketFlag.LAST) === 0) return;
    const bytes = this.#take();
    const isBinary = (flags & SocketFlag.BINARY) !== 0;
    if ((flags & SocketFlag.COMPRESSED) !== 0) {
      this.#wait({ bytes, isBinary, message: null }, bytes.length);
    } else {
      const message = messageOf(bytes, isBinary);
      if (this.#isWorking) this.#wait({ bytes: null, isBinary, message }, bytes.length);
      else this.#complete(message, bytes.length);
    }
  }

  receive(): Promise<WebSocketMessage | null> {
    const message = this.#received.shift();
    if (message === undefined) {
      if (this.#isEnded) return Promise.resolve(null);
      return new Promise((resolve) => this.#receivers.push(resolve));
    }
    this.#receivedBytes -= message.length;
    this.#updateHold();
    return Promise.resolve(message);
  }

  /** There will be no further message. */
  end(): void {
    this.#isEnded = true;
    this.#buffer = null;
    for (const receiver of this.#receivers.splice(0)) receiver(null);
  }

  #append(payload: SocketPayload, missing: number): void {
    const length = this.#length;
    const needed = length + payload.length;
    if (this.#buffer === null || this.#buffer.length < needed) this.#grow(needed, needed + missing);
    payload.copyTo(this.#buffer as Uint8Array, length);
    this.#length = needed;
  }

  /**
   * Room for `needed` bytes, and for the `announced` ones as far as that is no risk. It at least grows by half: were it made to
   * measure, every small fragment of a long message would have the whole of it copied.
   */
  #grow(needed: number, announced: number): void {
    const old = this.#buffer;
    const least = old === null ? needed : Math.max(LEAST_ROOM, needed + (needed >> 1));
    const larger = newBytes(Math.max(least, Math.min(announced, Math.max(ROOM_AT_ONCE, 2 * needed))));
    if (old !== null) larger.set(old.subarray(0, this.#length));
    this.#buffer = larger;
  }

  #take(): Uint8Array {
    const bytes = (this.#buffer ?? new Uint8Array()).subarray(0, this.#length);
    this.#buffer = null;
    this.#length = 0;
    return bytes;
  }

  #wait(waiting: Waiting, byteLength: number): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += byteLength;
    this.#updateHold();
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    const { compression, session } = this.#socket;
    for (let next = this.#waiting[0]; next !== undefined && !this.#isEnded; next = this.#waiting[0]) {
      let { message } = next;
      if (next.bytes !== null) {
        const inflated =
          compression === null ? WsStatus.DEFLATE_INVALID : await compression.inflate(next.bytes);
        if (session.host.isFailed || this.#isEnded) return;
        const status = typeof inflated === "number" ? inflated : textStatus(inflated, next.isBinary);
        if (status < 0) {
          this.#waiting.length = 0;
          this.#isWorking = false;
          this.#socket.failed(status);
          return;
        }
        message = messageOf(inflated as Uint8Array, next.isBinary);
      }
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes?.length ?? (message as WebSocketMessage).length;
      this.#complete(message as WebSocketMessage, (message as WebSocketMessage).length);
    }
    this.#isWorking = false;
    this.#waitingBytes = 0;
    this.#updateHold();
    const callback = this.#idleCallback;
    this.#idleCallback = null;
    callback?.();
  }

  #complete(message: WebSocketMessage, byteLength: number): void {
    if (this.#socket.route.options.message !== undefined) {
      this.#socket.deliver(message);
      return;
    }
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      receiver(message);
      return;
    }
    this.#received.push(message);
    this.#receivedBytes += byteLength;
    this.#updateHold();
  }

  #updateHold(): void {
    const count = this.#waiting.length + this.#received.length;
    const bytes = this.#waitingBytes + this.#receivedBytes;
    const isHeld = count >= WAITING_MOST || bytes >= WAITING_BYTES_MOST;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#socket.holdInput(isHeld);
  }
}

function messageOf(bytes: Uint8Array, isBinary: boolean): WebSocketMessage {
  return isBinary ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : lenient.decode(bytes);
}

/** Inflated text is checked here, as only here it is text. */
function textStatus(bytes: Uint8Array, isBinary: boolean): number {
  return isBinary || isUtf8(bytes) ? 0 : WsStatus.TEXT_INVALID;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Not zeroed where the runtime can leave that out: all of it is written before it is read. */
function newBytes(length: number): Uint8Array {
  return typeof Buffer === "function" ? Buffer.allocUnsafeSlow(length) : new Uint8Array(length);
}
