/** SipHash-1-3 with the reference key 00 01 … 0f over 00 01 02 …, as a second implementation computed it. */

import { hashBytes, hashInitialize, sipHash13 } from "../../../assembly/core/hash.ts";
import { randomBelow, seedRandom } from "./random.ts";

const AREA: usize = 512;
const area: usize = heap.alloc(AREA);

describe("hash", () => {
  beforeEach(() => {
    for (let index: usize = 0; index < AREA; index++) store<u8>(area + index, <u8>index);
    hashInitialize(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  });

  test("equals the reference at the lengths where words begin and end", () => {
    expect(sipHash13(area, 0)).toBe(0xabac0158050fc4dc);
    expect(sipHash13(area, 1)).toBe(0xc9f49bf37d57ca93);
    expect(sipHash13(area, 7)).toBe(0xd3927d989bb11140);
    expect(sipHash13(area, 8)).toBe(0x369095118d299a8e);
    expect(sipHash13(area, 9)).toBe(0x25a48eb36c063de4);
    expect(sipHash13(area, 15)).toBe(0xd320d86d2a519956);
    expect(sipHash13(area, 16)).toBe(0xcc4fdd1a7d908b66);
    expect(sipHash13(area, 17)).toBe(0x9cf2689063dbd80c);
    expect(sipHash13(area, 63)).toBe(0x9d199062b7bbb3a8);
  });

  test("equals the reference over every length up to 299, past the byte that holds the length", () => {
    let sum: u64 = 0;
    for (let len: u32 = 0; len < 300; len++) sum = (sum * 0x100000001b3) ^ sipHash13(area, len);
    expect(sum).toBe(0x81152b4628bd0ecc);
  });

  test("folds both halves into 32 bits", () => {
    expect(hashBytes(area, 0)).toBe(0xabac0158 ^ 0x050fc4dc);
  });

  test("does not depend on where the bytes lie or what follows them", () => {
    const expected = hashBytes(area, 21);
    for (let shift: usize = 1; shift < 16; shift++) {
      memory.copy(area + 64 + shift, area, 21);
      store<u8>(area + 64 + shift + 21, <u8>shift);
      expect(hashBytes(area + 64 + shift, 21)).toBe(expected);
    }
  });

  test("another key gives another hash", () => {
    const before = hashBytes(area, 10);
    hashInitialize(0x0706050403020101, 0x0f0e0d0c0b0a0908);
    expect(hashBytes(area, 10)).not.toBe(before);
    hashInitialize(0x0706050403020100, 0x0f0e0d0c0b0a0909);
    expect(hashBytes(area, 10)).not.toBe(before);
  });

  test("keys that differ in one byte spread evenly over a small table", () => {
    seedRandom(1);
    hashInitialize(randomBelow(u32.MAX_VALUE), randomBelow(u32.MAX_VALUE));
    const buckets = new StaticArray<u32>(64);
    for (let key: u32 = 0; key < 6400; key++) {
      store<u32>(area, key);
      buckets[hashBytes(area, 4) & 63]++;
    }
    for (let index = 0; index < 64; index++) {
      expect(buckets[index]).toBeGreaterThan(50);
      expect(buckets[index]).toBeLessThan(160);
    }
  });
});
