/**
 * The vectors of TLS's presentation language, RFC 8446 §3.4: a length of one, two or three bytes, then so many bytes.
 *
 * Reading opens a second reader on the bytes; a vector that leaves its surroundings fails both. Writing leaves room for the
 * length and fills it in when the vector ends.
 */
import { Reader, readSpan, readU16, readU24, readU8, readerOpen } from "../core/reader.ts";
import { Writer, writeSpan } from "../core/writer.ts";

/** Opens `inside` on the vector that starts here. */
function open(reader: Reader, inside: Reader, len: u32): void {
  const ptr = readSpan(reader, len);
  readerOpen(inside, ptr, ptr != 0 ? len : 0);
  inside.failed = reader.failed;
}

export function readVector8(reader: Reader, inside: Reader): void {
  open(reader, inside, readU8(reader));
}

export function readVector16(reader: Reader, inside: Reader): void {
  open(reader, inside, readU16(reader));
}

export function readVector24(reader: Reader, inside: Reader): void {
  open(reader, inside, readU24(reader));
}

/** Where a vector begins whose length has `lengthBytes` bytes. To be given to `endVector`. */
export function beginVector(writer: Writer, lengthBytes: u32): usize {
  return writeSpan(writer, lengthBytes);
}

/** Fills in the length of the vector that began at `start`. A vector longer than its length can say is a failure. */
export function endVector(writer: Writer, start: usize, lengthBytes: u32): void {
  if (writer.failed != 0) return;
  const len = <u32>(writer.at - start) - lengthBytes;
  if (len >> (lengthBytes << 3) != 0) {
    writer.failed = 1;
    return;
  }
  for (let index: u32 = 0; index < lengthBytes; index++) {
    store<u8>(start + index, len >> ((lengthBytes - 1 - index) << 3));
  }
}
