/*
 * Runs h2load on the load's core and reads its result.
 *
 * A run fails when a request failed, or was answered outside 2xx. With a duration, requests still in flight at its end
 * are neither. One thread, since the load has one core. Windows of 2^30 bytes each, so that the client's credit never
 * decides how fast a server may send.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LOAD_CORE, commandExists, endWithBench, pin } from "../process.ts";
import { BenchError } from "../suite.ts";

const execFileAsync = promisify(execFile);
/** Far beyond any run, so that a server that hangs ends the measure and not the patience of its reader. */
const TIMEOUT_MS = 120_000;
const WINDOW_BITS = "30";

export interface H2Load {
  /** Whom to blame in an error. */
  peer: string;
  url: string;
  connectionCount: number;
  streamCount: number;
  /** How long to ask, or how often. */
  extent: { seconds: number } | { requestCount: number };
  /** The content of a POST; without one the requests are GETs. */
  bodyFile?: string;
}

export interface H2LoadResult {
  requestCount: number;
  seconds: number;
  /** Content received, without frame headers and padding. */
  contentBytes: number;
}

export function requireH2load(): void {
  if (!commandExists("h2load", ["--version"])) {
    throw new BenchError(
      "h2load is not installed; this bench makes its load with it. " +
        "Debian and Ubuntu: apt-get install nghttp2-client; macOS: brew install nghttp2; source: github.com/nghttp2/nghttp2",
    );
  }
}

export async function runH2load(load: H2Load): Promise<H2LoadResult> {
  const { connectionCount, streamCount, extent, bodyFile, url } = load;
  const [command, args] = pin(LOAD_CORE, "h2load", [
    ...["-t", "1", "-c", String(connectionCount), "-m", String(streamCount)],
    ...["-w", WINDOW_BITS, "-W", WINDOW_BITS],
    ...("seconds" in extent ? ["-D", String(extent.seconds)] : ["-n", String(extent.requestCount)]),
    ...(bodyFile === undefined ? [] : ["-d", bodyFile]),
    url,
  ]);
  const running = execFileAsync(command, args, { timeout: TIMEOUT_MS });
  endWithBench(running.child);
  let stdout: string;
  try {
    ({ stdout } = await running);
  } catch (error) {
    throw new BenchError(`h2load failed against ${load.peer} at ${url}: ${(error as Error).message}`);
  }
  return readResult(stdout, load);
}

/**
 * The lines it reads:
 *   finished in 2.00s, 71035.50 req/s, 2.71MB/s
 *   requests: 142071 total, 142583 started, 142071 done, 142071 succeeded, 0 failed, 0 errored, 0 timeout
 *   status codes: 142071 2xx, 0 3xx, 0 4xx, 0 5xx
 *   traffic: 5.43MB (5690000) total, 1.23MB (1290000) headers (space savings 90.00%), 1.76MB (1846923) data
 */
function readResult(output: string, load: H2Load): H2LoadResult {
  const numberOf = (pattern: RegExp) => {
    const text = pattern.exec(output)?.[1];
    if (text === undefined) throw new BenchError(`h2load gave no result for ${load.peer}:\n${output}`);
    return Number(text);
  };
  const faults = (
    [
      ["failed", numberOf(/(\d+) failed/)],
      ["timed out", numberOf(/(\d+) timeout/)],
      ["answered 3xx", numberOf(/(\d+) 3xx/)],
      ["answered 4xx", numberOf(/(\d+) 4xx/)],
      ["answered 5xx", numberOf(/(\d+) 5xx/)],
    ] as const
  ).filter(([, count]) => count > 0);
  if (faults.length > 0) {
    const list = faults.map(([what, count]) => `${count} requests ${what}`).join(", ");
    throw new BenchError(`${load.peer} at ${load.url}: ${list}`);
  }
  const requestCount = numberOf(/(\d+) 2xx/);
  if (requestCount === 0) throw new BenchError(`${load.peer} at ${load.url}: no request was answered`);
  return {
    requestCount,
    seconds: readSeconds(output, load.peer),
    contentBytes: numberOf(/\((\d+)\) data$/m),
  };
}

const SECONDS_PER_UNIT: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

function readSeconds(output: string, peer: string): number {
  const [, figure, unit] = /finished in ([\d.]+)(us|ms|s|m)\b/.exec(output) ?? [];
  const factor = SECONDS_PER_UNIT[unit ?? ""];
  if (figure === undefined || factor === undefined) {
    throw new BenchError(`h2load did not say how long ${peer} took:\n${output}`);
  }
  return Number(figure) * factor;
}
