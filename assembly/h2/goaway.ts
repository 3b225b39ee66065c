/** GOAWAY, RFC 9113 §6.8: the last stream acted on, an error code, and text for whoever debugs. */
import { Status } from "../abi/status.ts";
import { writeAscii } from "../http/ascii.ts";
import { FrameType, STREAM_ID_MAX, writeFrameHeader } from "./frame.ts";

const LEN_LEAST: u32 = 8;
/** The engine's texts are one short sentence. */
export const GOAWAY_BYTES_MAX: u32 = 9 + LEN_LEAST + 128;

export let goawayLastStreamId: u32 = 0;
export let goawayCode: u32 = 0;

export function readGoaway(ptr: usize, len: u32, streamId: u32): i32 {
  if (streamId != 0) return Status.H2_STREAM_ID;
  if (len < LEN_LEAST) return Status.H2_FRAME_SIZE;
  goawayLastStreamId = bswap(load<u32>(ptr)) & STREAM_ID_MAX;
  goawayCode = bswap(load<u32>(ptr, 4));
  return Status.OK;
}

/** `text` is the engine's own: none of the peer's bytes go back to it. */
export function writeGoaway(dest: usize, lastStreamId: u32, code: u32, text: string): usize {
  const at = writeFrameHeader(dest, LEN_LEAST + text.length, FrameType.GOAWAY, 0, 0);
  store<u32>(at, bswap(lastStreamId));
  store<u32>(at, bswap(code), 4);
  return at + LEN_LEAST + writeAscii(at + LEN_LEAST, text);
}
