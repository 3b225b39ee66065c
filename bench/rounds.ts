/*
 * Alternating rounds and the figures taken from them.
 *
 * Peers run A B C, A B C, …: one after another within a round, so that a machine that slows down or warms up does so
 * for all of them. A ratio is taken within each round and the median of those ratios is what a bar is held against;
 * the smallest and the largest say how far to trust it.
 *
 * Invariant: a sample that fails throws; a round is never quietly dropped, since that would select the good ones.
 */
import type { Series, Sample } from "./suite.ts";

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export async function alternate(
  peers: string[],
  roundCount: number,
  takeSample: (peer: string, round: number) => Promise<Sample>,
): Promise<Series[]> {
  const series: Series[] = peers.map((peer) => ({ peer, samples: [] }));
  for (let round = 0; round < roundCount; round++) {
    for (const { peer, samples } of series) samples.push(await takeSample(peer, round));
  }
  return series;
}

export function median(values: number[]): number {
  if (values.length === 0) throw new RangeError("median of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] as number;
  if (sorted.length % 2 === 1) return upper;
  return (upper + (sorted[(sorted.length >> 1) - 1] as number)) / 2;
}

export function spread(values: number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function ratioPerRound(subject: Series, peer: Series): Spread {
  return spread(ratios(subject, peer, ({ value }) => value));
}

/**
 * The same of work done per second of the server's own CPU time, or null where that is not known. Another program that
 * takes time away from one side's round changes this far less.
 */
export function ratioPerCpuSecond(subject: Series, peer: Series): Spread | null {
  const isKnown = [...subject.samples, ...peer.samples].every(
    ({ serverCpu }) => serverCpu !== undefined && serverCpu > 0,
  );
  return isKnown
    ? spread(ratios(subject, peer, ({ value, serverCpu }) => value / (serverCpu as number)))
    : null;
}

function ratios(subject: Series, peer: Series, figureOf: (sample: Sample) => number): number[] {
  if (subject.samples.length !== peer.samples.length) {
    throw new RangeError(
      `${subject.peer} has ${subject.samples.length} rounds and ${peer.peer} ${peer.samples.length}`,
    );
  }
  return subject.samples.map((sample, round) => figureOf(sample) / figureOf(peer.samples[round] as Sample));
}
