/**
 * The HPACK decoder, RFC 7541 §3 and §6: one complete header block in, a field section out (http/field_section.ts).
 *
 *   hpackDecoderInitialize(decoder, maxSize)      when the connection opens
 *   hpackDecoderLimit(decoder, maxSize)           when the peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE
 *   hpackDecode(decoder, block, len)              per block, between fieldSectionBegin and fieldSectionStatus
 *   hpackDecoderFree(decoder)
 *
 * `hpackDecode` answers 0 when the table is right again, and only then may the connection go on; whether the section was
 * accepted is fieldSectionStatus(). A section over its limits is decoded to the end of the block, for the table's sake, but
 * not stored; this costs time linear in the block, the one exception being bounded by EXPANSION_BYTES_MAX.
 *
 * It does not judge names and values (upper case, CR, LF, order of pseudo-fields): those are message rules. It does not
 * keep the never-indexed mark, which is meant for whoever forwards the field.
 *
 * Invariant: the table changes only by complete representations, in their order.
 */
import { Status } from "../abi/status.ts";
import { HUFFMAN_INVALID, huffmanDecode, huffmanInitialize } from "../http/huffman.ts";
import { copyBytes } from "../http/copy_bytes.ts";
import {
  ENCODED_SECTION_MAX,
  fieldSectionAccept,
  fieldSectionAppend,
  fieldSectionRoom,
  fieldSectionStatus,
} from "../http/field_section.ts";
import { nameLookup, pseudoFieldInitialize } from "../http/pseudo_field.ts";
import {
  DynamicTable,
  Insertion,
  readRing,
  TABLE_SIZE_MAX,
  tableAppendEntry,
  tableEntry,
  tableFree,
  tableInitialize,
  tableInsert,
  tableResize,
} from "../http/dynamic_table.ts";
import { HpackStatus } from "./hpack_status.ts";
import { integerFailure, integerValue, readInteger } from "./integer.ts";
import { STATIC_COUNT, staticEntry, staticTableInitialize } from "./static_table.ts";

/**
 * Name bytes that may be copied out of the table for fields beyond the section's limits. Two bytes on the wire insert a
 * field that repeats a name of 4 KiB, so a block of 64 KiB could ask for 128 MiB of copying.
 */
const EXPANSION_BYTES_MAX: u32 = 65536;

/** No size update is owed. */
const NONE: u32 = u32.MAX_VALUE;

/** What the first byte of a representation says, RFC 7541 §6, and of a string, §5.2. */
const INDEXED: u32 = 0x80;
const INDEXED_MASK: u32 = 0x7f;
const INCREMENTAL: u32 = 0x40;
const INCREMENTAL_MASK: u32 = 0x3f;
const SIZE_UPDATE: u32 = 0x20;
const SIZE_UPDATE_MASK: u32 = 0x1f;
const LITERAL_MASK: u32 = 0x0f;
const HUFFMAN: u8 = 0x80;
const LENGTH_MASK: u32 = 0x7f;


@unmanaged
export class HpackDecoder extends DynamicTable {
  /** What the peer may choose as the table's size: our acknowledged setting. */
  limit: u32;
  /** The smallest limit since the last block where it is below the size in use: an update has to reach it first. */
  owedSize: u32;
}

/** Fills the tables of Huffman code, names and entries. Called once per instance, after fieldNameInitialize. */
export function hpackInitialize(): void {
  pseudoFieldInitialize();
  huffmanInitialize();
  staticTableInitialize();
}

/** `maxSize` is the table's size before any SETTINGS is acknowledged: 4096 unless this side knows better. */
export function hpackDecoderInitialize(decoder: HpackDecoder, maxSize: u32): void {
  tableInitialize(decoder, maxSize);
  decoder.limit = decoder.maxSize;
  decoder.owedSize = NONE;
}

export function hpackDecoderFree(decoder: HpackDecoder): void {
  tableFree(decoder);
}

/** RFC 7541 §4.2: the peer has acknowledged `maxSize`. Where it was lowered, its next block has to begin with an update. */
export function hpackDecoderLimit(decoder: HpackDecoder, maxSize: u32): void {
  const limit = min(maxSize, TABLE_SIZE_MAX);
  decoder.limit = limit;
  if (limit < decoder.maxSize && limit < decoder.owedSize) decoder.owedSize = limit;
}

/** The string read last: where it lies, how many bytes it has. */
let stringPtr: usize = 0;
let stringLen: u32 = 0;
/** Why a reading function answered 0. */
let failure: i32 = 0;
/** Bytes counted against EXPANSION_BYTES_MAX in this block. */
let expandedBytes: u32 = 0;

/** Decodes [block, block + len) into the section begun last. 0, or a HpackStatus or MEMORY_FULL, all fatal to the connection. */
export function hpackDecode(decoder: HpackDecoder, block: usize, len: u32): i32 {
  if (len > ENCODED_SECTION_MAX) return HpackStatus.BLOCK_TOO_LONG;
  const end = block + len;
  expandedBytes = 0;
  let at = readSizeUpdates(decoder, block, end);
  if (at == 0) return failure;
  while (at < end) {
    const first: u32 = load<u8>(at);
    if (first >= INDEXED) {
      at = readInteger(at, end, INDEXED_MASK);
      if (at == 0) return integerFailure();
      if (!appendIndexed(decoder, integerValue())) return HpackStatus.INDEX;
    } else if (first >= INCREMENTAL) {
      at = readLiteral(decoder, at, end, INCREMENTAL_MASK);
    } else if (first >= SIZE_UPDATE) {
      return HpackStatus.TABLE_SIZE_MISPLACED;
    } else {
      at = readLiteral(decoder, at, end, LITERAL_MASK);
    }
    if (at == 0) return failure;
  }
  return Status.OK;
}

