/** PUSH_PROMISE, RFC 9113 §6.6: padding, the promised stream, and the beginning of a header block. */
import { Status } from "../abi/status.ts";
import { STREAM_ID_MAX } from "./frame.ts";
import { paddingAfter, paddingBefore, readPadding } from "./padding.ts";

export const PROMISED_ID_BYTES: u32 = 4;

export let promisedStreamId: u32 = 0;
/** The fragment, until the next `readPushPromise`. */
export let promiseFragmentPtr: usize = 0;
export let promiseFragmentLen: u32 = 0;

export function readPushPromise(ptr: usize, len: u32, flags: u32, streamId: u32): i32 {
  if (streamId == 0) return Status.H2_STREAM_ID;
  const status = readPadding(ptr, len, flags);
  if (status != Status.OK) return status;
  const before = paddingBefore + PROMISED_ID_BYTES;
  if (before + paddingAfter > len) return Status.H2_FRAME_SIZE;
  promisedStreamId = bswap(load<u32>(ptr + paddingBefore)) & STREAM_ID_MAX;
  promiseFragmentPtr = ptr + before;
  promiseFragmentLen = len - before - paddingAfter;
  return Status.OK;
}

/** Writes what stands in front of the fragment. */
export function writePromisedId(dest: usize, streamId: u32): usize {
  store<u32>(dest, bswap(streamId));
  return dest + PROMISED_ID_BYTES;
}
