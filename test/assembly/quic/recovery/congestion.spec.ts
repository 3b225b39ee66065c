/** Congestion control: RFC 9002 §7 with NewReno, CUBIC (RFC 9438) against its formulas, HyStart++ (RFC 9406), and the pacer. */

import {
  congestionCollapse,
  congestionHasRoom,
  congestionIsUsed,
  congestionLeft,
  congestionOnAcked,
  congestionOnEvent,
  congestionOnRound,
  congestionOnSent,
  congestionReset,
  congestionSetDatagramSize,
} from "../../../../assembly/quic/recovery/congestion.ts";
import { Congestion, CongestionAlgorithm } from "../../../../assembly/quic/recovery/congestion_state.ts";
import { Pacer, pacerOnSent, pacerReadyAtMs, pacerReset } from "../../../../assembly/quic/recovery/pacer.ts";
import { Rtt, rttReset, rttSample } from "../../../../assembly/quic/recovery/rtt.ts";
import { congestionOf } from "../../../../assembly/quic/recovery/recovery_state.ts";
import { recoverySendAtMs } from "../../../../assembly/quic/recovery/recovery.ts";
import { ack, acked, APPLICATION, confirmed, recovery, send } from "./driver.ts";

const SIZE: u32 = 1000;
const c = changetype<Congestion>(heap.alloc(offsetof<Congestion>()));
const rtt = changetype<Rtt>(heap.alloc(offsetof<Rtt>()));
const pacer = changetype<Pacer>(heap.alloc(offsetof<Pacer>()));

function fresh(algorithm: CongestionAlgorithm): void {
  c.algorithm = algorithm;
  congestionReset(c, SIZE);
  rttReset(rtt, 333);
  rtt.maxAckDelayMs = 25;
}

/** A window's worth of packets sent at `sentMs` is acknowledged at `nowMs`. */
function ackWindow(sentMs: f64, nowMs: f64, rttMs: f64): void {
  const count = <i32>(c.window / SIZE);
  for (let i = 0; i < count; i++) congestionOnAcked(c, SIZE, sentMs, true, rttMs, nowMs);
}

function isNear(value: f64, expected: f64): bool {
  return abs(value - expected) < 1e-6 * abs(expected);
}

/** One HyStart++ round of `samples` acknowledgements, from number `first` on. */
function round(first: u64, samples: u32, sampleMs: f64): u64 {
  for (let i: u64 = 0; i < samples; i++) {
    congestionOnAcked(c, SIZE, 1, true, sampleMs, 2);
    congestionOnRound(c, first + i, first + samples, sampleMs);
  }
  return first + samples;
}

/** Bytes that leave in `durationMs` when a timer of one millisecond drives the sender. */
function sentIn(durationMs: f64): f64 {
  let nowMs: f64 = 0;
  let bytes: f64 = 0;
  while (nowMs < durationMs) {
    const atMs = pacerReadyAtMs(pacer, c, rtt, SIZE, nowMs);
    if (atMs > nowMs) {
      nowMs = atMs;
      continue;
    }
    pacerOnSent(pacer, c, rtt, SIZE, nowMs);
    bytes += SIZE;
  }
  return bytes;
}

