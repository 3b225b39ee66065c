/**
 * Writing heads of HTTP/1.1: status line or request line, fields, framing fields, date. RFC 9112 §3, §4, §5.
 *
 * A writer in which nothing can split a message: the start line is made of numbers and checked tokens, the field block has
 * passed `fieldBlockCheck`, and everything else is the engine's own text. Callers reserve `headBytesMax` before writing.
 */
import { writeDecimal } from "../core/decimal.ts";
import { writeAscii } from "../http/ascii.ts";
import { datePtr, DATE_LEN } from "../http/date.ts";
import {
  entryFullNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
  fieldBlockTextBytes,
} from "../http/field_block.ts";
import { reasonPhrase } from "../http/reason.ts";

/** Start line, framing fields, connection, date and the empty line at their longest, without a request's target. */
const FIXED_BYTES: u32 = 512;

/** "HTTP/1.1", " 200 OK\r\n", ": " and "\r\n" as little-endian words. */
const HTTP_1_1: u64 = 0x312e312f50545448;
const STATUS_200_OK: u64 = 0x4b4f203030322020;
const COLON_SP: u16 = 0x203a;
const CRLF: u16 = 0x0a0d;

/** Room that a head needs at most, for the block that `fieldBlockCheck` checked last. */
export function headBytesMax(): u32 {
  return FIXED_BYTES + fieldBlockTextBytes();
}

/** Writes the status line; answers the address after it. */
export function writeStatusLine(dest: usize, code: u32): usize {
  store<u64>(dest, HTTP_1_1);
  if (code == 200) {
    store<u64>(dest, STATUS_200_OK >> 8, 8);
    store<u16>(dest, CRLF, 15);
    return dest + 17;
  }
  store<u8>(dest, 0x20, 8);
  store<u8>(dest, <u8>(0x30 + code / 100), 9);
  store<u8>(dest, <u8>(0x30 + ((code / 10) % 10)), 10);
  store<u8>(dest, <u8>(0x30 + (code % 10)), 11);
  // RFC 9112 §4: the space stays when there is no reason phrase.
  store<u8>(dest, 0x20, 12);
  return writeLineEnd(dest + 13 + writeAscii(dest + 13, reasonPhrase(code)));
}

/** Writes the fields of a checked block. */
export function writeFields(dest: usize, block: usize, len: u32): usize {
  let at = dest;
  const end = block + len;
  for (let entry = block; entry < end; entry = entryNext(entry)) {
    const nameLen = entryFullNameLen(entry);
    memory.copy(at, entryNamePtr(entry), nameLen);
    at += nameLen;
    store<u16>(at, COLON_SP);
    at += 2;
    const valueLen = entryValueLen(entry);
    memory.copy(at, entryValuePtr(entry), valueLen);
    at = writeLineEnd(at + valueLen);
  }
  return at;
}

export function writeContentLength(dest: usize, length: u64): usize {
  let at = dest + writeAscii(dest, "content-length: ");
  at += writeDecimal(at, length);
  return writeLineEnd(at);
}

export function writeTransferEncoding(dest: usize): usize {
  return dest + writeAscii(dest, "transfer-encoding: chunked\r\n");
}

/** A `connection` field with the given options. */
export function writeConnection(dest: usize, options: string): usize {
  const at = dest + writeAscii(dest, "connection: ");
  return writeLineEnd(at + writeAscii(at, options));
}

export function writeDate(dest: usize): usize {
  const at = dest + writeAscii(dest, "date: ");
  memory.copy(at, datePtr(), DATE_LEN);
  return writeLineEnd(at + DATE_LEN);
}

// @ts-ignore: decorator
@inline
export function writeLineEnd(dest: usize): usize {
  store<u16>(dest, CRLF);
  return dest + 2;
}
