/**
 * A table that turns handles into addresses and notices stale ones (abi/handle.ts has the bits).
 *
 * Slots live in memory that the owner provides. A free slot keeps the index of the next free one in place of its address.
 * Each time a slot is freed its generation moves on, so that a handle kept too long names nothing. Index 0 is never used
 * as the end of the free list is 0.
 *
 *   slot   0           4                8
 *          ┌───────────┬────────────────┐
 *          │ address   │ generation and │
 *          │ or next   │ in-use bit     │
 *          └───────────┴────────────────┘
 */
const INDEX_BITS: u32 = 20;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
const GENERATION_MAX: u32 = 0x7ff;
const IN_USE: u32 = 0x80000000;
export const HANDLE_SLOT_BYTES: u32 = 8;

/** All of its state besides the slots. `capacity` counts usable handles; slots are capacity + 1. */
@unmanaged
export class HandleTable {
  slots: usize;
  capacity: u32;
  freeHead: u32;
  /** Lowest index never used. */
  fresh: u32;
  count: u32;
}

/** `slots` has room for (capacity + 1) × HANDLE_SLOT_BYTES and is zeroed by this call only as far as it is used. */
export function handleTableInitialize(table: HandleTable, slots: usize, capacity: u32): void {
  table.slots = slots;
  table.capacity = min(capacity, INDEX_MASK);
  table.freeHead = 0;
  table.fresh = 1;
  table.count = 0;
}

/** A handle for `address`, or 0 when the table is full. */
export function handleCreate(table: HandleTable, address: usize): u32 {
  let index = table.freeHead;
  let slot: usize;
  let generation: u32;
  if (index != 0) {
    slot = table.slots + index * HANDLE_SLOT_BYTES;
    table.freeHead = load<u32>(slot);
    generation = load<u32>(slot, 4);
  } else {
    if (table.fresh > table.capacity) return 0;
    index = table.fresh++;
    slot = table.slots + index * HANDLE_SLOT_BYTES;
    generation = 1;
  }
  store<u32>(slot, <u32>address);
  store<u32>(slot, generation | IN_USE, 4);
  table.count++;
  return (generation << INDEX_BITS) | index;
}

/** The address behind a handle, or 0 when the handle is stale or was never given out. */
// @ts-ignore: decorator
@inline
export function handleResolve(table: HandleTable, handle: u32): usize {
  const index = handle & INDEX_MASK;
  if (index >= table.fresh || index == 0) return 0;
  const slot = table.slots + index * HANDLE_SLOT_BYTES;
  if (load<u32>(slot, 4) != ((handle >>> INDEX_BITS) | IN_USE)) return 0;
  return load<u32>(slot);
}

/** Points a live handle at another address. */
export function handleMove(table: HandleTable, handle: u32, address: usize): void {
  store<u32>(table.slots + (handle & INDEX_MASK) * HANDLE_SLOT_BYTES, <u32>address);
}

/** Frees a live handle. */
export function handleFree(table: HandleTable, handle: u32): void {
  const index = handle & INDEX_MASK;
  const slot = table.slots + index * HANDLE_SLOT_BYTES;
  const generation = handle >>> INDEX_BITS;
  store<u32>(slot, table.freeHead);
  store<u32>(slot, generation == GENERATION_MAX ? 1 : generation + 1, 4);
  table.freeHead = index;
  table.count--;
}

/** Highest index in use so far, for walking a table: handles at 1 … handleIndexEnd - 1. */
export function handleIndexEnd(table: HandleTable): u32 {
  return table.fresh;
}

/** The address at an index, or 0 when the slot is free. */
export function handleAt(table: HandleTable, index: u32): usize {
  const slot = table.slots + index * HANDLE_SLOT_BYTES;
  return load<u32>(slot, 4) & IN_USE ? <usize>load<u32>(slot) : 0;
}
