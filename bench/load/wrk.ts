/*
 * Runs wrk on the load's core and reads its result.
 *
 * A run with any connect, read or write error, time-out or answer outside 2xx and 3xx fails: a server that drops or
 * refuses requests must not look fast. One thread, since the load has one core.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { benchFolder } from "../paths.ts";
import { LOAD_CORE, commandExists, endWithBench, pin } from "../process.ts";
import { BenchError } from "../suite.ts";

const execFileAsync = promisify(execFile);

export interface WrkLoad {
  /** Whom to blame in an error. */
  peer: string;
  url: string;
  connectionCount: number;
  seconds: number;
  pipelineDepth?: number;
  method?: string;
  bodyLen?: number;
}

export interface WrkResult {
  requestsPerSecond: number;
  seconds: number;
  /** Left out of pipelined runs: wrk corrects latencies by the mean time per answer, not per batch. */
  latency?: { p50Us: number; p99Us: number };
}

interface ScriptResult {
  requests: number;
  durationUs: number;
  p50Us: number;
  p99Us: number;
  connectErrors: number;
  readErrors: number;
  writeErrors: number;
  timeouts: number;
  badStatuses: number;
}

export function requireWrk(): void {
  if (!commandExists("wrk", ["-v"])) {
    throw new BenchError(
      "wrk is not installed; this bench makes its load with it. " +
        "Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk; source: github.com/wg/wrk",
    );
  }
}

export async function runWrk(load: WrkLoad): Promise<WrkResult> {
  const { pipelineDepth = 1, method = "GET", bodyLen = 0 } = load;
  const script = join(benchFolder, "load", "load.lua");
  const [command, args] = pin(LOAD_CORE, "wrk", [
    ...["-t", "1", "-c", String(load.connectionCount), "-d", `${load.seconds}s`, "-s", script],
    ...[load.url, "--", String(pipelineDepth), method, String(bodyLen)],
  ]);
  const running = execFileAsync(command, args);
  endWithBench(running.child);
  const { stdout } = await running;
  const line = /^result (\{.*\})$/m.exec(stdout)?.[1];
  if (line === undefined) throw new BenchError(`wrk gave no result:\n${stdout}`);
  const result = JSON.parse(line) as ScriptResult;
  refuseErrors(result, load);
  const seconds = result.durationUs / 1e6;
  const requestsPerSecond = result.requests / seconds;
  if (pipelineDepth > 1) return { requestsPerSecond, seconds };
  return { requestsPerSecond, seconds, latency: { p50Us: result.p50Us, p99Us: result.p99Us } };
}

function refuseErrors(result: ScriptResult, { peer, url }: WrkLoad): void {
  const faults = (
    [
      ["answers outside 2xx and 3xx", result.badStatuses],
      ["connect errors", result.connectErrors],
      ["read errors", result.readErrors],
      ["write errors", result.writeErrors],
      ["time-outs", result.timeouts],
    ] as const
  ).filter(([, count]) => count > 0);
  if (faults.length > 0) {
    throw new BenchError(
      `${peer} at ${url}: ${faults.map(([what, count]) => `${count} ${what}`).join(", ")}`,
    );
  }
  if (result.requests === 0) throw new BenchError(`${peer} at ${url}: no request was answered`);
}
