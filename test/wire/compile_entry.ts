// Compiles an entry of test/assembly/ into a module of its own, with the options of the release module: for rooms to
// which the engine itself has no door.

import { projectRoot as root } from "./project_root.ts";
import * as asc from "assemblyscript/asc";

/** The exports of `entry`, a path from the project's root. asconfig.json would add the engine's entry, so it is not read. */
export async function compileEntry<T>(entry: string): Promise<T> {
  const modules: Uint8Array<ArrayBuffer>[] = [];
  const places = ["--config", "none.json", "--baseDir", root, "--outFile", "entry.wasm"];
  const target = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--use", "abort="];
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
  return new WebAssembly.Instance(new WebAssembly.Module(modules[0]!), {}).exports as T;
}
