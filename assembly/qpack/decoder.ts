/**
 * The QPACK decoder, RFC 9204 §2.2 and §4.5: one complete encoded field section in, a field section out (http/field_section.ts).
 *
 *   qpackInitialize()                                   once per instance, after fieldNameInitialize
 *   qpackDecoderInitialize(decoder, capacity, blocked)  when the connection opens, with the values of its SETTINGS; `decoder` lies on
 *                                                       QPACK_DECODER_BYTES of the caller's memory
 *   qpackReceiveEncoderStream(decoder, ptr, len)        the bytes of the peer's encoder stream, cut anywhere, its type left out.
 *                                                       After it, sections that were blocked are tried again
 *   qpackDecode(decoder, stream, section, len, was)     per HEADERS frame, between fieldSectionBegin and fieldSectionStatus:
 *                                                       OK, QPACK_BLOCKED, or an error that ends the connection
 *   qpackDecodeCancel(decoder, stream, was)             a stream is given up before its end was read: reset by either side, refused
 *   qpackDecoderStreamLen(decoder)                      bytes due on our decoder stream; asked once per turn, before sending
 *   qpackDecoderStreamTake(decoder, dest, max)          takes them
 *   qpackDecoderFree(decoder)
 *
 * QPACK_BLOCKED is no error: the section needs insertions that have not come. The caller keeps its bytes, reads nothing more of
 * that stream, and calls again with `wasBlocked` until the answer is another; qpackRequiredInsertCount() says how many insertions
 * were needed, qpackInsertCount(decoder) how many there are. The decoder only counts how many streams are blocked.
 *
 * Errors are QpackStatus (abi/qpack_status.ts, with qpackErrorCodeOf for CONNECTION_CLOSE) and MEMORY_FULL. Whether the section kept
 * its limits is asked of fieldSectionStatus(); decoding ends where one is passed, since sections do not change the table.
 * Acknowledgments are written by themselves: of a section when it is decoded, of insertions when the decoder stream is asked for.
 *
 * It does not judge names and values, or the order of pseudo-fields: those are message rules. Which fields may never be indexed
 * is kept: fieldSectionIsNeverIndexed.
 *
 * Invariant: a section is acknowledged once, and only when it referred to the dynamic table.
 */
import { Limit } from "../abi/limit.ts";
import { QpackStatus } from "../abi/qpack_status.ts";
import { Status } from "../abi/status.ts";
import {
  ByteQueue,
  byteQueueClear,
  byteQueueCommit,
  byteQueueRead,
  byteQueueReserve,
} from "../core/byte_queue.ts";
import { copyBytes } from "../http/copy_bytes.ts";
import { readRing, tableAppendEntry, tableEntry, tableInsertTotal } from "../http/dynamic_table.ts";
import {
  ENCODED_SECTION_MAX,
  fieldSectionAccept,
  fieldSectionAppend,
  fieldSectionMarkNeverIndexed,
  fieldSectionRoom,
  fieldSectionStatus,
} from "../http/field_section.ts";
import { HUFFMAN_INVALID, huffmanDecode, huffmanInitialize } from "../http/huffman.ts";
import { LONG_INTEGER_BYTES_MAX } from "../http/prefixed_integer.ts";
import { nameLookup, pseudoFieldInitialize } from "../http/pseudo_field.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { writeAcknowledgment, writeCancellation, writeIncrement } from "./decoder_stream.ts";
import { ageOf } from "./dynamic_table.ts";
import {
  DecoderTable,
  decoderTableFree,
  decoderTableInitialize,
  readEncoderStream,
} from "./encoder_stream.ts";
import {
  INDEXED,
  INDEXED_MASK,
  INDEXED_STATIC,
  LITERAL_NAME,
  LITERAL_NAME_MASK,
  LITERAL_NAME_NEVER,
  NAME_REFERENCE,
  NAME_REFERENCE_MASK,
  NAME_REFERENCE_NEVER,
  NAME_REFERENCE_STATIC,
  POST_BASE_INDEXED,
  POST_BASE_INDEXED_MASK,
  POST_BASE_NAME_MASK,
  POST_BASE_NAME_NEVER,
  VALUE_MASK,
} from "./field_line.ts";
import { IntegerFailure, integerFailure, integerValue, readInteger } from "./integer.ts";
import {
  BASE_MASK,
  BASE_SIGN,
  COUNT_INVALID,
  INSERT_COUNT_MASK,
  readRequiredInsertCount,
} from "./section_prefix.ts";
import { STATIC_COUNT, staticEntry, staticTableInitialize } from "./static_table.ts";

