/*
 * `npm run bench -- SUITE [options]`: compares this server with its peers and holds the result against the bars.
 *
 * Results go to stdout and progress to stderr, so `--json` can be piped. A missed bar is a result, not a fault: the
 * exit code is 1 only when a measure could not be taken, and 2 when the command line makes no sense.
 */
import { parseArgs } from "node:util";
import { bundlePrograms } from "./bundle.ts";
import { describeMachine } from "./machine.ts";
import { formatMachine, formatOutcome, publishReport, writeReport } from "./report.ts";
import type { Outcome, SuiteRun } from "./suite_run.ts";
import { BenchError } from "./suite.ts";
import type { Measure, RunOptions, Suite } from "./suite.ts";
import { frameworks } from "./suites/frameworks.ts";
import { h1 } from "./suites/h1.ts";
import { h2 } from "./suites/h2.ts";
import { h3 } from "./suites/h3.ts";
import { h3Qpack } from "./suites/h3-qpack.ts";
import { quic } from "./suites/quic.ts";
import { runtimes } from "./suites/runtimes.ts";
import { ws } from "./suites/ws.ts";
import { judge } from "./verdict.ts";

const SUITES: Suite[] = [h1, h2, h3, h3Qpack, quic, ws, runtimes, frameworks];

const DEFAULTS = { rounds: 5, seconds: 2, warmupSeconds: 1 };
const QUICK = { rounds: 2, seconds: 1, warmupSeconds: 1 };

const USAGE = `usage: npm run bench -- SUITE [options]

suites: ${SUITES.map(({ name }) => name).join(", ")}

  --only a,b      only these measures
  --peers a,b     only these peers (bars that need the others are not measured)
  --rounds N      alternating rounds (default ${DEFAULTS.rounds})
  --seconds S     seconds of load per peer and round (default ${DEFAULTS.seconds})
  --quick         fewer, shorter rounds: a look, not a verdict
  --json          machine-readable results on stdout
  --report        also write build/bench/SUITE.md with a chart, and its data; a report that is there
                  keeps its other measures
  --publish       the same to docs/benchmarks.md
`;

class UsageError extends Error {}

function readCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      publish: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const suite = SUITES.find(({ name }) => name === positionals[0]);
  if (!suite || positionals.length > 1) {
    const given =
      positionals.length === 0 ? "no suite was given" : `"${positionals.join(" ")}" is not a suite`;
    throw new UsageError(`${given}; allowed: ${SUITES.map(({ name }) => name).join(", ")}`);
  }
  const preset = values.quick ? QUICK : DEFAULTS;
  const peers = selectPeerNames(suite, values.peers);
  const options: RunOptions = {
    rounds: readCount("--rounds", values.rounds, preset.rounds),
    secondsPerRound: readCount("--seconds", values.seconds, preset.seconds),
    warmupSeconds: preset.warmupSeconds,
    quick: values.quick,
    selectPeers: (all) => (peers ? all.filter((name) => peers.includes(name)) : all),
    progress: (line) => process.stderr.write(`  ${line}\n`),
  };
  return {
    suite,
    options,
    measures: selectMeasures(suite, values.only),
    json: values.json,
    report: values.report || values.publish,
    publish: values.publish,
  };
}

function readCount(option: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`${option} is "${text}"; allowed: a whole number from 1`);
  }
  return value;
}

function selectMeasures(suite: Suite, only: string | undefined): Measure[] {
  if (only === undefined) return suite.measures;
  return only.split(",").map((wanted) => {
    const measure = suite.measures.find(({ name }) => name === wanted);
    if (measure) return measure;
    const names = suite.measures.map(({ name }) => name).join(", ");
    throw new UsageError(`--only names "${wanted}"; allowed: ${names}`);
  });
}

function selectPeerNames(suite: Suite, text: string | undefined): string[] | undefined {
  const known = [...new Set(suite.measures.flatMap(({ peers }) => peers))];
  const wanted = text?.split(",");
  const stranger = wanted?.find((name) => !known.includes(name));
  if (stranger === undefined) return wanted;
  throw new UsageError(`--peers names "${stranger}"; allowed: ${known.join(", ")}`);
}

async function take(measure: Measure, options: RunOptions): Promise<Outcome> {
  const { name, title } = measure;
  process.stderr.write(`${name}\n`);
  try {
    const result = await measure.run(options);
    return { name, title, result, verdicts: judge(result) };
  } catch (error) {
    // A fault of the bench itself keeps its stack; anything a peer or a tool did is told in one line.
    if (!(error instanceof BenchError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return { name, title, verdicts: [], failure: error instanceof Error ? error.message : String(error) };
  }
}

async function main(): Promise<void> {
  const { suite, options, measures, json, report, publish } = readCommandLine();
  await suite.prepare(options);
  await bundlePrograms(options);
  const run: SuiteRun = {
    suite: suite.name,
    startedAt: new Date().toISOString(),
    rounds: options.rounds,
    secondsPerRound: options.secondsPerRound,
    machine: describeMachine(),
    outcomes: [],
  };
  const say = (text: string) => {
    if (!json) process.stdout.write(`${text}\n\n`);
  };
  say(formatMachine(run.machine));
  for (const measure of measures) {
    if (options.selectPeers(measure.peers).length === 0) continue;
    const outcome = await take(measure, options);
    run.outcomes.push(outcome);
    say(formatOutcome(outcome));
  }
  if (json) process.stdout.write(`${JSON.stringify(run, null, 2)}\n`);
  if (report) process.stderr.write(`report: ${writeReport(run, suite)}\n`);
  if (publish) process.stderr.write(`published: ${publishReport(suite)}\n`);
  if (run.outcomes.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  if (!isUsage && !(error instanceof BenchError)) throw error;
  process.stderr.write(`bench: ${(error as Error).message}\n${isUsage ? `\n${USAGE}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
