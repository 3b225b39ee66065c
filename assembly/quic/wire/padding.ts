/**
 * PADDING, RFC 9000 §19.1: a type of zero and nothing else, so that a run of zero bytes is a run of frames.
 */
import { Reader } from "../../core/reader.ts";
import { writeSpan, Writer } from "../../core/writer.ts";

/** Passes over the rest of a run of PADDING frames, eight at a time. */
export function readPadding(reader: Reader): void {
  let at = reader.at;
  const end = reader.end;
  while (at + 8 <= end && load<u64>(at) == 0) at += 8;
  while (at < end && load<u8>(at) == 0) at++;
  reader.at = at;
}

/** Writes `len` PADDING frames. */
export function writePadding(writer: Writer, len: u32): void {
  const at = writeSpan(writer, len);
  if (at != 0) memory.fill(at, 0, len);
}
