// Keeps what an engine is given, connection by connection, in bounded memory.
//
// It stands before the doors: each call is passed on, and its numbers, bytes and answer are kept with its connection. Which
// exchange belongs to which connection it learns from the event records that a call has written. The date concerns every
// connection: it is kept before the call that comes next.
//
// Calls that serve whole endpoints, and time, are told of by the engine: while it traces, each serves one connection. What such a
// call, or one on a connection of QUIC, drew from the random generator follows from a key that is kept with it.

import { EventKind, EventLane } from "../../assembly/abi/event.ts";
import { ABI_VERSION, Layout } from "../../assembly/abi/layout.ts";
import { LIMIT_NAMES } from "../../assembly/abi/limit.ts";
import { recordLengthAt } from "./datagram_batch.ts";
import type { Doors } from "./doors.ts";
import { type Kept, KeptCalls } from "./kept_calls.ts";
import type { EngineMemory } from "./memory.ts";
import { type DoorShape, RECORDED_DOORS } from "./recorded_doors.ts";
import { toBase64 } from "./recording.ts";
import type { RecordingHead } from "./recording.ts";
import { Trace } from "./trace.ts";

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

type Door = (...args: number[]) => number;
/** A call before it has answered. */
type Call = [door: string, args: number[], bytes: string, answer: number, key?: string];

