/**
 * How fast the path delivers, draft-ietf-ccwg-bbr §4: each packet keeps what was delivered and lost when it was sent, so that its
 * acknowledgement tells what was delivered since, and in how long.
 *
 * One sample for each ACK frame, of the latest sent among the packets that it acknowledges. The time is the longer one of sending and
 * of acknowledging, so acknowledgements that come in a bunch do not look like a fast path. A sample is limited by the application
 * when there was nothing to send before its packet.
 *
 * Counts of bytes are u32 that may wrap: only their differences are used, and no flight is that large. Records lie behind the
 * packet's frames, and only where a controller asks for samples.
 */
import { PacketFlag, SentPacket, sentPacketDelivery, sentPacketIs } from "./sent_packet.ts";

/** A sample over less than the least round trip is no sample; round trips are kept as f32, whose error is less than this. */
const ROUNDING: f64 = 1.0001;


@unmanaged
export class DeliveryRate {
  /** When bytes were last delivered, and when the first packet of the sampled interval was sent. */
  deliveredAtMs: f64;
  firstSentAtMs: f64;
  /** All bytes that were delivered and lost. */
  delivered: u32;
  lost: u32;
  /** `delivered` when what was sent for want of more will have been delivered, while `isLimited`. */
  limitedEnd: u32;
  isLimited: u32;
}

/** Of the ACK frame that is told. */
let newest: u64 = 0;
let sentElapsedMs: f64 = 0;
let priorDeliveredAtMs: f64 = 0;
/** `delivered` and `lost` when the sample's packet was sent. */
export let priorDelivered: u32 = 0;
let priorLost: u32 = 0;
/** Newly acknowledged bytes; 0: there is no sample. */
export let ackedBytes: u32 = 0;
/** Bytes in flight when its packet was sent, bytes lost since, bytes delivered since. */
export let sampleInFlight: u32 = 0;
export let sampleLost: u32 = 0;
export let sampleDelivered: u32 = 0;
export let isSampleLimited: bool = false;
/** Bytes per millisecond; 0 when it cannot be told. */
export let sampleRate: f64 = 0;

/** A packet is sent; `inFlight` counts it. */
export function rateOnSent(rate: DeliveryRate, packet: SentPacket, inFlight: u32): void {
  const nowMs = packet.sentAtMs;
  if (inFlight == packet.size) {
    rate.firstSentAtMs = nowMs;
    rate.deliveredAtMs = nowMs;
  }
  const record = sentPacketDelivery(packet);
  record.delivered = rate.delivered;
  record.lost = rate.lost;
  record.inFlight = inFlight;
  record.sinceDeliveredMs = <f32>(nowMs - rate.deliveredAtMs);
  record.sinceFirstSentMs = <f32>(nowMs - rate.firstSentAtMs);
  if (rate.isLimited) packet.flags |= <u16>PacketFlag.LIMITED;
}

/** An ACK frame begins. */
export function rateBegin(): void {
  newest = 0;
  ackedBytes = 0;
}

/** A packet in flight is acknowledged. */
export function rateOnAcked(rate: DeliveryRate, packet: SentPacket): void {
  rate.delivered += packet.size;
  const isNewest = ackedBytes == 0 || packet.number > newest;
  ackedBytes += packet.size;
  if (!isNewest) return;
  newest = packet.number;
  const record = sentPacketDelivery(packet);
  priorDelivered = record.delivered;
  priorLost = record.lost;
  sampleInFlight = record.inFlight;
  isSampleLimited = sentPacketIs(packet, PacketFlag.LIMITED);
  sentElapsedMs = record.sinceFirstSentMs;
  priorDeliveredAtMs = packet.sentAtMs - record.sinceDeliveredMs;
  rate.firstSentAtMs = packet.sentAtMs;
}

/** The frame ends, and what it shows to be lost is counted: the sample, if `ackedBytes` says that there is one. */
export function rateEnd(rate: DeliveryRate, leastMs: f64, nowMs: f64): void {
  rate.deliveredAtMs = nowMs;
  if (rate.isLimited && <i32>(rate.delivered - rate.limitedEnd) > 0) rate.isLimited = 0;
  sampleDelivered = rate.delivered - priorDelivered;
  sampleLost = rate.lost - priorLost;
  const elapsedMs = max(sentElapsedMs, nowMs - priorDeliveredAtMs);
  sampleRate = elapsedMs > 0 && elapsedMs * ROUNDING >= leastMs ? <f64>sampleDelivered / elapsedMs : 0;
}

/** There is room for more than there is to send. */
export function rateLimit(rate: DeliveryRate, inFlight: u32): void {
  rate.isLimited = 1;
  rate.limitedEnd = rate.delivered + inFlight;
}
