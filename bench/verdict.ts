/*
 * Holds a result against its bars.
 *
 * Decides met or missed from the median of the rounds, never from the best one. A bar whose subject or peer was left
 * out on the command line is "not measured", which is neither.
 */
import { ratioPerCpuSecond, ratioPerRound, spread } from "./rounds.ts";
import type { Spread } from "./rounds.ts";
import type { Bar, MeasureResult } from "./suite.ts";

export interface Verdict {
  /** `httpy / node-http` for a ratio, `httpy` for a fixed figure. */
  label: string;
  /** `≥ 2.0 ×` or `≤ 64 KiB`. */
  bar: string;
  measured: Spread | null;
  /** For ratios of work over time: the same per second of server CPU. It explains; the bar is held against `measured`. */
  measuredPerCpuSecond: Spread | null;
  outcome: "met" | "missed" | "not measured";
}

export function judge(result: MeasureResult): Verdict[] {
  return result.bars.map((bar) => judgeBar(bar, result));
}

function judgeBar(bar: Bar, result: MeasureResult): Verdict {
  const sign = bar.direction === "at least" ? "≥" : "≤";
  const find = (name: string) => result.series.find((series) => series.peer === name);
  const subject = find(bar.subject);
  let measured: Spread | null = null;
  let measuredPerCpuSecond: Spread | null = null;
  if (bar.kind === "ratio") {
    const peer = find(bar.peer);
    if (subject && peer) {
      measured = ratioPerRound(subject, peer);
      measuredPerCpuSecond = ratioPerCpuSecond(subject, peer);
    }
  } else if (subject) {
    measured = spread(subject.samples.map((sample) => sample.value));
  }
  const wanted = bar.kind === "ratio" ? bar.factor : bar.limit;
  return {
    label: bar.kind === "ratio" ? `${bar.subject} / ${bar.peer}` : bar.subject,
    bar: bar.kind === "ratio" ? `${sign} ${bar.factor} ×` : `${sign} ${bar.limit} ${result.unit}`,
    measured,
    measuredPerCpuSecond,
    outcome: measured === null ? "not measured" : passes(measured.median, bar, wanted) ? "met" : "missed",
  };
}

function passes(value: number, bar: Bar, wanted: number): boolean {
  return bar.direction === "at least" ? value >= wanted : value <= wanted;
}
