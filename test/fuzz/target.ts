// What a fuzz target is: one round, made of nothing but its seed.

export interface FuzzTarget {
  /** Runs one round; throws what went wrong. */
  round(seed: number): void;
}

export interface FuzzOptions {
  /** Seed of the first round; the next ones count up. */
  readonly seed: number;
  readonly seconds: number;
}

/** Runs rounds until the time is over; answers how many. An error carries the seed of its round. */
export function fuzz(target: FuzzTarget, { seed, seconds }: FuzzOptions): number {
  const end = performance.now() + seconds * 1000;
  let rounds = 0;
  do {
    try {
      target.round(seed + rounds);
    } catch (error) {
      throw new Error(`seed ${seed + rounds}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    rounds++;
  } while (performance.now() < end);
  return rounds;
}
