/*
 * One run of a suite: on which machine, and what became of each measure. It is what reports and charts are made from, and
 * what is kept as JSON.
 */
import type { Machine } from "./machine.ts";
import type { MeasureResult } from "./suite.ts";
import type { Verdict } from "./verdict.ts";

/** What became of one measure: a result with its verdicts, or the reason there is none. */
export interface Outcome {
  name: string;
  title: string;
  result?: MeasureResult;
  verdicts: Verdict[];
  failure?: string;
}

/** What one run gave; the report that it is kept in may hold measures of earlier runs, too. */
export interface SuiteRun {
  suite: string;
  startedAt: string;
  rounds: number;
  secondsPerRound: number;
  machine: Machine;
  outcomes: Outcome[];
}
