/**
 * Whether the path lets ECN through, RFC 9000 §13.4.2 and A.4.
 *
 * The first ten packets of a path, or those of three PTOs, are marked ECT(0). If all of them are lost, or the counts that
 * the peer reports cannot be, the path has failed and nothing is marked any more; once the counts fit, it is capable. Off until
 * `ecnStart`, since most hosts cannot set the bits. ECT(1) is never sent.
 *
 * Does not fail on frames that are reordered: who calls leaves out those that do not raise the largest acknowledged number.
 */
import { congestionOnEvent } from "./congestion.ts";
import { PacketSpace } from "./packet_space.ts";
import { Ecn } from "./received_packets.ts";
import { congestionOf, Recovery, rttOf } from "./recovery_state.ts";
import { probeTimeoutMs } from "./rtt.ts";

/** RFC 9000 A.4, and OFF. */
export const enum EcnState {
  OFF = 0,
  TESTING = 1,
  UNKNOWN = 2,
  CAPABLE = 3,
  FAILED = 4,
}

const TEST_PACKETS: u32 = 10;
const TEST_PTOS: f64 = 3;

/** Begins to test the path. To be called by hosts that can set and read ECN bits. */
export function ecnStart(recovery: Recovery, nowMs: f64): void {
  recovery.ecnState = EcnState.TESTING;
  recovery.ecnSent = 0;
  recovery.ecnLost = 0;
  recovery.ecnTestEndMs = nowMs + TEST_PTOS * probeTimeoutMs(rttOf(recovery));
}

/** The codepoint for the next packet; one that is sent with ECT0 has PacketFlag.ECT0. */
export function ecnToSend(recovery: Recovery): Ecn {
  const isMarked = recovery.ecnState == EcnState.TESTING || recovery.ecnState == EcnState.CAPABLE;
  return isMarked ? Ecn.ECT0 : Ecn.NOT_ECT;
}

/** A marked packet was sent. */
export function ecnOnSent(recovery: Recovery, nowMs: f64): void {
  if (recovery.ecnState != EcnState.TESTING) return;
  recovery.ecnSent++;
  if (recovery.ecnSent >= TEST_PACKETS || nowMs >= recovery.ecnTestEndMs)
    recovery.ecnState = EcnState.UNKNOWN;
}

/** A marked packet was lost. */
export function ecnOnLost(recovery: Recovery): void {
  if (recovery.ecnState != EcnState.TESTING && recovery.ecnState != EcnState.UNKNOWN) return;
  recovery.ecnLost++;
  const isOver = recovery.ecnState == EcnState.UNKNOWN;
  if (isOver && recovery.ecnLost >= recovery.ecnSent) recovery.ecnState = EcnState.FAILED;
}

/**
 * RFC 9000 §13.4.2.1, for an ACK frame that raises the largest acknowledged number, newly acknowledges `markedCount` packets
 * with ECT(0), and was in answer to a packet sent at `sentAtMs`. More CE marks are a congestion event (RFC 9002 §7.1).
 */
export function ecnOnAck(
  recovery: Recovery,
  space: PacketSpace,
  markedCount: u64,
  hasCounts: bool,
  ect0: u64,
  ect1: u64,
  ce: u64,
  sentAtMs: f64,
  nowMs: f64,
): void {
  if (recovery.ecnState == EcnState.OFF || recovery.ecnState == EcnState.FAILED) return;
  if (!hasCounts) {
    if (markedCount != 0) recovery.ecnState = EcnState.FAILED;
    return;
  }
  if (!isPossible(space, markedCount, ect0, ect1, ce)) {
    recovery.ecnState = EcnState.FAILED;
    return;
  }
  const hasMoreMarks = ce > space.ceReported;
  space.ect0Reported = ect0;
  space.ceReported = ce;
  if (recovery.ecnState == EcnState.UNKNOWN && markedCount != 0) recovery.ecnState = EcnState.CAPABLE;
  if (hasMoreMarks) congestionOnEvent(congestionOf(recovery), sentAtMs, nowMs);
}

/** Counts never fall, cover what was newly acknowledged, and do not exceed what was sent. Each is below 2^62. */
function isPossible(space: PacketSpace, markedCount: u64, ect0: u64, ect1: u64, ce: u64): bool {
  if (ect0 < space.ect0Reported || ce < space.ceReported) return false;
  if (ect0 - space.ect0Reported + (ce - space.ceReported) < markedCount) return false;
  return ect0 <= space.ect0Sent && ect1 == 0;
}
