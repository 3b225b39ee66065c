/**
 * The QPACK encoder, RFC 9204 §2.1 and §4.5: field blocks of the host (abi/layout.ts), pseudo-fields and the fields of the engine in, one
 * encoded field section out, and instructions for the encoder stream.
 *
 *   qpackEncoderInitialize(encoder)                     when the connection opens; `encoder` lies on QPACK_ENCODER_BYTES of the
 *                                                       caller's memory
 *   qpackEncoderSettings(encoder, capacity, blocked)    when the peer's SETTINGS arrive, or those remembered for 0-RTT are used
 *   qpackEncodeBegin(encoder, stream, dest, capacity, credit)
 *                                                       then, in the order of the section:
 *     qpackEncodeRepeated                               true where the section is that before it again, and nothing follows
 *     qpackEncodeStatus, qpackEncodeField, qpackEncodeBlock, qpackEncodeDate, qpackEncodeLength
 *   qpackEncodeEnd()                                    bytes of the section, or OUT_OF_BOUNDS; qpackEncodedPtr() says where in
 *                                                       [dest, dest + capacity) they begin
 *   qpackEncoderStreamLen(encoder)                      bytes due on our encoder stream, to be sent before the section
 *   qpackEncoderStreamTake(encoder, dest, max)          takes them
 *   qpackReceiveDecoderStream(encoder, ptr, len)        the bytes of the peer's decoder stream, cut anywhere, its type left out
 *   qpackEncodeForget(encoder, stream)                  nothing of the stream was sent, so the peer will never speak of it
 *   qpackEncoderFree(encoder)
 *
 * Before the SETTINGS, and with a peer that has no table, only the static table is used. `credit` is how many bytes the encoder stream
 * may carry now beyond those that are due: an instruction is written whole or not at all (RFC 9204 §2.1.3). A section that was encoded
 * need not be sent, but then its stream has to be reset or forgotten, or its entries stay for ever.
 *
 * What is indexed is decided by http/indexing.ts: secrets never are. A field that is worth it is inserted and, when the stream may be
 * blocked, referred to at once. Otherwise it is a literal this time. An entry that will soon be evicted is duplicated when it is
 * used, so what is used often stays. The peer's limits on capacity, blocked streams and eviction are never passed.
 *
 * Without memory for an entry or a section the field is a literal. Names and values are taken as they are: what may be sent is decided
 * by fieldBlockCheck (http/field_block.ts).
 *
 * Invariant: the peer that reads everything written to the encoder stream has every entry that this table has.
 */
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { writeDecimal } from "../core/decimal.ts";
import { copyBytes } from "../http/copy_bytes.ts";
import { DATE_LEN } from "../http/date.ts";
import { tableInsertTotal } from "../http/dynamic_table.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
} from "../http/field_block.ts";
import { findField, findName, hashField, hashName } from "../http/field_index.ts";
import { Indexing, indexingOf } from "../http/indexing.ts";
import { writeInteger } from "../http/prefixed_integer.ts";
import { nameLength, nameLookup, namePtr, PseudoField } from "../http/pseudo_field.ts";
import { stringRoom, writeString } from "../http/string_literal.ts";
import { limitU32 } from "../session/limits.ts";
import { absoluteOf, ageOf } from "./dynamic_table.ts";
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
import { QpackEncoder } from "./encoder_state.ts";
import { heat, History } from "./history.ts";
import {
  duplicateField,
  EncodedField,
  insertField,
  insertionBegin,
  isDraining,
  NO_AGE,
} from "./insertion.ts";
import { addSection, hasSectionRoom, mayBlock, NO_REFERENCE } from "./references.ts";
import {
  asked,
  repeatedLen,
  repeatedLines,
  repeatedRequired,
  repeatedSmallest,
  repetitionFind,
  repetitionKeep,
} from "./repetition.ts";
import { PREFIX_BYTES_MAX, writeSectionPrefix } from "./section_prefix.ts";
import { STATIC_NONE, staticIndexOfField, staticIndexOfName } from "./static_table.ts";

