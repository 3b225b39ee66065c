/** Loss recovery, rule by rule: RFC 9002 §5 (round trips), §6 (loss, probes, keys), §7.6; RFC 9000 §13 and §21.4 (skipping). */

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import { Reader, readerOpen, readU8 } from "../../../../assembly/core/reader.ts";
import { slabBytesInUse } from "../../../../assembly/core/slab.ts";
import {
  ackBegin,
  ackEnd,
  ackRange,
  recoveryOnAck,
} from "../../../../assembly/quic/recovery/acknowledgement.ts";
import { CongestionAlgorithm } from "../../../../assembly/quic/recovery/congestion_state.ts";
import { EcnState, ecnStart, ecnToSend } from "../../../../assembly/quic/recovery/ecn.ts";
import { SpaceId } from "../../../../assembly/quic/recovery/packet_space.ts";
import { Ecn, receivedAdd } from "../../../../assembly/quic/recovery/received_packets.ts";
import {
  recoveryDiscardSpace,
  recoveryFree,
  recoveryHasSpace,
  recoveryNextNumber,
  recoveryOnConfirmed,
  recoveryOnEarlyDataRejected,
  recoveryOnHandshakeKeys,
  recoveryOnPathChange,
  recoveryOnRetry,
  recoveryOpenSpace,
  recoveryPingIsDue,
  recoveryProbePacket,
  recoveryReceived,
  recoverySendAtMs,
  recoverySetAmplificationBlocked,
  recoverySetMaxAckDelay,
} from "../../../../assembly/quic/recovery/recovery.ts";
import {
  congestionOf,
  RECOVERY_BYTES,
  rttOf,
  spaceOf,
} from "../../../../assembly/quic/recovery/recovery_state.ts";
import { PacketFlag, SentPacket } from "../../../../assembly/quic/recovery/sent_packet.ts";
import { readAck } from "../../../../assembly/quic/wire/ack.ts";
import { recoveryOnTimeout, RecoveryTimeout } from "../../../../assembly/quic/recovery/timer.ts";
import {
  ack,
  acked,
  APPLICATION,
  confirmed,
  DATA,
  DATAGRAM,
  fresh,
  HANDSHAKE,
  INITIAL,
  list,
  lost,
  recovery,
  send,
  receiveWithGap,
} from "./driver.ts";

/** One packet there and back in `rttMs`, so that there is an estimate. */
function sample(sentMs: f64, rttMs: f64): void {
  const number = send(APPLICATION, sentMs);
  ack(APPLICATION, number, number, sentMs + rttMs);
  acked();
}

/** The RFC's example, §7.6.3, save that the acknowledgement's own sample counts: the duration is 7.35 then. */
function example(lastProbe: f64): void {
  confirmed();
  sample(0, 0.7);
  rttOf(recovery).smoothedMs = 1;
  rttOf(recovery).variationMs = 0.25;
  rttOf(recovery).maxAckDelayMs = 0;
  send(APPLICATION, 1);
  for (let i = 2; i <= 6; i++) send(APPLICATION, i);
  send(APPLICATION, lastProbe);
  const number = send(APPLICATION, 12);
  ack(APPLICATION, number, number, 12.2);
  expect(lost()).toBe("1 2 3 4 5 6 7 ");
}

const MARKED = DATA | PacketFlag.ECT0;

function ackCounts(first: u64, last: u64, nowMs: f64, ect0: u64, ect1: u64, ce: u64): void {
  expect(ackBegin(recovery, APPLICATION, last)).toBe(Status.OK);
  ackRange(first, last);
  ackEnd(recovery, 0, true, ect0, ect1, ce, nowMs);
  acked();
  lost();
}

function tested(): void {
  confirmed();
  expect(ecnToSend(recovery)).toBe(Ecn.NOT_ECT);
  ecnStart(recovery, 0);
  for (let i = 0; i < 10; i++) {
    expect(ecnToSend(recovery)).toBe(Ecn.ECT0);
    send(APPLICATION, i, MARKED);
  }
  expect(ecnToSend(recovery)).toBe(Ecn.NOT_ECT);
}

