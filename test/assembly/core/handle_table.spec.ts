/** Handles: unique while they live, stale afterwards whoever has the slot, none beyond the capacity. */

import {
  handleAt,
  handleCreate,
  handleFree,
  handleIndexEnd,
  handleMove,
  handleResolve,
  HandleTable,
  handleTableInitialize,
  HANDLE_SLOT_BYTES,
} from "../../../assembly/core/handle_table.ts";
import { randomBelow, seedRandom } from "./random.ts";

const CAPACITY: u32 = 64;
const GENERATIONS: u32 = 2047;
const slots: usize = heap.alloc((CAPACITY + 1) * HANDLE_SLOT_BYTES);
const table: HandleTable = changetype<HandleTable>(heap.alloc(offsetof<HandleTable>()));

describe("a handle table", () => {
  beforeEach(() => {
    // Garbage must not matter.
    memory.fill(slots, 0xa5, (CAPACITY + 1) * HANDLE_SLOT_BYTES);
    handleTableInitialize(table, slots, CAPACITY);
  });

  test("gives positive handles that name their address", () => {
    const first = handleCreate(table, 1000);
    const second = handleCreate(table, 2000);
    expect(<i32>first).toBeGreaterThan(0);
    expect(first).not.toBe(second);
    expect(handleResolve(table, first)).toBe(1000);
    expect(handleResolve(table, second)).toBe(2000);
    expect(table.count).toBe(2);
    handleMove(table, first, 3000);
    expect(handleResolve(table, first)).toBe(3000);
  });

  test("gives none beyond its capacity, and one again after a free", () => {
    let last: u32 = 0;
    for (let i: u32 = 0; i < CAPACITY; i++) last = handleCreate(table, 16 + i);
    expect(handleCreate(table, 1)).toBe(0);
    handleFree(table, last);
    const again = handleCreate(table, 5);
    expect(again).not.toBe(last);
    expect(handleResolve(table, again)).toBe(5);
    expect(handleResolve(table, last)).toBe(0);
    expect(handleCreate(table, 1)).toBe(0);
  });

  test("knows no handle that was never given out", () => {
    expect(handleResolve(table, 0)).toBe(0);
    const handle = handleCreate(table, 7);
    for (let bit: u32 = 0; bit < 32; bit++)
      expect(handleResolve(table, handle ^ (1 << bit))).toBe(0, bit.toString());
    expect(handleResolve(table, u32.MAX_VALUE)).toBe(0);
  });

  test("makes a handle stale for as many generations as there are", () => {
    const stale = handleCreate(table, 1);
    handleFree(table, stale);
    for (let generation: u32 = 1; generation < GENERATIONS; generation++) {
      const handle = handleCreate(table, 2);
      expect(<i32>handle).toBeGreaterThan(0);
      expect(handleResolve(table, stale)).toBe(0);
      handleFree(table, handle);
    }
    // The wrap skips zero, so that a handle never is.
    expect(handleCreate(table, 3)).toBe(stale);
  });

  test("agrees with a model over random creates and frees", () => {
    seedRandom(5);
    const live = new Map<u32, u32>();
    const dead: u32[] = [];
    for (let step = 0; step < 5000; step++) {
      if (randomBelow(2) == 0 || live.size == 0) {
        const address = 16 + randomBelow(1 << 20);
        const handle = handleCreate(table, address);
        expect(handle == 0).toBe(<u32>live.size == CAPACITY);
        if (handle != 0) live.set(handle, address);
      } else {
        const keys = live.keys();
        const handle = keys[randomBelow(keys.length)];
        handleFree(table, handle);
        live.delete(handle);
        dead.push(handle);
      }
      const keys = live.keys();
      for (let i = 0; i < keys.length; i++) expect(handleResolve(table, keys[i])).toBe(live.get(keys[i]));
      for (let i = max(0, dead.length - 50); i < dead.length; i++) {
        if (!live.has(dead[i])) expect(handleResolve(table, dead[i])).toBe(0);
      }
    }
    let counted = 0;
    for (let index: u32 = 1; index < handleIndexEnd(table); index++)
      if (handleAt(table, index) != 0) counted++;
    expect(counted).toBe(live.size);
    expect(<i32>table.count).toBe(live.size);
  });
});
