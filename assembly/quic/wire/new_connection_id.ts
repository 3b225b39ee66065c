/**
 * NEW_CONNECTION_ID, RFC 9000 §19.15: one more connection ID that the peer may use, and which older ones it is to give up.
 *
 *   Type (i) = 0x18, Sequence Number (i), Retire Prior To (i), Length (8), Connection ID (8..160), Stateless Reset Token (128)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readSpan, readU8, readVarint, Reader } from "../../core/reader.ts";
import { writeBytes, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { CONNECTION_ID_LENGTH_MAX } from "./connection_id.ts";
import { FrameType } from "./frame_type.ts";

/** RFC 9000 §10.3. */
export const RESET_TOKEN_BYTES: u32 = 16;

/** What `readNewConnectionId` found. */
export let newConnectionIdSequence: u64 = 0;
export let newConnectionIdRetirePriorTo: u64 = 0;
export let newConnectionIdPtr: usize = 0;
export let newConnectionIdLen: u32 = 0;
/** RESET_TOKEN_BYTES bytes. */
export let newConnectionIdTokenPtr: usize = 0;

export function readNewConnectionId(reader: Reader): i32 {
  newConnectionIdSequence = readVarint(reader);
  newConnectionIdRetirePriorTo = readVarint(reader);
  newConnectionIdLen = readU8(reader);
  newConnectionIdPtr = readSpan(reader, newConnectionIdLen);
  newConnectionIdTokenPtr = readSpan(reader, RESET_TOKEN_BYTES);
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.15: a length below 1 or above 20, and retiring the ID itself, MUST be a FRAME_ENCODING_ERROR.
  if (newConnectionIdLen - 1 >= CONNECTION_ID_LENGTH_MAX) return QuicStatus.CONNECTION_ID_LENGTH;
  return newConnectionIdRetirePriorTo <= newConnectionIdSequence ? Status.OK : QuicStatus.RETIRE_PRIOR_TO;
}

export function writeNewConnectionId(
  writer: Writer,
  sequence: u64,
  retirePriorTo: u64,
  ptr: usize,
  len: u32,
  token: usize,
): void {
  writeU8(writer, FrameType.NEW_CONNECTION_ID);
  writeVarint(writer, sequence);
  writeVarint(writer, retirePriorTo);
  writeU8(writer, len);
  writeBytes(writer, ptr, len);
  writeBytes(writer, token, RESET_TOKEN_BYTES);
}