describe("round trips (RFC 9002 §5)", () => {
  test("the first sample sets all estimates", () => {
    confirmed();
    expect(rttOf(recovery).smoothedMs).toBe(333);
    expect(rttOf(recovery).variationMs).toBe(166.5);
    const number = send(APPLICATION, 10);
    ack(APPLICATION, number, number, 110, 20);
    expect(rttOf(recovery).latestMs).toBe(100);
    expect(rttOf(recovery).minMs).toBe(100);
    expect(rttOf(recovery).smoothedMs).toBe(100);
    expect(rttOf(recovery).variationMs).toBe(50);
  });

  test("later samples are smoothed, less the peer's delay, at most its max_ack_delay", () => {
    confirmed();
    sample(0, 100);
    let number = send(APPLICATION, 200);
    ack(APPLICATION, number, number, 340, 20);
    expect(rttOf(recovery).smoothedMs).toBe(102.5);
    expect(rttOf(recovery).variationMs).toBe(42.5);
    number = send(APPLICATION, 400);
    ack(APPLICATION, number, number, 540, 90);
    expect(rttOf(recovery).smoothedMs).toBe((7 * 102.5 + 115) / 8);
  });

  test("the delay is not subtracted where the result would be below the least", () => {
    confirmed();
    sample(0, 100);
    const number = send(APPLICATION, 200);
    ack(APPLICATION, number, number, 310, 20);
    expect(rttOf(recovery).smoothedMs).toBe((7 * 100.0 + 110) / 8);
  });

  test("Initial packets' delay is ignored, and max_ack_delay bounds nothing before confirmation", () => {
    fresh(false);
    sample(0, 100);
    let number = send(INITIAL, 200);
    ack(INITIAL, number, number, 400, 50);
    expect(rttOf(recovery).smoothedMs).toBe((7 * 100.0 + 200) / 8);
    fresh(false);
    sample(0, 100);
    number = send(HANDSHAKE, 200);
    ack(HANDSHAKE, number, number, 400, 50);
    expect(rttOf(recovery).smoothedMs).toBe((7 * 100.0 + 150) / 8);
  });

  test("only a newly acknowledged largest number, with something ack-eliciting, gives a sample", () => {
    confirmed();
    send(APPLICATION, 0);
    const quiet = send(APPLICATION, 1, 0);
    ack(APPLICATION, quiet, quiet, 50);
    expect(rttOf(recovery).smoothedMs).toBe(333);
    ack(APPLICATION, 0, quiet, 60);
    expect(rttOf(recovery).smoothedMs).toBe(333);
    sample(100, 80);
    expect(rttOf(recovery).smoothedMs).toBe(80);
  });
});

describe("loss (RFC 9002 §6.1)", () => {
  test("three numbers behind is lost, two is not", () => {
    confirmed();
    for (let i = 0; i < 5; i++) send(APPLICATION, i);
    ack(APPLICATION, 3, 3, 20);
    expect(lost()).toBe("0 ");
    expect(acked()).toBe("3 ");
    ack(APPLICATION, 4, 4, 21);
    expect(lost()).toBe("1 ");
    expect(congestionOf(recovery).bytesInFlight).toBe(DATAGRAM);
  });

  test("nine eighths of a round trip behind is lost, by the timer", () => {
    confirmed();
    sample(0, 80);
    const first = send(APPLICATION, 100);
    const second = send(APPLICATION, 101);
    ack(APPLICATION, second, second, 181);
    expect(lost()).toBe("");
    expect(recovery.deadlineMs).toBe(190);
    expect(recoveryOnTimeout(recovery, 189.9)).toBe(RecoveryTimeout.NONE);
    expect(recoveryOnTimeout(recovery, 190)).toBe(RecoveryTimeout.LOSS);
    expect(lost()).toBe(`${first} `);
    expect(recovery.deadlineMs).toBe(Infinity);
    expect(congestionOf(recovery).bytesInFlight).toBe(0);
  });

  test("the delay is at least a millisecond, and the timer always finds what it was set for", () => {
    confirmed();
    sample(0, 0);
    for (let i: u32 = 0; i < 2000; i++) {
      const sentMs = 1000.1 + <f64>i * 7.3331;
      send(APPLICATION, sentMs);
      const second = send(APPLICATION, sentMs);
      ack(APPLICATION, second, second, sentMs + 0.31);
      if (lost() == "") {
        expect(recoveryOnTimeout(recovery, recovery.deadlineMs)).toBe(RecoveryTimeout.LOSS);
        expect(lost()).not.toBe("");
      }
      acked();
    }
  });

  test("an acknowledgement that comes after the loss was declared changes nothing", () => {
    confirmed();
    for (let i = 0; i < 4; i++) send(APPLICATION, i);
    ack(APPLICATION, 3, 3, 20);
    expect(lost()).toBe("0 ");
    expect(ack(APPLICATION, 0, 0, 21)).toBe(Status.OK);
    expect(acked()).toBe("3 ");
  });
});

