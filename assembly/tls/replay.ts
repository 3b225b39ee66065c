/**
 * Each ticket brings early data once, RFC 8446 §8.1, within the window in which its ClientHello counts as fresh (§8.3).
 *
 * A table of the instance remembers the tickets that were used until no copy of their ClientHello could be fresh any more.
 * It has a fixed size: where there is no room, early data is refused, never let through unremembered. Rejected early data
 * costs its client a round trip and no more.
 *
 *   bucket of 8 entries, chosen by the ticket:  │ ticket (8) │ until when, ms (8) │ …
 */
import { SLAB_MAX, slabAllocate } from "../core/slab.ts";

/** How far a client's clock and the network may put a ClientHello off: QUIC.md's bound of ten seconds. */
export const FRESHNESS_WINDOW_MS: f64 = 10_000;
/** A copy is fresh at most from one edge of the window to the other. */
const REMEMBERED_MS: f64 = 2 * FRESHNESS_WINDOW_MS;

const ENTRY_BYTES: u32 = 16;
const BUCKET_ENTRIES: u32 = 8;
const BUCKET_COUNT: u32 = SLAB_MAX / (ENTRY_BYTES * BUCKET_ENTRIES);

let table: usize = 0;

/** Forgets everything: when the instance starts, since the table is a block of its slab. */
export function replayReset(): void {
  table = 0;
}

/** Remembers a ticket. False when it was seen before, or cannot be remembered. */
export function replayIsFirst(ticket: u64, nowMs: f64): bool {
  if (table == 0) {
    table = slabAllocate(SLAB_MAX);
    if (table == 0) return false;
    memory.fill(table, 0, SLAB_MAX);
  }
  // Tickets are a cipher's output: any of their bits spread them evenly.
  const bucket = table + (<u32>ticket % BUCKET_COUNT) * ENTRY_BYTES * BUCKET_ENTRIES;
  let free: usize = 0;
  for (let index: u32 = 0; index < BUCKET_ENTRIES; index++) {
    const entry = bucket + index * ENTRY_BYTES;
    if (load<f64>(entry, 8) <= nowMs) free = entry;
    else if (load<u64>(entry) == ticket) return false;
  }
  if (free == 0) return false;
  store<u64>(free, ticket);
  store<f64>(free, nowMs + REMEMBERED_MS, 8);
  return true;
}
