/**
 * A budget over time: a bucket that holds `burst` tokens at most and gains `perS` of them in a second.
 *
 * The caller gives both numbers with every call, so that a limit is read where it is kept. Time is milliseconds that never run
 * backwards; where they do, nothing is gained.
 */

const SECOND_MS: f64 = 1000;

/**
 *   0       8            16
 *   ┌───────┬────────────┐
 *   │ level │ filledAtMs │
 *   └───────┴────────────┘
 */
@unmanaged
export class TokenBucket {
  /** Tokens, not whole. */
  level: f64;
  filledAtMs: f64;
}

/** A full bucket. */
export function bucketOpen(bucket: TokenBucket, burst: f64, nowMs: f64): void {
  bucket.level = burst;
  bucket.filledAtMs = nowMs;
}

/** Takes one token. False when there is none. */
export function bucketTake(bucket: TokenBucket, burst: f64, perS: f64, nowMs: f64): bool {
  bucketFill(bucket, burst, perS, nowMs);
  if (bucket.level < 1) return false;
  bucket.level -= 1;
  return true;
}

/** Tokens that could be taken now. */
export function bucketLevel(bucket: TokenBucket, burst: f64, perS: f64, nowMs: f64): u32 {
  bucketFill(bucket, burst, perS, nowMs);
  return <u32>bucket.level;
}

function bucketFill(bucket: TokenBucket, burst: f64, perS: f64, nowMs: f64): void {
  const elapsedMs = max(nowMs - bucket.filledAtMs, 0);
  bucket.level = min(bucket.level + (elapsedMs * perS) / SECOND_MS, burst);
  bucket.filledAtMs = max(nowMs, bucket.filledAtMs);
}
