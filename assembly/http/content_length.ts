/** content-length, RFC 9110 §8.6: 1*DIGIT up to 2^53 - 1. No sign, no list, no whitespace inside. */
import { readDecimal } from "../core/decimal.ts";

/** The value, or a negative number when it is empty, has anything but digits, or is too large. */
export function readContentLength(ptr: usize, len: u32): i64 {
  return readDecimal(ptr, len);
}
