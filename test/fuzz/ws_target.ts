// WebSockets under garbage: servers over HTTP/1.1 and HTTP/2 and clients, in one instance with little memory, whose peers send frames
// that are wrong now and then, in random pieces, and whose host sends, holds, closes and forgets at random moments.
//
// A round fails when the module traps (the debug build's assertions included); when a message is told out of order, too long, outside
// of memory or, as text, in wrong UTF-8; when anything is told of a socket after its end; when the engine sends a frame that RFC 6455
// does not allow; or when something is left over after every connection is closed.

import { createHash } from "node:crypto";
import {
  Deflate,
  Engine,
  OpenFlag,
  PayloadPath,
  Protocol,
  resolveLimits,
  Role,
  SocketFlag,
} from "../../host/engine/index.ts";
import type { EventSink, ReceivedHead, SocketEvents, SocketPayload } from "../../host/engine/index.ts";
import { engineModule } from "../wire/driver.ts";
import * as h2 from "../wire/h2_frames.ts";
import { webSocketCases } from "../wire/web_socket_cases.ts";
import { serverFrame } from "../wire/web_socket_frames.ts";
import { mutate } from "./mutation.ts";
import { memoryWithSlab } from "./fixed_memory.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";
import { FrameCheck, randomFrames } from "./ws_frames.ts";
import type { Talk } from "./ws_frames.ts";

const STEPS = 250;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const EXTENSION = "sec-websocket-extensions: permessage-deflate\r\n";

type Kind = "h1" | "h2" | "client";

/** A connection, and the one WebSocket on it. */
class End implements Talk {
  readonly kind: Kind;
  readonly connection: number;
  isMessageOpen = false;
  /** Handle; 0 before and after. */
  socket = 0;
  /** Its end was told. */
  isOver = false;
  /** Its connection is not sent on any more. */
  isAborted = false;
  messageBytesMax = 0;
  /** Bytes of the message that is being told; below 0 between messages. */
  told = -1;
  text: Uint8Array[] = [];
  check: FrameCheck | null = null;
  /** What was sent and is not looked at yet: a head, or part of a frame of HTTP/2. */
  sent = Buffer.alloc(0);

  constructor(kind: Kind, connection: number) {
    this.kind = kind;
    this.connection = connection;
  }
}

export function wsTarget(): FuzzTarget {
  const cases = webSocketCases();
  const corpora: Record<Kind, Buffer[]> = {
    h1: cases.map(({ sent }) => sent),
    h2: cases.map(({ sent }) => sent),
    client: cases.map(({ answers }) =>
      Buffer.concat(answers.map(([firstByte, payload]) => serverFrame(firstByte, payload))),
    ),
  };
  return {
    round(seed) {
      new Round(seed, corpora).run();
    },
  };
}

class Round implements EventSink, SocketEvents {
  readonly sockets = this;
  readonly #random: Random;
  readonly #corpora: Record<Kind, Buffer[]>;
  readonly #engine: Engine;
  readonly #ends: End[] = [];
  readonly #exchanges = new Set<number>();
  readonly #stale: number[] = [0, -1, 0x7fffffff, 1 << 20];
  #now = 1;

