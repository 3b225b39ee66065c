/**
 * An ACK frame of the peer, RFC 9002 §5.1, §6.1, A.7, RFC 9000 §13.1.
 *
 * `recoveryOnAck` takes the frame that `readAck` read last: `ackBegin`, `ackRange` for each of its ranges from the highest down,
 * `ackEnd`. Nothing is stored per range, so their number is bounded by the frame alone. `ackBegin` finds the largest number among the
 * open packets by walking up from the oldest, which are those that this frame settles; each range walks down from there. The
 * whole costs ranges + settled packets, however the ranges lie.
 *
 * A number that was never sent, or was skipped, is a peer that acknowledges what it did not receive: PROTOCOL_VIOLATION
 * (RFC 9000 §13.1, §21.4). The connection ends then, so what was marked before does not matter.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import {
  ackCe,
  ackDelay,
  ackEct0,
  ackEct1,
  ackLargest,
  ackNextRange,
  ackRangeLargest,
  ackRangeSmallest,
} from "../wire/ack.ts";
import { FrameType } from "../wire/frame_type.ts";
import { bbrOnAck } from "./bbr.ts";
import { Bbr } from "./bbr_state.ts";
import { congestionIsUsed, congestionOnAcked, congestionOnRound } from "./congestion.ts";
import { rateBegin, rateOnAcked } from "./delivery_rate.ts";
import { ecnOnAck } from "./ecn.ts";
import { settlePackets } from "./loss.ts";
import { PacketSpace, SpaceId } from "./packet_space.ts";
import { congestionOf, Recovery, rttOf, spaceOf } from "./recovery_state.ts";
import { rttSample } from "./rtt.ts";
import { PacketFlag, SentPacket, sentPacketIs } from "./sent_packet.ts";
import { peerValidatedAddress, rearm } from "./timer.ts";

const MICROSECONDS_PER_MS: f64 = 1000;

/** Of the frame that is told: its space, the next open packet to look at, and what was newly acknowledged so far. */
let space: PacketSpace = changetype<PacketSpace>(0);
let spaceId: u32 = 0;
let cursor: usize = 0;
let largest: u64 = 0;
let newCount: u32 = 0;
let newMarkedCount: u32 = 0;
let hasNewEliciting: bool = false;
/** The path that counts, and the Bbr that is told of its packets; 0 where there is none. */
let path: u32 = 0;
let sampler: usize = 0;
/** The packet with the largest number, when it is newly acknowledged. */
let largestPacket: usize = 0;

/**
 * RFC 9002 A.7: the ACK frame of `type` that `readAck` read last, in a packet of the space. `exponent` is the peer's
 * ack_delay_exponent. Settled packets lie on the recovery's lists. A negative status ends the connection.
 */
export function recoveryOnAck(recovery: Recovery, id: SpaceId, type: u32, exponent: u32, nowMs: f64): i32 {
  let status = ackBegin(recovery, id, ackLargest);
  while (status == Status.OK && ackNextRange()) status = ackRange(ackRangeSmallest, ackRangeLargest);
  if (status != Status.OK) return status;
  // As a float, since a varint shifted by 20 may leave 64 bits.
  const delayMs = (<f64>ackDelay * <f64>((<u64>1) << exponent)) / MICROSECONDS_PER_MS;
  ackEnd(recovery, delayMs, type == FrameType.ACK_ECN, ackEct0, ackEct1, ackCe, nowMs);
  return Status.OK;
}

/** Begins an ACK frame. A negative status ends the connection. */
export function ackBegin(recovery: Recovery, id: SpaceId, largestAcked: u64): i32 {
  space = spaceOf(recovery, id);
  spaceId = id;
  largest = largestAcked;
  newCount = 0;
  newMarkedCount = 0;
  hasNewEliciting = false;
  largestPacket = 0;
  path = recovery.path;
  sampler = congestionOf(recovery).bbr;
  rateBegin();
  if (largestAcked >= space.nextNumber) return QuicStatus.ACK_UNSENT;
  cursor = 0;
  let ptr = space.head;
  while (ptr != 0 && changetype<SentPacket>(ptr).number <= largestAcked) {
    cursor = ptr;
    ptr = changetype<SentPacket>(ptr).next;
  }
  return Status.OK;
}

