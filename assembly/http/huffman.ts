/**
 * The Huffman code of field strings, RFC 7541 §5.2 and Appendix B; QPACK uses the same one (RFC 9204 §4.1.2).
 *
 * The code is canonical: codes of one length are consecutive in the order of their symbols, so the lengths alone define it,
 * and every table here is derived from them at start.
 *
 *   encoding   one word per byte: the code and its length
 *   decoding   the next 12 bits select an entry that yields one symbol or two; the few codes longer than 12 bits (no letter,
 *              no digit among them) are found by comparing with the last code of each length
 *
 *   decode entry:
 *     31        24 23    20 19   18 17   16 15        8 7         0
 *    +------------+--------+-------+-------+-----------+-----------+
 *    | total bits | bits 1 |       | count | symbol 2  | symbol 1  |     count 0: a longer code
 *    +------------+--------+-------+-------+-----------+-----------+
 *
 * Invariant: reading touches no byte outside of the source, writing at most HUFFMAN_SLACK bytes after what it answers.
 */

/** The code's length by symbol; the last one is EOS. */
// prettier-ignore
const codeLengths: usize = memory.data<u8>([
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
   6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
  13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
  15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]);

const EOS: u32 = 256;
const SYMBOL_COUNT: u32 = 257;
const SHORTEST_CODE: u32 = 5;
const LONGEST_CODE: u32 = 30;
/** Bits that select a decode entry: two of the commonest symbols (5 and 6 bits) always fit. 16 KiB of table. */
const PREFIX_BITS: u32 = 12;
const PREFIX_COUNT: u32 = 1 << PREFIX_BITS;

/** Bytes that may be written after the decoded ones. */
export const HUFFMAN_SLACK: u32 = 1;
/** What `huffmanDecode` answers when the bytes are not the encoding of any string. */
export const HUFFMAN_INVALID: i32 = -1;

/** By symbol: code << 8 | length. */
const codes: usize = memory.data(256 * sizeof<u64>(), 16);
const prefixes: usize = memory.data(PREFIX_COUNT * sizeof<u32>(), 16);
/** By code length: the first 32-bit word, left-aligned, that is beyond the codes of this length. */
const codeEnds: usize = memory.data((LONGEST_CODE + 1) * sizeof<u64>(), 16);
/** By code length: position in `ordered` of code 0 of that length, were it there. */
const codeBases: usize = memory.data((LONGEST_CODE + 1) * sizeof<i32>(), 16);
/** Symbols in the order of their codes. */
const ordered: usize = memory.data(SYMBOL_COUNT * sizeof<u16>(), 16);

/** Derives the tables from the code lengths. Called once, before any other function. */
export function huffmanInitialize(): void {
  let code: u32 = 0;
  let orderedCount: u32 = 0;
  for (let bits: u32 = SHORTEST_CODE; bits <= LONGEST_CODE; bits++) {
    code <<= 1;
    store<i32>(codeBases + (bits << 2), <i32>orderedCount - <i32>code);
    for (let symbol: u32 = 0; symbol < SYMBOL_COUNT; symbol++) {
      if (load<u8>(codeLengths + symbol) != bits) continue;
      store<u16>(ordered + (orderedCount++ << 1), <u16>symbol);
      if (symbol != EOS) store<u64>(codes + (symbol << 3), ((<u64>code) << 8) | bits);
      if (bits <= PREFIX_BITS) setPrefixes(symbol, code, bits);
      code++;
    }
    store<u64>(codeEnds + (bits << 3), (<u64>code) << (32 - bits));
  }
  for (let prefix: u32 = 0; prefix < PREFIX_COUNT; prefix++) pairPrefix(prefix);
}

/** All prefixes that begin with the code get an entry of one symbol. */
function setPrefixes(symbol: u32, code: u32, bits: u32): void {
  const first = code << (PREFIX_BITS - bits);
  const entry = symbol | (1 << 16) | (bits << 20) | (bits << 24);
  for (let i: u32 = 0; i < 1 << (PREFIX_BITS - bits); i++) store<u32>(prefixes + ((first + i) << 2), entry);
}

/** Adds the second symbol where its whole code lies within the prefix too. */
function pairPrefix(prefix: u32): void {
  const entry = load<u32>(prefixes + (prefix << 2));
  if (entry == 0) return;
  const firstBits = (entry >> 20) & 15;
  const next = load<u32>(prefixes + (((prefix << firstBits) & (PREFIX_COUNT - 1)) << 2));
  if (next == 0) return;
  const totalBits = firstBits + ((next >> 20) & 15);
  if (totalBits > PREFIX_BITS) return;
  store<u32>(
    prefixes + (prefix << 2),
    (entry & 0xff) | ((next & 0xff) << 8) | (2 << 16) | (firstBits << 20) | (totalBits << 24),
  );
}

