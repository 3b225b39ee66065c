/*
 * The packages the server is compared with. They live in bench/package.json with a lockfile of their own, so that
 * installing the project stays light, and are installed here the first time, or when the versions changed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { benchFolder } from "./paths.ts";
import { BenchError } from "./suite.ts";

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** Name and exact version of each peer package, as bench/package.json asks for it. */
export function peerVersions(): Record<string, string> {
  return readManifest(benchFolder).dependencies ?? {};
}

export function installPeers(progress: (line: string) => void): void {
  if (Object.entries(peerVersions()).every(([name, version]) => installedVersion(name) === version)) return;
  progress("installing the peers: npm ci in bench/");
  try {
    // npm speaks on stderr only: stdout belongs to the results.
    execFileSync("npm", ["ci"], { cwd: benchFolder, stdio: ["ignore", process.stderr, process.stderr] });
  } catch {
    throw new BenchError("`npm ci` in bench/ failed; the peers can not be measured without it");
  }
}

function installedVersion(name: string): string | undefined {
  const folder = join(benchFolder, "node_modules", name);
  return existsSync(folder) ? readManifest(folder).version : undefined;
}
