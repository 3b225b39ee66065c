/** content-length, RFC 9110 §8.6: 1*DIGIT and nothing else. No sign, no list, no whitespace inside. */

/** Largest length the engine works with: what an f64 counts exactly, so that the host sees the same number. */
const LENGTH_MAX: u64 = 9007199254740991;
/** Never a length. */
export const CONTENT_LENGTH_INVALID: u64 = u64.MAX_VALUE;

/** The value, or CONTENT_LENGTH_INVALID when it is empty, has anything but digits, or passes 2^53 - 1. */
export function readContentLength(ptr: usize, len: u32): u64 {
  if (len == 0) return CONTENT_LENGTH_INVALID;
  let value: u64 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const digit: u32 = <u32>load<u8>(ptr + i) - 0x30;
    if (digit > 9) return CONTENT_LENGTH_INVALID;
    value = value * 10 + digit;
    if (value > LENGTH_MAX) return CONTENT_LENGTH_INVALID;
  }
  return value;
}
