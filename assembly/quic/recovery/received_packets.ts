/**
 * The packets that arrived in one packet number space: which were seen before, when an ACK is due, and the ACK frame itself.
 * RFC 9000 §13.1, §13.2, §13.4.1, §19.3.
 *
 * Numbers are a bounded set of ranges: a full one forgets its lowest, and what was forgotten counts as seen, so that no packet
 * is processed twice (§12.3). Ranges whose acknowledgement was acknowledged are dropped (§13.2.4), save for the highest.
 *
 * An ACK is due at once for what is immediate (Initial, Handshake), out of order, or marked CE; for every second ack-eliciting
 * packet; and after the local max_ack_delay for what is left. Packets that elicit nothing never make one due.
 *
 * Does not send: who builds packets asks `receivedAckDueMs` and calls `receivedWriteAck` whenever it builds one.
 */
import {
  indexReaching,
  rangeFirst,
  rangeLast,
  RangeSet,
  rangeSetDropLowest,
  rangeSetFree,
  rangeSetHas,
  rangeSetInitialize,
  rangeSetInsert,
} from "../../core/range_set.ts";
import { varintLength, Writer, writerRoom } from "../../core/writer.ts";
import { ackRangeBytes, writeAckEcn, writeAckRange, writeAckStart } from "../wire/ack.ts";
import { FrameType } from "../wire/frame_type.ts";

/** The ECN codepoints of an IP header, RFC 3168 §5. */
export const enum Ecn {
  NOT_ECT = 0,
  ECT1 = 1,
  ECT0 = 2,
  CE = 3,
}

/** RFC 9000 §13.2.2: an ACK after at least two ack-eliciting packets. */
const ELICITING_PER_ACK: u32 = 2;
const MICROSECONDS_PER_MS: f64 = 1000;

/** A RangeSet, and behind it what decides about acknowledging. */
@unmanaged
export class ReceivedPackets extends RangeSet {
  ect0Count: u64;
  ect1Count: u64;
  ceCount: u64;
  /** One above the highest ack-eliciting number; 0 when there was none. */
  elicitingEnd: u64;
  /** When the packet with the highest number arrived. */
  largestAtMs: f64;
  /** When an ACK is due; Infinity when none is. */
  ackDueMs: f64;
  /** Ack-eliciting packets since the last ACK was written. */
  elicitingCount: u32;
}

export function receivedInitialize(received: ReceivedPackets, mostRanges: u32): void {
  rangeSetInitialize(received, mostRanges);
  received.ect0Count = 0;
  received.ect1Count = 0;
  received.ceCount = 0;
  received.elicitingEnd = 0;
  received.largestAtMs = 0;
  received.ackDueMs = Infinity;
  received.elicitingCount = 0;
}

export function receivedFree(received: ReceivedPackets): void {
  rangeSetFree(received);
}

/** RFC 9000 §12.3: was this number seen before, or forgotten. To be asked once the packet has been authenticated. */
export function receivedIsDuplicate(received: ReceivedPackets, number: u64): bool {
  return number < received.floor || rangeSetHas(received, number);
}

/** The highest number that arrived, from which truncated ones are recovered; -1 when none did. */
export function receivedLargest(received: ReceivedPackets): i64 {
  return received.count != 0 ? <i64>rangeLast(received, received.count - 1) : -1;
}

/**
 * A packet that was processed. `delayMs` is the local max_ack_delay, 0 where the space acknowledges at once. False when there
 * is no memory for it: it must be dropped as if it had not arrived.
 */
