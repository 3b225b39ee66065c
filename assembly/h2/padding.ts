/** Padding of DATA, HEADERS and PUSH_PROMISE, RFC 9113 §6.1: a length byte in front, that many bytes behind. */
import { Status } from "../abi/status.ts";
import { FrameFlag } from "./frame.ts";

/** Bytes at the front and at the back of the payload that belong to the padding, until the next `readPadding`. */
export let paddingBefore: u32 = 0;
export let paddingAfter: u32 = 0;

/** Reads the padding of a payload of `len` bytes, of which the first has arrived. Status.OK, or H2_FRAME_SIZE, H2_PADDING. */
export function readPadding(ptr: usize, len: u32, flags: u32): i32 {
  paddingBefore = 0;
  paddingAfter = 0;
  if ((flags & FrameFlag.PADDED) == 0) return Status.OK;
  if (len == 0) return Status.H2_FRAME_SIZE;
  paddingBefore = 1;
  paddingAfter = load<u8>(ptr);
  return paddingAfter < len ? Status.OK : Status.H2_PADDING;
}
