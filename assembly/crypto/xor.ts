/** Exclusive or of a text with its keystream. `dest` may be `ptr`; other overlaps are not allowed. */

/** Writes [ptr, ptr + len) xor [keystream, keystream + len) to `dest`. */
export function xorBytes(ptr: usize, keystream: usize, len: u32, dest: usize): void {
  const vectorsLen = len & ~15;
  for (let offset: u32 = 0; offset < vectorsLen; offset += 16) {
    v128.store(dest + offset, v128.xor(v128.load(ptr + offset), v128.load(keystream + offset)));
  }
  for (let offset = vectorsLen; offset < len; offset++) {
    store<u8>(dest + offset, load<u8>(ptr + offset) ^ load<u8>(keystream + offset));
  }
}
