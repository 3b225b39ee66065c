/** The Huffman code against a twin that reads bit by bit from the codes as the RFC prints them. */

import {
  HUFFMAN_INVALID,
  huffmanDecode,
  huffmanEncode,
  huffmanInitialize,
  huffmanRoom,
} from "../../../assembly/http/huffman.ts";
import { fillRandom, randomBelow, seedRandom } from "../core/random.ts";
import { CODE_LENGTHS, CODES } from "./huffman_codes.ts";

const LONGEST: u32 = 2048;
const EOS: i32 = 256;
const GUARD: u8 = 0xa5;
const source: usize = heap.alloc(LONGEST);
const encoded: usize = heap.alloc(LONGEST * 4 + 8);
const decoded: usize = heap.alloc(huffmanRoom(LONGEST * 4) + 8);
const twinOut: usize = heap.alloc(huffmanRoom(LONGEST * 4));

huffmanInitialize();

/** The symbol with this code, or -1. */
function symbolOf(code: u32, bitCount: u32): i32 {
  for (let symbol = 0; symbol <= EOS; symbol++) {
    if (CODE_LENGTHS[symbol] == bitCount && CODES[symbol] == code) return symbol;
  }
  return -1;
}

/** RFC 7541 §5.2, in the order of its sentences. */
function twinDecode(src: usize, len: u32): i32 {
  let count = 0;
  let code: u32 = 0;
  let bitCount: u32 = 0;
  for (let position: u32 = 0; position < len * 8; position++) {
    code = (code << 1) | ((load<u8>(src + (position >> 3)) >> (<u8>(7 - (position & 7)))) & 1);
    bitCount++;
    if (bitCount > 30) return HUFFMAN_INVALID;
    if (bitCount < 5) continue;
    const symbol = symbolOf(code, bitCount);
    if (symbol == EOS) return HUFFMAN_INVALID;
    if (symbol < 0) continue;
    store<u8>(twinOut + count++, <u8>symbol);
    code = 0;
    bitCount = 0;
  }
  const isPadding = bitCount < 8 && code == (1 << bitCount) - 1;
  return isPadding ? count : HUFFMAN_INVALID;
}

/** Appends codes to `encoded` bit by bit and pads with ones. Answers the count of bytes. */
function twinEncode(len: u32): u32 {
  memory.fill(encoded, 0xff, len << 2);
  let position: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const symbol = load<u8>(source + i);
    for (let bit = CODE_LENGTHS[symbol]; bit-- > 0; position++) {
      const mask = <u8>((<u32>0x80) >> (position & 7));
      const at = encoded + (position >> 3);
      if (((CODES[symbol] >> bit) & 1) == 0) store<u8>(at, load<u8>(at) & ~mask);
    }
  }
  return (position + 7) >> 3;
}

function isSame(a: usize, b: usize, len: i32): bool {
  return len <= 0 || memory.compare(a, b, len) == 0;
}

describe("the Huffman code", () => {
  test("every pair of bytes decodes to itself", () => {
    let faults = 0;
    for (let pair: u32 = 0; pair < 65536; pair++) {
      store<u16>(source, <u16>pair);
      const len = twinEncode(2);
      if (huffmanDecode(encoded, len, decoded) != 2 || load<u16>(decoded) != <u16>pair) faults++;
    }
    expect(faults).toBe(0);
  });

  test("strings of every length and mix decode to themselves", () => {
    seedRandom(1);
    let faults = 0;
    for (let round: u32 = 0; round < 3000; round++) {
      const len = randomBelow(100);
      fillRandom(source, len);
      // Mostly letters and digits, so that long and short codes meet at every bit position.
      const rareness = randomBelow(8);
      for (let i: u32 = 0; i < len; i++) {
        if (randomBelow(8) >= rareness) store<u8>(source + i, <u8>(0x30 + randomBelow(75)));
      }
      const encodedLen = twinEncode(len);
      if (huffmanDecode(encoded, encodedLen, decoded) != <i32>len || !isSame(decoded, source, len)) faults++;
    }
    expect(faults).toBe(0);
  });

  test("any bytes decode as the twin decodes them, or are refused as it refuses them", () => {
    seedRandom(2);
    let faults = 0;
    let accepted = 0;
    for (let round: u32 = 0; round < 4000; round++) {
      const len = randomBelow(24);
      fillRandom(encoded, len);
      // Ones make long codes, EOS and padding likely.
      for (let i: u32 = randomBelow(24); i < len; i++) store<u8>(encoded + i, load<u8>(encoded + i) | 0xfc);
      const want = twinDecode(encoded, len);
      if (huffmanDecode(encoded, len, decoded) != want || !isSame(decoded, twinOut, want)) faults++;
      if (want >= 0) accepted++;
    }
    expect(faults).toBe(0);
    expect(accepted).toBeGreaterThan(200, "nearly all inputs were refused, so decoding was not tested");
  });

  test("EOS and padding of eight bits or of zeros are refused", () => {
    store<u32>(encoded, u32.MAX_VALUE);
    expect(huffmanDecode(encoded, 4, decoded)).toBe(HUFFMAN_INVALID);
    expect(huffmanDecode(encoded, 1, decoded)).toBe(HUFFMAN_INVALID);
    // "a" is 00011, with three bits of padding.
    store<u8>(encoded, 0x1f);
    expect(huffmanDecode(encoded, 1, decoded)).toBe(1);
    store<u8>(encoded, 0x1e);
    expect(huffmanDecode(encoded, 1, decoded)).toBe(HUFFMAN_INVALID);
    store<u16>(encoded, 0xff1f);
    expect(huffmanDecode(encoded, 2, decoded)).toBe(HUFFMAN_INVALID);
    expect(huffmanDecode(encoded, 0, decoded)).toBe(0);
  });

  test("decoding writes no further than the room it asks for", () => {
    let faults = 0;
    for (let len: u32 = 0; len < 64; len++) {
      // Zeros are the shortest codes: the most bytes there can be.
      memory.fill(encoded, 0, len);
      memory.fill(decoded, GUARD, huffmanRoom(len) + 8);
      huffmanDecode(encoded, len, decoded);
      for (let i: u32 = 0; i < 8; i++) if (load<u8>(decoded + huffmanRoom(len) + i) != GUARD) faults++;
    }
    expect(faults).toBe(0);
  });

  test("encoding gives the RFC's bits where they are fewer, and nothing elsewhere, within the string's length", () => {
    seedRandom(3);
    let faults = 0;
    let shorter = 0;
    for (let round: u32 = 0; round < 5000; round++) {
      const len = randomBelow(60);
      for (let i: u32 = 0; i < len; i++) {
        const isRare = randomBelow(100) < round % 40;
        store<u8>(source + i, <u8>(isRare ? randomBelow(256) : 0x61 + randomBelow(26)));
      }
      memory.fill(decoded, GUARD, len + 8);
      const encodedLen = huffmanEncode(source, len, decoded);
      const wantLen = twinEncode(len);
      if (encodedLen != (wantLen < len ? wantLen : 0)) faults++;
      if (encodedLen != 0 && !isSame(decoded, encoded, encodedLen)) faults++;
      for (let i: u32 = 0; i < 8; i++) if (load<u8>(decoded + len + i) != GUARD) faults++;
      if (encodedLen != 0) shorter++;
    }
    expect(faults).toBe(0);
    expect(shorter).toBeGreaterThan(1000, "hardly any string became shorter");
  });
});
