/**
 * Writing structures into a buffer of fixed size, the counterpart of reader.ts.
 *
 * A write that does not fit writes nothing, sets `failed`, which stays set, and leaves no room: the caller writes all of its
 * fields and looks at the flag once. Numbers are in network byte order.
 */

/** The largest variable-length integer, RFC 9000 §16. */
export const VARINT_MAX: u64 = 0x3fffffffffffffff;

/**
 *   0    4     8        12
 *   ┌────┬─────┬────────┐
 *   │ at │ end │ failed │
 *   └────┴─────┴────────┘
 */
@unmanaged
export class Writer {
  at: usize;
  end: usize;
  failed: u32;
}

/** Opens `writer` on the `capacity` bytes at `ptr`. */
export function writerOpen(writer: Writer, ptr: usize, capacity: u32): void {
  writer.at = ptr;
  writer.end = ptr + capacity;
  writer.failed = 0;
}

/** Bytes there is still room for. */
// @ts-ignore: decorator
@inline
export function writerRoom(writer: Writer): u32 {
  return <u32>(writer.end - writer.at);
}

/** The address of `len` bytes that the caller fills. 0 when they do not fit. */
// @ts-ignore: decorator
@inline
export function writeSpan(writer: Writer, len: u64): usize {
  const at = writer.at;
  if (len > <u64>(writer.end - at)) {
    writer.failed = 1;
    writer.end = at;
    return 0;
  }
  writer.at = at + <usize>len;
  return at;
}

// @ts-ignore: decorator
@inline
export function writeU8(writer: Writer, value: u32): void {
  const at = writeSpan(writer, 1);
  if (at != 0) store<u8>(at, <u8>value);
}

export function writeU16(writer: Writer, value: u32): void {
  const at = writeSpan(writer, 2);
  if (at != 0) store<u16>(at, bswap<u16>(<u16>value));
}

export function writeU24(writer: Writer, value: u32): void {
  const at = writeSpan(writer, 3);
  if (at == 0) return;
  store<u8>(at, <u8>(value >> 16));
  store<u16>(at, bswap<u16>(<u16>value), 1);
}

export function writeU32(writer: Writer, value: u32): void {
  const at = writeSpan(writer, 4);
  if (at != 0) store<u32>(at, bswap<u32>(value));
}

export function writeU64(writer: Writer, value: u64): void {
  const at = writeSpan(writer, 8);
  if (at != 0) store<u64>(at, bswap<u64>(value));
}

/** A copy of [ptr, ptr + len). */
export function writeBytes(writer: Writer, ptr: usize, len: u32): void {
  const at = writeSpan(writer, len);
  if (at != 0) memory.copy(at, ptr, len);
}

/** Bytes that `writeVarint` takes for `value`: 1, 2, 4 or 8. */
// @ts-ignore: decorator
@inline
export function varintLength(value: u64): u32 {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x40000000 ? 4 : 8;
}

/** A variable-length integer in its shortest form, RFC 9000 §16. A value above VARINT_MAX is a failure. */
export function writeVarint(writer: Writer, value: u64): void {
  writeVarintOf(writer, value, varintLength(value));
}

/** The same in `len` bytes (1, 2, 4 or 8), which must be enough: for a length that is filled in later. */
export function writeVarintOf(writer: Writer, value: u64, len: u32): void {
  const at = writeSpan(writer, value > VARINT_MAX ? u64.MAX_VALUE : len);
  if (at == 0) return;
  switch (len) {
    case 1:
      store<u8>(at, <u8>value);
      return;
    case 2:
      store<u16>(at, bswap<u16>((<u16>value) | 0x4000));
      return;
    case 4:
      store<u32>(at, bswap<u32>((<u32>value) | 0x80000000));
      return;
  }
  store<u64>(at, bswap<u64>(value | 0xc000000000000000));
}
