/**
 * PATH_RESPONSE, RFC 9000 §19.18: sends back what PATH_CHALLENGE asked with.
 *
 *   Type (i) = 0x1b, Data (64)
 *
 * The data are eight bytes without meaning, here a number in network byte order.
 */
import { readU64, Reader } from "../../core/reader.ts";
import { writeU64, writeU8, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readPathResponse` found. */
export let pathResponseData: u64 = 0;

export function readPathResponse(reader: Reader): i32 {
  pathResponseData = readU64(reader);
  return frameEnd(reader);
}

export function writePathResponse(writer: Writer, data: u64): void {
  writeU8(writer, FrameType.PATH_RESPONSE);
  writeU64(writer, data);
}