describe("probes (RFC 9002 §6.2)", () => {
  test("are due after the estimate and max_ack_delay, doubled each time, and an acknowledgement ends that", () => {
    confirmed();
    sample(0, 100);
    const number = send(APPLICATION, 1000);
    // 100 + 4 * 50, and 25.
    expect(recovery.deadlineMs).toBe(1325);
    expect(recoveryOnTimeout(recovery, 1325)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.probeSpace).toBe(APPLICATION);
    expect(recovery.probeCount).toBe(2);
    expect(lost()).toBe("");
    expect(recovery.deadlineMs).toBe(1650);
    expect(recoveryOnTimeout(recovery, 1650)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.deadlineMs).toBe(2300);
    ack(APPLICATION, number, number, 1700);
    expect(recovery.ptoCount).toBe(0);
    expect(recovery.deadlineMs).toBe(Infinity);
  });

  test("follow the peer's max_ack_delay, which only 1-RTT packets wait for", () => {
    confirmed();
    recoverySetMaxAckDelay(recovery, 100);
    send(APPLICATION, 0);
    expect(recovery.deadlineMs).toBe(333 * 3 + 100);
    send(HANDSHAKE, 50);
    expect(recovery.deadlineMs).toBe(333 * 3 + 50);
    expect(recoveryOnTimeout(recovery, 333 * 3 + 50)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.probeSpace).toBe(HANDSHAKE);
  });

  test("are not due for 1-RTT packets before the handshake is confirmed", () => {
    fresh(true);
    send(APPLICATION, 0);
    expect(recovery.deadlineMs).toBe(Infinity);
    recoveryOnConfirmed(recovery, 10);
    expect(recovery.deadlineMs).toBe(333 * 3 + 25);
  });

  test("a client with nothing in flight probes, so that its server is not stuck", () => {
    fresh(false);
    let number = send(INITIAL, 0);
    expect(recovery.deadlineMs).toBe(999);
    ack(INITIAL, number, number, 100);
    expect(recovery.deadlineMs).toBe(400);
    expect(recoveryOnTimeout(recovery, 400)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.probeSpace).toBe(INITIAL);
    expect(recovery.probeCount).toBe(1);
    expect(recovery.ptoCount).toBe(1);
    recoveryOnHandshakeKeys(recovery, 500);
    expect(recovery.deadlineMs).toBe(1100);
    expect(recoveryOnTimeout(recovery, 1100)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.probeSpace).toBe(HANDSHAKE);
    // An Initial's acknowledgement does not end the backoff; a Handshake's does.
    number = send(INITIAL, 1100);
    ack(INITIAL, number, number, 1200);
    expect(recovery.ptoCount).toBe(2);
    number = send(HANDSHAKE, 1200);
    ack(HANDSHAKE, number, number, 1300);
    expect(recovery.ptoCount).toBe(0);
    expect(recovery.deadlineMs).toBe(Infinity);
  });

  test("a client whose only open packets are early data still probes for its handshake", () => {
    fresh(false);
    send(APPLICATION, 0, DATA | PacketFlag.EARLY);
    expect(recovery.deadlineMs).toBe(999);
    expect(recoveryOnTimeout(recovery, 999)).toBe(RecoveryTimeout.PROBE);
    expect(recovery.probeSpace).toBe(INITIAL);
  });

  test("a server at its amplification limit does not", () => {
    fresh(true);
    send(INITIAL, 0);
    recoverySetAmplificationBlocked(recovery, true, 10);
    expect(recovery.deadlineMs).toBe(Infinity);
    recoverySetAmplificationBlocked(recovery, false, 5000);
    expect(recovery.deadlineMs).toBe(999);
    expect(recoveryOnTimeout(recovery, 5000)).toBe(RecoveryTimeout.PROBE);
  });

  test("repeat the oldest open packets, each once", () => {
    confirmed();
    receiveWithGap(APPLICATION);
    send(APPLICATION, 0, 0, 40);
    send(APPLICATION, 1);
    send(APPLICATION, 2);
    expect(changetype<SentPacket>(recoveryProbePacket(recovery, APPLICATION)).number).toBe(1);
    expect(changetype<SentPacket>(recoveryProbePacket(recovery, APPLICATION)).number).toBe(2);
    expect(recoveryProbePacket(recovery, APPLICATION)).toBe(0);
    ack(APPLICATION, 0, 2, 10);
    expect(acked()).toBe("0 1 2 ");
  });

  test("no backoff overflows", () => {
    confirmed();
    send(APPLICATION, 0);
    let nowMs: f64 = 0;
    for (let i = 0; i < 30; i++) {
      expect(recovery.deadlineMs > nowMs && recovery.deadlineMs < 1e13).toBe(true);
      nowMs = recovery.deadlineMs;
      recoveryOnTimeout(recovery, nowMs);
    }
  });
});

