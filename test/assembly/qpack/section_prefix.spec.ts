/** Required insert counts against RFC 9204 §4.5.1.1: what one side writes the other reads, wherever the two tables stand. */

import {
  COUNT_INVALID,
  PREFIX_BYTES_MAX,
  readRequiredInsertCount,
  writeSectionPrefix,
} from "../../../assembly/qpack/section_prefix.ts";
import { integerValue, readInteger } from "../../../assembly/qpack/integer.ts";

const prefix: usize = heap.alloc(64);

/** The encoded count of a section that requires `count`. */
function encoded(count: u64, maxCapacity: u64): u64 {
  const end = writeSectionPrefix(prefix, count, count, maxCapacity);
  assert(end - prefix <= PREFIX_BYTES_MAX);
  readInteger(prefix, end, 0xff);
  return integerValue();
}

/** The base that a section's prefix tells for its count. */
function baseRead(count: u64, base: u64): u64 {
  const end = writeSectionPrefix(prefix, count, base, 4096);
  const at = readInteger(prefix, end, 0xff);
  const isNegative = (load<u8>(at) & 0x80) != 0;
  assert(readInteger(at, end, 0x7f) == end);
  return isNegative ? count - integerValue() - 1 : count + integerValue();
}

describe("the prefix of a section", () => {
  test("is read as it was written, while the decoder lags behind or has gone ahead by less than the table's entries", () => {
    const capacities: StaticArray<u64> = [32, 63, 64, 100, 220, 4096, 65536];
    const starts: StaticArray<u64> = [0, 1, 5, 127, 128, 1000, 0xfffffff0, 0x100000000, 0xffffffffffff];
    let faults = 0;
    for (let i = 0; i < capacities.length; i++) {
      const entries = capacities[i] / 32;
      for (let j = 0; j < starts.length; j++) {
        for (let lag: i64 = -(<i64>entries) + 1; lag <= <i64>entries; lag++) {
          const total = starts[j];
          const count = total + lag;
          if (<i64>count <= 0) continue;
          if (readRequiredInsertCount(encoded(count, capacities[i]), capacities[i], total) != count) faults++;
        }
      }
    }
    expect(faults).toBe(0);
  });

  test("of the RFC's example: ten insertions, three entries at most, 4 means 9", () => {
    expect(readRequiredInsertCount(4, 100, 10)).toBe(9);
    expect(encoded(9, 100)).toBe(4);
  });

  test("means nothing where no count can be meant", () => {
    expect(readRequiredInsertCount(0, 100, 10)).toBe(0);
    expect(readRequiredInsertCount(7, 100, 10)).toBe(COUNT_INVALID);
    // Without insertions at most three can be needed.
    expect(readRequiredInsertCount(5, 100, 0)).toBe(COUNT_INVALID);
    expect(readRequiredInsertCount(4, 100, 0)).toBe(3);
    // The one that would be zero.
    expect(readRequiredInsertCount(1, 100, 2)).toBe(COUNT_INVALID);
    // A table without room for an entry has none.
    expect(readRequiredInsertCount(1, 31, 0)).toBe(COUNT_INVALID);
    expect(readRequiredInsertCount(0x3fffffffffffffff, 4096, 10)).toBe(COUNT_INVALID);
  });

  test("has a base before, at and after the count", () => {
    expect(baseRead(10, 0)).toBe(0);
    expect(baseRead(10, 9)).toBe(9);
    expect(baseRead(10, 10)).toBe(10);
    expect(baseRead(10, 5000)).toBe(5000);
  });
});
