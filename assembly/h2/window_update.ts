/** WINDOW_UPDATE, RFC 9113 §6.9: credit for one stream, or for the connection on stream 0. */
import { Status } from "../abi/status.ts";
import { FrameType, writeFrameHeader } from "./frame.ts";

const LEN: u32 = 4;
export const WINDOW_UPDATE_BYTES: u32 = 9 + LEN;
/** The largest window, §6.9.1. */
export const WINDOW_MAX: i64 = 0x7fffffff;

/** May be 0, which is a stream error on a stream and a connection error on stream 0. */
export let windowIncrement: u32 = 0;

export function readWindowUpdate(ptr: usize, len: u32): i32 {
  if (len != LEN) return Status.H2_FRAME_SIZE;
  windowIncrement = bswap(load<u32>(ptr)) & 0x7fffffff;
  return Status.OK;
}

export function writeWindowUpdate(dest: usize, streamId: u32, increment: u32): usize {
  const at = writeFrameHeader(dest, LEN, FrameType.WINDOW_UPDATE, 0, streamId);
  store<u32>(at, bswap(increment));
  return at + LEN;
}
