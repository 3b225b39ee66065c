/** No token passes twice, however many come; and a filter that overflows loses the oldest ones, not the newest. */

import {
  TokenFilter,
  tokenFilterIsFirst,
  tokenFilterOpen,
} from "../../../../assembly/quic/token/token_filter.ts";
import { random64, randomBelow, seedRandom } from "../../core/random.ts";

const BYTES: u32 = 1024;
/** Eight buckets of eight. */
const CAPACITY: u32 = 64;
const region: usize = heap.alloc(BYTES + 16);
const filter = changetype<TokenFilter>(heap.alloc(offsetof<TokenFilter>()));

function start(): void {
  memory.fill(region, 0xa5, BYTES + 16);
  tokenFilterOpen(filter, region, BYTES + 15);
}

describe("the filter of used tokens", () => {
  test("lets a token pass once, and remembers it until it ends", () => {
    start();
    expect(tokenFilterIsFirst(filter, 0, 100)).toBe(true);
    expect(tokenFilterIsFirst(filter, 0, 100)).toBe(false);
    expect(tokenFilterIsFirst(filter, 1, 100)).toBe(true);
    expect(tokenFilterIsFirst(filter, 1, 100)).toBe(false);
  });

  test("refuses what ends before something it had to forget, and lets newer ones pass", () => {
    start();
    // All of one bucket.
    for (let index: u64 = 0; index < 8; index++) {
      expect(tokenFilterIsFirst(filter, index * 8, 100 + <f64>index)).toBe(true);
    }
    expect(tokenFilterIsFirst(filter, 800, 50)).toBe(false);
    expect(tokenFilterIsFirst(filter, 800, 100)).toBe(false);
    expect(tokenFilterIsFirst(filter, 808, 200)).toBe(true);
    // The one that ended at 100 is forgotten, and refused all the same, as is any other that ends as early.
    expect(tokenFilterIsFirst(filter, 0, 100)).toBe(false);
    expect(tokenFilterIsFirst(filter, 816, 100)).toBe(false);
    expect(tokenFilterIsFirst(filter, 816, 100.5)).toBe(false);
    expect(tokenFilterIsFirst(filter, 816, 300)).toBe(true);
    // Another bucket knows nothing of that.
    expect(tokenFilterIsFirst(filter, 1, 50)).toBe(true);
  });

  test("has room again when tokens have ended", () => {
    start();
    for (let index: u64 = 0; index < 8; index++) tokenFilterIsFirst(filter, index * 8, 100);
    expect(tokenFilterIsFirst(filter, 800, 150)).toBe(true);
    expect(tokenFilterIsFirst(filter, 808, 120)).toBe(true);
  });

  test("never lets one pass twice in a flood, and most new ones pass", () => {
    start();
    seedRandom(11);
    const passed = new Set<u64>();
    let passes = 0;
    let lateTries = 0;
    let latePasses = 0;
    for (let round = 0; round < 20_000; round++) {
      const nowMs = <f64>round;
      // Tokens of 1000 ms are used soon or late, some of them twice.
      const ageMs = randomBelow(1000);
      const endsAtMs = nowMs + 1000 - <f64>ageMs;
      const identity = (random64() & ~(<u64>0xffffffff)) | (<u64>(<u32>endsAtMs));
      for (let use = 0; use < 2; use++) {
        if (!tokenFilterIsFirst(filter, identity, endsAtMs)) continue;
        assert(!passed.has(identity), "twice");
        passed.add(identity);
        passes++;
      }
      if (ageMs > 50) continue;
      lateTries++;
      if (passed.has(identity)) latePasses++;
    }
    expect(passes).toBeGreaterThan(<i32>CAPACITY);
    // Of those that are fresh nearly all pass, though twenty times as many are valid as the filter holds.
    expect(latePasses * 10).toBeGreaterThan(lateTries * 8);
    for (let offset: u32 = 0; offset < 16; offset++) expect(load<u8>(region + BYTES + offset)).toBe(0xa5);
  });
});
