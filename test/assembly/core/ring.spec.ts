/** The ring as its host sees it: counters and records in memory, first in, first out, full when full. */

import {
  RING_RECORD_SIZE,
  ringByteLength,
  ringFree,
  ringInitialize,
  ringPush,
} from "../../../assembly/core/ring.ts";
import { randomBelow, seedRandom } from "./random.ts";

const CAPACITY: u32 = 8;
const AREA: usize = 1024;
const raw: usize = heap.alloc(AREA);
const base: usize = (raw + 31) & ~31;
const headPtr: usize = base;
const tailPtr: usize = base + 4;

function recordAt(count: u32): usize {
  return base + 32 + (count & (CAPACITY - 1)) * RING_RECORD_SIZE;
}

describe("ring", () => {
  beforeEach(() => {
    memory.fill(raw, 0xee, AREA);
    ringInitialize(base, CAPACITY);
  });

  test("starts empty, with its capacity where the host reads it", () => {
    expect(load<u32>(headPtr)).toBe(0);
    expect(load<u32>(tailPtr)).toBe(0);
    expect(load<u32>(base + 8)).toBe(CAPACITY);
    expect(ringFree()).toBe(CAPACITY);
    expect(ringByteLength(CAPACITY)).toBe(32 + CAPACITY * 32);
  });

  test("refuses a record more than it holds, until the host has read one", () => {
    for (let count: u32 = 0; count < CAPACITY; count++) expect(ringPush()).toBe(recordAt(count));
    expect(ringFree()).toBe(0);
    expect(ringPush()).toBe(0);
    expect(load<u32>(headPtr)).toBe(CAPACITY);
    store<u32>(tailPtr, 1);
    expect(ringFree()).toBe(1);
    expect(ringPush()).toBe(recordAt(0));
    expect(ringPush()).toBe(0);
  });

  test("hands out zeroed records and writes nothing behind its length", () => {
    for (let count: u32 = 0; count < CAPACITY; count++) {
      const record = ringPush();
      for (let offset: usize = 0; offset < RING_RECORD_SIZE; offset++)
        expect(load<u8>(record + offset)).toBe(0);
    }
    expect(load<u8>(base + ringByteLength(CAPACITY))).toBe(0xee);
  });

  test("keeps order over random pushes and reads, across the wrap of its counters", () => {
    seedRandom(1);
    const start: u32 = u32.MAX_VALUE - 5000;
    store<u32>(headPtr, start);
    store<u32>(tailPtr, start);
    let pushed = start;
    let read = start;
    let faults = 0;
    for (let step = 0; step < 20000; step++) {
      if (randomBelow(2) == 0) {
        const record = ringPush();
        if ((record == 0) != (pushed - read == CAPACITY)) faults++;
        if (record != 0) store<u32>(record, pushed++);
      } else if (load<u32>(headPtr) != read) {
        if (load<u32>(recordAt(read)) != read) faults++;
        store<u32>(tailPtr, ++read);
      }
      if (ringFree() != CAPACITY - (pushed - read)) faults++;
    }
    expect(faults).toBe(0);
    expect(pushed).toBeLessThan(start, "the counters never wrapped");
  });

  test("a wrong tail costs records, not memory outside", () => {
    store<u32>(tailPtr, 77);
    expect(ringFree()).toBe(0);
    expect(ringPush()).toBe(0);
  });
});
