// The runtimes that the suites run on: pinned versions of Node, Deno and Bun from npm, fetched below build/tools/ when a
// suite first needs one.

import { runProgram } from "./suite.ts";
import { npmTool } from "./tools.ts";

const BUNDLE_TIMEOUT_MS = 60_000;

/** One runtime that can be started. */
export interface Runtime {
  /** What `--runtime` names: "node20", "node26", "deno" or "bun". */
  readonly name: string;
  /** The name with its version, for people. */
  readonly title: string;
  /** The command line before a program's file; null when the runtime cannot be had. */
  command(): readonly string[] | null;
}

interface Pinned {
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly script: string;
  readonly args: readonly string[];
}

const NODE_SCRIPT = process.platform === "win32" ? "bin/node.exe" : "bin/node";
const PINNED: readonly Pinned[] = [
  { name: "node20", packageName: "node", version: "20.20.2", script: NODE_SCRIPT, args: [] },
  { name: "node26", packageName: "node", version: "26.10.0", script: NODE_SCRIPT, args: [] },
  {
    name: "deno",
    packageName: "deno",
    version: "2.9.6",
    script: process.platform === "win32" ? "deno.exe" : "deno",
    args: ["run", "--quiet", "--allow-all"],
  },
  // One name on every platform.
  { name: "bun", packageName: "bun", version: "1.4.5", script: "bin/bun.exe", args: ["run"] },
];

export const runtimes: readonly Runtime[] = PINNED.map((pinned) => ({
  name: pinned.name,
  title: `${pinned.packageName} ${pinned.version}`,
  command: () => commandOf(pinned),
}));

/** Makes the file that other runtimes run: build/contract.mjs. */
export async function bundleContract(): Promise<void> {
  const args = ["scripts/run.mjs", "--bundle-only", "examples/contract.ts"];
  const { code, output } = await runProgram(process.execPath, args, BUNDLE_TIMEOUT_MS);
  if (code !== 0) throw new Error(`the contract server cannot be bundled: ${output.slice(-500)}`);
}

export const runtimeNames: readonly string[] = runtimes.map(({ name }) => name);

function commandOf({ packageName, version, script, args }: Pinned): readonly string[] | null {
  // This very process is the one that CI has installed.
  if (packageName === "node" && process.version === `v${version}`) return [process.execPath, ...args];
  const program = npmTool(packageName, version, script);
  return program === null ? null : [program, ...args];
}
