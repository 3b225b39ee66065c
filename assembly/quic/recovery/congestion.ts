/**
 * Congestion control, RFC 9002 §7: the one interface through which the rest of the room meets the algorithms.
 *
 * What holds for all of them is here: bytes in flight, slow start, the recovery period in which nothing grows and nothing is
 * reduced twice, windows that are not used and so do not grow (§7.8), persistent congestion. Knows no packets: who calls tells
 * sizes and times of sending. BBR has more to ask of packets, and is told of them by those who know them.
 *
 * Invariant: the window is never below two datagrams.
 */
import { bbrOnEvent, bbrReset } from "./bbr.ts";
import {
  Congestion,
  CongestionAlgorithm,
  initialWindow,
  isSlowStart,
  minimumWindow,
} from "./congestion_state.ts";
import { cubicAvoid, cubicCollapse, cubicReduce, cubicResume } from "./cubic.ts";
import { hystartGrowth, hystartOnAck, hystartReset } from "./hystart.ts";
import { newRenoAvoid, newRenoReduce } from "./new_reno.ts";

/** A window with less room than this many datagrams is used up: the next packet did not fit, or waited for its group. */
const USED_UP_DATAGRAMS: f64 = 3;

/** A path of which nothing is known, RFC 9002 B.3. `algorithm` and nothing else must be set. */
export function congestionReset(congestion: Congestion, datagramSize: u32): void {
  congestion.datagramSize = datagramSize;
  congestion.window = initialWindow(congestion);
  congestion.threshold = Infinity;
  congestion.recoveryStartMs = -Infinity;
  congestion.bytesInFlight = 0;
  congestion.maxSegments = 0;
  congestion.priorSegments = 0;
  congestion.estimateSegments = 0;
  congestion.k = 0;
  congestion.epochStartMs = -1;
  congestion.underusedSinceMs = -1;
  hystartReset(congestion);
  if (congestion.bbr == 0) return;
  // It has no slow start.
  congestion.threshold = 0;
  bbrReset(congestion);
}

/**
 * RFC 9002 §7.2: the largest datagram changed. A window that is still the initial one is made anew, and so is any window of a
 * path on which the size had to shrink.
 */
export function congestionSetDatagramSize(congestion: Congestion, datagramSize: u32): void {
  const isInitial = congestion.window == initialWindow(congestion) && congestion.threshold == Infinity;
  const isSmaller = <f64>datagramSize < congestion.datagramSize;
  congestion.datagramSize = datagramSize;
  if (isInitial || isSmaller) congestion.window = initialWindow(congestion);
  else congestion.window = max(congestion.window, minimumWindow(congestion));
}

/** RFC 9002 §7: may a packet of `size` be sent. Probes and packets that are only acknowledgements do not ask. */
// @ts-ignore: decorator
@inline
export function congestionHasRoom(congestion: Congestion, size: u32): bool {
  return <f64>congestion.bytesInFlight + <f64>size <= congestion.window;
}

// @ts-ignore: decorator
@inline
export function congestionOnSent(congestion: Congestion, size: u32): void {
  congestion.bytesInFlight += size;
}

/** Bytes that are no longer in flight, whatever became of them. */
// @ts-ignore: decorator
@inline
export function congestionLeft(congestion: Congestion, size: u32): void {
  congestion.bytesInFlight -= min(size, congestion.bytesInFlight);
}

/**
 * RFC 9002 §7.8: is the window used up, so that it may grow. Asked before the acknowledged bytes are taken off. In slow start
 * half of it is enough, since a round of acknowledgements doubles it. `isPaced`: sending waits for the pacer.
 */
export function congestionIsUsed(congestion: Congestion, isPaced: bool): bool {
  const inFlight = <f64>congestion.bytesInFlight;
  if (isPaced || inFlight + USED_UP_DATAGRAMS * congestion.datagramSize > congestion.window) return true;
  return isSlowStart(congestion) && inFlight > congestion.window / 2;
}

/**
 * RFC 9002 B.5: `bytes` in flight of packets sent at `sentAtMs` were acknowledged. They are taken off the bytes in flight
 * by `congestionLeft`.
 */
export function congestionOnAcked(
  congestion: Congestion,
  bytes: u32,
  sentAtMs: f64,
  isUsed: bool,
  smoothedMs: f64,
  nowMs: f64,
): void {
  const isCubic = congestion.algorithm == CongestionAlgorithm.CUBIC;
  if (!isUsed) {
    if (congestion.underusedSinceMs < 0) congestion.underusedSinceMs = nowMs;
    return;
  }
  if (congestion.underusedSinceMs >= 0) cubicResume(congestion, nowMs);
  if (sentAtMs <= congestion.recoveryStartMs) return;
  if (isSlowStart(congestion)) {
    congestion.window += isCubic ? hystartGrowth(congestion, bytes) : <f64>bytes;
  } else if (isCubic) {
    cubicAvoid(congestion, bytes, smoothedMs, nowMs);
  } else {
    newRenoAvoid(congestion, bytes);
  }
}

/** After all packets of one ACK frame: does slow start end because round trips grow (RFC 9406). */
export function congestionOnRound(
  congestion: Congestion,
  largest: u64,
  nextNumber: u64,
  sampleMs: f64,
): void {
  if (congestion.algorithm != CongestionAlgorithm.CUBIC || congestion.threshold != Infinity) return;
  hystartOnAck(congestion, largest, nextNumber, sampleMs);
}

/** RFC 9002 B.6: packets were lost or marked, the latest of which was sent at `sentAtMs`. One reduction per round trip. */
export function congestionOnEvent(congestion: Congestion, sentAtMs: f64, nowMs: f64): void {
  if (congestion.bbr != 0) return bbrOnEvent(congestion);
  if (sentAtMs <= congestion.recoveryStartMs) return;
  congestion.recoveryStartMs = nowMs;
  if (congestion.algorithm == CongestionAlgorithm.CUBIC) cubicReduce(congestion);
  else newRenoReduce(congestion);
}

/** RFC 9002 §7.6.2: nothing came through for long. The threshold stays, so slow start leads back to it. */
export function congestionCollapse(congestion: Congestion): void {
  congestion.window = minimumWindow(congestion);
  congestion.recoveryStartMs = -Infinity;
  if (congestion.algorithm == CongestionAlgorithm.CUBIC) cubicCollapse(congestion);
}
