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
import { findControl, findNonToken, lowerCaseAscii } from "../core/scan.ts";
import { fieldNameLookup } from "../http/field_name_lookup.ts";

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

  const colon = findNonToken(ptr, end);
  if (colon == end) return 0;
  const nameLen = <u32>(colon - ptr);
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

  lowerCaseAscii(ptr, nameLen);
  let valueEnd = at;
  while (valueEnd > value && isBlank(load<u8>(valueEnd - 1))) valueEnd--;
  store<u32>(record, fieldNameLookup(ptr, nameLen) | (nameLen << 16), FieldLane.NAME << 2);
  store<u32>(record, <u32>(ptr - base), FieldLane.NAME_OFFSET << 2);
  store<u32>(record, <u32>(value - base), FieldLane.VALUE_OFFSET << 2);
  store<u32>(record, <u32>(valueEnd - value), FieldLane.VALUE_LEN << 2);
  return <i32>(at + 2 - ptr);
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == SP || byte == HTAB;
}
