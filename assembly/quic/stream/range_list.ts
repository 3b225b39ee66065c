/**
 * A sorted list of byte ranges [start, end) of one stream, none touching the next: what was acknowledged out of order, what was
 * lost, what arrived early.
 *
 * The ranges lie in one slab block that doubles as they grow more and is given back when the last is removed, so a stream without
 * loss costs three words. A range is found by bisection; adding one moves those behind it.
 *
 * Refusals: `rangeListAdd` answers false when the slab is full or SLAB_MAX would be passed; then nothing has changed. Removing the
 * middle of a range needs room too and answers false likewise.
 *
 * Invariant: start < end of every range, and end of each < start of the next.
 */
import { SLAB_MAX, slabAllocate, slabCapacity, slabFree } from "../../core/slab.ts";

const FIRST_BYTES: u32 = 64;

/**
 *   0      8     16
 *   ┌───────┬─────┐
 *   │ start │ end │
 *   └───────┴─────┘
 */
@unmanaged
export class StreamRange {
  start: u64;
  end: u64;
}

const RANGE_BYTES: u32 = <u32>offsetof<StreamRange>();

/** All bytes zero = empty. */
@unmanaged
export class RangeList {
  base: usize;
  count: u32;
  capacity: u32;
}

// @ts-ignore: decorator
@inline
export function rangeAt(list: RangeList, index: u32): StreamRange {
  return changetype<StreamRange>(list.base + index * RANGE_BYTES);
}

/** Index of the first range that ends at or behind `offset`; `count` when there is none. */
export function rangeListFind(list: RangeList, offset: u64): u32 {
  let low: u32 = 0;
  let high = list.count;
  // The newest range is what most calls are about.
  if (high != 0 && rangeAt(list, high - 1).end < offset) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rangeAt(list, middle).end < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether one range holds all of [start, end). */
export function rangeListHas(list: RangeList, start: u64, end: u64): bool {
  let index = rangeListFind(list, start);
  // The range found may only touch `start`.
  if (index < list.count && rangeAt(list, index).end == start) index++;
  if (index >= list.count) return false;
  const range = rangeAt(list, index);
  return range.start <= start && end <= range.end;
}

/** Adds [start, end), merging what it overlaps or touches. False when there is no room; then nothing has changed. */
export function rangeListAdd(list: RangeList, start: u64, end: u64): bool {
  if (start >= end) return true;
  const first = rangeListFind(list, start);
  let last = first;
  while (last < list.count && rangeAt(list, last).start <= end) last++;
  if (last == first) {
    if (!insertAt(list, first)) return false;
    rangeAt(list, first).start = start;
    rangeAt(list, first).end = end;
    return true;
  }
  const merged = rangeAt(list, first);
  merged.start = min(merged.start, start);
  merged.end = max(rangeAt(list, last - 1).end, end);
  removeAt(list, first + 1, last - first - 1);
  return true;
}

/** Removes [start, end). False when a range had to be split and there was no room; then nothing has changed. */
export function rangeListRemove(list: RangeList, start: u64, end: u64): bool {
  if (start >= end) return true;
  let first = rangeListFind(list, start);
  if (first < list.count && rangeAt(list, first).end == start) first++;
  if (first >= list.count) return true;
  const head = rangeAt(list, first);
  if (head.start < start && head.end > end) {
    if (!insertAt(list, first)) return false;
    const left = rangeAt(list, first);
    const right = rangeAt(list, first + 1);
    left.start = right.start;
    left.end = start;
    right.start = end;
    return true;
  }
  if (head.start < start) {
    head.end = start;
    first++;
  }
  let last = first;
  while (last < list.count && rangeAt(list, last).end <= end) last++;
  if (last < list.count && rangeAt(list, last).start < end) rangeAt(list, last).start = end;
  removeAt(list, first, last - first);
  return true;
}

/** Removes everything below `offset`. Needs no room. */
export function rangeListRemoveBelow(list: RangeList, offset: u64): void {
  let drop: u32 = 0;
  while (drop < list.count && rangeAt(list, drop).end <= offset) drop++;
  if (drop < list.count && rangeAt(list, drop).start < offset) rangeAt(list, drop).start = offset;
  removeAt(list, 0, drop);
}

/** Forgets everything and gives the block back. */
export function rangeListClear(list: RangeList): void {
  if (list.base != 0) slabFree(list.base);
  list.base = 0;
  list.count = 0;
  list.capacity = 0;
}

/** Makes a hole for one range at `index`. */
function insertAt(list: RangeList, index: u32): bool {
  if (list.count == list.capacity && !grow(list)) return false;
  const at = list.base + index * RANGE_BYTES;
  memory.copy(at + RANGE_BYTES, at, (list.count - index) * RANGE_BYTES);
  list.count++;
  return true;
}

function removeAt(list: RangeList, index: u32, count: u32): void {
  if (count == 0) return;
  const at = list.base + index * RANGE_BYTES;
  memory.copy(at, at + count * RANGE_BYTES, (list.count - index - count) * RANGE_BYTES);
  list.count -= count;
  if (list.count == 0) rangeListClear(list);
}

function grow(list: RangeList): bool {
  const size = list.base == 0 ? FIRST_BYTES : list.capacity * RANGE_BYTES * 2;
  if (size > SLAB_MAX) return false;
  const block = slabAllocate(size);
  if (block == 0) return false;
  memory.copy(block, list.base, list.count * RANGE_BYTES);
  if (list.base != 0) slabFree(list.base);
  list.base = block;
  list.capacity = slabCapacity(block) / RANGE_BYTES;
  return true;
}