describe("the window (RFC 9002 §7.2, §7.3)", () => {
  test("begins at ten datagrams, at most 14,720 bytes or two datagrams", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    expect(c.window).toBe(10000);
    congestionReset(c, 1472);
    expect(c.window).toBe(14720);
    congestionReset(c, 1500);
    expect(c.window).toBe(14720);
    congestionReset(c, 9000);
    expect(c.window).toBe(18000);
    congestionSetDatagramSize(c, 1200);
    expect(c.window).toBe(12000);
    congestionSetDatagramSize(c, 1400);
    expect(c.window).toBe(14000);
    c.window = 100000;
    congestionSetDatagramSize(c, 1450);
    expect(c.window).toBe(100000);
  });

  test("is full when the next packet does not fit", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    for (let i = 0; i < 9; i++) congestionOnSent(c, SIZE);
    expect(congestionHasRoom(c, 1000)).toBe(true);
    expect(congestionHasRoom(c, 1001)).toBe(false);
    congestionLeft(c, 9000);
    expect(c.bytesInFlight).toBe(0);
    congestionLeft(c, 1);
    expect(c.bytesInFlight).toBe(0);
  });

  test("doubles per round trip in slow start, then grows by a datagram", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    ackWindow(1, 2, 50);
    expect(c.window).toBe(20000);
    c.threshold = 20000;
    ackWindow(3, 4, 50);
    expect(c.window > 20900 && c.window <= 21000).toBe(true);
  });

  test("is halved once per recovery period, in which it does not grow", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    congestionOnEvent(c, 10, 100);
    expect(c.window).toBe(5000);
    expect(c.threshold).toBe(5000);
    congestionOnEvent(c, 99, 110);
    congestionOnEvent(c, 100, 120);
    expect(c.window).toBe(5000);
    congestionOnAcked(c, SIZE, 100, true, 50, 130);
    expect(c.window).toBe(5000);
    congestionOnAcked(c, SIZE, 101, true, 50, 140);
    expect(c.window).toBe(5200);
    congestionOnEvent(c, 101, 150);
    expect(c.window).toBe(2600);
    for (let i = 1; i < 5; i++) congestionOnEvent(c, 150 + i, 150 + i);
    expect(c.window).toBe(2000);
  });

  test("collapses to two datagrams and goes back to its threshold by slow start", () => {
    for (let algorithm = CongestionAlgorithm.NEW_RENO; algorithm <= CongestionAlgorithm.CUBIC; algorithm++) {
      fresh(algorithm);
      c.window = 40000;
      congestionOnEvent(c, 10, 100);
      const threshold = c.threshold;
      congestionCollapse(c);
      expect(c.window).toBe(2000);
      ackWindow(101, 200, 50);
      expect(c.window).toBe(4000);
      expect(c.threshold).toBe(threshold);
    }
  });

  test("does not grow while it is not used up (§7.8), unless the pacer holds packets back", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    congestionOnSent(c, 5000);
    expect(congestionIsUsed(c, false)).toBe(false);
    expect(congestionIsUsed(c, true)).toBe(true);
    congestionOnSent(c, 1000);
    expect(congestionIsUsed(c, false)).toBe(true);
    c.threshold = 10000;
    expect(congestionIsUsed(c, false)).toBe(false);
    congestionOnSent(c, 1001);
    expect(congestionIsUsed(c, false)).toBe(true);
    congestionOnAcked(c, SIZE, 1, false, 50, 2);
    expect(c.window).toBe(10000);
    confirmed();
    for (let i = 0; i < 50; i++) {
      const number = send(APPLICATION, i * 100);
      ack(APPLICATION, number, number, i * 100 + 50);
      acked();
    }
    expect(congestionOf(recovery).window).toBe(12000);
  });
});

