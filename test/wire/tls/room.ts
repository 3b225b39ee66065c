// The rooms of TLS, compiled into a module of their own (test/assembly/tls/tls_entry.ts), since the engine's has no door to them.
// The reference comes before asc's declarations, which have a `console` of their own that must not be the first.

/// <reference types="node" />

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import * as asc from "assemblyscript/asc";
import { projectRoot as root } from "../project_root.ts";

const entry = "test/assembly/tls/tls_entry.ts";
/** The rooms that the entry reaches. */
const rooms = ["core", "abi", "crypto", "x509", "tls"];

type Door = (...args: number[]) => number;
export type Doors = Record<string, Door> & { memory: WebAssembly.Memory };

let compiled: WebAssembly.Module | undefined;

/** Compiles the entry with the options of the release module; asconfig.json itself would add the engine's entry. */
async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const modules: Uint8Array<ArrayBuffer>[] = [];
  const files = ["--config", "none.json", "--baseDir", root, "--outFile", "tls.wasm"];
  const target = ["-O2", "--noAssert", "--runtime", "stub", "--enable", "simd", "--use", "abort="];
  const { error } = await asc.main([entry, ...files, ...target], {
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== "string") modules.push(Uint8Array.from(contents));
    },
  });
  if (error) throw error;
  return modules[0]!;
}

/** What the module is made of, as one hash. */
function sourceHash(): string {
  const hash = createHash("sha256");
  const folders = rooms.map((name) => resolve(root, "assembly", name));
  const paths = folders.flatMap((folder) => readdirSync(folder).map((name) => resolve(folder, name)));
  for (const path of [...paths.sort(), resolve(root, entry)]) {
    if (path.endsWith(".ts")) hash.update(path).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The module, which the files of tests share through `build/`: each of them is a process of its own. */
async function load(): Promise<WebAssembly.Module> {
  const path = resolve(root, "build", `tls_room-${sourceHash()}.wasm`);
  if (existsSync(path)) return new WebAssembly.Module(readFileSync(path));
  const bytes = await compile();
  mkdirSync(resolve(root, "build"), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, path);
  return new WebAssembly.Module(bytes);
}

export class Room {
  readonly doors: Doors;
  readonly #scratch: number;

  private constructor(doors: Doors) {
    this.doors = doors;
    this.#scratch = doors.bufferPtr!();
  }

  static async create(seed = 1, slabBytes = 1 << 23): Promise<Room> {
    compiled ??= await load();
    const { exports } = new WebAssembly.Instance(compiled, {});
    const doors = exports as unknown as Doors;
    const room = new Room(doors);
    room.restart(seed, slabBytes);
    return room;
  }

  restart(seed: number, slabBytes = 1 << 23): void {
    this.doors.initialize!(seed, slabBytes);
  }

  /** Puts bytes into linear memory, `at` bytes behind the start of the scratch region. */
  write(bytes: Uint8Array, at = 0): number {
    new Uint8Array(this.doors.memory.buffer, this.#scratch + at, bytes.length).set(bytes);
    return this.#scratch + at;
  }

  read(ptr: number, length: number): Buffer {
    return Buffer.from(new Uint8Array(this.doors.memory.buffer, ptr, length));
  }

  /** The scratch region itself, for a door that writes there. */
  get scratch(): number {
    return this.#scratch;
  }

  get bytesInUse(): number {
    return this.doors.bytesInUse!();
  }

  global(name: string): number {
    return (this.doors[name] as unknown as { value: number }).value;
  }
}

/** Fails a test where a door that answers 0 for no did. */
export function check(result: number): void {
  if (result === 0) throw new Error("the room refused");
}