describe("keys and paths (RFC 9002 §6.3, §6.4, RFC 9000 §9.4)", () => {
  test("a discarded space takes its packets, their bytes and the backoff with it", () => {
    fresh(true);
    send(INITIAL, 0);
    send(HANDSHAKE, 1);
    send(INITIAL, 2, 0, 50);
    recoveryOnTimeout(recovery, 999);
    const before = slabBytesInUse();
    recoveryDiscardSpace(recovery, INITIAL, 1000);
    expect(recoveryHasSpace(recovery, INITIAL)).toBe(false);
    expect(congestionOf(recovery).bytesInFlight).toBe(DATAGRAM);
    expect(recovery.sentCount).toBe(1);
    expect(recovery.ptoCount).toBe(0);
    expect(recovery.deadlineMs).toBe(1000);
    expect(slabBytesInUse()).toBeLessThan(before);
    expect(lost()).toBe("");
    recoveryFree(recovery);
    expect(slabBytesInUse()).toBe(0);
  });

  test("a Retry gives all back without congestion, and numbers go on", () => {
    fresh(false);
    send(INITIAL, 0);
    send(APPLICATION, 1, DATA | PacketFlag.EARLY);
    recoveryOnRetry(recovery, 40);
    expect(lost()).toBe("0 0 ");
    expect(congestionOf(recovery).bytesInFlight).toBe(0);
    expect(congestionOf(recovery).window).toBe(12000);
    expect(rttOf(recovery).smoothedMs).toBe(40);
    expect(recoveryNextNumber(recovery, INITIAL)).toBe(1);
    expect(recovery.deadlineMs).toBe(160);
  });

  test("rejected early data is given back, what is 1-RTT stays", () => {
    fresh(false);
    send(APPLICATION, 0, DATA | PacketFlag.EARLY);
    send(APPLICATION, 1);
    recoveryOnEarlyDataRejected(recovery, 5);
    expect(lost()).toBe("0 ");
    expect(congestionOf(recovery).bytesInFlight).toBe(DATAGRAM);
  });

  test("another path begins anew, and what was sent on the old one counts for neither", () => {
    confirmed();
    sample(0, 100);
    for (let i = 0; i < 4; i++) send(APPLICATION, 200);
    recoveryOnPathChange(recovery, DATAGRAM, 210);
    expect(rttOf(recovery).smoothedMs).toBe(333);
    expect(congestionOf(recovery).bytesInFlight).toBe(0);
    expect(congestionOf(recovery).window).toBe(12000);
    ack(APPLICATION, 4, 4, 300);
    expect(lost()).toBe("1 ");
    expect(acked()).toBe("4 ");
    expect(congestionOf(recovery).window).toBe(12000);
    expect(rttOf(recovery).smoothedMs).toBe(333);
    sample(400, 50);
    expect(rttOf(recovery).smoothedMs).toBe(50);
  });
});

