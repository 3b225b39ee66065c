/**
 * Loss recovery and congestion control of one connection, RFC 9002: its state, and what is told to it about sending, keys and
 * paths. Acknowledgements come in through acknowledgement.ts, time through timer.ts.
 *
 * How a connection drives it. For each packet: `recoverySendAtMs` says whether one may be sent; `sentPacketOpen` opens it;
 * its number is `recoveryNextNumber`; its frames go into its list; `recoveryOnSent` takes it over, or `sentPacketFree` drops
 * it. After each ACK frame, each timeout and each call that says so, packets lie on two lists: `recoveryTakeAcked` and
 * `recoveryTakeLost` hand them out one by one, and who takes one frees it. `deadlineMs` is when `recoveryOnTimeout` is due.
 *
 * No call back into the connection, no clock of its own: `nowMs` is given, and never decreases.
 *
 * Invariant: `bytesInFlight` is the size of the in-flight packets of all spaces that were sent on the current path.
 */
import { Limit } from "../../abi/limit.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { bbrBeforeSent } from "./bbr.ts";
import { BBR_BYTES, bbrOf } from "./bbr_state.ts";
import { congestionHasRoom, congestionOnSent, congestionReset } from "./congestion.ts";
import { CongestionAlgorithm } from "./congestion_state.ts";
import { rateLimit, rateOnSent } from "./delivery_rate.ts";
import { ecnOnSent, ecnStart } from "./ecn.ts";
import { pacerOnSent, pacerReadyAtMs, pacerReset } from "./pacer.ts";
import {
  PacketSpace,
  planSkip,
  receivedOf,
  spaceAllocate,
  spaceAppend,
  spaceFree,
  SpaceId,
  spaceTakeNumber,
} from "./packet_space.ts";
import { ReceivedPackets } from "./received_packets.ts";
import { giveUp } from "./loss.ts";
import {
  BBR_OFFSET,
  congestionOf,
  leaveFlight,
  nextRandom,
  pacerOf,
  Recovery,
  RECOVERY_BYTES,
  rttOf,
  setSpaceAt,
  spaceAt,
  spaceOf,
} from "./recovery_state.ts";
import { DEFAULT_MAX_ACK_DELAY_MS, INITIAL_RTT_MS, rttHasSample, rttReset } from "./rtt.ts";
import { PacketFlag, SentPacket, sentPacketFree, sentPacketShrink } from "./sent_packet.ts";
import { rearm } from "./timer.ts";

/** Packets that elicit nothing are remembered up to this many in a space, for the sake of the ACK frames in them. */
const QUIET_MOST: u32 = 32;
/** RFC 9000 §13.2.4: after so many packets that elicit nothing a PING is worth its byte. */
const QUIET_RUN_MOST: u32 = 16;

/** A recovery without spaces, or 0 when the slab is full. `random` decides which packet numbers are skipped. */
export function recoveryAllocate(
  isServer: bool,
  algorithm: CongestionAlgorithm,
  datagramSize: u32,
  random: u64,
  nowMs: f64,
): usize {
  const bytes = algorithm == CongestionAlgorithm.BBR ? BBR_OFFSET + BBR_BYTES : RECOVERY_BYTES;
  const block = slabAllocate(bytes);
  if (block == 0) return 0;
  memory.fill(block, 0, bytes);
  const recovery = changetype<Recovery>(block);
  recovery.isServer = isServer;
  recovery.random = random | 1;
  recovery.deadlineMs = Infinity;
  rttOf(recovery).maxAckDelayMs = DEFAULT_MAX_ACK_DELAY_MS;
  const congestion = congestionOf(recovery);
  congestion.algorithm = algorithm;
  if (algorithm == CongestionAlgorithm.BBR) {
    congestion.bbr = block + BBR_OFFSET;
    bbrOf(congestion).random = <u32>random;
  }
  resetPath(recovery, INITIAL_RTT_MS, datagramSize, nowMs);
  return block;
}

/** Gives everything back, the packets on the two lists included. */
export function recoveryFree(recovery: Recovery): void {
  for (let id = 0; id < SpaceId.COUNT; id++) {
    const space = spaceAt(recovery, id);
    if (space != 0) spaceFree(changetype<PacketSpace>(space));
  }
  for (let packet = recoveryTakeAcked(recovery); packet != 0; packet = recoveryTakeAcked(recovery))
    sentPacketFree(packet);
  for (let packet = recoveryTakeLost(recovery); packet != 0; packet = recoveryTakeLost(recovery))
    sentPacketFree(packet);
  slabFree(changetype<usize>(recovery));
}

/** Opens a space when its keys come. False when the slab is full. */
export function recoveryOpenSpace(recovery: Recovery, id: SpaceId): bool {
  const random = id == SpaceId.APPLICATION ? nextRandom(recovery) : 0;
  const space = spaceAllocate(limitU32(Limit.ACK_RANGE_COUNT), random);
  setSpaceAt(recovery, id, space);
  return space != 0;
}

