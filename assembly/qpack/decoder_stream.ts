/**
 * The decoder stream, RFC 9204 §4.4: what the decoder tells of its table, written by the decoder, read into what the encoder knows.
 *
 *   1 stream7      section acknowledgment
 *   0 1 stream6    stream cancellation
 *   0 0 count6     insert count increment
 *
 * Reading takes any cut of the stream: an instruction is one integer, and what has come of it are two numbers of the encoder. An
 * integer of more than 62 bits, or padded beyond what those need, ends the connection, so nothing is waited for without end.
 */
import { Status } from "../abi/status.ts";
import { QpackStatus } from "../abi/qpack_status.ts";
import { writeInteger } from "../http/prefixed_integer.ts";
import { IntegerFailure, integerFailure, integerValue, readInteger } from "./integer.ts";
import { acknowledgeInsertions, acknowledgeSection, cancelSections, EncoderTable } from "./references.ts";

const ACKNOWLEDGMENT: u32 = 0x80;
const ACKNOWLEDGMENT_MASK: u32 = 0x7f;
const CANCELLATION: u32 = 0x40;
const CANCELLATION_MASK: u32 = 0x3f;
const INCREMENT_MASK: u32 = 0x3f;

/**
 * The bytes that have come of an instruction: never more than nine, since integer.ts takes no more than ten.
 *
 *   0            12    16
 *   ┌────────────┬─────┐
 *   │ bytes, 12  │ len │
 *   └────────────┴─────┘
 */
@unmanaged
export class PartialInstruction {
  bytes0: u64;
  bytes1: u32;
  len: u32;
}

/** Takes the next bytes of the decoder stream, all of them. 0, or a QpackStatus, fatal to the connection. */
export function readDecoderStream(
  table: EncoderTable,
  partial: PartialInstruction,
  ptr: usize,
  len: u32,
): i32 {
  const end = ptr + len;
  const bytes = changetype<usize>(partial);
  while (ptr < end) {
    let next: usize;
    if (partial.len != 0) {
      store<u8>(bytes + partial.len++, load<u8>(ptr++));
      next = readInteger(bytes, bytes + partial.len, maskOf(load<u8>(bytes)));
      if (next == 0 && integerFailure() == IntegerFailure.INCOMPLETE) continue;
    } else {
      next = readInteger(ptr, end, maskOf(load<u8>(ptr)));
      if (next == 0 && integerFailure() == IntegerFailure.INCOMPLETE) {
        partial.len = <u32>(end - ptr);
        memory.copy(bytes, ptr, partial.len);
        return Status.OK;
      }
    }
    if (next == 0) return QpackStatus.DECODER_INTEGER;
    const first: u32 = load<u8>(partial.len != 0 ? bytes : ptr);
    if (partial.len == 0) ptr = next;
    partial.len = 0;
    const status = apply(table, first, integerValue());
    if (status < 0) return status;
  }
  return Status.OK;
}

function maskOf(first: u32): u32 {
  return first >= ACKNOWLEDGMENT ? ACKNOWLEDGMENT_MASK : CANCELLATION_MASK;
}

function apply(table: EncoderTable, first: u32, number: u64): i32 {
  if (first >= ACKNOWLEDGMENT) {
    return acknowledgeSection(table, number) ? Status.OK : QpackStatus.DECODER_ACKNOWLEDGMENT;
  }
  if (first < CANCELLATION) {
    return acknowledgeInsertions(table, number) ? Status.OK : QpackStatus.DECODER_INCREMENT;
  }
  cancelSections(table, number);
  return Status.OK;
}

/** Answer the address after what they wrote, at most LONG_INTEGER_BYTES_MAX bytes. */
export function writeAcknowledgment(dest: usize, streamId: u64): usize {
  return writeInteger(dest, ACKNOWLEDGMENT, ACKNOWLEDGMENT_MASK, streamId);
}

export function writeCancellation(dest: usize, streamId: u64): usize {
  return writeInteger(dest, CANCELLATION, CANCELLATION_MASK, streamId);
}

export function writeIncrement(dest: usize, count: u64): usize {
  return writeInteger(dest, 0, INCREMENT_MASK, count);
}
