/*
 * Results as people and programs read them: a table on the terminal, JSON, and a Markdown report with a chart.
 *
 * All three are made from the same outcomes and nothing is typed in by hand. The report goes to build/bench/, which
 * is not kept in the repository: figures belong to the machine they were taken on.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "./chart.ts";
import type { Machine } from "./machine.ts";
import { reportFolder } from "./paths.ts";
import { spread } from "./rounds.ts";
import type { Spread } from "./rounds.ts";
import type { MeasureResult, Series } from "./suite.ts";
import type { Verdict } from "./verdict.ts";

/** What became of one measure: a result with its verdicts, or the reason there is none. */
export interface Outcome {
  name: string;
  title: string;
  result?: MeasureResult;
  verdicts: Verdict[];
  failure?: string;
}

export interface SuiteRun {
  suite: string;
  startedAt: string;
  rounds: number;
  secondsPerRound: number;
  machine: Machine;
  outcomes: Outcome[];
}

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

/** Writes SUITE.json, SUITE.svg and SUITE.md, and returns the Markdown's path. */
export function writeReport(run: SuiteRun): string {
  mkdirSync(reportFolder, { recursive: true });
  const write = (extension: string, text: string) => {
    const path = join(reportFolder, `${run.suite}.${extension}`);
    writeFileSync(path, text);
    return path;
  };
  write("json", `${JSON.stringify(run, null, 2)}\n`);
  write("svg", drawChart(run));
  return write("md", formatMarkdown(run));
}

function formatMarkdown(run: SuiteRun): string {
  const lines = [
    `# Bench: ${run.suite}`,
    "",
    `${run.startedAt}. ${run.rounds} alternating rounds of ${run.secondsPerRound} s per peer; medians, with the`,
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
