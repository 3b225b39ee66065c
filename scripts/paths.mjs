// Where everything the tools read and write lies, how a bundle is made, and the file operations they share.
//
// Several tools may run at once (an editor's build beside a test run), so no output is ever written in place:
// `writeAtomically` writes beside the target and renames, and a reader sees the old bytes or the new ones.
// A step is skipped when the hash of what it reads equals the one it left in its stamp.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const buildDir = join(root, "build");
export const distDir = join(root, "dist");

/** What every bundle made here has in common, the package's and the ones scripts/run.mjs makes. */
export const bundleOptions = /** @type {const} @satisfies {import("esbuild").BuildOptions} */ ({
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  packages: "external",
  logLevel: "warning",
});

/**
 * Every file below `dir` whose name ends in one of `endings`, relative to the root, sorted, with `/` on every platform.
 * @param {string} dir
 * @param {string[]} endings
 * @returns {string[]}
 */
export function filesBelow(dir, endings) {
  const absolute = resolve(root, dir);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, encoding: "utf8" })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => relative(root, join(absolute, name)).split(sep).join("/"))
    .sort();
}

/**
 * @param {string} file
 * @param {string | Uint8Array} contents
 */
export function writeAtomically(file, contents) {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.tmp`;
  writeFileSync(beside, contents);
  renameSync(beside, file);
}

/**
 * The hash of these files' names and bytes, and of `extra` (a version, an option) that changes the output too.
 * @param {string[]} files relative to the root
 * @param {string[]} extra
 */
export function hashOf(files, extra = []) {
  const hash = createHash("sha256");
  for (const text of extra) hash.update(`${text}\0`);
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}

/**
 * Runs `step` unless its stamp says the same inputs already gave `outputs`. Returns whether it ran.
 * @param {string} name
 * @param {string} inputHash
 * @param {string[]} outputs absolute paths that must exist for the stamp to count
 * @param {() => Promise<void>} step
 */
export async function whenChanged(name, inputHash, outputs, step) {
  const stamp = join(buildDir, ".stamps", name);
  const isFresh = existsSync(stamp) && readFileSync(stamp, "utf8") === inputHash && outputs.every(existsSync);
  if (isFresh) return false;
  await step();
  writeAtomically(stamp, inputHash);
  return true;
}
