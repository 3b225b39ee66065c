/**
 * Reading what a peer wrote, with every bound checked here and nowhere else.
 *
 * A reader is a window on bytes and a flag. A read past the end answers zero, leaves the position at the end and sets `failed`,
 * which stays set: a codec reads all of its fields and looks at the flag once, before it believes any of them. Numbers are in
 * network byte order; variable-length integers are those of RFC 9000 §16.
 *
 * Spans that are answered point into what is read: they live as long as those bytes do.
 */

/**
 *   0    4     8        12
 *   ┌────┬─────┬────────┐
 *   │ at │ end │ failed │
 *   └────┴─────┴────────┘
 */
@unmanaged
export class Reader {
  at: usize;
  end: usize;
  failed: u32;
}

/** Opens `reader` on [ptr, ptr + len). */
export function readerOpen(reader: Reader, ptr: usize, len: u32): void {
  reader.at = ptr;
  reader.end = ptr + len;
  reader.failed = 0;
}

/** Bytes not read yet. */
// @ts-ignore: decorator
@inline
export function readerLeft(reader: Reader): u32 {
  return <u32>(reader.end - reader.at);
}

/** Whether everything was read and nothing more: what most structures demand of their end. */
// @ts-ignore: decorator
@inline
export function readerIsExact(reader: Reader): bool {
  return reader.failed == 0 && reader.at == reader.end;
}

/** The address of the next `len` bytes, which are passed over. 0 when there are fewer. */
// @ts-ignore: decorator
@inline
export function readSpan(reader: Reader, len: u64): usize {
  const at = reader.at;
  if (len > <u64>(reader.end - at)) return readFail(reader);
  reader.at = at + <usize>len;
  return at;
}

/** Marks what is read as malformed. Answers 0. */
export function readFail(reader: Reader): usize {
  reader.failed = 1;
  reader.at = reader.end;
  return 0;
}

// @ts-ignore: decorator
@inline
export function readU8(reader: Reader): u32 {
  const at = readSpan(reader, 1);
  return at != 0 ? load<u8>(at) : 0;
}

export function readU16(reader: Reader): u32 {
  const at = readSpan(reader, 2);
  return at != 0 ? <u32>bswap<u16>(load<u16>(at)) : 0;
}

export function readU24(reader: Reader): u32 {
  const at = readSpan(reader, 3);
  return at != 0 ? ((<u32>load<u8>(at)) << 16) | (<u32>bswap<u16>(load<u16>(at, 1))) : 0;
}

export function readU32(reader: Reader): u32 {
  const at = readSpan(reader, 4);
  return at != 0 ? bswap<u32>(load<u32>(at)) : 0;
}

export function readU64(reader: Reader): u64 {
  const at = readSpan(reader, 8);
  return at != 0 ? bswap<u64>(load<u64>(at)) : 0;
}

/** A variable-length integer, RFC 9000 §16: at most 2^62 - 1. */
export function readVarint(reader: Reader): u64 {
  const at = reader.at;
  if (at == reader.end) return <u64>readFail(reader);
  const first = load<u8>(at);
  const start = readSpan(reader, 1 << (first >> 6));
  if (start == 0) return 0;
  switch (first >> 6) {
    case 0:
      return first;
    case 1:
      return bswap<u16>(load<u16>(at)) & 0x3fff;
    case 2:
      return bswap<u32>(load<u32>(at)) & 0x3fffffff;
  }
  return bswap<u64>(load<u64>(at)) & 0x3fffffffffffffff;
}
