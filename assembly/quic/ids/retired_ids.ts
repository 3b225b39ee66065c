/**
 * Connection IDs of the peer that this side has given up: RETIRE_CONNECTION_ID for each is owed until it is acknowledged.
 *
 * A peer can make this list grow by retiring IDs as fast as it issues them while it acknowledges nothing (CVE-2024-22189), so it
 * has an end, and reaching that is an error of the peer.
 */

/** QUIC.md: quinn keeps 50, quiche three times the limit of active IDs. */
export const RETIRED_ID_COUNT: u32 = 32;

/** No number has these bits: a varint has 62. */
const SENT_BIT: u64 = 1 << 63;

/** The answer when nothing is owed. */
export const NO_SEQUENCE: u64 = u64.MAX_VALUE;

/** The count, then RETIRED_ID_COUNT numbers, with SENT_BIT while their frame is under way. */
@unmanaged
export class RetiredIds {
  count: u64;
}

const NUMBERS_AT: usize = offsetof<RetiredIds>();
export const RETIRED_IDS_BYTES: u32 = <u32>NUMBERS_AT + RETIRED_ID_COUNT * sizeof<u64>();

/** Adds a number. False when there is no room. */
export function retiredIdsAdd(ids: RetiredIds, sequence: u64): bool {
  if (ids.count >= RETIRED_ID_COUNT) return false;
  store<u64>(numberAt(ids, <u32>ids.count), sequence);
  ids.count++;
  return true;
}

/** The oldest number whose frame has to be sent; NO_SEQUENCE when there is none. */
export function retiredIdsOwed(ids: RetiredIds): u64 {
  for (let index: u32 = 0; index < <u32>ids.count; index++) {
    const number = load<u64>(numberAt(ids, index));
    if ((number & SENT_BIT) == 0) return number;
  }
  return NO_SEQUENCE;
}

export function retiredIdsOnSent(ids: RetiredIds, sequence: u64): void {
  const at = find(ids, sequence);
  if (at != 0) store<u64>(at, sequence | SENT_BIT);
}

export function retiredIdsOnLost(ids: RetiredIds, sequence: u64): void {
  const at = find(ids, sequence);
  if (at != 0) store<u64>(at, sequence);
}

export function retiredIdsOnAcked(ids: RetiredIds, sequence: u64): void {
  const at = find(ids, sequence);
  if (at == 0) return;
  ids.count--;
  memory.copy(at, at + sizeof<u64>(), numberAt(ids, <u32>ids.count) - at);
}

function find(ids: RetiredIds, sequence: u64): usize {
  for (let index: u32 = 0; index < <u32>ids.count; index++) {
    const at = numberAt(ids, index);
    if ((load<u64>(at) & ~SENT_BIT) == sequence) return at;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function numberAt(ids: RetiredIds, index: u32): usize {
  return changetype<usize>(ids) + NUMBERS_AT + index * sizeof<u64>();
}
