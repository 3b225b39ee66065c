// Reads which local files a source imports, for both languages: AssemblyScript leaves the `.ts` away, TypeScript does
// not. By pattern and not by parser, because no one parser reads both; paths are from the root, with `/` everywhere.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix, resolve, sep } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface Arrow {
  from: string;
  to: string;
}

/** Every TypeScript file below a folder, what is installed there left out. */
export function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.split(sep).join("/")}`)
    .filter((path) => !path.includes("/node_modules/"))
    .sort();
}

/** `assembly/core/slab.ts` lies in `assembly/core`; a file directly below assembly/ or host/ is its own room. */
export function roomOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

/** The local imports and re-exports of a text that stands in `file`, in every form, comments left out. */
export function arrowsIn(file: string, text: string): Arrow[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statement = /\b(?:from|import)\s*\(?\s*["'](\.[^"']*)["']/g;
  return [...code.matchAll(statement)].map((match) => ({
    from: file,
    to: posix.join(posix.dirname(file), match[1]!),
  }));
}

export function arrowsOf(file: string): Arrow[] {
  return arrowsIn(file, readFileSync(join(root, file), "utf8"));
}

/** The file that an arrow points to; undefined where there is none, and for what is no TypeScript. */
export function targetOf({ to }: Arrow): string | undefined {
  return [to, `${to}.ts`, `${to}/index.ts`].find(
    (path) => path.endsWith(".ts") && existsSync(join(root, path)),
  );
}

/** The rooms of everything that is compiled when `entry` is. */
export function roomsReachedFrom(entry: string): Set<string> {
  const files = new Set([entry]);
  for (const file of files) {
    for (const arrow of arrowsOf(file)) {
      const source = targetOf(arrow);
      if (source !== undefined) files.add(source);
    }
  }
  return new Set([...files].map(roomOf));
}
