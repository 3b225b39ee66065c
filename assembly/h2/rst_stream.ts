/** RST_STREAM, RFC 9113 §6.4: one error code. */
import { Status } from "../abi/status.ts";
import { FrameType, writeFrameHeader } from "./frame.ts";

const LEN: u32 = 4;
export const RST_STREAM_BYTES: u32 = 9 + LEN;

export let rstStreamCode: u32 = 0;

export function readRstStream(ptr: usize, len: u32, streamId: u32): i32 {
  if (streamId == 0) return Status.H2_STREAM_ID;
  if (len != LEN) return Status.H2_FRAME_SIZE;
  rstStreamCode = bswap(load<u32>(ptr));
  return Status.OK;
}

export function writeRstStream(dest: usize, streamId: u32, code: u32): usize {
  const at = writeFrameHeader(dest, LEN, FrameType.RST_STREAM, 0, streamId);
  store<u32>(at, bswap(code));
  return at + LEN;
}
