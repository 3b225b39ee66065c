/**
 * What every congestion controller keeps, and the constants of RFC 9002 §7 that all of them share. Bytes are f64, whole or
 * not: growth of less than a byte adds up instead of being lost.
 *
 * The algorithms are new_reno.ts, cubic.ts and bbr.ts; hystart.ts ends slow start early. congestion.ts chooses between them.
 */

/** The values of QuicOption.CONGESTION. */
export const enum CongestionAlgorithm {
  /** RFC 9438, with HyStart++ (RFC 9406). */
  CUBIC = 0,
  NEW_RENO = 1,
  /** draft-ietf-ccwg-bbr. */
  BBR = 2,
}

/** RFC 9002 §7.2: kInitialWindow. */
const INITIAL_WINDOW_PACKETS: f64 = 10;
const INITIAL_WINDOW_BYTES: f64 = 14720;
/** RFC 9002 §7.2: kMinimumWindow. */
const MINIMUM_WINDOW_PACKETS: f64 = 2;


@unmanaged
export class Congestion {
  /** The congestion window. */
  window: f64;
  /** The slow-start threshold; Infinity until the first congestion event. */
  threshold: f64;
  /** Packets sent up to then belong to the current recovery period, RFC 9002 §7.3.2; -Infinity when there was none. */
  recoveryStartMs: f64;
  datagramSize: f64;

  // CUBIC, RFC 9438 §4.1.2. In segments where the RFC's are, since its constants are.
  /** The window before the last reduction, after fast convergence. */
  maxSegments: f64;
  /** The window before the last reduction, as it was. */
  priorSegments: f64;
  /** Seconds from the epoch's start until the window is at `maxSegments` again. */
  k: f64;
  /** When this stage of congestion avoidance began; -1 while there is none. */
  epochStartMs: f64;
  /** W_est: the window that Reno would have. */
  estimateSegments: f64;
  /** Since when the window is not used up, so that it does not grow by the clock alone; -1 when it is. */
  underusedSinceMs: f64;

  // HyStart++, RFC 9406 §4.2.
  /** The round ends when this number or a later one is acknowledged. */
  roundEnd: u64;
  lastRoundMinMs: f64;
  roundMinMs: f64;
  /** The round's least RTT when conservative slow start began; Infinity outside of it. */
  baselineMinMs: f64;
  roundSamples: u32;
  /** Rounds of conservative slow start. */
  conservativeRounds: u32;
  /** Bytes that are sent and neither acknowledged, lost nor discarded. */
  bytesInFlight: u32;
  algorithm: u32;
  /** Address of the Bbr; 0 where another algorithm is chosen. */
  bbr: usize;
}

/** RFC 9002 §7.2. */
// @ts-ignore: decorator
@inline
export function initialWindow(congestion: Congestion): f64 {
  const size = congestion.datagramSize;
  return min(INITIAL_WINDOW_PACKETS * size, max(INITIAL_WINDOW_BYTES, MINIMUM_WINDOW_PACKETS * size));
}

// @ts-ignore: decorator
@inline
export function minimumWindow(congestion: Congestion): f64 {
  return MINIMUM_WINDOW_PACKETS * congestion.datagramSize;
}

// @ts-ignore: decorator
@inline
export function isSlowStart(congestion: Congestion): bool {
  return congestion.window < congestion.threshold;
}
