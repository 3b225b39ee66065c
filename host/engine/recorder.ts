// Keeps what an engine is given, connection by connection, in bounded memory.
//
// It stands before the doors: each call is passed on, and its numbers, bytes and answer are kept with its connection. Which
// exchange belongs to which connection it learns from the event records that a call has written. Time-outs and the date
// concern every connection: they are kept where they had an effect, before the call that comes next.
//
// Invariant: the bytes that are kept never exceed `maxBytes`. Connections that are closed go first, the oldest before the others;
// then the oldest that is open is dropped, and said to be incomplete.

import { EventLane } from "../../assembly/abi/event.ts";
import { ABI_VERSION, Layout } from "../../assembly/abi/layout.ts";
import { LIMIT_NAMES } from "../../assembly/abi/limit.ts";
import type { Doors } from "./doors.ts";
import type { EngineMemory } from "./memory.ts";
import { RECORDED_DOORS, toBase64 } from "./recording.ts";
import type { DoorShape, RecordedCall, RecordedConnection, RecordingHead } from "./recording.ts";

/** What a call costs beside its bytes, roughly: its numbers and its place in a list. */
const CALL_BYTES = 128;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

interface Kept {
  readonly connection: number;
  readonly exchanges: number[];
  calls: RecordedCall[];
  byteLength: number;
  isWhole: boolean;
  isClosed: boolean;
  dateMs: number;
}

type Door = (...args: number[]) => number;

/** What stands before the doors of an engine (`EngineOptions.recorder`) and keeps what it is given; one for each engine. */
export class Recorder {
  readonly #maxBytes: number;
  /** In the order in which they were opened; handles of closed connections may come again. */
  readonly #kept = new Set<Kept>();
  readonly #open = new Map<number, Kept>();
  readonly #ofExchange = new Map<number, Kept>();
  #memory: EngineMemory | null = null;
  #layout: Uint32Array = new Uint32Array();
  #byteLength = 0;
  #dateMs = 0;
  #eventCount = 0;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are kept, at most `maxBytes`. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** The doors of an engine that records here. */
  attach(doors: Doors, memory: EngineMemory, layout: Uint32Array): Doors {
    this.#memory = memory;
    this.#layout = layout;
    const recorded: Record<string, unknown> = { ...doors };
    for (const [name, shape] of Object.entries(RECORDED_DOORS)) {
      recorded[name] = this.#recording(name, shape, doors[name as keyof Doors] as Door);
    }
    recorded["openConnection"] = (...args: number[]): number =>
      this.#opened(args, doors.openConnection(...args));
    recorded["handleTimeout"] = (now: number): number => this.#timedOut(now, doors.handleTimeout(now));
    recorded["setDate"] = (dateMs: number): number => {
      this.#dateMs = dateMs;
      return doors.setDate(dateMs);
    };
    return recorded as unknown as Doors;
  }

  /** The recording as text. */
  toText(): string {
    const memory = this.#memory as EngineMemory;
    const limitsAt = (this.#layout[Layout.LIMIT_PTR] as number) >>> 3;
    const head: RecordingHead = {
      format: "httpy-recording",
      version: 1,
      abi: ABI_VERSION,
      holdsSecrets: true,
      limits: [...memory.doubles.subarray(limitsAt, limitsAt + LIMIT_NAMES.length)],
      memoryBytes: memory.bytes.length,
    };
    const lines = [...this.#kept].map(({ connection, exchanges, calls, isWhole }): RecordedConnection => ({
      connection,
      exchanges,
      calls,
      isWhole,
    }));
    return [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  #recording(name: string, shape: DoorShape, door: Door): Door {
    const handles = shape.of === "connection" ? this.#open : this.#ofExchange;
    return (...args) => {
      const kept = handles.get(args[0] as number);
      if (kept === undefined) return door(...args);
      // Before the call, which may write over what it read.
      const bytes = this.#bytesOf(name, shape, args);
      const call: [string, number[], string, number] = [name, args, bytes, Number.NaN];
      this.#catchUp(kept);
      // Kept first: the call that traps is the one that matters.
      this.#keep(kept, call);
      call[3] = door(...args);
      this.#readEvents();
      if (name === "closeConnection") {
        this.#open.delete(kept.connection);
        kept.isClosed = true;
        for (const exchange of kept.exchanges) {
          if (this.#ofExchange.get(exchange) === kept) this.#ofExchange.delete(exchange);
        }
      }
      return call[3];
    };
  }

  #opened(args: number[], handle: number): number {
    if (handle < 0) return handle;
    const kept: Kept = {
      connection: handle,
      exchanges: [],
      calls: [],
      byteLength: 0,
      isWhole: true,
      isClosed: false,
      dateMs: 0,
    };
    this.#kept.add(kept);
    this.#open.set(handle, kept);
    this.#catchUp(kept);
    this.#keep(kept, ["openConnection", args, "", handle]);
    return handle;
  }

