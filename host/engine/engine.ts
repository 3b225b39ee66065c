// One instance of the engine: its doors with types, its regions as methods, its events as calls on a sink.
//
// This folder is the only one that knows a pointer. Doors answer what the engine answers: a count or a handle, or a negative
// status (assembly/abi/status.ts), so that the hot path throws nothing. A trap of the module throws
// WebAssembly.RuntimeError out of whichever call ran; the instance is then `failed` and must be thrown away.
//
// Order of calls: create; then per connection openConnection, and after each batch of calls readEvents, transmit for the
// connections concerned, and one timer for pollDeadline.

import { COUNTER_NAMES } from "../../assembly/abi/counter.ts";
import { EventFlag, EventKind, EventLane } from "../../assembly/abi/event.ts";
import { FIELD_NAMES } from "../../assembly/abi/field_name.ts";
import { ABI_VERSION, FIELD_ENTRY_HEADER_BYTES, Layout } from "../../assembly/abi/layout.ts";
import { LIMIT_NAMES } from "../../assembly/abi/limit.ts";
import { Status } from "../../assembly/abi/status.ts";
import { checked, EngineError } from "./engine_error.ts";
import { EngineMemory } from "./memory.ts";
import { ReceivedHead } from "./received_head.ts";

/** What the engine tells, in the order in which it happened. Handles are numbers; bytes are views valid during the call. */
export interface EventSink {
  request(connection: number, exchange: number, head: ReceivedHead): void;
  response(connection: number, exchange: number, head: ReceivedHead): void;
  informational(connection: number, exchange: number, statusCode: number, head: ReceivedHead): void;
  /** `bytes` is valid during this call only. `isEnd`: nothing follows, trailers included. */
  body(connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean): void;
  /** The end of content whose last bytes did not say so; trailers are complete. */
  end(connection: number, exchange: number): void;
  aborted(connection: number, exchange: number, status: number): void;
  peerEnded(connection: number, exchange: number): void;
  writable(connection: number, exchange: number): void;
  tunnel(connection: number, exchange: number): void;
  /** The connection has something to send though nobody was calling it. */
  transmit(connection: number): void;
  readPause(connection: number): void;
  readResume(connection: number): void;
  /** `abort`: destroy the socket. Otherwise end the write side once everything transmitted was written. */
  close(connection: number, status: number, abort: boolean): void;
}

/** A field block that stays in the engine's memory: for fields that are sent again and again. */
export interface PinnedFields {
  readonly ptr: number;
  readonly len: number;
}

/** How an instance is made. */
export interface EngineOptions {
  /** Bytes of linear memory, fixed for good. */
  readonly memoryBytes?: number;
  /** Limits by index (resolveLimits). */
  readonly limits?: Float64Array;
  /** 32 bytes of randomness; from the runtime's generator when left out. */
  readonly entropy?: Uint8Array;
  /** The monotonic clock's time at the start, in milliseconds. */
  readonly now: number;
}

export const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
const PAGE_BYTES = 65536;

type Door = (...args: number[]) => number;

/** The exported functions, by the names in assembly/exports/index.ts. */
interface Doors {
  layout: Door;
  initialize: Door;
  addEntropy: Door;
  setDate: Door;
  pollDeadline: Door;
  handleTimeout: Door;
  openConnection: Door;
  receive: Door;
  receiveEnd: Door;
  pollTransmit: Door;
  transmitBlocked: Door;
  transmitDrained: Door;
  drainConnection: Door;
  closeConnection: Door;
  openExchange: Door;
  sendInformational: Door;
  sendHead: Door;
  sendBody: Door;
  respond: Door;
  frameBody: Door;
  sendTrailers: Door;
  readBody: Door;
  push: Door;
  releaseExchange: Door;
  /** Debug build only. */
  debugTrap?: Door;
}

export class Engine {
  readonly doors: Doors;
  readonly #memory: EngineMemory;
  readonly #layout: Uint32Array;
  readonly #receivePtr: number;
  readonly #transmitPtr: number;
  readonly #commandPtr: number;
  readonly #commandLen: number;
  readonly #pinnedEnd: number;
  #pinnedNext: number;
  readonly #eventAt: number;
  readonly #eventMask: number;
  readonly #eventWriteAt: number;
  readonly #eventReadAt: number;
  /** The most that one `pollTransmit` gathers. */
  readonly transmitCapacity: number;
  /** The region into which a socket reads; `receive` takes bytes from it. */
  readonly receiveBuffer: Uint8Array;

  /** Compiles nothing: takes a compiled module and starts an instance of it. */
  static create(module: WebAssembly.Module, options: EngineOptions): Engine {
    return new Engine(new WebAssembly.Instance(module, {}), options);
  }

