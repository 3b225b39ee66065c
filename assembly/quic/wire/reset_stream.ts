/**
 * RESET_STREAM, RFC 9000 §19.4: the sender gives up its part of a stream.
 *
 *   Type (i) = 0x04, Stream ID (i), Application Protocol Error Code (i), Final Size (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readResetStream` found. */
export let resetStreamId: u64 = 0;
export let resetStreamCode: u64 = 0;
export let resetStreamFinalSize: u64 = 0;

export function readResetStream(reader: Reader): i32 {
  resetStreamId = readVarint(reader);
  resetStreamCode = readVarint(reader);
  resetStreamFinalSize = readVarint(reader);
  return frameEnd(reader);
}

export function writeResetStream(writer: Writer, streamId: u64, code: u64, finalSize: u64): void {
  writeU8(writer, FrameType.RESET_STREAM);
  writeVarint(writer, streamId);
  writeVarint(writer, code);
  writeVarint(writer, finalSize);
}
