/*
 * Results as people and programs read them: a table on the terminal, JSON, and a Markdown report with a chart.
 *
 * All three are made from the same outcomes and nothing is typed in by hand. The report goes to build/bench/, which
 * is not kept in the repository: figures belong to the machine they were taken on. One is published in docs/.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "./chart.ts";
import type { Machine } from "./machine.ts";
import { docsFolder, reportFolder } from "./paths.ts";
import { spread } from "./rounds.ts";
import type { Spread } from "./rounds.ts";
import type { Series, Suite } from "./suite.ts";
import type { Outcome, SuiteRun } from "./suite_run.ts";
import type { Verdict } from "./verdict.ts";

export function formatMachine(machine: Machine): string {
  const peers = Object.entries(machine.peers).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.coreCount} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `Node ${machine.node}, V8 ${machine.v8}; ${peers.join(", ")}`,
    `pinning: ${machine.pinning}; load average before the run: ${machine.loadAverage.toFixed(2)}`,
  ].join("\n");
}

export function formatOutcome(outcome: Outcome): string {
  const lines = [`${outcome.name}: ${outcome.title}`];
  if (outcome.failure !== undefined) lines.push(`  FAILED: ${outcome.failure}`);
  if (outcome.result) {
    const { series, unit, notes } = outcome.result;
    for (const one of series) lines.push(`  ${one.peer.padEnd(12)} ${formatSeries(one, unit)}`);
    for (const verdict of outcome.verdicts) {
      lines.push(`  ${verdict.label}: ${formatVerdict(verdict)}; bar ${verdict.bar}: ${verdict.outcome}`);
    }
    for (const note of notes) lines.push(`  (${note})`);
  }
  return lines.join("\n");
}

function formatSeries(series: Series, unit: string): string {
  const { median, min, max } = spread(series.samples.map((sample) => sample.value));
  const cells = [`${figure(median).padStart(9)} ${unit} (${figure(min)}–${figure(max)})`];
  const medianOf = (key: "p50Us" | "p99Us" | "serverCpu") => {
    const values = series.samples.map((sample) => sample[key]).filter((value) => value !== undefined);
    return values.length > 0 ? spread(values).median : undefined;
  };
  const p50Us = medianOf("p50Us");
  const p99Us = medianOf("p99Us");
  const serverCpu = medianOf("serverCpu");
  if (p50Us !== undefined) cells.push(`p50 ${figure(p50Us)} µs`);
  if (p99Us !== undefined) cells.push(`p99 ${figure(p99Us)} µs`);
  if (serverCpu !== undefined) cells.push(`server CPU ${Math.round(serverCpu * 100)} %`);
  return cells.join(", ");
}

function formatVerdict({ measured, measuredPerCpuSecond, bar }: Verdict): string {
  if (measured === null) return "–";
  if (!bar.endsWith("×")) return figure(measured.median);
  const perCpu =
    measuredPerCpuSecond === null ? "" : `, per server CPU second ${ratio(measuredPerCpuSecond)}`;
  return ratio(measured) + perCpu;
}

function ratio({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} × (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** Four significant digits, whole above a thousand, thousands apart. */
function figure(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

const fileOf = (suite: string, extension: string) => join(reportFolder, `${suite}.${extension}`);

/**
 * Writes SUITE.json, SUITE.svg and SUITE.md, and returns the Markdown's path. Measures that this run left out are kept from the
 * report that is there, so that a long suite can be taken in parts.
 */
export function writeReport(run: SuiteRun, { measures }: Suite): string {
  mkdirSync(reportFolder, { recursive: true });
  const data = fileOf(run.suite, "json");
  const earlier = existsSync(data) ? (JSON.parse(readFileSync(data, "utf8")) as SuiteRun).outcomes : [];
  const outcomes = measures.flatMap(({ name }) => {
    const taken = run.outcomes.find((outcome) => outcome.name === name);
    return taken ?? earlier.find((outcome) => outcome.name === name) ?? [];
  });
  const whole = { ...run, outcomes };
  writeFileSync(data, `${JSON.stringify(whole, null, 2)}\n`);
  writeFileSync(fileOf(run.suite, "svg"), drawChart(whole));
  writeFileSync(fileOf(run.suite, "md"), formatMarkdown(whole));
  return fileOf(run.suite, "md");
}

/** Beside the bench itself, nothing of weight should run. */
const BUSY_LOAD = 1;
const BUSY =
  "**The machine was busy with other work during this run.** Where `server CPU` is well below 100 %, the load or a neighbour set the " +
  "pace, and the ratio per server CPU second says more than the plain one. Take it again on a machine of your own.";

/** Copies the report to docs/, and returns the Markdown's path. */
export function publishReport({ name, preface }: Suite): string {
  const chart = "benchmarks.svg";
  copyFileSync(fileOf(name, "svg"), join(docsFolder, chart));
  const { machine } = JSON.parse(readFileSync(fileOf(name, "json"), "utf8")) as SuiteRun;
  const warning = machine.loadAverage > BUSY_LOAD ? `${BUSY}\n\n` : "";
  const text = readFileSync(fileOf(name, "md"), "utf8")
    .replace(/^# .*\n/, `# Benchmarks\n\n${preface ?? ""}\n${warning}`)
    .replace(`(${name}.svg)`, `(${chart})`);
  const path = join(docsFolder, "benchmarks.md");
  writeFileSync(path, text);
  return path;
}

/** How many rounds there were; parts of a report may differ. */
function roundCounts({ outcomes }: SuiteRun): string {
  const counts = outcomes.flatMap(({ result }) => result?.series.map(({ samples }) => samples.length) ?? []);
  return [...new Set(counts)].sort((a, b) => a - b).join(" or ");
}

function formatMarkdown(run: SuiteRun): string {
  const lines = [
    `# Bench: ${run.suite}`,
    "",
    `${run.startedAt}. Alternating rounds, ${roundCounts(run)} of ${run.secondsPerRound} s per peer; medians, with the`,
    "smallest and largest round in parentheses. Ratios are taken round by round.",
    "",
    ...formatMachine(run.machine)
      .split("\n")
      .map((line) => `- ${line}`),
    "",
    `![Every measure, each peer relative to the largest](${run.suite}.svg)`,
    "",
    "| measure | ratio or figure | bar | |",
    "|---|---|---|---|",
  ];
  for (const { title, verdicts, failure } of run.outcomes) {
    if (failure !== undefined) lines.push(`| ${title} | | | failed: ${failure.replaceAll("|", "\\|")} |`);
    for (const verdict of verdicts) {
      lines.push(
        `| ${title} | ${verdict.label}: ${formatVerdict(verdict)} | ${verdict.bar} | ${verdict.outcome} |`,
      );
    }
  }
  for (const { title, result } of run.outcomes) {
    if (!result) continue;
    lines.push("", `## ${title}`, "");
    for (const series of result.series)
      lines.push(`- ${series.peer}: ${formatSeries(series, result.unit).trim()}`);
    for (const note of result.notes) lines.push("", note);
  }
  return `${lines.join("\n")}\n`;
}
