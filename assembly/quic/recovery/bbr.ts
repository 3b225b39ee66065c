/**
 * BBR, version 3, draft-ietf-ccwg-bbr: sends as fast as the path delivers, and keeps about as much in flight as the path holds. What
 * is lost at random does not slow it down as it does CUBIC, up to the loss of 2 % at which the draft takes the path for overfull; above
 * that it slows down to what is delivered between two probes.
 *
 * The model: the highest rate that was delivered in the last two cycles, the least round trip of ten seconds, and what recent losses
 * bound. The window and the rate of the pacer follow from it on each ACK frame. bbr_cycle.ts has the cycle of probing.
 *
 * Left out: the undoing of losses that were none (§5.5.11), as packets that were lost are forgotten here. Deviation: after persistent
 * congestion the window grows back by what is acknowledged, and not at once.
 */
import {
  AckPhase,
  BETA,
  Bbr,
  BBR_BYTES,
  bbrOf,
  BbrState,
  bdp,
  isInCycle,
  isProbing,
  leastWindow,
  pacingGain,
  quantized,
  resetFull,
  resetShort,
  setPacing,
  startRound,
  windowGain,
  withHeadroom,
} from "./bbr_state.ts";
import { cycleOnAck, isTooHigh, startDown } from "./bbr_cycle.ts";
import { Congestion, initialWindow } from "./congestion_state.ts";
import {
  ackedBytes,
  isSampleLimited,
  priorDelivered,
  rateEnd,
  rateLimit,
  sampleDelivered,
  sampleRate,
} from "./delivery_rate.ts";
import { GRANULARITY_MS, Rtt } from "./rtt.ts";

const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
const DRAIN_ROUNDS: u32 = 3;
/** STARTUP ends when so many runs of packets were lost in a round, and too much. */
const STARTUP_LOSS_RUNS: u32 = 6;
const LEAST_RTT_FILTER_MS: f64 = 10_000;
const PROBE_RTT_MS: f64 = 200;
/** Half of ExtraAckedFilterLen: there are two slots. */
const EXTRA_ROUNDS: u32 = 5;

/** A path of which nothing is known. What random follows from is kept. */
export function bbrReset(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  const random = bbr.random;
  memory.fill(congestion.bbr, 0, BBR_BYTES);
  bbr.random = random;
  bbr.leastRttMs = Infinity;
  bbr.leastRttAtMs = Infinity;
  bbr.longInFlight = Infinity;
  bbr.upStep = Infinity;
  resetShort(bbr);
}

/** A packet is about to be sent: §5.4.1, after idleness that is the application's. */
export function bbrBeforeSent(congestion: Congestion, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  if (congestion.bytesInFlight != 0 || !bbr.isLimited) return;
  bbr.isIdleRestart = true;
  bbr.extraAtMs = nowMs;
  if (isInCycle(bbr)) setPacing(bbr, 1);
  else if (bbr.state == BbrState.PROBE_RTT) endProbeRtt(congestion, nowMs);
}

/** Packets were lost, or marked CE: the first in this round trip begins a round of losses. */
export function bbrOnEvent(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  if (!bbr.hasLossInRound) bbr.lossRoundEnd = bbr.delivered;
  bbr.hasLossInRound = true;
}

