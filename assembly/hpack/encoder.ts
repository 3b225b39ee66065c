/**
 * The HPACK encoder, RFC 7541 §6: field blocks of the host (abi/layout.ts), pseudo-fields and the fields of the engine in,
 * one header block out.
 *
 *   hpackEncoderInitialize(encoder)               when the connection opens
 *   hpackEncoderLimit(encoder, maxSize)           when the peer's SETTINGS_HEADER_TABLE_SIZE arrives
 *   hpackEncodeBegin(encoder, dest, capacity)     then, in the order of the section:
 *     hpackEncodeHead(status, block, len)           status code and block of a response, from the cache where possible
 *     hpackEncodeStatus, hpackEncodeField, hpackEncodeBlock, hpackEncodeDate, hpackEncodeLength
 *   hpackEncodeEnd()                              bytes written, or OUT_OF_BOUNDS
 *   hpackEncoderFree(encoder)
 *
 * A header block that was encoded has to be sent, before any that is encoded later: the peer's table follows ours. One that
 * did not fit is given up instead: the table is emptied, and the next block says so by a size update.
 *
 * The table is never larger than ENCODER_TABLE_MAX, whatever the peer offers. Without memory for an entry the field is
 * written as a literal that is not indexed. Names and values are taken as they are: what may be sent is decided by
 * fieldBlockCheck (http/field_block.ts).
 *
 * Invariant: after each door the peer that reads everything written has every entry that this table has.
 */
import { FieldName } from "../abi/field_name.ts";
import { Status } from "../abi/status.ts";
import { writeDecimal } from "../core/decimal.ts";
import { DATE_LEN } from "../http/date.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
} from "../http/field_block.ts";
import { INTEGER_BYTES_MAX, writeInteger } from "../http/prefixed_integer.ts";
import { nameLength, nameLookup, namePtr, PseudoField } from "../http/pseudo_field.ts";
import { writeString } from "../http/string_literal.ts";
import {
  Insertion,
  TABLE_SIZE_DEFAULT,
  tableFree,
  tableInitialize,
  tableInsert,
  tableResize,
} from "../http/dynamic_table.ts";
import {
  findField,
  findName,
  hashField,
  hashName,
  IndexedTable,
  indexFree,
  indexNewest,
} from "../http/field_index.ts";
import {
  CachedHead,
  ENCODED_HEAD_MAX,
  headCacheAdd,
  headCacheFind,
  headCacheFree,
  headEncoded,
  headUpdate,
} from "./head_cache.ts";
import { Indexing, indexingOf } from "../http/indexing.ts";
import { STATIC_COUNT, staticIndexOfField, staticIndexOfName } from "./static_table.ts";

/** What an encoder's table may cost in memory for each connection, and the peer's default. */
const ENCODER_TABLE_MAX: u32 = TABLE_SIZE_DEFAULT;
/** A representation's integers: the name's index or length, and the value's length. */
const FIELD_INTEGERS_MAX: u32 = 3 * INTEGER_BYTES_MAX;

/** First bytes of the representations and their prefixes, RFC 7541 §6. */
const INDEXED: u32 = 0x80;
const INDEXED_MASK: u32 = 0x7f;
const INCREMENTAL: u32 = 0x40;
const INCREMENTAL_MASK: u32 = 0x3f;
const SIZE_UPDATE: u32 = 0x20;
const SIZE_UPDATE_MASK: u32 = 0x1f;
const NEVER_INDEXED: u32 = 0x10;
const WITHOUT_INDEXING: u32 = 0;
const LITERAL_MASK: u32 = 0x0f;
const LENGTH_MASK: u32 = 0x7f;

/** No size update is owed to the peer. */
const NONE: u32 = u32.MAX_VALUE;


@unmanaged
export class HpackEncoder extends IndexedTable {
  /** The smallest size since the last block where the peer has to be told of one, else NONE. */
  owedSize: u32;
  /** The second whose date was written last, and the sequence number of the entry that holds it. */
  dateSecond: u32;
  dateSequence: u32;
  isDateInserted: bool;
  /** First entry of the cache of heads (head_cache.ts). */
  heads: usize;
}

let encoder: HpackEncoder = changetype<HpackEncoder>(0);
let start: usize = 0;
let out: usize = 0;
let end: usize = 0;
/** Something did not fit: the block is given up. */
let isOverfull: bool = false;
/** Representations in this block that are not indices alone. */
let literalCount: u32 = 0;

/** Digits of numbers that become values, with slack for loads that read on. */
const digits: usize = memory.data(32, 16);

export function hpackEncoderInitialize(state: HpackEncoder): void {
  memory.fill(changetype<usize>(state), 0, offsetof<HpackEncoder>());
  tableInitialize(state, ENCODER_TABLE_MAX);
  state.owedSize = NONE;
}

export function hpackEncoderFree(state: HpackEncoder): void {
  tableFree(state);
  indexFree(state);
  headCacheFree(state.heads);
  state.heads = 0;
}

