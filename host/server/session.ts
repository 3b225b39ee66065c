// One connection: where a socket and a connection of the engine meet.
//
// Bytes go from the socket to the engine, which lies where the socket reads to; events are acted on at once; what the engine
// then has to send is written in one piece per turn. While the socket takes nothing, nothing is polled from the engine, so
// that a slow peer's output waits in one place, with one limit and one deadline.

import { Status } from "../engine/index.ts";
import type { Socket, SocketSink } from "../transport/transport.ts";
import { countOf, hasItem, itemsOf, withItem, withoutItem, type Few } from "./few.ts";
import { OutputBlock } from "./output_block.ts";
import { BLOCK_BYTES } from "./write_blocks.ts";
import type { EngineInstance } from "./engine_instance.ts";
import type { SharedFrames } from "./shared_frames.ts";

/** Output up to this size is written as text, which node hands to the kernel without making a buffer. */
const TEXT_WRITE_BYTES = 8192;
/** A view keeps all that arrived with it in memory: a smaller share of that is copied. */
const KEPT_SHARE = 2;
/** Output from this size on is written from a block that is used again. */
const BLOCK_WRITE_BYTES = BLOCK_BYTES / 4;

/** The instance that a session is on. */
export interface SessionHost extends EngineInstance {
  /** What answers over TLS say of alternative services (RFC 7838), null for nothing. */
  altSvc(): string | null;
  /** The session's socket is gone. */
  forget(session: Session): void;
}

/** An exchange whose answer is not complete, as its connection sees it. */
export interface OpenExchange {
  /** The engine's handle. */
  readonly handle: number;
  /** The engine can take more content. */
  writable(): void;
  /** The peer went away, or broke the protocol within this request. `isFinal`: no answer can be sent any more. */
  abort(reason: Error, isFinal: boolean): void;
}

/** A WebSocket that is open, as its connection sees it. */
export interface OpenSocket {
  /** The engine's handle. */
  readonly handle: number;
  /** The engine can take more. */
  writable(): void;
  close(code: number): void;
  /** The connection is gone. */
  aborted(): void;
}

export class Session implements SocketSink {
  readonly host: SessionHost;
  readonly socket: Socket;
  readonly handle: number;
  /** Several exchanges share the connection at a time. */
  isMultiplexed = false;
  /** Exchanges whose answer was not complete when their handler returned. */
  #unfinished: Few<OpenExchange> = null;
  #webSockets: Few<OpenSocket> = null;
  #isBlocked = false;
  #isClosed = false;
  #isEnding = false;
  #flushScheduled = false;
  /** Frames shared with other sessions that leave with the next flush. */
  #shared: SharedFrames | null = null;
  /** Output that leaves in one piece with the next flush; null before the first. */
  #output: OutputBlock | null = null;
  /** The bytes that are being received in an array that may be kept; null where there is none. */
  #kept: Uint8Array | null = null;

  constructor(host: SessionHost, socket: Socket, handle: number) {
    this.host = host;
    this.socket = socket;
    this.handle = handle;
  }