/** What `qpackDecode` answers when the section has to wait. */
export const QPACK_BLOCKED: i32 = 1;


@unmanaged
export class QpackDecoder extends DecoderTable {
  /** Our SETTINGS_QPACK_BLOCKED_STREAMS, and how many are. */
  blockedLimit: u32;
  blockedCount: u32;
  /** Insertions that the encoder has been told of. */
  announcedCount: u64;
  /** What is due on the decoder stream; lies behind this. */
  output: ByteQueue;
}

/** What a decoder takes, its decoder stream included. */
export const QPACK_DECODER_BYTES: u32 = <u32>offsetof<QpackDecoder>() + <u32>offsetof<ByteQueue>();

/** Fills the tables of Huffman code, names and entries. Called once per instance, after fieldNameInitialize. */
export function qpackInitialize(): void {
  pseudoFieldInitialize();
  huffmanInitialize();
  staticTableInitialize();
}

/** `maxCapacity` and `blockedLimit` are what this side's SETTINGS say; the limits QPACK_TABLE_BYTES and QPACK_BLOCKED_STREAM_COUNT. */
export function qpackDecoderInitialize(decoder: QpackDecoder, maxCapacity: u32, blockedLimit: u32): void {
  memory.fill(changetype<usize>(decoder), 0, QPACK_DECODER_BYTES);
  decoderTableInitialize(decoder, maxCapacity);
  decoder.blockedLimit = blockedLimit;
  decoder.output = changetype<ByteQueue>(changetype<usize>(decoder) + offsetof<QpackDecoder>());
}

export function qpackDecoderFree(decoder: QpackDecoder): void {
  decoderTableFree(decoder);
  byteQueueClear(decoder.output);
}

/** Takes the next bytes of the peer's encoder stream, all of them. 0, or a QpackStatus or MEMORY_FULL, fatal to the connection. */
export function qpackReceiveEncoderStream(decoder: QpackDecoder, ptr: usize, len: u32): i32 {
  return readEncoderStream(decoder, ptr, len);
}

/** Insertions so far: a blocked section may go on once this has reached what it requires. */
export function qpackInsertCount(decoder: QpackDecoder): u64 {
  return tableInsertTotal(decoder);
}

/** The insertions that the section decoded last, or found blocked, requires. */
export function qpackRequiredInsertCount(): u64 {
  return requiredInsertCount;
}

/** Bytes due on the decoder stream. Insertions that no section has acknowledged are added here, so one call tells of many. */
export function qpackDecoderStreamLen(decoder: QpackDecoder): u32 {
  const total = tableInsertTotal(decoder);
  if (total > decoder.announcedCount) {
    const dest = byteQueueReserve(decoder.output, LONG_INTEGER_BYTES_MAX);
    // Without memory it is told later.
    if (dest != 0) {
      const end = writeIncrement(dest, total - decoder.announcedCount);
      byteQueueCommit(decoder.output, <u32>(end - dest));
      decoder.announcedCount = total;
    }
  }
  return decoder.output.length;
}

/** Copies up to `max` bytes of the decoder stream to `dest`. Answers how many. */
export function qpackDecoderStreamTake(decoder: QpackDecoder, dest: usize, max: u32): u32 {
  return byteQueueRead(decoder.output, dest, max);
}

/**
 * The stream will not be read to its end, so no section of it will be acknowledged any more (RFC 9204 §2.2.2.2). `wasBlocked`: one
 * of its sections is. 0, or a status fatal to the connection.
 */
export function qpackDecodeCancel(decoder: QpackDecoder, streamId: u64, wasBlocked: bool): i32 {
  if (wasBlocked) decoder.blockedCount--;
  // RFC 9204 §2.2.2.2: nothing can refer to a table that cannot be.
  return decoder.maxCapacity != 0 ? tell(decoder, streamId, false) : Status.OK;
}

/** Queues an acknowledgment of a section, or a cancellation. */
function tell(decoder: QpackDecoder, streamId: u64, isAcknowledgment: bool): i32 {
  if (decoder.output.length + LONG_INTEGER_BYTES_MAX > limitU32(Limit.QPACK_DECODER_STREAM_BYTES)) {
    limitHit(Limit.QPACK_DECODER_STREAM_BYTES);
    return QpackStatus.DECODER_STREAM_FULL;
  }
  const dest = byteQueueReserve(decoder.output, LONG_INTEGER_BYTES_MAX);
  if (dest == 0) return Status.MEMORY_FULL;
  const end = isAcknowledgment ? writeAcknowledgment(dest, streamId) : writeCancellation(dest, streamId);
  byteQueueCommit(decoder.output, <u32>(end - dest));
  return Status.OK;
}

