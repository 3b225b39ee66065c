/**
 * ChaCha20 (RFC 8439 §2.3, §2.4): four blocks at a time for packets, one block for header-protection masks.
 *
 * Four blocks: word i of all four lies in one vector, so each step of the round function works on four blocks at once, and the
 * words are transposed back when the keystream meets the text. One block: its four rows lie in one vector each, and rotating the
 * rows turns the diagonals into columns.
 *
 * Only additions, exclusive ors and rotations by constants: no branch and no address depends on a secret. A counter that wraps is
 * the caller's to prevent; a packet is far shorter than the 256 GiB that it spans.
 */

export const CHACHA20_KEY_BYTES: u32 = 32;
export const CHACHA20_BLOCK_BYTES: u32 = 64;
/** What `chacha20Xor4` covers. */
export const CHACHA20_QUAD_BYTES: u32 = 4 * CHACHA20_BLOCK_BYTES;

/** "expand 32-byte k", RFC 8439 §2.3. */
const constants: usize = memory.data<u32>([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574], 16);
const DOUBLE_ROUND_COUNT: u32 = 10;

/**
 * Writes [src, src + 256) xor the keystream of four blocks, the first of which is numbered `counter`, to `dest`. `dest` may be
 * `src`. `nonce` is 12 bytes.
 */
