/**
 * The dynamic table, RFC 7541 §2.3.2 and §4, RFC 9204 §3.2: a queue of fields, the same for HPACK and QPACK and for both directions.
 * What may be evicted, and by which index an entry goes, is theirs to know.
 *
 * Entries and bytes are two rings in slab blocks that are allocated with the first entry and double while they are too
 * small, so a table costs what its content needs: nothing before the first insertion, and never more than its size allows,
 * since an entry counts 32 bytes beyond its strings and takes eight. Capacities are powers of two: a position is a counter
 * masked.
 *
 *   sequence    0 1 2 3 … insertCount - 1        the newest has dynamic index 0
 *   live                  the last `count` of them
 *
 * A name with a number is kept as the number, without bytes, though its length still counts.
 * Invariant: `size` is the sum over live entries of nameLen + valueLen + 32, at most `maxSize`; `bytesLive` is what their
 * strings occupy right before `bytesEnd`. An insertion that fails for want of memory has evicted, but stored nothing.
 */
import { equalBytes } from "../core/scan.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { copyBytes } from "./copy_bytes.ts";
import { FIELD_OVERHEAD_BYTES, fieldSectionAppend, fieldSectionRoom } from "./field_section.ts";

/** Default of SETTINGS_HEADER_TABLE_SIZE, RFC 9113 §6.5.2. */
export const TABLE_SIZE_DEFAULT: u32 = 4096;
/** The largest size a table may be given: positions and lengths fit 16 bits, each ring one slab block. */
export const TABLE_SIZE_MAX: u32 = 65536;

const FIRST_ENTRY_CAPACITY: u32 = 8;
const FIRST_BYTES_CAPACITY: u32 = 128;

/**
 *   0         4      8             12      16        20          24      28          32         36          40
 *   ┌─────────┬──────┬─────────────┬───────┬─────────┬───────────┬───────┬───────────┬──────────┬───────────┬─────────────┐
 *   │ maxSize │ size │ insertCount │ count │ entries │ entryMask │ bytes │ bytesMask │ bytesEnd │ bytesLive │ insertWraps │
 *   └─────────┴──────┴─────────────┴───────┴─────────┴───────────┴───────┴───────────┴──────────┴───────────┴─────────────┘
 */
@unmanaged
export class DynamicTable {
  maxSize: u32;
  size: u32;
  /** Entries ever inserted, wrapping; how often it has wrapped is `insertWraps`. */
  insertCount: u32;
  /** Live entries. */
  count: u32;
  /** Slab block, 0 when nothing is allocated; then the mask does not count. */
  entries: usize;
  entryMask: u32;
  bytes: usize;
  bytesMask: u32;
  /** Counter of the next byte written; masked, its position. */
  bytesEnd: u32;
  bytesLive: u32;
  insertWraps: u32;
}

/**
 *   0        2         4          6          8
 *   ┌────────┬─────────┬──────────┬──────────┐
 *   │ nameId │ nameLen │ valueLen │ position │   name bytes at the position where nameId is 0, then the value
 *   └────────┴─────────┴──────────┴──────────┘
 */
@unmanaged
export class TableEntry {
  nameId: u16;
  nameLen: u16;
  valueLen: u16;
  position: u16;

  /** Bytes of the name that lie in the ring. */
  // @ts-ignore: decorator
  @inline
  get storedNameLen(): u32 {
    return this.nameId != 0 ? 0 : this.nameLen;
  }
}

export const enum Insertion {
  STORED = 0,
  /** RFC 7541 §4.4: an entry larger than the table empties it. In HPACK that is no error. */
  TOO_LARGE = 1,
  MEMORY_FULL = 2,
}

export function tableInitialize(table: DynamicTable, maxSize: u32): void {
  memory.fill(changetype<usize>(table), 0, offsetof<DynamicTable>());
  table.maxSize = min(maxSize, TABLE_SIZE_MAX);
}

