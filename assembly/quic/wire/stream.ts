/**
 * STREAM, RFC 9000 §19.8: bytes of one stream. Three bits of the type say whether an offset and a length are there, and whether
 * the bytes are the stream's last.
 *
 *   Type (i) = 0x08..0x0f, Stream ID (i), [Offset (i)], [Length (i)], Stream Data (..)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readerLeft, readSpan, readVarint, Reader } from "../../core/reader.ts";
import { varintLength, VARINT_MAX, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType, StreamBit } from "./frame_type.ts";

/** What `readStream` found. */
export let streamFrameId: u64 = 0;
export let streamFrameOffset: u64 = 0;
export let streamFramePtr: usize = 0;
export let streamFrameLen: u32 = 0;
export let streamFrameFin: bool = false;

export function readStream(reader: Reader, type: u32): i32 {
  streamFrameId = readVarint(reader);
  streamFrameOffset = (type & StreamBit.OFFSET) != 0 ? readVarint(reader) : 0;
  // Without a length the data reach to the end of the packet.
  const len = (type & StreamBit.LENGTH) != 0 ? readVarint(reader) : <u64>readerLeft(reader);
  streamFramePtr = readSpan(reader, len);
  streamFrameLen = <u32>len;
  streamFrameFin = (type & StreamBit.FIN) != 0;
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.8: offset and length together MUST NOT exceed 2^62 - 1.
  return streamFrameOffset + len <= VARINT_MAX ? Status.OK : QuicStatus.STREAM_OFFSET;
}

/** Bytes in front of the data, with a length of its own for `len` bytes, or to the end of the packet. */
export function streamHeaderBytes(id: u64, offset: u64, len: u32, hasLength: bool): u32 {
  return 1 + varintLength(id) + (offset > 0 ? varintLength(offset) : 0) + (hasLength ? varintLength(len) : 0);
}

/**
 * Writes what stands in front of the `len` bytes of data, which the caller writes next. Without `hasLength` nothing may follow
 * them in the packet.
 */
export function writeStreamHeader(
  writer: Writer,
  id: u64,
  offset: u64,
  len: u32,
  isFin: bool,
  hasLength: bool,
): void {
  let type: u32 = FrameType.STREAM;
  if (isFin) type |= StreamBit.FIN;
  if (hasLength) type |= StreamBit.LENGTH;
  if (offset > 0) type |= StreamBit.OFFSET;
  writeU8(writer, type);
  writeVarint(writer, id);
  if (offset > 0) writeVarint(writer, offset);
  if (hasLength) writeVarint(writer, len);
}
