/**
 * AES (FIPS 197) on eight blocks at once, bitsliced: constant in time without hardware instructions.
 *
 * The eight blocks are turned into eight planes: plane i, byte j, bit b is bit i of byte j of block b (Käsper and Schwabe, "Faster
 * and Timing-Attack Resistant AES-GCM"). The S-box is then a circuit of gates on planes (Boyar and Peralta, "A new combinational
 * logic minimization technique", 113 gates), ShiftRows and the rotations of MixColumns are shuffles by constants, and doubling in
 * the field renames planes. No address and no branch depends on a secret.
 *
 * The circuit leaves out the S-box's constant 0x63, which the layers after it pass on unchanged: it is added to the round keys.
 */
import { AES_BLOCK_BYTES } from "./aes.ts";

export const AES_BATCH_BYTES: u32 = 8 * AES_BLOCK_BYTES;

const PLANES_BYTES: u32 = AES_BATCH_BYTES;
const SUBSTITUTION_CONSTANT: u32 = 0x63;

/** The planes of the fifteen round keys of AES-256. */
export const KEY_PLANES_BYTES_MAX: u32 = 15 * PLANES_BYTES;

const planes: usize = memory.data(PLANES_BYTES, 16);

/** Makes the planes of the `roundCount` + 1 round keys: each bit of the key over a whole byte, for its eight blocks. */
export function aesSliceKeys(roundKeys: usize, roundCount: u32, keyPlanes: usize): void {
  const one = i8x16.splat(1);
  for (let round: u32 = 0; round <= roundCount; round++) {
    const constant = i8x16.splat(round == 0 ? 0 : <i8>SUBSTITUTION_CONSTANT);
    const roundKey = v128.xor(v128.load(roundKeys + round * AES_BLOCK_BYTES), constant);
    for (let bit: u32 = 0; bit < 8; bit++) {
      v128.store(keyPlanes, i8x16.neg(v128.and(i8x16.shr_u(roundKey, bit), one)));
      keyPlanes += AES_BLOCK_BYTES;
    }
  }
}

/** Encrypts the eight blocks at `blocks` in place. */
export function aesEncryptBatch(keyPlanes: usize, roundCount: u32, blocks: usize): void {
  transpose(blocks, planes);
  for (let plane: u32 = 0; plane < PLANES_BYTES; plane += AES_BLOCK_BYTES) {
    v128.store(planes + plane, v128.xor(v128.load(planes + plane), v128.load(keyPlanes + plane)));
  }
  for (let round: u32 = 1; round < roundCount; round++) {
    keyPlanes += PLANES_BYTES;
    substitute();
    mixRows(keyPlanes);
  }
  keyPlanes += PLANES_BYTES;
  substitute();
  for (let plane: u32 = 0; plane < PLANES_BYTES; plane += AES_BLOCK_BYTES) {
    const shifted = shiftRows(v128.load(planes + plane));
    v128.store(planes + plane, v128.xor(shifted, v128.load(keyPlanes + plane)));
  }
  transpose(planes, blocks);
}

/** ShiftRows, MixColumns and AddRoundKey (FIPS 197 §5.1.2 to §5.1.4) on all planes. */
function mixRows(keyPlanes: usize): void {
  const q0 = v128.load(planes, 0);
  const q1 = v128.load(planes, 16);
  const q2 = v128.load(planes, 32);
  const q3 = v128.load(planes, 48);
  const q4 = v128.load(planes, 64);
  const q5 = v128.load(planes, 80);
  const q6 = v128.load(planes, 96);
  const q7 = v128.load(planes, 112);
  const m0 = pairs(q0);
  const m1 = pairs(q1);
  const m2 = pairs(q2);
  const m3 = pairs(q3);
  const m4 = pairs(q4);
  const m5 = pairs(q5);
  const m6 = pairs(q6);
  const m7 = pairs(q7);
  // Doubling: plane i becomes plane i + 1, and plane 7 comes back into planes 0, 1, 3 and 4 (FIPS 197 §4.2: 0x1b).
  v128.store(planes, mixed(m7, q0, m0, v128.load(keyPlanes, 0)), 0);
  v128.store(planes, mixed(v128.xor(m0, m7), q1, m1, v128.load(keyPlanes, 16)), 16);
  v128.store(planes, mixed(m1, q2, m2, v128.load(keyPlanes, 32)), 32);
  v128.store(planes, mixed(v128.xor(m2, m7), q3, m3, v128.load(keyPlanes, 48)), 48);
  v128.store(planes, mixed(v128.xor(m3, m7), q4, m4, v128.load(keyPlanes, 64)), 64);
  v128.store(planes, mixed(m4, q5, m5, v128.load(keyPlanes, 80)), 80);
  v128.store(planes, mixed(m5, q6, m6, v128.load(keyPlanes, 96)), 96);
  v128.store(planes, mixed(m6, q7, m7, v128.load(keyPlanes, 112)), 112);
}

