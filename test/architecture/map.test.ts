// Holds ARCHITECTURE.md to the tree: every path it names in backticks exists, and every folder of assembly/ and
// host/ that has files in it is named. What a path is: a word with a slash at its end, one that begins with a name of
// the top level, or one that ends like a file. Paths below build/ and dist/ are made by the build and not looked up.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const topLevel = new Set(readdirSync(root));
const generated = /^(build|dist|node_modules)(\/|$)/;

/** The paths among a Markdown text's inline code, fenced blocks left out. */
function pathsIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "");
  const words = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return words.filter((word) => {
    if (!/^[\w.@/-]+$/.test(word) || word.startsWith("@") || word.startsWith("/")) return false;
    const isBelowTop = word.includes("/") && topLevel.has(word.split("/", 1)[0]!);
    return word.endsWith("/") || isBelowTop || /\.(ts|mjs|js|json|md|wasm|txt|toml|ya?ml)$/.test(word);
  });
}

function foldersWithFiles(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const parents = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      entry.parentPath
        .slice(root.length + 1)
        .split(sep)
        .join("/"),
    );
  return [...new Set(parents)].filter((parent) => parent !== folder).sort();
}

describe("ARCHITECTURE.md", () => {
  const markdown = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const paths = pathsIn(markdown);

  test("names only paths that exist", () => {
    const missing = paths.filter((path) => !generated.test(path) && !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  test.each(["assembly", "host"])("names every folder of %s/", (folder) => {
    const named = new Set(paths.map((path) => path.replace(/\/$/, "")));
    expect(foldersWithFiles(folder).filter((path) => !named.has(path))).toEqual([]);
  });

  test("is read for folders, files and nothing else", () => {
    const text =
      "`scripts/` `gone/away/` `host/gone.ts` `a.wasm` `text/plain` `npm test` `@x/y.ts`\n```\n`no/`\n```\n";
    expect(pathsIn(text)).toEqual(["scripts/", "gone/away/", "host/gone.ts", "a.wasm"]);
  });
});
