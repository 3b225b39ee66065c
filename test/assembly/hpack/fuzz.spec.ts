/**
 * Seeded noise through decoder and encoder: nothing traps, statuses are known ones, the table keeps its invariant, and memory
 * comes back, also when the slab is nearly full.
 */

import { Status } from "../../../assembly/abi/status.ts";
import { slabAllocate, slabBytesInUse, slabFree } from "../../../assembly/core/slab.ts";
import {
  HpackDecoder,
  hpackDecoderFree,
  hpackDecoderInitialize,
  hpackDecoderLimit,
} from "../../../assembly/hpack/decoder.ts";
import { DynamicTable, tableEntry } from "../../../assembly/http/dynamic_table.ts";
import {
  HpackEncoder,
  hpackEncodeBegin,
  hpackEncodeDate,
  hpackEncodeEnd,
  hpackEncodeField,
  hpackEncoderFree,
  hpackEncoderInitialize,
  hpackEncoderLimit,
} from "../../../assembly/hpack/encoder.ts";
import { fillRandom, randomBelow, seedRandom } from "../core/random.ts";
import { block, decodeBlock, sectionText, setUp, tableText, textOf } from "./blocks.ts";

const ROUNDS: u32 = 6000;
const FIELD_COUNT: u32 = 12;
const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));
const encoder = changetype<HpackEncoder>(heap.alloc(offsetof<HpackEncoder>()));
const name: usize = heap.alloc(256);
const value: usize = heap.alloc(1024);

function isTableRight(table: DynamicTable): bool {
  let size: u32 = 0;
  let bytesLive: u32 = 0;
  for (let i: u32 = 0; i < table.count; i++) {
    const entry = tableEntry(table, i);
    size += <u32>entry.nameLen + entry.valueLen + 32;
    bytesLive += entry.storedNameLen + entry.valueLen;
  }
  return size == table.size && size <= table.maxSize && bytesLive == table.bytesLive;
}

/** Lays a block that is mostly well formed: representations with small indices and short strings. */
function placeLikely(): u32 {
  let len: u32 = 0;
  const count: u32 = randomBelow(20) + 1;
  for (let i: u32 = 0; i < count; i++) {
    const kind = randomBelow(10);
    if (kind < 3) {
      store<u8>(block + len++, <u8>(0x80 | (1 + randomBelow(75))));
      continue;
    }
    if (kind == 3 && randomBelow(4) == 0) {
      store<u8>(block + len++, <u8>(0x20 | randomBelow(31)));
      continue;
    }
    const isIndexed = kind < 8;
    const nameIndex = randomBelow(3) == 0 ? 0 : randomBelow(isIndexed ? 63 : 15);
    store<u8>(block + len++, <u8>((isIndexed ? 0x40 : 0) | nameIndex));
    if (nameIndex == 0) len += placeString(len);
    len += placeString(len);
  }
  return len;
}

function placeString(at: u32): u32 {
  const len = randomBelow(randomBelow(10) == 0 ? 120 : 12);
  store<u8>(block + at, <u8>len);
  fillRandom(block + at + 1, len);
  // All ones is padding alone only in one byte; zeros and a last byte of 0x1f or 0x07 end whole codes now and then.
  if (len > 0 && randomBelow(3) == 0) {
    store<u8>(block + at, <u8>(0x80 | len));
    memory.fill(block + at + 1, 0x18, len);
    store<u8>(block + at + len, 0xff);
  }
  return len + 1;
}

/**
 * Decodes ROUNDS blocks, each connection until its first error. Answers the count of faults, or less than 0 when fewer than
 * `leastSections` sections were complete.
 */
function fuzzDecoder(leastSections: i32): i32 {
  let faults = 0;
  let sections = 0;
  hpackDecoderInitialize(decoder, 4096);
  for (let round: u32 = 0; round < ROUNDS; round++) {
    let len: u32;
    if (randomBelow(4) == 0) {
      len = randomBelow(200);
      fillRandom(block, len);
    } else {
      len = placeLikely();
    }
    const status = decodeBlock(decoder, len, 16, 1000);
    if (!isTableRight(decoder)) faults++;
    if (status >= 0) sections++;
    if (status >= 0 || status == -410 || status == -411) {
      if (randomBelow(20) == 0) hpackDecoderLimit(decoder, randomBelow(8192));
      continue;
    }
    if (status != Status.MEMORY_FULL && (status > -400 || status < -408)) faults++;
    hpackDecoderFree(decoder);
    hpackDecoderInitialize(decoder, randomBelow(2) == 0 ? 4096 : randomBelow(16384));
  }
  hpackDecoderFree(decoder);
  return sections < leastSections ? sections - leastSections : faults;
}

describe("HPACK under noise", () => {
  test("the decoder neither traps nor loses count", () => {
    setUp();
    seedRandom(1);
    expect(fuzzDecoder(500)).toBe(0);
    expect(slabBytesInUse()).toBe(0);
  });

  test("nor does it when the slab is nearly full", () => {
    setUp();
    seedRandom(2);
    let held: usize = 0;
    for (let taken = slabAllocate(256); taken != 0; taken = slabAllocate(256)) {
      store<usize>(taken, held);
      held = taken;
    }
    // A few blocks of the size of small tables are left.
    for (let i = 0; i < 2; i++) {
      const next = load<usize>(held);
      slabFree(held);
      held = next;
    }
    const before = slabBytesInUse();
    expect(fuzzDecoder(100)).toBe(0);
    expect(slabBytesInUse()).toBe(before);
  });

  test("what the encoder writes decodes to the same fields, through any sizes and given-up blocks", () => {
    setUp();
    seedRandom(3);
    let faults = 0;
    hpackDecoderInitialize(decoder, 4096);
    hpackEncoderInitialize(encoder);
    for (let round = 0; round < 3000; round++) {
      if (randomBelow(30) == 0) {
        const limit = randomBelow(3) == 0 ? 4096 : randomBelow(600);
        hpackEncoderLimit(encoder, limit);
        hpackDecoderLimit(decoder, limit);
      }
      const isTight = randomBelow(10) == 0;
      hpackEncodeBegin(encoder, block, isTight ? randomBelow(300) : 8192);
      let want = "";
      const count = randomBelow(FIELD_COUNT);
      for (let i: u32 = 0; i < count; i++) want += encodeRandomField();
      const len = hpackEncodeEnd();
      if (len < 0) {
        if (!isTight) faults++;
        continue;
      }
      const status = decodeBlock(decoder, len);
      if (status != <i32>count || sectionText() != want || tableText(encoder) != tableText(decoder)) faults++;
    }
    expect(faults).toBe(0);
    hpackDecoderFree(decoder);
    hpackEncoderFree(encoder);
    expect(slabBytesInUse()).toBe(0);
  });
});

/** Encodes a field out of a small world, so that names and values come again. Answers its line. */
function encodeRandomField(): string {
  const nameLen: u32 = randomBelow(3) + 1;
  memory.fill(name, <u8>(0x61 + randomBelow(12)), nameLen);
  if (randomBelow(6) == 0) {
    memory.fill(value, 0x64, 29);
    hpackEncodeDate(randomBelow(2), value);
    return "date: " + "d".repeat(29) + "\n";
  }
  const valueLen = randomBelow(20) == 0 ? randomBelow(900) : randomBelow(6);
  memory.fill(value, <u8>(0x61 + randomBelow(26)), valueLen);
  hpackEncodeField(0, name, nameLen, value, valueLen);
  return textOf(name, nameLen) + ": " + textOf(value, valueLen) + "\n";
}
