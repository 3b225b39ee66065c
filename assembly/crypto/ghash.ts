/**
 * GHASH (NIST SP 800-38D §6.4): the polynomial hash of AES-GCM, constant in time.
 *
 * A multiplication by the key H is linear, so a block is the sum of its 32 nibbles' products, each shifted by whole bytes. The
 * products of the sixteen nibbles by H are kept transposed: row j holds byte j of all sixteen, and `i8x16.swizzle` with the
 * block's nibbles as indices gives byte j of sixteen products at once. Rows are added from the last to the first, with a shift
 * by one byte between them; the sum of 31 bytes is then reduced.
 *
 * Four blocks are hashed at once by four powers of H, which share the shifts and the reduction. The powers' rows are read at
 * addresses that depend on nothing secret.
 *
 * Bytes are in the order of the stream, bits in GCM's: the highest bit of the first byte is the coefficient of x^0, so
 * multiplying by x shifts to the right.
 */

const BLOCK_BYTES: u32 = 16;
const AGGREGATED: u32 = 4;
/** Sixteen rows for the upper nibbles and sixteen for the lower ones. */
const POWER_BYTES: u32 = 2 * 16 * BLOCK_BYTES;
const LOWER: usize = 16 * BLOCK_BYTES;

/** Bytes of the tables of one key: H, H², H³ and H⁴, in this order. */
export const GHASH_TABLES_BYTES: u32 = AGGREGATED * POWER_BYTES;

const scratch: usize = memory.data(BLOCK_BYTES, 16);

/** Makes the tables for the 16 bytes of H at `key`. */
export function ghashExpandKey(key: usize, tables: usize): void {
  const hashKey = v128.load(key);
  writePower(hashKey, tables);
  let power = hashKey;
  for (let index: u32 = 1; index < AGGREGATED; index++) {
    v128.store(scratch, power);
    power = absorbBlock(tables, i64x2.splat(0), scratch);
    writePower(power, tables + index * POWER_BYTES);
  }
  v128.store(scratch, i64x2.splat(0));
}

/** Writes the hash of both texts, each padded with zeros, and of their lengths in bits, to the 16 bytes at `dest`. */
export function ghash(tables: usize, aad: usize, aadLen: u32, ptr: usize, len: u32, dest: usize): void {
  let hash = absorb(tables, i64x2.splat(0), aad, aadLen);
  hash = absorb(tables, hash, ptr, len);
  store<u64>(scratch, bswap<u64>((<u64>aadLen) << 3), 0);
  store<u64>(scratch, bswap<u64>((<u64>len) << 3), 8);
  v128.store(dest, absorbBlock(tables, hash, scratch));
}

function absorb(tables: usize, hash: v128, ptr: usize, len: u32): v128 {
  for (; len >= AGGREGATED * BLOCK_BYTES; len -= AGGREGATED * BLOCK_BYTES) {
    hash = absorbFour(tables, hash, ptr);
    ptr += AGGREGATED * BLOCK_BYTES;
  }
  for (; len >= BLOCK_BYTES; len -= BLOCK_BYTES) {
    hash = absorbBlock(tables, hash, ptr);
    ptr += BLOCK_BYTES;
  }
  if (len == 0) return hash;
  v128.store(scratch, i64x2.splat(0));
  memory.copy(scratch, ptr, len);
  return absorbBlock(tables, hash, scratch);
}

/** (hash + block) * H */
function absorbBlock(tables: usize, hash: v128, block: usize): v128 {
  const text = v128.xor(hash, v128.load(block));
  const upper = i8x16.shr_u(text, 4);
  const lower = v128.and(text, i8x16.splat(15));
  let sum = i64x2.splat(0);
  let over = i64x2.splat(0);
  for (let row: i32 = 15 * BLOCK_BYTES; row >= 0; row -= BLOCK_BYTES) {
    over = shiftByteIn(sum, over);
    sum = v128.xor(shiftByte(sum), products(tables + row, upper, lower));
  }
  return reduce(sum, over);
}

