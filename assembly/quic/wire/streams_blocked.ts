/**
 * STREAMS_BLOCKED, RFC 9000 §19.14: the sender would open a stream of a kind and may not. The kind is the type's lowest bit, as
 * with MAX_STREAMS.
 *
 *   Type (i) = 0x16..0x17, Maximum Streams (i)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";
import { STREAM_COUNT_MAX } from "./max_streams.ts";

/** What `readStreamsBlocked` found. */
export let streamsBlockedLimit: u64 = 0;

export function readStreamsBlocked(reader: Reader): i32 {
  streamsBlockedLimit = readVarint(reader);
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.14: a value above 2^60 MUST be a STREAM_LIMIT_ERROR or a FRAME_ENCODING_ERROR.
  return streamsBlockedLimit <= STREAM_COUNT_MAX ? Status.OK : QuicStatus.STREAM_COUNT;
}

export function writeStreamsBlocked(writer: Writer, isUnidirectional: bool, limit: u64): void {
  writeU8(writer, isUnidirectional ? FrameType.STREAMS_BLOCKED_UNI : FrameType.STREAMS_BLOCKED_BIDI);
  writeVarint(writer, limit);
}
