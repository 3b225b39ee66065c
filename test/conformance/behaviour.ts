// ONE behaviour suite, test/runtime/contract*.test.ts, from outside against the contract server as a process of each runtime.
// The tests run here, on vitest; only the server changes.

import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { RUNTIME_VARIABLE } from "../runtime/contract_process.ts";
import { root } from "../runtime/program.ts";
import { bundleContract, type Runtime, runtimes } from "./runtimes.ts";
import { runProgram, skipped, type Suite, type SuiteResult } from "./suite.ts";

const TESTS = "test/runtime/contract";
const TESTS_TIMEOUT_MS = 300_000;

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export const behaviourSuites: Suite[] = runtimes.map((runtime) => ({
  name: `behaviour on ${runtime.title}`,
  runtime: runtime.name,
  run: () => run(runtime),
}));

async function run(runtime: Runtime): Promise<SuiteResult> {
  const command = runtime.command();
  if (command === null) return skipped(`npm cannot install ${runtime.title}`);
  await bundleContract();
  const report = join(root, "build", `behaviour-${runtime.name}.json`);
  rmSync(report, { force: true });
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  const vitest = join(dirname(manifest), "vitest.mjs");
  const { output } = await runProgram(
    process.execPath,
    [vitest, "run", TESTS, "--no-file-parallelism"],
    TESTS_TIMEOUT_MS,
    { [RUNTIME_VARIABLE]: JSON.stringify(command), HTTPY_VITEST_REPORT: report },
  );
  try {
    return read(JSON.parse(readFileSync(report, "utf8")) as Report);
  } catch {
    return { passed: 0, failures: [`vitest left no report: ${output.slice(-500)}`], skipped: null };
  }
}

function read(report: Report): SuiteResult {
  const failures = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    const lines = failed.map((test) => `${test.fullName}: ${firstLine(test.failureMessages[0] ?? "")}`);
    const fellOver = status === "failed" && failed.length === 0;
    return fellOver ? [`${relative(root, name)}: ${firstLine(message)}`] : lines;
  });
  return { passed: report.numPassedTests, failures, skipped: null };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