  #timedOut(now: number, answer: number): number {
    for (const connection of this.#readEvents()) {
      const kept = this.#open.get(connection);
      if (kept !== undefined) this.#keep(kept, ["handleTimeout", [now], "", answer]);
    }
    return answer;
  }

  /** Tells a connection of the date that it has not been told of. */
  #catchUp(kept: Kept): void {
    if (kept.dateMs === this.#dateMs) return;
    kept.dateMs = this.#dateMs;
    this.#keep(kept, ["setDate", [this.#dateMs], "", 0]);
  }

  #bytesOf(name: string, { pointers }: DoorShape, args: number[]): string {
    const { bytes } = this.#memory as EngineMemory;
    if (name === "receive") {
      const at = (this.#layout[Layout.RECEIVE_PTR] as number) + (args[1] as number);
      return toBase64(bytes.subarray(at, at + (args[2] as number)));
    }
    if (pointers.length === 0) return "";
    const parts = pointers.map((index) => {
      const ptr = args[index] as number;
      return toBase64(bytes.subarray(ptr, ptr + (args[index + 1] as number)));
    });
    return parts.join(" ");
  }

  #keep(kept: Kept, call: RecordedCall): void {
    if (!kept.isWhole) return;
    const byteLength = CALL_BYTES + call[2].length;
    kept.calls.push(call);
    kept.byteLength += byteLength;
    this.#byteLength += byteLength;
    while (this.#byteLength > this.#maxBytes) this.#drop();
  }

  #drop(): void {
    let oldest: Kept | undefined;
    for (const kept of this.#kept) {
      if (kept.isClosed) {
        oldest = kept;
        break;
      }
      if (kept.isWhole) oldest ??= kept;
    }
    if (oldest === undefined) return;
    this.#byteLength -= oldest.byteLength;
    oldest.byteLength = 0;
    oldest.calls = [];
    if (oldest.isClosed) this.#kept.delete(oldest);
    else oldest.isWhole = false;
  }

  /** Learns of exchanges from the records written since the last call; answers whose connections they are. */
  #readEvents(): Set<number> {
    const words = (this.#memory as EngineMemory).words;
    const mask = (this.#layout[Layout.EVENT_CAPACITY] as number) - 1;
    const recordsAt = (this.#layout[Layout.EVENT_PTR] as number) >>> 2;
    const written = words[(this.#layout[Layout.EVENT_WRITE_PTR] as number) >>> 2] as number;
    const connections = new Set<number>();
    for (; this.#eventCount !== written; this.#eventCount = (this.#eventCount + 1) >>> 0) {
      const at = recordsAt + (this.#eventCount & mask) * EventLane.COUNT;
      const exchange = words[at + EventLane.EXCHANGE] as number;
      const connection = words[at + EventLane.CONNECTION] as number;
      connections.add(connection);
      const kept = this.#open.get(connection);
      if (kept === undefined || exchange === 0 || this.#ofExchange.get(exchange) === kept) continue;
      this.#ofExchange.set(exchange, kept);
      kept.exchanges.push(exchange);
    }
    return connections;
  }
}
