/**
 * HEADERS, RFC 9113 §6.2: padding, the priority of RFC 7540, and the beginning of a header block.
 *
 *     +---------------+
 *     |Pad Length? (8)|
 *     +-+-------------+-----------------------------------------------+
 *     |E|                 Stream Dependency? (31)                     |
 *     +-+-------------+-----------------------------------------------+
 *     |  Weight? (8)  |
 *     +---------------+-----------------------------------------------+
 *     |                   Field Block Fragment (*)                  ...
 *     +---------------------------------------------------------------+
 *     |                           Padding (*)                       ...
 *     +---------------------------------------------------------------+
 *
 * It is written by header_block.ts, which knows where the block has to be cut.
 */
import { Status } from "../abi/status.ts";
import { FrameFlag, STREAM_ID_MAX } from "./frame.ts";
import { paddingAfter, paddingBefore, readPadding } from "./padding.ts";

/** Exclusive flag, dependency and weight. */
export const PRIORITY_BYTES: u32 = 5;

/** The fragment, until the next `readHeaders`. */
export let headersFragmentPtr: usize = 0;
export let headersFragmentLen: u32 = 0;
/** The stream depends on itself, RFC 7540 §5.3.1: a stream error, so the block is decoded all the same. */
export let headersDependOnSelf: bool = false;

/** Reads a payload. Status.OK, or why the connection ends. */
export function readHeaders(ptr: usize, len: u32, flags: u32, streamId: u32): i32 {
  const status = readPadding(ptr, len, flags);
  if (status != Status.OK) return status;
  const hasPriority = (flags & FrameFlag.PRIORITY) != 0;
  const before = paddingBefore + (hasPriority ? PRIORITY_BYTES : 0);
  if (before + paddingAfter > len) return hasPriority ? Status.H2_FRAME_SIZE : Status.H2_PADDING;
  headersDependOnSelf = hasPriority && (bswap(load<u32>(ptr + paddingBefore)) & STREAM_ID_MAX) == streamId;
  headersFragmentPtr = ptr + before;
  headersFragmentLen = len - before - paddingAfter;
  return Status.OK;
}
