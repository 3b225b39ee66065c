/**
 * Packet numbers on the wire, RFC 9000 §17.1: the low 1 to 4 bytes, as many as the receiver needs to find the rest.
 *
 * Numbers go to 2^62 - 1 and are kept as i64; -1 stands for "none yet".
 */

/** The last packet number; a connection that has used it ends, RFC 9000 §12.3. */
export const PACKET_NUMBER_MAX: i64 = 0x3fffffffffffffff;
export const PACKET_NUMBER_BYTES_MAX: u32 = 4;

/**
 * RFC 9000 A.2: bytes that tell `packetNumber` from all that may still be in flight, where the peer has acknowledged up to
 * `largestAcked`: they must count to twice the distance.
 */
export function packetNumberLength(packetNumber: i64, largestAcked: i64): u32 {
  const unacked = packetNumber - largestAcked;
  if (unacked <= 0x80) return 1;
  if (unacked <= 0x8000) return 2;
  return unacked <= 0x800000 ? 3 : 4;
}

/** RFC 9000 A.3: the number closest to the one after `largest` that ends in the `len` bytes of `truncated`. */
export function packetNumberDecode(largest: i64, truncated: u32, len: u32): i64 {
  const expected = min<i64>(largest + 1, PACKET_NUMBER_MAX);
  const window: i64 = (<i64>1) << (len << 3);
  const half = window >> 1;
  const candidate = (expected & ~(window - 1)) | (<i64>truncated);
  if (candidate <= expected - half && candidate <= PACKET_NUMBER_MAX - window) return candidate + window;
  if (candidate > expected + half && candidate >= window) return candidate - window;
  return candidate;
}

/** The `len` bytes at `ptr`. */
export function packetNumberRead(ptr: usize, len: u32): u32 {
  let value: u32 = 0;
  for (let index: u32 = 0; index < len; index++) value = (value << 8) | (<u32>load<u8>(ptr + index));
  return value;
}

/** The low `len` bytes to `ptr`. */
export function packetNumberWrite(ptr: usize, packetNumber: i64, len: u32): void {
  for (let index: u32 = 0; index < len; index++) {
    store<u8>(ptr + index, <u8>(packetNumber >> ((len - 1 - index) << 3)));
  }
}
