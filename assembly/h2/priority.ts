/**
 * Frames about priorities: PRIORITY_UPDATE of RFC 9218 §7.1, whose value assembly/http/priority.ts reads, and the PRIORITY frame of
 * RFC 7540, whose tree nobody keeps any more: it is checked and ignored (RFC 9113 §5.3.2).
 */
import { Status } from "../abi/status.ts";
import { readPriorityValue } from "../http/priority.ts";
import { STREAM_ID_MAX } from "./frame.ts";
import { PRIORITY_BYTES } from "./headers.ts";

/** PRIORITY, RFC 7540 §6.3. H2_FRAME_SIZE and H2_DEPENDENCY are stream errors there. */
export function readPriority(ptr: usize, len: u32, streamId: u32): i32 {
  if (streamId == 0) return Status.H2_STREAM_ID;
  if (len != PRIORITY_BYTES) return Status.H2_FRAME_SIZE;
  return (bswap(load<u32>(ptr)) & STREAM_ID_MAX) == streamId ? Status.H2_DEPENDENCY : Status.OK;
}

const PRIORITIZED_ID_BYTES: u32 = 4;

/** The stream that a PRIORITY_UPDATE is about. */
export let prioritizedStreamId: u32 = 0;

/** PRIORITY_UPDATE, RFC 9218 §7.1: on stream 0, about another one; the value is left in the variables of `readPriorityValue`. */
export function readPriorityUpdate(ptr: usize, len: u32, streamId: u32): i32 {
  if (streamId != 0) return Status.H2_STREAM_ID;
  if (len < PRIORITIZED_ID_BYTES) return Status.H2_FRAME_SIZE;
  prioritizedStreamId = bswap(load<u32>(ptr)) & STREAM_ID_MAX;
  if (prioritizedStreamId == 0) return Status.H2_PRIORITY;
  readPriorityValue(ptr + PRIORITIZED_ID_BYTES, len - PRIORITIZED_ID_BYTES);
  return Status.OK;
}
