/**
 * The ring of 32-byte records through which the engine tells the host what happened.
 *
 * One producer, the engine, and one consumer, the host, which never run at the same time: the host reads between calls. Both
 * counters lie in linear memory, so the host reads and advances without a call. They count records for ever and wrap at
 * 2^32; the record of count n lies at `n & (capacity - 1)`.
 *
 * What a record means is its user's business. A record is all zero when handed out, so that the same inputs leave the same
 * bytes. A record counts as pushed at once: whoever asks for one fills it before the call into the engine returns.
 *
 * Invariant: head - tail never exceeds the capacity. A tail that the host sets wrongly costs records, never memory outside
 * the ring.
 */

export const RING_RECORD_SIZE: u32 = 32;

/**
 *   0      4      8          12          32
 *   ┌──────┬──────┬──────────┬───────────┬──────────┬──────────┬───
 *   │ head │ tail │ capacity │ (padding) │ record 0 │ record 1 │ …
 *   └──────┴──────┴──────────┴───────────┴──────────┴──────────┴───
 *
 * Padded to one record, so that records start at a multiple of their size from a base aligned to it.
 */
@unmanaged
class RingControl {
  /** Records pushed so far. Written by the engine alone. */
  head: u32;
  /** Records consumed so far. Written by the host alone. */
  tail: u32;
  /** Records there is room for: a power of two. */
  capacity: u32;
}

const RECORDS_OFFSET: usize = RING_RECORD_SIZE;

let ring: usize = 0;

/** Bytes that a ring of `capacity` records takes, control words included. */
export function ringByteLength(capacity: u32): u32 {
  return <u32>RECORDS_OFFSET + capacity * RING_RECORD_SIZE;
}

/** Lays an empty ring at `base`, which is aligned to 32 bytes. `capacity` is a power of two. */
export function ringInitialize(base: usize, capacity: u32): void {
  assert((base & (RING_RECORD_SIZE - 1)) == 0);
  assert(popcnt(capacity) == 1);
  ring = base;
  const control = changetype<RingControl>(ring);
  control.head = 0;
  control.tail = 0;
  control.capacity = capacity;
}

/** Address of the next record, zeroed, for the caller to fill; 0 when the host has to catch up first. */
export function ringPush(): usize {
  const control = changetype<RingControl>(ring);
  const head = control.head;
  if (head - control.tail >= control.capacity) return 0;
  control.head = head + 1;
  const record = ring + RECORDS_OFFSET + (head & (control.capacity - 1)) * RING_RECORD_SIZE;
  const zero = i64x2.splat(0);
  v128.store(record, zero);
  v128.store(record, zero, sizeof<v128>());
  return record;
}

/** How many records can be pushed before the ring is full. */
export function ringFree(): u32 {
  const control = changetype<RingControl>(ring);
  const used = control.head - control.tail;
  return used < control.capacity ? control.capacity - used : 0;
}
