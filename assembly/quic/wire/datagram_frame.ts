/**
 * DATAGRAM, RFC 9221 §4: a message of the application that is sent once. The type's lowest bit says whether a length is there.
 *
 *   Type (i) = 0x30..0x31, [Length (i)], Datagram Data (..)
 *
 * Whether the peer may send one, and how long, is what max_datagram_frame_size said; its limit counts type and length too.
 */
import { readerLeft, readSpan, readVarint, Reader } from "../../core/reader.ts";
import { varintLength, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { frameEnd, FrameType } from "./frame_type.ts";

/** What `readDatagram` found. */
export let datagramPtr: usize = 0;
export let datagramLen: u32 = 0;
/** Bytes of the whole frame, to compare with max_datagram_frame_size. */
export let datagramFrameLen: u32 = 0;

export function readDatagram(reader: Reader, type: u32): i32 {
  const start = reader.at;
  const len = type == FrameType.DATAGRAM_WITH_LENGTH ? readVarint(reader) : <u64>readerLeft(reader);
  datagramPtr = readSpan(reader, len);
  datagramLen = <u32>len;
  datagramFrameLen = 1 + <u32>(reader.at - start);
  return frameEnd(reader);
}

/** Bytes in front of the data. */
export function datagramHeaderBytes(len: u32, hasLength: bool): u32 {
  return 1 + (hasLength ? varintLength(len) : 0);
}

/** Writes what stands in front of the `len` bytes of data, which the caller writes next. */
export function writeDatagramHeader(writer: Writer, len: u32, hasLength: bool): void {
  writeU8(writer, hasLength ? FrameType.DATAGRAM_WITH_LENGTH : FrameType.DATAGRAM);
  if (hasLength) writeVarint(writer, len);
}
