// Modules of test/assembly/ that several files of tests use: compiled once for the sources as they are, and kept in `build/`, since each
// file of tests is a process of its own. They keep the engine's assertions.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { compileModule, QUICK } from "./compile_entry.ts";
import { projectRoot as root } from "./project_root.ts";

/** What a module is made of, as one hash. */
function sourceHash(entry: string, rooms: readonly string[]): string {
  const hash = createHash("sha256").update(readFileSync(resolve(root, entry)));
  for (const room of rooms) {
    const folder = resolve(root, "assembly", room);
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    for (const name of names.sort()) hash.update(name).update(readFileSync(resolve(folder, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

const loaded = new Map<string, Promise<WebAssembly.Module>>();

/** The module of an entry that reaches these rooms of assembly/. */
export function sharedModule(entry: string, rooms: readonly string[]): Promise<WebAssembly.Module> {
  let module = loaded.get(entry);
  if (module === undefined) {
    module = load(entry, rooms);
    loaded.set(entry, module);
  }
  return module;
}

async function load(entry: string, rooms: readonly string[]): Promise<WebAssembly.Module> {
  const path = resolve(root, "build", `${basename(entry, ".ts")}-${sourceHash(entry, rooms)}.wasm`);
  if (existsSync(path)) return new WebAssembly.Module(readFileSync(path));
  const bytes = await compileModule(entry, QUICK);
  mkdirSync(resolve(root, "build"), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, path);
  return new WebAssembly.Module(bytes);
}
