/**
 * NEW_TOKEN, RFC 9000 §19.7: what a client may put into the first packets of a later connection.
 *
 *   Type (i) = 0x07, Token Length (i), Token (..)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readSpan, readVarint, Reader } from "../../core/reader.ts";
import { writeBytes, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";

/** What `readNewToken` found. */
export let newTokenPtr: usize = 0;
export let newTokenLen: u32 = 0;

export function readNewToken(reader: Reader): i32 {
  const len = readVarint(reader);
  newTokenPtr = readSpan(reader, len);
  newTokenLen = <u32>len;
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.7: an empty token MUST be a FRAME_ENCODING_ERROR.
  return len > 0 ? Status.OK : QuicStatus.TOKEN_EMPTY;
}

export function writeNewToken(writer: Writer, ptr: usize, len: u32): void {
  writeU8(writer, FrameType.NEW_TOKEN);
  writeVarint(writer, len);
  writeBytes(writer, ptr, len);
}
