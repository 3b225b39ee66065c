// One round of garbage at the engine's doors, whatever protocol it speaks: bytes from a generator in random pieces, commands at
// random moments with random and stale handles, pointers outside of every region, odd times, and memory for a few connections
// only.
//
// A round fails when the module traps (the debug build's assertions included), when an event points outside of memory or is
// about something that the host does not hold, when the generator's `sent` finds fault with what the engine has to send, or
// when something is left over after every connection is closed and every exchange released.

import { LIMIT_TABLE, LIMIT_NAMES, LimitColumn } from "../../assembly/abi/limit.ts";
import { Role } from "../../assembly/abi/message.ts";
import { Engine } from "../../host/engine/engine.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import type { FieldPairs } from "../../host/engine/field_writer.ts";
import { resolveLimits } from "../../host/engine/limits.ts";
import type { ReceivedHead } from "../../host/engine/received_head.ts";
import { engineModule } from "../wire/driver.ts";
import { memoryWithSlab } from "./fixed_memory.ts";
import type { Random } from "./random.ts";

/** What a peer does on one connection. */
export interface Traffic {
  /** The next bytes that arrive. */
  bytes(): Buffer;
  /** What the engine sent, in order; throws when no peer could read it. */
  sent?(bytes: Uint8Array): void;
}

/** What a round is made of. */
export interface RoundOptions {
  protocol(random: Random): number;
  openFlags(random: Random): number;
  traffic(random: Random, role: Role, protocol: number): Traffic;
}

const STEPS = 250;

const FIELDS: readonly FieldPairs[] = [
  [],
  [["content-type", "text/plain"]],
  [["host", "a"]],
  [
    ["host", "a"],
    ["x-long", "v".repeat(3000)],
  ],
  [["content-length", "5"]],
  [["x", "a\r\nb: c"]],
  [["date", "x"]],
  [["upgrade", "x"]],
  [["x-huge", "v".repeat(70_000)]],
];

export class DoorRound implements EventSink {
  readonly #random: Random;
  readonly #options: RoundOptions;
  readonly #traffic = new Map<number, Traffic>();
  readonly #engine: Engine;
  readonly #memoryBytes: number;
  readonly #connections: number[] = [];
  readonly #exchanges = new Set<number>();
  readonly #connectionOf = new Map<number, number>();
  readonly #stale: number[] = [0, 1, -1, 0x7fffffff, 1 << 20];
  #now = 0;