describe("CUBIC (RFC 9438)", () => {
  test("reduces to seven tenths and comes back along the cubic", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 100000;
    congestionOnEvent(c, 10, 1000);
    expect(isNear(c.window, 70000)).toBe(true);
    // K = cbrt(W_max (1 - β) / C).
    const k = Math.cbrt((100.0 * 0.3) / 0.4);
    let nowMs: f64 = 1000;
    // Compares the window with W_cubic once per round trip of 100 ms, once it has left the TCP-friendly start.
    for (let i = 0; i < 60; i++) {
      nowMs += 100;
      ackWindow(nowMs - 50, nowMs, 100);
      expect(isNear(c.k, k)).toBe(true);
      const seconds = (nowMs - c.epochStartMs) / 1000;
      const target = 0.4 * (seconds + 0.1 - k) ** 3 + 100;
      const window = c.window / SIZE;
      if (c.estimateSegments < window)
        expect(abs(window - target) < 0.08 * target).toBe(true, `${window} ${target}`);
    }
    expect(c.window > 100000).toBe(true);
  });

  test("one acknowledgement grows it by (target - cwnd) / cwnd", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 1000000;
    congestionOnEvent(c, 10, 1000);
    congestionOnAcked(c, SIZE, 1001, true, 100, 1100);
    // At the epoch's start: target = W_cubic(RTT).
    const k = Math.cbrt((1000.0 * 0.3) / 0.4);
    const target = 0.4 * (0.1 - k) ** 3 + 1000;
    const reno = 700.0 + (3 * 0.3) / 1.7 / 700.0;
    const expected = 700.0 + (target - 700) / 700;
    expect(isNear(c.window / SIZE, 0.4 * (0 - k) ** 3 + 1000 < reno ? reno : expected)).toBe(true);
    congestionOnAcked(c, SIZE, 1001, true, 100, 3100);
    const before = 700.0 + (3 * 0.3) / 1.7 / 700.0;
    const later = 0.4 * (2.1 - k) ** 3 + 1000;
    expect(isNear(c.window / SIZE, before + (min(later, before * 1.5) - before) / before)).toBe(true);
  });

  test("is never slower than Reno on short paths", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 20000;
    congestionOnEvent(c, 10, 1000);
    let nowMs: f64 = 1000;
    let reno: f64 = 14;
    const prior = c.priorSegments;
    for (let i = 0; i < 100; i++) {
      nowMs += 5;
      ackWindow(nowMs - 2, nowMs, 5);
      reno += reno < prior ? (3 * 0.3) / 1.7 : 1;
      expect(c.window / SIZE > reno * 0.9).toBe(true, `${c.window} ${reno}`);
    }
  });

  test("lets newer flows have room when it did not come back (fast convergence)", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 100000;
    congestionOnEvent(c, 10, 100);
    expect(c.maxSegments).toBe(100);
    congestionOnEvent(c, 101, 200);
    expect(isNear(c.maxSegments, (70 * 1.7) / 2)).toBe(true);
    expect(isNear(c.window, 49000)).toBe(true);
  });

  test("does not jump after a time in which it was not used", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 100000;
    congestionOnEvent(c, 10, 1000);
    ackWindow(1001, 1100, 100);
    const before = c.window;
    congestionOnAcked(c, SIZE, 1200, false, 100, 1300);
    congestionOnAcked(c, SIZE, 60000, false, 100, 61000);
    congestionOnAcked(c, SIZE, 61000, true, 100, 61100);
    expect(c.window < before + 1000).toBe(true);
  });

  test("after a collapse it begins at its plateau", () => {
    fresh(CongestionAlgorithm.CUBIC);
    c.window = 100000;
    congestionOnEvent(c, 10, 1000);
    congestionCollapse(c);
    c.window = c.threshold;
    congestionOnAcked(c, SIZE, 2000, true, 100, 2100);
    expect(c.k).toBe(0);
    expect(isNear(c.maxSegments, 70)).toBe(true);
  });
});

describe("HyStart++ (RFC 9406)", () => {
  test("leaves slow start after five conservative rounds when round trips grow", () => {
    fresh(CongestionAlgorithm.CUBIC);
    let next = round(0, 10, 100);
    next = round(next, 10, 100);
    expect(c.baselineMinMs).toBe(Infinity);
    next = round(next, 10, 113);
    expect(c.baselineMinMs).toBe(113);
    const before = c.window;
    congestionOnAcked(c, SIZE, 1, true, 100, 2);
    expect(c.window - before).toBe(250);
    for (let i = 0; i < 5; i++) next = round(next, 10, 114);
    expect(c.threshold).not.toBe(Infinity);
    expect(c.threshold <= c.window).toBe(true);
  });

  test("goes on when the growth was jitter", () => {
    fresh(CongestionAlgorithm.CUBIC);
    let next = round(0, 10, 100);
    next = round(next, 10, 100);
    next = round(next, 10, 113);
    next = round(next, 10, 101);
    expect(c.baselineMinMs).toBe(Infinity);
    for (let i = 0; i < 6; i++) next = round(next, 10, 101);
    expect(c.threshold).toBe(Infinity);
  });

  test("bounds what counts as growth to 4 and 16 ms, and needs eight samples", () => {
    fresh(CongestionAlgorithm.CUBIC);
    let next = round(0, 10, 8);
    next = round(next, 10, 8);
    next = round(next, 10, 11);
    expect(c.baselineMinMs).toBe(Infinity);
    round(next, 10, 15);
    expect(c.baselineMinMs).toBe(15);
    fresh(CongestionAlgorithm.CUBIC);
    next = round(0, 10, 1000);
    next = round(next, 10, 1000);
    next = round(next, 7, 1017);
    expect(c.baselineMinMs).toBe(Infinity);
    // The first acknowledgement of a round still ends the one before.
    round(next, 9, 1034);
    expect(c.baselineMinMs).toBe(1034);
  });

  test("is no part of NewReno, and of no later slow start", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    let next: u64 = 0;
    for (let i = 0; i < 20; i++) next = round(next, 10, 100 + i * 20);
    expect(c.threshold).toBe(Infinity);
    fresh(CongestionAlgorithm.CUBIC);
    congestionOnEvent(c, 1, 1.5);
    c.window = 2000;
    const threshold = c.threshold;
    next = 0;
    for (let i = 0; i < 20; i++) next = round(next, 10, 100 + i * 20);
    expect(c.threshold).toBe(threshold);
  });
});