describe("persistent congestion (RFC 9002 §7.6)", () => {
  test("collapses the window when all of a long time was lost", () => {
    example(8.5);
    // Two datagrams, and what was acknowledged at last grows them (RFC 9002 B.8, B.5).
    expect(congestionOf(recovery).window).toBe(3 * DATAGRAM);
    expect(rttOf(recovery).minMs).toBe(rttOf(recovery).latestMs);
  });

  test("does not when the time was shorter", () => {
    example(8.3);
    expect(congestionOf(recovery).window).toBe(6000);
  });

  test("does not when something in between was acknowledged", () => {
    confirmed();
    sample(0, 0.7);
    rttOf(recovery).maxAckDelayMs = 0;
    for (let i = 1; i <= 9; i++) send(APPLICATION, 100 * i);
    ackBegin(recovery, APPLICATION, 9);
    ackRange(9, 9);
    ackRange(5, 5);
    ackEnd(recovery, 0, false, 0, 0, 0, 900);
    expect(lost()).toBe("1 2 3 4 6 7 8 ");
    expect(congestionOf(recovery).window).toBe(4 * DATAGRAM);
    confirmed();
    sample(0, 100);
    for (let i = 1; i <= 9; i++) send(APPLICATION, 130 * i);
    ackBegin(recovery, APPLICATION, 9);
    ackRange(9, 9);
    ackRange(5, 5);
    ackEnd(recovery, 0, false, 0, 0, 0, 1270);
    expect(congestionOf(recovery).window).toBe(6000);
  });

  test("does not count what was sent before the first sample, nor what elicits nothing, nor probes for the MTU", () => {
    confirmed();
    send(APPLICATION, 0);
    send(APPLICATION, 3000, PacketFlag.IN_FLIGHT);
    for (let i = 0; i < 4; i++) send(APPLICATION, 6000);
    ack(APPLICATION, 5, 5, 6010);
    expect(lost()).toBe("0 1 2 ");
    expect(congestionOf(recovery).window).toBe(6000);
    confirmed();
    sample(0, 1);
    for (let i = 0; i < 4; i++) send(APPLICATION, 1000 * i, DATA | PacketFlag.MTU_PROBE);
    send(APPLICATION, 5000);
    ack(APPLICATION, 5, 5, 5001);
    expect(lost()).toBe("1 2 3 4 ");
    expect(congestionOf(recovery).window).toBe(12000);
  });
});

