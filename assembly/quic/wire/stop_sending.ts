/**
 * STOP_SENDING, RFC 9000 §19.5: the receiver wants no more of a stream.
 *
 *   Type (i) = 0x05, Stream ID (i), Application Protocol Error Code (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readStopSending` found. */
export let stopSendingId: u64 = 0;
export let stopSendingCode: u64 = 0;

export function readStopSending(reader: Reader): i32 {
  stopSendingId = readVarint(reader);
  stopSendingCode = readVarint(reader);
  return frameEnd(reader);
}

export function writeStopSending(writer: Writer, streamId: u64, code: u64): void {
  writeU8(writer, FrameType.STOP_SENDING);
  writeVarint(writer, streamId);
  writeVarint(writer, code);
}