let encoder: QpackEncoder = changetype<QpackEncoder>(0);
let streamId: u64 = 0;
let lines: usize = 0;
let out: usize = 0;
let end: usize = 0;
/** Something did not fit: the section is given up. */
let isOverfull: bool = false;
/** Whether the section may refer to the table, and to what the peer is not known to have. */
let mayRefer: bool = false;
let mayWait: bool = false;
/** RFC 9204 §4.5.1: insertions when the section began, those it requires, and the oldest entry it refers to. */
let base: u64 = 0;
let requiredInsertCount: u64 = 0;
let smallestReference: u64 = NO_REFERENCE;
/** Where the section begins that was encoded last. */
let encodedPtr: usize = 0;
/** Whether the section is to be kept for the next one: it was asked for, and nothing in it would change the table next time. */
let isKept: bool = false;
/** The field that is being encoded. */
const field = changetype<EncodedField>(memory.data(offsetof<EncodedField>(), 16));

/** Digits of numbers that become values, with slack for loads that read on. */
const digits: usize = memory.data(32, 16);

/** Starts the section of a stream in [dest, dest + capacity). `credit`: bytes that the encoder stream may carry beyond those due. */
export function qpackEncodeBegin(
  state: QpackEncoder,
  stream: u64,
  dest: usize,
  capacity: u32,
  credit: u32,
): void {
  encoder = state;
  streamId = stream;
  lines = dest + PREFIX_BYTES_MAX;
  out = lines;
  end = dest + capacity;
  isOverfull = capacity < PREFIX_BYTES_MAX;
  isKept = false;
  base = tableInsertTotal(state);
  requiredInsertCount = 0;
  smallestReference = NO_REFERENCE;
  mayRefer = state.maxSize != 0 && hasSectionRoom(state);
  mayWait = mayRefer && mayBlock(state, stream, state.blockedLimit);
  const limit = limitU32(Limit.QPACK_ENCODER_STREAM_BYTES);
  const due = state.output.length;
  insertionBegin(due < limit ? min(credit, limit - due) : 0, mayWait);
}

/**
 * Whether the section is that before it again: one of the same bytes at `head` and of the same block, and with the same two numbers, which
 * say all that the caller will encode. It is complete then. Else it is encoded as ever, and may be the one for the next; until then the
 * bytes stay.
 */
export function qpackEncodeRepeated(
  head: usize,
  headLen: u32,
  block: usize,
  blockLen: u32,
  first: u64,
  second: u64,
): bool {
  asked.encoder = changetype<usize>(encoder);
  asked.insertTotal = base;
  asked.knownReceivedCount = encoder.knownReceivedCount;
  asked.first = first;
  asked.second = second;
  asked.mayRefer = mayRefer;
  asked.mayWait = mayWait;
  isKept = !repetitionFind(head, headLen, block, blockLen);
  if (isKept || !hasRoom(repeatedLen)) return false;
  copyBytes(out, repeatedLines, repeatedLen);
  out += repeatedLen;
  requiredInsertCount = repeatedRequired;
  smallestReference = repeatedSmallest;
  return true;
}

/** The section's length, or OUT_OF_BOUNDS when it did not fit: then nothing of it may be sent. */
export function qpackEncodeEnd(): i32 {
  if (isOverfull) return Status.OUT_OF_BOUNDS;
  if (isKept) repetitionKeep(lines, <u32>(out - lines), requiredInsertCount, smallestReference);
  // The prefix is written where it ends right before the field lines.
  const prefix = lines - PREFIX_BYTES_MAX;
  const prefixEnd = writeSectionPrefix(prefix, requiredInsertCount, base, encoder.peerMaxCapacity);
  const prefixLen = prefixEnd - prefix;
  encodedPtr = lines - prefixLen;
  memory.copy(encodedPtr, prefix, prefixLen);
  if (requiredInsertCount != 0) addSection(encoder, streamId, requiredInsertCount, smallestReference);
  return <i32>(out - encodedPtr);
}