/** ((((hash + block 0) * H + block 1) * H + block 2) * H + block 3) * H, as one sum by four powers. */
function absorbFour(tables: usize, hash: v128, blocks: usize): v128 {
  const nibble = i8x16.splat(15);
  const text0 = v128.xor(hash, v128.load(blocks, 0));
  const text1 = v128.load(blocks, 16);
  const text2 = v128.load(blocks, 32);
  const text3 = v128.load(blocks, 48);
  const upper0 = i8x16.shr_u(text0, 4);
  const upper1 = i8x16.shr_u(text1, 4);
  const upper2 = i8x16.shr_u(text2, 4);
  const upper3 = i8x16.shr_u(text3, 4);
  const lower0 = v128.and(text0, nibble);
  const lower1 = v128.and(text1, nibble);
  const lower2 = v128.and(text2, nibble);
  const lower3 = v128.and(text3, nibble);
  let sum = i64x2.splat(0);
  let over = i64x2.splat(0);
  for (let row: i32 = 15 * BLOCK_BYTES; row >= 0; row -= BLOCK_BYTES) {
    const at = tables + row;
    const early = v128.xor(
      products(at + 3 * POWER_BYTES, upper0, lower0),
      products(at + 2 * POWER_BYTES, upper1, lower1),
    );
    const late = v128.xor(products(at + POWER_BYTES, upper2, lower2), products(at, upper3, lower3));
    over = shiftByteIn(sum, over);
    sum = v128.xor(shiftByte(sum), v128.xor(early, late));
  }
  return reduce(sum, over);
}

/** One byte of the products of sixteen upper and sixteen lower nibbles. */
// @ts-ignore: decorator
@inline
function products(row: usize, upper: v128, lower: v128): v128 {
  return v128.xor(v128.swizzle(v128.load(row), upper), v128.swizzle(v128.load(row, LOWER), lower));
}

/** Every byte to the next place; the last one is lost. Byte 15 of the zeros comes first: sixteen in a row are one instruction. */
// @ts-ignore: decorator
@inline
function shiftByte(x: v128): v128 {
  return v128.shuffle<u8>(i64x2.splat(0), x, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/** The same for `over`, which takes the byte that `sum` loses. */
// @ts-ignore: decorator
@inline
function shiftByteIn(sum: v128, over: v128): v128 {
  return v128.shuffle<u8>(sum, over, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/**
 * x^128 = 1 + x + x² + x⁷: each byte of `over` is added to `sum` at its place, shifted by 0, 1, 2 and 7, with what leaves the
 * byte added to the next. The last byte of `over` is always zero (16 + 16 bytes make 31), so nothing comes over a second time.
 */
// @ts-ignore: decorator
@inline
function reduce(sum: v128, over: v128): v128 {
  const within = v128.xor(
    v128.xor(over, i8x16.shr_u(over, 1)),
    v128.xor(i8x16.shr_u(over, 2), i8x16.shr_u(over, 7)),
  );
  const beyond = v128.xor(i8x16.shl(over, 7), v128.xor(i8x16.shl(over, 6), i8x16.shl(over, 1)));
  return v128.xor(v128.xor(sum, within), shiftByte(beyond));
}

/** Writes the rows of one power: of its products by the upper nibbles, then by the lower ones, which weigh x⁴ more. */
function writePower(power: v128, table: usize): void {
  let weight8 = power;
  for (let half: usize = 0; half <= LOWER; half += LOWER) {
    const weight4 = timesX(weight8);
    const weight2 = timesX(weight4);
    const weight1 = timesX(weight2);
    writeRows(weight8, weight4, weight2, weight1, table + half);
    weight8 = timesX(weight1);
  }
}

/** Row j, entry n: byte j of the sum of those weights whose bit is set in n. The masks are constants, so nothing branches. */
function writeRows(weight8: v128, weight4: v128, weight2: v128, weight1: v128, rows: usize): void {
  const has8 = i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1);
  const has4 = i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1);
  const has2 = i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1);
  const has1 = i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1);
  for (let index: u32 = 0; index < BLOCK_BYTES; index++) {
    const lane = i8x16.splat(<i8>index);
    const sum84 = v128.xor(
      v128.and(v128.swizzle(weight8, lane), has8),
      v128.and(v128.swizzle(weight4, lane), has4),
    );
    const sum21 = v128.xor(
      v128.and(v128.swizzle(weight2, lane), has2),
      v128.and(v128.swizzle(weight1, lane), has1),
    );
    v128.store(rows + index * BLOCK_BYTES, v128.xor(sum84, sum21));
  }
}

/** Multiplies by x: a shift to the right by one bit, and what leaves the last byte comes back as 0xe1 in the first. */
function timesX(x: v128): v128 {
  const lowBits = v128.and(x, i8x16.splat(1));
  const shifted = v128.or(i8x16.shr_u(x, 1), i8x16.shl(shiftByte(lowBits), 7));
  const zero = i64x2.splat(0);
  const lost = v128.shuffle<u8>(
    lowBits,
    zero,
    15,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
    16,
  );
  return v128.xor(shifted, v128.and(i8x16.neg(lost), i8x16.splat(<i8>0xe1)));
}