/** The updates that may stand at the start of a block, RFC 7541 §4.2 and §6.3. */
function readSizeUpdates(decoder: HpackDecoder, at: usize, end: usize): usize {
  while (at < end && (load<u8>(at) & ~SIZE_UPDATE_MASK) == SIZE_UPDATE) {
    at = readInteger(at, end, SIZE_UPDATE_MASK);
    if (at == 0) return fail(integerFailure());
    const size = integerValue();
    if (size > decoder.limit) return fail(HpackStatus.TABLE_SIZE);
    if (size <= decoder.owedSize) decoder.owedSize = NONE;
    tableResize(decoder, size);
  }
  // An empty block encodes nothing, so it owes nothing yet.
  if (decoder.owedSize != NONE && at < end) return fail(HpackStatus.TABLE_SIZE_MISSING);
  return at;
}

/** RFC 7541 §6.1. False when there is no such entry. */
function appendIndexed(decoder: HpackDecoder, index: u32): bool {
  if (index - 1 < STATIC_COUNT) {
    const entry = staticEntry(index);
    if (fieldSectionAccept(entry.nameLen, entry.valueLen)) {
      fieldSectionAppend(entry.nameId, entry.nameLen, entry.valuePtr, entry.valueLen);
    }
    return true;
  }
  // Index 0 wraps and is far beyond the table.
  const dynamicIndex = index - STATIC_COUNT - 1;
  if (index == 0 || dynamicIndex >= decoder.count) return false;
  const entry = tableEntry(decoder, dynamicIndex);
  if (fieldSectionAccept(entry.nameLen, entry.valueLen)) tableAppendEntry(decoder, entry);
  return true;
}

/** RFC 7541 §6.2, the three kinds of literal field: `mask` is that of the name's index, and tells whether to index. */
function readLiteral(decoder: HpackDecoder, at: usize, end: usize, mask: u32): usize {
  at = readInteger(at, end, mask);
  if (at == 0) return fail(integerFailure());
  const index = integerValue();
  const room = fieldSectionRoom();
  let nameId: u32 = 0;
  let nameLen: u32 = 0;
  if (index == 0) {
    at = readString(at, end, room);
    if (at == 0) return 0;
    nameLen = stringLen;
    nameId = nameLookup(stringPtr, nameLen);
    if (nameId == 0 && stringPtr != room) copyBytes(room, stringPtr, nameLen);
  } else if (index <= STATIC_COUNT) {
    nameId = staticEntry(index).nameId;
    nameLen = staticEntry(index).nameLen;
  } else {
    const dynamicIndex = index - STATIC_COUNT - 1;
    if (dynamicIndex >= decoder.count) return fail(HpackStatus.INDEX);
    const entry = tableEntry(decoder, dynamicIndex);
    nameId = entry.nameId;
    nameLen = entry.nameLen;
    if (nameId == 0) {
      if (fieldSectionStatus() != 0) {
        expandedBytes += nameLen;
        if (expandedBytes > EXPANSION_BYTES_MAX) return fail(HpackStatus.EXPANSION);
      }
      readRing(decoder, entry.position, nameLen, room);
    }
  }
  at = readString(at, end, nameId != 0 ? room : room + nameLen);
  if (at == 0) return 0;
  const valuePtr = stringPtr;
  const valueLen = stringLen;
  if (fieldSectionAccept(nameLen, valueLen)) fieldSectionAppend(nameId, nameLen, valuePtr, valueLen);
  if (mask == INCREMENTAL_MASK) {
    // The strings are copied from the wire or the section's area, never from the table itself.
    const insertion = tableInsert(decoder, nameId, room, nameLen, valuePtr, valueLen);
    if (insertion == Insertion.MEMORY_FULL) return fail(Status.MEMORY_FULL);
  }
  return at;
}

/** RFC 7541 §5.2: a string as it stands in the block, or Huffman-decoded at `dest`. Sets stringPtr and stringLen. */
function readString(at: usize, end: usize, dest: usize): usize {
  if (at == end) return fail(HpackStatus.TRUNCATED);
  const isHuffman = load<u8>(at) >= HUFFMAN;
  at = readInteger(at, end, LENGTH_MASK);
  if (at == 0) return fail(integerFailure());
  const len = integerValue();
  if (len > <u32>(end - at)) return fail(HpackStatus.TRUNCATED);
  if (isHuffman) {
    const decodedLen = huffmanDecode(at, len, dest);
    if (decodedLen == HUFFMAN_INVALID) return fail(HpackStatus.HUFFMAN);
    stringPtr = dest;
    stringLen = decodedLen;
  } else {
    stringPtr = at;
    stringLen = len;
  }
  return at + len;
}

function fail(status: i32): usize {
  failure = status;
  return 0;
}
