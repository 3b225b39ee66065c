/**
 * What BBR knows of a path, and the constants of draft-ietf-ccwg-bbr §2. Lies behind the Recovery of a connection that uses it.
 *
 *   STARTUP ── full, or too much lost ──▶ DRAIN ── drained ──▶ DOWN ◀──────────── full, or too much lost ─┐
 *                                                               │                                         │
 *                                                               └──▶ CRUISE ── 2 to 3 s ──▶ REFILL ──▶ UP ┘
 *   Each of them: 10 s without a new least round trip ──▶ PROBE_RTT ──▶ CRUISE, or STARTUP when it was never full
 *
 * Bytes are f64, times are milliseconds, rates bytes per millisecond.
 */
import { Congestion } from "./congestion_state.ts";
import { DeliveryRate } from "./delivery_rate.ts";

export const enum BbrState {
  STARTUP = 0,
  DRAIN = 1,
  DOWN = 2,
  CRUISE = 3,
  REFILL = 4,
  UP = 5,
  PROBE_RTT = 6,
}

/** Which packets' acknowledgements come in: §5.3.3.6. */
export const enum AckPhase {
  INIT = 0,
  REFILLING = 1,
  PROBE_STARTING = 2,
  PROBE_FEEDBACK = 3,
  PROBE_STOPPING = 4,
}

/** By BbrState. */
const PACING_GAINS: usize = memory.data<f64>([2.77, 0.5, 0.9, 1, 1, 1.25, 1]);
const WINDOW_GAINS: usize = memory.data<f64>([2, 2, 2, 2, 2, 2.25, 0.5]);

/** What is lost of what is in flight at most: more is too much in flight. */
export const LOSS_THRESHOLD: f64 = 0.02;
/** A bound is cut to no less than this share of itself. */
export const BETA: f64 = 0.7;
/** Of the longer bound, for others. */
const HEADROOM: f64 = 0.15;
const LEAST_WINDOW_PACKETS: f64 = 4;


@unmanaged
export class Bbr extends DeliveryRate {
  /** Highest rate delivered in this cycle of probing, in the one before, and in both. */
  cycleRate: f64;
  priorCycleRate: f64;
  mostRate: f64;
  /** The rate that is trusted now. */
  rate: f64;
  /** Rate and bytes in flight as recent losses bound them; Infinity while none do. */
  shortRate: f64;
  shortInFlight: f64;
  /** Bytes in flight of which too much was lost; Infinity while it is not known. */
  longInFlight: f64;
  /** Most of the last round trip. */
  latestRate: f64;
  latestInFlight: f64;
  /** What the pacer is told; 0 before the first sample. */
  pacingRate: f64;
  leastRttMs: f64;
  leastRttAtMs: f64;
  /** The end of PROBE_RTT; 0 while there is still too much in flight. */
  probeRttEndMs: f64;
  /** Windows: of PROBE_RTT, and before it. */
  probeRttWindow: f64;
  priorWindow: f64;
  /** The rate that has to grow by a quarter. */
  fullRate: f64;
  /** When this cycle of probing began, and how long it waits. */
  cycleAtMs: f64;
  waitMs: f64;
  /** Acknowledged bytes for which the long bound grows by a datagram, and those that count. */
  upStep: f64;
  upAcked: f64;
  /** Bytes acknowledged beyond the rate: of now, and the most of these five rounds and of those before. */
  extraAtMs: f64;
  extraAcked: f64;
  extraMost: f64;
  extraPrior: f64;
  /** `delivered` when the round ends, and the round in which losses count. */
  roundEnd: u32;
  lossRoundEnd: u32;
  roundCount: u32;
  drainRound: u32;
  extraRounds: u32;
  roundsSinceProbe: u32;
  fullCount: u32;
  upRounds: u32;
  /** Runs of lost packets in this round, and the last lost one's number. */
  lossRuns: u32;
  lastLost: u32;
  random: u32;
  /** BbrState, AckPhase. */
  state: u32;
  ackPhase: u32;
  isRoundStart: bool;
  isLossRoundStart: bool;
  hasLossInRound: bool;
  isFullNow: bool;
  wasFull: bool;
  /** What is acknowledged was sent while probing, and nothing was concluded of it yet. */
  isProbeSample: bool;
  wasTooHigh: bool;
  isPrecautionary: bool;
  isIdleRestart: bool;
  isProbeRttRoundDone: bool;
}

export const BBR_BYTES: u32 = (<u32>offsetof<Bbr>() + 7) & ~7;

// @ts-ignore: decorator
@inline
export function bbrOf(congestion: Congestion): Bbr {
  return changetype<Bbr>(congestion.bbr);
}

// @ts-ignore: decorator
@inline
export function leastWindow(congestion: Congestion): f64 {
  return LEAST_WINDOW_PACKETS * congestion.datagramSize;
}

/** §5.6.2: in proportion to the trusted rate, a percent below it so that queues drain. It does not fall before the path was full. */
export function setPacing(bbr: Bbr, gain: f64): void {
  const rate = gain * bbr.rate * 0.99;
  if (bbr.wasFull || rate > bbr.pacingRate) bbr.pacingRate = rate;
}

// @ts-ignore: decorator
@inline
export function pacingGain(state: u32): f64 {
  return load<f64>(PACING_GAINS + state * sizeof<f64>());
}

// @ts-ignore: decorator
@inline
export function windowGain(state: u32): f64 {
  return load<f64>(WINDOW_GAINS + state * sizeof<f64>());
}

/** One of the states that look for more: STARTUP, REFILL, UP. */
// @ts-ignore: decorator
@inline
export function isProbing(bbr: Bbr): bool {
  const set = (1 << BbrState.STARTUP) | (1 << BbrState.REFILL) | (1 << BbrState.UP);
  return ((set >> bbr.state) & 1) != 0;
}

// @ts-ignore: decorator
@inline
export function isInCycle(bbr: Bbr): bool {
  return bbr.state - BbrState.DOWN <= <u32>(BbrState.UP - BbrState.DOWN);
}

/** What is in flight when the path is full and its queue empty, times `gain`; §5.6.4.2. */
export function bdp(congestion: Congestion, rate: f64, gain: f64): f64 {
  const bbr = bbrOf(congestion);
  return bbr.leastRttMs == Infinity ? congestion.window : gain * rate * bbr.leastRttMs;
}

/** `most` in flight, but enough for the pipelining of packets and the pacer's groups. */
export function quantized(congestion: Congestion, most: f64): f64 {
  const bbr = bbrOf(congestion);
  most = max(max(most, bbr.pacingRate), leastWindow(congestion));
  return bbr.state == BbrState.UP ? most + 2 * congestion.datagramSize : most;
}

/** The estimated BDP, unless congestion has cut the window. */
export function targetInFlight(congestion: Congestion): f64 {
  return min(bdp(congestion, bbrOf(congestion).rate, 1), congestion.window);
}

/** The long bound, less what is left for others. */
export function withHeadroom(congestion: Congestion): f64 {
  const most = bbrOf(congestion).longInFlight;
  if (most == Infinity) return most;
  return max(most - max(congestion.datagramSize, HEADROOM * most), leastWindow(congestion));
}

export function startRound(bbr: Bbr): void {
  bbr.roundEnd = bbr.delivered;
}

export function resetFull(bbr: Bbr, rate: f64): void {
  bbr.fullRate = rate;
  bbr.fullCount = 0;
  bbr.isFullNow = false;
}

/** Losses of the past bound nothing. */
export function resetShort(bbr: Bbr): void {
  bbr.shortRate = Infinity;
  bbr.shortInFlight = Infinity;
}
