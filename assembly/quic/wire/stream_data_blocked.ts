/**
 * STREAM_DATA_BLOCKED, RFC 9000 §19.13: the sender has reached the limit of one stream.
 *
 *   Type (i) = 0x15, Stream ID (i), Maximum Stream Data (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readStreamDataBlocked` found. */
export let streamDataBlockedId: u64 = 0;
export let streamDataBlockedLimit: u64 = 0;

export function readStreamDataBlocked(reader: Reader): i32 {
  streamDataBlockedId = readVarint(reader);
  streamDataBlockedLimit = readVarint(reader);
  return frameEnd(reader);
}

export function writeStreamDataBlocked(writer: Writer, streamId: u64, limit: u64): void {
  writeU8(writer, FrameType.STREAM_DATA_BLOCKED);
  writeVarint(writer, streamId);
  writeVarint(writer, limit);
}
