/**
 * Writing integers with a prefix, RFC 7541 §5.1 (RFC 9204 §4.1.1 for QPACK): the low bits of the first byte, then groups of seven
 * bits, least significant first. Reading is each room's own, since they differ in how large a number may be.
 */

/** The most bytes `writeInteger` writes for a number of 32 bits, and for any. */
export const INTEGER_BYTES_MAX: u32 = 6;
export const LONG_INTEGER_BYTES_MAX: u32 = 11;

/** Writes `number` with the representation's bits in `pattern`. Answers the address after it. */
// @ts-ignore: decorator
@inline
export function writeInteger(dest: usize, pattern: u32, prefixMask: u32, number: u64): usize {
  if (number < prefixMask) {
    store<u8>(dest, <u8>(pattern | (<u32>number)));
    return dest + 1;
  }
  return writeGroups(dest, pattern | prefixMask, number - prefixMask);
}

function writeGroups(dest: usize, first: u32, rest: u64): usize {
  store<u8>(dest++, <u8>first);
  while (rest >= 0x80) {
    store<u8>(dest++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(dest++, <u8>rest);
  return dest;
}

/** Bytes that `writeInteger` takes for the number. */
export function integerLength(number: u64, prefixMask: u32): u32 {
  let len: u32 = 1;
  if (number < prefixMask) return len;
  for (let rest = number - prefixMask; rest >= 0x80; rest >>= 7) len++;
  return len + 1;
}
