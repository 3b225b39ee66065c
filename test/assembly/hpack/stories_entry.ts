/**
 * Doors through which test/wire/hpack_stories.test.ts drives the HPACK rooms: the engine's own module has none, since
 * field sections leave it only as message heads. Blocks go in and out by one buffer; results are read from memory.
 */
import { slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import {
  fieldSectionBegin,
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionRecords,
  fieldSectionStatus,
} from "../../../assembly/http/field_section.ts";
import { nameLength, namePtr } from "../../../assembly/http/pseudo_field.ts";
import {
  HpackDecoder,
  hpackDecode,
  hpackDecoderFree,
  hpackDecoderInitialize,
  hpackDecoderLimit,
  hpackInitialize,
} from "../../../assembly/hpack/decoder.ts";
import {
  HpackEncoder,
  hpackEncodeBegin,
  hpackEncodeBlock,
  hpackEncodeEnd,
  hpackEncoderFree,
  hpackEncoderInitialize,
  hpackEncoderLimit,
} from "../../../assembly/hpack/encoder.ts";

const BUFFER_BYTES: u32 = 131072;
const OUTPUT_BYTES: u32 = 131072;
const FIELD_COUNT_MAX: u32 = 1000;
const FIELD_SIZE_MAX: u32 = 65536;
const SLAB_BYTES: u32 = 1 << 21;

const buffer: usize = memory.data(BUFFER_BYTES, 16);
const output: usize = memory.data(OUTPUT_BYTES, 16);
const decoderBlock: usize = memory.data(256, 16);
const decoder = changetype<HpackDecoder>(decoderBlock);
const encoderBlock: usize = memory.data(256, 16);
const encoder = changetype<HpackEncoder>(encoderBlock);

export function initialize(): void {
  fieldNameInitialize();
  hpackInitialize();
  const base = heap.alloc(SLAB_BYTES);
  slabInitialize(base, base + SLAB_BYTES);
}

export function bufferPtr(): usize {
  return buffer;
}

export function bufferLen(): u32 {
  return BUFFER_BYTES;
}

export function bytesInUse(): u32 {
  return slabBytesInUse();
}

export function openDecoder(maxSize: u32): void {
  hpackDecoderInitialize(decoder, maxSize);
}

export function limitDecoder(maxSize: u32): void {
  hpackDecoderLimit(decoder, maxSize);
}

export function closeDecoder(): void {
  hpackDecoderFree(decoder);
}

/** Decodes the buffer's first `len` bytes: a negative status, or the count of fields. */
export function decode(len: u32): i32 {
  fieldSectionBegin(FIELD_COUNT_MAX, FIELD_SIZE_MAX);
  const status = hpackDecode(decoder, buffer, len);
  if (status < 0) return status;
  return fieldSectionStatus() < 0 ? fieldSectionStatus() : fieldSectionCount();
}

export function recordsPtr(): usize {
  return fieldSectionRecords();
}

export function bytesPtr(): usize {
  return fieldSectionBytes();
}

export function numberedNamePtr(nameId: u32): usize {
  return namePtr(nameId);
}

export function numberedNameLen(nameId: u32): u32 {
  return nameLength(nameId);
}

export function openEncoder(): void {
  hpackEncoderInitialize(encoder);
}

export function limitEncoder(maxSize: u32): void {
  hpackEncoderLimit(encoder, maxSize);
}

export function closeEncoder(): void {
  hpackEncoderFree(encoder);
}

/** Encodes the field block in the buffer's first `len` bytes into the output; the result is that of hpackEncodeEnd. */
export function encode(len: u32): i32 {
  hpackEncodeBegin(encoder, output, OUTPUT_BYTES);
  hpackEncodeBlock(buffer, len);
  return hpackEncodeEnd();
}

export function outputPtr(): usize {
  return output;
}
