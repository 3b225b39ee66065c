/**
 * The encoder stream, RFC 9204 §4.3: instructions that change the dynamic table, written by the encoder, read into the decoder's table.
 *
 *   1 T index6  value          insert with name reference   T: to the static table, else by age
 *   0 1 H length5 name, value  insert with literal name
 *   0 0 1 capacity5            set dynamic table capacity
 *   0 0 0 index5               duplicate
 *
 * Reading takes any cut of the stream. What an instruction still lacks is known as soon as its lengths are, and its bytes are kept,
 * as many as have come, until it is complete; nothing is kept of one that could not fit the table. So a connection holds at most
 * INSTRUCTION_FACTOR × its table for an instruction that never ends, and whoever sends one byte by byte is not parsed byte by byte.
 *
 * A duplicate is one byte that copies an entry; with a table of some KiB that costs less than receiving the byte did.
 *
 * Invariant: the table changes only by complete instructions, in their order.
 */
import { Status } from "../abi/status.ts";
import { QpackStatus } from "../abi/qpack_status.ts";
import { slabAllocate, slabCapacity, slabFree, SLAB_MAX } from "../core/slab.ts";
import { copyBytes } from "../http/copy_bytes.ts";
import {
  DynamicTable,
  Insertion,
  readRing,
  tableEntry,
  tableFree,
  tableInitialize,
  tableInsert,
  tableResize,
} from "../http/dynamic_table.ts";
import { fieldSectionRoom, FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";
import { HUFFMAN_INVALID, huffmanDecode } from "../http/huffman.ts";
import { INTEGER_BYTES_MAX, writeInteger } from "../http/prefixed_integer.ts";
import { nameLookup } from "../http/pseudo_field.ts";
import { stringRoom, writeString } from "../http/string_literal.ts";
import { IntegerFailure, integerFailure, integerValue, readInteger } from "./integer.ts";
import { STATIC_COUNT, staticEntry } from "./static_table.ts";

const NAME_REFERENCE: u32 = 0x80;
const NAME_REFERENCE_STATIC: u32 = 0x40;
const NAME_REFERENCE_MASK: u32 = 0x3f;
const LITERAL_NAME: u32 = 0x40;
const LITERAL_NAME_MASK: u32 = 0x1f;
const CAPACITY: u32 = 0x20;
const CAPACITY_MASK: u32 = 0x1f;
const DUPLICATE_MASK: u32 = 0x1f;
const VALUE_MASK: u32 = 0x7f;

/** The longest code has 30 bits for 8: an encoder that chooses Huffman without reason writes up to this many bytes for one. */
const INSTRUCTION_FACTOR: u32 = 4;


@unmanaged
export class DecoderTable extends DynamicTable {
  /** What the encoder may choose as capacity: our SETTINGS_QPACK_MAX_TABLE_CAPACITY. */
  maxCapacity: u32;
  /** Slab block with the bytes of an incomplete instruction, 0 when there is none. */
  pending: usize;
  pendingLen: u32;
  /** The least length that the pending instruction can have, as far as its bytes tell. */
  pendingNeeded: u32;
}

export function decoderTableInitialize(table: DecoderTable, maxCapacity: u32): void {
  // RFC 9204 §3.2.3: the capacity is zero until the encoder sets it.
  tableInitialize(table, 0);
  table.maxCapacity = maxCapacity;
  table.pending = 0;
  table.pendingLen = 0;
  table.pendingNeeded = 0;
}

export function decoderTableFree(table: DecoderTable): void {
  tableFree(table);
  dropPending(table);
}

let table: DecoderTable = changetype<DecoderTable>(0);
/** Why a reading function answered 0. INCOMPLETE is none of the statuses. */
let failure: i32 = 0;
const INCOMPLETE: i32 = 1;
/** Where the instruction begins that is being read, and how long it is at least when it is INCOMPLETE. */
let instruction: usize = 0;
let needed: u32 = 0;
/** The string read last: where it lies, how many bytes it has. */
let stringPtr: usize = 0;
let stringLen: u32 = 0;

/** Takes the next bytes of the encoder stream, all of them. 0, or a QpackStatus or MEMORY_FULL, all fatal to the connection. */
export function readEncoderStream(state: DecoderTable, ptr: usize, len: u32): i32 {
  table = state;
  const end = ptr + len;
  while (ptr < end) {
    if (state.pendingLen != 0) {
      const part = min(<u32>(end - ptr), state.pendingNeeded - state.pendingLen);
      if (!keepPending(ptr, part)) return Status.MEMORY_FULL;
      ptr += part;
      if (state.pendingLen < state.pendingNeeded) return Status.OK;
      if (readInstruction(state.pending, state.pending + state.pendingLen) != 0) dropPending(state);
      else if (failure != INCOMPLETE) return failure;
      else state.pendingNeeded = needed;
      continue;
    }
    const next = readInstruction(ptr, end);
    if (next != 0) {
      ptr = next;
      continue;
    }
    if (failure != INCOMPLETE) return failure;
    state.pendingNeeded = needed;
    return keepPending(ptr, <u32>(end - ptr)) ? Status.OK : Status.MEMORY_FULL;
  }
  return Status.OK;
}

function keepPending(ptr: usize, len: u32): bool {
  const wanted = table.pendingLen + len;
  if (table.pending == 0 || slabCapacity(table.pending) < wanted) {
    // Doubles, so that bytes that come one by one are not copied again and again.
    const block = slabAllocate(max(wanted, min(table.pendingLen << 1, SLAB_MAX)));
    if (block == 0) return false;
    if (table.pending != 0) {
      copyBytes(block, table.pending, table.pendingLen);
      slabFree(table.pending);
    }
    table.pending = block;
  }
  copyBytes(table.pending + table.pendingLen, ptr, len);
  table.pendingLen = wanted;
  return true;
}

function dropPending(state: DecoderTable): void {
  if (state.pending != 0) slabFree(state.pending);
  state.pending = 0;
  state.pendingLen = 0;
}

/** Reads one instruction and does what it says. Answers the address after it, or 0: see `failure`. */
function readInstruction(at: usize, end: usize): usize {
  instruction = at;
  const first: u32 = load<u8>(at);
  if (first >= NAME_REFERENCE)
    return readInsertWithNameReference(at, end, (first & NAME_REFERENCE_STATIC) != 0);
  if (first >= LITERAL_NAME) return readInsertWithLiteralName(at, end);
  return first >= CAPACITY ? readCapacity(at, end) : readDuplicate(at, end);
}

/** RFC 9204 §4.3.2. */
function readInsertWithNameReference(at: usize, end: usize, isStatic: bool): usize {
  at = readNumber(at, end, NAME_REFERENCE_MASK);
  if (at == 0) return 0;
  const index = integerValue();
  if (index >= (isStatic ? STATIC_COUNT : table.count)) return fail(QpackStatus.ENCODER_INDEX);
  const room = fieldSectionRoom();
  let nameId: u32;
  let nameLen: u32;
  if (isStatic) {
    nameId = staticEntry(<u32>index).nameId;
    nameLen = staticEntry(<u32>index).nameLen;
  } else {
    const entry = tableEntry(table, <u32>index);
    nameId = entry.nameId;
    nameLen = entry.nameLen;
  }
  at = readString(at, end, VALUE_MASK, room + nameLen, nameLen);
  if (at == 0) return 0;
  // Copied out, since the entry may be evicted for the new one (RFC 9204 §3.2.2).
  if (nameId == 0) readRing(table, tableEntry(table, <u32>index).position, nameLen, room);
  return insert(at, nameId, room, nameLen, stringPtr, stringLen);
}

/** RFC 9204 §4.3.3. */
function readInsertWithLiteralName(at: usize, end: usize): usize {
  const room = fieldSectionRoom();
  at = readString(at, end, LITERAL_NAME_MASK, room, 0);
  if (at == 0) return 0;
  const namePtr = stringPtr;
  const nameLen = stringLen;
  at = readString(at, end, VALUE_MASK, room + nameLen, nameLen);
  if (at == 0) return 0;
  return insert(at, nameLookup(namePtr, nameLen), namePtr, nameLen, stringPtr, stringLen);
}

/** RFC 9204 §4.3.1. */
function readCapacity(at: usize, end: usize): usize {
  at = readNumber(at, end, CAPACITY_MASK);
  if (at == 0) return 0;
  if (integerValue() > table.maxCapacity) return fail(QpackStatus.ENCODER_CAPACITY);
  tableResize(table, <u32>integerValue());
  return at;
}

/** RFC 9204 §4.3.4. */
function readDuplicate(at: usize, end: usize): usize {
  at = readNumber(at, end, DUPLICATE_MASK);
  if (at == 0) return 0;
  if (integerValue() >= table.count) return fail(QpackStatus.ENCODER_INDEX);
  const entry = tableEntry(table, <u32>integerValue());
  const room = fieldSectionRoom();
  const storedNameLen = entry.storedNameLen;
  readRing(table, entry.position, storedNameLen + entry.valueLen, room);
  return insert(at, entry.nameId, room, entry.nameLen, room + storedNameLen, entry.valueLen);
}

/** Answers `next` when the entry was inserted. */
function insert(next: usize, nameId: u32, ptr: usize, len: u32, valuePtr: usize, valueLen: u32): usize {
  switch (tableInsert(table, nameId, ptr, len, valuePtr, valueLen)) {
    case Insertion.TOO_LARGE:
      return fail(QpackStatus.ENCODER_ENTRY_TOO_LARGE);
    case Insertion.MEMORY_FULL:
      return fail(Status.MEMORY_FULL);
  }
  return next;
}

function readNumber(at: usize, end: usize, mask: u32): usize {
  if (at == end) return failIncomplete(at, 1);
  const next = readInteger(at, end, mask);
  if (next != 0) return next;
  if (integerFailure() == IntegerFailure.TOO_LARGE) return fail(QpackStatus.ENCODER_INTEGER);
  return failIncomplete(end, 1);
}

/**
 * RFC 9204 §4.1.2: a string as it stands, or Huffman-decoded at `dest`, for an entry that has `otherLen` bytes besides. One that
 * cannot fit the table is not waited for.
 */
function readString(at: usize, end: usize, mask: u32, dest: usize, otherLen: u32): usize {
  const start = at;
  at = readNumber(at, end, mask);
  if (at == 0) return 0;
  const isHuffman = (load<u8>(start) & (mask + 1)) != 0;
  const len = integerValue();
  const usedBytes = otherLen + FIELD_OVERHEAD_BYTES;
  if (usedBytes > table.maxSize) return fail(QpackStatus.ENCODER_ENTRY_TOO_LARGE);
  const mostBytes = table.maxSize - usedBytes;
  if (len > (isHuffman ? mostBytes * INSTRUCTION_FACTOR : mostBytes)) {
    return fail(QpackStatus.ENCODER_ENTRY_TOO_LARGE);
  }
  if (len > <u64>(end - at)) return failIncomplete(at, <u32>len);
  stringPtr = at;
  stringLen = <u32>len;
  if (isHuffman) {
    const decodedLen = huffmanDecode(at, <u32>len, dest);
    if (decodedLen == HUFFMAN_INVALID) return fail(QpackStatus.ENCODER_HUFFMAN);
    stringPtr = dest;
    stringLen = decodedLen;
  }
  return at + <usize>len;
}

function fail(status: i32): usize {
  failure = status;
  return 0;
}

/** The instruction goes on at least until `len` bytes after `at`. */
function failIncomplete(at: usize, len: u32): usize {
  needed = <u32>(at - instruction) + len;
  failure = INCOMPLETE;
  return 0;
}

/** The most bytes that inserting a field takes. */
// @ts-ignore: decorator
@inline
export function insertRoom(nameLen: u32, valueLen: u32): u32 {
  return stringRoom(nameLen) + stringRoom(valueLen);
}

/** The most bytes of a capacity or a duplicate. */
export const SHORT_INSTRUCTION_ROOM: u32 = INTEGER_BYTES_MAX;

/** Answer the address after what they wrote; there is room for it. */
export function writeCapacity(dest: usize, capacity: u32): usize {
  return writeInteger(dest, CAPACITY, CAPACITY_MASK, capacity);
}

export function writeDuplicate(dest: usize, age: u32): usize {
  return writeInteger(dest, 0, DUPLICATE_MASK, age);
}

/** `index` is one of the static table, or an age. */
export function writeInsertWithNameReference(
  dest: usize,
  index: u32,
  isStatic: bool,
  valuePtr: usize,
  valueLen: u32,
): usize {
  const pattern = isStatic ? NAME_REFERENCE | NAME_REFERENCE_STATIC : NAME_REFERENCE;
  dest = writeInteger(dest, pattern, NAME_REFERENCE_MASK, index);
  return writeString(dest, 0, VALUE_MASK, valuePtr, valueLen);
}

export function writeInsertWithLiteralName(
  dest: usize,
  ptr: usize,
  len: u32,
  valuePtr: usize,
  valueLen: u32,
): usize {
  dest = writeString(dest, LITERAL_NAME, LITERAL_NAME_MASK, ptr, len);
  return writeString(dest, 0, VALUE_MASK, valuePtr, valueLen);
}
