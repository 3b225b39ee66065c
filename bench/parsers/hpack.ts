/*
 * Two decoders of HPACK behind one shape: the engine's, compiled into a module of its own since the engine has no door
 * for a field block alone, and the npm package hpack.js.
 *
 * A story is the blocks of one connection: each is decoded with the table that those before it left. Both sides count the
 * fields. hpack.js makes strings, as it has no other form; the engine leaves records, which are read as spans.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import * as asc from "assemblyscript/asc";
import { benchFolder, projectRoot } from "../paths.ts";
import { BenchError } from "../suite.ts";

/** Decodes the blocks of one connection and returns how many fields they held. */
export type StoryDecoder = (blocks: Uint8Array[]) => number;

const TABLE_SIZE = 4096;
const RECORD_LANES = 4;
/** The longest section of the stories, in numbers, many times over. */
const SPAN_NUMBERS = 8192;
const ENTRY = "test/assembly/hpack/stories_entry.ts";

interface StoryDoors {
  memory: WebAssembly.Memory;
  initialize(): void;
  bufferPtr(): number;
  openDecoder(maxSize: number): void;
  closeDecoder(): void;
  decode(len: number): number;
  recordsPtr(): number;
  openEncoder(): void;
  closeEncoder(): void;
  encode(len: number): number;
}

/** A section as name and value, in order. */
export type Fields = (readonly [name: string, value: string])[];
/** Encodes the sections of one connection and returns how many bytes they became. */
export type StoryEncoder = (sections: Fields[]) => number;

const ENTRY_HEADER_BYTES = 8;

export async function createEngineEncoder(): Promise<StoryEncoder> {
  const doors = await compileDoors();
  doors.initialize();
  const input = new Uint8Array(doors.memory.buffer, doors.bufferPtr());
  return (sections) => {
    let byteCount = 0;
    doors.openEncoder();
    for (const fields of sections) {
      const block = fieldBlock(fields);
      input.set(block);
      const length = doors.encode(block.length);
      if (length < 0) throw new BenchError(`the engine did not encode a section: status ${length}`);
      byteCount += length;
    }
    doors.closeEncoder();
    return byteCount;
  };
}

/** Fields as the engine takes them (docs/abi.md): each with the lengths of its name and value before it. */
function fieldBlock(fields: Fields): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => {
      const header = Buffer.alloc(ENTRY_HEADER_BYTES);
      header.writeUInt16LE(Buffer.byteLength(name), 2);
      header.writeUInt32LE(Buffer.byteLength(value), 4);
      return [header, Buffer.from(name), Buffer.from(value)];
    }),
  );
}

export async function createEngineDecoder(): Promise<StoryDecoder> {
  const doors = await compileDoors();
  doors.initialize();
  const { buffer } = doors.memory;
  const input = new Uint8Array(buffer, doors.bufferPtr());
  const words = new Uint32Array(buffer);
  const spans = new Uint32Array(SPAN_NUMBERS);
  return (blocks) => {
    let fieldCount = 0;
    doors.openDecoder(TABLE_SIZE);
    for (const block of blocks) {
      input.set(block);
      const count = doors.decode(block.length);
      if (count < 0) throw new BenchError(`the engine refused a block with status ${count}`);
      const at = doors.recordsPtr() >>> 2;
      for (let i = 0; i < count * RECORD_LANES; i++) spans[i] = words[at + i] as number;
      fieldCount += count;
    }
    doors.closeDecoder();
    return fieldCount;
  };
}

/** Compiles the entry with the options of the release module; asconfig.json itself would add the engine's entry. */
async function compileDoors(): Promise<StoryDoors> {
  let module: Uint8Array<ArrayBuffer> | undefined;
  const places = ["--config", "none.json", "--baseDir", projectRoot, "--outFile", "stories.wasm"];
  const options = [
    "-O3",
    "--converge",
    "--noAssert",
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--use",
    "abort=",
  ];
  const { error } = await asc.main([ENTRY, ...places, ...options], {
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== "string") module = Uint8Array.from(contents);
    },
  });
  if (error || !module) throw new BenchError(`compiling ${ENTRY}: ${error?.message ?? "no module"}`);
  return new WebAssembly.Instance(new WebAssembly.Module(module)).exports as unknown as StoryDoors;
}

interface Decompressor {
  write(bytes: Uint8Array): boolean;
  execute(): void;
  read(): { name: string; value: string } | null;
}

interface HpackJs {
  decompressor: { create(options: { table: { maxSize: number } }): Decompressor };
}

export function createHpackJsDecoder(): StoryDecoder {
  const require = createRequire(join(benchFolder, "package.json"));
  const { decompressor } = require("hpack.js") as HpackJs;
  return (blocks) => {
    let fieldCount = 0;
    const decoder = decompressor.create({ table: { maxSize: TABLE_SIZE } });
    for (const block of blocks) {
      decoder.write(block);
      decoder.execute();
      while (decoder.read() !== null) fieldCount++;
    }
    return fieldCount;
  };
}