describe("the pacer (RFC 9002 §7.7)", () => {
  test("lets a burst of ten packets go, then 1.25 windows per round trip", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    rttSample(rtt, 100, 0, true, 1);
    pacerReset(pacer, c, 0);
    for (let i = 0; i < 10; i++) {
      expect(pacerReadyAtMs(pacer, c, rtt, SIZE, 0)).toBe(0);
      pacerOnSent(pacer, c, rtt, SIZE, 0);
    }
    // 125 bytes per millisecond.
    expect(pacerReadyAtMs(pacer, c, rtt, SIZE, 0)).toBe(8);
    pacerReset(pacer, c, 0);
    expect(abs(sentIn(10000) - 1260000) < 5000).toBe(true);
  });

  test("keeps a high rate with a timer of a millisecond", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    c.window = 10000000;
    rttSample(rtt, 100, 0, true, 1);
    pacerReset(pacer, c, 0);
    // 125 kB per millisecond: bursts are of two milliseconds.
    const bytes = sentIn(1000);
    expect(bytes > 124000000 && bytes < 126000000).toBe(true, `${bytes}`);
    expect(pacerReadyAtMs(pacer, c, rtt, SIZE, 5000)).toBe(5000);
    expect(pacer.tokens).toBe(250000);
  });

  test("never asks for less than a millisecond of patience, and forgives unpaced packets after a burst", () => {
    fresh(CongestionAlgorithm.NEW_RENO);
    c.window = 1000000;
    rttSample(rtt, 10, 0, true, 1);
    pacerReset(pacer, c, 0);
    let nowMs: f64 = 0;
    let faults = 0;
    for (let i = 0; i < 1000; i++) {
      const atMs = pacerReadyAtMs(pacer, c, rtt, SIZE, nowMs);
      if (atMs > nowMs && atMs < nowMs + 1) faults++;
      nowMs = atMs;
      pacerOnSent(pacer, c, rtt, SIZE, nowMs);
    }
    expect(faults).toBe(0);
    for (let i = 0; i < 100000; i++) pacerOnSent(pacer, c, rtt, SIZE, nowMs);
    expect(pacerReadyAtMs(pacer, c, rtt, SIZE, nowMs) <= nowMs + 4).toBe(true);
  });

  test("the recovery says when to send: now, later, or when acknowledgements have come", () => {
    confirmed();
    for (let i = 0; i < 10; i++) {
      expect(recoverySendAtMs(recovery, 1200, 5)).toBe(5);
      send(APPLICATION, 5);
    }
    expect(recoverySendAtMs(recovery, 1200, 5)).toBe(Infinity);
    ack(APPLICATION, 0, 1, 55);
    ack(APPLICATION, 2, 9, 56);
    expect(recovery.isPaced).toBe(false);
    for (let i = 0; i < 30; i++) if (recoverySendAtMs(recovery, 1200, 56) == 56) send(APPLICATION, 56);
    expect(recovery.isPaced).toBe(true);
    expect(recoverySendAtMs(recovery, 1200, 56) >= 57).toBe(true);
    acked();
  });
});
