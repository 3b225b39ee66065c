/**
 * Poly1305 (RFC 8439 §2.5): the one-time authenticator of ChaCha20-Poly1305.
 *
 * The accumulator has five limbs of radix 2^32 in 64-bit words. The clamp (§2.5.1) leaves r1, r2 and r3 divisible by four, so
 * what passes 2^128 comes back as s = r + r/4 = 5r/4 at weight 1 (2^130 = 5 modulo the prime). Carries are lazy: each limb gives
 * its upper half to the next once a block, and nothing ripples.
 *
 * Why no word overflows. Let x be the bound of a carry d >> 32, in units of 2^32, from one block to the next. Before the products,
 * with the block's words added:
 *     h1, h2, h3  <  1 + x + 1                            (half kept, carry in, word added)
 *     h4          <= 3 + 1
 *     h0          <  1 + 5/4 (1/4 + x) + 1                (h4 * r0 <= 4 * 2^28 is a quarter, plus a carry, folded by 5/4)
 * r0 < 2^28 and s < 5/4 * 2^28, so the largest sum is d0 = h0 r0 + h1 s3 + h2 s2 + h3 s1, in units of 2^60:
 *     d0  <  2.3125 + 1.25 x + 3 * 1.25 (2 + x)  =  9.8125 + 5 x
 * and x = d0 / 16 is met by x = 0.893 < 1: every d stays below 0.9 * 2^64. test/assembly/crypto/poly1305.spec.ts drives the largest
 * r with the largest words through many blocks and compares with arithmetic of another radix.
 *
 * One MAC at a time, in this file's globals. No branch and no address depends on a secret.
 */

export const POLY1305_KEY_BYTES: u32 = 32;
export const POLY1305_TAG_BYTES: u32 = 16;

const BLOCK_BYTES: u32 = 16;
const LOW: u64 = 0xffffffff;

const padded: usize = memory.data(BLOCK_BYTES, 16);
let h0: u64 = 0;
let h1: u64 = 0;
let h2: u64 = 0;
let h3: u64 = 0;
let h4: u64 = 0;
let r0: u64 = 0;
let r1: u64 = 0;
let r2: u64 = 0;
let r3: u64 = 0;

/** Starts a MAC under the POLY1305_KEY_BYTES at `key`, of which the first half is r. */
export function poly1305Start(key: usize): void {
  r0 = load<u32>(key, 0) & 0x0fffffff;
  r1 = load<u32>(key, 4) & 0x0ffffffc;
  r2 = load<u32>(key, 8) & 0x0ffffffc;
  r3 = load<u32>(key, 12) & 0x0ffffffc;
  h0 = 0;
  h1 = 0;
  h2 = 0;
  h3 = 0;
  h4 = 0;
}

/** Takes `len` bytes and, as RFC 8439 §2.8 pads each part of an AEAD, zeros to the next multiple of 16. */
export function poly1305Padded(ptr: usize, len: u32): void {
  const rest = len & (BLOCK_BYTES - 1);
  poly1305Blocks(ptr, len - rest);
  if (rest == 0) return;
  v128.store(padded, i64x2.splat(0));
  memory.copy(padded, ptr + (len - rest), rest);
  poly1305Blocks(padded, BLOCK_BYTES);
}

/** Takes `len` bytes, a multiple of 16. */
export function poly1305Blocks(ptr: usize, len: u32): void {
  const s1 = r1 + (r1 >> 2);
  const s2 = r2 + (r2 >> 2);
  const s3 = r3 + (r3 >> 2);
  let a0 = h0;
  let a1 = h1;
  let a2 = h2;
  let a3 = h3;
  let a4 = h4;
  const end = ptr + len;
  for (; ptr < end; ptr += BLOCK_BYTES) {
    a0 += <u64>load<u32>(ptr, 0);
    a1 += <u64>load<u32>(ptr, 4);
    a2 += <u64>load<u32>(ptr, 8);
    a3 += <u64>load<u32>(ptr, 12);
    a4 += 1;
    const d0 = a0 * r0 + a1 * s3 + a2 * s2 + a3 * s1;
    const d1 = a0 * r1 + a1 * r0 + a2 * s3 + a3 * s2 + a4 * s1;
    const d2 = a0 * r2 + a1 * r1 + a2 * r0 + a3 * s3 + a4 * s2;
    const d3 = a0 * r3 + a1 * r2 + a2 * r1 + a3 * r0 + a4 * s3;
    a4 = a4 * r0 + (d3 >> 32);
    a0 = (d0 & LOW) + (a4 >> 2) + (a4 & ~3);
    a1 = (d1 & LOW) + (d0 >> 32);
    a2 = (d2 & LOW) + (d1 >> 32);
    a3 = (d3 & LOW) + (d2 >> 32);
    a4 &= 3;
  }
  h0 = a0;
  h1 = a1;
  h2 = a2;
  h3 = a3;
  h4 = a4;
}

/** Writes the tag to the POLY1305_TAG_BYTES at `dest`, with s from the second half of `key`, and wipes what was kept. */
export function poly1305Finish(key: usize, dest: usize): void {
  // Two passes of carries: the second finds at most a one to pass on, and none that leaves the last limb.
  carry();
  carry();
  // The value less 2^130 - 5, which is kept when that is not negative: then adding 5 carries into bit 130.
  const g0 = h0 + 5;
  const g1 = h1 + (g0 >> 32);
  const g2 = h2 + (g1 >> 32);
  const g3 = h3 + (g2 >> 32);
  const g4 = h4 + (g3 >> 32);
  const keep: u64 = 0 - (g4 >> 2);
  let sum = ((h0 & ~keep) | (g0 & LOW & keep)) + <u64>load<u32>(key, 16);
  store<u32>(dest, <u32>sum, 0);
  sum = ((h1 & ~keep) | (g1 & LOW & keep)) + <u64>load<u32>(key, 20) + (sum >> 32);
  store<u32>(dest, <u32>sum, 4);
  sum = ((h2 & ~keep) | (g2 & LOW & keep)) + <u64>load<u32>(key, 24) + (sum >> 32);
  store<u32>(dest, <u32>sum, 8);
  sum = ((h3 & ~keep) | (g3 & LOW & keep)) + <u64>load<u32>(key, 28) + (sum >> 32);
  store<u32>(dest, <u32>sum, 12);
  h0 = 0;
  h1 = 0;
  h2 = 0;
  h3 = 0;
  h4 = 0;
  r0 = 0;
  r1 = 0;
  r2 = 0;
  r3 = 0;
  v128.store(padded, i64x2.splat(0));
}

/** Passes every carry on, and folds what is at 2^130 and above. */
function carry(): void {
  h1 += h0 >> 32;
  h0 &= LOW;
  h2 += h1 >> 32;
  h1 &= LOW;
  h3 += h2 >> 32;
  h2 &= LOW;
  h4 += h3 >> 32;
  h3 &= LOW;
  h0 += (h4 >> 2) * 5;
  h4 &= 3;
}
