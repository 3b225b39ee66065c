/**
 * Field sections of a connection, in and out: where HTTP/3 meets QPACK, and the only file that knows both. RFC 9114 §4.2, RFC 9204.
 *
 * A section that waits for insertions is kept by its stream (receive_request.ts) and tried again when the encoder stream has brought
 * some. What QPACK has to say on its own two streams goes out with `flushSections`, which comes before the packets are written.
 */
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { datePtr, dateSecond } from "../http/date.ts";
import { fieldBlockTextBytes } from "../http/field_block.ts";
import { fieldSectionBegin } from "../http/field_section.ts";
import {
  QPACK_BLOCKED,
  QPACK_DECODER_BYTES,
  qpackDecode,
  qpackDecodeCancel,
  QpackDecoder,
  qpackDecoderFree,
  qpackDecoderInitialize,
  qpackDecoderStreamLen,
  qpackDecoderStreamTake,
  qpackReceiveEncoderStream,
} from "../qpack/decoder.ts";
import {
  qpackEncodeBegin,
  qpackEncodeBlock,
  qpackEncodeDate,
  qpackEncodedPtr,
  qpackEncodeEnd,
  qpackEncodeField,
  qpackEncodeLength,
  qpackEncodeRepeated,
  qpackEncodeStatus,
} from "../qpack/encoder.ts";
import {
  QPACK_ENCODER_BYTES,
  QpackEncoder,
  qpackEncoderFree,
  qpackEncoderInitialize,
  qpackEncoderSettings,
  qpackEncoderStreamLen,
  qpackEncoderStreamTake,
  qpackReceiveDecoderStream,
} from "../qpack/encoder_state.ts";
import { streamSendWhole } from "../quic/stream/application.ts";
import { QuicStream, sendBufferOf, sendLimit, StreamEvent, tell } from "../quic/stream/stream.ts";
import { limitU32 } from "../session/limits.ts";
import { SCRATCH_BYTES, scratchRegion } from "../session/regions.ts";
import { H3_CONNECTION_BYTES, H3Connection, setOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { H3Stream, H3StreamFlag, hasStreamBit, quicOf } from "./stream.ts";

/** Status code, content-length, date and prefix, as literals at their longest. */
const FIXED_BYTES: u32 = 256;
/** What QPACK may write for a field beyond its strings. */
const FIELD_BYTES: u32 = 24;

const DECODER_OFFSET: u32 = H3_CONNECTION_BYTES;
const ENCODER_OFFSET: u32 = (DECODER_OFFSET + QPACK_DECODER_BYTES + 15) & ~15;
/** What a connection takes, QPACK included. */
export const H3_STATE_BYTES: u32 = ENCODER_OFFSET + QPACK_ENCODER_BYTES;

// @ts-ignore: decorator
@inline
function decoderOf(h3: H3Connection): QpackDecoder {
  return changetype<QpackDecoder>(changetype<usize>(h3) + DECODER_OFFSET);
}

// @ts-ignore: decorator
@inline
function encoderOf(h3: H3Connection): QpackEncoder {
  return changetype<QpackEncoder>(changetype<usize>(h3) + ENCODER_OFFSET);
}

export function sectionsInitialize(h3: H3Connection): void {
  const capacity = limitU32(Limit.QPACK_TABLE_BYTES);
  qpackDecoderInitialize(decoderOf(h3), capacity, limitU32(Limit.QPACK_BLOCKED_STREAM_COUNT));
  qpackEncoderInitialize(encoderOf(h3));
}

export function sectionsFree(h3: H3Connection): void {
  qpackDecoderFree(decoderOf(h3));
  qpackEncoderFree(encoderOf(h3));
}

/** The peer's SETTINGS say what its decoder keeps. */
export function sectionsAllow(h3: H3Connection, tableCapacity: u64, blockedStreams: u64): void {
  qpackEncoderSettings(encoderOf(h3), tableCapacity, blockedStreams);
}

/**
 * Decodes the section [ptr, ptr + len) of a stream into the shared field section. OK; QPACK_BLOCKED when it has to wait: then the
 * stream is marked; or a status that ends the connection. Whether it kept the limits is asked afterwards.
 */
export function decodeSection(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): i32 {
  const wasBlocked = hasStreamBit(stream, H3StreamFlag.BLOCKED);
  fieldSectionBegin(limitU32(Limit.HEADER_LIST_COUNT), limitU32(Limit.HEADER_LIST_BYTES));
  const decoded = qpackDecode(decoderOf(h3), quicOf(stream).id, ptr, len, wasBlocked);
  if (decoded == QPACK_BLOCKED) {
    if (!wasBlocked) {
      stream.flags |= <u8>H3StreamFlag.BLOCKED;
      h3.blockedCount++;
    }
    return QPACK_BLOCKED;
  }
  unblock(h3, stream);
  return decoded;
}

/** The stream will not be read to its end (RFC 9204 §2.2.2.2). */
export function cancelSection(h3: H3Connection, stream: H3Stream): void {
  const wasBlocked = hasStreamBit(stream, H3StreamFlag.BLOCKED);
  unblock(h3, stream);
  const status = qpackDecodeCancel(decoderOf(h3), quicOf(stream).id, wasBlocked);
  if (status != Status.OK) connectionError(h3, status);
}

function unblock(h3: H3Connection, stream: H3Stream): void {
  if (!hasStreamBit(stream, H3StreamFlag.BLOCKED)) return;
  stream.flags &= ~(<u8>H3StreamFlag.BLOCKED);
  h3.blockedCount--;
}

/** Bytes of the peer's encoder stream: streams that were blocked are tried again. */
export function receiveEncoderStream(h3: H3Connection, ptr: usize, len: u32): void {
  const status = qpackReceiveEncoderStream(decoderOf(h3), ptr, len);
  if (status != Status.OK) return connectionError(h3, status);
  if (h3.blockedCount == 0) return;
  for (let at = h3.firstStream; at != 0; at = changetype<H3Stream>(at).next) {
    const stream = changetype<H3Stream>(at);
    if (hasStreamBit(stream, H3StreamFlag.BLOCKED)) tell(quicOf(stream), StreamEvent.READABLE);
  }
}

/** Bytes of the peer's decoder stream. */
export function receiveDecoderStream(h3: H3Connection, ptr: usize, len: u32): void {
  const status = qpackReceiveDecoderStream(encoderOf(h3), ptr, len);
  if (status != Status.OK) connectionError(h3, status);
}

/** Hands to the transport what is due on the two streams of this side. */
export function flushSections(h3: H3Connection): void {
  if (h3.encoderOut != 0 && qpackEncoderStreamLen(encoderOf(h3)) != 0) flushEncoder(h3);
  if (h3.decoderOut == 0 || qpackDecoderStreamLen(decoderOf(h3)) == 0) return;
  const len = qpackDecoderStreamTake(decoderOf(h3), scratchRegion, SCRATCH_BYTES);
  if (!streamSendWhole(changetype<QuicStream>(h3.decoderOut), scratchRegion, len, false)) {
    connectionError(h3, Status.MEMORY_FULL);
  }
}

function flushEncoder(h3: H3Connection): void {
  const len = qpackEncoderStreamTake(encoderOf(h3), scratchRegion, SCRATCH_BYTES);
  if (!streamSendWhole(changetype<QuicStream>(h3.encoderOut), scratchRegion, len, false)) {
    connectionError(h3, Status.MEMORY_FULL);
  }
}

/** Room that a section needs at most, for the `fieldCount` fields that `fieldBlockCheck` checked last. */
export function sectionBytesMax(fieldCount: u32): u32 {
  return FIXED_BYTES + fieldBlockTextBytes() + fieldCount * FIELD_BYTES;
}

/** Starts a section of a stream in [dest, dest + capacity). */
export function beginSection(h3: H3Connection, streamId: u64, dest: usize, capacity: u32): void {
  qpackEncodeBegin(encoderOf(h3), streamId, dest, capacity, encoderCredit(h3));
}

/** RFC 9204 §2.1.3: what the peer lets the encoder stream carry now. */
function encoderCredit(h3: H3Connection): u32 {
  if (h3.encoderOut == 0) return 0;
  const quic = changetype<QuicStream>(h3.encoderOut);
  const most = sendLimit(setOf(h3), quic);
  const end = sendBufferOf(quic).end;
  return most > end ? <u32>min<u64>(most - end, i32.MAX_VALUE) : 0;
}

/** The section's length, or FIELDS_TOO_LARGE; it begins at `sectionPtr`. */
export function endSection(): i32 {
  const len = qpackEncodeEnd();
  return len < 0 ? Status.FIELDS_TOO_LARGE : len;
}

/** Where the section that ended last begins. */
export function sectionPtr(): usize {
  return qpackEncodedPtr();
}

/** What qpackEncodeRepeated says; the date of the present second may be among what follows. */
export function isRepeatedSection(
  head: usize,
  headLen: u32,
  block: usize,
  blockLen: u32,
  number: u64,
  code: u32,
): bool {
  const second = ((<u64>dateSecond()) << 32) | code;
  return qpackEncodeRepeated(head, headLen, block, blockLen, number, second);
}

/** `:status` and the fields of a checked block. */
export function encodeHead(statusCode: u32, block: usize, len: u32): void {
  qpackEncodeStatus(statusCode);
  qpackEncodeBlock(block, len);
}

export function encodeStatus(statusCode: u32): void {
  qpackEncodeStatus(statusCode);
}

export function encodeBlock(block: usize, len: u32): void {
  qpackEncodeBlock(block, len);
}

export function encodeField(nameId: u32, name: usize, nameLen: u32, value: usize, valueLen: u32): void {
  qpackEncodeField(nameId, name, nameLen, value, valueLen);
}

export function encodeLength(length: u64): void {
  qpackEncodeLength(length);
}

export function encodeDate(): void {
  qpackEncodeDate(<u32>dateSecond(), datePtr());
}
