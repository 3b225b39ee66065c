/**
 * A bounded set of u64 numbers, kept as sorted ranges: what packets arrived, what bytes are there.
 *
 * Ranges are closed, [first, last], disjoint and never adjacent, ascending in one slab block that grows by doubling from four
 * ranges to `most`. A set that is full, or cannot grow, drops its lowest range. Below `floor` the set has forgotten what it
 * knew: those numbers count as neither there nor missing, and are not taken again.
 *
 * Costs: look-up is a binary search; a change moves at most `most` ranges of 16 bytes.
 *
 * Invariant: first ≤ last of each range; last + 1 < first of the next; the floor is at or below the lowest range.
 */
import { slabAllocate, slabCapacity, slabFree } from "./slab.ts";

/**
 *   0       8      12      14         16     18       24
 *   ┌───────┬──────┬───────┬──────────┬──────┬────────┐
 *   │ floor │ base │ count │ capacity │ most │ unused │
 *   └───────┴──────┴───────┴──────────┴──────┴────────┘
 */
@unmanaged
export class RangeSet {
  /** Numbers below were forgotten. */
  floor: u64;
  /** The block of ranges; 0 while there is none. */
  base: usize;
  count: u16;
  /** Ranges that the block has room for. */
  capacity: u16;
  /** Ranges that the set may ever hold. */
  most: u16;
}

const RANGE_BYTES: u32 = 16;
const LAST_OFFSET: usize = 8;
const SMALLEST_BLOCK_BYTES: u32 = 64;

/** An empty set of at most `most` ranges, 1 to 4096. Takes no memory yet. */
export function rangeSetInitialize(set: RangeSet, most: u32): void {
  set.floor = 0;
  set.base = 0;
  set.count = 0;
  set.capacity = 0;
  set.most = <u16>most;
}

/** Gives the memory back and empties the set; the floor stays. */
export function rangeSetFree(set: RangeSet): void {
  if (set.base != 0) slabFree(set.base);
  set.base = 0;
  set.count = 0;
  set.capacity = 0;
}

/** The lowest number of the range at `index`, which is below `count`. */
// @ts-ignore: decorator
@inline
export function rangeFirst(set: RangeSet, index: u32): u64 {
  return load<u64>(set.base + index * RANGE_BYTES);
}

/** The highest number of the range at `index`. */
// @ts-ignore: decorator
@inline
export function rangeLast(set: RangeSet, index: u32): u64 {
  return load<u64>(set.base + index * RANGE_BYTES, LAST_OFFSET);
}

export function rangeSetHas(set: RangeSet, value: u64): bool {
  const index = indexReaching(set, value);
  return index < set.count && rangeFirst(set, index) <= value;
}

/** Index of the lowest range that ends at `value` or above it; `count` when there is none. */
export function indexReaching(set: RangeSet, value: u64): u32 {
  let low: u32 = 0;
  let high: u32 = set.count;
  // Numbers arrive near the top: most look-ups end here.
  if (high != 0 && rangeFirst(set, high - 1) <= value)
    return rangeLast(set, high - 1) >= value ? high - 1 : high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rangeLast(set, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Adds [first, last], as far as it lies above the floor. False when none of it was kept: it was forgotten before, or it is
 * lower than all ranges of a set that is full, or there is no memory at all.
 */
export function rangeSetInsert(set: RangeSet, first: u64, last: u64): bool {
  if (last < set.floor) return false;
  if (first < set.floor) first = set.floor;
  // Ranges from `low` to before `high` overlap the new one or touch it.
  const low = indexReaching(set, first == 0 ? 0 : first - 1);
  const beyond = last == u64.MAX_VALUE ? last : last + 1;
  let high = low;
  while (high < set.count && rangeFirst(set, high) <= beyond) high++;
  if (low == high) return insertAt(set, low, first, last);
  setRange(set, low, min(first, rangeFirst(set, low)), max(last, rangeLast(set, high - 1)));
  removeSpan(set, low + 1, high);
  return true;
}

/** Takes [first, last] out. Where this splits a range of a full set, the lowest range is dropped. */
export function rangeSetRemove(set: RangeSet, first: u64, last: u64): void {
  let low = indexReaching(set, first);
  if (low == set.count || rangeFirst(set, low) > last) return;
  const lowFirst = rangeFirst(set, low);
  const lowLast = rangeLast(set, low);
  if (lowFirst < first) {
    setRange(set, low, lowFirst, first - 1);
    if (lowLast > last) {
      insertAt(set, low + 1, last + 1, lowLast);
      return;
    }
    low++;
  }
  let high = low;
  while (high < set.count && rangeLast(set, high) <= last) high++;
  if (high < set.count && rangeFirst(set, high) <= last) setRange(set, high, last + 1, rangeLast(set, high));
  removeSpan(set, low, high);
}

/** Drops the lowest `count` ranges and raises the floor above them. */
export function rangeSetDropLowest(set: RangeSet, count: u32): void {
  if (count == 0) return;
  set.floor = rangeLast(set, count - 1) + 1;
  removeSpan(set, 0, count);
}

// @ts-ignore: decorator
@inline
function setRange(set: RangeSet, index: u32, first: u64, last: u64): void {
  const range = set.base + index * RANGE_BYTES;
  store<u64>(range, first);
  store<u64>(range, last, LAST_OFFSET);
}

/** A new range before the one at `index`. */
function insertAt(set: RangeSet, index: u32, first: u64, last: u64): bool {
  if (set.count == set.most || (set.count == set.capacity && !grow(set))) {
    if (index == 0) {
      // Lower than everything: it is what would be dropped.
      set.floor = last + 1;
      return false;
    }
    rangeSetDropLowest(set, 1);
    index--;
  }
  const range = set.base + index * RANGE_BYTES;
  memory.copy(range + RANGE_BYTES, range, (set.count - index) * RANGE_BYTES);
  set.count++;
  setRange(set, index, first, last);
  return true;
}

/** Removes the ranges from `low` to before `high`. */
function removeSpan(set: RangeSet, low: u32, high: u32): void {
  if (low == high) return;
  const to = set.base + low * RANGE_BYTES;
  memory.copy(to, set.base + high * RANGE_BYTES, (set.count - high) * RANGE_BYTES);
  set.count -= <u16>(high - low);
}

/** Doubles the block. False when the slab is full. */
function grow(set: RangeSet): bool {
  const block = slabAllocate(max(SMALLEST_BLOCK_BYTES, set.capacity * 2 * RANGE_BYTES));
  if (block == 0) return false;
  if (set.base != 0) {
    memory.copy(block, set.base, set.count * RANGE_BYTES);
    slabFree(set.base);
  }
  set.base = block;
  set.capacity = <u16>(slabCapacity(block) / RANGE_BYTES);
  return true;
}
