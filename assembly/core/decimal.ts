/**
 * Numbers as ASCII digits: decimal (content-length, status codes) and hexadecimal (chunk sizes), read and written side by side.
 *
 * Reading is strict: digits alone, at least one, no sign, no space. Values stop at 2^53 - 1, because they cross to the host as
 * f64 and no length on the wire has a use for more. Any number of leading zeros is read, so a caller that must bound the
 * digits bounds `len`.
 *
 * Every byte is checked even after the value went over, so malformed input is never reported as merely large.
 */

/** Negative results of the readers. */
export const enum NumberStatus {
  /** Empty, or a byte that is no digit. */
  Invalid = -1,
  /** Well formed, but above NUMBER_MAX. */
  Overflow = -2,
}

/** 2^53 - 1, the largest integer an f64 counts exactly. */
export const NUMBER_MAX: i64 = 9007199254740991;

/** The most bytes `writeDecimal` and `writeHex` write: 2^64 - 1 has twenty decimal digits. */
export const DECIMAL_LENGTH_MAX: u32 = 20;
export const HEX_LENGTH_MAX: u32 = 16;

const ASCII_ZERO: u32 = 0x30;
const ASCII_LOWER_A: u32 = 0x61;

/** Reads [ptr, ptr + len) as a decimal number: 0 … NUMBER_MAX, or a NumberStatus. */
export function readDecimal(ptr: usize, len: u32): i64 {
  if (len == 0) return NumberStatus.Invalid;
  let value: i64 = 0;
  for (let index: u32 = 0; index < len; index++) {
    const digit = <u32>load<u8>(ptr + index) - ASCII_ZERO;
    if (digit > 9) return NumberStatus.Invalid;
    if (value <= NUMBER_MAX) value = value * 10 + digit;
  }
  return value <= NUMBER_MAX ? value : NumberStatus.Overflow;
}

/** Writes `value` without leading zeros and answers the number of bytes. */
export function writeDecimal(dest: usize, value: u64): usize {
  const length = decimalLength(value);
  let rest = value;
  let digitPtr = dest + length;
  do {
    const quotient = rest / 10;
    store<u8>(--digitPtr, <u8>(ASCII_ZERO + <u32>(rest - quotient * 10)));
    rest = quotient;
  } while (rest != 0);
  return length;
}

/** Digits of `value` in decimal. */
export function decimalLength(value: u64): usize {
  let length: usize = 1;
  // The bound stops at 10^19, the last power of ten below 2^64.
  for (let bound: u64 = 10; value >= bound && length < DECIMAL_LENGTH_MAX; bound *= 10) length++;
  return length;
}

/** Reads [ptr, ptr + len) as a hexadecimal number, either case: 0 … NUMBER_MAX, or a NumberStatus. */
export function readHex(ptr: usize, len: u32): i64 {
  if (len == 0) return NumberStatus.Invalid;
  let value: i64 = 0;
  for (let index: u32 = 0; index < len; index++) {
    const digit = hexDigit(load<u8>(ptr + index));
    if (digit < 0) return NumberStatus.Invalid;
    if (value <= NUMBER_MAX) value = (value << 4) | digit;
  }
  return value <= NUMBER_MAX ? value : NumberStatus.Overflow;
}

/** Writes `value` in lower-case hexadecimal without leading zeros and answers the number of bytes. */
export function writeHex(dest: usize, value: u64): usize {
  const length = hexLength(value);
  let shift = (<u32>length - 1) << 2;
  for (let index: usize = 0; index < length; index++) {
    const digit = (<u32>(value >> shift)) & 15;
    store<u8>(dest + index, <u8>(digit < 10 ? ASCII_ZERO + digit : ASCII_LOWER_A + digit - 10));
    shift -= 4;
  }
  return length;
}

/** Digits of `value` in hexadecimal. */
export function hexLength(value: u64): usize {
  // Or-ing 1 in gives zero its one digit.
  return (<usize>(67 - clz(value | 1))) >> 2;
}

/** The value of one hexadecimal digit, or -1. */
export function hexDigit(byte: u32): i32 {
  const decimal = byte - ASCII_ZERO;
  if (decimal <= 9) return decimal;
  const letter = (byte | 0x20) - ASCII_LOWER_A;
  return letter <= 5 ? <i32>letter + 10 : -1;
}
