// A server of the engine that echoes on every WebSocket, without sockets: bytes in, bytes out, and a log of what was told.

import { Deflate, Engine, Protocol, resolveLimits, Role, SocketFlag } from "../../host/engine/index.ts";
import type { EventSink, LimitOptions, SocketEvents, SocketPayload } from "../../host/engine/index.ts";
import { engineModule } from "./driver.ts";

const HANDSHAKE =
  "GET /ws HTTP/1.1\r\nhost: a.example\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

export interface EchoOptions {
  readonly limits?: LimitOptions;
  readonly messageBytesMax?: number;
}

/** One instance; connections are opened on it one after the other. */
export class EchoServer implements EventSink, SocketEvents {
  readonly engine: Engine;
  readonly sockets = this;
  readonly #messageBytesMax: number;
  #connection = 0;
  /** The WebSocket that is not over; 0 when there is none. */
  #socket = 0;
  #pieces: Uint8Array[] = [];
  #sent: Buffer[] = [];
  /** What was told: codes of SOCKET_CLOSE, reasons, statuses. */
  ends: { code: number; reason: string; status: number }[] = [];
  dataEventCount = 0;
  isClosed = false;
  isAborted = false;
  nowMs = 1;

  constructor(options: EchoOptions = {}) {
    this.engine = Engine.create(engineModule("engine.debug"), {
      memoryBytes: 32 << 20,
      limits: resolveLimits(options.limits ?? {}),
      entropy: new Uint8Array(32).fill(7),
      now: 0,
    });
    this.#messageBytesMax = options.messageBytesMax ?? -1;
  }

  /** Opens a connection and its WebSocket; what the handshake was answered is thrown away. */
  /** `fields`: lines of the handshake beside its own. */
  open(fields = ""): this {
    this.#connection = this.engine.doors.openConnection(Protocol.HTTP_1, Role.SERVER, 0, this.nowMs);
    this.ends = [];
    this.isClosed = false;
    this.isAborted = false;
    this.dataEventCount = 0;
    this.receive(Buffer.from(HANDSHAKE.replace("\r\n\r\n", `\r\n${fields}\r\n`)));
    this.transmitted();
    return this;
  }

  /** Handle of the connection that was opened last. */
  get connection(): number {
    return this.#connection;
  }

  /** Hands over bytes, all of which are taken in the end. */
  receive(bytes: Uint8Array): void {
    const { engine } = this;
    for (let from = 0; from < bytes.length; from += engine.receiveBuffer.length) {
      const part = bytes.subarray(from, from + engine.receiveBuffer.length);
      engine.receiveBuffer.set(part);
      let offset = 0;
      while (offset < part.length) {
        const taken = engine.doors.receive(this.#connection, offset, part.length - offset, this.nowMs);
        if (taken < 0) throw new Error(`receive answered ${taken}`);
        engine.readEvents(this);
        offset += taken;
        this.#poll();
      }
    }
  }

  end(): void {
    this.engine.doors.receiveEnd(this.#connection, this.nowMs);
    this.engine.readEvents(this);
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.nowMs += ms;
    this.engine.doors.handleTimeout(this.nowMs);
    this.engine.readEvents(this);
    this.#poll();
  }

  /** Everything that was sent since the last call. */
  transmitted(): Buffer {
    this.#poll();
    return Buffer.concat(this.#sent.splice(0));
  }

  /** The socket is gone: everything of the connection is given back. */
  destroy(): void {
    this.engine.doors.closeConnection(this.#connection);
    if (this.#socket !== 0) this.engine.doors.releaseExchange(this.#socket);
    this.#socket = 0;
    this.engine.readEvents(this);
  }

  #poll(): void {
    const { engine } = this;
    for (;;) {
      const length = engine.pollTransmit(this.#connection);
      if (length <= 0) break;
      this.#sent.push(Buffer.from(engine.transmitted(length)));
    }
    if (engine.hasEvents) engine.readEvents(this);
  }

  request(_connection: number, exchange: number): void {
    const { engine } = this;
    if (engine.doors.checkHandshake(exchange) !== 0) throw new Error("the handshake is refused");
    const terms = {
      protocol: "",
      deflate: Deflate.NONE,
      messageBytesMax: this.#messageBytesMax,
      idleTimeoutMs: -1,
      pingIntervalMs: -1,
    };
    if (engine.sockets.accept(exchange, [], terms, this.nowMs) !== 0) throw new Error("not accepted");
    this.#socket = exchange;
  }

  socketData(socket: number, flags: number, payload: SocketPayload): void {
    this.dataEventCount++;
    if ((flags & SocketFlag.FIRST) !== 0) this.#pieces = [];
    this.#pieces.push(payload.bytes());
    if ((flags & SocketFlag.LAST) === 0) return;
    const message = Buffer.concat(this.#pieces);
    const kind = (flags & SocketFlag.BINARY) === 0 ? 0 : 1;
    const sent = this.engine.sockets.sendBytes(socket, kind, message);
    if (sent !== 0) throw new Error(`an echo was answered ${sent}`);
  }

  socketClose(socket: number, flags: number, code: number, reason: string, status: number): void {
    this.ends.push({ code, reason, status });
    this.#socket = 0;
    if ((flags & SocketFlag.ANSWER_OWED) === 0) return;
    if (this.engine.sockets.close(socket, code, "", this.nowMs) !== 0)
      throw new Error("the answer is refused");
  }

  socketPing(socket: number, payload: SocketPayload): void {
    if (this.engine.sockets.pong(socket, payload) !== 0) throw new Error("no pong");
  }

  socketPong(): void {}
  socketOpen(): void {}
  response(): void {}
  informational(): void {}
  body(): void {}
  aborted(): void {
    this.isAborted = true;
  }
  peerEnded(): void {}
  writable(): void {}
  tunnel(): void {}
  transmit(): void {}
  readPause(): void {}
  readResume(): void {}
  close(_connection: number, _status: number, abort: boolean): void {
    this.isClosed = true;
    if (abort) this.isAborted = true;
  }
}
