/*
 * The vocabulary every suite shares: what a measure is, what it returns, what a bar is.
 *
 * A suite is a list of measures. A measure runs its peers in alternating rounds and returns one series per peer
 * (one sample per round) together with the bars that hold the project's own server against a peer or against a
 * fixed figure. Printing and reporting read only these types, so a new suite needs no change in either.
 *
 * Invariant: every series of one result has its samples in the same round order, so that a ratio can be taken
 * round by round; the same slow moment of the machine then falls on both sides of it.
 */

export type Direction = "at least" | "at most";

/** The project's bar: `subject` over `peer`, per round, is at least (or at most) `factor`. */
export interface RatioBar {
  kind: "ratio";
  subject: string;
  peer: string;
  direction: Direction;
  factor: number;
}

/** A bar against a fixed figure in the result's unit; every sample of `subject` counts. */
export interface LimitBar {
  kind: "limit";
  subject: string;
  direction: Direction;
  limit: number;
}

export type Bar = RatioBar | LimitBar;

/** `subject` does so many times as much as `peer`, or more. */
export function atLeast(subject: string, peer: string, factor: number): RatioBar {
  return { kind: "ratio", subject, peer, direction: "at least", factor };
}

export interface Sample {
  value: number;
  /** How long the timed part took, for measures of work over time. */
  seconds?: number;
  p50Us?: number;
  p99Us?: number;
  /** Share of one core the server used, 0 to 1; below about 0.9 the load, not the server, set the pace. */
  serverCpu?: number;
}

export interface Series {
  peer: string;
  samples: Sample[];
}

export interface MeasureResult {
  unit: string;
  better: "higher" | "lower";
  series: Series[];
  bars: Bar[];
  /** Facts a reader needs to judge the figures, one sentence each. */
  notes: string[];
}

/** What the command line decided, and how a measure speaks while it runs. */
export interface RunOptions {
  rounds: number;
  secondsPerRound: number;
  warmupSeconds: number;
  quick: boolean;
  /** Those of a measure's peers that the command line lets take part, in the measure's order. */
  selectPeers: (peers: string[]) => string[];
  progress: (line: string) => void;
}

export interface Measure {
  name: string;
  title: string;
  peers: string[];
  run(options: RunOptions): Promise<MeasureResult>;
}

export interface Suite {
  name: string;
  /** Tools and packages the suite needs, checked before the first measure. */
  prepare(options: RunOptions): Promise<void>;
  measures: Measure[];
  /** What a published report says before its figures, in Markdown. */
  preface?: string;
}

/** A fault the reader can act on; it is printed as one line, without a stack. */
export class BenchError extends Error {}
