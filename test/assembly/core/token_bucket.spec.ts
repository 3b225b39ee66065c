/** The bucket holds what its burst says and gains what its rate says, and no clock that runs back makes it gain more. */

import { TokenBucket, bucketLevel, bucketOpen, bucketTake } from "../../../assembly/core/token_bucket.ts";

const bucket = changetype<TokenBucket>(heap.alloc(offsetof<TokenBucket>()));

/** Takes until there is none, and answers how many there were. */
function drain(burst: f64, perS: f64, nowMs: f64): u32 {
  let taken: u32 = 0;
  while (bucketTake(bucket, burst, perS, nowMs)) taken++;
  return taken;
}

describe("a budget over time", () => {
  test("begins full, and fills at its rate, no further than its burst", () => {
    bucketOpen(bucket, 5, 1000);
    expect(bucketLevel(bucket, 5, 10, 1000)).toBe(5);
    expect(drain(5, 10, 1000)).toBe(5);
    expect(drain(5, 10, 1099)).toBe(0);
    expect(drain(5, 10, 1100)).toBe(1);
    expect(drain(5, 10, 1350)).toBe(2);
    // The half that was left counts.
    expect(drain(5, 10, 1400)).toBe(1);
    expect(drain(5, 10, 9000)).toBe(5);
  });

  test("gains nothing from a clock that runs back and forth", () => {
    bucketOpen(bucket, 5, 1000);
    drain(5, 10, 1000);
    for (let round = 0; round < 100; round++) {
      expect(drain(5, 10, 0)).toBe(0);
      expect(drain(5, 10, 1000)).toBe(0);
    }
  });

  test("never gives anything with a burst of 0", () => {
    bucketOpen(bucket, 0, 0);
    expect(drain(0, 1000, 1_000_000)).toBe(0);
  });
});