/** What stands before the doors of an engine (`EngineOptions.recorder`) and keeps what it is given; one for each engine. */
export class Recorder {
  readonly #kept: KeptCalls;
  #memory!: EngineMemory;
  #layout: Uint32Array = new Uint32Array();
  #doors!: Doors;
  #trace!: Trace;
  #entropy = "";
  #startMs = 0;
  #dateMs = 0;
  #setupDateMs = 0;
  #eventCount = 0;
  /** Connections of QUIC that the events read last say are over. */
  #over: Kept[] = [];

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#kept = new KeptCalls(maxBytes);
  }

  /** Bytes that are kept, at most `maxBytes`. */
  get byteLength(): number {
    return this.#kept.byteLength;
  }

  /** The doors of an engine that records here. To be called before the engine is initialized. */
  attach(doors: Doors, memory: EngineMemory, layout: Uint32Array): Doors {
    this.#memory = memory;
    this.#layout = layout;
    this.#doors = doors;
    this.#trace = new Trace(doors, memory, layout);
    this.#trace.start();
    const recorded: Record<string, unknown> = { ...doors };
    for (const [name, shape] of Object.entries(RECORDED_DOORS)) {
      recorded[name] = this.#recording(name, shape, doors[name as keyof Doors] as Door);
    }
    recorded["initialize"] = (now: number): number => this.#started(now);
    recorded["openConnection"] = (...args: number[]): number =>
      this.#opened(args, doors.openConnection(...args));
    recorded["receiveDatagrams"] = (...args: number[]): number => this.#received(args);
    recorded["pollDatagrams"] = (...args: number[]): number => this.#polled(args);
    recorded["handleTimeout"] = (now: number): number => this.#timedOut(now);
    recorded["setDate"] = (dateMs: number): number => {
      this.#dateMs = dateMs;
      return doors.setDate(dateMs);
    };
    return recorded as unknown as Doors;
  }

  /** The recording as text. */
  toText(): string {
    const limitsAt = (this.#layout[Layout.LIMIT_PTR] as number) >>> 3;
    const head: RecordingHead = {
      format: "httpy-recording",
      version: 2,
      abi: ABI_VERSION,
      holdsSecrets: true,
      limits: [...this.#memory.doubles.subarray(limitsAt, limitsAt + LIMIT_NAMES.length)],
      memoryBytes: this.#memory.bytes.length,
      entropy: this.#entropy,
      startMs: this.#startMs,
      setup: this.#kept.setup,
    };
    return [head, ...this.#kept.toLines()].map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  #started(now: number): number {
    const ptr = this.#layout[Layout.ENTROPY_PTR] as number;
    const len = this.#layout[Layout.ENTROPY_LEN] as number;
    this.#entropy = toBase64(this.#memory.bytes.subarray(ptr, ptr + len));
    this.#startMs = now;
    return this.#doors.initialize(now);
  }

  #recording(name: string, shape: DoorShape, door: Door): Door {
    const { of } = shape;
    if (of === "setup") return (...args) => this.#setUp(name, shape, args, door);
    return (...args) => {
      const kept = this.#kept.of(of, args[0] as number);
      if (kept === undefined || (!kept.isWhole && name !== "closeConnection")) return door(...args);
      // Before the call, which may write over what it read.
      const call: Call = [name, args, this.#bytesOf(name, shape, args), Number.NaN];
      const key = kept.isQuic ? this.#trace.takeKey() : null;
      this.#catchUp(kept);
      // Kept first: the call that traps is the one that matters.
      this.#kept.keep(kept, call);
      try {
        call[3] = door(...args);
      } finally {
        if (key !== null && this.#trace.hasDrawn(key)) call.push(toBase64(key));
      }
      this.#readEvents();
      if (shape.answers !== undefined && call[3] > 0) this.#kept.learn(shape.answers, call[3], kept);
      // A connection of QUIC has still to tell its peer.
      if (name === "closeConnection" && !kept.isQuic) this.#kept.leave(kept);
      return call[3];
    };
  }

  #setUp(name: string, shape: DoorShape, args: number[], door: Door): number {
    if (this.#setupDateMs !== this.#dateMs) {
      this.#setupDateMs = this.#dateMs;
      this.#kept.keepSetup(["setDate", [this.#dateMs], "", 0]);
    }
    const call: Call = [name, args, this.#bytesOf(name, shape, args), Number.NaN];
    const key = this.#trace.takeKey();
    call[3] = door(...args);
    if (this.#trace.hasDrawn(key)) call.push(toBase64(key));
    this.#kept.keepSetup(call);
    return call[3];
  }

  #opened(args: number[], handle: number): number {
    if (handle < 0) return handle;
    const kept = this.#kept.begin(handle, false);
    this.#catchUp(kept);
    this.#kept.keep(kept, ["openConnection", args, "", handle]);
    return handle;
  }

  /** The first datagram of a batch, which is all that is taken at once. */
  #received([endpoint, offset, length, now]: number[]): number {
    const at = (this.#layout[Layout.RECEIVE_PTR] as number) + (offset as number);
    const { bytes } = this.#memory;
    // It is decrypted where it lies.
    const record = bytes.slice(at, at + Math.min(length as number, recordLengthAt(bytes, at)));
    return this.#served(
      "receiveDatagrams",
      [endpoint as number, 0, record.length, now as number],
      record,
      () =>
        this.#doors.receiveDatagrams(endpoint as number, offset as number, length as number, now as number),
    );
  }

  /** What the next connection with something to send sends: those that turn out to have nothing are passed over. */
  #polled(args: number[]): number {
    let length: number;
    do length = this.#served("pollDatagrams", args, null, () => this.#doors.pollDatagrams(...args));
    while (length === 0 && this.#trace.served !== 0);
    return length;
  }

  /** One deadline after the other, until one has told something, which the host is to read before the next. */
  #timedOut(now: number): number {
    let status: number;
    let eventCount: number;
    do {
      eventCount = this.#eventCount;
      status = this.#served("handleTimeout", [now], null, () => this.#doors.handleTimeout(now));
    } while (status >= 0 && this.#trace.served !== 0 && eventCount === this.#eventCount);
    return status;
  }

  /** Makes a call, and keeps it with the connection that it has served. */
  #served(name: string, args: number[], bytes: Uint8Array | null, make: () => number): number {
    const key = this.#trace.takeKey();
    const call: Call = [name, args, "", Number.NaN];
    try {
      call[3] = make();
      return call[3];
    } finally {
      this.#readEvents();
      const kept = this.#kept.of("connection", this.#trace.served);
      if (kept !== undefined && kept.isWhole) {
        if (bytes !== null) call[2] = toBase64(bytes);
        if (kept.isQuic && this.#trace.hasDrawn(key)) call.push(toBase64(key));
        this.#catchUp(kept);
        this.#kept.keep(kept, call);
      }
      // Not before: what is said last is a part of it.
      for (const over of this.#over) over.isClosed = true;
      this.#over = [];
    }
  }

  /** Tells a connection of the date that it has not been told of. */
  #catchUp(kept: Kept): void {
    if (kept.dateMs === this.#dateMs) return;
    kept.dateMs = this.#dateMs;
    this.#kept.keep(kept, ["setDate", [this.#dateMs], "", 0]);
  }

  #bytesOf(name: string, { pointers, byteLength }: DoorShape, args: number[]): string {
    const { bytes } = this.#memory;
    if (name === "receive") {
      const at = (this.#layout[Layout.RECEIVE_PTR] as number) + (args[1] as number);
      return toBase64(bytes.subarray(at, at + (args[2] as number)));
    }
    if (pointers.length === 0) return "";
    const parts = pointers.map((index) => {
      const ptr = args[index] as number;
      const length = byteLength === undefined ? (args[index + 1] as number) : byteLength(args);
      return toBase64(bytes.subarray(ptr, ptr + length));
    });
    return parts.join(" ");
  }

  /** Learns from the records written since the last call whose exchanges and streams are whose, and who came and went. */
  #readEvents(): void {
    const words = this.#memory.words;
    const mask = (this.#layout[Layout.EVENT_CAPACITY] as number) - 1;
    const recordsAt = (this.#layout[Layout.EVENT_PTR] as number) >>> 2;
    const written = words[(this.#layout[Layout.EVENT_WRITE_PTR] as number) >>> 2] as number;
    for (; this.#eventCount !== written; this.#eventCount = (this.#eventCount + 1) >>> 0) {
      const at = recordsAt + (this.#eventCount & mask) * EventLane.COUNT;
      const kind = (words[at] as number) & 0xffff;
      const connection = words[at + EventLane.CONNECTION] as number;
      if (kind === EventKind.QUIC_ACCEPTED) this.#kept.begin(connection, true);
      const kept = this.#kept.of("connection", connection);
      if (kept === undefined) continue;
      const exchange = words[at + EventLane.EXCHANGE] as number;
      if (kind === EventKind.QUIC_CLOSED) this.#over.push(kept);
      else if (kind === EventKind.QUIC_STREAM) this.#kept.learn("stream", exchange, kept);
      else if (kind < EventKind.QUIC_ACCEPTED && exchange !== 0) this.#kept.learn("exchange", exchange, kept);
      if (kind === EventKind.SESSION_STREAM) {
        this.#kept.learn("stream", words[at + EventLane.A] as number, kept);
      }
    }
  }
}
