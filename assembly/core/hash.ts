/**
 * The keyed hash of every table whose keys a peer chooses: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF"), 64 bits folded to 32.
 *
 * The key comes from the host's entropy at start. Without it a peer could choose names that all fall into one bucket and
 * turn every lookup into a walk (hash flooding, CVE-2011-4815). One compression round and three final ones are what Rust and
 * Python ship for the same purpose; for anything but a hash table use the MACs of the crypto room.
 */

let key0: u64 = 0;
let key1: u64 = 0;

/** Sets the key. Hashes taken before no longer match. */
export function hashInitialize(k0: u64, k1: u64): void {
  key0 = k0;
  key1 = k1;
}

/** Hashes [ptr, ptr + len). */
export function hashBytes(ptr: usize, len: u32): u32 {
  const hash = sipHash13(ptr, len);
  return <u32>(hash ^ (hash >> 32));
}

/** The whole 64-bit hash. */
export function sipHash13(ptr: usize, len: u32): u64 {
  let v0 = key0 ^ 0x736f6d6570736575;
  let v1 = key1 ^ 0x646f72616e646f6d;
  let v2 = key0 ^ 0x6c7967656e657261;
  let v3 = key1 ^ 0x7465646279746573;
  const wordCount = len >> 3;
  const wordsEnd = ptr + (wordCount << 3);
  // One round for each whole word, one for the last and partial word, and three to finish, in which the word is 0.
  for (let round: u32 = 0; round < wordCount + 4; round++) {
    let word: u64 = 0;
    if (round < wordCount) word = load<u64>(ptr + (round << 3));
    else if (round == wordCount) word = lastWord(wordsEnd, len);
    else if (round == wordCount + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 += v1;
    v1 = rotl(v1, 13) ^ v0;
    v0 = rotl(v0, 32);
    v2 += v3;
    v3 = rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl(v1, 17) ^ v2;
    v2 = rotl(v2, 32);
    v0 ^= word;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The bytes that fill no word, with the length in the top byte. */
function lastWord(ptr: usize, len: u32): u64 {
  let word = (<u64>len) << 56;
  const rest = len & 7;
  for (let index: u32 = 0; index < rest; index++) word |= (<u64>load<u8>(ptr + index)) << (index << 3);
  return word;
}