  constructor(random: Random, options: RoundOptions) {
    this.#random = random;
    this.#options = options;
    const slabBytes = random.pick([5, 8, 16, 64]) * 65_536;
    const module = engineModule(random.oneIn(2) ? "engine" : "engine.debug");
    this.#memoryBytes = memoryWithSlab(module, slabBytes);
    this.#engine = Engine.create(module, {
      memoryBytes: this.#memoryBytes,
      limits: resolveLimits(this.#limits()),
      entropy: new Uint8Array(32),
      now: 0,
    });
  }

  /** Small pools; now and then other limits at their least. */
  #limits(): Record<string, number> {
    const limits: Record<string, number> = { connectionCount: 64, exchangeCount: 256, quicRouteCount: 256 };
    LIMIT_NAMES.forEach((name, index) => {
      if (!this.#random.oneIn(6)) return;
      limits[name] = LIMIT_TABLE[index * LimitColumn.COUNT + LimitColumn.LEAST] as number;
    });
    return limits;
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      if (!this.#random.oneIn(10)) this.#engine.readEvents(this);
    }
    this.#engine.readEvents(this);
    const { doors } = this.#engine;
    for (const connection of this.#connections) doors.closeConnection(connection);
    this.#engine.readEvents(this);
    for (const exchange of this.#exchanges) doors.releaseExchange(exchange);
    doors.handleTimeout(this.#now);
    const counters = this.#engine.counters();
    for (const gauge of ["connections_open", "exchanges_open", "memory_bytes_in_use"]) {
      if (counters.get(gauge) !== 0) throw new Error(`${gauge} is ${counters.get(gauge)} at the end`);
    }
  }

  #step(): void {
    const random = this.#random;
    const { doors } = this.#engine;
    const connection = this.#connectionHandle();
    switch (random.below(16)) {
      case 0: {
        const protocol = random.oneIn(20) ? 9 : this.#options.protocol(random);
        const role = random.oneIn(4) ? Role.CLIENT : Role.SERVER;
        const handle = doors.openConnection(protocol, role, this.#options.openFlags(random), this.#now);
        if (handle <= 0) return;
        this.#connections.push(handle);
        this.#traffic.set(handle, this.#options.traffic(random, role, protocol));
        return;
      }
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        return this.#receive(connection);
      case 6:
        if (random.oneIn(4)) doors.receiveEnd(connection, this.#now);
        return;
      case 7:
        return this.#poll(connection);
      case 8:
        if (random.oneIn(2)) doors.transmitBlocked(connection, this.#now);
        else doors.transmitDrained(connection, this.#now);
        return;
      case 9:
        return this.#passTime();
      case 10:
        if (random.oneIn(8)) doors.drainConnection(connection, this.#now);
        else if (random.oneIn(4)) this.#close();
        return;
      case 11:
        this.#ask(connection);
        return this.#receive(connection);
      default:
        return this.#command();
    }
  }

  #receive(connection: number): void {
    const region = this.#engine.receiveBuffer;
    const { doors } = this.#engine;
    let bytes = this.#traffic.get(connection)?.bytes() ?? Buffer.from("of nobody");
    while (bytes.length !== 0) {
      const part = bytes.subarray(0, this.#random.oneIn(3) ? 1 + this.#random.below(40) : region.length);
      region.set(part);
      const offset = this.#random.oneIn(50) ? this.#random.next() : 0;
      const taken = doors.receive(connection, offset, part.length, this.#now);
      if (taken < 0) return;
      if (taken > part.length) throw new Error(`receive took ${taken} of ${part.length}`);
      this.#engine.readEvents(this);
      bytes = bytes.subarray(taken);
      if (taken === 0) return;
    }
  }

  #poll(connection: number): void {
    for (let times = this.#random.below(4); times >= 0; times--) this.#take(connection);
  }

  /** Takes what the engine has to send. */
  #take(connection: number): number {
    const length = this.#engine.pollTransmit(connection);
    if (length > 0) this.#traffic.get(connection)?.sent?.(this.#engine.transmitted(length));
    return length;
  }

  /** Frames content as a session does: nothing is left to be sent before, and content follows. */
  #frame(exchange: number): void {
    const connection = this.#connectionOf.get(exchange);
    if (connection === undefined || !this.#connections.includes(connection)) return;
    while (this.#take(connection) > 0);
    const content = new Uint8Array(this.#random.pick([1, 5000, 16_384, 100_000]));
    const framed = this.#engine.doors.frameBody(exchange, content.length);
    if (framed < 0) return;
    const polled = this.#engine.pollTransmit(connection);
    if (framed === 0) return;
    const into = new Uint8Array(content.length + 1024);
    const length = this.#engine.layFrames(polled, content.subarray(0, framed), into, 0);
    this.#traffic.get(connection)?.sent?.(into.subarray(0, length));
  }

  #passTime(): void {
    const { doors } = this.#engine;
    const random = this.#random;
    this.#now += random.pick([0, 1, 10, 100, 100, 5000, 40_000]);
    const time = random.oneIn(30) ? random.pick([NaN, -1, 0]) : this.#now;
    doors.handleTimeout(time);
    doors.pollDeadline();
    doors.setDate(random.pick([0, 1e12, NaN, -1, 1e300]));
  }

  #close(): void {
    if (this.#connections.length === 0) return;
    const [handle] = this.#connections.splice(this.#random.below(this.#connections.length), 1);
    // Its socket is gone, so its events are not for this handle any more.
    this.#engine.readEvents(this);
    this.#engine.doors.closeConnection(handle as number);
    this.#stale.push(handle as number);
  }

  #ask(connection: number): void {
    const random = this.#random;
    const handle = this.#engine.openExchange(
      connection,
      {
        method: random.pick(["GET", "HEAD", "POST", "CONNECT", "a b", ""]),
        target: random.pick(["/", "*", "a:1", "/ b", "/" + "x".repeat(9000)]),
        fields: random.pick(FIELDS),
        contentLength: random.pick([-1, 0, 5, 1.5, NaN, 1e300]),
      },
      random.below(32),
      this.#now,
    );
    if (handle > 0) this.#hold(handle, connection);
  }

  #hold(exchange: number, connection: number): void {
    this.#exchanges.add(exchange);
    this.#connectionOf.set(exchange, connection);
  }

  #command(): void {
    const random = this.#random;
    const engine = this.#engine;
    const exchange = this.#exchangeHandle();
    const fields = random.pick(FIELDS);
    const code = random.pick([100, 101, 103, 200, 200, 200, 204, 205, 304, 404, 599, 600, 0, 4294967295]);
    const length = random.pick([-1, 0, 5, 100, NaN, 1e300, -2, 9007199254740991]);
    const flags = random.oneIn(2) ? random.pick([0, 1, 9]) : random.below(64);
    const body = Buffer.alloc(random.pick([0, 1, 5, 100, 5000, 100_000]), 0x61);
    switch (random.below(11)) {
      case 0:
      case 1:
        engine.respond(exchange, code, fields, body, flags);
        return;
      case 2:
        engine.sendHead(exchange, code, fields, length, flags);
        return;
      case 3:
      case 4:
        engine.sendBody(exchange, body, flags);
        return;
      case 5:
        engine.sendTrailers(exchange, fields);
        return;
      case 6:
        engine.sendInformational(exchange, code, fields);
        return;
      case 7:
        engine.doors.readBody(exchange, random.pick([0, 1, 100, 65_536, 4294967295]), this.#now);
        return;
      case 8:
        if (random.oneIn(3)) {
          this.#engine.readEvents(this);
          this.#release(exchange);
        }
        if (random.oneIn(4)) engine.doors.frameBody(exchange, random.pick([NaN, -1, 0, 1e300]));
        this.#frame(exchange);
        return;
      case 9:
        if (random.oneIn(2)) engine.push(exchange, random.pick(["/", "/a", "a", ""]), fields);
        else engine.doors.checkHandshake(exchange);
        return;
      default:
        this.#garbledCommand(exchange);
    }
  }

  /** Pointers and lengths from anywhere. */
  #garbledCommand(exchange: number): void {
    const { doors } = this.#engine;
    const random = this.#random;
    const ptr = random.oneIn(2)
      ? random.next()
      : this.#engine.receiveBuffer.byteOffset + random.below(1 << 20);
    const len = random.oneIn(2) ? random.next() : random.below(1 << 18);
    doors.respond(exchange, 200, ptr, len, random.next(), random.below(1000), random.below(64));
    doors.sendBody(exchange, ptr, len, 0);
    doors.sendHead(exchange, 200, ptr, len, 5, 0);
    doors.sendTrailers(exchange, ptr, len);
    doors.sendInformational(exchange, 103, ptr, len);
    const connection = this.#connectionHandle();
    const opened = doors.openExchange(connection, ptr, 3, ptr, 3, ptr, len, 0, 1, this.#now);
    if (opened > 0) this.#hold(opened, connection);
  }

  #release(exchange: number): void {
    this.#engine.doors.releaseExchange(exchange);
    this.#exchanges.delete(exchange);
    this.#stale.push(exchange);
  }

  #connectionHandle(): number {
    if (this.#connections.length === 0 || this.#random.oneIn(20)) return this.#random.pick(this.#stale);
    // The newest most of the time, so that something becomes of it.
    const { length } = this.#connections;
    const index = this.#random.oneIn(3) ? this.#random.below(length) : length - 1;
    return this.#connections[index] as number;
  }

  #exchangeHandle(): number {
    if (this.#exchanges.size === 0 || this.#random.oneIn(20)) {
      return this.#random.oneIn(2) ? this.#random.next() : this.#random.pick(this.#stale);
    }
    const handles = [...this.#exchanges];
    return this.#random.oneIn(2) ? handles.at(-1) : this.#random.pick(handles);
  }

  #read(head: ReceivedHead): void {
    for (const [name, value] of [...head.fields(), ...head.trailers()]) {
      if (/[\0\r\n]/.test(name + value)) throw new Error(`a field with ${JSON.stringify(name + value)}`);
    }
    if (/[\0-\x20]/.test(head.method + head.target))
      throw new Error(`a target with ${JSON.stringify(head.target)}`);
  }

  request(connection: number, exchange: number, head: ReceivedHead): void {
    if (this.#exchanges.has(exchange)) throw new Error("a handle is given out twice");
    this.#hold(exchange, connection);
    this.#read(head);
    if (this.#random.oneIn(3)) this.#engine.respond(exchange, 200, [], "ok", 0);
  }

  response(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#known(exchange);
    this.#read(head);
  }

  informational(_connection: number, exchange: number, _code: number, head: ReceivedHead): void {
    this.#known(exchange);
    this.#read(head);
  }

  body(_connection: number, exchange: number, bytes: Uint8Array): void {
    this.#known(exchange);
    if (bytes.byteOffset + bytes.length > this.#memoryBytes) throw new Error("content outside of memory");
    if (this.#random.oneIn(2)) this.#engine.doors.readBody(exchange, bytes.length, this.#now);
  }

  end(_connection: number, exchange: number): void {
    this.#known(exchange);
  }

  aborted(_connection: number, exchange: number): void {
    this.#known(exchange);
    if (this.#random.oneIn(2)) this.#release(exchange);
  }

  peerEnded(_connection: number, exchange: number): void {
    this.#known(exchange);
  }

  writable(_connection: number, exchange: number): void {
    this.#known(exchange);
    if (this.#random.oneIn(2)) this.#engine.sendBody(exchange, Buffer.alloc(1000), 1);
  }

  tunnel(_connection: number, exchange: number): void {
    this.#known(exchange);
  }

  transmit(): void {
    // Polled at random.
  }

  readPause(): void {
    // Ignored half the time is what a careless host does; here always.
  }

  readResume(): void {
    // As above.
  }

  close(connection: number): void {
    if (this.#random.oneIn(2)) {
      const index = this.#connections.indexOf(connection);
      if (index >= 0) {
        this.#connections.splice(index, 1);
        this.#engine.doors.closeConnection(connection);
        this.#stale.push(connection);
      }
    }
  }

  /** Events name exchanges that the host holds: a released one is not told. */
  #known(exchange: number): void {
    if (!this.#exchanges.has(exchange))
      throw new Error(`an event for exchange ${exchange}, which nobody holds`);
  }
}
