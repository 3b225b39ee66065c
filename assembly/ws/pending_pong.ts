/**
 * The answer owed to pings, RFC 6455 §5.5.3: an endpoint that has not yet answered earlier pings may answer only the latest.
 * So one pong at most is pending, whatever a peer sends while it does not read.
 */

import { CONTROL_PAYLOAD_BYTES_MAX } from "./frame_header.ts";

/**
 * All bytes zero = nothing pending. PENDING_PONG_BYTES is what to allocate.
 *
 *   0       4         129
 *   ┌───────┬─────────┐
 *   │ state │ payload │
 *   └───────┴─────────┘
 */
@unmanaged
export class PendingPong {
  /** 0, or the length of the pending payload plus one. */
  state: u32;
}

export const PENDING_PONG_BYTES: u32 = offsetof<PendingPong>() + CONTROL_PAYLOAD_BYTES_MAX;

/** Takes a copy of a ping's payload, in place of an earlier one. */
export function pendingPongSet(pong: PendingPong, ptr: usize, len: u32): void {
  assert(len <= CONTROL_PAYLOAD_BYTES_MAX);
  pong.state = len + 1;
  memory.copy(changetype<usize>(pong) + offsetof<PendingPong>(), ptr, len);
}

export function hasPendingPong(pong: PendingPong): bool {
  return pong.state != 0;
}

/** Where the payload lies, to be copied before the next `pendingPongSet`. */
export function pendingPongPtr(pong: PendingPong): usize {
  return changetype<usize>(pong) + offsetof<PendingPong>();
}

/** Length of the payload; only while a pong is pending. */
export function pendingPongLen(pong: PendingPong): u32 {
  return pong.state - 1;
}

export function pendingPongClear(pong: PendingPong): void {
  pong.state = 0;
}
