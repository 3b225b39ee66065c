/**
 * SHA-1 (RFC 3174), for `sec-websocket-accept` (RFC 6455 §4.2.2) and nothing else: it proves that the peer understood the
 * handshake, it protects nothing. Do not sign with it.
 *
 * One shot over one range of memory; the input is read in place, and only the last one or two blocks, which carry the padding,
 * are copied. The message schedule is a ring of 16 words, so a block needs 64 bytes of working memory.
 *
 * Not constant in time for the length, and working memory is not wiped: its inputs are public.
 */

export const SHA1_BYTES: u32 = 20;

const BLOCK_BYTES: u32 = 64;
/** The padding: one byte of 0x80, zeros, and the length in bits as eight bytes. */
const PADDING_LEAST_BYTES: u32 = 9;

/** Five words of chaining value. */
const chain: usize = memory.data(SHA1_BYTES, 4);
const schedule: usize = memory.data(BLOCK_BYTES, 16);
const tail: usize = memory.data(2 * BLOCK_BYTES, 16);

/** Writes the digest of [ptr, ptr + len) to the SHA1_BYTES bytes at `dest`. */
export function sha1(dest: usize, ptr: usize, len: u32): void {
  store<u32>(chain, 0x67452301, 0);
  store<u32>(chain, 0xefcdab89, 4);
  store<u32>(chain, 0x98badcfe, 8);
  store<u32>(chain, 0x10325476, 12);
  store<u32>(chain, 0xc3d2e1f0, 16);
  const tailLen = len & (BLOCK_BYTES - 1);
  const tailPtr = ptr + (len - tailLen);
  for (let block = ptr; block < tailPtr; block += BLOCK_BYTES) compress(block);

  const paddedLen = tailLen + PADDING_LEAST_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  memory.fill(tail, 0, paddedLen);
  memory.copy(tail, tailPtr, tailLen);
  store<u8>(tail + tailLen, 0x80);
  store<u64>(tail + paddedLen - 8, bswap((<u64>len) << 3));
  for (let offset: u32 = 0; offset < paddedLen; offset += BLOCK_BYTES) compress(tail + offset);

  for (let offset: u32 = 0; offset < SHA1_BYTES; offset += 4) {
    store<u32>(dest + offset, bswap(load<u32>(chain + offset)));
  }
}

/** RFC 3174 §6.1 with the circular schedule of §6.2. */
function compress(block: usize): void {
  let a = load<u32>(chain, 0);
  let b = load<u32>(chain, 4);
  let c = load<u32>(chain, 8);
  let d = load<u32>(chain, 12);
  let e = load<u32>(chain, 16);
  for (let round: u32 = 0; round < 80; round++) {
    const word = round < 16 ? bswap(load<u32>(block + (round << 2))) : expandedWord(round);
    store<u32>(schedule + ((round & 15) << 2), word);
    let mixed: u32;
    if (round < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (round < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (round < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = rotl(a, 5) + mixed + e + word;
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = next;
  }
  store<u32>(chain, load<u32>(chain, 0) + a, 0);
  store<u32>(chain, load<u32>(chain, 4) + b, 4);
  store<u32>(chain, load<u32>(chain, 8) + c, 8);
  store<u32>(chain, load<u32>(chain, 12) + d, 12);
  store<u32>(chain, load<u32>(chain, 16) + e, 16);
}

/** The word of a round from 16 on, from those 3, 8, 14 and 16 rounds before it. */
// @ts-ignore: decorator
@inline
function expandedWord(round: u32): u32 {
  return rotl(wordAt(round - 3) ^ wordAt(round - 8) ^ wordAt(round - 14) ^ wordAt(round), 1);
}

// @ts-ignore: decorator
@inline
function wordAt(round: u32): u32 {
  return load<u32>(schedule + ((round & 15) << 2));
}
