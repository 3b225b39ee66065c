// One instance of the engine: its doors with types, its regions as methods, its events as calls on a sink.
//
// This folder is the only one that knows a pointer. Doors answer what the engine answers: a count or a handle, or a negative
// status (assembly/abi/status.ts), so that the hot path throws nothing. A trap of the module throws
// WebAssembly.RuntimeError out of whichever call ran; the instance is then `failed` and must be thrown away.
//
// Order of calls: create; then per connection openConnection, and after each batch of calls readEvents, transmit for the
// connections concerned, and one timer for pollDeadline.

import { COUNTER_NAMES } from "../../assembly/abi/counter.ts";
import { ABI_VERSION, Layout } from "../../assembly/abi/layout.ts";
import { LIMIT_NAMES } from "../../assembly/abi/limit.ts";
import { FRAMED_CONTENT_BYTES } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { FRAME_HEADER_ROOM } from "../../assembly/abi/web_socket.ts";
import type { Doors } from "./doors.ts";
import { checked } from "./engine_error.ts";
import { EventReader, type EventSink } from "./event_reader.ts";
import { type FieldPairs, tryWriteFields, writeFields } from "./field_writer.ts";
import { EngineMemory } from "./memory.ts";
import type { LimitName } from "./limits.ts";
import { QuicCommands } from "./quic_commands.ts";
import type { CompiledModule } from "./module.ts";
import type { Recorder } from "./recorder.ts";
import { SessionCommands } from "./session_commands.ts";
import { SocketCommands } from "./socket_commands.ts";
import { Trace } from "./trace.ts";

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
  /** Keeps what the instance is given, to be replayed. */
  readonly recorder?: Recorder;
  /** The monotonic clock's time at the start, in milliseconds. */
  readonly now: number;
}

/** Linear memory of an instance that is not told otherwise: 256 MiB. */
export const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
const PAGE_BYTES = 65536;

/** One instance of the engine. It answers a count, a handle or a negative `Status`; views are valid until the next call. */
export class Engine {
  readonly doors: Doors;
  readonly sockets: SocketCommands;
  readonly quic: QuicCommands;
  readonly webTransport: SessionCommands;
  readonly trace: Trace;
  readonly #memory: EngineMemory;
  readonly #layout: Uint32Array;
  readonly #receivePtr: number;
  readonly #transmitPtr: number;
  readonly #commandPtr: number;
  readonly #commandLen: number;
  readonly #pinnedEnd: number;
  #pinnedNext: number;
  readonly #events: EventReader;
  /** The most that one `pollTransmit` gathers. */
  readonly transmitCapacity: number;
  /** The region into which a socket reads; `receive` takes bytes from it. */
  readonly receiveBuffer: Uint8Array;

  /** Compiles nothing: takes a compiled module and starts an instance of it. */
  static create(module: CompiledModule, options: EngineOptions): Engine {
    return new Engine(new WebAssembly.Instance(module, {}), options);
  }

  private constructor(instance: WebAssembly.Instance, options: EngineOptions) {
    const exports = instance.exports as unknown as Doors & { memory: WebAssembly.Memory };
    const memory = exports.memory;
    const pages = Math.ceil((options.memoryBytes ?? DEFAULT_MEMORY_BYTES) / PAGE_BYTES);
    const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) memory.grow(missing);
    this.#memory = new EngineMemory(memory.buffer);
    const words = this.#memory.words;
    const table = exports.layout() >>> 2;
    const layout = words.subarray(table, table + Layout.COUNT);
    this.doors = options.recorder?.attach(exports, this.#memory, layout) ?? exports;
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
    this.#events = new EventReader(this.#memory, layout);
    this.sockets = new SocketCommands(this.doors, this.#memory, layout);
    this.quic = new QuicCommands(this.doors, this.#memory, layout, this.receiveBuffer);
    this.webTransport = new SessionCommands(this.doors, this.#memory, layout);
    this.trace = new Trace(this.doors, this.#memory, layout);
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
    this.#events.read(sink);
  }

  /** Whether events wait to be read. */
  get hasEvents(): boolean {
    return this.#events.hasEvents;
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

  /**
   * Puts content into the frames made for it by `frameBody`, at `at` of `into`: the `framingLength` bytes that were polled, in
   * equal parts, each before its piece of the content. Answers the length of it all.
   */
  layFrames(framingLength: number, content: Uint8Array, into: Uint8Array, at: number): number {
    const partLength = framingLength / Math.ceil(content.length / FRAMED_CONTENT_BYTES);
    const { bytes } = this.#memory;
    let framing = this.#transmitPtr;
    let end = at;
    for (let from = 0; from < content.length; from += FRAMED_CONTENT_BYTES) {
      for (let i = 0; i < partLength; i++) into[end++] = bytes[framing++] as number;
      const piece = content.subarray(from, from + FRAMED_CONTENT_BYTES);
      into.set(piece, end);
      end += piece.length;
    }
    return end - at;
  }

  /** The same as text of code units 0–255, which a small write hands on faster than bytes. */
  transmittedText(length: number): string {
    return this.#memory.latin1(this.#transmitPtr, length);
  }

  /** Keeps a field block for good. Throws when the fields are invalid or the region is full. */
  pin(fields: Iterable<readonly [name: string, value: string]>): PinnedFields {
    const ptr = this.#pinnedNext;
    const end = writeFields(this.#memory, fields, ptr, this.#pinnedEnd);
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

  /** Lays bytes behind one another in the command region, and puts where they lie into a door's numbers at these places. */
  layArguments(args: number[], places: readonly number[], parts: readonly Uint8Array[]): void {
    const room = this.#commandLen - parts.reduce((length, part) => length + part.length, 0);
    if (room < 0) throw new RangeError(`the arguments of a door do not fit into ${this.#commandLen} bytes`);
    // The payload of a WebSocket's frame has its header written in front of it.
    let ptr = this.#commandPtr + Math.min(room, FRAME_HEADER_ROOM);
    for (const [index, place] of places.entries()) {
      const part = parts[index] ?? new Uint8Array();
      this.#memory.bytes.set(part, ptr);
      args[place] = ptr;
      ptr += part.length;
    }
  }

  /** The value of a limit, by its name. */
  limit(name: LimitName): number {
    return this.#memory.doubles[
      ((this.#layout[Layout.LIMIT_PTR] as number) >>> 3) + LIMIT_NAMES.indexOf(name)
    ] as number;
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
    return tryWriteFields(this.#memory, fields, this.#commandPtr, this.#commandPtr + this.#commandLen);
  }
}

/** What `bodyFits` keeps free for a response's fields. */
const FIELDS_ROOM = 65536;