// @ts-ignore: decorator
@inline
export function recoveryHasSpace(recovery: Recovery, id: SpaceId): bool {
  return spaceAt(recovery, id) != 0;
}

/** RFC 9002 §6.4: the keys of a space are dropped, and with them what it sent, acknowledged or not. */
export function recoveryDiscardSpace(recovery: Recovery, id: SpaceId, nowMs: f64): void {
  if (!recoveryHasSpace(recovery, id)) return;
  const space = spaceOf(recovery, id);
  for (let packet = space.head; packet != 0; packet = changetype<SentPacket>(packet).next) {
    leaveFlight(recovery, changetype<SentPacket>(packet));
    recovery.sentCount--;
  }
  spaceFree(space);
  setSpaceAt(recovery, id, 0);
  recovery.ptoCount = 0;
  rearm(recovery, nowMs);
}

/** What arrived in a space. */
// @ts-ignore: decorator
@inline
export function recoveryReceived(recovery: Recovery, id: SpaceId): ReceivedPackets {
  return receivedOf(spaceOf(recovery, id));
}

/** The number of the next packet of a space. */
// @ts-ignore: decorator
@inline
export function recoveryNextNumber(recovery: Recovery, id: SpaceId): u64 {
  return spaceOf(recovery, id).nextNumber;
}

/**
 * When a packet of `size` in flight may be sent: `nowMs`, a later time (the pacer's), or Infinity (when acknowledgements have
 * come). Acknowledgements and probes (`probeCount`) do not ask.
 */
export function recoverySendAtMs(recovery: Recovery, size: u32, nowMs: f64): f64 {
  const congestion = congestionOf(recovery);
  if (!congestionHasRoom(congestion, size)) return Infinity;
  if (recovery.sentCount >= limitU32(Limit.SENT_PACKET_COUNT)) {
    limitHit(Limit.SENT_PACKET_COUNT);
    return Infinity;
  }
  const atMs = pacerReadyAtMs(pacerOf(recovery), congestion, rttOf(recovery), size, nowMs);
  recovery.isPaced = atMs > nowMs;
  return atMs;
}

/**
 * RFC 9002 A.5: the packet, which has the number `recoveryNextNumber` said and `frameCount` records, is sent. `flags` are of
 * PacketFlag. `packet` belongs to the recovery from here on, and may have moved.
 */
export function recoveryOnSent(
  recovery: Recovery,
  id: SpaceId,
  packet: usize,
  frameCount: u32,
  size: u32,
  flags: u32,
  nowMs: f64,
): void {
  const space = spaceOf(recovery, id);
  const number = space.nextNumber;
  if (spaceTakeNumber(space)) planSkip(space, nextRandom(recovery));
  if (flags & PacketFlag.ECT0) {
    space.ect0Sent++;
    ecnOnSent(recovery, nowMs);
  }
  const isEliciting = (flags & PacketFlag.ACK_ELICITING) != 0;
  space.quietRun = isEliciting ? 0 : space.quietRun + 1;
  // The fate of an ACK alone says which ranges need no repeating: with one range, and nothing whose round trip it might time, that
  // is nothing, and a connection that falls silent does not keep its last one.
  const isIdle = space.elicitingCount == 0 && receivedOf(space).count <= 1;
  if (!isEliciting && !(flags & PacketFlag.IN_FLIGHT) && (isIdle || space.quietCount >= QUIET_MOST)) {
    sentPacketFree(packet);
    return;
  }
  const congestion = congestionOf(recovery);
  const isSampled = congestion.bbr != 0;
  const sent = sentPacketShrink(packet, frameCount, isSampled);
  sent.number = number;
  sent.sentAtMs = nowMs;
  sent.size = size;
  sent.flags = <u16>flags;
  sent.space = <u16>id;
  sent.path = recovery.path;
  spaceAppend(space, sent);
  recovery.sentCount++;
  if (!(flags & PacketFlag.IN_FLIGHT)) return;
  recovery.isPaced = false;
  if (isSampled) bbrBeforeSent(congestion, nowMs);
  congestionOnSent(congestion, size);
  if (isSampled) rateOnSent(bbrOf(congestion), sent, congestion.bytesInFlight);
  pacerOnSent(pacerOf(recovery), congestion, rttOf(recovery), size, nowMs);
  if (isEliciting) space.elicitingAtMs = nowMs;
  rearm(recovery, nowMs);
}

/** There is nothing to send. Where there would be room, what is delivered from here on tells of the application, not of the path. */
export function recoveryOnIdle(recovery: Recovery): void {
  const congestion = congestionOf(recovery);
  if (congestion.bbr == 0 || !congestionHasRoom(congestion, <u32>congestion.datagramSize)) return;
  rateLimit(bbrOf(congestion), congestion.bytesInFlight);
}

