/**
 * How an encoder of HPACK or QPACK finds a field or a name in its dynamic table.
 *
 * The table has some hundred entries at most, so the index is two arrays of hashes, one lane per slot of the table's ring, and finding is
 * comparing four lanes at a time. That is smaller than a hash table and faster for the dozen entries there usually are,
 * and it has no buckets that somebody could flood: values chosen to collide cost at most one comparison per entry, with
 * 4 KiB of bytes among all of them. So the hash needs no key.
 *
 *   index      ┌───────────────────────┬───────────────────────┐
 *              │ field hash, u32 × cap │ name hash, u32 × cap  │   cap: the table's entryMask + 1
 *              └───────────────────────┴───────────────────────┘
 *
 * Lanes of evicted entries keep their hash; a find looks whether the entry lives. An index for which there was no memory is
 * absent: nothing is found, and the encoder's output is longer but right.
 */
import { slabAllocate, slabFree } from "../core/slab.ts";
import { DynamicTable, ringEquals, TableEntry } from "./dynamic_table.ts";

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;


@unmanaged
export class IndexedTable extends DynamicTable {
  /** Slab block of the lanes, 0 when there is none. */
  index: usize;
  /** The entryMask that the lanes are laid out for. */
  indexMask: u32;
}

export function indexFree(table: IndexedTable): void {
  if (table.index != 0) slabFree(table.index);
  table.index = 0;
}

/** Hash of a name: by its number where it has one. Loads may pass the end by seven bytes. */
export function hashName(nameId: u32, namePtr: usize, nameLen: u32): u32 {
  if (nameId != 0) return <u32>((<u64>nameId * MULTIPLIER) >> 32);
  return hashString(namePtr, nameLen, 0);
}

/** Hash of a field. Loads may pass the end by seven bytes. */
export function hashField(nameHash: u32, valuePtr: usize, valueLen: u32): u32 {
  return hashString(valuePtr, valueLen, nameHash);
}

function hashString(ptr: usize, len: u32, seed: u32): u32 {
  let mixed: u64 = ((<u64>seed) << 32) ^ ((<u64>len + 1) * MULTIPLIER);
  let rest = len;
  while (rest >= 8) {
    mixed = (mixed ^ load<u64>(ptr)) * MULTIPLIER;
    mixed ^= mixed >> 29;
    ptr += 8;
    rest -= 8;
  }
  if (rest != 0) mixed = (mixed ^ (load<u64>(ptr) & (((<u64>1) << (rest << 3)) - 1))) * MULTIPLIER;
  return <u32>(mixed >> 32);
}

/** Enters the hashes of the entry inserted last. */
export function indexNewest(table: IndexedTable, fieldHash: u32, nameHash: u32): void {
  if ((table.index == 0 || table.indexMask != table.entryMask) && !growIndex(table)) return;
  const lane = table.index + (((table.insertCount - 1) & table.entryMask) << 2);
  store<u32>(lane, fieldHash);
  store<u32>(lane + ((table.indexMask + 1) << 2), nameHash);
}

/** Lays the lanes out for the table's ring of entries as it is now. */
function growIndex(table: IndexedTable): bool {
  const capacity = table.entryMask + 1;
  const block = slabAllocate(capacity << 3);
  if (block != 0) {
    memory.fill(block, 0, capacity << 3);
    if (table.index != 0) copyLanes(table, block, capacity);
  }
  indexFree(table);
  table.index = block;
  table.indexMask = capacity - 1;
  return block != 0;
}

function copyLanes(table: IndexedTable, block: usize, capacity: u32): void {
  const oldCapacity = table.indexMask + 1;
  // The newest entry has no lanes yet.
  for (let sequence = table.insertCount - table.count; sequence != table.insertCount - 1; sequence++) {
    const from = table.index + ((sequence & table.indexMask) << 2);
    const to = block + ((sequence & (capacity - 1)) << 2);
    store<u32>(to, load<u32>(from));
    store<u32>(to + (capacity << 2), load<u32>(from + (oldCapacity << 2)));
  }
}

/** The dynamic index of the field, or -1. */
export function findField(
  table: IndexedTable,
  fieldHash: u32,
  nameId: u32,
  namePtr: usize,
  nameLen: u32,
  valuePtr: usize,
  valueLen: u32,
): i32 {
  if (table.index == 0) return -1;
  const wanted = i32x4.splat(fieldHash);
  for (let slot: u32 = 0; slot <= table.indexMask; slot += 4) {
    let hits = i32x4.bitmask(i32x4.eq(v128.load(table.index + (slot << 2)), wanted));
    for (; hits != 0; hits &= hits - 1) {
      const index = liveIndex(table, slot + ctz(hits));
      if (index < 0) continue;
      const entry = entryOfSlot(table, slot + ctz(hits));
      if (entry.valueLen != valueLen || !hasName(table, entry, nameId, namePtr, nameLen)) continue;
      if (ringEquals(table, entry.position + entry.storedNameLen, valuePtr, valueLen)) return index;
    }
  }
  return -1;
}

/** The dynamic index of the newest entry with the name, or -1. */
export function findName(table: IndexedTable, nameHash: u32, nameId: u32, namePtr: usize, nameLen: u32): i32 {
  if (table.index == 0) return -1;
  const wanted = i32x4.splat(nameHash);
  const lanes = table.index + ((table.indexMask + 1) << 2);
  let newest = -1;
  for (let slot: u32 = 0; slot <= table.indexMask; slot += 4) {
    let hits = i32x4.bitmask(i32x4.eq(v128.load(lanes + (slot << 2)), wanted));
    for (; hits != 0; hits &= hits - 1) {
      const index = liveIndex(table, slot + ctz(hits));
      if (index < 0 || <u32>index >= <u32>newest) continue;
      if (hasName(table, entryOfSlot(table, slot + ctz(hits)), nameId, namePtr, nameLen)) newest = index;
    }
  }
  return newest;
}

/** Lets the field of an entry not be found any more, since a newer entry has the same. Its name still is. */
export function indexForgetField(table: IndexedTable, index: u32): void {
  if (table.index == 0) return;
  store<u32>(table.index + (((table.insertCount - 1 - index) & table.indexMask) << 2), 0);
}

/** The dynamic index of the entry in a slot of the ring, or -1 when it has been evicted. */
// @ts-ignore: decorator
@inline
function liveIndex(table: IndexedTable, slot: u32): i32 {
  const index = (table.insertCount - 1 - slot) & table.entryMask;
  return index < table.count ? <i32>index : -1;
}

// @ts-ignore: decorator
@inline
function entryOfSlot(table: IndexedTable, slot: u32): TableEntry {
  return changetype<TableEntry>(table.entries + slot * offsetof<TableEntry>());
}

// @ts-ignore: decorator
@inline
function hasName(table: IndexedTable, entry: TableEntry, nameId: u32, namePtr: usize, nameLen: u32): bool {
  if (entry.nameId != nameId) return false;
  if (nameId != 0) return true;
  return entry.nameLen == nameLen && ringEquals(table, entry.position, namePtr, nameLen);
}
