/**
 * MAX_STREAM_DATA, RFC 9000 §19.10: how much may be sent on one stream.
 *
 *   Type (i) = 0x11, Stream ID (i), Maximum Stream Data (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readMaxStreamData` found. */
export let maxStreamDataId: u64 = 0;
export let maxStreamDataLimit: u64 = 0;

export function readMaxStreamData(reader: Reader): i32 {
  maxStreamDataId = readVarint(reader);
  maxStreamDataLimit = readVarint(reader);
  return frameEnd(reader);
}

export function writeMaxStreamData(writer: Writer, streamId: u64, limit: u64): void {
  writeU8(writer, FrameType.MAX_STREAM_DATA);
  writeVarint(writer, streamId);
  writeVarint(writer, limit);
}
