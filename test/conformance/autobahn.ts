// The cases of the Autobahn test suite, all 517, against `/ws`: framing, pings, reserved bits, opcodes, fragments, UTF-8, limits,
// closing and permessage-deflate. Half an hour, for those of the extension send a thousand messages each.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../runtime/program.ts";
import { skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { pythonWith } from "./tools.ts";

const PACKAGES = [
  "autobahntestsuite==25.10.1",
  // The library of the suite's own time; the cases reach into what later ones have changed.
  "autobahn==0.10.9",
  "twisted==23.10.0",
  "txaio==26.6.1",
  "six==1.17.0",
  "setuptools==80.9.0",
];
/** Masks and checks UTF-8 in C: without it the client takes hours. */
const ACCELERATOR = "wsaccel==0.6.7";
const CASE_COUNT = 517;
const CONCURRENCY = "3";
const TIMEOUT_MS = 60 * 60_000;
/** What a case of the suite says that gave its own client, which is slow, too little time. */
const OUT_OF_TIME = /did not finish within/;
/** The two cases of the suite in which a server may do as it likes say so. */
const GOOD = ["OK", "INFORMATIONAL"];

interface Verdict {
  case: string;
  behavior: string;
  close: string;
  why: string;
}

export const autobahnSuites: Suite[] = [
  {
    name: "websocket: the cases of Autobahn",
    async run(server) {
      const python = pythonWith("autobahn", [...PACKAGES, ACCELERATOR]);
      if (python === null) return skipped("no Python with PyPI's autobahntestsuite can be had");
      const url = `${server.plain.replace("http", "ws")}/ws`;
      const first = await verdicts(python, url, CONCURRENCY);
      // Thousands of messages through a client in Python: what three at once had no time for is asked again, one by one.
      const late = first.filter(({ why }) => OUT_OF_TIME.test(why)).map((one) => one.case);
      if (late.length === 0) return judge(first);
      console.log(`  out of time beside others, and asked again alone: ${late.join(", ")}`);
      const again = await verdicts(python, url, "1", late);
      return judge([...first.filter((one) => !late.includes(one.case)), ...again]);
    },
  },
];

function verdicts(
  python: string,
  url: string,
  concurrency: string,
  cases: readonly string[] = [],
): Promise<Verdict[]> {
  const script = join(root, "test/conformance/autobahn_client.py");
  const child = spawn(python, [script, url, concurrency, ...cases], { stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      const lines = output.trim().split("\n");
      resolve(lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Verdict));
    });
  });
}

function judge(all: readonly Verdict[]): SuiteResult {
  const bad = all.filter(({ behavior, close }) => !GOOD.includes(behavior) || !GOOD.includes(close));
  const failures = bad.map((one) => `${one.case}: ${one.behavior}, closed ${one.close}: ${one.why}`);
  if (all.length !== CASE_COUNT) failures.push(`${all.length} cases ended, not ${CASE_COUNT}`);
  return { passed: all.length - bad.length, failures, skipped: null };
}
