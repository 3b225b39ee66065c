/** The range set against a naive set of bits, over random insertions and removals, full and not full. */

import {
  rangeFirst,
  rangeLast,
  RangeSet,
  rangeSetDropLowest,
  rangeSetFree,
  rangeSetHas,
  rangeSetInitialize,
  rangeSetInsert,
  rangeSetRemove,
} from "../../../assembly/core/range_set.ts";
import { slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";
import { randomBelow, seedRandom } from "./random.ts";

const REGION_BYTES: usize = 4 * 65536;
const region: usize = heap.alloc(REGION_BYTES);
const set = changetype<RangeSet>(heap.alloc(offsetof<RangeSet>()));

const SPACE: u32 = 600;
const naive = new StaticArray<bool>(SPACE + 1);

function fresh(most: u32): void {
  slabInitialize(region, region + REGION_BYTES);
  rangeSetInitialize(set, most);
  naive.fill(false);
}

/** Drops the lowest ranges of the naive set until `most` are left, as the floor of the real one says. */
function naiveTrim(most: u32): u32 {
  let ranges: u32 = 0;
  for (let value: i32 = SPACE - 1; value >= 0; value--) {
    if (naive[value] && !naive[value + 1]) ranges++;
    if (ranges > most) naive[value] = false;
  }
  return min(ranges, most);
}

function text(): string {
  let all = "";
  for (let i: u32 = 0; i < set.count; i++) all += `${rangeFirst(set, i)}-${rangeLast(set, i)} `;
  return all;
}

function faultsAgainstNaive(): i32 {
  let faults = 0;
  for (let value: u32 = 0; value < SPACE; value++) if (rangeSetHas(set, value) != naive[value]) faults++;
  for (let i: u32 = 0; i < set.count; i++) {
    if (rangeFirst(set, i) > rangeLast(set, i) || rangeFirst(set, i) < set.floor) faults++;
    if (i > 0 && rangeLast(set, i - 1) + 1 >= rangeFirst(set, i)) faults++;
  }
  return faults;
}

function walk(most: u32, removals: u32, seed: u64): i32 {
  fresh(most);
  seedRandom(seed);
  let faults = 0;
  for (let step = 0; step < 3000; step++) {
    const first = randomBelow(SPACE);
    const last = min(SPACE - 1, first + randomBelow(1 + randomBelow(12)));
    const isRemoval = randomBelow(100) < removals;
    if (isRemoval) rangeSetRemove(set, first, last);
    else rangeSetInsert(set, first, last);
    const floorBefore = <u32>set.floor;
    for (let value = first; value <= last; value++) {
      if (isRemoval) naive[value] = false;
      else if (value >= floorBefore || naive[value]) naive[value] = true;
    }
    naiveTrim(most);
    if (set.count > most) faults++;
    if (step % 10 == 0) faults += faultsAgainstNaive();
    if (set.floor > SPACE / 2) {
      rangeSetFree(set);
      rangeSetInitialize(set, most);
      naive.fill(false);
    }
  }
  rangeSetFree(set);
  return faults + (slabBytesInUse() != 0 ? 1 : 0);
}

describe("range set", () => {
  test("agrees with a naive set while there is room", () => {
    expect(walk(600, 0, 1)).toBe(0);
    expect(walk(600, 40, 2)).toBe(0);
    expect(walk(600, 60, 3)).toBe(0);
  });

  test("keeps the highest ranges when it is full", () => {
    expect(walk(3, 0, 4)).toBe(0);
    expect(walk(8, 30, 5)).toBe(0);
    expect(walk(64, 20, 6)).toBe(0);
  });

  test("merges what touches and what overlaps, on both sides", () => {
    fresh(8);
    rangeSetInsert(set, 10, 12);
    rangeSetInsert(set, 20, 22);
    rangeSetInsert(set, 13, 13);
    rangeSetInsert(set, 19, 19);
    expect(text()).toBe("10-13 19-22 ");
    rangeSetInsert(set, 14, 18);
    expect(text()).toBe("10-22 ");
    rangeSetInsert(set, 0, 5);
    rangeSetInsert(set, 30, 40);
    rangeSetInsert(set, 4, 50);
    expect(text()).toBe("0-50 ");
  });

  test("splits, trims and removes whole ranges", () => {
    fresh(8);
    rangeSetInsert(set, 0, 100);
    rangeSetRemove(set, 10, 19);
    rangeSetRemove(set, 40, 49);
    expect(text()).toBe("0-9 20-39 50-100 ");
    rangeSetRemove(set, 5, 60);
    expect(text()).toBe("0-4 61-100 ");
    rangeSetRemove(set, 0, 4);
    rangeSetRemove(set, 90, 200);
    expect(text()).toBe("61-89 ");
  });

  test("a full set forgets its lowest range for good, and refuses what is lower", () => {
    fresh(2);
    expect(rangeSetInsert(set, 10, 10)).toBe(true);
    expect(rangeSetInsert(set, 20, 20)).toBe(true);
    expect(rangeSetInsert(set, 5, 5)).toBe(false);
    expect(set.floor).toBe(6);
    expect(rangeSetInsert(set, 30, 30)).toBe(true);
    expect(text()).toBe("20-20 30-30 ");
    expect(set.floor).toBe(11);
    expect(rangeSetInsert(set, 3, 10)).toBe(false);
    expect(rangeSetInsert(set, 3, 19)).toBe(true);
    expect(text()).toBe("11-20 30-30 ");
  });

  test("splitting a full set drops its lowest range", () => {
    fresh(2);
    rangeSetInsert(set, 0, 0);
    rangeSetInsert(set, 10, 30);
    rangeSetRemove(set, 20, 20);
    expect(text()).toBe("10-19 21-30 ");
    rangeSetDropLowest(set, 1);
    expect(text()).toBe("21-30 ");
    expect(set.floor).toBe(20);
  });

  test("the ends of the number space are numbers like others", () => {
    fresh(4);
    rangeSetInsert(set, u64.MAX_VALUE, u64.MAX_VALUE);
    rangeSetInsert(set, u64.MAX_VALUE - 1, u64.MAX_VALUE - 1);
    rangeSetInsert(set, 0, 0);
    expect(set.count).toBe(2);
    expect(rangeSetHas(set, u64.MAX_VALUE)).toBe(true);
    expect(rangeSetHas(set, u64.MAX_VALUE - 2)).toBe(false);
    rangeSetRemove(set, 0, u64.MAX_VALUE);
    expect(set.count).toBe(0);
  });

  test("without memory it refuses, and with little it drops instead of growing", () => {
    fresh(64);
    slabInitialize(region, region);
    expect(rangeSetInsert(set, 1, 1)).toBe(false);
    fresh(64);
    for (let value: u64 = 0; value < 8; value += 2) rangeSetInsert(set, value, value);
    const capacity = set.capacity;
    slabInitialize(region, region);
    expect(rangeSetInsert(set, 100, 100)).toBe(true);
    expect(set.count).toBe(capacity);
    expect(rangeSetHas(set, 0)).toBe(false);
    expect(rangeSetHas(set, 100)).toBe(true);
  });
});
