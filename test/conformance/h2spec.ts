// h2spec --strict over cleartext and over TLS: what RFC 9113 and RFC 7541 ask, one case each.

import { existsSync } from "node:fs";
import type { ContractServer } from "../runtime/contract_process.ts";
import { findProgram, runProgram, skipped, type Suite, type SuiteResult } from "./suite.ts";

/**
 * The last commit of h2spec, whose v2 tags do not carry the path that Go asks of them, and the newest that Go finds by itself for
 * where a module proxy does not serve commits.
 */
const PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec";
const VERSIONS = ["af83a65", "latest"] as const;
const INSTALL_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 300_000;
const SUMMARY = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/u;

export const h2specSuites: Suite[] = [
  { name: "h2spec over cleartext", run: (server) => run(server.plain, []) },
  { name: "h2spec over TLS", run: (server: ContractServer) => run(server.secure, ["-t", "-k"]) },
];

async function run(url: string, flags: readonly string[]): Promise<SuiteResult> {
  const program = await h2spec();
  if (program === null)
    return skipped(`h2spec is missing; install it with: go install ${PACKAGE}@${VERSIONS[0]}`);
  const { hostname, port } = new URL(url);
  const { output } = await runProgram(
    program,
    ["--strict", "-h", hostname, "-p", port, "-o", "5", ...flags],
    RUN_TIMEOUT_MS,
  );
  const summary = SUMMARY.exec(output);
  if (summary === null) return { passed: 0, failures: [`no summary: ${output.slice(-500)}`], skipped: null };
  const [, , passed, notRun, failed] = summary.map(Number) as [number, number, number, number, number];
  const failures = output.split("\n").filter((line) => line.includes("×"));
  const missing = notRun + failed - failures.length;
  for (let i = 0; i < missing; i++) failures.push("a case that h2spec did not name");
  return { passed, failures, skipped: null };
}

/** The program's path, installed by Go where there is one. */
async function h2spec(): Promise<string | null> {
  const found = findProgram("h2spec");
  if (found !== null) return found;
  const go = findProgram("go") ?? (existsSync("/usr/local/go/bin/go") ? "/usr/local/go/bin/go" : null);
  if (go === null) return null;
  for (const version of VERSIONS) {
    const { code } = await runProgram(go, ["install", `${PACKAGE}@${version}`], INSTALL_TIMEOUT_MS);
    if (code === 0) return findProgram("h2spec");
  }
  return null;
}
