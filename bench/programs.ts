/*
 * Peers that run on something else than this Node: which program each is, and what starts it.
 *
 * Whatever is not on the machine is installed below build/tools/ on the first run: Python's packages into an environment of their
 * own, Bun and Deno from npm, in the versions that the conformance suites pin.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { runtimes } from "../test/conformance/runtimes.ts";
import { pythonWith } from "../test/conformance/tools.ts";
import { benchFolder, bundleFolder, reportFolder } from "./paths.ts";
import { startCommand } from "./process.ts";
import type { Server } from "./process.ts";
import { BenchError } from "./suite.ts";

const PYTHON_PACKAGES = [
  "starlette==1.10.0",
  "uvicorn==0.54.0",
  "uvloop==0.23.0",
  "httptools==0.9.0",
  "websockets==17.4",
  "flask==3.1.3",
  "gunicorn==27.0.1",
];

/** The program of a peer, in bench/frameworks/ or in the folder that it names, and what runs it. */
export interface Program {
  readonly file: string;
  readonly folder?: "frameworks" | "servers";
  readonly runtime: "node" | "deno" | "bun" | "python";
  readonly args?: readonly string[];
}

const commands = new Map<Program["runtime"], readonly string[]>();

function commandOf(runtime: Program["runtime"]): readonly string[] {
  if (runtime === "node") return [process.execPath];
  let command = commands.get(runtime);
  if (command !== undefined) return command;
  if (runtime === "python") {
    const python = pythonWith("python-frameworks", PYTHON_PACKAGES);
    if (python !== null) command = [python];
  } else {
    command = runtimes.find(({ name }) => name === runtime)?.command() ?? undefined;
  }
  if (command === undefined) throw new BenchError(`${runtime} can not be had; leave it out with --peers`);
  commands.set(runtime, command);
  return command;
}

/** Installs the runtime where it is not there yet. */
export function requireRuntime(runtime: Program["runtime"], progress: (line: string) => void): void {
  if (runtime !== "node" && !commands.has(runtime)) progress(`looking for ${runtime}`);
  commandOf(runtime);
}

function pathOf({ file, folder = "frameworks", runtime }: Program): string {
  if (runtime === "python") return join(benchFolder, folder, file);
  const bundle = join(bundleFolder, folder, file);
  if (runtime !== "deno") return bundle;
  // Deno loads what lies below node_modules by other rules, and no file from outside there.
  const programs = join(reportFolder, "programs", folder);
  mkdirSync(programs, { recursive: true });
  copyFileSync(bundle, join(programs, file));
  return join(programs, file);
}

/** Starts a peer and resolves when it accepts connections. */
export function startPeer(name: string, program: Program): Promise<Server> {
  const [command, ...args] = commandOf(program.runtime) as [string, ...string[]];
  return startCommand(name, command, [...args, pathOf(program), ...(program.args ?? [])]);
}