  constructor(seed: number, corpora: Record<Kind, Buffer[]>) {
    this.#random = new Random(seed);
    this.#corpora = corpora;
    const random = this.#random;
    const slabBytes = random.pick([6, 8, 16, 64]) * 65_536;
    const module = engineModule(random.oneIn(2) ? "engine" : "engine.debug");
    this.#engine = Engine.create(module, {
      memoryBytes: memoryWithSlab(module, slabBytes),
      limits: resolveLimits({
        connectionCount: 64,
        exchangeCount: 256,
        quicRouteCount: 256,
        ...(random.oneIn(3) ? { webSocketFragmentCount: random.pick([1, 2, 10]) } : {}),
        ...(random.oneIn(3) ? { webSocketPingIntervalMs: 1000, webSocketIdleTimeoutMs: 5000 } : {}),
      }),
      entropy: new Uint8Array(32).fill(seed),
      now: 0,
    });
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      if (!this.#random.oneIn(10)) this.#engine.readEvents(this);
    }
    this.#engine.readEvents(this);
    const { doors } = this.#engine;
    for (const { connection } of this.#ends) doors.closeConnection(connection);
    this.#engine.readEvents(this);
    for (const exchange of this.#exchanges) doors.releaseExchange(exchange);
    doors.handleTimeout(this.#now);
    const counters = this.#engine.counters();
    for (const gauge of ["connections_open", "exchanges_open", "web_sockets_open", "memory_bytes_in_use"]) {
      if (counters.get(gauge) !== 0) throw new Error(`${gauge} is ${counters.get(gauge)} at the end`);
    }
  }

  #step(): void {
    const random = this.#random;
    const { doors } = this.#engine;
    if (this.#ends.length === 0 || (this.#ends.length < 6 && random.oneIn(20))) return this.#open();
    const end = random.pick(this.#ends);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#receive(end, this.#bytesFor(end));
      case 5:
        return this.#poll(end);
      case 6:
        if (random.oneIn(2)) doors.transmitBlocked(end.connection, this.#now);
        else doors.transmitDrained(end.connection, this.#now);
        return;
      case 7:
        this.#now += random.pick([0, 1, 10, 100, 400, 5000]);
        doors.handleTimeout(this.#now);
        return;
      case 8:
        switch (random.below(100)) {
          case 0:
            return this.#close(end);
          case 1:
            return this.#release(end.socket);
          case 2:
          case 3:
            doors.receiveEnd(end.connection, this.#now);
        }
        return;
      default:
        return this.#command(end);
    }
  }

  #open(): void {
    const random = this.#random;
    const kind = random.pick<Kind>(["h1", "h1", "h2", "client"]);
    const protocol = kind === "h2" ? Protocol.HTTP_2 : Protocol.HTTP_1;
    const role = kind === "client" ? Role.CLIENT : Role.SERVER;
    const handle = this.#engine.doors.openConnection(protocol, role, OpenFlag.EXTENDED_CONNECT, this.#now);
    if (handle <= 0) return;
    const end = new End(kind, handle);
    this.#ends.push(end);
    const extension = random.oneIn(2) ? EXTENSION : "";
    if (kind === "h1") {
      const head =
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
        `sec-websocket-key: ${KEY}\r\nsec-websocket-version: 13\r\n${extension}\r\n`;
      this.#receive(end, Buffer.from(head));
    } else if (kind === "h2") {
      const fields: [string, string][] = [
        [":method", "CONNECT"],
        [":protocol", "websocket"],
        [":scheme", "http"],
        [":path", "/"],
        [":authority", "a"],
        ["sec-websocket-version", "13"],
      ];
      if (extension !== "") fields.push(["sec-websocket-extensions", "permessage-deflate"]);
      this.#receive(end, Buffer.concat([h2.PREFACE, h2.settings()]));
      this.#poll(end);
      this.#receive(end, Buffer.concat([h2.settingsAck, h2.headers(1, fields, 0)]));
    } else {
      const terms = { ...this.#terms(), protocol: "" };
      const socket = this.#engine.sockets.open(handle, "/", [["host", "a"]], terms, this.#now);
      if (socket <= 0) return;
      end.socket = socket;
      end.messageBytesMax = terms.messageBytesMax;
      this.#exchanges.add(socket);
      this.#poll(end);
      const key = /sec-websocket-key: (\S+)/i.exec(end.sent.toString("latin1"))?.[1] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      end.sent = Buffer.alloc(0);
      const isRight = !random.oneIn(20);
      const answer =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
        `sec-websocket-accept: ${isRight ? accept : KEY}\r\n${terms.deflate === 0 ? "" : extension}\r\n`;
      this.#receive(end, Buffer.from(answer));
    }
  }

  #terms() {
    const random = this.#random;
    return {
      deflate: random.oneIn(2) ? Deflate.ON : Deflate.NONE,
      messageBytesMax: random.pick([125, 1000, 100_000]),
      idleTimeoutMs: random.pick([-1, 0, 3000]),
      pingIntervalMs: random.pick([-1, 0, 500]),
    };
  }

  #bytesFor(end: End): Buffer {
    const random = this.#random;
    const frames = random.oneIn(5)
      ? mutate(random, this.#corpora[end.kind])
      : randomFrames(random, end.kind !== "client", end);
    if (end.kind !== "h2") return frames;
    const parts: Buffer[] = [];
    for (let at = 0; at < frames.length;) {
      const length = 1 + random.below(random.oneIn(2) ? 20 : 16_384);
      parts.push(h2.data(1, frames.subarray(at, at + length)));
      at += length;
    }
    if (random.oneIn(2)) parts.push(h2.windowUpdate(0, 100_000), h2.windowUpdate(1, 100_000));
    return Buffer.concat(parts);
  }

  #receive(end: End, bytes: Buffer): void {
    const region = this.#engine.receiveBuffer;
    const isCut = this.#random.oneIn(3);
    while (bytes.length !== 0) {
      const part = bytes.subarray(0, isCut ? 1 + this.#random.below(40) : region.length);
      region.set(part);
      const taken = this.#engine.doors.receive(end.connection, 0, part.length, this.#now);
      if (taken < 0) return;
      if (taken > part.length) throw new Error(`receive took ${taken} of ${part.length}`);
      this.#engine.readEvents(this);
      bytes = bytes.subarray(taken);
      if (taken === 0) return;
    }
  }

  /** Everything that waits. */
  #poll(end: End): void {
    for (;;) {
      const length = this.#engine.pollTransmit(end.connection);
      if (length <= 0) break;
      this.#check(end, Buffer.from(this.#engine.transmitted(length)));
    }
  }

  #check(end: End, bytes: Buffer): void {
    if (end.check !== null && end.kind !== "h2") return end.check.read(bytes);
    end.sent = Buffer.concat([end.sent, bytes]);
    // Without a check yet it is the head of a handshake, which is looked at elsewhere.
    if (end.kind !== "h2") return;
    while (end.sent.length >= 9) {
      const length = end.sent.readUIntBE(0, 3);
      if (end.sent.length < 9 + length) return;
      const payload = end.sent.subarray(9, 9 + length);
      if (end.sent[3] === h2.FrameType.DATA && end.check !== null) end.check.read(payload);
      end.sent = end.sent.subarray(9 + length);
    }
  }

  #close(end: End): void {
    // Its socket is gone, so its events are not for this handle any more.
    this.#engine.readEvents(this);
    this.#engine.doors.closeConnection(end.connection);
    this.#engine.readEvents(this);
    this.#ends.splice(this.#ends.indexOf(end), 1);
    this.#stale.push(end.connection);
    if (end.socket !== 0) this.#release(end.socket);
  }

  #release(socket: number): void {
    if (socket === 0) return;
    this.#engine.readEvents(this);
    this.#engine.doors.releaseExchange(socket);
    this.#forget(socket);
  }

  #forget(socket: number): void {
    this.#exchanges.delete(socket);
    this.#stale.push(socket);
    const end = this.#ends.find((one) => one.socket === socket);
    if (end === undefined) return;
    end.socket = 0;
    end.isOver = true;
  }

  #command(end: End): void {
    const random = this.#random;
    const { doors, sockets } = this.#engine;
    const handle = random.oneIn(25) ? random.pick(this.#stale) : end.socket;
    const kind = random.oneIn(40) ? random.below(100) : random.pick([0, 1, 1, 2, 3]);
    const bytes = Buffer.alloc(random.pick([0, 1, 16, 125, 126, 5000, 60_000]), "x");
    switch (random.below(9)) {
      case 0:
        sockets.sendText(handle, random.pick(["", "Hello", "é".repeat(200)]));
        return;
      case 1:
      case 2:
        sockets.sendBytes(handle, kind, bytes);
        return;
      case 3: {
        const length = random.pick([1, 100, 70_000, 70_000, NaN, -1, 0, 2 ** 63]);
        const path = doors.beginMessage(handle, kind, length);
        if (path !== PayloadPath.SOCKET) return;
        // What the host writes comes right behind what is polled.
        this.#poll(end);
        this.#engine.readEvents(this);
        if (end.isAborted || !this.#ends.includes(end)) return;
        this.#check(end, Buffer.alloc(length, "y"));
        return;
      }
      case 4:
        sockets.sendPayload(handle, bytes);
        return;
      case 5:
        sockets.ping(handle, bytes);
        return;
      case 6:
        if (random.oneIn(6)) {
          const code = random.pick([1000, 1005, 1006, 3000, 4999, 5000, 0, 65_536]);
          sockets.close(handle, code, random.pick(["", "bye", "x".repeat(200)]), this.#now);
        }
        return;
      case 7:
        doors.holdSocket(handle, random.below(2));
        if (random.oneIn(20)) doors.failSocket(handle, -random.below(2000), this.#now);
        return;
      default: {
        // Pointers from anywhere.
        const ptr = random.next();
        const len = random.oneIn(2) ? random.next() : random.below(1 << 18);
        doors.sendMessage(handle, kind, ptr, len);
        doors.sendPayload(handle, ptr, len);
        doors.sendPing(handle, ptr, len);
        doors.sendPong(handle, ptr, len);
        doors.closeSocket(handle, 1000, ptr, Math.max(126, len), this.#now);
        doors.encodeMessage(kind, ptr, len);
        doors.bufferedBytes(handle);
      }
    }
  }

  // What the engine tells.

  request(connection: number, exchange: number): void {
    this.#exchanges.add(exchange);
    const end = this.#ends.find((one) => one.connection === connection);
    if (end === undefined || end.kind === "client") throw new Error("a request nobody sent");
    if (this.#engine.doors.checkHandshake(exchange) !== 0) return;
    const terms = { ...this.#terms(), protocol: "" };
    const agreed = this.#engine.sockets.accept(exchange, [], terms, this.#now);
    if (agreed < 0) {
      this.#engine.respond(exchange, 503, [], "", 0);
      return;
    }
    end.socket = exchange;
    end.messageBytesMax = terms.messageBytesMax;
    if (end.kind === "h2") {
      end.check = new FrameCheck(false, agreed !== 0);
      return;
    }
    this.#poll(end);
    const at = end.sent.indexOf("\r\n\r\n");
    if (at < 0) throw new Error("no whole head");
    end.check = new FrameCheck(false, agreed !== 0);
    end.check.read(end.sent.subarray(at + 4));
  }

  socketOpen(_connection: number, socket: number, _head: ReceivedHead, deflate: number): void {
    const end = this.#endOf(socket);
    if (end.kind !== "client" || end.check !== null) throw new Error("opened twice");
    end.check = new FrameCheck(true, deflate !== 0);
  }

  socketData(socket: number, flags: number, payload: SocketPayload): void {
    const end = this.#endOf(socket);
    const isFirst = (flags & SocketFlag.FIRST) !== 0;
    if (isFirst !== end.told < 0) throw new Error(isFirst ? "a message within a message" : "no beginning");
    const bytes = payload.bytes();
    if (bytes.length !== payload.length) throw new Error("a payload outside of memory");
    if (isFirst) {
      end.told = 0;
      end.text = [];
    }
    end.told += bytes.length;
    const isCompressed = (flags & SocketFlag.COMPRESSED) !== 0;
    if (!isCompressed && end.told > end.messageBytesMax) throw new Error(`${end.told} bytes are too many`);
    if (!isCompressed && (flags & SocketFlag.BINARY) === 0) end.text.push(bytes);
    if ((flags & SocketFlag.LAST) === 0) return;
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(end.text));
    end.told = -1;
    if (this.#random.oneIn(4)) this.#engine.sockets.sendBytes(socket, 1, bytes);
  }

  socketPing(socket: number, payload: SocketPayload): void {
    this.#endOf(socket);
    if (!this.#random.oneIn(10)) this.#engine.sockets.pong(socket, payload);
  }

  socketPong(socket: number): void {
    this.#endOf(socket);
  }

  socketClose(socket: number, flags: number, code: number): void {
    const end = this.#endOf(socket);
    if ((flags & SocketFlag.ANSWER_OWED) === 0) return this.#forget(socket);
    end.isOver = true;
    // Mostly it is answered, now or some commands later, or never.
    if (this.#random.oneIn(2)) this.#engine.sockets.close(socket, code, "", this.#now);
  }

  #endOf(socket: number): End {
    const end = this.#ends.find((one) => one.socket === socket);
    if (end === undefined || end.isOver) throw new Error(`an event for socket ${socket}, which is over`);
    return end;
  }

  aborted(_connection: number, exchange: number): void {
    this.#forget(exchange);
    this.#engine.doors.releaseExchange(exchange);
  }

  close(connection: number, _status: number, isAborted: boolean): void {
    const end = this.#ends.find((one) => one.connection === connection);
    if (end !== undefined && isAborted) end.isAborted = true;
    if (end !== undefined && this.#random.oneIn(2)) this.#close(end);
  }

  writable(_connection: number, exchange: number): void {
    if (this.#random.oneIn(2)) this.#engine.sockets.sendBytes(exchange, 1, Buffer.alloc(1000, "z"));
  }

  transmit(): void {
    // Polled at random.
  }
  response(): void {}
  informational(): void {}
  body(): void {}
  end(): void {}
  peerEnded(): void {}
  tunnel(): void {}
  readPause(): void {}
  readResume(): void {}
}