  private constructor(instance: WebAssembly.Instance, options: EngineOptions) {
    const exports = instance.exports as unknown as Doors & { memory: WebAssembly.Memory };
    this.doors = exports;
    const memory = exports.memory;
    const pages = Math.ceil((options.memoryBytes ?? DEFAULT_MEMORY_BYTES) / PAGE_BYTES);
    const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) memory.grow(missing);
    this.#memory = new EngineMemory(memory.buffer);
    const words = this.#memory.words;
    const table = this.doors.layout() >>> 2;
    const layout = words.subarray(table, table + Layout.COUNT);
    this.#layout = layout;
    if (layout[Layout.ABI_VERSION] !== ABI_VERSION) {
      throw new Error(`the engine speaks ABI ${layout[Layout.ABI_VERSION]}, this host ABI ${ABI_VERSION}`);
    }
    this.#receivePtr = layout[Layout.RECEIVE_PTR] as number;
    this.receiveBuffer = this.#memory.bytes.subarray(
      this.#receivePtr,
      this.#receivePtr + (layout[Layout.RECEIVE_LEN] as number),
    );
    this.#transmitPtr = layout[Layout.TRANSMIT_PTR] as number;
    this.transmitCapacity = layout[Layout.TRANSMIT_LEN] as number;
    this.#commandPtr = layout[Layout.COMMAND_PTR] as number;
    this.#commandLen = layout[Layout.COMMAND_LEN] as number;
    this.#pinnedNext = layout[Layout.PINNED_PTR] as number;
    this.#pinnedEnd = this.#pinnedNext + (layout[Layout.PINNED_LEN] as number);
    this.#eventAt = (layout[Layout.EVENT_PTR] as number) >>> 2;
    this.#eventMask = (layout[Layout.EVENT_CAPACITY] as number) - 1;
    this.#eventWriteAt = (layout[Layout.EVENT_WRITE_PTR] as number) >>> 2;
    this.#eventReadAt = (layout[Layout.EVENT_READ_PTR] as number) >>> 2;
    if (options.limits !== undefined) {
      this.#memory.doubles.set(options.limits, (layout[Layout.LIMIT_PTR] as number) >>> 3);
    }
    this.addEntropy(options.entropy, false);
    checked(this.doors.initialize(options.now), "starting the engine");
  }

  /** Hands over 32 bytes of randomness, the runtime's own when none are given. */
  addEntropy(entropy?: Uint8Array, take = true): void {
    const ptr = this.#layout[Layout.ENTROPY_PTR] as number;
    const len = this.#layout[Layout.ENTROPY_LEN] as number;
    const region = this.#memory.bytes.subarray(ptr, ptr + len);
    if (entropy === undefined) crypto.getRandomValues(region);
    else if (entropy.length !== len)
      throw new RangeError(`entropy has ${entropy.length} bytes; it must be ${len}`);
    else region.set(entropy);
    if (take) checked(this.doors.addEntropy(), "adding entropy");
  }

  /** Tells every event since the last call. Events that the sink causes by its calls are told too. */
  readEvents(sink: EventSink): void {
    const words = this.#memory.words;
    while (words[this.#eventReadAt] !== words[this.#eventWriteAt]) {
      const count = words[this.#eventReadAt] as number;
      const at = this.#eventAt + (count & this.#eventMask) * EventLane.COUNT;
      const kind = words[at] as number;
      const exchange = words[at + EventLane.EXCHANGE] as number;
      const connection = words[at + EventLane.CONNECTION] as number;
      const a = words[at + EventLane.A] as number;
      // The record is free from here on: a call of the sink may need its place.
      words[this.#eventReadAt] = count + 1;
      switch (kind & 0xffff) {
        case EventKind.REQUEST:
          sink.request(connection, exchange, new ReceivedHead(this.#memory, a));
          break;
        case EventKind.BODY: {
          const len = words[at + EventLane.B] as number;
          sink.body(connection, exchange, this.#memory.bytes.subarray(a, a + len), kind >>> 16 !== 0);
          break;
        }
        default:
          this.#readRareEvent(sink, kind, connection, exchange, a, words[at + EventLane.B] as number);
      }
    }
  }

  #readRareEvent(
    sink: EventSink,
    kind: number,
    connection: number,
    exchange: number,
    a: number,
    b: number,
  ): void {
    switch (kind & 0xffff) {
      case EventKind.END:
        return sink.end(connection, exchange);
      case EventKind.RESPONSE:
        return sink.response(connection, exchange, new ReceivedHead(this.#memory, a));
      case EventKind.INFORMATIONAL:
        return sink.informational(connection, exchange, b, new ReceivedHead(this.#memory, a));
      case EventKind.ABORTED:
        return sink.aborted(connection, exchange, a | 0);
      case EventKind.PEER_ENDED:
        return sink.peerEnded(connection, exchange);
      case EventKind.WRITABLE:
        return sink.writable(connection, exchange);
      case EventKind.TUNNEL:
        return sink.tunnel(connection, exchange);
      case EventKind.READ_PAUSE:
        return sink.readPause(connection);
      case EventKind.READ_RESUME:
        return sink.readResume(connection);
      case EventKind.TRANSMIT:
        return sink.transmit(connection);
      case EventKind.CLOSE:
        return sink.close(connection, a | 0, ((kind >>> 16) & EventFlag.ABORT) !== 0);
    }
  }

  /** Whether events wait to be read. */
  get hasEvents(): boolean {
    return this.#memory.words[this.#eventReadAt] !== this.#memory.words[this.#eventWriteAt];
  }

  /**
   * Gathers what the connection has to send and answers its length; `transmitted` or `transmittedText` give the bytes. All
   * there was has been gathered unless the length is at least half of `transmitCapacity`.
   */
  pollTransmit(connection: number): number {
    return this.doors.pollTransmit(connection);
  }

  /** The bytes of the last `pollTransmit`, as a view that is valid until the next call. */
  transmitted(length: number): Uint8Array {
    return this.#memory.bytes.subarray(this.#transmitPtr, this.#transmitPtr + length);
  }

  /** The same as text of code units 0–255, which a small write hands on faster than bytes. */
  transmittedText(length: number): string {
    return this.#memory.latin1(this.#transmitPtr, length);
  }

  /** Keeps a field block for good. Throws when the fields are invalid or the region is full. */
  pin(fields: Iterable<readonly [name: string, value: string]>): PinnedFields {
    const ptr = this.#pinnedNext;
    const end = this.#writeFields(fields, ptr, this.#pinnedEnd);
    this.#pinnedNext = end;
    return { ptr, len: end - ptr };
  }

  /** Bytes left for `pin`. */
  get pinnedRoom(): number {
    return this.#pinnedEnd - this.#pinnedNext;
  }

  /**
   * A whole response with pinned fields and a text body that fits (bodyFits). Answers the bytes of body that were not
   * taken for now, or a status.
   */
  respondText(
    exchange: number,
    statusCode: number,
    fields: PinnedFields,
    text: string,
    flags: number,
  ): number {
    const len = this.#memory.writeUtf8(text, this.#commandPtr);
    const taken = this.doors.respond(
      exchange,
      statusCode,
      fields.ptr,
      fields.len,
      this.#commandPtr,
      len,
      flags,
    );
    return taken < 0 ? taken : len - taken;
  }

  /** Whether a body of that many bytes (3 per code unit of text) leaves room for usual fields in one command. */
  bodyFits(byteLength: number): boolean {
    return byteLength <= this.#commandLen - FIELDS_ROOM;
  }

  /** A whole response. The body must fit (bodyFits). Answers the bytes of body not taken for now, or a status. */
  respond(
    exchange: number,
    statusCode: number,
    fields: FieldPairs,
    body: string | Uint8Array,
    flags: number,
  ): number {
    const fieldsEnd = this.#tryWriteFields(fields);
    if (fieldsEnd < 0) return fieldsEnd;
    const len = this.#writeBody(body, fieldsEnd);
    if (len < 0) return len;
    const fieldsLen = fieldsEnd - this.#commandPtr;
    const taken = this.doors.respond(
      exchange,
      statusCode,
      this.#commandPtr,
      fieldsLen,
      fieldsEnd,
      len,
      flags,
    );
    return taken < 0 ? taken : len - taken;
  }

  sendHead(
    exchange: number,
    statusCode: number,
    fields: FieldPairs,
    contentLength: number,
    flags: number,
  ): number {
    const end = this.#tryWriteFields(fields);
    if (end < 0) return end;
    return this.doors.sendHead(
      exchange,
      statusCode,
      this.#commandPtr,
      end - this.#commandPtr,
      contentLength,
      flags,
    );
  }

  sendInformational(exchange: number, statusCode: number, fields: FieldPairs): number {
    const end = this.#tryWriteFields(fields);
    if (end < 0) return end;
    return this.doors.sendInformational(exchange, statusCode, this.#commandPtr, end - this.#commandPtr);
  }

  sendTrailers(exchange: number, fields: FieldPairs): number {
    const end = this.#tryWriteFields(fields);
    if (end < 0) return end;
    return this.doors.sendTrailers(exchange, this.#commandPtr, end - this.#commandPtr);
  }

  /** Offers content; answers how much was taken, which is at most the command region's size, or a status. */
  sendBody(exchange: number, body: Uint8Array, flags: number): number {
    const len = Math.min(body.length, this.#commandLen);
    this.#memory.bytes.set(len === body.length ? body : body.subarray(0, len), this.#commandPtr);
    return this.doors.sendBody(exchange, this.#commandPtr, len, len === body.length ? flags : 0);
  }

  /** Promises a GET of `path`; answers the promised exchange's handle, 0 where nothing can be pushed, or a status. */
  push(exchange: number, path: string, fields: FieldPairs): number {
    const fieldsEnd = this.#tryWriteFields(fields);
    if (fieldsEnd < 0) return fieldsEnd;
    const pathLen = this.#writeBody(path, fieldsEnd);
    if (pathLen < 0) return pathLen;
    return this.doors.push(exchange, fieldsEnd, pathLen, this.#commandPtr, fieldsEnd - this.#commandPtr);
  }

  openExchange(
    connection: number,
    request: { method: string; target: string; fields: FieldPairs; contentLength: number },
    flags: number,
    now: number,
  ): number {
    const fieldsEnd = this.#tryWriteFields(request.fields);
    if (fieldsEnd < 0) return fieldsEnd;
    const methodLen = this.#writeBody(request.method, fieldsEnd);
    if (methodLen < 0) return methodLen;
    const targetPtr = fieldsEnd + methodLen;
    const targetLen = this.#writeBody(request.target, targetPtr);
    if (targetLen < 0) return targetLen;
    return this.doors.openExchange(
      connection,
      fieldsEnd,
      methodLen,
      targetPtr,
      targetLen,
      this.#commandPtr,
      fieldsEnd - this.#commandPtr,
      request.contentLength,
      flags,
      now,
    );
  }

  /** The counters of assembly/abi/counter.ts by name. */
  counters(): Map<string, number> {
    return this.#numbers(Layout.COUNTER_PTR, COUNTER_NAMES);
  }

  /** How often each limit was hit, by name. */
  limitHits(): Map<string, number> {
    return this.#numbers(Layout.LIMIT_HIT_PTR, LIMIT_NAMES);
  }

  #numbers(ptrLane: number, names: readonly string[]): Map<string, number> {
    const at = (this.#layout[ptrLane] as number) >>> 3;
    return new Map(names.map((name, index) => [name, this.#memory.doubles[at + index] as number]));
  }

  #writeBody(body: string | Uint8Array, ptr: number): number {
    const room = this.#commandPtr + this.#commandLen - ptr;
    if (typeof body === "string") {
      return body.length * 3 > room ? Status.OUT_OF_BOUNDS : this.#memory.writeUtf8(body, ptr);
    }
    if (body.length > room) return Status.OUT_OF_BOUNDS;
    this.#memory.bytes.set(body, ptr);
    return body.length;
  }

  /** Writes a block at the start of the command region; answers its end, or a status. */
  #tryWriteFields(fields: FieldPairs): number {
    try {
      return this.#writeFields(fields, this.#commandPtr, this.#commandPtr + this.#commandLen);
    } catch (error) {
      if (error instanceof EngineError) return error.status;
      throw error;
    }
  }

  #writeFields(fields: FieldPairs, ptr: number, end: number): number {
    const { bytes } = this.#memory;
    let at = ptr;
    for (const [name, value] of fields) {
      const id = NAME_IDS.get(name) ?? 0;
      const nameLen = id === 0 ? name.length : 0;
      const valueLen = value.length;
      const next = at + FIELD_ENTRY_HEADER_BYTES + nameLen + valueLen;
      if (next > end || nameLen > 0xffff) throw new EngineError(Status.FIELDS_TOO_LARGE, name.slice(0, 64));
      if (!isLatin1(name) || !isLatin1(value))
        throw new EngineError(Status.FIELD_VALUE_INVALID, name.slice(0, 64));
      bytes[at] = id & 0xff;
      bytes[at + 1] = id >>> 8;
      bytes[at + 2] = nameLen & 0xff;
      bytes[at + 3] = nameLen >>> 8;
      bytes[at + 4] = valueLen & 0xff;
      bytes[at + 5] = (valueLen >>> 8) & 0xff;
      bytes[at + 6] = (valueLen >>> 16) & 0xff;
      bytes[at + 7] = valueLen >>> 24;
      at += FIELD_ENTRY_HEADER_BYTES;
      if (nameLen !== 0) at += this.#memory.writeLatin1(name, at);
      at += this.#memory.writeLatin1(value, at);
    }
    return at;
  }
}

/** Fields to send; names in lower case. */
export type FieldPairs = Iterable<readonly [name: string, value: string]>;

/** What `bodyFits` keeps free for a response's fields. */
const FIELDS_ROOM = 65536;
const NAME_IDS = new Map(FIELD_NAMES.map((name, id) => [name, id]));
NAME_IDS.delete("");

/** Field bytes are sent as they are: a code unit above 255 has none. */
function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
