/**
 * CONNECTION_CLOSE, RFC 9000 §19.19: the connection is over, by an error of the transport (which names the type of the frame that
 * caused it, 0 when none did) or by the application's decision.
 *
 *   Type (i) = 0x1c..0x1d, Error Code (i), [Frame Type (i)], Reason Phrase Length (i), Reason Phrase (..)
 */
import { readSpan, readVarint, Reader } from "../../core/reader.ts";
import { writeBytes, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readConnectionClose` found. */
export let connectionCloseIsApplication: bool = false;
export let connectionCloseCode: u64 = 0;
export let connectionCloseFrameType: u64 = 0;
/** UTF-8 that nobody has checked. */
export let connectionCloseReasonPtr: usize = 0;
export let connectionCloseReasonLen: u32 = 0;

export function readConnectionClose(reader: Reader, type: u32): i32 {
  connectionCloseIsApplication = type == FrameType.CONNECTION_CLOSE_APPLICATION;
  connectionCloseCode = readVarint(reader);
  connectionCloseFrameType = connectionCloseIsApplication ? 0 : readVarint(reader);
  const len = readVarint(reader);
  connectionCloseReasonPtr = readSpan(reader, len);
  connectionCloseReasonLen = <u32>len;
  return frameEnd(reader);
}

/** An error of the transport. */
export function writeConnectionClose(
  writer: Writer,
  code: u64,
  frameType: u64,
  reason: usize,
  reasonLen: u32,
): void {
  writeU8(writer, FrameType.CONNECTION_CLOSE);
  writeVarint(writer, code);
  writeVarint(writer, frameType);
  writeVarint(writer, reasonLen);
  writeBytes(writer, reason, reasonLen);
}

/**
 * The application's decision. In Initial and Handshake packets `writeConnectionClose` with APPLICATION_ERROR stands for it,
 * without a reason (RFC 9000 §10.2.3).
 */
export function writeApplicationClose(writer: Writer, code: u64, reason: usize, reasonLen: u32): void {
  writeU8(writer, FrameType.CONNECTION_CLOSE_APPLICATION);
  writeVarint(writer, code);
  writeVarint(writer, reasonLen);
  writeBytes(writer, reason, reasonLen);
}
