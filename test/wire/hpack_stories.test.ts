// The stories of hpack-test-case: header lists of real traffic, and what nghttp2 made of them.
//
// Every block nghttp2 wrote is decoded exactly, through three ways of choosing the table's size, and the raw lists are
// encoded by our encoder, decoded by our decoder, and compared in size with nghttp2's. The rooms are compiled into a module
// of their own (test/assembly/hpack/stories_entry.ts), since the engine has no door that takes a header block.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { compileEntry } from "./compile_entry.ts";

const root = resolve(import.meta.dirname, "../..");
const storiesDir = resolve(root, "../shared/data/hpack-test-case");
const entry = "test/assembly/hpack/stories_entry.ts";
/** SETTINGS_HEADER_TABLE_SIZE before the first case says otherwise. */
const defaultTableSize = 4096;
/** The most our encoder may write, as a multiple of nghttp2's total. */
const sizeBar = 1.02;
const recordLanes = 4;
const entryHeaderBytes = 8;

interface StoryCase {
  headers: Record<string, string>[];
  wire?: string;
  header_table_size?: number;
}

interface StoryDoors {
  memory: WebAssembly.Memory;
  initialize(): void;
  bufferPtr(): number;
  outputPtr(): number;
  bytesInUse(): number;
  openDecoder(maxSize: number): void;
  limitDecoder(maxSize: number): void;
  closeDecoder(): void;
  decode(len: number): number;
  recordsPtr(): number;
  bytesPtr(): number;
  numberedNamePtr(nameId: number): number;
  numberedNameLen(nameId: number): number;
  openEncoder(): void;
  limitEncoder(maxSize: number): void;
  closeEncoder(): void;
  encode(len: number): number;
}

type Field = [name: string, value: string];

const hasStories = existsSync(storiesDir);
if (!hasStories) process.stdout.write("hpack stories: left out, no ../shared/data/hpack-test-case\n");

let doors: StoryDoors;

function readCases(variant: string, file: string): StoryCase[] {
  return (JSON.parse(readFileSync(join(storiesDir, variant, file), "utf8")) as { cases: StoryCase[] }).cases;
}

function storyFiles(variant: string): string[] {
  const names = readdirSync(join(storiesDir, variant));
  return names.filter((name) => name.endsWith(".json")).sort();
}

function fieldsOf({ headers }: StoryCase): Field[] {
  return headers.map((header) => Object.entries(header)[0]!);
}

/** The fields of the section decoded last. */
function decodedFields(count: number): Field[] {
  const records = new Uint32Array(doors.memory.buffer, doors.recordsPtr(), count * recordLanes);
  const bytesPtr = doors.bytesPtr();
  const text = (ptr: number, len: number) => Buffer.from(doors.memory.buffer, ptr, len).toString("utf8");
  return Array.from({ length: count }, (_, index) => {
    const [name, nameOffset, valueOffset, valueLen] = records.subarray(index * recordLanes);
    const nameId = name! & 0xffff;
    const nameText =
      nameId === 0
        ? text(bytesPtr + nameOffset!, name! >>> 16)
        : text(doors.numberedNamePtr(nameId), doors.numberedNameLen(nameId));
    return [nameText, text(bytesPtr + valueOffset!, valueLen!)];
  });
}

/** A field block (abi/layout.ts) with every name spelled out. */
function fieldBlock(fields: Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => {
      const header = Buffer.alloc(entryHeaderBytes);
      header.writeUInt16LE(Buffer.byteLength(name), 2);
      header.writeUInt32LE(Buffer.byteLength(value), 4);
      return [header, Buffer.from(name), Buffer.from(value)];
    }),
  );
}

function decode(wire: Uint8Array): Field[] {
  new Uint8Array(doors.memory.buffer).set(wire, doors.bufferPtr());
  const count = doors.decode(wire.length);
  if (count < 0) throw new Error(`the decoder answered ${count}`);
  return decodedFields(count);
}

function encode(fields: Field[]): Uint8Array {
  const block = fieldBlock(fields);
  new Uint8Array(doors.memory.buffer).set(block, doors.bufferPtr());
  const len = doors.encode(block.length);
  if (len < 0) throw new Error(`the encoder answered ${len}`);
  return new Uint8Array(doors.memory.buffer).slice(doors.outputPtr(), doors.outputPtr() + len);
}

/** `expect` alone is slow for ten thousand lists: it is asked only where two differ. */
function expectFields(actual: Field[], wanted: Field[], where: string): void {
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, where).toEqual(wanted);
}

describe.skipIf(!hasStories)("the HPACK stories", () => {
  beforeAll(async () => {
    doors = await compileEntry<StoryDoors>(entry);
    doors.initialize();
  });

  test.each(["nghttp2", "nghttp2-16384-4096", "nghttp2-change-table-size"])(
    "%s decode exactly",
    (variant) => {
      let caseCount = 0;
      for (const file of storyFiles(variant)) {
        doors.openDecoder(defaultTableSize);
        for (const [seqno, storyCase] of readCases(variant, file).entries()) {
          if (storyCase.header_table_size !== undefined) doors.limitDecoder(storyCase.header_table_size);
          const fields = decode(Buffer.from(storyCase.wire!, "hex"));
          expectFields(fields, fieldsOf(storyCase), `${file} case ${seqno}`);
          caseCount++;
        }
        doors.closeDecoder();
        expect(doors.bytesInUse(), file).toBe(0);
      }
      expect(caseCount).toBeGreaterThan(3000);
    },
  );

  test("encode to no more than 1.02 times the size of nghttp2's, and decode to themselves", () => {
    let ours = 0;
    let theirs = 0;
    for (const file of storyFiles("raw-data")) {
      doors.openEncoder();
      doors.openDecoder(defaultTableSize);
      const references = readCases("nghttp2", file);
      for (const [seqno, storyCase] of readCases("raw-data", file).entries()) {
        const wire = encode(fieldsOf(storyCase));
        expectFields(decode(wire), fieldsOf(storyCase), `${file} case ${seqno}`);
        ours += wire.length;
        theirs += references[seqno]!.wire!.length / 2;
      }
      doors.closeEncoder();
      doors.closeDecoder();
      expect(doors.bytesInUse(), file).toBe(0);
    }
    expect(theirs).toBeGreaterThan(300_000);
    expect(ours / theirs).toBeLessThanOrEqual(sizeBar);
  });

  test("encode and decode through the table sizes of the peer's settings", () => {
    const variant = "nghttp2-change-table-size";
    for (const file of storyFiles(variant)) {
      doors.openEncoder();
      doors.openDecoder(defaultTableSize);
      for (const [seqno, storyCase] of readCases(variant, file).entries()) {
        if (storyCase.header_table_size !== undefined) {
          doors.limitEncoder(storyCase.header_table_size);
          doors.limitDecoder(storyCase.header_table_size);
        }
        const fields = fieldsOf(storyCase);
        expectFields(decode(encode(fields)), fields, `${file} case ${seqno}`);
      }
      doors.closeEncoder();
      doors.closeDecoder();
    }
  });
});
