/**
 * RETIRE_CONNECTION_ID, RFC 9000 §19.16: a connection ID will not be used any more.
 *
 *   Type (i) = 0x19, Sequence Number (i)
 */
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readRetireConnectionId` found. */
export let retireConnectionIdSequence: u64 = 0;

export function readRetireConnectionId(reader: Reader): i32 {
  retireConnectionIdSequence = readVarint(reader);
  return frameEnd(reader);
}

export function writeRetireConnectionId(writer: Writer, sequence: u64): void {
  writeU8(writer, FrameType.RETIRE_CONNECTION_ID);
  writeVarint(writer, sequence);
}
