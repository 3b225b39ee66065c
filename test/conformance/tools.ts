// Programs that a suite fetches for itself, below build/tools/, so that installing this project stays light: from PyPI into a
// virtual environment, from npm into a folder, with `go install`. Each answers null with a word why when it cannot be had.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../runtime/program.ts";
import { findProgram } from "./suite.ts";

/** The last of PyPI's builds in which a program can allow sockets to a component. */
export const WASMTIME_OF_PYPI = "wasmtime==46.0.1";

const toolsDir = join(root, "build/tools");
const INSTALL_TIMEOUT_MS = 300_000;

/** Python with these packages (`name==version`), in an environment of that name; null when there is no Python or no network. */
export function pythonWith(name: string, packages: readonly string[]): string | null {
  const dir = join(toolsDir, name);
  const python = join(dir, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const stamp = join(dir, `installed-${packages.join("-").replaceAll(/[^\w.-]/g, "_")}`);
  if (existsSync(stamp)) return python;
  const system = findProgram("python3") ?? findProgram("python");
  if (system === null || !succeeds(system, ["-m", "venv", dir])) return null;
  if (!succeeds(python, ["-m", "pip", "install", "--quiet", ...packages])) return null;
  writeFileSync(stamp, "");
  return python;
}

/** The script of a package's command, from npm; null when it cannot be installed. */
export function npmTool(packageName: string, version: string, script: string): string | null {
  const dir = join(toolsDir, packageName.replaceAll(/[^\w]/g, "_"), version);
  const path = join(dir, "node_modules", packageName, script);
  if (existsSync(path)) return path;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), '{ "private": true }\n');
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["install", "--no-audit", "--no-fund", "--prefix", dir, `${packageName}@${version}`];
  return succeeds(npm, args) && existsSync(path) ? path : null;
}

/** A program of Go: on PATH or where Go installs, or installed now. */
export function goTool(name: string, module: string): string | null {
  const found = findProgram(name);
  if (found !== null) return found;
  const go = findProgram("go");
  return go !== null && succeeds(go, ["install", module]) ? findProgram(name) : null;
}

function succeeds(command: string, args: readonly string[]): boolean {
  const options = { stdio: "ignore", timeout: INSTALL_TIMEOUT_MS, shell: command.endsWith(".cmd") } as const;
  return spawnSync(command, args, options).status === 0;
}