/** Gives the blocks back; the table is empty and may be used on. */
export function tableFree(table: DynamicTable): void {
  if (table.entries != 0) slabFree(table.entries);
  if (table.bytes != 0) slabFree(table.bytes);
  table.entries = 0;
  table.bytes = 0;
  table.size = 0;
  table.count = 0;
  table.bytesLive = 0;
}

/** RFC 7541 §4.3. A table without capacity holds no memory either. */
export function tableResize(table: DynamicTable, maxSize: u32): void {
  table.maxSize = maxSize;
  tableEvict(table, maxSize);
  if (maxSize < FIELD_OVERHEAD_BYTES) tableFree(table);
}

/** Entries ever inserted, all of them. */
// @ts-ignore: decorator
@inline
export function tableInsertTotal(table: DynamicTable): u64 {
  return ((<u64>table.insertWraps) << 32) | table.insertCount;
}

/** The entry with a dynamic index below `count`; 0 is the newest. */
// @ts-ignore: decorator
@inline
export function tableEntry(table: DynamicTable, index: u32): TableEntry {
  return entryAt(table, table.insertCount - 1 - index);
}

// @ts-ignore: decorator
@inline
function entryAt(table: DynamicTable, sequence: u32): TableEntry {
  return changetype<TableEntry>(table.entries + (sequence & table.entryMask) * offsetof<TableEntry>());
}

/** Whether `len` bytes of the ring at a position lie in one piece, so that they can be used where they are. */
// @ts-ignore: decorator
@inline
function isContiguous(table: DynamicTable, position: u32, len: u32): bool {
  return (position & table.bytesMask) + len <= table.bytesMask + 1;
}

/** Copies bytes of the ring out of it. */
export function readRing(table: DynamicTable, position: u32, len: u32, dest: usize): void {
  const start = position & table.bytesMask;
  const firstLen = min(len, table.bytesMask + 1 - start);
  copyBytes(dest, table.bytes + start, firstLen);
  copyBytes(dest + firstLen, table.bytes, len - firstLen);
}

/** Whether bytes of the ring are those at `ptr`. Loads may pass the end of either by fifteen bytes. */
export function ringEquals(table: DynamicTable, position: u32, ptr: usize, len: u32): bool {
  const start = position & table.bytesMask;
  const firstLen = min(len, table.bytesMask + 1 - start);
  return (
    equalBytes(table.bytes + start, ptr, firstLen) && equalBytes(table.bytes, ptr + firstLen, len - firstLen)
  );
}

/** Appends an entry, which fieldSectionAccept has taken, to the section begun last (http/field_section.ts). */
export function tableAppendEntry(table: DynamicTable, entry: TableEntry): void {
  const storedNameLen = entry.storedNameLen;
  const valueLen: u32 = entry.valueLen;
  const valuePosition = entry.position + storedNameLen;
  const room = fieldSectionRoom();
  if (storedNameLen != 0) readRing(table, entry.position, storedNameLen, room);
  let valuePtr = table.bytes + (valuePosition & table.bytesMask);
  if (!isContiguous(table, valuePosition, valueLen)) {
    valuePtr = room + storedNameLen;
    readRing(table, valuePosition, valueLen, valuePtr);
  }
  fieldSectionAppend(entry.nameId, entry.nameLen, valuePtr, valueLen);
}

function writeRing(table: DynamicTable, src: usize, len: u32): void {
  const start = table.bytesEnd & table.bytesMask;
  const firstLen = min(len, table.bytesMask + 1 - start);
  copyBytes(table.bytes + start, src, firstLen);
  copyBytes(table.bytes, src + firstLen, len - firstLen);
  table.bytesEnd += len;
  table.bytesLive += len;
}

/**
 * Adds a field, RFC 7541 §4.4. The strings must not lie in this table: what they are copied from may be evicted here.
 * `namePtr` does not matter where nameId is not 0.
 */
