/**
 * What is legal and useless: frames that ask for work and carry nothing (PING, MAX_DATA that raises nothing, BLOCKED, resets of
 * what has ended, …), counted in a bucket that refills. A peer that empties it is not a peer but a flood.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { bucketOpen, bucketTake, TokenBucket } from "../../core/token_bucket.ts";
import { nowMs } from "../../session/deadline.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { QuicConnection } from "./connection.ts";

// @ts-ignore: decorator
@inline
function bucketOf(connection: QuicConnection): TokenBucket {
  return changetype<TokenBucket>(changetype<usize>(connection) + offsetof<QuicConnection>("glitchLevel"));
}

export function glitchesStart(connection: QuicConnection): void {
  bucketOpen(bucketOf(connection), limitOf(Limit.QUIC_GLITCH_BURST), nowMs);
}

/** One more. GLITCHES when there were too many. */
export function glitch(connection: QuicConnection): i32 {
  const burst = limitOf(Limit.QUIC_GLITCH_BURST);
  if (bucketTake(bucketOf(connection), burst, limitOf(Limit.QUIC_GLITCH_RATE_PER_S), nowMs)) return Status.OK;
  limitHit(Limit.QUIC_GLITCH_BURST);
  return QuicStatus.GLITCHES;
}
