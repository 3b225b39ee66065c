/**
 * Pacing, RFC 9002 §7.7: packets leave at 1.25 times the window per round trip, or at the rate that BBR asks for, in bursts that a
 * timer of one millisecond can serve, and no faster.
 *
 * A bucket of bytes fills at that rate and holds one burst: ten packets, or two milliseconds' worth where that is more. When it
 * is short, the next time to send is when it holds a worthwhile group again, and at least a millisecond away, since no host's
 * timer is finer. Packets that are not paced (acknowledgements, probes) may take it below zero.
 */
import { bbrOf } from "./bbr_state.ts";
import { Congestion } from "./congestion_state.ts";
import { GRANULARITY_MS, Rtt } from "./rtt.ts";

/** RFC 9002 §7.7: N. */
const RATE_FACTOR: f64 = 1.25;
/** RFC 9002 §7.7: bursts SHOULD stay within the initial window, which is ten packets. */
const BURST_DATAGRAMS: f64 = 10;
const BURST_MS: f64 = 2;

/** Two f64. */
@unmanaged
export class Pacer {
  /** Bytes that may be sent at once. */
  tokens: f64;
  filledAtMs: f64;
}

/** A full bucket. */
export function pacerReset(pacer: Pacer, congestion: Congestion, nowMs: f64): void {
  pacer.tokens = BURST_DATAGRAMS * congestion.datagramSize;
  pacer.filledAtMs = nowMs;
}

/** Bytes per millisecond: BBR's own once it has one. */
export function pacingRate(congestion: Congestion, rtt: Rtt): f64 {
  if (congestion.bbr != 0 && bbrOf(congestion).pacingRate != 0) return bbrOf(congestion).pacingRate;
  return (RATE_FACTOR * congestion.window) / max(rtt.smoothedMs, GRANULARITY_MS);
}

/** When a packet of `size` may be sent: `nowMs`, or later. */
export function pacerReadyAtMs(pacer: Pacer, congestion: Congestion, rtt: Rtt, size: u32, nowMs: f64): f64 {
  const rate = pacingRate(congestion, rtt);
  fill(pacer, congestion, rate, nowMs);
  if (pacer.tokens >= <f64>size) return nowMs;
  const group = max(<f64>size, rate * GRANULARITY_MS);
  return nowMs + max((group - pacer.tokens) / rate, GRANULARITY_MS);
}

export function pacerOnSent(pacer: Pacer, congestion: Congestion, rtt: Rtt, size: u32, nowMs: f64): void {
  fill(pacer, congestion, pacingRate(congestion, rtt), nowMs);
  // Unpaced packets delay paced ones by one burst at most.
  pacer.tokens = max(pacer.tokens - <f64>size, -burst(congestion, pacingRate(congestion, rtt)));
}

function fill(pacer: Pacer, congestion: Congestion, rate: f64, nowMs: f64): void {
  const elapsedMs = max(nowMs - pacer.filledAtMs, 0);
  pacer.tokens = min(pacer.tokens + elapsedMs * rate, burst(congestion, rate));
  pacer.filledAtMs = nowMs;
}

// @ts-ignore: decorator
@inline
function burst(congestion: Congestion, rate: f64): f64 {
  return max(BURST_DATAGRAMS * congestion.datagramSize, rate * BURST_MS);
}
