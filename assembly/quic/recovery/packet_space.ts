/**
 * One packet number space, RFC 9002 A.3: what was sent and is open, what arrived, and the numbers themselves.
 *
 * A space is one slab block that exists while its keys do. Open packets are a list in the order of their numbers.
 *
 * Now and then a number is skipped (RFC 9000 §21.4): a peer that acknowledges it acknowledges what it never saw. The distance
 * between skips is random and doubles, since a connection that lives on has shown good will; the last skipped number is
 * remembered. Only 1-RTT packets skip: the others are too few.
 *
 * Invariant: numbers of the list ascend, and all are below `nextNumber`.
 */
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { ReceivedPackets, receivedFree, receivedInitialize } from "./received_packets.ts";
import { PacketFlag, SentPacket, sentPacketFree, sentPacketIs } from "./sent_packet.ts";

/** RFC 9002 A.3: kPacketNumberSpace. 0-RTT and 1-RTT packets share the last one. */
export const enum SpaceId {
  INITIAL = 0,
  HANDSHAKE = 1,
  APPLICATION = 2,
  COUNT = 3,
}

const SKIP_PERIOD_FIRST: u32 = 256;
const SKIP_PERIOD_MOST: u32 = 131072;
/** No number is that high: nothing was skipped. */
const NOT_SKIPPED: u64 = u64.MAX_VALUE;

/** Its fields, and behind them one ReceivedPackets (`receivedOf`). */
@unmanaged
export class PacketSpace {
  /** The number of the next packet. */
  nextNumber: u64;
  /** One above the highest number that was acknowledged; 0 when none was. */
  ackedEnd: u64;
  skippedNumber: u64;
  /** The next number to skip. */
  skipAt: u64;
  /** When the oldest open packet below an acknowledged one is lost; Infinity when there is none. RFC 9002: loss_time. */
  lossAtMs: f64;
  /** When the last ack-eliciting packet was sent. */
  elicitingAtMs: f64;
  /** When the first of a run of lost ack-eliciting packets was sent, of which none is acknowledged; Infinity outside of one. */
  lostSinceMs: f64;
  /** Packets sent with ECT(0), and the counts that the peer last reported, RFC 9000 §13.4.2. */
  ect0Sent: u64;
  ect0Reported: u64;
  ceReported: u64;
  /** Open packets, the lowest number first. */
  head: usize;
  tail: usize;
  /** Open packets that are ack-eliciting. */
  elicitingCount: u32;
  /** Open packets that are not. */
  quietCount: u32;
  /** Packets sent since the last ack-eliciting one. */
  quietRun: u32;
  skipPeriod: u32;
}

const SPACE_BYTES: u32 = <u32>(offsetof<PacketSpace>() + offsetof<ReceivedPackets>());

/** A fresh space, or 0 when the slab is full. `random` decides where numbers are skipped; 0: nowhere. */
export function spaceAllocate(mostRanges: u32, random: u64): usize {
  const block = slabAllocate(SPACE_BYTES);
  if (block == 0) return 0;
  memory.fill(block, 0, SPACE_BYTES);
  const space = changetype<PacketSpace>(block);
  space.lossAtMs = Infinity;
  space.lostSinceMs = Infinity;
  space.skippedNumber = NOT_SKIPPED;
  space.skipAt = NOT_SKIPPED;
  space.skipPeriod = SKIP_PERIOD_FIRST;
  if (random != 0) planSkip(space, random);
  receivedInitialize(receivedOf(space), mostRanges);
  return block;
}

/** Gives the space back with all that it holds. */
export function spaceFree(space: PacketSpace): void {
  let packet = space.head;
  while (packet != 0) {
    const next = changetype<SentPacket>(packet).next;
    sentPacketFree(packet);
    packet = next;
  }
  receivedFree(receivedOf(space));
  slabFree(changetype<usize>(space));
}

// @ts-ignore: decorator
@inline
export function receivedOf(space: PacketSpace): ReceivedPackets {
  return changetype<ReceivedPackets>(changetype<usize>(space) + offsetof<PacketSpace>());
}

/** The number that was peeked as `nextNumber` is used. True when one was skipped: then a new `planSkip` is due. */
export function spaceTakeNumber(space: PacketSpace): bool {
  space.nextNumber++;
  if (space.nextNumber != space.skipAt) return false;
  space.skippedNumber = space.nextNumber++;
  if (space.skipPeriod < SKIP_PERIOD_MOST) space.skipPeriod *= 2;
  return true;
}

/** Chooses the next number to skip, half a period to one and a half away. */
export function planSkip(space: PacketSpace, random: u64): void {
  const period = space.skipPeriod;
  space.skipAt = space.nextNumber + (period >> 1) + ((random >> 32) % period);
}

/** Puts a packet with the highest number so far on the list. */
export function spaceAppend(space: PacketSpace, packet: SentPacket): void {
  const ptr = changetype<usize>(packet);
  packet.next = 0;
  packet.prev = space.tail;
  if (space.tail != 0) changetype<SentPacket>(space.tail).next = ptr;
  else space.head = ptr;
  space.tail = ptr;
  if (sentPacketIs(packet, PacketFlag.ACK_ELICITING)) space.elicitingCount++;
  else space.quietCount++;
}

export function spaceRemove(space: PacketSpace, packet: SentPacket): void {
  if (packet.prev != 0) changetype<SentPacket>(packet.prev).next = packet.next;
  else space.head = packet.next;
  if (packet.next != 0) changetype<SentPacket>(packet.next).prev = packet.prev;
  else space.tail = packet.prev;
  if (sentPacketIs(packet, PacketFlag.ACK_ELICITING)) space.elicitingCount--;
  else space.quietCount--;
}