/** RFC 7541 §4.2: takes effect at once; the peer is told at the start of the next block, of the smallest size and the last. */
export function hpackEncoderLimit(state: HpackEncoder, maxSize: u32): void {
  const size = min(maxSize, ENCODER_TABLE_MAX);
  if (size == state.maxSize && state.owedSize == NONE) return;
  state.owedSize = min(state.owedSize, size);
  resize(state, size);
}

function resize(state: HpackEncoder, size: u32): void {
  tableResize(state, size);
  // Evicted entries may have been written into cached heads, and no insertion would tell.
  headCacheFree(state.heads);
  state.heads = 0;
  if (state.entries == 0) indexFree(state);
}

/** Starts a header block in [dest, dest + capacity). */
export function hpackEncodeBegin(state: HpackEncoder, dest: usize, capacity: u32): void {
  encoder = state;
  start = dest;
  out = dest;
  end = dest + capacity;
  isOverfull = false;
  literalCount = 0;
  if (state.owedSize == NONE || !hasRoom(2 * INTEGER_BYTES_MAX)) return;
  if (state.owedSize < state.maxSize) out = writeInteger(out, SIZE_UPDATE, SIZE_UPDATE_MASK, state.owedSize);
  out = writeInteger(out, SIZE_UPDATE, SIZE_UPDATE_MASK, state.maxSize);
  state.owedSize = NONE;
}

/** The block's length, or OUT_OF_BOUNDS when it did not fit: then nothing of it may be sent. */
export function hpackEncodeEnd(): i32 {
  if (!isOverfull) return <i32>(out - start);
  encoder.owedSize = 0;
  const size = encoder.maxSize;
  resize(encoder, 0);
  resize(encoder, size);
  return Status.OUT_OF_BOUNDS;
}

/** The status code and the fields of a response, for which `block` has been checked. */
export function hpackEncodeHead(statusCode: u32, block: usize, blockLen: u32): void {
  const known = headCacheFind(encoder.heads, statusCode, block, blockLen);
  const head = changetype<CachedHead>(known);
  if (known != 0 && head.insertCount == encoder.insertCount && out + ENCODED_HEAD_MAX <= end) {
    const encoded = headEncoded(head);
    v128.store(out, v128.load(encoded));
    v128.store(out, v128.load(encoded, 16), 16);
    out += head.encodedLen;
    return;
  }
  const from = out;
  const literalsBefore = literalCount;
  hpackEncodeStatus(statusCode);
  hpackEncodeBlock(block, blockLen);
  if (isOverfull || literalCount != literalsBefore) return;
  const insertCount = encoder.insertCount;
  const encodedLen = <u32>(out - from);
  if (known != 0) headUpdate(head, insertCount, from, encodedLen);
  else
    encoder.heads = headCacheAdd(encoder.heads, statusCode, block, blockLen, insertCount, from, encodedLen);
}

/** `:status`, three digits. */
export function hpackEncodeStatus(statusCode: u32): void {
  const len = <u32>writeDecimal(digits, statusCode);
  hpackEncodeField(PseudoField.STATUS, 0, 0, digits, len);
}

/** `content-length`. */
export function hpackEncodeLength(length: u64): void {
  const len = <u32>writeDecimal(digits, length);
  hpackEncodeField(FieldName.CONTENT_LENGTH, 0, 0, digits, len);
}

/**
 * `date`, whose DATE_LEN bytes are those of the second. The first answer of a second has it as a literal, the second one puts
 * it into the table, all others have one index: a connection with an answer now and then does not fill its table with
 * dates.
 */
export function hpackEncodeDate(second: u32, ptr: usize): void {
  const dateAge = encoder.insertCount - 1 - encoder.dateSequence;
  const isSameSecond = encoder.dateSecond == second;
  if (isSameSecond && encoder.isDateInserted && dateAge < encoder.count) {
    if (hasRoom(INTEGER_BYTES_MAX)) writeIndexed(STATIC_COUNT + 1 + dateAge);
    return;
  }
  encoder.dateSecond = second;
  encoder.isDateInserted = false;
  if (!hasRoom(FIELD_INTEGERS_MAX + DATE_LEN)) return;
  const nameIndex = staticIndexOfName(FieldName.DATE);
  const nameLen = nameLength(FieldName.DATE);
  const isWorthIt = indexingOf(FieldName.DATE, nameLen, DATE_LEN, encoder.maxSize) == Indexing.INCREMENTAL;
  const nameHash = hashName(FieldName.DATE, 0, 0);
  const fieldHash = hashField(nameHash, ptr, DATE_LEN);
  if (isSameSecond && isWorthIt && insert(FieldName.DATE, 0, nameLen, ptr, DATE_LEN, fieldHash, nameHash)) {
    encoder.isDateInserted = true;
    encoder.dateSequence = encoder.insertCount - 1;
    writeLiteral(INCREMENTAL, INCREMENTAL_MASK, nameIndex, 0, 0, ptr, DATE_LEN);
  } else {
    writeLiteral(WITHOUT_INDEXING, LITERAL_MASK, nameIndex, 0, 0, ptr, DATE_LEN);
  }
}