  /** The socket takes nothing for now. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The engine is through with the peer; only the peer's end is waited for. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Exchanges whose answer is not complete, as they are now. */
  get exchanges(): readonly OpenExchange[] {
    return itemsOf(this.#unfinished);
  }

  get exchangeCount(): number {
    return countOf(this.#unfinished);
  }

  /** The handler of an exchange returned before its answer was complete. */
  addExchange(exchange: OpenExchange): void {
    this.#unfinished = withItem(this.#unfinished, exchange);
  }

  /** Its answer is complete, or nobody waits for it any more. False: it was not there. */
  deleteExchange(exchange: OpenExchange): boolean {
    if (!hasItem(this.#unfinished, exchange)) return false;
    this.#unfinished = withoutItem(this.#unfinished, exchange);
    return true;
  }

  /** WebSockets that are open, as they are now. */
  get webSockets(): readonly OpenSocket[] {
    return itemsOf(this.#webSockets);
  }

  addWebSocket(socket: OpenSocket): void {
    this.#webSockets = withItem(this.#webSockets, socket);
  }

  deleteWebSocket(socket: OpenSocket): void {
    this.#webSockets = withoutItem(this.#webSockets, socket);
  }

  /** What its answers say of alternative services, null for nothing. Without TLS nobody could trust it. */
  get altSvc(): string | null {
    return this.socket.isSecure ? this.host.altSvc() : null;
  }

  get receiveBuffer(): Uint8Array {
    return this.host.engine.receiveBuffer;
  }

  onBytes(length: number, kept?: Uint8Array): void {
    const { host } = this;
    if (this.#isClosed || host.isFailed) return;
    // Written out rather than through `run`: a closure per read is what the hot path can do without.
    try {
      // Whatever is sent meanwhile leaves with the flush below.
      this.#flushScheduled = true;
      this.#kept = kept ?? null;
      this.#receive(length);
      this.#kept = null;
      this.flush();
      host.armTimer();
    } catch (error) {
      host.fail(error);
    }
  }

  onEnd(): void {
    if (this.#isClosed) return;
    const { host } = this;
    host.run(this, () => {
      while (host.engine.doors.receiveEnd(this.handle, host.now()) === Status.WOULD_BLOCK) {
        if (!host.engine.hasEvents) break;
        host.readEvents();
      }
    });
  }

  onDrain(): void {
    if (this.#isClosed || !this.#isBlocked) return;
    this.host.run(this, () => {
      this.#isBlocked = false;
      this.host.engine.doors.transmitDrained(this.handle, this.host.now());
      for (const exchange of this.exchanges) exchange.writable();
      for (const socket of this.webSockets) socket.writable();
    });
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#output?.close();
    this.host.forget(this);
  }

  #receive(length: number): void {
    const { engine } = this.host;
    const now = this.host.now();
    let offset = 0;
    while (offset < length) {
      const taken = engine.doors.receive(this.handle, offset, length - offset, now);
      this.host.readEvents();
      if (this.#isClosed) return;
      if (taken < 0) {
        this.socket.reset();
        return;
      }
      offset += taken;
    }
  }

  /** Content that arrived and is valid during this call, as an array to keep. `isGathered`: it did not arrive as it lies. */
  keep(bytes: Uint8Array, isGathered: boolean): Uint8Array {
    const kept = this.#kept;
    if (kept !== null && !isGathered && bytes.length >= kept.length / KEPT_SHARE) {
      const at = bytes.byteOffset - this.receiveBuffer.byteOffset;
      if (at >= 0 && at + bytes.length <= kept.length) return kept.subarray(at, at + bytes.length);
    }
    return bytes.slice();
  }

  /** Writes what the engine has to send, as long as the socket takes it. */
  flush(): void {
    this.#flushScheduled = false;
    if (!this.#isBlocked || this.#shared !== null) this.#transmit(this.#shared !== null);
    this.#writeOutput();
    if (this.#shared !== null) this.#writeShared(this.#shared);
    this.host.readEvents();
  }

  /** Polls and writes until the socket takes no more; `all`: whatever it says. */
  #transmit(all: boolean): void {
    const { engine } = this.host;
    while (!this.#isClosed) {
      const length = engine.pollTransmit(this.handle);
      if (length <= 0) break;
      this.#write(length);
      // What is left after less than that is for a later turn.
      if (length < engine.transmitCapacity / 2 || (this.#isBlocked && !all)) break;
    }
  }

  get hasShared(): boolean {
    return this.#shared !== null;
  }

  /** Writes frames that other sessions get too with the next flush, behind whatever was sent before. */
  share(frames: SharedFrames): void {
    this.#shared = this.#shared === null ? frames : this.#shared.followedBy(frames);
    this.scheduleFlush();
  }

  #writeShared(shared: SharedFrames): void {
    this.#shared = null;
    if (this.#isClosed || this.#isEnding) return;
    if (!this.socket.write(shared.bytes)) this.#block();
  }

  /** Writes what was polled, or puts it behind what waits to be written. */
  #write(length: number): void {
    const { engine } = this.host;
    const waits = this.#output !== null && !this.#output.isEmpty;
    if (waits || length >= BLOCK_WRITE_BYTES) {
      this.#append(length);
      if (!waits) this.#writeOutput();
      return;
    }
    const { socket } = this;
    const accepted =
      socket.writeBorrowed !== undefined
        ? socket.writeBorrowed(engine.transmitted(length))
        : length <= TEXT_WRITE_BYTES
          ? socket.writeText(engine.transmittedText(length))
          : socket.write(engine.transmitted(length).slice());
    if (!accepted) this.#block();
  }

  #append(length: number): void {
    const output = (this.#output ??= new OutputBlock(this.host.blocks, this.socket));
    if (length > output.room) this.#writeOutput();
    output.append(this.host.engine.transmitted(length));
  }

  #writeOutput(): void {
    if (this.#output !== null && !this.#output.write()) this.#block();
  }

  /**
   * Puts content in frames behind all that is to be sent; it leaves with the next flush. Answers how much of it, or a status:
   * INVALID_ARGUMENT where the engine is to have the content itself.
   */
  layContent(exchange: number, content: Uint8Array): number {
    const { engine } = this.host;
    for (let length = engine.pollTransmit(this.handle); length > 0; length = engine.pollTransmit(this.handle))
      this.#append(length);
    const output = (this.#output ??= new OutputBlock(this.host.blocks, this.socket));
    if (output.isFull) this.#writeOutput();
    const framed = engine.doors.frameBody(exchange, Math.min(content.length, output.contentRoom));
    if (framed <= 0) return framed;
    output.appendFramed(engine, engine.pollTransmit(this.handle), content.subarray(0, framed));
    if (output.isFull) this.#writeOutput();
    return framed;
  }

  /** Flushes once the code that is running has finished, together with whatever else it sends. */
  scheduleFlush(): void {
    if (this.#flushScheduled || this.#isClosed) return;
    this.#flushScheduled = true;
    this.host.flushLater(this);
  }

  /** Writes content that the engine has framed (frameBody), right after all that was queued before it. */
  writeFramed(bytes: Uint8Array): void {
    const { engine } = this.host;
    this.#writeOutput();
    let length = engine.pollTransmit(this.handle);
    if (length > TEXT_WRITE_BYTES) {
      this.#write(length);
      this.#transmit(true);
      length = 0;
    }
    if (this.#isClosed) return;
    const accepted =
      length > 0 ? this.socket.writeBoth(engine.transmittedText(length), bytes) : this.socket.write(bytes);
    if (!accepted) this.#block();
  }

  #block(): void {
    if (this.#isBlocked) return;
    this.#isBlocked = true;
    this.host.engine.doors.transmitBlocked(this.handle, this.host.now());
  }

  /** The engine is through with the peer, because of `status`; `abort`: do not wait for it. */
  close(status: number, abort: boolean): void {
    if (abort) {
      // A peer that only fails to end its side has its answer; for any other reason something is missing.
      if (status === Status.LINGER_TIMEOUT) this.socket.destroy();
      else this.socket.reset();
    } else if (!this.#isEnding) {
      this.#isEnding = true;
      this.#writeOutput();
      // The time in which the peer has to end its side begins when it has everything.
      if (this.socket.pendingBytes > 0) this.#block();
      this.socket.resume();
      this.socket.end();
    }
  }
}
