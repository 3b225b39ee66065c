/** BBR (draft-ietf-ccwg-bbr) over a path in small: a link of one rate with a queue before it, a round trip, and losses by count. */

import { bbrOf, BbrState } from "../../../../assembly/quic/recovery/bbr_state.ts";
import { congestionCollapse } from "../../../../assembly/quic/recovery/congestion.ts";
import { CongestionAlgorithm } from "../../../../assembly/quic/recovery/congestion_state.ts";
import {
  recoveryOnIdle,
  recoveryOnPathChange,
  recoverySendAtMs,
} from "../../../../assembly/quic/recovery/recovery.ts";
import { congestionOf } from "../../../../assembly/quic/recovery/recovery_state.ts";
import { ack, acked, APPLICATION, confirmed, DATAGRAM, lost, recovery, send } from "./driver.ts";

const RTT_MS: f64 = 50;
const STEP_MS: f64 = 0.25;
const NEVER: u32 = 0;

/** Bytes per millisecond; 1200 is a datagram each. */
let linkRate: f64 = 1200;
/** Every how many packets one is lost. */
let lossEvery: u32 = NEVER;
let hasData: bool = true;
let nowMs: f64 = 0;
let freeAtMs: f64 = 0;
let sentCount: u32 = 0;
let maxQueueMs: f64 = 0;
let numbers: u64[] = [];
let arrivals: f64[] = [];
let seen: u32 = 0;

function begin(rate: f64): void {
  confirmed(CongestionAlgorithm.BBR);
  linkRate = rate;
  lossEvery = NEVER;
  hasData = true;
  nowMs = 0;
  freeAtMs = 0;
  sentCount = 0;
  maxQueueMs = 0;
  numbers = [];
  arrivals = [];
  seen = 0;
}

/** Which states were there, as bits. */
function run(ms: f64): u32 {
  const endMs = nowMs + ms;
  seen = 0;
  for (; nowMs < endMs; nowMs += STEP_MS) {
    while (arrivals.length != 0 && arrivals[0] <= nowMs) {
      const number = numbers.shift();
      arrivals.shift();
      ack(APPLICATION, number, number, nowMs);
      acked();
      lost();
      seen |= 1 << bbrOf(congestionOf(recovery)).state;
    }
    if (!hasData) {
      recoveryOnIdle(recovery);
      continue;
    }
    while (recoverySendAtMs(recovery, DATAGRAM, nowMs) <= nowMs) sendOne();
  }
  return seen;
}

function sendOne(): void {
  const number = send(APPLICATION, nowMs);
  sentCount++;
  if (lossEvery != NEVER && sentCount % lossEvery == 0) return;
  const startMs = max(freeAtMs, nowMs);
  maxQueueMs = max(maxQueueMs, startMs - nowMs);
  freeAtMs = startMs + <f64>DATAGRAM / linkRate;
  numbers.push(number);
  arrivals.push(freeAtMs + RTT_MS);
}

function has(states: u32, state: BbrState): bool {
  return ((states >> state) & 1) != 0;
}

function isAbout(value: f64, expected: f64, share: f64): bool {
  return abs(value - expected) <= share * expected;
}

describe("BBR on a path of one rate", () => {
  test("finds the rate in STARTUP, drains its queue, and has the path's least round trip", () => {
    begin(1200);
    expect(has(run(45), BbrState.DRAIN)).toBe(false);
    const states = run(900);
    expect(has(states, BbrState.STARTUP)).toBe(true);
    expect(has(states, BbrState.DRAIN)).toBe(true);
    const bbr = bbrOf(congestionOf(recovery));
    expect(bbr.wasFull).toBe(true);
    expect(isAbout(bbr.mostRate, 1200, 0.02)).toBe(true);
    expect(isAbout(bbr.leastRttMs, RTT_MS + 1, 0.02)).toBe(true);
  });

  test("then keeps about as much in flight as the path holds", () => {
    begin(1200);
    run(1500);
    expect(has(run(1), BbrState.STARTUP)).toBe(false);
    maxQueueMs = 0;
    const before = sentCount;
    run(500);
    // 500 ms of the link, less a percent, and hardly a queue: the least of a group of the pacer's.
    expect(isAbout(<f64>(sentCount - before), 500, 0.04)).toBe(true);
    expect(maxQueueMs < 12).toBe(true);
  });

  test("probes every two to three seconds: REFILL, UP, DOWN, CRUISE", () => {
    begin(1200);
    run(1500);
    const states = run(3500);
    expect(has(states, BbrState.REFILL)).toBe(true);
    expect(has(states, BbrState.UP)).toBe(true);
    expect(has(states, BbrState.DOWN)).toBe(true);
    expect(has(states, BbrState.CRUISE)).toBe(true);
    expect(has(states, BbrState.STARTUP)).toBe(false);
  });

  test("finds a rate that has doubled, and one that has halved", () => {
    begin(1200);
    run(2000);
    linkRate = 2400;
    run(9000);
    expect(bbrOf(congestionOf(recovery)).mostRate > 2300).toBe(true);
    linkRate = 1200;
    run(9000);
    expect(isAbout(bbrOf(congestionOf(recovery)).mostRate, 1200, 0.1)).toBe(true);
  });

  test("looks for the least round trip when ten seconds brought no lower one, with half in flight, and comes back", () => {
    begin(1200);
    run(3000);
    let least: f64 = Infinity;
    let hasProbed = false;
    for (let i = 0; i < 1300; i++) {
      run(10);
      if (bbrOf(congestionOf(recovery)).state != BbrState.PROBE_RTT) continue;
      hasProbed = true;
      least = min(least, congestionOf(recovery).window);
    }
    expect(hasProbed).toBe(true);
    expect(least <= 0.5 * 1200 * (RTT_MS + 5)).toBe(true);
    expect(bbrOf(congestionOf(recovery)).state != BbrState.PROBE_RTT).toBe(true);
    expect(congestionOf(recovery).window > 1200 * RTT_MS).toBe(true);
  });
});

