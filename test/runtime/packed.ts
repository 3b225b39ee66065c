// The package as `npm pack` makes it, unpacked where a project would have it: with nothing beside it but its production
// dependencies, so that what only the repository has cannot be reached.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./program.ts";

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export interface PackedProject {
  /** The project's folder: programs written here import `httpy`. */
  readonly folder: string;
  readonly tarball: string;
  readonly files: PackReport["files"];
  remove(): void;
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Record<string, string>;
}

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** Packs what dist/ holds now: without the build that npm would run first, which is the caller's. */
export function packProject(): PackedProject {
  const folder = mkdtempSync(join(tmpdir(), "httpy-package-"));
  const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    // On Windows npm is a script of the shell.
    shell: process.platform === "win32",
  });
  const [{ filename, files }] = JSON.parse(output) as [PackReport];
  execFileSync("tar", ["-xzf", filename], { cwd: folder });
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(join(folder, "package"), join(modules, "httpy"), "junction");
  // A link's dependencies are looked for where it leads to, so the package's own lie beside it.
  mkdirSync(join(folder, "package/node_modules"));
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(join(root, "node_modules", name), join(folder, "package/node_modules", name), "junction");
  }
  // Deno resolves only what a manifest names.
  const dependencies = { httpy: manifest.version };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  return {
    folder,
    tarball: join(folder, filename),
    files,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
