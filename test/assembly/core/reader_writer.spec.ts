/** Structures in and out: round trips, the variable-length integers of RFC 9000 A.1, and every end that comes too early. */

import {
  Reader,
  readerIsExact,
  readerLeft,
  readerOpen,
  readSpan,
  readU16,
  readU24,
  readU32,
  readU64,
  readU8,
  readVarint,
} from "../../../assembly/core/reader.ts";
import {
  VARINT_MAX,
  varintLength,
  writeBytes,
  Writer,
  writerOpen,
  writerRoom,
  writeU16,
  writeU24,
  writeU32,
  writeU64,
  writeU8,
  writeVarint,
  writeVarintOf,
} from "../../../assembly/core/writer.ts";
import { random64, seedRandom } from "./random.ts";

const area: usize = heap.alloc(64);
const reader = changetype<Reader>(heap.alloc(offsetof<Reader>()));
const writer = changetype<Writer>(heap.alloc(offsetof<Writer>()));

function varintOf(hex: string): u64 {
  const len = hex.length >> 1;
  for (let i = 0; i < len; i++) store<u8>(area + i, <u8>parseInt(hex.substr(i << 1, 2), 16));
  readerOpen(reader, area, len);
  return readVarint(reader);
}

describe("reader and writer", () => {
  test("read the samples of RFC 9000 A.1", () => {
    expect(varintOf("c2197c5eff14e88c")).toBe(151288809941952652);
    expect(varintOf("9d7f3e7d")).toBe(494878333);
    expect(varintOf("7bbd")).toBe(15293);
    expect(varintOf("25")).toBe(37);
    expect(varintOf("4025")).toBe(37, "a longer form than needed");
  });

  test("read what was written, in network byte order", () => {
    writerOpen(writer, area, 18);
    writeU8(writer, 0x01);
    writeU16(writer, 0x0203);
    writeU24(writer, 0x040506);
    writeU32(writer, 0x0708090a);
    writeU64(writer, 0x0b0c0d0e0f101112);
    expect(writer.failed).toBe(0);
    expect(writerRoom(writer)).toBe(0);
    for (let i: u8 = 0; i < 18; i++) expect(load<u8>(area + i)).toBe(i + 1);
    readerOpen(reader, area, 18);
    expect(readU8(reader)).toBe(0x01);
    expect(readU16(reader)).toBe(0x0203);
    expect(readU24(reader)).toBe(0x040506);
    expect(readU32(reader)).toBe(0x0708090a);
    expect(readU64(reader)).toBe(0x0b0c0d0e0f101112);
    expect(readerIsExact(reader)).toBe(true);
  });

  test("carry integers of every length around", () => {
    seedRandom(7);
    for (let bits: u64 = 2; bits <= 64; bits++) {
      const value = (random64() >> (64 - min<u64>(bits, 62))) & VARINT_MAX;
      writerOpen(writer, area, 8);
      writeVarint(writer, value);
      const len = <u32>(writer.at - area);
      expect(len).toBe(varintLength(value));
      readerOpen(reader, area, len);
      expect(readVarint(reader)).toBe(value);
      expect(readerIsExact(reader)).toBe(true);
      // No proper prefix is one.
      for (let short: u32 = 0; short < len; short++) {
        readerOpen(reader, area, short);
        expect(readVarint(reader)).toBe(0);
        expect(reader.failed).toBe(1);
      }
    }
  });

  test("write an integer longer than it need be", () => {
    for (let len: u32 = 2; len <= 8; len <<= 1) {
      writerOpen(writer, area, 8);
      writeVarintOf(writer, 37, len);
      expect(writer.at - area).toBe(len);
      readerOpen(reader, area, len);
      expect(readVarint(reader)).toBe(37);
    }
  });

  test("refuse an integer of more than 62 bits", () => {
    writerOpen(writer, area, 64);
    writeVarint(writer, VARINT_MAX);
    expect(writer.failed).toBe(0);
    writeVarint(writer, VARINT_MAX + 1);
    expect(writer.failed).toBe(1);
  });

  test("fail once and for all at the end", () => {
    readerOpen(reader, area, 3);
    expect(readSpan(reader, u64.MAX_VALUE)).toBe(0);
    expect(readerLeft(reader)).toBe(0);
    expect(readU8(reader)).toBe(0);
    expect(reader.failed).toBe(1);
    writerOpen(writer, area, 3);
    writeBytes(writer, area, 4);
    writeU8(writer, 1);
    expect(writer.at).toBe(area);
    expect(writer.failed).toBe(1);
  });

  test("hand out spans in place", () => {
    readerOpen(reader, area, 8);
    expect(readSpan(reader, 5)).toBe(area);
    expect(readSpan(reader, 3)).toBe(area + 5);
    expect(readSpan(reader, 0)).toBe(area + 8);
    expect(reader.failed).toBe(0);
  });
});
