/** The slab against a shadow model: no two live blocks touch, no byte changes hands, every page comes back. */

import {
  SLAB_MAX,
  slabAllocate,
  slabBytesInUse,
  slabCapacity,
  slabFree,
  slabInitialize,
  slabPageCount,
  slabPagesInUse,
} from "../../../assembly/core/slab.ts";
import { randomBelow, seedRandom } from "./random.ts";

const PAGE: usize = 65536;
const REGION_SIZE: usize = 96 * PAGE;
const region: usize = heap.alloc(REGION_SIZE);

const CLASS_SIZES: StaticArray<u32> = [
  64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768,
  65536,
];

const LIVE_MAX: i32 = 2000;
const liveBlocks = new StaticArray<usize>(LIVE_MAX);
const liveTags = new StaticArray<u64>(LIVE_MAX);
let liveCount = 0;

/** Tags the first and last words of the block, where a neighbour that overlaps would write. */
function tagBlock(block: usize, tag: u64): void {
  store<u64>(block, tag);
  store<u64>(block + slabCapacity(block) - 8, tag);
}

function hasTag(block: usize, tag: u64): bool {
  return load<u64>(block) == tag && load<u64>(block + slabCapacity(block) - 8) == tag;
}

function smallestClassFor(size: u32): u32 {
  for (let index = 0; index < CLASS_SIZES.length; index++) {
    if (CLASS_SIZES[index] >= size) return CLASS_SIZES[index];
  }
  return 0;
}

function drawSize(): u32 {
  const kind = randomBelow(100);
  if (kind < 70) return randomBelow(1024);
  if (kind < 97) return randomBelow(16384);
  return randomBelow(SLAB_MAX + 1);
}

function freeAllLive(): void {
  while (liveCount > 0) slabFree(liveBlocks[--liveCount]);
}