describe("BBR and losses", () => {
  test("one in a hundred costs hardly more than itself", () => {
    begin(1200);
    lossEvery = 100;
    run(3000);
    const before = sentCount;
    run(4000);
    expect(<f64>(sentCount - before) > 0.85 * 4000).toBe(true);
  });

  test("one in ten ends STARTUP, and bounds what is in flight while probing", () => {
    begin(120000);
    lossEvery = 10;
    run(1500);
    const bbr = bbrOf(congestionOf(recovery));
    expect(bbr.wasFull).toBe(true);
    expect(bbr.longInFlight != Infinity).toBe(true);
    expect(bbr.mostRate < 0.5 * 120000).toBe(true);
  });

  test("outside of probing the rate follows what is delivered, by no more than three tenths in a round", () => {
    begin(1200);
    run(1500);
    const bbr = bbrOf(congestionOf(recovery));
    while (bbr.state != BbrState.CRUISE) run(1);
    expect(bbr.shortRate).toBe(Infinity);
    const before = bbr.mostRate;
    lossEvery = 2;
    while (bbr.shortRate == Infinity) run(1);
    expect(bbr.shortRate >= 0.7 * before).toBe(true);
    expect(bbr.rate).toBe(bbr.shortRate);
    expect(bbr.shortInFlight < Infinity).toBe(true);
    // The next probe forgets it.
    lossEvery = NEVER;
    while (bbr.state != BbrState.REFILL) run(1);
    expect(bbr.shortRate).toBe(Infinity);
  });

  test("persistent congestion leaves two datagrams, and what is acknowledged brings the window back", () => {
    begin(1200);
    run(1500);
    const window = congestionOf(recovery).window;
    congestionCollapse(congestionOf(recovery));
    expect(congestionOf(recovery).window).toBe(2 * DATAGRAM);
    run(1000);
    expect(congestionOf(recovery).window > 0.8 * window).toBe(true);
  });
});

describe("BBR and an application that has nothing to send", () => {
  test("a slow application does not slow the model down", () => {
    begin(1200);
    run(2000);
    const before = bbrOf(congestionOf(recovery)).mostRate;
    for (let i = 0; i < 600; i++) {
      hasData = false;
      run(15);
      hasData = true;
      sendOne();
      hasData = false;
      run(5);
    }
    expect(isAbout(bbrOf(congestionOf(recovery)).mostRate, before, 0.02)).toBe(true);
  });

  test("after idleness it goes on at the rate of the path, and not at that of probing", () => {
    begin(1200);
    run(2000);
    hasData = false;
    run(1000);
    expect(congestionOf(recovery).bytesInFlight).toBe(0);
    sendOne();
    const bbr = bbrOf(congestionOf(recovery));
    expect(bbr.isIdleRestart).toBe(true);
    expect(isAbout(bbr.pacingRate, 0.99 * bbr.rate, 0.001)).toBe(true);
  });

  test("another path is learned anew", () => {
    begin(1200);
    run(2000);
    recoveryOnPathChange(recovery, DATAGRAM, nowMs);
    const bbr = bbrOf(congestionOf(recovery));
    expect(bbr.mostRate).toBe(0);
    expect(bbr.state).toBe(BbrState.STARTUP);
    expect(bbr.leastRttMs).toBe(Infinity);
    expect(congestionOf(recovery).window).toBe(10 * DATAGRAM);
    run(1500);
    expect(isAbout(bbr.mostRate, 1200, 0.02)).toBe(true);
  });
});
