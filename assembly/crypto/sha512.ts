/**
 * SHA-384 (FIPS 180-4 §6.5, which is SHA-512 of §6.4 with other initial values, cut to 48 bytes),
 * over input that arrives in pieces.
 *
 * A state is plain bytes without pointers: `memory.copy` clones it, which is how TLS takes the transcript's hash at several
 * places. Taking a digest leaves the state as it was. Time depends on lengths alone, never on what is hashed.
 *
 * Callers go through hash.ts, which chooses between this and SHA-256.
 */

export const SHA384_BYTES: u32 = 48;
export const SHA384_BLOCK_BYTES: u32 = 128;

/**
 *   0           8        72                  200
 *   ┌───────────┬────────┬────────────────────┐
 *   │ byteCount │ chain  │ block, not yet full │
 *   └───────────┴────────┴────────────────────┘
 */
@unmanaged
export class Sha512State {
  byteCount: u64;
  chain0: u64;
  chain1: u64;
  chain2: u64;
  chain3: u64;
  chain4: u64;
  chain5: u64;
  chain6: u64;
  chain7: u64;
  block0: u64;
  block1: u64;
  block2: u64;
  block3: u64;
  block4: u64;
  block5: u64;
  block6: u64;
  block7: u64;
  block8: u64;
  block9: u64;
  block10: u64;
  block11: u64;
  block12: u64;
  block13: u64;
  block14: u64;
  block15: u64;
}

const CHAIN: usize = offsetof<Sha512State>("chain0");
const CHAIN_BYTES: u32 = 64;
const BLOCK: usize = offsetof<Sha512State>("block0");
const ROUND_COUNT: u32 = 80;

// prettier-ignore
const constants: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
  0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
  0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
  0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
  0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
  0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
  0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
  0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
  0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
  0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
  0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
  0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
  0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
], 16);
/** Eight words of state before the first block. */
// prettier-ignore
const initial: usize = memory.data<u64>([
  0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
], 16);
const schedule: usize = memory.data(ROUND_COUNT * sizeof<u64>(), 16);
/** Where a digest is finished, so that the caller's state stays open. */
const finished = changetype<Sha512State>(memory.data(offsetof<Sha512State>(), 16));

export function sha384Start(state: Sha512State): void {
  state.byteCount = 0;
  memory.copy(changetype<usize>(state) + CHAIN, initial, CHAIN_BYTES);
}

export function sha384Update(state: Sha512State, ptr: usize, len: u32): void {
  const block = changetype<usize>(state) + BLOCK;
  const filled = (<u32>state.byteCount) & (SHA384_BLOCK_BYTES - 1);
  state.byteCount += len;
  if (filled != 0) {
    const taken = min(len, SHA384_BLOCK_BYTES - filled);
    memory.copy(block + filled, ptr, taken);
    if (filled + taken < SHA384_BLOCK_BYTES) return;
    compress(state, block);
    ptr += taken;
    len -= taken;
  }
  for (; len >= SHA384_BLOCK_BYTES; len -= SHA384_BLOCK_BYTES) {
    compress(state, ptr);
    ptr += SHA384_BLOCK_BYTES;
  }
  memory.copy(block, ptr, len);
}

/** Writes the digest of what was hashed so far to the SHA384_BYTES bytes at `dest`. */
export function sha384Digest(state: Sha512State, dest: usize): void {
  memory.copy(changetype<usize>(finished), changetype<usize>(state), offsetof<Sha512State>());
  const block = changetype<usize>(finished) + BLOCK;
  // FIPS 180-4 §5.1.2: one bit, zeros, and the length in bits as the block's last sixteen bytes: here the first eight are zero.
  const filled = (<u32>state.byteCount) & (SHA384_BLOCK_BYTES - 1);
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, SHA384_BLOCK_BYTES - filled - 1);
  if (filled + 1 > SHA384_BLOCK_BYTES - 16) {
    compress(finished, block);
    memory.fill(block, 0, SHA384_BLOCK_BYTES);
  }
  store<u64>(block, bswap<u64>(state.byteCount << 3), SHA384_BLOCK_BYTES - 8);
  compress(finished, block);
  const chain = changetype<usize>(finished) + CHAIN;
  for (let offset: u32 = 0; offset < SHA384_BYTES; offset += 8) {
    store<u64>(dest + offset, bswap<u64>(load<u64>(chain + offset)));
  }
  // What was hashed may be a secret, and both hold parts of it.
  memory.fill(changetype<usize>(finished), 0, offsetof<Sha512State>());
  memory.fill(schedule, 0, ROUND_COUNT * sizeof<u64>());
}

/** FIPS 180-4 §6.4.2. */
function compress(state: Sha512State, block: usize): void {
  expand(block);
  const chain = changetype<usize>(state) + CHAIN;
  let a = load<u64>(chain, 0);
  let b = load<u64>(chain, 8);
  let c = load<u64>(chain, 16);
  let d = load<u64>(chain, 24);
  let e = load<u64>(chain, 32);
  let f = load<u64>(chain, 40);
  let g = load<u64>(chain, 48);
  let h = load<u64>(chain, 56);
  for (let offset: usize = 0; offset < ROUND_COUNT * sizeof<u64>(); offset += sizeof<u64>()) {
    const mixed =
      h +
      (rotr(e, 14) ^ rotr(e, 18) ^ rotr(e, 41)) +
      ((e & f) ^ (~e & g)) +
      load<u64>(constants + offset) +
      load<u64>(schedule + offset);
    h = g;
    g = f;
    f = e;
    e = d + mixed;
    const next = mixed + (rotr(a, 28) ^ rotr(a, 34) ^ rotr(a, 39)) + ((a & b) ^ (a & c) ^ (b & c));
    d = c;
    c = b;
    b = a;
    a = next;
  }
  store<u64>(chain, load<u64>(chain, 0) + a, 0);
  store<u64>(chain, load<u64>(chain, 8) + b, 8);
  store<u64>(chain, load<u64>(chain, 16) + c, 16);
  store<u64>(chain, load<u64>(chain, 24) + d, 24);
  store<u64>(chain, load<u64>(chain, 32) + e, 32);
  store<u64>(chain, load<u64>(chain, 40) + f, 40);
  store<u64>(chain, load<u64>(chain, 48) + g, 48);
  store<u64>(chain, load<u64>(chain, 56) + h, 56);
}

/** The message schedule: the block's 16 words, and 64 more made from them. */
function expand(block: usize): void {
  for (let offset: usize = 0; offset < SHA384_BLOCK_BYTES; offset += 8) {
    store<u64>(schedule + offset, bswap<u64>(load<u64>(block + offset)));
  }
  const end = schedule + ROUND_COUNT * sizeof<u64>();
  for (let at = schedule + SHA384_BLOCK_BYTES; at < end; at += 8) {
    const w15 = load<u64>(at - 120);
    const w2 = load<u64>(at - 16);
    const small0 = rotr(w15, 1) ^ rotr(w15, 8) ^ (w15 >> 7);
    const small1 = rotr(w2, 19) ^ rotr(w2, 61) ^ (w2 >> 6);
    store<u64>(at, load<u64>(at - 128) + small0 + load<u64>(at - 56) + small1);
  }
}
