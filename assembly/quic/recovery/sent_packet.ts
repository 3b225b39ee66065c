/**
 * A packet that was sent and whose fate is not known: one slab block, its frames' records behind its head.
 *
 * RFC 9002 A.1.1. A packet is opened before it is filled, with room for PACKET_FRAMES records, so that a full slab shows
 * before a frame has been taken from anybody; `sentPacketShrink` moves it into a block of its size once it is known.
 * Packets of a space are a doubly linked list in the order of their numbers (packet_space.ts); once acknowledged or lost they
 * are on one of the recovery's two lists, linked by `next` alone, and belong to whoever walks those.
 */
import { slabAllocate, slabCapacity, slabFree } from "../../core/slab.ts";
import { SENT_FRAME_BYTES, SentFrameList, sentFrameListOpen } from "../wire/sent_frame.ts";

/** Flags of a sent packet. */
export const enum PacketFlag {
  /** RFC 9002 §2: contains frames other than ACK, PADDING and CONNECTION_CLOSE. */
  ACK_ELICITING = 1,
  /** Counts for congestion control: ack-eliciting, or has PADDING. */
  IN_FLIGHT = 2,
  /** RFC 9000 §14.4: the loss of a probe for the MTU says nothing about congestion. */
  MTU_PROBE = 4,
  /** Sent with ECT(0). */
  ECT0 = 8,
  /** Sent with 0-RTT keys: gone when the server rejects early data. */
  EARLY = 16,
  /** Its frames were sent again by a probe, while its own fate is open. */
  PROBED = 32,
  /** Set while an ACK frame is processed. */
  ACKED = 64,
  /** There was nothing to send before it: what its acknowledgement says of the path is the application's doing. */
  LIMITED = 128,
}

/**
 *   0      4      8        16         24     28      30      32         34     36              40
 *   ┌──────┬──────┬────────┬──────────┬──────┬───────┬───────┬──────────┬──────┬───────────────┬──────────┬───
 *   │ next │ prev │ number │ sentAtMs │ size │ flags │ space │ frames n │ path │ (unused)      │ frame 0  │ …
 *   └──────┴──────┴────────┴──────────┴──────┴───────┴───────┴──────────┴──────┴───────────────┴──────────┴───
 */
@unmanaged
export class SentPacket {
  next: usize;
  prev: usize;
  number: u64;
  sentAtMs: f64;
  /** Bytes of the datagram that this packet took. */
  size: u32;
  flags: u16;
  space: u16;
  frameCount: u16;
  /** Which of the connection's paths, counted from its start. */
  path: u16;
}

/** What was delivered when a packet was sent (delivery_rate.ts): behind its frames, and only where samples are asked for. */
@unmanaged
export class DeliveryRecord {
  delivered: u32;
  lost: u32;
  /** With the packet itself. */
  inFlight: u32;
  sinceDeliveredMs: f32;
  sinceFirstSentMs: f32;
}

const DELIVERY_BYTES: u32 = <u32>offsetof<DeliveryRecord>();

/** Records that one packet may have. A frame more waits for the next packet. */
export const PACKET_FRAMES: u32 = 60;

const FRAMES_OFFSET: u32 = 40;
const OPEN_BYTES: u32 = FRAMES_OFFSET + PACKET_FRAMES * SENT_FRAME_BYTES + DELIVERY_BYTES;

/** A packet to fill, with `list` on its records. 0 when the slab is full: nothing can be sent now. */
export function sentPacketOpen(list: SentFrameList): usize {
  const packet = slabAllocate(OPEN_BYTES);
  if (packet == 0) return 0;
  memory.fill(packet, 0, FRAMES_OFFSET);
  sentFrameListOpen(list, packet + FRAMES_OFFSET, PACKET_FRAMES);
  return packet;
}

/**
 * The packet with its `frameCount` records in the smallest block that there is; the old one where the slab is full. `isSampled`: it
 * has a DeliveryRecord.
 */
export function sentPacketShrink(packet: usize, frameCount: u32, isSampled: bool): SentPacket {
  changetype<SentPacket>(packet).frameCount = <u16>frameCount;
  const bytes = FRAMES_OFFSET + frameCount * SENT_FRAME_BYTES + (isSampled ? DELIVERY_BYTES : 0);
  const block = slabAllocate(bytes);
  if (block == 0) return changetype<SentPacket>(packet);
  if (slabCapacity(block) >= slabCapacity(packet)) {
    slabFree(block);
    return changetype<SentPacket>(packet);
  }
  memory.copy(block, packet, bytes);
  slabFree(packet);
  return changetype<SentPacket>(block);
}

// @ts-ignore: decorator
@inline
export function sentPacketDelivery(packet: SentPacket): DeliveryRecord {
  const offset = FRAMES_OFFSET + <u32>packet.frameCount * SENT_FRAME_BYTES;
  return changetype<DeliveryRecord>(changetype<usize>(packet) + offset);
}

// @ts-ignore: decorator
@inline
export function sentPacketFree(packet: usize): void {
  slabFree(packet);
}

/** Opens `list` on the records of the packet: `list.count` of them, in the order in which they were written. */
export function sentPacketFrames(packet: SentPacket, list: SentFrameList): void {
  sentFrameListOpen(list, changetype<usize>(packet) + FRAMES_OFFSET, packet.frameCount);
  list.count = packet.frameCount;
}

// @ts-ignore: decorator
@inline
export function sentPacketIs(packet: SentPacket, flag: u32): bool {
  return (packet.flags & flag) != 0;
}
