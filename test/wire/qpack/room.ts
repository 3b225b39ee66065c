// The QPACK room in a module of its own (test/assembly/qpack/qpack_entry.ts), with encoders and decoders as objects.

import { compileEntry } from "../compile_entry.ts";

const entry = "test/assembly/qpack/qpack_entry.ts";
const recordLanes = 4;
const entryHeaderBytes = 8;
/** What the door `decode` answers for a section that has to wait. */
const BLOCKED = -1000;

export type Field = readonly [name: string, value: string];

export interface QpackDoors {
  memory: WebAssembly.Memory;
  initialize(): void;
  restart(slabBytes: number): void;
  /** Takes all memory that there is. */
  fill(): void;
  bufferPtr(): number;
  outputPtr(): number;
  bytesInUse(): number;
  openDecoder(maxCapacity: number, blockedLimit: number): number;
  closeDecoder(decoder: number): void;
  receiveEncoderStream(decoder: number, len: number): number;
  decode(
    decoder: number,
    stream: number,
    len: number,
    wasBlocked: number,
    countLimit: number,
    sizeLimit: number,
  ): number;
  cancel(decoder: number, stream: number, wasBlocked: number): number;
  takeDecoderStream(decoder: number): number;
  insertCount(decoder: number): number;
  requiredInsertCount(): number;
  blockedCount(decoder: number): number;
  isNeverIndexed(index: number): number;
  recordsPtr(): number;
  bytesPtr(): number;
  numberedNamePtr(nameId: number): number;
  numberedNameLen(nameId: number): number;
  openEncoder(): number;
  closeEncoder(encoder: number): void;
  setSettings(encoder: number, maxCapacity: number, blockedStreams: number): void;
  receiveDecoderStream(encoder: number, len: number): number;
  forget(encoder: number, stream: number): void;
  takeEncoderStream(encoder: number): number;
  encode(
    encoder: number,
    stream: number,
    len: number,
    capacity: number,
    credit: number,
    second: number,
  ): number;
  encodedPtr(): number;
  repeatCount(): number;
}

export class QpackRoom {
  readonly doors: QpackDoors;

  private constructor(doors: QpackDoors) {
    this.doors = doors;
  }

  static async create(): Promise<QpackRoom> {
    const doors = await compileEntry<QpackDoors>(entry);
    doors.initialize();
    return new QpackRoom(doors);
  }

  /** Lays bytes where the doors read them. Answers their count. */
  place(...parts: Uint8Array[]): number {
    let len = 0;
    for (const part of parts) {
      new Uint8Array(this.doors.memory.buffer).set(part, this.doors.bufferPtr() + len);
      len += part.length;
    }
    return len;
  }

  /** Takes all memory that there is. */
  fill(): void {
    this.doors.fill();
  }

  bytes(ptr: number, len: number): Buffer {
    return Buffer.from(new Uint8Array(this.doors.memory.buffer).slice(ptr, ptr + len));
  }

  /** The fields of the section decoded last. */
  fields(count: number): Field[] {
    const { doors } = this;
    const records = new Uint32Array(doors.memory.buffer, doors.recordsPtr(), count * recordLanes);
    const bytesPtr = doors.bytesPtr();
    const text = (ptr: number, len: number) => Buffer.from(doors.memory.buffer, ptr, len).toString("latin1");
    return Array.from({ length: count }, (_, index) => {
      const [name, nameOffset, valueOffset, valueLen] = records.subarray(index * recordLanes);
      const nameId = name! & 0xffff;
      const nameText =
        nameId === 0
          ? text(bytesPtr + nameOffset!, name! >>> 16)
          : text(doors.numberedNamePtr(nameId), doors.numberedNameLen(nameId));
      return [nameText, text(bytesPtr + valueOffset!, valueLen!)];
    });
  }
}

export class QpackDecoder {
  readonly #room: QpackRoom;
  readonly #ptr: number;

  constructor(room: QpackRoom, maxCapacity: number, blockedLimit: number) {
    this.#room = room;
    this.#ptr = room.doors.openDecoder(maxCapacity, blockedLimit);
    if (this.#ptr === 0) throw new Error("no room for a decoder");
  }

  receiveEncoderStream(bytes: Uint8Array): number {
    return this.#room.doors.receiveEncoderStream(this.#ptr, this.#room.place(bytes));
  }

  /** The fields, "blocked", or a negative status. */
  decode(
    stream: number,
    section: Uint8Array,
    { wasBlocked = false, countLimit = 128, sizeLimit = 32768 } = {},
  ): Field[] | "blocked" | number {
    const len = this.#room.place(section);
    const answer = this.#room.doors.decode(this.#ptr, stream, len, Number(wasBlocked), countLimit, sizeLimit);
    if (answer === BLOCKED) return "blocked";
    return answer < 0 ? answer : this.#room.fields(answer);
  }

  cancel(stream: number, wasBlocked: boolean): number {
    return this.#room.doors.cancel(this.#ptr, stream, Number(wasBlocked));
  }

  takeStream(): Buffer {
    const len = this.#room.doors.takeDecoderStream(this.#ptr);
    return this.#room.bytes(this.#room.doors.outputPtr(), len);
  }

  get insertCount(): number {
    return this.#room.doors.insertCount(this.#ptr);
  }

  get blockedCount(): number {
    return this.#room.doors.blockedCount(this.#ptr);
  }

  free(): void {
    this.#room.doors.closeDecoder(this.#ptr);
  }
}

export interface EncodeOptions {
  /** Bytes of output. */
  capacity?: number;
  /** Bytes that the encoder stream may carry. */
  credit?: number;
  /** With it, the last field is a date of this second. */
  second?: number;
}

export class QpackEncoder {
  readonly #room: QpackRoom;
  readonly #ptr: number;

  constructor(room: QpackRoom) {
    this.#room = room;
    this.#ptr = room.doors.openEncoder();
    if (this.#ptr === 0) throw new Error("no room for an encoder");
  }

  setSettings(maxCapacity: number, blockedStreams: number): void {
    this.#room.doors.setSettings(this.#ptr, maxCapacity, blockedStreams);
  }

  /** The section, or a negative status. */
  encode(stream: number, fields: readonly Field[], options: EncodeOptions = {}): Buffer | number {
    const { capacity = 131_072, credit = 1 << 30, second = 0 } = options;
    const date = second === 0 ? [] : fields.slice(-1);
    const block = fieldBlock(second === 0 ? fields : fields.slice(0, -1));
    this.#room.place(block, ...date.map(([, value]) => Buffer.from(value, "latin1")));
    const { doors } = this.#room;
    const len = doors.encode(this.#ptr, stream, block.length, capacity, credit, second);
    return len < 0 ? len : this.#room.bytes(doors.encodedPtr(), len);
  }

  takeStream(): Buffer {
    const len = this.#room.doors.takeEncoderStream(this.#ptr);
    return this.#room.bytes(this.#room.doors.outputPtr(), len);
  }

  receiveDecoderStream(bytes: Uint8Array): number {
    return this.#room.doors.receiveDecoderStream(this.#ptr, this.#room.place(bytes));
  }

  forget(stream: number): void {
    this.#room.doors.forget(this.#ptr, stream);
  }

  free(): void {
    this.#room.doors.closeEncoder(this.#ptr);
  }
}

/** A field block (abi/layout.ts) with every name spelled out. */
function fieldBlock(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => {
      const header = Buffer.alloc(entryHeaderBytes);
      header.writeUInt16LE(name.length, 2);
      header.writeUInt32LE(value.length, 4);
      return [header, Buffer.from(name, "latin1"), Buffer.from(value, "latin1")];
    }),
  );
}
