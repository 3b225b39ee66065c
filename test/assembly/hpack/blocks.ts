/** Header blocks as the RFC prints them, and decoded sections as text, so that a test reads like the example it checks. */

import { slabInitialize } from "../../../assembly/core/slab.ts";
import { FieldLane } from "../../../assembly/abi/message.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import {
  fieldSectionBegin,
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionRecords,
  fieldSectionStatus,
} from "../../../assembly/http/field_section.ts";
import { nameLength, namePtr } from "../../../assembly/http/pseudo_field.ts";
import { HpackDecoder, hpackDecode, hpackInitialize } from "../../../assembly/hpack/decoder.ts";
import { DynamicTable, readRing, tableEntry } from "../../../assembly/http/dynamic_table.ts";

const SLAB_BYTES: usize = 1 << 21;
const slab: usize = heap.alloc(SLAB_BYTES);

/** Where a test lays a block. */
export const BLOCK_BYTES: u32 = 65536;
export const block: usize = heap.alloc(BLOCK_BYTES + 64);
const scratch: usize = heap.alloc(65536 + 64);

// Once: the table of names is filled, not replaced.
fieldNameInitialize();
hpackInitialize();

/** A clean slab. */
export function setUp(): void {
  slabInitialize(slab, slab + SLAB_BYTES);
}

/** Lays hexadecimal digits (blanks between them are ignored) at `dest` and answers the count of bytes. */
export function placeHex(hex: string, dest: usize = block): u32 {
  let digitCount: u32 = 0;
  let byte: u32 = 0;
  for (let i = 0; i < hex.length; i++) {
    const unit = hex.charCodeAt(i);
    if (unit == 0x20 || unit == 0x0a) continue;
    byte = (byte << 4) | (unit <= 0x39 ? unit - 0x30 : unit - 0x57);
    if ((++digitCount & 1) == 0) store<u8>(dest + (digitCount >> 1) - 1, <u8>byte);
  }
  return digitCount >> 1;
}

/** Lays ASCII text at `dest` and answers its length. */
export function placeText(text: string, dest: usize): u32 {
  for (let i = 0; i < text.length; i++) store<u8>(dest + i, <u8>text.charCodeAt(i));
  return text.length;
}

export function hexOf(ptr: usize, len: u32): string {
  let hex = "";
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(ptr + i);
    hex += (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return hex;
}

export function textOf(ptr: usize, len: u32): string {
  return String.UTF8.decodeUnsafe(ptr, len);
}

/** Decodes `len` bytes of the block with limits that no honest section meets. A negative status or the count of fields. */
export function decodeBlock(
  decoder: HpackDecoder,
  len: u32,
  maxCount: u32 = 1000,
  maxSize: u32 = 65536,
): i32 {
  fieldSectionBegin(maxCount, maxSize);
  const status = hpackDecode(decoder, block, len);
  if (status < 0) return status;
  return fieldSectionStatus() < 0 ? fieldSectionStatus() : <i32>fieldSectionCount();
}

/** The section decoded last, a line per field. */
export function sectionText(): string {
  let text = "";
  for (let i: u32 = 0; i < fieldSectionCount(); i++) {
    const record = fieldSectionRecords() + i * FieldLane.COUNT * 4;
    const name = load<u32>(record, FieldLane.NAME * 4);
    const nameId = name & 0xffff;
    const bytes = fieldSectionBytes();
    const nameText =
      nameId != 0
        ? textOf(namePtr(nameId), nameLength(nameId))
        : textOf(bytes + load<u32>(record, FieldLane.NAME_OFFSET * 4), name >> 16);
    const valuePtr = bytes + load<u32>(record, FieldLane.VALUE_OFFSET * 4);
    text += nameText + ": " + textOf(valuePtr, load<u32>(record, FieldLane.VALUE_LEN * 4)) + "\n";
  }
  return text;
}

/** The dynamic table, newest first, as the RFC prints it: a line per entry and the size. */
export function tableText(table: DynamicTable): string {
  let text = "";
  for (let i: u32 = 0; i < table.count; i++) {
    const entry = tableEntry(table, i);
    const storedLen = entry.storedNameLen;
    readRing(table, entry.position, storedLen + entry.valueLen, scratch);
    const name =
      storedLen != 0 ? textOf(scratch, storedLen) : textOf(namePtr(entry.nameId), nameLength(entry.nameId));
    text += name + ": " + textOf(scratch + storedLen, entry.valueLen) + "\n";
  }
  return text + "size " + table.size.toString();
}
