// What a conformance suite is: a name, the program it needs, and checks that say what went wrong.
//
// Suites run outside programs against the contract server as a process of its own. A program that is missing is named with
// the way to install it, and its suite counts as skipped, not as passed.

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ContractServer } from "../runtime/contract_process.ts";

/** What a suite found. */
export interface SuiteResult {
  passed: number;
  /** One line for each failed check. */
  failures: string[];
  /** Why the suite did not run; null when it did. */
  skipped: string | null;
}

export interface Suite {
  readonly name: string;
  /** The runtime it is about (runtimes.ts); left out when it is about this Node. */
  readonly runtime?: string;
  run(server: ContractServer): Promise<SuiteResult>;
}

/** A finished program. */
export interface Finished {
  code: number | null;
  output: string;
}

/** The path of a program, or null: on PATH, or where Go installs. */
export function findProgram(name: string): string | null {
  const found = spawnSync(process.platform === "win32" ? "where" : "which", [name], { encoding: "utf8" });
  const path = found.status === 0 ? found.stdout.trim().split("\n")[0] : undefined;
  if (path !== undefined && path !== "") return path;
  const fromGo = join(process.env["GOPATH"] ?? join(homedir(), "go"), "bin", name);
  return existsSync(fromGo) ? fromGo : null;
}

/** Runs a program to its end, or kills it after `timeoutMs`. */
export function runProgram(
  path: string,
  args: readonly string[],
  timeoutMs: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString("latin1");
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

/** A suite that did not run. */
export function skipped(reason: string): SuiteResult {
  return { passed: 0, failures: [], skipped: reason };
}

/** Counts checks: each has a name and what is wrong with it, null when nothing is. */
export function results(checks: readonly (readonly [name: string, problem: string | null])[]): SuiteResult {
  const failures = checks.flatMap(([name, problem]) => (problem === null ? [] : [`${name}: ${problem}`]));
  return { passed: checks.length - failures.length, failures, skipped: null };
}

/** The longest that one check may take. */
const CHECK_TIMEOUT_MS = 20_000;

/** What is wrong, as a check says it by rejecting; null when it does not. */
export async function problemOf(check: () => Promise<void>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
