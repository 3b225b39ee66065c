/**
 * Tokens that were used, so that each works once, RFC 9000 §8.1.3.
 *
 * A token of NEW_TOKEN holds for a day, and no memory is large enough for all of a day. A bucket that is full forgets the token
 * that ends first, and from then on refuses every token that ends as early: what it cannot remember it does not let through.
 * So tokens are lost under load, the oldest first, and none is ever taken twice. A lost token costs its client what having none
 * costs.
 *
 *   bucket:  │ floorMs (8) │ 7 × { token (8), endsAtMs (8) } │ 8 unused
 *
 * An endpoint that starts anew has forgotten what was used before.
 */

/** What tells a token, and when it ends; 0 is a free entry. */
@unmanaged
class UsedToken {
  identity: u64;
  endsAtMs: f64;
}


@unmanaged
class Bucket {
  /** Tokens that end at this time or before are refused. */
  floorMs: f64;
  unused: f64;
}

const ENTRY_BYTES: u32 = <u32>offsetof<UsedToken>();
const ENTRIES_AT: usize = offsetof<Bucket>();
const BUCKET_ENTRIES: u32 = 7;
const BUCKET_BYTES: u32 = <u32>ENTRIES_AT + BUCKET_ENTRIES * ENTRY_BYTES;


@unmanaged
export class TokenFilter {
  buckets: usize;
  bucketCount: u32;
}

/** Lays an empty filter over the `len` bytes at `region`, of which it uses all that make whole buckets: one at least. */
export function tokenFilterOpen(filter: TokenFilter, region: usize, len: u32): void {
  filter.buckets = region;
  filter.bucketCount = len / BUCKET_BYTES;
  assert(filter.bucketCount != 0, "there is no room for one bucket");
  memory.fill(region, 0, filter.bucketCount * BUCKET_BYTES);
}

/** Remembers a token that ends at `endsAtMs`, above 0. False when it was seen before, or may have been. */
export function tokenFilterIsFirst(filter: TokenFilter, identity: u64, endsAtMs: f64, nowMs: f64): bool {
  // The identity is a cipher's output: any of its bits spread it evenly.
  const bucket = filter.buckets + <usize>(<u32>identity % filter.bucketCount) * BUCKET_BYTES;
  if (endsAtMs <= changetype<Bucket>(bucket).floorMs) return false;
  let earliest: usize = 0;
  let earliestMs: f64 = Infinity;
  for (let index: u32 = 0; index < BUCKET_ENTRIES; index++) {
    const entry = changetype<UsedToken>(bucket + ENTRIES_AT + index * ENTRY_BYTES);
    if (entry.identity == identity && entry.endsAtMs == endsAtMs) return false;
    if (entry.endsAtMs >= earliestMs) continue;
    earliest = changetype<usize>(entry);
    earliestMs = entry.endsAtMs;
  }
  const entry = changetype<UsedToken>(earliest);
  if (earliestMs > nowMs) {
    changetype<Bucket>(bucket).floorMs = max(changetype<Bucket>(bucket).floorMs, min(earliestMs, endsAtMs));
    // The token at hand may itself be the one that ends first.
    if (endsAtMs <= earliestMs) return false;
  }
  entry.identity = identity;
  entry.endsAtMs = endsAtMs;
  return true;
}
