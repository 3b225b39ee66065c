/**
 * PATH_CHALLENGE, RFC 9000 §19.17: asks whether the peer can be reached on a path.
 *
 *   Type (i) = 0x1a, Data (64)
 *
 * The data are eight bytes without meaning, here a number in network byte order.
 */
import { readU64, Reader } from "../../core/reader.ts";
import { writeU64, writeU8, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readPathChallenge` found. */
export let pathChallengeData: u64 = 0;

export function readPathChallenge(reader: Reader): i32 {
  pathChallengeData = readU64(reader);
  return frameEnd(reader);
}

export function writePathChallenge(writer: Writer, data: u64): void {
  writeU8(writer, FrameType.PATH_CHALLENGE);
  writeU64(writer, data);
}
