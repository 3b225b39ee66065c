/**
 * AES-128 and AES-256 (FIPS 197): the key schedule, and one block at a time, for header protection and the hash key of GCM.
 * Many blocks at once are aes_planes.ts.
 *
 * A table in memory would be indexed by secrets, and its cache lines would tell them. So the S-box is sixteen vectors of sixteen
 * entries, and `i8x16.swizzle` looks up in each of them: an index outside of its vector gives zero, so the sixteen answers are
 * or'ed. Every lookup reads the whole table, at constant addresses.
 */

export const AES_BLOCK_BYTES: u32 = 16;
/** Round keys of AES-256: fifteen. */
export const ROUND_KEYS_BYTES_MAX: u32 = 15 * AES_BLOCK_BYTES;

/** FIPS 197 §5.1.1. */
// prettier-ignore
const substitution: usize = memory.data<u8>([
  0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
  0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
  0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
  0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
  0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
  0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
  0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
  0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
  0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
  0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
  0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
  0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
  0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
  0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
  0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
  0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
], 16);

/** FIPS 197 figure 4: the number of rounds, 10 or 14. `keyLen` is 16 or 32. */
// @ts-ignore: decorator
@inline
export function aesRoundCount(keyLen: u32): u32 {
  return (keyLen >> 2) + 6;
}

/** FIPS 197 §5.2: writes the aesRoundCount(keyLen) + 1 round keys to `roundKeys`. */
export function aesExpandKey(key: usize, keyLen: u32, roundKeys: usize): void {
  memory.copy(roundKeys, key, keyLen);
  const end = roundKeys + (aesRoundCount(keyLen) + 1) * AES_BLOCK_BYTES;
  let roundConstant: u32 = 1;
  let isTurned = true;
  for (let at = roundKeys + keyLen; at < end; at += AES_BLOCK_BYTES) {
    const before = substitute(v128.load(at - AES_BLOCK_BYTES));
    // The last word of the round key before, in every lane. AES-256 leaves every other one unturned and without a constant.
    let word = v128.shuffle<u8>(
      before,
      before,
      12,
      13,
      14,
      15,
      12,
      13,
      14,
      15,
      12,
      13,
      14,
      15,
      12,
      13,
      14,
      15,
    );
    if (isTurned) {
      word = v128.shuffle<u8>(word, word, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
      word = v128.xor(word, i32x4.splat(roundConstant));
      // Of public numbers only: 1, 2, 4, … in the field of FIPS 197 §4.2.
      roundConstant = (roundConstant << 1) ^ (roundConstant >= 0x80 ? 0x11b : 0);
    }
    if (keyLen == 32) isTurned = !isTurned;
    v128.store(at, v128.xor(wordSums(v128.load(at - keyLen)), word));
  }
}

/** FIPS 197 §5.1: encrypts the block at `src` to `dest`. */
export function aesEncrypt(roundKeys: usize, roundCount: u32, src: usize, dest: usize): void {
  let state = v128.xor(v128.load(src), v128.load(roundKeys));
  const last = roundKeys + roundCount * AES_BLOCK_BYTES;
  for (let at = roundKeys + AES_BLOCK_BYTES; at < last; at += AES_BLOCK_BYTES) {
    state = v128.xor(mixColumns(shiftRows(substitute(state))), v128.load(at));
  }
  v128.store(dest, v128.xor(shiftRows(substitute(state)), v128.load(last)));
}

/** Each 32-bit word becomes the exclusive or of itself and those before it. */
// @ts-ignore: decorator
@inline
function wordSums(words: v128): v128 {
  const zero = i64x2.splat(0);
  const pairs = v128.xor(words, v128.shuffle<u32>(zero, words, 0, 4, 5, 6));
  return v128.xor(pairs, v128.shuffle<u32>(zero, pairs, 0, 1, 4, 5));
}

/** FIPS 197 §5.1.2. */
// @ts-ignore: decorator
@inline
function shiftRows(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11);
}

/** FIPS 197 §5.1.3, with each byte as 2 (a + b) + b + c + d, where a is the byte and b, c, d those below it in its column. */
// @ts-ignore: decorator
@inline
function mixColumns(x: v128): v128 {
  const below = v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
  const pairs = v128.xor(x, below);
  const opposite = v128.shuffle<u8>(pairs, pairs, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  const doubled = v128.xor(i8x16.shl(pairs, 1), v128.and(i8x16.shr_s(pairs, 7), i8x16.splat(0x1b)));
  return v128.xor(v128.xor(doubled, below), opposite);
}

/** FIPS 197 §5.1.1 on sixteen bytes. */
function substitute(x: v128): v128 {
  const rows01 = v128.or(row(x, 0x00), row(x, 0x10));
  const rows23 = v128.or(row(x, 0x20), row(x, 0x30));
  const rows45 = v128.or(row(x, 0x40), row(x, 0x50));
  const rows67 = v128.or(row(x, 0x60), row(x, 0x70));
  const rows89 = v128.or(row(x, 0x80), row(x, 0x90));
  const rowsAB = v128.or(row(x, 0xa0), row(x, 0xb0));
  const rowsCD = v128.or(row(x, 0xc0), row(x, 0xd0));
  const rowsEF = v128.or(row(x, 0xe0), row(x, 0xf0));
  const low = v128.or(v128.or(rows01, rows23), v128.or(rows45, rows67));
  return v128.or(low, v128.or(v128.or(rows89, rowsAB), v128.or(rowsCD, rowsEF)));
}

/** What the sixteen entries from `start` on say of those bytes of `x` that are theirs, and zero for the others. */
// @ts-ignore: decorator
@inline
function row(x: v128, start: u32): v128 {
  return v128.swizzle(v128.load(substitution + start), i8x16.sub(x, i8x16.splat(<i8>start)));
}
