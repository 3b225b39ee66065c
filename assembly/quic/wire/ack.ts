/**
 * ACK, RFC 9000 §19.3: the numbers of packets that arrived, as ranges from the largest down.
 *
 *   Type (i) = 0x02..0x03, Largest Acknowledged (i), ACK Delay (i), ACK Range Count (i), First ACK Range (i),
 *   ACK Range { Gap (i), ACK Range Length (i) } ..., [ECT0 Count (i), ECT1 Count (i), ECN-CE Count (i)]
 *
 * Reading checks every range before any of them is told: none reaches below packet number 0. How many there may be is bounded
 * by the packet, since each takes two bytes at least. The ranges are then walked with `ackNextRange`, once.
 *
 * Writing is in steps, because whoever has the ranges keeps them in a form of his own: start, one call for each further range,
 * and the counts of ECN where the type was ACK_ECN.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readerLeft, readerOpen, readVarint, Reader } from "../../core/reader.ts";
import { varintLength, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";

/** What `readAck` found. */
export let ackLargest: i64 = 0;
/** As it stands in the frame: microseconds divided by 2 ^ the peer's ack_delay_exponent. */
export let ackDelay: u64 = 0;
/** Zeros for a frame without them. */
export let ackEct0: u64 = 0;
export let ackEct1: u64 = 0;
export let ackCe: u64 = 0;

/** What `ackNextRange` found: both ends belong to the range. */
export let ackRangeLargest: i64 = 0;
export let ackRangeSmallest: i64 = 0;

const ranges = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
let rangesLeft: u64 = 0;
let isFirstRange: bool = false;

export function readAck(reader: Reader, type: u32): i32 {
  ackLargest = readVarint(reader);
  ackDelay = readVarint(reader);
  const rangeCount = readVarint(reader);
  rangesOpen(reader.at, readerLeft(reader), rangeCount);
  let smallest = ackLargest - <i64>readVarint(reader);
  for (let left = rangeCount; left > 0 && smallest >= 0 && reader.failed == 0; left--) {
    // Two numbers lie between the ends even when the gap is 0.
    const largest = smallest - 2 - <i64>readVarint(reader);
    smallest = largest - <i64>readVarint(reader);
  }
  const hasEcn = type == FrameType.ACK_ECN;
  // RFC 9000 §19.3.1: a computed packet number that is negative is a FRAME_ENCODING_ERROR.
  if (smallest < 0 && reader.failed == 0) return QuicStatus.ACK_RANGE;
  ackEct0 = hasEcn ? readVarint(reader) : 0;
  ackEct1 = hasEcn ? readVarint(reader) : 0;
  ackCe = hasEcn ? readVarint(reader) : 0;
  return reader.failed == 0 ? Status.OK : QuicStatus.FRAME_TRUNCATED;
}

function rangesOpen(ptr: usize, len: u32, count: u64): void {
  readerOpen(ranges, ptr, len);
  rangesLeft = count;
  isFirstRange = true;
}

/** The next range of the frame that was read last, from the largest down. False when there is none. */
export function ackNextRange(): bool {
  if (isFirstRange) {
    isFirstRange = false;
    ackRangeLargest = ackLargest;
  } else {
    if (rangesLeft == 0) return false;
    rangesLeft--;
    ackRangeLargest = ackRangeSmallest - 2 - <i64>readVarint(ranges);
  }
  ackRangeSmallest = ackRangeLargest - <i64>readVarint(ranges);
  return true;
}

/** Begins an ACK frame: its first range ends in `largest` and reaches down to `smallest`; `rangeCount` more follow. */
export function writeAckStart(
  writer: Writer,
  type: FrameType,
  largest: i64,
  smallest: i64,
  delay: u64,
  rangeCount: u32,
): void {
  writeVarint(writer, type);
  writeVarint(writer, largest);
  writeVarint(writer, delay);
  writeVarint(writer, rangeCount);
  writeVarint(writer, largest - smallest);
}

/** One more range, below the one that reached down to `previousSmallest`: at least one number must lie between them. */
export function writeAckRange(writer: Writer, previousSmallest: i64, largest: i64, smallest: i64): void {
  writeVarint(writer, previousSmallest - largest - 2);
  writeVarint(writer, largest - smallest);
}

/** Bytes that `writeAckRange` takes. */
export function ackRangeBytes(previousSmallest: i64, largest: i64, smallest: i64): u32 {
  return varintLength(previousSmallest - largest - 2) + varintLength(largest - smallest);
}

/** Ends a frame of type ACK_ECN. */
export function writeAckEcn(writer: Writer, ect0: u64, ect1: u64, ce: u64): void {
  writeVarint(writer, ect0);
  writeVarint(writer, ect1);
  writeVarint(writer, ce);
}