export function chacha20Xor4(key: usize, nonce: usize, counter: u32, src: usize, dest: usize): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  let x0 = v128.load_splat<u32>(constants, 0);
  let x1 = v128.load_splat<u32>(constants, 4);
  let x2 = v128.load_splat<u32>(constants, 8);
  let x3 = v128.load_splat<u32>(constants, 12);
  let x4 = v128.load_splat<u32>(key, 0);
  let x5 = v128.load_splat<u32>(key, 4);
  let x6 = v128.load_splat<u32>(key, 8);
  let x7 = v128.load_splat<u32>(key, 12);
  let x8 = v128.load_splat<u32>(key, 16);
  let x9 = v128.load_splat<u32>(key, 20);
  let x10 = v128.load_splat<u32>(key, 24);
  let x11 = v128.load_splat<u32>(key, 28);
  let x12 = counters;
  let x13 = v128.load_splat<u32>(nonce, 0);
  let x14 = v128.load_splat<u32>(nonce, 4);
  let x15 = v128.load_splat<u32>(nonce, 8);
  // RFC 8439 §2.1 and §2.3: quarter rounds on the four columns, then on the four diagonals, each step for all four at once.
  for (let round: u32 = 0; round < DOUBLE_ROUND_COUNT; round++) {
    x0 = i32x4.add(x0, x4);
    x1 = i32x4.add(x1, x5);
    x2 = i32x4.add(x2, x6);
    x3 = i32x4.add(x3, x7);
    x12 = rotate16(v128.xor(x12, x0));
    x13 = rotate16(v128.xor(x13, x1));
    x14 = rotate16(v128.xor(x14, x2));
    x15 = rotate16(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate12(v128.xor(x4, x8));
    x5 = rotate12(v128.xor(x5, x9));
    x6 = rotate12(v128.xor(x6, x10));
    x7 = rotate12(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x4);
    x1 = i32x4.add(x1, x5);
    x2 = i32x4.add(x2, x6);
    x3 = i32x4.add(x3, x7);
    x12 = rotate8(v128.xor(x12, x0));
    x13 = rotate8(v128.xor(x13, x1));
    x14 = rotate8(v128.xor(x14, x2));
    x15 = rotate8(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12);
    x9 = i32x4.add(x9, x13);
    x10 = i32x4.add(x10, x14);
    x11 = i32x4.add(x11, x15);
    x4 = rotate7(v128.xor(x4, x8));
    x5 = rotate7(v128.xor(x5, x9));
    x6 = rotate7(v128.xor(x6, x10));
    x7 = rotate7(v128.xor(x7, x11));

    x0 = i32x4.add(x0, x5);
    x1 = i32x4.add(x1, x6);
    x2 = i32x4.add(x2, x7);
    x3 = i32x4.add(x3, x4);
    x15 = rotate16(v128.xor(x15, x0));
    x12 = rotate16(v128.xor(x12, x1));
    x13 = rotate16(v128.xor(x13, x2));
    x14 = rotate16(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate12(v128.xor(x5, x10));
    x6 = rotate12(v128.xor(x6, x11));
    x7 = rotate12(v128.xor(x7, x8));
    x4 = rotate12(v128.xor(x4, x9));
    x0 = i32x4.add(x0, x5);
    x1 = i32x4.add(x1, x6);
    x2 = i32x4.add(x2, x7);
    x3 = i32x4.add(x3, x4);
    x15 = rotate8(v128.xor(x15, x0));
    x12 = rotate8(v128.xor(x12, x1));
    x13 = rotate8(v128.xor(x13, x2));
    x14 = rotate8(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15);
    x11 = i32x4.add(x11, x12);
    x8 = i32x4.add(x8, x13);
    x9 = i32x4.add(x9, x14);
    x5 = rotate7(v128.xor(x5, x10));
    x6 = rotate7(v128.xor(x6, x11));
    x7 = rotate7(v128.xor(x7, x8));
    x4 = rotate7(v128.xor(x4, x9));
  }
  x0 = i32x4.add(x0, v128.load_splat<u32>(constants, 0));
  x1 = i32x4.add(x1, v128.load_splat<u32>(constants, 4));
  x2 = i32x4.add(x2, v128.load_splat<u32>(constants, 8));
  x3 = i32x4.add(x3, v128.load_splat<u32>(constants, 12));
  x4 = i32x4.add(x4, v128.load_splat<u32>(key, 0));
  x5 = i32x4.add(x5, v128.load_splat<u32>(key, 4));
  x6 = i32x4.add(x6, v128.load_splat<u32>(key, 8));
  x7 = i32x4.add(x7, v128.load_splat<u32>(key, 12));
  x8 = i32x4.add(x8, v128.load_splat<u32>(key, 16));
  x9 = i32x4.add(x9, v128.load_splat<u32>(key, 20));
  x10 = i32x4.add(x10, v128.load_splat<u32>(key, 24));
  x11 = i32x4.add(x11, v128.load_splat<u32>(key, 28));
  x12 = i32x4.add(x12, counters);
  x13 = i32x4.add(x13, v128.load_splat<u32>(nonce, 0));
  x14 = i32x4.add(x14, v128.load_splat<u32>(nonce, 4));
  x15 = i32x4.add(x15, v128.load_splat<u32>(nonce, 8));
  xorWords(x0, x1, x2, x3, src + 0, dest + 0);
  xorWords(x4, x5, x6, x7, src + 16, dest + 16);
  xorWords(x8, x9, x10, x11, src + 32, dest + 32);
  xorWords(x12, x13, x14, x15, src + 48, dest + 48);
}

/** Writes the 64 bytes of one keystream block to `dest`. */
export function chacha20Block(key: usize, nonce: usize, counter: u32, dest: usize): void {
  const last = i32x4(counter, load<u32>(nonce, 0), load<u32>(nonce, 4), load<u32>(nonce, 8));
  let a = v128.load(constants);
  let b = v128.load(key, 0);
  let c = v128.load(key, 16);
  let d = last;
  for (let round: u32 = 0; round < 2 * DOUBLE_ROUND_COUNT; round++) {
    a = i32x4.add(a, b);
    d = rotate16(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate12(v128.xor(b, c));
    a = i32x4.add(a, b);
    d = rotate8(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate7(v128.xor(b, c));
    // After the columns the diagonals move into the columns' place, after the diagonals they move back.
    if ((round & 1) == 0) {
      b = v128.shuffle<u32>(b, b, 1, 2, 3, 0);
      c = v128.shuffle<u32>(c, c, 2, 3, 0, 1);
      d = v128.shuffle<u32>(d, d, 3, 0, 1, 2);
    } else {
      b = v128.shuffle<u32>(b, b, 3, 0, 1, 2);
      c = v128.shuffle<u32>(c, c, 2, 3, 0, 1);
      d = v128.shuffle<u32>(d, d, 1, 2, 3, 0);
    }
  }
  v128.store(dest, i32x4.add(a, v128.load(constants)), 0);
  v128.store(dest, i32x4.add(b, v128.load(key, 0)), 16);
  v128.store(dest, i32x4.add(c, v128.load(key, 16)), 32);
  v128.store(dest, i32x4.add(d, last), 48);
}

/** Transposes four words of four blocks, and xors them with the text: 16 bytes in each of the four blocks. */
// @ts-ignore: decorator
@inline
function xorWords(a: v128, b: v128, c: v128, d: v128, src: usize, dest: usize): void {
  const ab01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const ab23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(dest, v128.xor(v128.load(src, 0), v128.shuffle<u64>(ab01, cd01, 0, 2)), 0);
  v128.store(dest, v128.xor(v128.load(src, 64), v128.shuffle<u64>(ab01, cd01, 1, 3)), 64);
  v128.store(dest, v128.xor(v128.load(src, 128), v128.shuffle<u64>(ab23, cd23, 0, 2)), 128);
  v128.store(dest, v128.xor(v128.load(src, 192), v128.shuffle<u64>(ab23, cd23, 1, 3)), 192);
}

// Rotations by whole bytes are one swizzle or shuffle, whichever was measured to be faster on V8; the others are two shifts.

// @ts-ignore: decorator
@inline
function rotate16(x: v128): v128 {
  return v128.swizzle(x, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}

// @ts-ignore: decorator
@inline
function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

// @ts-ignore: decorator
@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

// @ts-ignore: decorator
@inline
function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}
