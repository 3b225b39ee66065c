/** The decoder where peers are wrong or hostile: each refusal by its cause, and the table right after every refused section. */

import { Status } from "../../../assembly/abi/status.ts";
import { slabAllocate, slabBytesInUse } from "../../../assembly/core/slab.ts";
import { FieldSectionStatus } from "../../../assembly/http/field_section.ts";
import {
  HpackDecoder,
  hpackDecoderFree,
  hpackDecoderInitialize,
  hpackDecoderLimit,
} from "../../../assembly/hpack/decoder.ts";
import { HpackStatus } from "../../../assembly/hpack/hpack_status.ts";
import { block, BLOCK_BYTES, decodeBlock, placeHex, sectionText, setUp, tableText } from "./blocks.ts";

const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));

function decodeHex(hex: string): i32 {
  return decodeBlock(decoder, placeHex(hex));
}

/** Lays a literal with indexing whose raw name and value are runs of one letter. Answers its length. */
function placeLiteral(at: usize, nameLen: u32, valueLen: u32): u32 {
  const start = at;
  store<u8>(at++, 0x40);
  at = placeRun(at, nameLen, 0x6e);
  at = placeRun(at, valueLen, 0x76);
  return <u32>(at - start);
}

function placeRun(at: usize, len: u32, byte: u8): usize {
  // Two groups after the prefix hold every length used here.
  store<u8>(at, 0x7f);
  store<u8>(at + 1, <u8>(((len - 127) & 0x7f) | 0x80));
  store<u8>(at + 2, <u8>((len - 127) >> 7));
  memory.fill(at + 3, byte, len);
  return at + 3 + len;
}

