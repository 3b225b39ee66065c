/**
 * The loss detection timer: when it is due, and what its firing means. RFC 9002 §6.1.2, §6.2, A.8, A.9.
 *
 * There is one deadline. Packets about to be lost by time come first; else it is the probe timeout of the space where that is
 * earliest, doubled by each that passed. A client that may have to help its server over the amplification limit probes with
 * nothing in flight too (§6.2.2.1); a server at that limit probes not at all.
 */
import { settlePackets } from "./loss.ts";
import { PacketSpace, SpaceId } from "./packet_space.ts";
import { Recovery, rttOf, spaceAt } from "./recovery_state.ts";
import { probeTimeoutMs } from "./rtt.ts";

/** What `recoveryOnTimeout` found. */
export const enum RecoveryTimeout {
  /** It was too early. */
  NONE = 0,
  /** Packets lie on the list of lost ones. */
  LOSS = 1,
  /** `probeCount` ack-eliciting packets are to be sent in `probeSpace`. */
  PROBE = 2,
}

/** RFC 9002 §6.2.4: a sender may send up to two. One is enough where there is nothing to repeat. */
const PROBE_PACKETS: u32 = 2;
/** A PTO that doubled so often is longer than any idle timeout. */
const BACKOFF_MOST: u32 = 30;

/** RFC 9002 A.9. */
export function recoveryOnTimeout(recovery: Recovery, nowMs: f64): RecoveryTimeout {
  if (nowMs < recovery.deadlineMs) return RecoveryTimeout.NONE;
  const lossSpace = earliestLoss(recovery);
  if (lossSpace != 0) {
    settlePackets(recovery, changetype<PacketSpace>(lossSpace), nowMs);
    rearm(recovery, nowMs);
    return RecoveryTimeout.LOSS;
  }
  recovery.probeSpace = recovery.ptoSpace;
  recovery.probeCount = elicitingCount(recovery) != 0 ? PROBE_PACKETS : 1;
  recovery.ptoCount++;
  rearm(recovery, nowMs);
  return RecoveryTimeout.PROBE;
}

/** RFC 9002 A.8: after everything that can change the deadline. */
export function rearm(recovery: Recovery, nowMs: f64): void {
  const lossSpace = earliestLoss(recovery);
  if (lossSpace != 0) recovery.deadlineMs = changetype<PacketSpace>(lossSpace).lossAtMs;
  else if (recovery.isAmplificationBlocked) recovery.deadlineMs = Infinity;
  else recovery.deadlineMs = probeDeadline(recovery, nowMs);
}

/** RFC 9002 A.7: PeerCompletedAddressValidation. */
export function peerValidatedAddress(recovery: Recovery): bool {
  return recovery.isServer || recovery.isConfirmed || recovery.isHandshakeAcked;
}

/** RFC 9002 A.8: GetPtoTimeAndSpace. Infinity when no probe is due. */
function probeDeadline(recovery: Recovery, nowMs: f64): f64 {
  const rtt = rttOf(recovery);
  const backoff = <f64>((<u64>1) << min(recovery.ptoCount, BACKOFF_MOST));
  const periodMs = probeTimeoutMs(rtt) * backoff;
  let earliestMs = Infinity;
  for (let id = 0; id < SpaceId.COUNT; id++) {
    const ptr = spaceAt(recovery, id);
    if (ptr == 0) continue;
    const space = changetype<PacketSpace>(ptr);
    if (space.elicitingCount == 0) continue;
    let atMs = space.elicitingAtMs + periodMs;
    if (id == SpaceId.APPLICATION) {
      // RFC 9002 §6.2.1: MUST NOT be set until the handshake is confirmed.
      if (!recovery.isConfirmed) continue;
      atMs += rtt.maxAckDelayMs * backoff;
    }
    if (atMs >= earliestMs) continue;
    earliestMs = atMs;
    recovery.ptoSpace = id;
  }
  if (earliestMs != Infinity || peerValidatedAddress(recovery)) return earliestMs;
  // RFC 9002 §6.2.2.1: the server may wait for bytes of ours.
  recovery.ptoSpace = recovery.hasHandshakeKeys ? SpaceId.HANDSHAKE : SpaceId.INITIAL;
  return nowMs + periodMs;
}

/** The space whose packets are lost first by time; 0 when there is none. */
function earliestLoss(recovery: Recovery): usize {
  let earliest: usize = 0;
  let earliestMs = Infinity;
  for (let id = 0; id < SpaceId.COUNT; id++) {
    const space = spaceAt(recovery, id);
    if (space == 0 || changetype<PacketSpace>(space).lossAtMs >= earliestMs) continue;
    earliest = space;
    earliestMs = changetype<PacketSpace>(space).lossAtMs;
  }
  return earliest;
}

/** Open ack-eliciting packets of all spaces. */
function elicitingCount(recovery: Recovery): u32 {
  let count: u32 = 0;
  for (let id = 0; id < SpaceId.COUNT; id++) {
    const space = spaceAt(recovery, id);
    if (space != 0) count += changetype<PacketSpace>(space).elicitingCount;
  }
  return count;
}
