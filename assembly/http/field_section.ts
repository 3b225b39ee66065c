/**
 * Builds a received field section: the records and bytes of abi/message.ts, out of what HPACK or QPACK decodes.
 *
 * A section is built in one area that the whole instance shares, because a decoder runs to the end of its section within one
 * call. Only a complete section that the message rules have accepted is copied, once, to memory of its own size
 * (`fieldSectionStore`): idle connections hold nothing, refused requests never held anything, and nothing grows.
 *
 * Limits (RFC 9113 §10.5.1, RFC 7541 §4.1): a field counts as one, and its size as name + value + 32 bytes, before it is
 * stored. Once a field passes a limit nothing more is stored, while the decoder goes on for the sake of its table; the
 * status is asked for at the end. Every cookie crumb is a field of its own, and so is every record.
 *
 *   decoder                                      area
 *     fieldSectionBegin(maxCount, maxSize)       +---------+----------------------------------+
 *     per field:                                 | records | bytes stored | room … 1.6 blocks |
 *       strings that need decoding → room        +---------+----------------------------------+
 *       fieldSectionAccept(…)? fieldSectionAppend(…)
 *     fieldSectionStatus()
 *
 * Names with a number (FieldName, PseudoField) are stored as the number alone: nameLen and nameOffset are 0.
 * Which fields came never-indexed (RFC 9204 §4.5.4) is kept beside the records, for whoever forwards them.
 * Invariant: at least ROOM_BYTES lie free behind the stored bytes, so a decoder never has to ask for room.
 */
import { FieldLane } from "../abi/message.ts";
import { copyBytes, copyBytesLoosely } from "./copy_bytes.ts";

export const enum FieldSectionStatus {
  TOO_MANY_FIELDS = -410,
  TOO_LARGE = -411,
}

/** What RFC 7541 §4.1 adds to the lengths of name and value. */
export const FIELD_OVERHEAD_BYTES: u32 = 32;
/** Bounds of what `fieldSectionBegin` may be given. */
export const FIELD_SECTION_COUNT_MAX: u32 = 1024;
export const FIELD_SECTION_SIZE_MAX: u32 = 65536;
/** The longest encoded section that may be decoded: its strings fit the room, whatever they are. */
export const ENCODED_SECTION_MAX: u32 = 65536;

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
/** A name out of a table of 64 KiB, and the strings of the longest encoded section: five bits are the shortest code. */
const ROOM_BYTES: u32 = 65536 + (ENCODED_SECTION_MAX << 3) / 5 + 64;

const records: usize = memory.data(FIELD_SECTION_COUNT_MAX * RECORD_BYTES, 16);
const bytes: usize = memory.data(FIELD_SECTION_SIZE_MAX + ROOM_BYTES, 16);

/** A bit by record. */
const neverIndexed: usize = memory.data(FIELD_SECTION_COUNT_MAX >> 3, 16);

let maxCount: u32 = 0;
let maxSize: u32 = 0;
let fieldCount: u32 = 0;
let sectionSize: u32 = 0;
let bytesLen: u32 = 0;
let status: i32 = 0;

/** Starts an empty section. The one before is gone. */
export function fieldSectionBegin(countLimit: u32, sizeLimit: u32): void {
  maxCount = min(countLimit, FIELD_SECTION_COUNT_MAX);
  maxSize = min(sizeLimit, FIELD_SECTION_SIZE_MAX);
  fieldCount = 0;
  sectionSize = 0;
  bytesLen = 0;
  status = 0;
  memory.fill(neverIndexed, 0, (maxCount + 7) >> 3);
}

/**
 * Where the decoder puts strings of the field it is reading: a name without a number first, the value right behind it. Any
 * two strings that one encoded section and one table can hold fit.
 */
// @ts-ignore: decorator
@inline
export function fieldSectionRoom(): usize {
  return bytes + bytesLen;
}

/** Counts a field against the limits. True when it is to be appended; false once any field has gone over. */
export function fieldSectionAccept(nameLen: u32, valueLen: u32): bool {
  if (status != 0) return false;
  // Both lengths are those of decoded strings in memory: the sum does not wrap.
  sectionSize += nameLen + valueLen + FIELD_OVERHEAD_BYTES;
  if (fieldCount == maxCount) status = FieldSectionStatus.TOO_MANY_FIELDS;
  else if (sectionSize > maxSize) status = FieldSectionStatus.TOO_LARGE;
  else return true;
  // The whole area is room from here on.
  fieldCount = 0;
  bytesLen = 0;
  return false;
}

/**
 * Appends an accepted field. A name without a number (`nameId` 0) already lies at fieldSectionRoom(); the value lies right
 * behind it, or anywhere else with COPY_SLACK readable bytes after it, from where it is copied.
 */
export function fieldSectionAppend(nameId: u32, nameLen: u32, valuePtr: usize, valueLen: u32): void {
  const record = records + fieldCount * RECORD_BYTES;
  const storedNameLen: u32 = nameId != 0 ? 0 : nameLen;
  const valueOffset = bytesLen + storedNameLen;
  store<u32>(record, nameId | (storedNameLen << 16), FieldLane.NAME * sizeof<u32>());
  store<u32>(record, storedNameLen != 0 ? bytesLen : 0, FieldLane.NAME_OFFSET * sizeof<u32>());
  store<u32>(record, valueOffset, FieldLane.VALUE_OFFSET * sizeof<u32>());
  store<u32>(record, valueLen, FieldLane.VALUE_LEN * sizeof<u32>());
  const dest = bytes + valueOffset;
  if (valuePtr != dest) copyBytesLoosely(dest, valuePtr, valueLen);
  bytesLen = valueOffset + valueLen;
  fieldCount++;
}

/** Marks the field appended last: nobody on the way may put it into a table. */
export function fieldSectionMarkNeverIndexed(): void {
  const index = fieldCount - 1;
  const at = neverIndexed + (index >> 3);
  store<u8>(at, <u8>((<u32>load<u8>(at)) | (1 << (index & 7))));
}

/** Whether the field at an index below the count is so marked, until the next section begins. */
export function fieldSectionIsNeverIndexed(index: u32): bool {
  return ((load<u8>(neverIndexed + (index >> 3)) >> (index & 7)) & 1) != 0;
}

/** 0, or the FieldSectionStatus of the first limit that was passed; the section is then empty. */
export function fieldSectionStatus(): i32 {
  return status;
}

export function fieldSectionCount(): u32 {
  return fieldCount;
}

/** Address of the records, FieldLane.COUNT lanes each, until the next section begins. */
export function fieldSectionRecords(): usize {
  return records;
}

/** Address from which the records' offsets count, until the next section begins. */
export function fieldSectionBytes(): usize {
  return bytes;
}

/** Bytes that `fieldSectionStore` writes when it leaves out the records before `firstIndex`. At most the size limit. */
export function fieldSectionStoredBytes(firstIndex: u32): u32 {
  return (fieldCount - firstIndex) * RECORD_BYTES + bytesLen;
}

/**
 * Copies the records from `firstIndex` on to `dest`, and after them all bytes, those of the left-out records too: message
 * heads point at them. Answers the address of the bytes.
 */
export function fieldSectionStore(dest: usize, firstIndex: u32): usize {
  const recordsLen = (fieldCount - firstIndex) * RECORD_BYTES;
  copyBytes(dest, records + firstIndex * RECORD_BYTES, recordsLen);
  copyBytes(dest + recordsLen, bytes, bytesLen);
  return dest + recordsLen;
}
