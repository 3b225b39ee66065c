/**
 * The prefix of an encoded field section, RFC 9204 §4.5.1: how many insertions it requires, and the base of its indices.
 *
 *   required insert count8, encoded
 *   S delta7                         base = count + delta, or with S: count - delta - 1
 *
 * The count is written modulo twice the entries that the table could have at most, which the decoder resolves by those it has.
 */
import { FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";
import { LONG_INTEGER_BYTES_MAX, writeInteger } from "../http/prefixed_integer.ts";

export const INSERT_COUNT_MASK: u32 = 0xff;
export const BASE_SIGN: u32 = 0x80;
export const BASE_MASK: u32 = 0x7f;

/** The most bytes of a prefix. */
export const PREFIX_BYTES_MAX: u32 = 2 * LONG_INTEGER_BYTES_MAX;

/** No required insert count is meant by this. */
export const COUNT_INVALID: u64 = u64.MAX_VALUE;

/** Writes the prefix of a section that requires `count` insertions. `maxCapacity` is the decoder's setting. Answers the address after it. */
export function writeSectionPrefix(dest: usize, count: u64, base: u64, maxCapacity: u64): usize {
  dest = writeInteger(dest, 0, INSERT_COUNT_MASK, encodedInsertCount(count, maxCapacity));
  // Without references the base does not matter.
  if (count == 0) return writeInteger(dest, 0, BASE_MASK, 0);
  if (base >= count) return writeInteger(dest, 0, BASE_MASK, base - count);
  return writeInteger(dest, BASE_SIGN, BASE_MASK, count - base - 1);
}

/** RFC 9204 §4.5.1.1: `count`, which the table has reached, as it stands in a field section. */
function encodedInsertCount(count: u64, maxCapacity: u64): u64 {
  return count != 0 ? (count % fullRange(maxCapacity)) + 1 : 0;
}

/** RFC 9204 §4.5.1.1: the count that `encoded` means after `total` insertions, or COUNT_INVALID. */
export function readRequiredInsertCount(encoded: u64, maxCapacity: u64, total: u64): u64 {
  if (encoded == 0) return 0;
  const range = fullRange(maxCapacity);
  if (encoded > range) return COUNT_INVALID;
  const maxValue = total + (range >> 1);
  let count = (maxValue / range) * range + encoded - 1;
  if (count > maxValue) {
    if (count <= range) return COUNT_INVALID;
    count -= range;
  }
  return count != 0 ? count : COUNT_INVALID;
}

/** Twice MaxEntries. 0 only where the table can have no entry, and nobody can have inserted one. */
function fullRange(maxCapacity: u64): u64 {
  return (maxCapacity / FIELD_OVERHEAD_BYTES) << 1;
}
