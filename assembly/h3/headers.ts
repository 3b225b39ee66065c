/**
 * HEADERS on their way out, RFC 9114 §7.2.2: a field section of QPACK with the header of a frame before it.
 *
 *   headersBegin(stream, capacity)     capacity as sectionBytesMax says
 *   sectionEncode…                     the fields, in order (field_sections.ts)
 *   headersEnd(stream, isFin)          hands the frame to the transport
 *
 * It is written in the scratch region; between the two calls nothing else is. A short content that is all there can be written right
 * behind it, with the header of its DATA frame: `follow` before the two calls, when `capacity` leaves room for both.
 */
import { Status } from "../abi/status.ts";
import { streamSendWhole } from "../quic/stream/application.ts";
import { scratchRegion } from "../session/regions.ts";
import { connectionOfStream, H3Stream, quicOf } from "./stream.ts";
import { beginSection, endSection, flushSections, sectionPtr } from "./field_sections.ts";
import { frameHeaderLength, FRAME_HEADER_MAX, FrameType, writeFrameHeader } from "./frame.ts";

/** Opens a section of at most `capacity` bytes, which with FRAME_HEADER_MAX fit the scratch region. */
export function headersBegin(stream: H3Stream, capacity: u32): void {
  beginSection(connectionOfStream(stream), quicOf(stream).id, scratchRegion + FRAME_HEADER_MAX, capacity);
}

let content: usize = 0;
let contentLen: u32 = 0;

/** The next frame of HEADERS has these bytes of content behind it. */
export function follow(ptr: usize, len: u32): void {
  content = ptr;
  contentLen = len;
}

/** OK, or why nothing whole was sent: FIELDS_TOO_LARGE, MEMORY_FULL. The stream is of no use then. */
export function headersEnd(stream: H3Stream, isFin: bool): i32 {
  const len = endSection();
  const bodyLen = contentLen;
  contentLen = 0;
  if (len < 0) return len;
  const headerLen = frameHeaderLength(FrameType.HEADERS, len);
  const start = sectionPtr() - headerLen;
  writeFrameHeader(start, FrameType.HEADERS, len);
  let end = sectionPtr() + len;
  if (bodyLen != 0) {
    end = writeFrameHeader(end, FrameType.DATA, bodyLen);
    memory.copy(end, content, bodyLen);
    end += bodyLen;
  }
  const isSent = streamSendWhole(quicOf(stream), start, <u32>(end - start), isFin);
  // The instructions that the section refers to go out in the same packet, or before.
  flushSections(connectionOfStream(stream));
  return isSent ? Status.OK : Status.MEMORY_FULL;
}
