/**
 * One line of a field section, RFC 9112 §5 and RFC 9110 §5.5: `field-name ":" OWS field-value OWS CRLF`.
 *
 * The reader looks at the bytes that are there from the first of the line: it answers the length of the line with its CRLF,
 * 0 when it is not complete, or a status as soon as a byte is wrong. The empty line that ends the section has length 2.
 *
 * No whitespace before the colon (§5.1), no obs-fold (§5.2), no bare CR or LF (§2.2). Names without a number are put into lower
 * case where they lie. obs-text is let through, as RFC 9110 §5.5 asks.
 */
import { FieldLane } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { findControl, isToken } from "../core/scan.ts";
import { CharClass, isCharacter } from "../http/characters.ts";
import { fieldNameLookup, fieldNameLookupAnyCase } from "../http/field_name_lookup.ts";

/** Length of a line that ends the section. No field line is that short. */
export const SECTION_END: i32 = 2;

const HTAB: u32 = 0x09;
const LF: u32 = 0x0a;
const CR: u32 = 0x0d;
const SP: u32 = 0x20;
const COLON: u32 = 0x3a;

/** Reads a line at `ptr`. For a complete field line a field record is written to `record`, with offsets from `base`. */
export function readFieldLine(ptr: usize, end: usize, record: usize, base: usize): i32 {
  if (ptr == end) return 0;
  const first: u32 = load<u8>(ptr);
  if (first == CR) {
    if (ptr + 1 == end) return 0;
    return load<u8>(ptr, 1) == LF ? SECTION_END : Status.H1_LINE_ENDING;
  }
  if (first == SP || first == HTAB) return Status.H1_OBS_FOLD;

  const known = readKnownName(ptr, end);
  const colon = known != 0 ? ptr + (known >> 16) : readName(ptr, end);
  const nameLen = <u32>(colon - ptr);
  if (colon == end) return nameLen == 0 || isToken(ptr, nameLen) ? 0 : Status.H1_FIELD_NAME;
  if (nameLen == 0 || load<u8>(colon) != COLON) {
    return first == LF || load<u8>(colon) == LF ? Status.H1_LINE_ENDING : Status.H1_FIELD_NAME;
  }

  let at = colon + 1;
  if (load<u8>(at) == SP) at++;
  while (at < end && isBlank(load<u8>(at))) at++;
  const value = at;
  at = findControl(at, end);
  if (at >= end) return 0;
  const stop: u32 = load<u8>(at);
  if (stop == LF) return Status.H1_LINE_ENDING;
  if (stop != CR) return Status.H1_FIELD_VALUE;
  if (at + 1 >= end) return 0;
  if (load<u8>(at, 1) != LF) return Status.H1_LINE_ENDING;

  let valueEnd = at;
  while (valueEnd > value && isBlank(load<u8>(valueEnd - 1))) valueEnd--;
  const name = known != 0 ? known : fieldNameLookup(ptr, nameLen) | (nameLen << 16);
  store<u32>(record, name, FieldLane.NAME << 2);
  store<u32>(record, <u32>(ptr - base), FieldLane.NAME_OFFSET << 2);
  store<u32>(record, <u32>(value - base), FieldLane.VALUE_OFFSET << 2);
  store<u32>(record, <u32>(valueEnd - value), FieldLane.VALUE_LEN << 2);
  return <i32>(at + 2 - ptr);
}

/**
 * The number of the name at `ptr` and its length (as in a field record), 0 when it has no number, its colon is not there yet,
 * or a byte of it needs a closer look. A name with a number is a token whatever its case, so nothing else is checked.
 */
// @ts-ignore: decorator
@inline
function readKnownName(ptr: usize, end: usize): u32 {
  let bytes = v128.load(ptr);
  let colons = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>COLON)));
  let nameLen = ctz(colons);
  if (colons == 0) {
    if (hasControl(bytes, 16)) return 0;
    bytes = v128.load(ptr, 16);
    colons = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>COLON)));
    if (colons == 0) return 0;
    nameLen = ctz(colons);
    if (hasControl(bytes, nameLen)) return 0;
    nameLen += 16;
  } else if (hasControl(bytes, nameLen)) {
    return 0;
  }
  if (ptr + nameLen >= end) return 0;
  const id = fieldNameLookupAnyCase(ptr, nameLen);
  return id == 0 ? 0 : id | (nameLen << 16);
}

/** Whether one of the first `count` bytes is below 0x20. */
// @ts-ignore: decorator
@inline
function hasControl(bytes: v128, count: u32): bool {
  const limit = i8x16.splat(0x1f);
  const mask = i8x16.bitmask(i8x16.eq(i8x16.max_u(bytes, limit), limit));
  return (mask & ((1 << count) - 1)) != 0;
}

/**
 * Puts the token at `ptr` into lower case and answers the first byte after it: the colon of a well-formed line. Sixteen
 * bytes at a time: a byte is a token character when the bit of its high nibble is set in the table of its low nibble.
 */
// @ts-ignore: decorator
@inline
function readName(ptr: usize, end: usize): usize {
  let at = ptr;
  // By low nibble: bit n is set when the character with high nibble n is a tchar (RFC 9110 §5.6.2).
  const byLow = i8x16(
    0xe8 as i8,
    0xfc as i8,
    0xf8 as i8,
    0xfc as i8,
    0xfc as i8,
    0xfc as i8,
    0xfc as i8,
    0xfc as i8,
    0xf8 as i8,
    0xf8 as i8,
    0xf4 as i8,
    0x54 as i8,
    0xd0 as i8,
    0x54 as i8,
    0xf4 as i8,
    0x70 as i8,
  );
  const byHigh = i8x16(1, 2, 4, 8, 16, 32, 64, 128 as i8, 0, 0, 0, 0, 0, 0, 0, 0);
  while (at + 16 <= end) {
    const bytes = v128.load(at);
    const low = i8x16.swizzle(byLow, v128.and(bytes, i8x16.splat(0x0f)));
    const high = i8x16.swizzle(byHigh, i8x16.shr_u(bytes, 4));
    const isOther = i8x16.eq(v128.and(low, high), i8x16.splat(0));
    const isUpper = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x41)), i8x16.splat(26));
    const mask = i8x16.bitmask(isOther);
    if (mask == 0) {
      v128.store(at, v128.or(bytes, v128.and(isUpper, i8x16.splat(0x20))));
      at += 16;
      continue;
    }
    // Bytes after the name are not touched: they may be a value.
    const nameLen = ctz(mask);
    const order = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const inName = i8x16.lt_u(order, i8x16.splat(<i8>nameLen));
    const toLower = v128.and(v128.and(isUpper, inName), i8x16.splat(0x20));
    v128.store(at, v128.or(bytes, toLower));
    return at + nameLen;
  }
  while (at < end && isCharacter(load<u8>(at), CharClass.TCHAR)) {
    const byte: u32 = load<u8>(at);
    if (byte - 0x41 < 26) store<u8>(at, <u8>(byte | 0x20));
    at++;
  }
  return at;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == SP || byte == HTAB;
}