/** Where the section encoded last begins. */
export function qpackEncodedPtr(): usize {
  return encodedPtr;
}

/** `:status`, three digits. */
export function qpackEncodeStatus(statusCode: u32): void {
  const len = <u32>writeDecimal(digits, statusCode);
  qpackEncodeField(PseudoField.STATUS, 0, 0, digits, len);
}

/** `content-length`. */
export function qpackEncodeLength(length: u64): void {
  const len = <u32>writeDecimal(digits, length);
  qpackEncodeField(FieldName.CONTENT_LENGTH, 0, 0, digits, len);
}

/**
 * `date`, whose DATE_LEN bytes are those of the second. The first answer of a second has it as a literal, the second one puts it into
 * the table, all others have one index: a connection with an answer now and then does not fill its table with dates.
 */
export function qpackEncodeDate(second: u32, ptr: usize): void {
  openField(FieldName.DATE, 0, 0, ptr, DATE_LEN);
  if (!hasRoom(stringRoom(field.nameLen) + stringRoom(DATE_LEN))) return;
  const isSameSecond = encoder.dateSecond == second;
  if (!isSameSecond) isKept = false;
  const isWorthIt =
    mayRefer &&
    isSameSecond &&
    indexingOf(FieldName.DATE, field.nameLen, DATE_LEN, encoder.maxSize) == Indexing.INCREMENTAL;
  encoder.dateSecond = second;
  if (!isWorthIt || !encodeIndexed()) writeLiteral(false);
}

/** All fields of a field block. */
export function qpackEncodeBlock(block: usize, blockLen: u32): void {
  const blockEnd = block + blockLen;
  for (let entry = block; entry < blockEnd; entry = entryNext(entry)) {
    qpackEncodeField(
      entryNameId(entry),
      entryNamePtr(entry),
      entryNameLen(entry),
      entryValuePtr(entry),
      entryValueLen(entry),
    );
  }
}

/**
 * One field. With a `nameId` (FieldName or PseudoField) the name's address and length do not matter. Loads may pass the end of name
 * and value by 31 bytes.
 */
export function qpackEncodeField(
  nameId: u32,
  nameAt: usize,
  nameAtLen: u32,
  valuePtr: usize,
  valueLen: u32,
): void {
  if (nameId == 0) nameId = nameLookup(nameAt, nameAtLen);
  openField(nameId, nameAt, nameAtLen, valuePtr, valueLen);
  if (!hasRoom(stringRoom(field.nameLen) + stringRoom(valueLen))) return;
  const indexing = indexingOf(nameId, field.nameLen, valueLen, encoder.maxSize);
  if (indexing == Indexing.NEVER) return writeLiteral(true);
  const index = staticIndexOfField(field.nameIndex, valuePtr, valueLen);
  if (index != STATIC_NONE) {
    out = writeInteger(out, INDEXED | INDEXED_STATIC, INDEXED_MASK, index);
  } else if (!mayRefer || indexing != Indexing.INCREMENTAL || !encodeIndexed()) {
    writeLiteral(false);
  }
}

function openField(nameId: u32, nameAt: usize, nameAtLen: u32, valuePtr: usize, valueLen: u32): void {
  field.nameId = nameId;
  field.namePtr = nameId != 0 ? namePtr(nameId) : nameAt;
  field.nameLen = nameId != 0 ? nameLength(nameId) : nameAtLen;
  field.valuePtr = valuePtr;
  field.valueLen = valueLen;
  field.nameIndex = nameId != 0 ? staticIndexOfName(nameId) : STATIC_NONE;
  // Never sought for where the section may refer to nothing.
  if (mayRefer) field.nameHash = hashName(nameId, field.namePtr, field.nameLen);
}