let decoder: QpackDecoder = changetype<QpackDecoder>(0);
let requiredInsertCount: u64 = 0;
let base: u64 = 0;
/** The string read last: where it lies, how many bytes it has. */
let stringPtr: usize = 0;
let stringLen: u32 = 0;
/** Why a reading function answered 0. */
let failure: i32 = 0;

/**
 * Decodes [section, section + len) into the field section begun last. `wasBlocked`: this section was answered QPACK_BLOCKED before.
 * OK, QPACK_BLOCKED, or a QpackStatus or MEMORY_FULL, fatal to the connection.
 */
export function qpackDecode(
  state: QpackDecoder,
  streamId: u64,
  section: usize,
  len: u32,
  wasBlocked: bool,
): i32 {
  decoder = state;
  if (len > ENCODED_SECTION_MAX) return QpackStatus.SECTION_TOO_LONG;
  const end = section + len;
  const at = readPrefix(section, end);
  if (at == 0) return failure;
  if (requiredInsertCount > tableInsertTotal(state)) return block(state, wasBlocked);
  if (wasBlocked) state.blockedCount--;
  if (!readFieldLines(at, end)) return failure;
  if (requiredInsertCount == 0) return Status.OK;
  state.announcedCount = max(state.announcedCount, requiredInsertCount);
  return tell(state, streamId, true);
}

/** RFC 9204 §2.1.2: a stream more that waits, unless it did already. */
function block(state: QpackDecoder, wasBlocked: bool): i32 {
  if (wasBlocked) return QPACK_BLOCKED;
  if (state.blockedCount >= state.blockedLimit) {
    limitHit(Limit.QPACK_BLOCKED_STREAM_COUNT);
    return QpackStatus.TOO_MANY_BLOCKED;
  }
  state.blockedCount++;
  return QPACK_BLOCKED;
}

/** RFC 9204 §4.5.1. */
function readPrefix(at: usize, end: usize): usize {
  at = readNumber(at, end, INSERT_COUNT_MASK);
  if (at == 0) return 0;
  const count = readRequiredInsertCount(integerValue(), decoder.maxCapacity, tableInsertTotal(decoder));
  if (count == COUNT_INVALID) return fail(QpackStatus.REQUIRED_INSERT_COUNT);
  const signAt = at;
  at = readNumber(at, end, BASE_MASK);
  if (at == 0) return 0;
  const delta = integerValue();
  requiredInsertCount = count;
  if ((load<u8>(signAt) & BASE_SIGN) == 0) {
    base = count + delta;
  } else {
    // RFC 9204 §4.5.1.2: the base is not negative.
    if (delta >= count) return fail(QpackStatus.BASE);
    base = count - delta - 1;
  }
  return at;
}

function readFieldLines(at: usize, end: usize): bool {
  while (at < end) {
    const first: u32 = load<u8>(at);
    if (first >= INDEXED) {
      at = readNumber(at, end, INDEXED_MASK);
      if (at == 0) return false;
      const index = integerValue();
      if ((first & INDEXED_STATIC) != 0 ? !appendStatic(index) : !appendDynamic(relative(index)))
        return false;
    } else if (first >= NAME_REFERENCE) {
      const isStatic = (first & NAME_REFERENCE_STATIC) != 0;
      at = readNumber(at, end, NAME_REFERENCE_MASK);
      if (at == 0) return false;
      const index = integerValue();
      const isNever = (first & NAME_REFERENCE_NEVER) != 0;
      at = isStatic
        ? readWithStaticName(at, end, index, isNever)
        : readWithDynamicName(at, end, relative(index), isNever);
    } else if (first >= LITERAL_NAME) {
      at = readWithLiteralName(at, end, (first & LITERAL_NAME_NEVER) != 0);
    } else if (first >= POST_BASE_INDEXED) {
      at = readNumber(at, end, POST_BASE_INDEXED_MASK);
      if (at == 0 || !appendDynamic(base + integerValue())) return false;
    } else {
      at = readNumber(at, end, POST_BASE_NAME_MASK);
      if (at == 0) return false;
      at = readWithDynamicName(at, end, base + integerValue(), (first & POST_BASE_NAME_NEVER) != 0);
    }
    if (at == 0) return false;
    // Nothing behind a passed limit matters: neither the section nor the table would be another.
    if (fieldSectionStatus() != 0) return true;
  }
  return true;
}

