/**
 * BBR's cycle of probing once the path was full, draft-ietf-ccwg-bbr §5.3.3: DOWN, CRUISE, REFILL, UP; and what it concludes of losses
 * in what was sent while probing, §5.5.10.2.
 */
import {
  AckPhase,
  BETA,
  Bbr,
  bbrOf,
  BbrState,
  bdp,
  isInCycle,
  LOSS_THRESHOLD,
  quantized,
  resetFull,
  resetShort,
  startRound,
  targetInFlight,
  withHeadroom,
} from "./bbr_state.ts";
import { Congestion } from "./congestion_state.ts";
import { ackedBytes, isSampleLimited, sampleInFlight, sampleLost, sampleRate } from "./delivery_rate.ts";
import { PacketFlag, SentPacket, sentPacketDelivery, sentPacketIs } from "./sent_packet.ts";

/** The wait for the next probe: from 2 to 3 seconds, or as many rounds as Reno would need to grow back. */
const WAIT_LEAST_MS: f64 = 2000;
const WAIT_SPREAD_MS: f64 = 1000;
const RENO_ROUNDS_MOST: f64 = 63;
const UP_ROUNDS_MOST: u32 = 30;

export function startDown(bbr: Bbr, nowMs: f64): void {
  bbr.hasLossInRound = false;
  bbr.latestRate = 0;
  bbr.latestInFlight = 0;
  bbr.upStep = Infinity;
  // Numerical Recipes' generator: flows that begin together shall not probe together, and nothing else hangs on it.
  bbr.random = bbr.random * 1664525 + 1013904223;
  bbr.roundsSinceProbe = bbr.random >> 31;
  bbr.waitMs = WAIT_LEAST_MS + (WAIT_SPREAD_MS * <f64>(bbr.random & 0x7fffffff)) / 0x80000000;
  bbr.cycleAtMs = nowMs;
  bbr.ackPhase = AckPhase.PROBE_STOPPING;
  startRound(bbr);
  bbr.state = BbrState.DOWN;
}

function startRefill(bbr: Bbr): void {
  resetShort(bbr);
  bbr.upRounds = 0;
  bbr.upAcked = 0;
  bbr.isPrecautionary = false;
  bbr.ackPhase = AckPhase.REFILLING;
  startRound(bbr);
  bbr.state = BbrState.REFILL;
}

/** On each ACK frame with something new. `isUsed`: the window was all in flight. */
export function cycleOnAck(congestion: Congestion, isUsed: bool, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  if (!bbr.wasFull || adaptLong(congestion, isUsed) || !isInCycle(bbr)) return;
  const state: u32 = bbr.state;
  if (state == BbrState.UP) {
    if (!isTimeToGoDown(congestion, isUsed)) return;
    bbr.wasTooHigh = false;
    return startDown(bbr, nowMs);
  }
  if (state == BbrState.REFILL) {
    if (!bbr.isRoundStart) return;
    bbr.isProbeSample = true;
    bbr.ackPhase = AckPhase.PROBE_STARTING;
    startRound(bbr);
    resetFull(bbr, sampleRate);
    bbr.state = BbrState.UP;
    return raiseSlope(congestion);
  }
  const renoRounds = min(targetInFlight(congestion) / congestion.datagramSize, RENO_ROUNDS_MOST);
  if (nowMs > bbr.cycleAtMs + bbr.waitMs || <f64>bbr.roundsSinceProbe >= renoRounds) return startRefill(bbr);
  const inFlight = <f64>congestion.bytesInFlight;
  const isDrained =
    inFlight <= withHeadroom(congestion) &&
    inFlight <= quantized(congestion, bdp(congestion, bbr.mostRate, 1));
  if (isDrained) bbr.state = BbrState.CRUISE;
}

/** A packet was lost that counts: its bytes, and whether more was in flight than is good. */
export function cycleOnLost(congestion: Congestion, packet: SentPacket, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  const number = <u32>packet.number;
  if (number != bbr.lastLost + 1) bbr.lossRuns++;
  bbr.lastLost = number;
  bbr.lost += packet.size;
  if (!bbr.isProbeSample) return;
  const record = sentPacketDelivery(packet);
  const inFlight = <f64>record.inFlight;
  const lost = <f64>(bbr.lost - record.lost);
  if (lost <= inFlight * LOSS_THRESHOLD) return;
  bbr.wasTooHigh = true;
  bbr.isProbeSample = false;
  if (!sentPacketIs(packet, PacketFlag.LIMITED)) {
    // Where in this packet the threshold was passed.
    const size = <f64>packet.size;
    const before = inFlight - size;
    const prefix = (LOSS_THRESHOLD * before - (lost - size)) / (1 - LOSS_THRESHOLD);
    bbr.longInFlight = max(before + prefix, targetInFlight(congestion) * BETA);
  }
  if (bbr.state == BbrState.UP) startDown(bbr, nowMs);
}

/** Of the sample: was too much lost of what was in flight. */
// @ts-ignore: decorator
@inline
export function isTooHigh(): bool {
  return <f64>sampleLost > <f64>sampleInFlight * LOSS_THRESHOLD;
}

/** The long bound upwards, and the next cycle of the highest rate. Whether the state has changed. */
function adaptLong(congestion: Congestion, isUsed: bool): bool {
  const bbr = bbrOf(congestion);
  if (bbr.isRoundStart && bbr.ackPhase == AckPhase.PROBE_STARTING) bbr.ackPhase = AckPhase.PROBE_FEEDBACK;
  if (bbr.isRoundStart && bbr.ackPhase == AckPhase.PROBE_STOPPING) {
    bbr.isProbeSample = false;
    bbr.ackPhase = AckPhase.INIT;
    if (isInCycle(bbr)) {
      // A cycle in which nothing could be told leaves what is known.
      if (!isSampleLimited && bbr.cycleRate != 0) {
        bbr.priorCycleRate = bbr.cycleRate;
        bbr.cycleRate = 0;
      }
      if (bbr.isPrecautionary && !bbr.wasTooHigh) {
        startRefill(bbr);
        return true;
      }
    }
  }
  if (isTooHigh() || bbr.longInFlight == Infinity) return false;
  bbr.longInFlight = max(bbr.longInFlight, <f64>sampleInFlight);
  if (bbr.state == BbrState.UP && isUsed && congestion.window >= bbr.longInFlight) probeUpward(congestion);
  return false;
}

/** The long bound bounds the window: it grows, by 1, 2, 4, … datagrams in each round. */
function probeUpward(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  bbr.upAcked += ackedBytes;
  const steps = Math.floor(bbr.upAcked / bbr.upStep);
  bbr.upAcked -= steps * bbr.upStep;
  bbr.longInFlight += steps * congestion.datagramSize;
  if (bbr.isRoundStart) raiseSlope(congestion);
}

function raiseSlope(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  bbr.upStep = max(congestion.window / <f64>(1 << bbr.upRounds), congestion.datagramSize);
  bbr.upRounds = min(bbr.upRounds + 1, UP_ROUNDS_MOST);
}

function isTimeToGoDown(congestion: Congestion, isUsed: bool): bool {
  const bbr = bbrOf(congestion);
  if (bbr.wasTooHigh && <f64>congestion.bytesInFlight >= bbr.longInFlight) {
    bbr.isPrecautionary = true;
    return true;
  }
  if (isUsed && congestion.window >= bbr.longInFlight) {
    resetFull(bbr, sampleRate);
    return false;
  }
  return bbr.isFullNow;
}
