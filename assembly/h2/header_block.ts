/**
 * Writing header blocks: HEADERS or PUSH_PROMISE, and CONTINUATION as far as a frame does not hold the block. RFC 9113 §4.3,
 * §6.2, §6.6, §6.10.
 *
 *   blockBegin(connection, dest, capacity)     room as blockBytesMax says
 *   hpackEncode…                               the fields, in order
 *   blockEnd(type, flags, streamId, …)         frames around them; bytes written, or FIELDS_TOO_LARGE
 *
 * What was encoded changes the peer's table, so it has to be sent, and in this order: between `blockBegin` and the commit of
 * its bytes nothing else is encoded.
 */
import { Status } from "../abi/status.ts";
import { hpackEncodeBegin, hpackEncodeEnd } from "../hpack/encoder.ts";
import { fieldBlockTextBytes } from "../http/field_block.ts";
import { encoderOf, H2Connection } from "./connection.ts";
import { FRAME_HEADER_BYTES, FRAME_SIZE_DEFAULT, FrameFlag, FrameType, writeFrameHeader } from "./frame.ts";
import { PROMISED_ID_BYTES, writePromisedId } from "./push_promise.ts";

/** Status code, content-length, date and size updates, as literals at their longest; the frame's header. */
const FIXED_BYTES: u32 = 256;
/** What HPACK may write for a field beyond its strings. */
const FIELD_BYTES: u32 = 24;
/** Headers of the CONTINUATION frames that the largest block needs. */
const CONTINUATION_BYTES: u32 = 5 * FRAME_HEADER_BYTES;

let start: usize = 0;
let prefixLen: u32 = 0;

/** Room that a block needs at most, for the `fieldCount` fields that `fieldBlockCheck` checked last. */
export function blockBytesMax(fieldCount: u32): u32 {
  return FIXED_BYTES + CONTINUATION_BYTES + fieldBlockTextBytes() + fieldCount * FIELD_BYTES;
}

export function blockBegin(
  connection: H2Connection,
  dest: usize,
  capacity: u32,
  isPromise: bool = false,
): void {
  start = dest;
  prefixLen = FRAME_HEADER_BYTES + (isPromise ? PROMISED_ID_BYTES : 0);
  hpackEncodeBegin(encoderOf(connection), dest + prefixLen, capacity - prefixLen - CONTINUATION_BYTES);
}

/** Ends the block; `promisedId` counts in a PUSH_PROMISE only. Bytes written in all, or FIELDS_TOO_LARGE. */
export function blockEnd(type: FrameType, flags: u32, streamId: u32, promisedId: u32 = 0): i32 {
  const len = hpackEncodeEnd();
  if (len < 0) return Status.FIELDS_TOO_LARGE;
  const promiseLen = prefixLen - FRAME_HEADER_BYTES;
  const firstLen = min<u32>(len, FRAME_SIZE_DEFAULT - promiseLen);
  const isWhole = firstLen == <u32>len;
  const first = writeFrameHeader(
    start,
    firstLen + promiseLen,
    type,
    flags | (isWhole ? FrameFlag.END_HEADERS : 0),
    streamId,
  );
  if (promiseLen != 0) writePromisedId(first, promisedId);
  if (isWhole) return prefixLen + len;
  return prefixLen + firstLen + continueBlock(start + prefixLen + firstLen, len - firstLen, streamId);
}

/** Makes room for the headers of CONTINUATION frames, from the last one on, and writes them. */
function continueBlock(rest: usize, restLen: u32, streamId: u32): u32 {
  const frameCount = (restLen + FRAME_SIZE_DEFAULT - 1) / FRAME_SIZE_DEFAULT;
  let isLast = true;
  for (let i = <i32>frameCount - 1; i >= 0; i--) {
    const piece = rest + i * FRAME_SIZE_DEFAULT;
    const pieceLen = min(FRAME_SIZE_DEFAULT, restLen - i * FRAME_SIZE_DEFAULT);
    const frame = piece + i * FRAME_HEADER_BYTES;
    memory.copy(frame + FRAME_HEADER_BYTES, piece, pieceLen);
    writeFrameHeader(frame, pieceLen, FrameType.CONTINUATION, isLast ? FrameFlag.END_HEADERS : 0, streamId);
    isLast = false;
  }
  return restLen + frameCount * FRAME_HEADER_BYTES;
}