describe("acknowledgements of what was not sent (RFC 9000 §13.1, §21.4)", () => {
  test("a number beyond the last one", () => {
    confirmed();
    expect(ack(APPLICATION, 0, 0, 1)).toBe(QuicStatus.ACK_UNSENT);
    send(APPLICATION, 1);
    expect(ack(APPLICATION, 0, 1, 2)).toBe(QuicStatus.ACK_UNSENT);
    expect(ack(APPLICATION, 0, u64.MAX_VALUE >> 2, 2)).toBe(QuicStatus.ACK_UNSENT);
    expect(ack(APPLICATION, 0, 0, 2)).toBe(Status.OK);
  });

  test("a number that was skipped, anywhere in a range; skips grow rarer", () => {
    confirmed();
    let previous: u64 = 0;
    let last: u64 = 0;
    let skips = 0;
    for (let i = 0; i < 8000; i++) {
      const number = send(APPLICATION, i);
      if (number == last + 2) {
        const skipped = number - 1;
        const period: u64 = 256 << skips;
        const distance = skipped - previous;
        expect(distance >= period / 2 && distance <= period + period / 2).toBe(true, `${distance}`);
        expect(ack(APPLICATION, skipped, skipped, i)).toBe(QuicStatus.ACK_SKIPPED);
        expect(ack(APPLICATION, skipped - 1, number, i)).toBe(QuicStatus.ACK_SKIPPED);
        previous = skipped;
        skips++;
      }
      expect(ack(APPLICATION, number, number, i)).toBe(Status.OK);
      acked();
      last = number;
    }
    expect(skips).toBeGreaterThan(3);
  });

  test("Initial and Handshake packets skip nothing", () => {
    confirmed();
    for (let i: u64 = 0; i < 2000; i++) {
      expect(send(HANDSHAKE, <f64>i)).toBe(i);
      ack(HANDSHAKE, i, i, <f64>i);
      acked();
    }
  });
});

describe("a frame from the wire", () => {
  test("settles what it says, with its delay scaled", () => {
    confirmed();
    sample(0, 100);
    for (let i = 0; i < 8; i++) send(APPLICATION, 1000 + i);
    // ACK, largest 8, delay 20 << 10 microseconds, one more range, 7-8, gap 1, 2-4.
    const bytes: StaticArray<u8> = [0x02, 8, 20, 1, 1, 1, 2];
    const reader = changetype<Reader>(heap.alloc(offsetof<Reader>()));
    readerOpen(reader, changetype<usize>(bytes), bytes.length);
    expect(readAck(reader, readU8(reader))).toBe(Status.OK);
    expect(recoveryOnAck(recovery, APPLICATION, 2, 10, 1147)).toBe(Status.OK);
    expect(acked()).toBe("2 3 4 7 8 ");
    expect(lost()).toBe("1 5 ");
    expect(rttOf(recovery).smoothedMs).toBe((7 * 100 + 140 - 20.48) / 8);
  });
});

describe("ECN (RFC 9000 §13.4.2)", () => {
  test("ten packets are marked; counts that fit make the path capable", () => {
    tested();
    ackCounts(0, 4, 50, 5, 0, 0);
    expect(recovery.ecnState).toBe(EcnState.CAPABLE);
    expect(ecnToSend(recovery)).toBe(Ecn.ECT0);
    expect(congestionOf(recovery).window).toBeGreaterThan(12000);
  });

  test("more CE marks are one congestion event per round trip", () => {
    tested();
    ackCounts(0, 4, 50, 4, 0, 1);
    expect(congestionOf(recovery).window).toBe(6000);
    ackCounts(0, 5, 51, 4, 0, 2);
    expect(congestionOf(recovery).window).toBe(6000);
    expect(recovery.ecnState).toBe(EcnState.CAPABLE);
  });

  test("fails without counts, with too few, too many, fewer than before, and for a codepoint never sent", () => {
    tested();
    ack(APPLICATION, 0, 4, 50);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
    expect(ecnToSend(recovery)).toBe(Ecn.NOT_ECT);
    tested();
    ackCounts(0, 4, 50, 4, 0, 0);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
    tested();
    ackCounts(0, 4, 50, 11, 0, 0);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
    tested();
    ackCounts(0, 4, 50, 5, 1, 0);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
    tested();
    ackCounts(0, 4, 50, 5, 0, 0);
    ackCounts(0, 5, 51, 4, 0, 2);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
  });

  test("a reordered frame does not make it fail", () => {
    tested();
    ackCounts(2, 4, 50, 3, 0, 0);
    ackCounts(0, 3, 51, 0, 0, 0);
    expect(recovery.ecnState).toBe(EcnState.CAPABLE);
  });

  test("fails when all marked packets are lost", () => {
    tested();
    for (let i = 0; i < 4; i++) send(APPLICATION, 20);
    ackCounts(13, 13, 2000, 0, 0, 0);
    expect(recovery.ecnState).toBe(EcnState.FAILED);
  });

  test("the test of a path ends after three PTOs too", () => {
    confirmed();
    ecnStart(recovery, 0);
    send(APPLICATION, 0, MARKED);
    expect(recovery.ecnState).toBe(EcnState.TESTING);
    send(APPLICATION, 3000, MARKED);
    expect(recovery.ecnState).toBe(EcnState.UNKNOWN);
    recoveryOnPathChange(recovery, DATAGRAM, 3001);
    expect(recovery.ecnState).toBe(EcnState.TESTING);
  });
});

