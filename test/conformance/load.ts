// wrk and h2load: sustained load without one wrong answer, and flat connection counts afterwards.

import { findProgram, results, runProgram, skipped, type Suite, type SuiteResult } from "./suite.ts";

const SECONDS = 5;
const TIMEOUT_MS = 60_000;

export const loadSuites: Suite[] = [
  { name: "wrk", run: (server) => wrk(server.plain) },
  { name: "wrk over TLS", run: (server) => wrk(server.secure) },
  { name: "h2load", run: (server) => h2load(server.plain, []) },
  { name: "h2load over TLS", run: (server) => h2load(server.secure, []) },
];

async function wrk(url: string): Promise<SuiteResult> {
  const program = findProgram("wrk");
  if (program === null) return skipped("wrk is missing; Debian's package has the same name");
  const { output } = await runProgram(program, ["-t1", "-c64", `-d${SECONDS}s`, `${url}/json`], TIMEOUT_MS);
  const requests = Number(/(\d+) requests in/u.exec(output)?.[1] ?? 0);
  const trouble = /Socket errors:.*|Non-2xx.*/u.exec(output)?.[0] ?? null;
  return results([
    ["requests are answered", requests > 1000 ? null : `only ${requests}`],
    ["every answer is whole and 2xx", trouble],
  ]);
}

async function h2load(url: string, flags: readonly string[]): Promise<SuiteResult> {
  const program = findProgram("h2load");
  if (program === null) return skipped("h2load is missing; Debian's package is nghttp2-client");
  const { output } = await runProgram(
    program,
    ["-n", "50000", "-c", "16", "-m", "32", ...flags, `${url}/json`],
    TIMEOUT_MS,
  );
  const summary = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/u.exec(output);
  const status = /status codes: (\d+) 2xx/u.exec(output)?.[1];
  return results([
    [
      "50,000 requests succeed",
      summary?.[1] === "50000" ? null : (summary?.[0] ?? `no summary: ${output.slice(-300)}`),
    ],
    ["every answer is 2xx", status === "50000" ? null : `${status ?? "none"} are`],
  ]);
}
