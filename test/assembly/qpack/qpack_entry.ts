/**
 * Doors through which test/wire/qpack/ drives the QPACK room: the engine's own module has none, since field sections leave it only as
 * message heads. Bytes go in and out by one buffer; results are read from memory. There may be several encoders and decoders.
 */
import { Status } from "../../../assembly/abi/status.ts";
import { slabAllocate, slabBytesInUse, slabFree, slabInitialize } from "../../../assembly/core/slab.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import {
  fieldSectionBegin,
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionIsNeverIndexed,
  fieldSectionRecords,
  fieldSectionStatus,
} from "../../../assembly/http/field_section.ts";
import { nameLength, namePtr } from "../../../assembly/http/pseudo_field.ts";
import {
  QPACK_DECODER_BYTES,
  QpackDecoder,
  qpackDecode,
  qpackDecodeCancel,
  qpackDecoderFree,
  qpackDecoderInitialize,
  qpackDecoderStreamLen,
  qpackDecoderStreamTake,
  qpackInitialize,
  qpackInsertCount,
  qpackReceiveEncoderStream,
  qpackRequiredInsertCount,
} from "../../../assembly/qpack/decoder.ts";
import {
  qpackEncodeBegin,
  qpackEncodeBlock,
  qpackEncodeDate,
  qpackEncodedPtr,
  qpackEncodeEnd,
  qpackEncodeRepeated,
} from "../../../assembly/qpack/encoder.ts";
import {
  QPACK_ENCODER_BYTES,
  QpackEncoder,
  qpackEncodeForget,
  qpackEncoderFree,
  qpackEncoderInitialize,
  qpackEncoderSettings,
  qpackEncoderStreamLen,
  qpackEncoderStreamTake,
  qpackReceiveDecoderStream,
} from "../../../assembly/qpack/encoder_state.ts";
import { limitsReset } from "../../../assembly/session/limits.ts";

const BUFFER_BYTES: u32 = 131072;
const SLAB_BYTES: u32 = 1 << 21;

const buffer: usize = memory.data(BUFFER_BYTES + 64, 16);
const output: usize = memory.data(BUFFER_BYTES, 16);
let slab: usize = 0;

export function initialize(): void {
  fieldNameInitialize();
  qpackInitialize();
  slab = heap.alloc(SLAB_BYTES);
  restart(SLAB_BYTES);
}

let repeats: u32 = 0;

/** Everything as at the start, with so much memory. */
export function restart(slabBytes: u32): void {
  limitsReset();
  slabInitialize(slab, slab + min(slabBytes, SLAB_BYTES));
}

/** Takes all memory that there is. */
export function fill(): void {
  for (let size: u32 = 65536; size >= 64; size >>= 1) while (slabAllocate(size) != 0) {}
}

export function bufferPtr(): usize {
  return buffer;
}

export function outputPtr(): usize {
  return output;
}

export function bytesInUse(): u32 {
  return slabBytesInUse();
}

/** 0 when the memory is full. */
export function openDecoder(maxCapacity: u32, blockedLimit: u32): usize {
  const decoder = slabAllocate(QPACK_DECODER_BYTES);
  if (decoder != 0) qpackDecoderInitialize(changetype<QpackDecoder>(decoder), maxCapacity, blockedLimit);
  return decoder;
}

export function closeDecoder(decoder: usize): void {
  qpackDecoderFree(changetype<QpackDecoder>(decoder));
  slabFree(decoder);
}

export function receiveEncoderStream(decoder: usize, len: u32): i32 {
  return qpackReceiveEncoderStream(changetype<QpackDecoder>(decoder), buffer, len);
}

/** Decodes the buffer's first `len` bytes: a negative status, -1000 for blocked, or the count of fields. */
export function decode(
  decoder: usize,
  stream: f64,
  len: u32,
  wasBlocked: bool,
  countLimit: u32,
  sizeLimit: u32,
): i32 {
  fieldSectionBegin(countLimit, sizeLimit);
  const status = qpackDecode(changetype<QpackDecoder>(decoder), <u64>stream, buffer, len, wasBlocked);
  if (status != Status.OK) return status < 0 ? status : -1000;
  return fieldSectionStatus() < 0 ? fieldSectionStatus() : fieldSectionCount();
}

export function cancel(decoder: usize, stream: f64, wasBlocked: bool): i32 {
  return qpackDecodeCancel(changetype<QpackDecoder>(decoder), <u64>stream, wasBlocked);
}

/** Moves what is due on the decoder stream to the output. */
export function takeDecoderStream(decoder: usize): u32 {
  const len = qpackDecoderStreamLen(changetype<QpackDecoder>(decoder));
  return qpackDecoderStreamTake(changetype<QpackDecoder>(decoder), output, len);
}

export function insertCount(decoder: usize): f64 {
  return <f64>qpackInsertCount(changetype<QpackDecoder>(decoder));
}

export function requiredInsertCount(): f64 {
  return <f64>qpackRequiredInsertCount();
}

export function blockedCount(decoder: usize): u32 {
  return changetype<QpackDecoder>(decoder).blockedCount;
}

export function isNeverIndexed(index: u32): bool {
  return fieldSectionIsNeverIndexed(index);
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

/** 0 when the memory is full. */
export function openEncoder(): usize {
  const encoder = slabAllocate(QPACK_ENCODER_BYTES);
  if (encoder != 0) qpackEncoderInitialize(changetype<QpackEncoder>(encoder));
  return encoder;
}

export function closeEncoder(encoder: usize): void {
  qpackEncoderFree(changetype<QpackEncoder>(encoder));
  slabFree(encoder);
}

export function setSettings(encoder: usize, maxCapacity: f64, blockedStreams: f64): void {
  qpackEncoderSettings(changetype<QpackEncoder>(encoder), <u64>maxCapacity, <u64>blockedStreams);
}

export function receiveDecoderStream(encoder: usize, len: u32): i32 {
  return qpackReceiveDecoderStream(changetype<QpackEncoder>(encoder), buffer, len);
}

export function forget(encoder: usize, stream: f64): void {
  qpackEncodeForget(changetype<QpackEncoder>(encoder), <u64>stream);
}

/** Moves what is due on the encoder stream to the output. */
export function takeEncoderStream(encoder: usize): u32 {
  const len = qpackEncoderStreamLen(changetype<QpackEncoder>(encoder));
  return qpackEncoderStreamTake(changetype<QpackEncoder>(encoder), output, len);
}

/**
 * Encodes the field block in the buffer's first `len` bytes into the output; the result is that of qpackEncodeEnd, and `encodedPtr`
 * says where it lies. With a `second` other than 0 the 29 bytes behind the block are its date.
 */
export function encode(encoder: usize, stream: f64, len: u32, capacity: u32, credit: u32, second: u32): i32 {
  qpackEncodeBegin(
    changetype<QpackEncoder>(encoder),
    <u64>stream,
    output,
    min(capacity, BUFFER_BYTES),
    credit,
  );
  if (qpackEncodeRepeated(0, 0, buffer, len, 0, second)) repeats++;
  else {
    qpackEncodeBlock(buffer, len);
    if (second != 0) qpackEncodeDate(second, buffer + len);
  }
  return qpackEncodeEnd();
}

/** Sections that were those before them again. */
export function repeatCount(): u32 {
  return repeats;
}

export function encodedPtr(): usize {
  return qpackEncodedPtr();
}
