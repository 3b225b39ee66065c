/**
 * Copies of short runs of bytes. The strings of a field section have a few dozen bytes, a head has some hundred; for them
 * `memory.copy` costs more in the call than in the copying.
 *
 * The two differ in what they may touch: `copyBytes` nothing but its arguments, `copyBytesLoosely` up to COPY_SLACK bytes
 * after each. Source and destination do not overlap.
 */

/** Bytes after source and destination that `copyBytesLoosely` may read and overwrite. */
export const COPY_SLACK: u32 = 15;

/** From here on the call of `memory.copy` is worth its price: in steps of 64 bytes, and in steps of 16. */
const LONG: u32 = 2048;
const LONG_LOOSE: u32 = 256;

export function copyBytes(dest: usize, src: usize, len: u32): void {
  if (len >= 16) {
    if (len > LONG) {
      memory.copy(dest, src, len);
      return;
    }
    // The last sixteen bytes may be copied twice.
    const lastOffset = len - 16;
    let offset: u32 = 0;
    for (; offset + 48 < lastOffset; offset += 64) {
      const a = v128.load(src + offset);
      const b = v128.load(src + offset, 16);
      const c = v128.load(src + offset, 32);
      const d = v128.load(src + offset, 48);
      v128.store(dest + offset, a);
      v128.store(dest + offset, b, 16);
      v128.store(dest + offset, c, 32);
      v128.store(dest + offset, d, 48);
    }
    for (; offset < lastOffset; offset += 16) v128.store(dest + offset, v128.load(src + offset));
    v128.store(dest + lastOffset, v128.load(src + lastOffset));
  } else if (len >= 8) {
    const tail = load<u64>(src + len - 8);
    store<u64>(dest, load<u64>(src));
    store<u64>(dest + len - 8, tail);
  } else if (len >= 4) {
    const tail = load<u32>(src + len - 4);
    store<u32>(dest, load<u32>(src));
    store<u32>(dest + len - 4, tail);
  } else if (len != 0) {
    const middle = load<u8>(src + (len >> 1));
    const tail = load<u8>(src + len - 1);
    store<u8>(dest, load<u8>(src));
    store<u8>(dest + (len >> 1), middle);
    store<u8>(dest + len - 1, tail);
  }
}

// @ts-ignore: decorator
@inline
export function copyBytesLoosely(dest: usize, src: usize, len: u32): void {
  if (len > LONG_LOOSE) memory.copy(dest, src, len);
  else
    for (let offset: u32 = 0; offset < len; offset += 16) v128.store(dest + offset, v128.load(src + offset));
}