/** An ACK frame was told: §5.2.3. `rttMs` is its sample, negative when there is none. `isUsed`: the window was all in flight. */
export function bbrOnAck(congestion: Congestion, rtt: Rtt, rttMs: f64, isUsed: bool, nowMs: f64): void {
  if (ackedBytes == 0) return;
  const bbr = bbrOf(congestion);
  rateEnd(bbr, rtt.minMs, nowMs);
  takeRate(congestion);
  takeExtra(congestion, nowMs);
  checkFull(bbr);
  if (bbr.state == BbrState.STARTUP && bbr.wasFull) {
    bbr.state = BbrState.DRAIN;
    bbr.drainRound = bbr.roundCount;
  }
  if (bbr.state == BbrState.DRAIN && isDrained(congestion)) startDown(bbr, nowMs);
  cycleOnAck(congestion, isUsed, nowMs);
  takeRtt(congestion, rttMs, nowMs);
  if (bbr.isLossRoundStart) {
    bbr.latestRate = sampleRate;
    bbr.latestInFlight = sampleDelivered;
    bbr.lossRuns = 0;
  }
  bbr.rate = min(bbr.mostRate, bbr.shortRate);
  if (bbr.pacingRate == 0)
    bbr.pacingRate =
      (pacingGain(BbrState.STARTUP) * initialWindow(congestion)) / max(rtt.smoothedMs, GRANULARITY_MS);
  setPacing(bbr, pacingGain(bbr.state));
  setWindow(congestion);
}

/** Rounds, the highest rate, and what losses bound outside of probing: §5.5.1 to §5.5.5, §5.5.10.3. */
function takeRate(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  bbr.latestRate = max(bbr.latestRate, sampleRate);
  bbr.latestInFlight = max(bbr.latestInFlight, <f64>sampleDelivered);
  bbr.isLossRoundStart = <i32>(priorDelivered - bbr.lossRoundEnd) >= 0;
  if (bbr.isLossRoundStart) bbr.lossRoundEnd = bbr.delivered;
  bbr.isRoundStart = <i32>(priorDelivered - bbr.roundEnd) >= 0;
  if (bbr.isRoundStart) {
    startRound(bbr);
    bbr.roundCount++;
    bbr.roundsSinceProbe++;
  }
  if (sampleRate >= bbr.mostRate || !isSampleLimited) bbr.cycleRate = max(bbr.cycleRate, sampleRate);
  bbr.mostRate = max(bbr.cycleRate, bbr.priorCycleRate);
  if (!bbr.isLossRoundStart) return;
  if (bbr.hasLossInRound && !isProbing(bbr)) {
    if (bbr.shortRate == Infinity) bbr.shortRate = bbr.mostRate;
    if (bbr.shortInFlight == Infinity) bbr.shortInFlight = congestion.window;
    bbr.shortRate = max(bbr.latestRate, BETA * bbr.shortRate);
    bbr.shortInFlight = max(bbr.latestInFlight, BETA * bbr.shortInFlight);
  }
  bbr.hasLossInRound = false;
}

/** §5.5.9: acknowledgements come in bunches, and the window has to last from one to the next. */
function takeExtra(congestion: Congestion, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  let expected = bbr.rate * (nowMs - bbr.extraAtMs);
  if (bbr.extraAcked <= expected) {
    bbr.extraAcked = 0;
    bbr.extraAtMs = nowMs;
    expected = 0;
  }
  bbr.extraAcked += ackedBytes;
  if (bbr.isRoundStart && ++bbr.extraRounds >= (bbr.wasFull ? EXTRA_ROUNDS : 1)) {
    bbr.extraRounds = 0;
    bbr.extraPrior = bbr.wasFull ? bbr.extraMost : 0;
    bbr.extraMost = 0;
  }
  bbr.extraMost = max(bbr.extraMost, min(bbr.extraAcked - expected, congestion.window));
}

/** §5.3.1.2, §5.3.1.3: the rate grows no more, or what is lost says that the path is full. */
function checkFull(bbr: Bbr): void {
  if (!bbr.isFullNow && bbr.isRoundStart && !isSampleLimited) {
    if (sampleRate >= bbr.fullRate * FULL_GROWTH) {
      resetFull(bbr, sampleRate);
    } else {
      bbr.isFullNow = ++bbr.fullCount >= FULL_ROUNDS;
      if (bbr.isFullNow) bbr.wasFull = true;
    }
  }
  if (bbr.wasFull || !bbr.isLossRoundStart || bbr.lossRuns < STARTUP_LOSS_RUNS || !isTooHigh()) return;
  bbr.wasFull = true;
  bbr.longInFlight = max(bbr.mostRate * bbr.leastRttMs, bbr.latestInFlight);
}