export function tableInsert(
  table: DynamicTable,
  nameId: u32,
  namePtr: usize,
  nameLen: u32,
  valuePtr: usize,
  valueLen: u32,
): Insertion {
  const fieldSize = nameLen + valueLen + FIELD_OVERHEAD_BYTES;
  if (fieldSize > table.maxSize) {
    tableEvict(table, 0);
    return Insertion.TOO_LARGE;
  }
  tableEvict(table, table.maxSize - fieldSize);
  const storedNameLen: u32 = nameId != 0 ? 0 : nameLen;
  if (!hasEntryRoom(table) && !growEntries(table)) return Insertion.MEMORY_FULL;
  if (!hasBytesRoom(table, storedNameLen + valueLen) && !growBytes(table, storedNameLen + valueLen)) {
    return Insertion.MEMORY_FULL;
  }
  const entry = entryAt(table, table.insertCount);
  entry.nameId = <u16>nameId;
  entry.nameLen = <u16>nameLen;
  entry.valueLen = <u16>valueLen;
  entry.position = <u16>(table.bytesEnd & table.bytesMask);
  if (storedNameLen != 0) writeRing(table, namePtr, storedNameLen);
  writeRing(table, valuePtr, valueLen);
  if (++table.insertCount == 0) table.insertWraps++;
  table.count++;
  table.size += fieldSize;
  return Insertion.STORED;
}

/** Evicts the oldest entries until the size is at most `size`. */
export function tableEvict(table: DynamicTable, size: u32): void {
  while (table.size > size) {
    const entry = entryAt(table, table.insertCount - table.count);
    table.size -= <u32>entry.nameLen + entry.valueLen + FIELD_OVERHEAD_BYTES;
    table.bytesLive -= entry.storedNameLen + entry.valueLen;
    table.count--;
  }
}

// @ts-ignore: decorator
@inline
function hasEntryRoom(table: DynamicTable): bool {
  return table.entries != 0 && table.count <= table.entryMask;
}

// @ts-ignore: decorator
@inline
function hasBytesRoom(table: DynamicTable, len: u32): bool {
  return table.bytes != 0 && table.bytesLive + len <= table.bytesMask + 1;
}

/** Doubles the ring of entries; each keeps its sequence number. */
function growEntries(table: DynamicTable): bool {
  const capacity = table.entries == 0 ? FIRST_ENTRY_CAPACITY : (table.entryMask + 1) << 1;
  const block = slabAllocate(capacity * offsetof<TableEntry>());
  if (block == 0) return false;
  for (let sequence = table.insertCount - table.count; sequence != table.insertCount; sequence++) {
    const dest = block + (sequence & (capacity - 1)) * offsetof<TableEntry>();
    store<u64>(dest, load<u64>(changetype<usize>(entryAt(table, sequence))));
  }
  if (table.entries != 0) slabFree(table.entries);
  table.entries = block;
  table.entryMask = capacity - 1;
  return true;
}

/** Makes room for `len` more bytes; the live ones move to the start of the new ring. */
function growBytes(table: DynamicTable, len: u32): bool {
  let capacity = table.bytes == 0 ? FIRST_BYTES_CAPACITY : table.bytesMask + 1;
  while (capacity < table.bytesLive + len) capacity <<= 1;
  const block = slabAllocate(capacity);
  if (block == 0) return false;
  if (table.bytes != 0) {
    const start = table.bytesEnd - table.bytesLive;
    readRing(table, start, table.bytesLive, block);
    for (let sequence = table.insertCount - table.count; sequence != table.insertCount; sequence++) {
      const entry = entryAt(table, sequence);
      entry.position = <u16>((entry.position - start) & table.bytesMask);
    }
    slabFree(table.bytes);
  }
  table.bytes = block;
  table.bytesMask = capacity - 1;
  table.bytesEnd = table.bytesLive;
  return true;
}
