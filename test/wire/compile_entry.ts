// Compiles an entry of test/assembly/ into a module of its own, with the options of the release module: for rooms to
// which the engine itself has no door.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as asc from "assemblyscript/asc";
import { projectRoot as root } from "./project_root.ts";

/** What asc is told of the target `release` of asconfig.json: the engine's own, for what is measured or runs long. */
const RELEASE = releaseOptions();
/** For what is compiled often: with assertions, without optimizing. */
export const QUICK = ["-O0"];

/** The module of `entry`, a path from the project's root. asconfig.json would add the engine's entry, so it is not read. */
export async function compileModule(
  entry: string,
  options: readonly string[] = RELEASE,
): Promise<Uint8Array<ArrayBuffer>> {
  const modules: Uint8Array<ArrayBuffer>[] = [];
  const places = ["--config", "none.json", "--baseDir", root, "--outFile", "entry.wasm"];
  const target = [...options, "--runtime", "stub", "--enable", "simd", "--use", "abort="];
  let complaints = "";
  const { error } = await asc.main([entry, ...places, ...target], {
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== "string") modules.push(Uint8Array.from(contents));
    },
    stderr: {
      write: (text: Uint8Array | string) => {
        complaints += typeof text === "string" ? text : Buffer.from(text).toString();
      },
    },
  });
  if (error) throw new Error(`${error.message}\n${complaints}`);
  return modules[0]!;
}

/** Its exports. */
export async function compileEntry<T>(entry: string): Promise<T> {
  const module = new WebAssembly.Module(await compileModule(entry));
  return new WebAssembly.Instance(module, {}).exports as T;
}

function releaseOptions(): string[] {
  const text = readFileSync(join(root, "asconfig.json"), "utf8");
  const { targets } = JSON.parse(text) as { targets: { release: Record<string, unknown> } };
  return Object.entries(targets.release).flatMap(([name, value]) => {
    // Given for every entry below.
    if (name === "outFile" || name === "use") return [];
    if (value === true) return [`--${name}`];
    return [`--${name}`, Array.isArray(value) ? value.join(",") : String(value)];
  });
}