/** All fields of a field block. */
export function hpackEncodeBlock(block: usize, blockLen: u32): void {
  const blockEnd = block + blockLen;
  for (let entry = block; entry < blockEnd; entry = entryNext(entry)) {
    hpackEncodeField(
      entryNameId(entry),
      entryNamePtr(entry),
      entryNameLen(entry),
      entryValuePtr(entry),
      entryValueLen(entry),
    );
  }
}

/**
 * One field. With a `nameId` (FieldName or PseudoField) the name's address and length do not matter. Loads may pass the end
 * of name and value by 31 bytes.
 */
export function hpackEncodeField(
  nameId: u32,
  nameAt: usize,
  nameAtLen: u32,
  valuePtr: usize,
  valueLen: u32,
): void {
  let fieldNamePtr = nameAt;
  let fieldNameLen = nameAtLen;
  if (nameId == 0) nameId = nameLookup(nameAt, nameAtLen);
  if (nameId != 0) {
    fieldNamePtr = namePtr(nameId);
    fieldNameLen = nameLength(nameId);
  }
  if (!hasRoom(FIELD_INTEGERS_MAX + fieldNameLen + valueLen)) return;
  let nameIndex: u32 = nameId != 0 ? staticIndexOfName(nameId) : 0;
  const indexing = indexingOf(nameId, fieldNameLen, valueLen, encoder.maxSize);
  if (indexing != Indexing.NEVER && nameIndex != 0) {
    const index = staticIndexOfField(nameIndex, valuePtr, valueLen);
    if (index != 0) return writeIndexed(index);
  }
  if (indexing == Indexing.INCREMENTAL) {
    const nameHash = hashName(nameId, fieldNamePtr, fieldNameLen);
    const fieldHash = hashField(nameHash, valuePtr, valueLen);
    const index = findField(encoder, fieldHash, nameId, fieldNamePtr, fieldNameLen, valuePtr, valueLen);
    if (index >= 0) return writeIndexed(STATIC_COUNT + 1 + index);
    if (nameIndex == 0) nameIndex = indexOfName(nameHash, nameId, fieldNamePtr, fieldNameLen);
    if (insert(nameId, fieldNamePtr, fieldNameLen, valuePtr, valueLen, fieldHash, nameHash)) {
      writeLiteral(INCREMENTAL, INCREMENTAL_MASK, nameIndex, fieldNamePtr, fieldNameLen, valuePtr, valueLen);
      return;
    }
  } else if (nameIndex == 0) {
    const nameHash = hashName(nameId, fieldNamePtr, fieldNameLen);
    nameIndex = indexOfName(nameHash, nameId, fieldNamePtr, fieldNameLen);
  }
  const pattern = indexing == Indexing.NEVER ? NEVER_INDEXED : WITHOUT_INDEXING;
  writeLiteral(pattern, LITERAL_MASK, nameIndex, fieldNamePtr, fieldNameLen, valuePtr, valueLen);
}

/** Index of a dynamic entry with the name, in the address space of both tables; 0 when there is none. */
function indexOfName(nameHash: u32, nameId: u32, ptr: usize, len: u32): u32 {
  const index = findName(encoder, nameHash, nameId, ptr, len);
  return index >= 0 ? STATIC_COUNT + 1 + index : 0;
}

/**
 * Inserts into the table. Where there is no memory the entries that had to make room are gone all the same; the peer still has
 * them, as its oldest, so the indices of all others agree and an index found before stays right.
 */
function insert(
  nameId: u32,
  ptr: usize,
  len: u32,
  valuePtr: usize,
  valueLen: u32,
  fieldHash: u32,
  nameHash: u32,
): bool {
  if (tableInsert(encoder, nameId, ptr, len, valuePtr, valueLen) != Insertion.STORED) return false;
  indexNewest(encoder, fieldHash, nameHash);
  return true;
}

function hasRoom(len: u32): bool {
  if (<u32>(end - out) >= len && !isOverfull) return true;
  isOverfull = true;
  return false;
}

function writeIndexed(index: u32): void {
  out = writeInteger(out, INDEXED, INDEXED_MASK, index);
}

/** RFC 7541 §6.2. The name is written where it has no index. */
function writeLiteral(
  pattern: u32,
  mask: u32,
  nameIndex: u32,
  ptr: usize,
  len: u32,
  valuePtr: usize,
  valueLen: u32,
): void {
  literalCount++;
  out = writeInteger(out, pattern, mask, nameIndex);
  if (nameIndex == 0) out = writeString(out, 0, LENGTH_MASK, ptr, len);
  out = writeString(out, 0, LENGTH_MASK, valuePtr, valueLen);
}