describe("slab", () => {
  beforeEach(() => {
    slabInitialize(region, region + REGION_SIZE);
    liveCount = 0;
  });

  test("every size gets the smallest class that holds it", () => {
    let wrongSize: u32 = SLAB_MAX + 1;
    for (let size: u32 = 0; size <= SLAB_MAX; size++) {
      const block = slabAllocate(size);
      if (slabCapacity(block) != smallestClassFor(size)) wrongSize = min(wrongSize, size);
      slabFree(block);
    }
    expect(wrongSize).toBe(SLAB_MAX + 1);
  });

  test("a size above the largest class is refused", () => {
    expect(slabAllocate(SLAB_MAX + 1)).toBe(0);
    expect(slabAllocate(u32.MAX_VALUE)).toBe(0);
  });

  test("100,000 random steps keep blocks apart, aligned, inside the region and counted", () => {
    seedRandom(1);
    let faults = 0;
    let bytes: u32 = 0;
    let refusals = 0;
    for (let step: u64 = 1; step <= 100000; step++) {
      // Waves of growth and shrinkage, so that pages fill, empty and change class.
      const growing = (step / 4000) % 2 == 0;
      const allocating = randomBelow(100) < <u32>(growing ? 75 : 25);
      if (allocating && liveCount < LIVE_MAX) {
        const size = drawSize();
        const block = slabAllocate(size);
        if (block == 0) {
          refusals++;
          continue;
        }
        if ((block & 15) != 0 || block < region) faults++;
        if (slabCapacity(block) < size || block + slabCapacity(block) > region + REGION_SIZE) faults++;
        bytes += slabCapacity(block);
        tagBlock(block, step);
        liveBlocks[liveCount] = block;
        liveTags[liveCount++] = step;
      } else if (liveCount > 0) {
        const index = <i32>randomBelow(liveCount);
        const block = liveBlocks[index];
        if (!hasTag(block, liveTags[index])) faults++;
        bytes -= slabCapacity(block);
        slabFree(block);
        liveCount--;
        liveBlocks[index] = liveBlocks[liveCount];
        liveTags[index] = liveTags[liveCount];
      }
      if (slabBytesInUse() != bytes || slabPagesInUse() > slabPageCount()) faults++;
    }
    expect(faults).toBe(0);
    expect(refusals).toBeGreaterThan(0, "the region was never full, so fullness was not tested");
    freeAllLive();
    expect(slabBytesInUse()).toBe(0);
  });

  test("when everything is freed, at most one page per class stays with its class", () => {
    seedRandom(2);
    while (liveCount < LIVE_MAX) {
      const block = slabAllocate(drawSize());
      if (block == 0) break;
      liveBlocks[liveCount++] = block;
    }
    expect(slabPagesInUse()).toBeGreaterThan(CLASS_SIZES.length);
    freeAllLive();
    expect(slabPagesInUse()).toBeLessThanOrEqual(CLASS_SIZES.length);
  });

  test("every page serves every class in turn, cached pages of other classes included", () => {
    for (let index = 0; index < CLASS_SIZES.length; index++) {
      const size = CLASS_SIZES[index];
      const perPage = <u32>PAGE / size;
      let count: u32 = 0;
      let chain: usize = 0;
      for (let block = slabAllocate(size); block != 0; block = slabAllocate(size)) {
        store<usize>(block, chain);
        chain = block;
        count++;
      }
      expect(count).toBe(slabPageCount() * perPage);
      while (chain != 0) {
        const block = chain;
        chain = load<usize>(block);
        slabFree(block);
      }
      expect(slabPagesInUse()).toBe(1);
    }
  });

  test("a full slab refuses, and serves again once a block of the class came back", () => {
    let last: usize = 0;
    for (let block = slabAllocate(SLAB_MAX); block != 0; block = slabAllocate(SLAB_MAX)) last = block;
    expect(slabAllocate(64)).toBe(0);
    slabFree(last);
    expect(slabAllocate(64)).not.toBe(0);
  });

  test("a page that was full serves the block that came back before another page is opened", () => {
    const first = slabAllocate(1024);
    for (let count = 1; count < 64; count++) slabAllocate(1024);
    expect(slabPagesInUse()).toBe(1);
    slabFree(first);
    expect(slabAllocate(1024)).toBe(first);
    expect(slabPagesInUse()).toBe(1);
    slabAllocate(1024);
    expect(slabPagesInUse()).toBe(2);
  });

  test("a load around a page's edge keeps its page", () => {
    const first = slabAllocate(1024);
    for (let count = 1; count < 64; count++) slabAllocate(1024);
    expect(slabPagesInUse()).toBe(1);
    let faults = 0;
    for (let round = 0; round < 100; round++) {
      const over = slabAllocate(1024);
      if (slabPagesInUse() != 2) faults++;
      slabFree(over);
      if (slabPagesInUse() != 2) faults++;
    }
    expect(faults).toBe(0);
    expect(slabCapacity(first)).toBe(1024);
  });

  test("a page is not touched before it is used", () => {
    memory.fill(region, 0xa5, REGION_SIZE);
    slabInitialize(region, region + REGION_SIZE);
    const block = slabAllocate(64);
    let touched = 0;
    for (let offset: usize = 0; offset < PAGE; offset++) if (load<u8>(block + offset) != 0xa5) touched++;
    expect(touched).toBe(0);
  });

  test("pages are whole, aligned, and lie inside the region at every alignment of it", () => {
    let faults = 0;
    for (let shift: usize = 0; shift < PAGE; shift += 4093) {
      const end = region + 8 * PAGE + shift / 2;
      slabInitialize(region + shift, end);
      const pages = slabPageCount();
      if (pages < 6 || pages > 8) faults++;
      for (let index: u32 = 0; index < pages; index++) {
        const block = slabAllocate(SLAB_MAX);
        if (block == 0 || (block & (PAGE - 1)) != 0 || block < region + shift || block + PAGE > end) faults++;
      }
      if (slabAllocate(1) != 0) faults++;
    }
    expect(faults).toBe(0);
  });

  test("a region too small for one page refuses everything", () => {
    slabInitialize(region, region);
    expect(slabPageCount()).toBe(0);
    expect(slabAllocate(1)).toBe(0);
    slabInitialize(region, region + PAGE);
    expect(slabPageCount()).toBe(0);
    expect(slabAllocate(1)).toBe(0);
  });
});
