/**
 * SHA-256 (FIPS 180-4 §6.2) over input that arrives in pieces.
 *
 * A state is plain bytes without pointers: `memory.copy` clones it, which is how TLS takes the transcript's hash at several
 * places. Taking a digest leaves the state as it was. Time depends on lengths alone, never on what is hashed.
 *
 * Callers go through hash.ts, which chooses between this and SHA-384.
 */

export const SHA256_BYTES: u32 = 32;
export const SHA256_BLOCK_BYTES: u32 = 64;

/**
 *   0           8        40                  104
 *   ┌───────────┬────────┬────────────────────┐
 *   │ byteCount │ chain  │ block, not yet full │
 *   └───────────┴────────┴────────────────────┘
 */
@unmanaged
export class Sha256State {
  byteCount: u64;
  chain0: u64;
  chain1: u64;
  chain2: u64;
  chain3: u64;
  block0: u64;
  block1: u64;
  block2: u64;
  block3: u64;
  block4: u64;
  block5: u64;
  block6: u64;
  block7: u64;
}

const CHAIN: usize = offsetof<Sha256State>("chain0");
const BLOCK: usize = offsetof<Sha256State>("block0");
const ROUND_COUNT: u32 = 64;

// prettier-ignore
const constants: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16);
/** Eight words of state before the first block. */
// prettier-ignore
const initial: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
], 16);
const schedule: usize = memory.data(ROUND_COUNT * sizeof<u32>(), 16);
/** Where a digest is finished, so that the caller's state stays open. */
const finished = changetype<Sha256State>(memory.data(offsetof<Sha256State>(), 16));

export function sha256Start(state: Sha256State): void {
  state.byteCount = 0;
  memory.copy(changetype<usize>(state) + CHAIN, initial, SHA256_BYTES);
}

export function sha256Update(state: Sha256State, ptr: usize, len: u32): void {
  const block = changetype<usize>(state) + BLOCK;
  const filled = (<u32>state.byteCount) & (SHA256_BLOCK_BYTES - 1);
  state.byteCount += len;
  if (filled != 0) {
    const taken = min(len, SHA256_BLOCK_BYTES - filled);
    memory.copy(block + filled, ptr, taken);
    if (filled + taken < SHA256_BLOCK_BYTES) return;
    compress(state, block);
    ptr += taken;
    len -= taken;
  }
  for (; len >= SHA256_BLOCK_BYTES; len -= SHA256_BLOCK_BYTES) {
    compress(state, ptr);
    ptr += SHA256_BLOCK_BYTES;
  }
  memory.copy(block, ptr, len);
}

/** Writes the digest of what was hashed so far to the SHA256_BYTES bytes at `dest`. */
export function sha256Digest(state: Sha256State, dest: usize): void {
  memory.copy(changetype<usize>(finished), changetype<usize>(state), offsetof<Sha256State>());
  const block = changetype<usize>(finished) + BLOCK;
  // FIPS 180-4 §5.1.1: one bit, zeros, and the length in bits as the block's last eight bytes.
  const filled = (<u32>state.byteCount) & (SHA256_BLOCK_BYTES - 1);
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, SHA256_BLOCK_BYTES - filled - 1);
  if (filled + 1 > SHA256_BLOCK_BYTES - 8) {
    compress(finished, block);
    memory.fill(block, 0, SHA256_BLOCK_BYTES);
  }
  store<u64>(block, bswap<u64>(state.byteCount << 3), SHA256_BLOCK_BYTES - 8);
  compress(finished, block);
  const chain = changetype<usize>(finished) + CHAIN;
  for (let offset: u32 = 0; offset < SHA256_BYTES; offset += 4) {
    store<u32>(dest + offset, bswap<u32>(load<u32>(chain + offset)));
  }
  // What was hashed may be a secret, and both hold parts of it.
  memory.fill(changetype<usize>(finished), 0, offsetof<Sha256State>());
  memory.fill(schedule, 0, ROUND_COUNT * sizeof<u32>());
}

/** FIPS 180-4 §6.2.2. */
function compress(state: Sha256State, block: usize): void {
  expand(block);
  const chain = changetype<usize>(state) + CHAIN;
  let a = load<u32>(chain, 0);
  let b = load<u32>(chain, 4);
  let c = load<u32>(chain, 8);
  let d = load<u32>(chain, 12);
  let e = load<u32>(chain, 16);
  let f = load<u32>(chain, 20);
  let g = load<u32>(chain, 24);
  let h = load<u32>(chain, 28);
  for (let offset: usize = 0; offset < ROUND_COUNT * sizeof<u32>(); offset += sizeof<u32>()) {
    const mixed =
      h +
      (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
      ((e & f) ^ (~e & g)) +
      load<u32>(constants + offset) +
      load<u32>(schedule + offset);
    h = g;
    g = f;
    f = e;
    e = d + mixed;
    const next = mixed + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    d = c;
    c = b;
    b = a;
    a = next;
  }
  store<u32>(chain, load<u32>(chain, 0) + a, 0);
  store<u32>(chain, load<u32>(chain, 4) + b, 4);
  store<u32>(chain, load<u32>(chain, 8) + c, 8);
  store<u32>(chain, load<u32>(chain, 12) + d, 12);
  store<u32>(chain, load<u32>(chain, 16) + e, 16);
  store<u32>(chain, load<u32>(chain, 20) + f, 20);
  store<u32>(chain, load<u32>(chain, 24) + g, 24);
  store<u32>(chain, load<u32>(chain, 28) + h, 28);
}

/** The message schedule: the block's 16 words, and 48 more made from them. */
function expand(block: usize): void {
  for (let offset: usize = 0; offset < SHA256_BLOCK_BYTES; offset += 4) {
    store<u32>(schedule + offset, bswap<u32>(load<u32>(block + offset)));
  }
  const end = schedule + ROUND_COUNT * sizeof<u32>();
  for (let at = schedule + SHA256_BLOCK_BYTES; at < end; at += 4) {
    const w15 = load<u32>(at - 60);
    const w2 = load<u32>(at - 8);
    const small0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    const small1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    store<u32>(at, load<u32>(at - 64) + small0 + load<u32>(at - 28) + small1);
  }
}