describe("the decoder", () => {
  beforeEach(() => {
    setUp();
    hpackDecoderInitialize(decoder, 4096);
  });
  afterEach(() => {
    hpackDecoderFree(decoder);
  });

  test("holds no memory before the first insertion and none after it is freed", () => {
    decodeHex("82 84 86");
    expect(slabBytesInUse()).toBe(0);
    decodeHex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    expect(slabBytesInUse()).toBe(64 + 128);
    hpackDecoderFree(decoder);
    expect(slabBytesInUse()).toBe(0);
  });

  test("gives back the table's memory when its size becomes zero", () => {
    decodeHex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    expect(decodeHex("20")).toBe(0);
    expect(slabBytesInUse()).toBe(0);
  });

  test("takes an empty block as an empty section", () => {
    expect(decodeHex("")).toBe(0);
  });

  test("refuses a block cut within a representation at every byte", () => {
    const len = placeHex(
      "4803333032 400a637573746f6d2d6b65790c637573746f6d2d76616c7565 6196d07abe941054d444a8200595040b8166e084a62d1bff",
    );
    const ends: StaticArray<u32> = [0, 5, 30, 54];
    let faults = 0;
    for (let cut: u32 = 0; cut < len; cut++) {
      hpackDecoderInitialize(decoder, 4096);
      const status = decodeBlock(decoder, cut);
      const isBoundary = ends.includes(cut);
      if (isBoundary ? status < 0 : status != HpackStatus.TRUNCATED) faults++;
      hpackDecoderFree(decoder);
    }
    expect(faults).toBe(0);
    expect(len).toBe(54);
  });

  test("refuses index 0 and indices beyond the tables, in every representation", () => {
    expect(decodeHex("80")).toBe(HpackStatus.INDEX);
    expect(decodeHex("be")).toBe(HpackStatus.INDEX);
    expect(decodeHex("ff00")).toBe(HpackStatus.INDEX);
    expect(decodeHex("ffffffff07")).toBe(HpackStatus.INDEX);
    expect(decodeHex("7e0161")).toBe(HpackStatus.INDEX);
    expect(decodeHex("0f2f0161")).toBe(HpackStatus.INDEX);
    expect(decodeHex("1f2f0161")).toBe(HpackStatus.INDEX);
  });

  test("finds the last entry of the dynamic table and nothing after it", () => {
    decodeHex("4001610131 4001620132");
    expect(decodeHex("bf")).toBe(1);
    expect(sectionText()).toBe("a: 1\n");
    expect(decodeHex("c0")).toBe(HpackStatus.INDEX);
  });

  test("refuses integers without end or beyond need, wherever they stand", () => {
    expect(decodeHex("ff808080808080808080808001")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("ffffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("7fffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("0fffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("3fffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("007fffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("0001617fffffffffff0f")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("ff80808080")).toBe(HpackStatus.INTEGER);
    expect(decodeHex("ff808080")).toBe(HpackStatus.TRUNCATED);
  });

  test("refuses a string longer than what is left, however long it claims to be", () => {
    expect(decodeHex("0001617fffffff7f")).toBe(HpackStatus.TRUNCATED);
    expect(decodeHex("000161ffffffff7f61")).toBe(HpackStatus.TRUNCATED);
    expect(decodeHex("000161026161")).toBe(1);
    expect(decodeHex("0001610361 61")).toBe(HpackStatus.TRUNCATED);
  });

  test("refuses Huffman strings with EOS or wrong padding in name and value", () => {
    expect(decodeHex("0084ffffffff 0161")).toBe(HpackStatus.HUFFMAN);
    expect(decodeHex("000161 84ffffffff")).toBe(HpackStatus.HUFFMAN);
    expect(decodeHex("000161 811e")).toBe(HpackStatus.HUFFMAN);
    expect(decodeHex("000161 821fff")).toBe(HpackStatus.HUFFMAN);
    expect(decodeHex("000161 811f")).toBe(1);
  });

  test("refuses a size update above the limit or after a field", () => {
    expect(decodeHex("3fe11f")).toBe(0);
    expect(decodeHex("3fe21f")).toBe(HpackStatus.TABLE_SIZE);
    expect(decodeHex("8220")).toBe(HpackStatus.TABLE_SIZE_MISPLACED);
    expect(decodeHex("203fe11f20")).toBe(0);
  });

  test("demands a size update after the limit was lowered below the size in use, and the smallest first", () => {
    hpackDecoderLimit(decoder, 1000);
    expect(decodeHex("82")).toBe(HpackStatus.TABLE_SIZE_MISSING);
    hpackDecoderLimit(decoder, 100);
    hpackDecoderLimit(decoder, 2000);
    expect(decodeHex("3fb10f82")).toBe(HpackStatus.TABLE_SIZE_MISSING);
    expect(decodeHex("3f45 3fb10f 82")).toBe(1);
    expect(decodeHex("82")).toBe(1);
  });

  test("demands nothing when the limit was raised, or lowered to no less than the size in use", () => {
    hpackDecoderLimit(decoder, 16384);
    expect(decodeHex("82")).toBe(1);
    hpackDecoderLimit(decoder, 4096);
    expect(decodeHex("82")).toBe(1);
    expect(decodeHex("3fe21f82")).toBe(HpackStatus.TABLE_SIZE);
  });

  test("empties the table for an entry larger than it, without an error", () => {
    decodeHex("4001610131");
    const len = placeLiteral(block, 200, 4000);
    expect(decodeBlock(decoder, len)).toBe(1);
    expect(tableText(decoder)).toBe("size 0");
    expect(decodeHex("be")).toBe(HpackStatus.INDEX);
  });

  test("takes a name out of the very entry that the insertion evicts", () => {
    hpackDecoderInitialize(decoder, 64);
    decodeHex("4004 6e616d65 08 3132333435363738");
    expect(tableText(decoder)).toBe("name: 12345678\nsize 44");
    expect(decodeHex("7e 09 313233343536373839")).toBe(1);
    expect(sectionText()).toBe("name: 123456789\n");
    expect(tableText(decoder)).toBe("name: 123456789\nsize 45");
  });

  test("keeps the table right through a section that goes over its limits", () => {
    const hex =
      "4001610131 4803333032 6196d07abe941054d444a8200595040b8166e084a62d1bff 4088 25a849e95ba97d7f 8925a849e95bb8e8b4bf 7f00 0133";
    expect(decodeHex(hex)).toBe(5);
    const want = tableText(decoder);
    for (let maxCount: u32 = 0; maxCount < 5; maxCount++) {
      hpackDecoderFree(decoder);
      hpackDecoderInitialize(decoder, 4096);
      expect(decodeBlock(decoder, placeHex(hex), maxCount)).toBe(FieldSectionStatus.TOO_MANY_FIELDS);
      expect(tableText(decoder)).toBe(want);
    }
    for (let maxSize: u32 = 0; maxSize < 200; maxSize += 30) {
      hpackDecoderFree(decoder);
      hpackDecoderInitialize(decoder, 4096);
      expect(decodeBlock(decoder, placeHex(hex), 100, maxSize)).toBe(FieldSectionStatus.TOO_LARGE);
      expect(tableText(decoder)).toBe(want);
    }
    expect(decodeHex("c1")).toBe(1);
  });

  test("still finds errors after a section went over its limits", () => {
    expect(decodeBlock(decoder, placeHex("828282 80"), 1)).toBe(HpackStatus.INDEX);
    expect(decodeBlock(decoder, placeHex("828282 00016184ffffffff"), 1)).toBe(HpackStatus.HUFFMAN);
  });

  test("bomb: an entry of 4 KB referenced 16,000 times stores no more than the limit", () => {
    const len = placeLiteral(block, 200, 3800);
    memory.fill(block + len, 0xbe, 16000);
    expect(decodeBlock(decoder, len + 16000, 1000, 32768)).toBe(FieldSectionStatus.TOO_LARGE);
    expect(decodeHex("be")).toBe(1);
  });

  test("bomb: thousands of indices of tiny fields are counted before they are stored", () => {
    decodeHex("4001610131");
    memory.fill(block, 0xbe, 60000);
    expect(decodeBlock(decoder, 60000, 128, 32768)).toBe(FieldSectionStatus.TOO_MANY_FIELDS);
    memory.fill(block, 0x82, 60000);
    expect(decodeBlock(decoder, 60000, 128, 32768)).toBe(FieldSectionStatus.TOO_MANY_FIELDS);
  });

  test("bomb: long names repeated out of the table end the connection once they cost too much", () => {
    const len = placeLiteral(block, 3800, 128);
    const repetition = placeHex("7e00", block + len);
    for (let i = 1; i < 15; i++) memory.copy(block + len + i * repetition, block + len, repetition);
    // Ten copies make the section too large; the others are within what the decoder does for the table's sake.
    expect(decodeBlock(decoder, len + 15 * repetition, 1000, 32768)).toBe(FieldSectionStatus.TOO_LARGE);
    hpackDecoderFree(decoder);
    hpackDecoderInitialize(decoder, 4096);
    for (let i = 1; i < 30; i++) memory.copy(block + len + i * repetition, block + len, repetition);
    expect(decodeBlock(decoder, len + 30 * repetition, 1000, 32768)).toBe(HpackStatus.EXPANSION);
  });

  test("refuses a block longer than its room, whatever it holds", () => {
    expect(decodeBlock(decoder, BLOCK_BYTES + 1)).toBe(HpackStatus.BLOCK_TOO_LONG);
  });

  test("decodes the largest block of the longest strings", () => {
    // One literal name of zeros: the shortest code, so the longest string there can be.
    store<u8>(block, 0);
    store<u8>(block + 1, 0xff);
    const len: u32 = BLOCK_BYTES - 6;
    const rest = len - 127;
    store<u8>(block + 2, <u8>(rest | 0x80));
    store<u8>(block + 3, <u8>((rest >> 7) | 0x80));
    store<u8>(block + 4, <u8>(rest >> 14));
    memory.fill(block + 5, 0, len);
    store<u8>(block + 5 + len, 0);
    // 8 × 65530 bits are a multiple of five: no padding.
    expect(decodeBlock(decoder, BLOCK_BYTES)).toBe(FieldSectionStatus.TOO_LARGE);
  });

  test("answers MEMORY_FULL when the slab cannot hold the table", () => {
    while (slabAllocate(64) != 0) continue;
    expect(decodeHex("4001610131")).toBe(Status.MEMORY_FULL);
    expect(decodeHex("828684")).toBe(3);
  });
});