/** Writes the field as a reference to an entry, which may be made for it. False when there is none that may be referred to. */
function encodeIndexed(): bool {
  field.fieldHash = hashField(field.nameHash, field.valuePtr, field.valueLen);
  const age = findField(
    encoder,
    field.fieldHash,
    field.nameId,
    field.namePtr,
    field.nameLen,
    field.valuePtr,
    field.valueLen,
  );
  if (age < 0) {
    isKept = false;
    return insertField(encoder, field, ageOfName(), smallestReference) && referToNewest();
  }
  const absolute = absoluteOf(encoder, age);
  const isOld = isDraining(encoder, age);
  if (isOld) isKept = false;
  const isRenewed = isOld && duplicateField(encoder, field, age, smallestReference) && referToNewest();
  // An entry may have been evicted by its own copy.
  return isRenewed || (ageOf(encoder, absolute) >= 0 && referTo(absolute));
}

function referToNewest(): bool {
  return referTo(absoluteOf(encoder, 0));
}

/** Writes the field as a reference to the entry, if the section may refer to it. */
function referTo(absolute: u64): bool {
  if (!isUsable(absolute)) return false;
  refer(absolute);
  if (absolute >= base) out = writeInteger(out, POST_BASE_INDEXED, POST_BASE_INDEXED_MASK, absolute - base);
  else out = writeInteger(out, INDEXED, INDEXED_MASK, base - 1 - absolute);
  return true;
}

// @ts-ignore: decorator
@inline
function isUsable(absolute: u64): bool {
  return mayRefer && (mayWait || absolute < encoder.knownReceivedCount);
}

/** Counts a reference among those of the section. */
function refer(absolute: u64): void {
  requiredInsertCount = max(requiredInsertCount, absolute + 1);
  smallestReference = min(smallestReference, absolute);
  if (encoder.history != 0) heat(changetype<History>(encoder.history), absolute);
}

/** The age of the newest entry with the field's name, where the static table has none; else NO_AGE. */
function ageOfName(): i32 {
  if (!mayRefer || field.nameIndex != STATIC_NONE) return NO_AGE;
  return findName(encoder, field.nameHash, field.nameId, field.namePtr, field.nameLen);
}

/** Writes the field as a literal, its name only where there is neither a static index nor an entry that may be referred to. */
function writeLiteral(isNever: bool): void {
  const nameAge = ageOfName();
  if (field.nameIndex != STATIC_NONE) {
    const pattern = NAME_REFERENCE | NAME_REFERENCE_STATIC | (isNever ? NAME_REFERENCE_NEVER : 0);
    out = writeInteger(out, pattern, NAME_REFERENCE_MASK, field.nameIndex);
  } else if (nameAge >= 0 && isUsable(absoluteOf(encoder, nameAge))) {
    writeNameReference(absoluteOf(encoder, nameAge), isNever);
  } else {
    const pattern = LITERAL_NAME | (isNever ? LITERAL_NAME_NEVER : 0);
    out = writeString(out, pattern, LITERAL_NAME_MASK, field.namePtr, field.nameLen);
  }
  out = writeString(out, 0, VALUE_MASK, field.valuePtr, field.valueLen);
}

function writeNameReference(absolute: u64, isNever: bool): void {
  refer(absolute);
  if (absolute >= base) {
    out = writeInteger(out, isNever ? POST_BASE_NAME_NEVER : 0, POST_BASE_NAME_MASK, absolute - base);
  } else {
    const pattern = NAME_REFERENCE | (isNever ? NAME_REFERENCE_NEVER : 0);
    out = writeInteger(out, pattern, NAME_REFERENCE_MASK, base - 1 - absolute);
  }
}

function hasRoom(len: u32): bool {
  if (!isOverfull && <u32>(end - out) >= len) return true;
  isOverfull = true;
  return false;
}
