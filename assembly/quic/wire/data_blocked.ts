/**
 * DATA_BLOCKED, RFC 9000 §19.12: the sender has reached the limit of all streams together.
 *
 *   Type (i) = 0x14, Maximum Data (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readDataBlocked` found. */
export let dataBlockedLimit: u64 = 0;

export function readDataBlocked(reader: Reader): i32 {
  dataBlockedLimit = readVarint(reader);
  return frameEnd(reader);
}

export function writeDataBlocked(writer: Writer, limit: u64): void {
  writeU8(writer, FrameType.DATA_BLOCKED);
  writeVarint(writer, limit);
}