/** The next range, [first, last], which lies below those before it. A negative status ends the connection. */
export function ackRange(first: u64, last: u64): i32 {
  if (first <= space.skippedNumber && space.skippedNumber <= last) return QuicStatus.ACK_SKIPPED;
  while (cursor != 0) {
    const packet = changetype<SentPacket>(cursor);
    if (packet.number < first) break;
    if (packet.number <= last) markAcked(packet);
    cursor = packet.prev;
  }
  return Status.OK;
}

/**
 * Ends an ACK frame. `delayMs` is the ACK Delay, scaled; the counts are those of the frame, if it has any. Settled packets lie
 * on the recovery's lists.
 */
export function ackEnd(
  recovery: Recovery,
  delayMs: f64,
  hasCounts: bool,
  ect0: u64,
  ect1: u64,
  ce: u64,
  nowMs: f64,
): void {
  const isNewLargest = largest >= space.ackedEnd;
  if (isNewLargest) space.ackedEnd = largest + 1;
  if (spaceId == SpaceId.HANDSHAKE && newCount != 0) recovery.isHandshakeAcked = true;
  // RFC 9002 A.7: nothing to do when nothing is new.
  if (newCount == 0) return;
  const sampleMs = takeSample(recovery, delayMs, nowMs);
  const congestion = congestionOf(recovery);
  const isUsed = congestionIsUsed(congestion, recovery.isPaced && sampler == 0);
  if (isNewLargest) {
    const sentAtMs = largestPacket != 0 ? changetype<SentPacket>(largestPacket).sentAtMs : -Infinity;
    ecnOnAck(recovery, space, newMarkedCount, hasCounts, ect0, ect1, ce, sentAtMs, nowMs);
  }
  const before = recovery.ackedHead != 0 ? recovery.ackedTail : 0;
  settlePackets(recovery, space, nowMs);
  if (sampler != 0) {
    bbrOnAck(congestion, rttOf(recovery), sampleMs, isUsed, nowMs);
  } else {
    grow(recovery, before != 0 ? changetype<SentPacket>(before).next : recovery.ackedHead, isUsed, nowMs);
    congestionOnRound(congestion, largest, space.nextNumber, sampleMs);
  }
  // RFC 9002 §6.2.1: not while the client does not know whether the server has validated its address.
  if (peerValidatedAddress(recovery)) recovery.ptoCount = 0;
  rearm(recovery, nowMs);
}

function markAcked(packet: SentPacket): void {
  packet.flags |= <u16>PacketFlag.ACKED;
  newCount++;
  if (sentPacketIs(packet, PacketFlag.ECT0)) newMarkedCount++;
  if (sentPacketIs(packet, PacketFlag.ACK_ELICITING)) hasNewEliciting = true;
  if (sampler != 0 && sentPacketIs(packet, PacketFlag.IN_FLIGHT) && packet.path == path)
    rateOnAcked(changetype<Bbr>(sampler), packet);
  if (packet.number == largest) largestPacket = changetype<usize>(packet);
}

/**
 * RFC 9002 §5.1: a sample, when the largest number is newly acknowledged and something of what is new was ack-eliciting.
 * -1 when there is none.
 */
function takeSample(recovery: Recovery, delayMs: f64, nowMs: f64): f64 {
  if (largestPacket == 0 || !hasNewEliciting) return -1;
  const packet = changetype<SentPacket>(largestPacket);
  if (packet.path != recovery.path) return -1;
  const sampleMs = max(nowMs - packet.sentAtMs, 0);
  // RFC 9002 §5.3: Initial packets are acknowledged at once, whatever the frame says.
  const honouredMs = spaceId == SpaceId.INITIAL ? 0 : delayMs;
  rttSample(rttOf(recovery), sampleMs, honouredMs, recovery.isConfirmed, nowMs);
  return sampleMs;
}

/** RFC 9002 B.5, for the packets from `ptr` on. */
function grow(recovery: Recovery, ptr: usize, isUsed: bool, nowMs: f64): void {
  const congestion = congestionOf(recovery);
  const smoothedMs = rttOf(recovery).smoothedMs;
  while (ptr != 0) {
    const packet = changetype<SentPacket>(ptr);
    ptr = packet.next;
    if (!sentPacketIs(packet, PacketFlag.IN_FLIGHT) || packet.path != recovery.path) continue;
    congestionOnAcked(congestion, packet.size, packet.sentAtMs, isUsed, smoothedMs, nowMs);
  }
}
