/** Bytes as hexadecimal text, for tests. */

/** Writes the bytes that `hex` spells at `dest` and answers how many. */
export function writeHex(dest: usize, hex: string): u32 {
  const count = hex.length >> 1;
  for (let index = 0; index < count; index++) {
    store<u8>(dest + index, <u8>parseInt(hex.substr(index << 1, 2), 16));
  }
  return count;
}

/** The bytes of `hex` in memory of their own. */
export function bytesOf(hex: string): usize {
  const ptr = heap.alloc(max(1, hex.length >> 1));
  writeHex(ptr, hex);
  return ptr;
}

export function hexOf(ptr: usize, len: u32): string {
  let hex = "";
  for (let index: u32 = 0; index < len; index++) {
    const byte: u32 = load<u8>(ptr + index);
    hex += (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return hex;
}
