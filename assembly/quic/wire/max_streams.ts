/**
 * MAX_STREAMS, RFC 9000 §19.11: how many streams of a kind may be opened over the life of the connection. The kind is the
 * type's lowest bit: 0 bidirectional, 1 unidirectional.
 *
 *   Type (i) = 0x12..0x13, Maximum Streams (i)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readVarint, Reader } from "../../core/reader.ts";
import { writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";

/** RFC 9000 §4.6: one more, and the stream's ID would be no variable-length integer. */
export const STREAM_COUNT_MAX: u64 = 1 << 60;

/** What `readMaxStreams` found. */
export let maxStreamsLimit: u64 = 0;

export function readMaxStreams(reader: Reader): i32 {
  maxStreamsLimit = readVarint(reader);
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.11: a value above 2^60 MUST be a FRAME_ENCODING_ERROR.
  return maxStreamsLimit <= STREAM_COUNT_MAX ? Status.OK : QuicStatus.STREAM_COUNT;
}

export function writeMaxStreams(writer: Writer, isUnidirectional: bool, limit: u64): void {
  writeU8(writer, isUnidirectional ? FrameType.MAX_STREAMS_UNI : FrameType.MAX_STREAMS_BIDI);
  writeVarint(writer, limit);
}
