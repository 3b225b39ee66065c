/**
 * Which open packets are lost, RFC 9002 §6.1, and what this means for congestion, §7.6, B.8.
 *
 * One walk over the open packets up to the highest acknowledged one settles all of them: those that an ACK frame has marked
 * leave as acknowledged, those three numbers behind or too old leave as lost, and at most a few stay. So the walk costs what
 * it settles, and two or three packets more, however the peer acknowledges.
 *
 * Persistent congestion is judged within one space, as §7.6.2 allows: a run of lost ack-eliciting packets, sent after the first
 * RTT sample, that spans the duration with none acknowledged between them.
 */
import { bbrOnEvent } from "./bbr.ts";
import { cycleOnLost } from "./bbr_cycle.ts";
import { congestionCollapse, congestionOnEvent } from "./congestion.ts";
import { ecnOnLost } from "./ecn.ts";
import { PacketSpace, spaceRemove } from "./packet_space.ts";
import {
  appendAcked,
  appendLost,
  congestionOf,
  leaveFlight,
  Recovery,
  rttOf,
  spaceAt,
  spaceOf,
} from "./recovery_state.ts";
import { lossDelayMs, persistentCongestionMs, rttHasSample } from "./rtt.ts";
import { PacketFlag, SentPacket, sentPacketIs } from "./sent_packet.ts";

/** RFC 9002 §6.1.1: kPacketThreshold. */
const PACKET_THRESHOLD: u64 = 3;

/** Of the current walk: when the latest lost packet that tells of congestion was sent, and whether a run was too long. */
let lostSentAtMs: f64 = -Infinity;
let isPersistent: bool = false;

/** RFC 9002 A.10: settles packets, puts them on the recovery's lists, and tells congestion control of losses. */
export function settlePackets(recovery: Recovery, space: PacketSpace, nowMs: f64): void {
  lostSentAtMs = -Infinity;
  isPersistent = false;
  space.lossAtMs = Infinity;
  const delayMs = lossDelayMs(rttOf(recovery));
  let ptr = space.head;
  while (ptr != 0) {
    const packet = changetype<SentPacket>(ptr);
    if (packet.number >= space.ackedEnd) break;
    ptr = packet.next;
    if (sentPacketIs(packet, PacketFlag.ACKED)) {
      space.lostSinceMs = Infinity;
      leave(recovery, space, packet);
      appendAcked(recovery, packet);
    } else if (
      packet.number + PACKET_THRESHOLD < space.ackedEnd ||
      // The very sum that the timer is set to, so that the timer's firing finds the packet lost.
      packet.sentAtMs + delayMs <= nowMs
    ) {
      noteLoss(recovery, space, packet, nowMs);
      leave(recovery, space, packet);
      appendLost(recovery, packet);
    } else {
      space.lossAtMs = min(space.lossAtMs, packet.sentAtMs + delayMs);
    }
  }
  const congestion = congestionOf(recovery);
  if (lostSentAtMs != -Infinity && congestion.bbr == 0) congestionOnEvent(congestion, lostSentAtMs, nowMs);
  if (!isPersistent) return;
  congestionCollapse(congestion);
  space.lostSinceMs = Infinity;
  // RFC 9002 §5.2: the path may be another one now.
  rttOf(recovery).minMs = rttOf(recovery).latestMs;
}

/**
 * Open packets of a space that have one of `flags` (0: all of them) are gone for a reason that is no congestion; their frames
 * are to be sent again.
 */
export function giveUp(recovery: Recovery, id: u32, flags: u32): void {
  if (spaceAt(recovery, id) == 0) return;
  const space = spaceOf(recovery, id);
  let ptr = space.head;
  while (ptr != 0) {
    const packet = changetype<SentPacket>(ptr);
    ptr = packet.next;
    if (flags != 0 && (packet.flags & flags) == 0) continue;
    leave(recovery, space, packet);
    appendLost(recovery, packet);
  }
  if (space.head == 0) space.lossAtMs = Infinity;
}

function leave(recovery: Recovery, space: PacketSpace, packet: SentPacket): void {
  spaceRemove(space, packet);
  leaveFlight(recovery, packet);
  recovery.sentCount--;
}

function noteLoss(recovery: Recovery, space: PacketSpace, packet: SentPacket, nowMs: f64): void {
  if (packet.path != recovery.path) return;
  if (sentPacketIs(packet, PacketFlag.ECT0)) ecnOnLost(recovery);
  // RFC 9000 §14.4: a lost probe for the MTU is no reason to react.
  if (!sentPacketIs(packet, PacketFlag.IN_FLIGHT) || sentPacketIs(packet, PacketFlag.MTU_PROBE)) return;
  const sentAtMs = packet.sentAtMs;
  const congestion = congestionOf(recovery);
  if (congestion.bbr != 0) {
    bbrOnEvent(congestion);
    cycleOnLost(congestion, packet, nowMs);
  }
  lostSentAtMs = max(lostSentAtMs, sentAtMs);
  const rtt = rttOf(recovery);
  if (!sentPacketIs(packet, PacketFlag.ACK_ELICITING) || !rttHasSample(rtt)) return;
  if (sentAtMs <= rtt.firstSampleAtMs) return;
  if (space.lostSinceMs == Infinity) space.lostSinceMs = sentAtMs;
  else if (sentAtMs - space.lostSinceMs > persistentCongestionMs(rtt)) isPersistent = true;
}