/** 2 (a + b) + b + (c + d) and the round key, where a is a byte after ShiftRows and b, c, d those below it in its column. */
// @ts-ignore: decorator
@inline
function mixed(doubled: v128, q: v128, m: v128, roundKey: v128): v128 {
  const opposite = v128.swizzle(m, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return v128.xor(v128.xor(doubled, shiftRowsBelow(q)), v128.xor(opposite, roundKey));
}

// Swizzles by constants: V8 keeps their indices in registers, and makes those of a shuffle anew each time.

/** a + b of every byte. */
// @ts-ignore: decorator
@inline
function pairs(q: v128): v128 {
  return v128.xor(shiftRows(q), shiftRowsBelow(q));
}

// @ts-ignore: decorator
@inline
function shiftRows(q: v128): v128 {
  return v128.swizzle(q, i8x16(0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11));
}

/** ShiftRows, and each byte replaced by the one below it. */
// @ts-ignore: decorator
@inline
function shiftRowsBelow(q: v128): v128 {
  return v128.swizzle(q, i8x16(5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12));
}

/**
 * SubBytes without its constant, on all planes. The names are those of the paper, which numbers bits from the highest:
 * x0 is plane 7.
 */
// prettier-ignore
function substitute(): void {
  const x0 = v128.load(planes, 112);
  const x1 = v128.load(planes, 96);
  const x2 = v128.load(planes, 80);
  const x3 = v128.load(planes, 64);
  const x4 = v128.load(planes, 48);
  const x5 = v128.load(planes, 32);
  const x6 = v128.load(planes, 16);
  const x7 = v128.load(planes, 0);
  // The top linear layer: sums of inputs that the middle multiplies.
  const y14 = v128.xor(x3, x5);
  const y13 = v128.xor(x0, x6);
  const y9 = v128.xor(x0, x3);
  const y8 = v128.xor(x0, x5);
  const t0 = v128.xor(x1, x2);
  const y1 = v128.xor(t0, x7);
  const y4 = v128.xor(y1, x3);
  const y12 = v128.xor(y13, y14);
  const y2 = v128.xor(y1, x0);
  const y5 = v128.xor(y1, x6);
  const y3 = v128.xor(y5, y8);
  const t1 = v128.xor(x4, y12);
  const y15 = v128.xor(t1, x5);
  const y20 = v128.xor(t1, x1);
  const y6 = v128.xor(y15, x7);
  const y10 = v128.xor(y15, t0);
  const y11 = v128.xor(y20, y9);
  const y7 = v128.xor(x7, y11);
  const y17 = v128.xor(y10, y11);
  const y19 = v128.xor(y10, y8);
  const y16 = v128.xor(t0, y11);
  const y21 = v128.xor(y13, y16);
  const y18 = v128.xor(x0, y16);
  // The first multiplications, in GF(16).
  const t2 = v128.and(y12, y15);
  const t3 = v128.and(y3, y6);
  const t4 = v128.xor(t3, t2);
  const t5 = v128.and(y4, x7);
  const t6 = v128.xor(t5, t2);
  const t7 = v128.and(y13, y16);
  const t8 = v128.and(y5, y1);
  const t9 = v128.xor(t8, t7);
  const t10 = v128.and(y2, y7);
  const t11 = v128.xor(t10, t7);
  const t12 = v128.and(y9, y11);
  const t13 = v128.and(y14, y17);
  const t14 = v128.xor(t13, t12);
  const t15 = v128.and(y8, y10);
  const t16 = v128.xor(t15, t12);
  const t17 = v128.xor(t4, t14);
  const t18 = v128.xor(t6, t16);
  const t19 = v128.xor(t9, t14);
  const t20 = v128.xor(t11, t16);
  const t21 = v128.xor(t17, y20);
  const t22 = v128.xor(t18, y19);
  const t23 = v128.xor(t19, y21);
  const t24 = v128.xor(t20, y18);
  // The inverse in GF(16).
  const t25 = v128.xor(t21, t22);
  const t26 = v128.and(t21, t23);
  const t27 = v128.xor(t24, t26);
  const t28 = v128.and(t25, t27);
  const t29 = v128.xor(t28, t22);
  const t30 = v128.xor(t23, t24);
  const t31 = v128.xor(t22, t26);
  const t32 = v128.and(t31, t30);
  const t33 = v128.xor(t32, t24);
  const t34 = v128.xor(t23, t33);
  const t35 = v128.xor(t27, t33);
  const t36 = v128.and(t24, t35);
  const t37 = v128.xor(t36, t34);
  const t38 = v128.xor(t27, t36);
  const t39 = v128.and(t29, t38);
  const t40 = v128.xor(t25, t39);
  const t41 = v128.xor(t40, t37);
  const t42 = v128.xor(t29, t33);
  const t43 = v128.xor(t29, t40);
  const t44 = v128.xor(t33, t37);
  const t45 = v128.xor(t42, t41);
  // The second multiplications.
  const z0 = v128.and(t44, y15);
  const z1 = v128.and(t37, y6);
  const z2 = v128.and(t33, x7);
  const z3 = v128.and(t43, y16);
  const z4 = v128.and(t40, y1);
  const z5 = v128.and(t29, y7);
  const z6 = v128.and(t42, y11);
  const z7 = v128.and(t45, y17);
  const z8 = v128.and(t41, y10);
  const z9 = v128.and(t44, y12);
  const z10 = v128.and(t37, y3);
  const z11 = v128.and(t33, y4);
  const z12 = v128.and(t43, y13);
  const z13 = v128.and(t40, y5);
  const z14 = v128.and(t29, y2);
  const z15 = v128.and(t42, y9);
  const z16 = v128.and(t45, y14);
  const z17 = v128.and(t41, y8);
  // The bottom linear layer.
  const t46 = v128.xor(z15, z16);
  const t47 = v128.xor(z10, z11);
  const t48 = v128.xor(z5, z13);
  const t49 = v128.xor(z9, z10);
  const t50 = v128.xor(z2, z12);
  const t51 = v128.xor(z2, z5);
  const t52 = v128.xor(z7, z8);
  const t53 = v128.xor(z0, z3);
  const t54 = v128.xor(z6, z7);
  const t55 = v128.xor(z16, z17);
  const t56 = v128.xor(z12, t48);
  const t57 = v128.xor(t50, t53);
  const t58 = v128.xor(z4, t46);
  const t59 = v128.xor(z3, t54);
  const t60 = v128.xor(t46, t57);
  const t61 = v128.xor(z14, t57);
  const t62 = v128.xor(t52, t58);
  const t63 = v128.xor(t49, t58);
  const t64 = v128.xor(z4, t59);
  const t65 = v128.xor(t61, t62);
  const t66 = v128.xor(z1, t63);
  const s3 = v128.xor(t53, t66);
  const s1 = v128.xor(t64, s3);
  const t67 = v128.xor(t64, t65);
  v128.store(planes, v128.xor(t48, t60), 0);
  v128.store(planes, v128.xor(t56, t62), 16);
  v128.store(planes, v128.xor(t47, t65), 32);
  v128.store(planes, v128.xor(t51, t66), 48);
  v128.store(planes, s3, 64);
  v128.store(planes, v128.xor(t55, t67), 80);
  v128.store(planes, s1, 96);
  v128.store(planes, v128.xor(t59, t63), 112);
}

/** Eight vectors: register i, bit b and register b, bit i change places in every byte. Its own inverse. */
function transpose(src: usize, dest: usize): void {
  for (let at: usize = 0; at < PLANES_BYTES; at += 32) {
    exchange(src + at, src + at + 16, dest + at, dest + at + 16, 1, 0x5555555555555555);
  }
  for (let at: usize = 0; at < PLANES_BYTES; at += 64) {
    exchange(dest + at, dest + at + 32, dest + at, dest + at + 32, 2, 0x3333333333333333);
    exchange(dest + at + 16, dest + at + 48, dest + at + 16, dest + at + 48, 2, 0x3333333333333333);
  }
  for (let at: usize = 0; at < 64; at += 16) {
    exchange(dest + at, dest + at + 64, dest + at, dest + at + 64, 4, 0x0f0f0f0f0f0f0f0f);
  }
}

/** The bits of `first` above `mask` change places with those of `second` under it. */
// @ts-ignore: decorator
@inline
function exchange(
  first: usize,
  second: usize,
  firstDest: usize,
  secondDest: usize,
  distance: i32,
  mask: i64,
): void {
  const a = v128.load(first);
  const b = v128.load(second);
  const moved = v128.and(v128.xor(i64x2.shr_u(a, distance), b), i64x2.splat(mask));
  v128.store(secondDest, v128.xor(b, moved));
  v128.store(firstDest, v128.xor(a, i64x2.shl(moved, distance)));
}
