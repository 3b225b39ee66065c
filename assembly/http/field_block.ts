/**
 * Field blocks: the fields that the host sends, as it wrote them into linear memory (abi/layout.ts).
 *
 * `fieldBlockCheck` is the one layer that decides whether a block may be sent: entries within the block, names that are
 * tokens in lower case, values without CR, LF, NUL or another control byte, and none of the fields with which the engine
 * frames messages. Everything after it may copy without looking (RFC 9110 §5.5, response splitting).
 */
import { FieldName } from "../abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../abi/layout.ts";
import { Status } from "../abi/status.ts";
import { isFieldText, isToken } from "../core/scan.ts";
import { fieldNameLength, fieldNameLookup, fieldNamePtr } from "./field_name_lookup.ts";

/** What `fieldBlockCheck` found in a block, until the next check. */
let blockHasDate: bool = false;
let blockTextBytes: u32 = 0;

/** Whether the block checked last has a date field of its own. */
export function fieldBlockHasDate(): bool {
  return blockHasDate;
}

/** Bytes of all names and values of the block checked last, plus four each, as HTTP/1.1 writes them. */
export function fieldBlockTextBytes(): u32 {
  return blockTextBytes;
}

/** Checks a whole block. Answers the count of its fields, or FIELD_NAME_INVALID, FIELD_VALUE_INVALID, FIELD_FORBIDDEN. */
export function fieldBlockCheck(block: usize, len: u32): i32 {
  const end = block + len;
  let at = block;
  let count = 0;
  blockHasDate = false;
  blockTextBytes = 0;
  while (at < end) {
    if (<u32>(end - at) < <u32>FIELD_ENTRY_HEADER_BYTES) return Status.OUT_OF_BOUNDS;
    let id = entryNameId(at);
    const nameLen = entryNameLen(at);
    const valueLen = entryValueLen(at);
    const room = <u32>(end - at) - FIELD_ENTRY_HEADER_BYTES;
    if (id == 0) {
      if (nameLen > room) return Status.OUT_OF_BOUNDS;
      const name = at + FIELD_ENTRY_HEADER_BYTES;
      if (nameLen == 0 || !isToken(name, nameLen) || hasUpperCase(name, nameLen))
        return Status.FIELD_NAME_INVALID;
      id = fieldNameLookup(name, nameLen);
    } else if (id >= <u32>FieldName.COUNT || nameLen != 0) {
      return Status.FIELD_NAME_INVALID;
    }
    if (valueLen > room - nameLen) return Status.OUT_OF_BOUNDS;
    if (isFraming(id)) return Status.FIELD_FORBIDDEN;
    if (!isFieldValue(at + FIELD_ENTRY_HEADER_BYTES + nameLen, valueLen)) return Status.FIELD_VALUE_INVALID;
    if (id == FieldName.DATE) blockHasDate = true;
    blockTextBytes += (nameLen != 0 ? nameLen : fieldNameLength(id)) + valueLen + 4;
    at += FIELD_ENTRY_HEADER_BYTES + nameLen + valueLen;
    count++;
  }
  return count;
}

// @ts-ignore: decorator
@inline
export function entryNameId(entry: usize): u32 {
  return load<u16>(entry);
}

// @ts-ignore: decorator
@inline
export function entryNameLen(entry: usize): u32 {
  return load<u16>(entry, 2);
}

// @ts-ignore: decorator
@inline
export function entryValueLen(entry: usize): u32 {
  return load<u32>(entry, 4);
}

/** Address of the entry's name; valid as long as the block. */
// @ts-ignore: decorator
@inline
export function entryNamePtr(entry: usize): usize {
  const id = entryNameId(entry);
  return id != 0 ? fieldNamePtr(id) : entry + FIELD_ENTRY_HEADER_BYTES;
}

/** Length of the entry's name, also where the entry has a number only. */
// @ts-ignore: decorator
@inline
export function entryFullNameLen(entry: usize): u32 {
  const id = entryNameId(entry);
  return id != 0 ? fieldNameLength(id) : entryNameLen(entry);
}

// @ts-ignore: decorator
@inline
export function entryValuePtr(entry: usize): usize {
  return entry + FIELD_ENTRY_HEADER_BYTES + entryNameLen(entry);
}

// @ts-ignore: decorator
@inline
export function entryNext(entry: usize): usize {
  return entry + FIELD_ENTRY_HEADER_BYTES + entryNameLen(entry) + entryValueLen(entry);
}

/** A field value, RFC 9110 §5.5: visible characters and obs-text, blanks only between them. May be empty. */
function isFieldValue(ptr: usize, len: u32): bool {
  if (len == 0) return true;
  const first: u32 = load<u8>(ptr);
  const last: u32 = load<u8>(ptr + len - 1);
  if (first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09) return false;
  return isFieldText(ptr, len);
}

function hasUpperCase(ptr: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) if (<u32>load<u8>(ptr + i) - 0x41 < 26) return true;
  return false;
}

/** Fields of the framing and of the connection, which only the engine writes (RFC 9112 §6, RFC 9110 §7.6.1). */
function isFraming(id: u32): bool {
  switch (id) {
    case FieldName.CONTENT_LENGTH:
    case FieldName.TRANSFER_ENCODING:
    case FieldName.CONNECTION:
    case FieldName.KEEP_ALIVE:
    case FieldName.PROXY_CONNECTION:
    case FieldName.HTTP2_SETTINGS:
      return true;
  }
  return false;
}