/** The absolute index of one that is relative to the base, RFC 9204 §3.2.5. Where there is none it wraps to above all there are. */
function relative(index: u64): u64 {
  return base - 1 - index;
}

/** RFC 9204 §2.2.3: an entry that was evicted, or that the required insert count does not cover, is an error. */
function ageOfReference(absolute: u64): i32 {
  return absolute < requiredInsertCount ? ageOf(decoder, absolute) : -1;
}

function appendStatic(index: u64): bool {
  if (index >= STATIC_COUNT) return fail(QpackStatus.SECTION_INDEX) != 0;
  const entry = staticEntry(<u32>index);
  if (fieldSectionAccept(entry.nameLen, entry.valueLen)) {
    fieldSectionAppend(entry.nameId, entry.nameLen, entry.valuePtr, entry.valueLen);
  }
  return true;
}

function appendDynamic(absolute: u64): bool {
  const age = ageOfReference(absolute);
  if (age < 0) return fail(QpackStatus.SECTION_INDEX) != 0;
  const entry = tableEntry(decoder, age);
  if (fieldSectionAccept(entry.nameLen, entry.valueLen)) tableAppendEntry(decoder, entry);
  return true;
}

function readWithStaticName(at: usize, end: usize, index: u64, isNever: bool): usize {
  if (index >= STATIC_COUNT) return fail(QpackStatus.SECTION_INDEX);
  const entry = staticEntry(<u32>index);
  return readValue(at, end, entry.nameId, entry.nameLen, isNever);
}

function readWithDynamicName(at: usize, end: usize, absolute: u64, isNever: bool): usize {
  const age = ageOfReference(absolute);
  if (age < 0) return fail(QpackStatus.SECTION_INDEX);
  const entry = tableEntry(decoder, age);
  readRing(decoder, entry.position, entry.storedNameLen, fieldSectionRoom());
  return readValue(at, end, entry.nameId, entry.nameLen, isNever);
}

function readWithLiteralName(at: usize, end: usize, isNever: bool): usize {
  const room = fieldSectionRoom();
  at = readString(at, end, LITERAL_NAME_MASK, room);
  if (at == 0) return 0;
  const nameLen = stringLen;
  const nameId = nameLookup(stringPtr, nameLen);
  if (nameId == 0 && stringPtr != room) copyBytes(room, stringPtr, nameLen);
  return readValue(at, end, nameId, nameLen, isNever);
}

/** The value of a literal and with it the field. A name without a number lies in the section's room. */
function readValue(at: usize, end: usize, nameId: u32, nameLen: u32, isNever: bool): usize {
  const room = fieldSectionRoom();
  at = readString(at, end, VALUE_MASK, nameId != 0 ? room : room + nameLen);
  if (at != 0 && fieldSectionAccept(nameLen, stringLen)) {
    fieldSectionAppend(nameId, nameLen, stringPtr, stringLen);
    if (isNever) fieldSectionMarkNeverIndexed();
  }
  return at;
}

function readNumber(at: usize, end: usize, mask: u32): usize {
  if (at == end) return fail(QpackStatus.SECTION_TRUNCATED);
  const next = readInteger(at, end, mask);
  if (next != 0) return next;
  const isTooLarge = integerFailure() == IntegerFailure.TOO_LARGE;
  return fail(isTooLarge ? QpackStatus.SECTION_INTEGER : QpackStatus.SECTION_TRUNCATED);
}

/** RFC 9204 §4.1.2: a string as it stands in the section, or Huffman-decoded at `dest`. Sets stringPtr and stringLen. */
function readString(at: usize, end: usize, mask: u32, dest: usize): usize {
  const start = at;
  at = readNumber(at, end, mask);
  if (at == 0) return 0;
  const isHuffman = (load<u8>(start) & (mask + 1)) != 0;
  const len = integerValue();
  if (len > <u64>(end - at)) return fail(QpackStatus.SECTION_TRUNCATED);
  stringPtr = at;
  stringLen = <u32>len;
  if (isHuffman) {
    const decodedLen = huffmanDecode(at, <u32>len, dest);
    if (decodedLen == HUFFMAN_INVALID) return fail(QpackStatus.SECTION_HUFFMAN);
    stringPtr = dest;
    stringLen = decodedLen;
  }
  return at + <usize>len;
}

function fail(status: i32): usize {
  failure = status;
  return 0;
}
