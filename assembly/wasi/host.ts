/**
 * What the engine needs of the world besides connections: two clocks and randomness. Each kind of WASI has its own
 * (preview1.ts, preview2.ts); everything else in this room is the same for both.
 */
export abstract class Host {
  /** Milliseconds of a clock that never goes back. */
  abstract now(): f64;
  /** Milliseconds since 1970, UTC. */
  abstract wallClock(): f64;
  /** Fills [dest, dest + len) with randomness. */
  abstract entropy(dest: usize, len: u32): void;
}
