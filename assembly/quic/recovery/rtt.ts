/**
 * The round-trip time of a path: RFC 9002 §5, and the periods that are made of it.
 *
 * Times are f64 milliseconds. Before the first sample the estimate is that of §6.2.2. Whose delay may be subtracted, and up to
 * which bound, is decided here; whether an acknowledgement gives a sample at all (§5.1) is decided in acknowledgement.ts.
 */

/** RFC 9002 §6.2.2: kInitialRtt. */
export const INITIAL_RTT_MS: f64 = 333;
/** RFC 9002 §6.1.2: kGranularity, which is also what timers of the hosts can do. */
export const GRANULARITY_MS: f64 = 1;
/** RFC 9000 §18.2: max_ack_delay where the peer names none. */
export const DEFAULT_MAX_ACK_DELAY_MS: f64 = 25;
/** RFC 9002 §7.6.1: kPersistentCongestionThreshold. */
const PERSISTENT_CONGESTION_THRESHOLD: f64 = 3;
/** RFC 9002 §6.1.2: kTimeThreshold. */
const TIME_THRESHOLD: f64 = 9.0 / 8.0;

/** Six f64: see the fields. */
@unmanaged
export class Rtt {
  latestMs: f64;
  smoothedMs: f64;
  variationMs: f64;
  minMs: f64;
  /** When the first sample was taken; Infinity before. */
  firstSampleAtMs: f64;
  /** The peer's max_ack_delay. */
  maxAckDelayMs: f64;
}

/** RFC 9002 §5.3, §6.2.2: before any sample. `maxAckDelayMs` is kept, since it belongs to the peer and not to the path. */
export function rttReset(rtt: Rtt, initialMs: f64): void {
  rtt.latestMs = 0;
  rtt.smoothedMs = initialMs;
  rtt.variationMs = initialMs / 2;
  rtt.minMs = 0;
  rtt.firstSampleAtMs = Infinity;
}

// @ts-ignore: decorator
@inline
export function rttHasSample(rtt: Rtt): bool {
  return rtt.firstSampleAtMs != Infinity;
}

/**
 * RFC 9002 §5.2, §5.3. `ackDelayMs` is what the peer reported: 0 for Initial packets, whose delay is ignored.
 * `isConfirmed`: only then the peer has to keep to its max_ack_delay.
 */
export function rttSample(rtt: Rtt, sampleMs: f64, ackDelayMs: f64, isConfirmed: bool, nowMs: f64): void {
  rtt.latestMs = sampleMs;
  if (!rttHasSample(rtt)) {
    rtt.minMs = sampleMs;
    rtt.smoothedMs = sampleMs;
    rtt.variationMs = sampleMs / 2;
    rtt.firstSampleAtMs = nowMs;
    return;
  }
  rtt.minMs = min(rtt.minMs, sampleMs);
  const delayMs = isConfirmed ? min(ackDelayMs, rtt.maxAckDelayMs) : ackDelayMs;
  // The delay is never subtracted where this would go below the path's least.
  const adjustedMs = sampleMs >= rtt.minMs + delayMs ? sampleMs - delayMs : sampleMs;
  rtt.variationMs = (3 * rtt.variationMs + abs(rtt.smoothedMs - adjustedMs)) / 4;
  rtt.smoothedMs = (7 * rtt.smoothedMs + adjustedMs) / 8;
}

/** RFC 9002 §6.1.2: how long after a later packet was acknowledged an earlier one counts as lost. */
export function lossDelayMs(rtt: Rtt): f64 {
  return max(TIME_THRESHOLD * max(rtt.latestMs, rtt.smoothedMs), GRANULARITY_MS);
}

/** RFC 9002 §6.2.1, without max_ack_delay and backoff. */
export function probeTimeoutMs(rtt: Rtt): f64 {
  return rtt.smoothedMs + max(4 * rtt.variationMs, GRANULARITY_MS);
}

/** RFC 9002 §7.6.1. */
export function persistentCongestionMs(rtt: Rtt): f64 {
  return (probeTimeoutMs(rtt) + rtt.maxAckDelayMs) * PERSISTENT_CONGESTION_THRESHOLD;
}