export function receivedAdd(
  received: ReceivedPackets,
  number: u64,
  isEliciting: bool,
  ecn: Ecn,
  delayMs: f64,
  nowMs: f64,
): bool {
  const largest = receivedLargest(received);
  if (!rangeSetInsert(received, number, number)) return false;
  if (<i64>number > largest) received.largestAtMs = nowMs;
  if (ecn == Ecn.ECT0) received.ect0Count++;
  else if (ecn == Ecn.ECT1) received.ect1Count++;
  else if (ecn == Ecn.CE) received.ceCount++;
  if (!isEliciting) return true;
  received.elicitingCount++;
  const isOutOfOrder = leavesGap(received, number);
  if (number >= received.elicitingEnd) received.elicitingEnd = number + 1;
  if (isOutOfOrder || ecn == Ecn.CE || received.elicitingCount >= ELICITING_PER_ACK) delayMs = 0;
  received.ackDueMs = min(received.ackDueMs, nowMs + delayMs);
  return true;
}

/**
 * RFC 9000 §13.2.1: below another ack-eliciting packet, or above it with packets missing in between. Asked before the packet
 * itself counts as the highest.
 */
function leavesGap(received: ReceivedPackets, number: u64): bool {
  if (received.elicitingEnd == 0) return false;
  if (number < received.elicitingEnd) return true;
  return rangeFirst(received, indexReaching(received, number)) > received.elicitingEnd;
}

/** RFC 9000 §13.2.1: are there new ack-eliciting packets, so that any packet sent now should carry an ACK. */
// @ts-ignore: decorator
@inline
export function receivedHasNews(received: ReceivedPackets): bool {
  return received.elicitingCount != 0;
}

/**
 * The ACK frame of all ranges that fit, from the highest down, with ECN counts when any marking was seen. `exponent` is the
 * local ack_delay_exponent. False when nothing arrived or not even one range fits; then nothing is written.
 */
export function receivedWriteAck(received: ReceivedPackets, writer: Writer, exponent: u32, nowMs: f64): bool {
  if (received.count == 0) return false;
  const top: u32 = received.count - 1;
  const largest = rangeLast(received, top);
  const delay = (<u64>(max(nowMs - received.largestAtMs, 0) * MICROSECONDS_PER_MS)) >> exponent;
  const hasEcn = (received.ect0Count | received.ect1Count | received.ceCount) != 0;
  const fitting = rangesThatFit(received, writerRoom(writer), largest, delay, hasEcn);
  if (fitting < 0) return false;
  const ranges: u32 = fitting;

  const type = hasEcn ? FrameType.ACK_ECN : FrameType.ACK;
  writeAckStart(writer, type, largest, rangeFirst(received, top), delay, ranges);
  for (let index = top; index > top - ranges; index--) {
    const smallest = rangeFirst(received, index - 1);
    writeAckRange(writer, rangeFirst(received, index), rangeLast(received, index - 1), smallest);
  }
  if (hasEcn) writeAckEcn(writer, received.ect0Count, received.ect1Count, received.ceCount);
  received.elicitingCount = 0;
  received.ackDueMs = Infinity;
  return true;
}

/** RFC 9000 §13.2.4: a packet was acknowledged that carried an ACK up to `largest`; its ranges need not be sent again. */
export function receivedOnAckAcked(received: ReceivedPackets, largest: u64): void {
  let done: u32 = 0;
  while (done + 1 < received.count && rangeLast(received, done) <= largest) done++;
  rangeSetDropLowest(received, done);
}

/** How many ranges besides the highest fit into `room` bytes. Negative when not even that one does. */
function rangesThatFit(received: ReceivedPackets, room: u32, largest: u64, delay: u64, hasEcn: bool): i32 {
  const top: u32 = received.count - 1;
  let bytes: u32 = 1 + varintLength(largest) + varintLength(delay) + varintLength(top);
  bytes += varintLength(largest - rangeFirst(received, top));
  if (hasEcn) {
    bytes += varintLength(received.ect0Count) + varintLength(received.ect1Count);
    bytes += varintLength(received.ceCount);
  }
  if (bytes > room) return -1;
  let ranges: u32 = 0;
  for (let index = top; index > 0; index--) {
    const smallest = rangeFirst(received, index - 1);
    bytes += ackRangeBytes(rangeFirst(received, index), rangeLast(received, index - 1), smallest);
    if (bytes > room) break;
    ranges++;
  }
  return ranges;
}
