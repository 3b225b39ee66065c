/**
 * Tokens that were used, so that each works once, RFC 9000 §8.1.3.
 *
 * A token of NEW_TOKEN holds for a day, and no memory is large enough for all of a day. A bucket that is full gives up the token
 * that ends first, and takes none that ends as early. So whatever it has given up is refused until it has ended by itself: what
 * cannot be remembered is not let through. Under load tokens are lost, the oldest first, and none is ever taken twice. A lost
 * token costs its client what having none costs.
 *
 *   bucket:  │ 8 × { token (8), endsAtMs (8) } │
 *
 * Invariant: a token that was taken and has not ended is in its bucket, or ends no later than anything there. An endpoint that
 * starts anew has forgotten what was used before.
 */

/** What tells a token, and when it ends; 0 is a free entry. */
@unmanaged
class UsedToken {
  identity: u64;
  endsAtMs: f64;
}

const ENTRY_BYTES: u32 = <u32>offsetof<UsedToken>();
const BUCKET_ENTRIES: u32 = 8;
const BUCKET_BYTES: u32 = BUCKET_ENTRIES * ENTRY_BYTES;


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

/** Remembers a token that has not ended, but will at `endsAtMs`. False when it was seen before, or may have been. */
export function tokenFilterIsFirst(filter: TokenFilter, identity: u64, endsAtMs: f64): bool {
  // The identity is a cipher's output: any of its bits spread it evenly.
  const bucket = filter.buckets + <usize>(<u32>identity % filter.bucketCount) * BUCKET_BYTES;
  let earliest: usize = 0;
  let earliestMs: f64 = Infinity;
  for (let index: u32 = 0; index < BUCKET_ENTRIES; index++) {
    const entry = changetype<UsedToken>(bucket + index * ENTRY_BYTES);
    if (entry.identity == identity && entry.endsAtMs == endsAtMs) return false;
    if (entry.endsAtMs >= earliestMs) continue;
    earliest = changetype<usize>(entry);
    earliestMs = entry.endsAtMs;
  }
  if (endsAtMs <= earliestMs) return false;
  const entry = changetype<UsedToken>(earliest);
  entry.identity = identity;
  entry.endsAtMs = endsAtMs;
  return true;
}