/** The most bytes that `len` encoded bytes decode to, slack included. */
// @ts-ignore: decorator
@inline
export function huffmanRoom(len: u32): u32 {
  return (len << 3) / SHORTEST_CODE + HUFFMAN_SLACK;
}

/**
 * Decodes [src, src + len) to `dest`, where huffmanRoom(len) bytes are free. Answers the count of decoded bytes, or
 * HUFFMAN_INVALID: EOS within the string, more than seven bits of padding, or padding that is not all ones.
 */
export function huffmanDecode(src: usize, len: u32, dest: usize): i32 {
  const end = src + len;
  let out = dest;
  // The next `have` bits, left-aligned. Bits below may already be there: they are the ones that will be loaded next.
  let bits: u64 = 0;
  let have: u32 = 0;
  while (src + 8 <= end) {
    bits |= bswap(load<u64>(src)) >> have;
    src += (63 - have) >> 3;
    have |= 56;
    do {
      const entry = load<u32>(prefixes + <u32>((bits >> (64 - PREFIX_BITS)) << 2));
      if (entry != 0) {
        store<u16>(out, <u16>entry);
        out += (entry >> 16) & 3;
        bits <<= entry >> 24;
        have -= entry >> 24;
      } else {
        if (have < LONGEST_CODE) break;
        const long = longCode(<u32>(bits >> 32));
        if (long == EOS) return HUFFMAN_INVALID;
        store<u8>(out++, <u8>long);
        const used = load<u8>(codeLengths + long);
        bits <<= used;
        have -= used;
      }
    } while (have >= PREFIX_BITS);
  }
  while (true) {
    while (have <= 56 && src < end) {
      bits |= (<u64>load<u8>(src++)) << (56 - have);
      have += 8;
    }
    const entry = load<u32>(prefixes + <u32>((bits >> (64 - PREFIX_BITS)) << 2));
    let used: u32;
    if (entry == 0) {
      const long = longCode(<u32>(bits >> 32));
      used = load<u8>(codeLengths + long);
      if (used > have) break;
      if (long == EOS) return HUFFMAN_INVALID;
      store<u8>(out++, <u8>long);
    } else if (entry >> 24 <= have) {
      used = entry >> 24;
      store<u16>(out, <u16>entry);
      out += (entry >> 16) & 3;
    } else {
      used = (entry >> 20) & 15;
      if (used > have) break;
      store<u8>(out++, <u8>entry);
    }
    bits <<= used;
    have -= used;
  }
  const padding: u64 = (0xff00 >> have) & 0xff;
  if (have > 7 || bits >> 56 != padding) return HUFFMAN_INVALID;
  return <i32>(out - dest);
}

/** The symbol whose code, longer than PREFIX_BITS, begins the left-aligned word. */
function longCode(word: u32): u32 {
  let bits = PREFIX_BITS + 1;
  while (bits < LONGEST_CODE && <u64>word >= load<u64>(codeEnds + (bits << 3))) bits++;
  const position = load<i32>(codeBases + (bits << 2)) + <i32>(word >> (32 - bits));
  return load<u16>(ordered + (position << 1));
}

/**
 * Encodes [src, src + len) to `dest` when that is shorter than the string itself, and answers the count of bytes. Otherwise
 * answers 0; what lies in [dest, dest + len) is then undefined. Nothing beyond is ever written.
 */
export function huffmanEncode(src: usize, len: u32, dest: usize): u32 {
  const end = src + len;
  const last = dest + len;
  let out = dest;
  let bits: u64 = 0;
  let count: u64 = 0;
  while (src < end) {
    const code = load<u64>(codes + ((<usize>load<u8>(src++)) << 3));
    const codeBits = code & 0xff;
    bits = (bits << codeBits) | (code >> 8);
    count += codeBits;
    if (count >= 32) {
      count -= 32;
      if (out + 4 > last) return 0;
      store<u32>(out, bswap(<u32>(bits >> count)));
      out += 4;
    }
  }
  if (out + <usize>((count + 7) >> 3) >= last) return 0;
  while (count >= 8) {
    count -= 8;
    store<u8>(out++, <u8>(bits >> count));
  }
  // RFC 7541 §5.2: padded with the most significant bits of EOS, which are ones.
  if (count != 0) store<u8>(out++, <u8>((bits << (8 - count)) | (0xff >> count)));
  return <u32>(out - dest);
}
