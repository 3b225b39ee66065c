/**
 * What the encoder puts into its dynamic table, and the instructions for it, RFC 9204 §2.1.1 and §4.3.
 *
 * A field is inserted where its entry fits without evicting what may not be evicted, where the encoder stream may carry the whole
 * instruction now (§2.1.3), and where it is worth it (history.ts). An entry among the oldest eighth of the table is duplicated when
 * it is used, so that what is used often stays and old entries get free.
 *
 * Where there is no memory the entries that had to make room are gone all the same; the peer still has them, as its oldest, and nothing
 * will refer to them.
 *
 * Invariant: an instruction is queued if and only if the table changed by it.
 */
import { BYTE_QUEUE_RESERVE_MAX, ByteQueue, byteQueueCommit, byteQueueReserve } from "../core/byte_queue.ts";
import { Insertion, tableEntry, tableInsert } from "../http/dynamic_table.ts";
import { indexForgetField, indexNewest } from "../http/field_index.ts";
import { FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";
import { absoluteOf } from "./dynamic_table.ts";
import {
  insertRoom,
  SHORT_INSTRUCTION_ROOM,
  writeCapacity,
  writeDuplicate,
  writeInsertWithLiteralName,
  writeInsertWithNameReference,
} from "./encoder_stream.ts";
import { chill, cool, hasCome, historyAllocate, History, isHot } from "./history.ts";
import { EncoderTable } from "./references.ts";
import { STATIC_NONE } from "./static_table.ts";

/** No entry has the name. */
export const NO_AGE: i32 = -1;

/** A field on its way into a section. Where it has a `nameId`, name and length are those of the number. */
@unmanaged
export class EncodedField {
  nameId: u32;
  namePtr: usize;
  nameLen: u32;
  valuePtr: usize;
  valueLen: u32;
  /** Index of the name in the static table, or STATIC_NONE. */
  nameIndex: u32;
  nameHash: u32;
  fieldHash: u32;
}

/** What it counts in the table, RFC 9204 §3.2.1. */
// @ts-ignore: decorator
@inline
function sizeOf(field: EncodedField): u32 {
  return field.nameLen + field.valueLen + FIELD_OVERHEAD_BYTES;
}


@unmanaged
export class InsertingTable extends EncoderTable {
  /** What is due on the encoder stream. */
  output: ByteQueue;
  /** Slab block (history.ts), 0 until the first field could be inserted. */
  history: usize;
  /** The peer has to be told of the capacity before anything is inserted. */
  isCapacityOwed: bool;
}

/** Bytes that the encoder stream may still carry for this section. */
let credit: u32 = 0;
/** An insertion cannot be referred to in this section, so the field would be written twice. */
let isTwice: bool = false;
/** An entry has been cooled for this section. */
let isCooled: bool = false;

/** For each section. `isReferable`: it may refer to what it inserts. */
export function insertionBegin(streamCredit: u32, isReferable: bool): void {
  credit = streamCredit;
  isTwice = !isReferable;
  isCooled = false;
}

/**
 * Inserts the field where that is worth it and possible; `nameAge` is the age of an entry with the name, or NO_AGE. `floor` is the
 * oldest entry that the section refers to so far.
 */
export function insertField(table: InsertingTable, field: EncodedField, nameAge: i32, floor: u64): bool {
  if (table.history == 0) table.history = historyAllocate(table.maxSize);
  if (!isWorthIt(table, field)) return false;
  if (!makeRoom(table, sizeOf(field), floor)) return false;
  const dest = reserve(table, insertRoom(field.nameLen, field.valueLen));
  if (dest == 0) return false;
  let after = dest;
  if (enter(table, field)) after = writeInsertion(dest, field, nameAge);
  commit(table, dest, after);
  return after != dest;
}

/** Whether an insertion pays: at once where there is room, or where what has to go was not used; else when the field comes again. */
function isWorthIt(table: InsertingTable, field: EncodedField): bool {
  const isRoomy = sizeOf(field) <= table.maxSize - table.size;
  if (isRoomy && !isTwice) return true;
  if (table.history == 0) return false;
  const history = changetype<History>(table.history);
  return (
    hasCome(history, field.fieldHash) || (!isTwice && !isHot(history, absoluteOf(table, table.count - 1)))
  );
}

/** Inserts the field, which the entry of that age has, once more. */
export function duplicateField(table: InsertingTable, field: EncodedField, age: u32, floor: u64): bool {
  if (!makeRoom(table, sizeOf(field), floor)) return false;
  const dest = reserve(table, SHORT_INSTRUCTION_ROOM);
  if (dest == 0) return false;
  let after = dest;
  if (enter(table, field)) {
    after = writeDuplicate(dest, age);
    // The entry that was duplicated is one older now, if it is still there.
    if (age + 1 < table.count) {
      indexForgetField(table, age + 1);
      if (table.history != 0) chill(changetype<History>(table.history), absoluteOf(table, age + 1));
    }
  }
  commit(table, dest, after);
  return after != dest;
}

/** Whether an entry is among those that the next insertions evict: an eighth of the table. */
export function isDraining(table: InsertingTable, age: u32): bool {
  const zone = table.maxSize >> 3;
  let size = table.maxSize - table.size;
  for (let oldest = table.count; size < zone && oldest > age;) {
    const entry = tableEntry(table, --oldest);
    if (oldest == age) return true;
    size += <u32>entry.nameLen + entry.valueLen + FIELD_OVERHEAD_BYTES;
  }
  return false;
}

/** Whether all entries may be evicted that have to make room for one of this size, RFC 9204 §2.1.1. */
function makeRoom(table: InsertingTable, size: u32, floor: u64): bool {
  if (size > table.maxSize) return false;
  let free = table.maxSize - table.size;
  const limit = min(min(table.knownReceivedCount, table.oldestReference), floor);
  for (let age = table.count; free < size;) {
    const entry = tableEntry(table, --age);
    const absolute = absoluteOf(table, age);
    if (absolute >= limit || isSpared(table, absolute)) return false;
    free += <u32>entry.nameLen + entry.valueLen + FIELD_OVERHEAD_BYTES;
  }
  return true;
}

function isSpared(table: InsertingTable, absolute: u64): bool {
  if (!isTwice || table.history == 0) return false;
  const history = changetype<History>(table.history);
  if (!isHot(history, absolute)) return false;
  if (!isCooled) cool(history, absolute);
  isCooled = true;
  return true;
}

/** Into the table and its index. False without memory. */
function enter(table: InsertingTable, field: EncodedField): bool {
  const insertion = tableInsert(
    table,
    field.nameId,
    field.namePtr,
    field.nameLen,
    field.valuePtr,
    field.valueLen,
  );
  if (insertion != Insertion.STORED) return false;
  indexNewest(table, field.fieldHash, field.nameHash);
  if (table.history != 0) chill(changetype<History>(table.history), absoluteOf(table, 0));
  return true;
}

function writeInsertion(dest: usize, field: EncodedField, nameAge: i32): usize {
  const valuePtr = field.valuePtr;
  const valueLen = field.valueLen;
  if (field.nameIndex != STATIC_NONE) {
    return writeInsertWithNameReference(dest, field.nameIndex, true, valuePtr, valueLen);
  }
  if (nameAge >= 0) return writeInsertWithNameReference(dest, nameAge, false, valuePtr, valueLen);
  return writeInsertWithLiteralName(dest, field.namePtr, field.nameLen, valuePtr, valueLen);
}

/** Room for an instruction on the encoder stream, or 0. */
function reserve(table: InsertingTable, room: u32): usize {
  if (table.isCapacityOwed) {
    if (room + SHORT_INSTRUCTION_ROOM > credit) return 0;
    const dest = byteQueueReserve(table.output, SHORT_INSTRUCTION_ROOM);
    if (dest == 0) return 0;
    commit(table, dest, writeCapacity(dest, table.maxSize));
    table.isCapacityOwed = false;
  }
  return room <= credit && room <= BYTE_QUEUE_RESERVE_MAX ? byteQueueReserve(table.output, room) : 0;
}

function commit(table: InsertingTable, dest: usize, after: usize): void {
  byteQueueCommit(table.output, <u32>(after - dest));
  credit -= <u32>(after - dest);
}