describe("what a connection holds", () => {
  test("is below a kilobyte when idle", () => {
    confirmed();
    recoveryDiscardSpace(recovery, INITIAL, 0);
    recoveryDiscardSpace(recovery, HANDSHAKE, 0);
    receivedAdd(recoveryReceived(recovery, APPLICATION), 0, true, Ecn.NOT_ECT, 25, 1);
    expect(slabBytesInUse()).toBeLessThanOrEqual(896, `recovery ${RECOVERY_BYTES}`);
  });

  test("one packet with one frame is a block of 64 bytes", () => {
    confirmed();
    const before = slabBytesInUse();
    list.count = 0;
    send(APPLICATION, 1);
    expect(slabBytesInUse() - before).toBe(64);
  });

  test("a peer that acknowledges nothing stops the sender, and packets that elicit nothing are not kept for ever", () => {
    confirmed();
    congestionOf(recovery).window = 1e12;
    let count: u32 = 0;
    while (recoverySendAtMs(recovery, 50, 1e6) != Infinity && count < 10000) {
      send(APPLICATION, 1, DATA, 50);
      count++;
    }
    expect(count).toBe(8192);
    receiveWithGap(HANDSHAKE);
    const before = slabBytesInUse();
    for (let i = 0; i < 1000; i++) send(HANDSHAKE, 1, 0, 40);
    expect(slabBytesInUse() - before).toBeLessThanOrEqual(32 * 64);
    expect(spaceOf(recovery, HANDSHAKE).quietCount).toBe(32);
  });

  test("an acknowledgement whose fate says nothing is not kept", () => {
    confirmed();
    const received = recoveryReceived(recovery, APPLICATION);
    receivedAdd(received, 0, true, Ecn.NOT_ECT, 25, 1);
    const before = slabBytesInUse();
    send(APPLICATION, 1, 0, 40);
    expect(slabBytesInUse()).toBe(before);
    // It may time a round trip of what is under way, or say that ranges are known to the peer.
    send(APPLICATION, 2);
    send(APPLICATION, 2, 0, 40);
    expect(spaceOf(recovery, APPLICATION).quietCount).toBe(1);
    ack(APPLICATION, 0, 2, 10);
    receivedAdd(received, 2, true, Ecn.NOT_ECT, 25, 1);
    send(APPLICATION, 3, 0, 40);
    expect(spaceOf(recovery, APPLICATION).quietCount).toBe(1);
  });

  test("a sender of acknowledgements alone asks for a PING now and then", () => {
    confirmed();
    const received = recoveryReceived(recovery, APPLICATION);
    receivedAdd(received, 0, true, Ecn.NOT_ECT, 25, 1);
    receivedAdd(received, 2, true, Ecn.NOT_ECT, 25, 1);
    let pings = 0;
    for (let i = 0; i < 64; i++) {
      const isPing = recoveryPingIsDue(recovery, APPLICATION);
      if (isPing) pings++;
      send(APPLICATION, i, isPing ? DATA : 0, 40);
    }
    expect(pings).toBe(3);
  });

  test("spaces are opened and recoveries made only while there is memory", () => {
    fresh(false, CongestionAlgorithm.CUBIC);
    recoveryDiscardSpace(recovery, SpaceId.INITIAL, 0);
    expect(recoveryOpenSpace(recovery, SpaceId.INITIAL)).toBe(true);
    recoveryFree(recovery);
    expect(slabBytesInUse()).toBe(0);
  });
});
