/**
 * MAX_DATA, RFC 9000 §19.9: how much may be sent on all streams together.
 *
 *   Type (i) = 0x10, Maximum Data (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readMaxData` found. */
export let maxDataLimit: u64 = 0;

export function readMaxData(reader: Reader): i32 {
  maxDataLimit = readVarint(reader);
  return frameEnd(reader);
}

export function writeMaxData(writer: Writer, limit: u64): void {
  writeU8(writer, FrameType.MAX_DATA);
  writeVarint(writer, limit);
}
