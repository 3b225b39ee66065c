/**
 * Masking, RFC 6455 §5.3: byte i of a payload is XORed with byte i mod 4 of the frame's key. The same in both directions.
 *
 * A key is a u32 whose lowest byte belongs to the next payload byte. Masking a part of a payload answers the key for the part
 * that follows, so a frame may arrive in any pieces.
 */

/** Masks [ptr, ptr + len) in place and answers the key for the byte at `ptr + len`. */
export function maskBytes(ptr: usize, len: u32, key: u32): u32 {
  // A key of zero changes nothing, whatever follows.
  if (key == 0) return 0;
  const end = ptr + len;
  const wide = i32x4.splat(key);
  while (end - ptr >= 64) {
    v128.store(ptr, v128.xor(v128.load(ptr, 0), wide), 0);
    v128.store(ptr, v128.xor(v128.load(ptr, 16), wide), 16);
    v128.store(ptr, v128.xor(v128.load(ptr, 32), wide), 32);
    v128.store(ptr, v128.xor(v128.load(ptr, 48), wide), 48);
    ptr += 64;
  }
  while (end - ptr >= 16) {
    v128.store(ptr, v128.xor(v128.load(ptr), wide));
    ptr += 16;
  }
  while (end - ptr >= 4) {
    store<u32>(ptr, load<u32>(ptr) ^ key);
    ptr += 4;
  }
  // Whole words left the key as it was; only what is fewer than four bytes turns it.
  return maskBytesScalar(ptr, <u32>(end - ptr), key);
}

/** The same, byte by byte. */
export function maskBytesScalar(ptr: usize, len: u32, key: u32): u32 {
  for (const end = ptr + len; ptr < end; ptr++) {
    store<u8>(ptr, load<u8>(ptr) ^ (<u8>key));
    key = rotr(key, 8);
  }
  return key;
}