/** RFC 9000 §13.2.4: should the next packet of the space carry a PING, so that the peer acknowledges our acknowledgements. */
export function recoveryPingIsDue(recovery: Recovery, id: SpaceId): bool {
  const space = spaceOf(recovery, id);
  return space.quietRun >= QUIET_RUN_MOST && receivedOf(space).count > 1;
}

/**
 * RFC 9002 §6.2.4: the oldest open packet of the space whose frames no probe has repeated yet, for the connection to send its
 * frames again. It stays open. 0 when there is none: new data or a PING does.
 */
export function recoveryProbePacket(recovery: Recovery, id: SpaceId): usize {
  let ptr = spaceOf(recovery, id).head;
  while (ptr != 0) {
    const packet = changetype<SentPacket>(ptr);
    if ((packet.flags & (PacketFlag.ACK_ELICITING | PacketFlag.PROBED)) == PacketFlag.ACK_ELICITING) {
      packet.flags |= <u16>PacketFlag.PROBED;
      return ptr;
    }
    ptr = packet.next;
  }
  return 0;
}

/** The next acknowledged packet, which the caller frees; 0 when there is none. */
export function recoveryTakeAcked(recovery: Recovery): usize {
  const packet = recovery.ackedHead;
  if (packet != 0) recovery.ackedHead = changetype<SentPacket>(packet).next;
  return packet;
}

/** The next lost packet, which the caller frees; 0 when there is none. */
export function recoveryTakeLost(recovery: Recovery): usize {
  const packet = recovery.lostHead;
  if (packet != 0) recovery.lostHead = changetype<SentPacket>(packet).next;
  return packet;
}

/** RFC 9002 §6.2.2.1: the server may, or may no longer, send nothing until the client's address is validated. */
export function recoverySetAmplificationBlocked(recovery: Recovery, isBlocked: bool, nowMs: f64): void {
  if (recovery.isAmplificationBlocked == isBlocked) return;
  recovery.isAmplificationBlocked = isBlocked;
  rearm(recovery, nowMs);
}

/** Handshake keys are there: a client's probe against deadlock is a Handshake packet from now on. */
export function recoveryOnHandshakeKeys(recovery: Recovery, nowMs: f64): void {
  recovery.hasHandshakeKeys = true;
  rearm(recovery, nowMs);
}

/** RFC 9001 §4.1.2: the handshake is confirmed. */
export function recoveryOnConfirmed(recovery: Recovery, nowMs: f64): void {
  recovery.isConfirmed = true;
  rearm(recovery, nowMs);
}

/** RFC 9000 §18.2: the peer's max_ack_delay. */
export function recoverySetMaxAckDelay(recovery: Recovery, delayMs: f64): void {
  rttOf(recovery).maxAckDelayMs = delayMs;
}

/**
 * RFC 9002 §6.3: a client was answered by Retry. What it sent is to be sent again and says nothing about congestion; numbers
 * go on. The time to the Retry is the first estimate of the round trip.
 */
export function recoveryOnRetry(recovery: Recovery, nowMs: f64): void {
  const first = recoveryHasSpace(recovery, SpaceId.INITIAL) ? spaceOf(recovery, SpaceId.INITIAL).head : 0;
  if (first != 0 && !rttHasSample(rttOf(recovery))) {
    const elapsedMs = nowMs - changetype<SentPacket>(first).sentAtMs;
    if (elapsedMs > 0) rttReset(rttOf(recovery), min(elapsedMs, INITIAL_RTT_MS));
  }
  giveUp(recovery, SpaceId.INITIAL, 0);
  giveUp(recovery, SpaceId.APPLICATION, 0);
  recovery.ptoCount = 0;
  rearm(recovery, nowMs);
}

/** RFC 9002 §6.4: the server rejected early data: 0-RTT packets are gone, and their frames are to be sent again. */
export function recoveryOnEarlyDataRejected(recovery: Recovery, nowMs: f64): void {
  giveUp(recovery, SpaceId.APPLICATION, PacketFlag.EARLY);
  rearm(recovery, nowMs);
}

/**
 * RFC 9000 §9.4: packets go another way. Round trips and congestion of the old path say nothing about it; its open packets can
 * still be acknowledged or lost, and count for neither.
 */
export function recoveryOnPathChange(recovery: Recovery, datagramSize: u32, nowMs: f64): void {
  recovery.path++;
  resetPath(recovery, INITIAL_RTT_MS, datagramSize, nowMs);
  recovery.ptoCount = 0;
  if (recovery.ecnState != 0) ecnStart(recovery, nowMs);
  rearm(recovery, nowMs);
}

function resetPath(recovery: Recovery, initialRttMs: f64, datagramSize: u32, nowMs: f64): void {
  rttReset(rttOf(recovery), initialRttMs);
  congestionReset(congestionOf(recovery), datagramSize);
  pacerReset(pacerOf(recovery), congestionOf(recovery), nowMs);
}