function isDrained(congestion: Congestion): bool {
  const bbr = bbrOf(congestion);
  if (bbr.roundCount > bbr.drainRound + DRAIN_ROUNDS) return true;
  return <f64>congestion.bytesInFlight <= quantized(congestion, bdp(congestion, bbr.rate, 1));
}

/** §5.3.4.3: the least round trip, and PROBE_RTT when it has become old. */
function takeRtt(congestion: Congestion, rttMs: f64, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  const isOld = nowMs > bbr.leastRttAtMs + LEAST_RTT_FILTER_MS;
  if (isOld && bbr.state != BbrState.PROBE_RTT) {
    // By the round trip that is given up, as the next one may have a queue in it.
    bbr.probeRttWindow = max(
      bdp(congestion, bbr.rate, windowGain(BbrState.PROBE_RTT)),
      leastWindow(congestion),
    );
    if (!bbr.isIdleRestart) {
      bbr.priorWindow = congestion.window;
      bbr.probeRttEndMs = 0;
      bbr.ackPhase = AckPhase.PROBE_STOPPING;
      startRound(bbr);
      bbr.state = BbrState.PROBE_RTT;
    }
  }
  if (rttMs >= 0 && (rttMs < bbr.leastRttMs || isOld)) {
    bbr.leastRttMs = rttMs;
    bbr.leastRttAtMs = nowMs;
  }
  if (bbr.state == BbrState.PROBE_RTT) probeRtt(congestion, nowMs);
  bbr.isIdleRestart = false;
}

function probeRtt(congestion: Congestion, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  // What is slow on purpose says nothing of the path.
  rateLimit(bbr, congestion.bytesInFlight);
  if (bbr.probeRttEndMs == 0) {
    if (<f64>congestion.bytesInFlight > bbr.probeRttWindow) return;
    bbr.probeRttEndMs = nowMs + PROBE_RTT_MS;
    bbr.isProbeRttRoundDone = false;
    startRound(bbr);
    return;
  }
  if (bbr.isRoundStart) bbr.isProbeRttRoundDone = true;
  if (bbr.isProbeRttRoundDone) endProbeRtt(congestion, nowMs);
}

function endProbeRtt(congestion: Congestion, nowMs: f64): void {
  const bbr = bbrOf(congestion);
  if (bbr.probeRttEndMs == 0 || nowMs <= bbr.probeRttEndMs) return;
  bbr.leastRttAtMs = nowMs;
  congestion.window = max(congestion.window, bbr.priorWindow);
  resetShort(bbr);
  bbr.state = BbrState.STARTUP;
  if (!bbr.wasFull) return;
  startDown(bbr, nowMs);
  bbr.state = BbrState.CRUISE;
}

/** §5.6.4.6, §5.6.4.7. */
function setWindow(congestion: Congestion): void {
  const bbr = bbrOf(congestion);
  const state: u32 = bbr.state;
  const extra = max(bbr.extraMost, bbr.extraPrior);
  const most = quantized(congestion, bdp(congestion, bbr.rate, windowGain(state)) + extra);
  const grown = congestion.window + <f64>ackedBytes;
  let window = congestion.window;
  if (bbr.wasFull) window = min(grown, most);
  else if (window < most || <f64>bbr.delivered < initialWindow(congestion)) window = grown;
  let bound = bbr.shortInFlight;
  if (state == BbrState.CRUISE || state == BbrState.PROBE_RTT) bound = min(bound, withHeadroom(congestion));
  else if (isInCycle(bbr)) bound = min(bound, bbr.longInFlight);
  if (state == BbrState.PROBE_RTT) bound = min(bound, bbr.probeRttWindow);
  congestion.window = max(min(window, bound), leastWindow(congestion));
}
