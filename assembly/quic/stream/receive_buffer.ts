/**
 * Reassembly: bytes that arrive at any offset, in any order and more than once, read in order and in place (RFC 9000 §2.2).
 *
 * Bytes lie in blocks, each of which covers a fixed span of offsets: small spans at the start of a stream, 16 KiB further on.
 * Fragments of any size therefore share their blocks, are always defragmented, and cannot take more memory than the span that
 * flow control has granted, and one block. What grows with the fragments is the list of ranges that have arrived, and that
 * is bounded by the caller's `rangesMost`.
 *
 * Bytes below `readOffset` are passed over: whoever read them in place has them. Where the same offset arrives twice before it is
 * read the later bytes stand; a peer that sends other bytes there breaks RFC 9000 §2.2 and harms itself alone.
 *
 * A block that was read stays readable until the host's next call, since events may point into it (session/retired.ts).
 *
 * Does not bound offsets: flow control, or the limit of a CRYPTO stream, comes first. A refusal changes nothing that can be
 * read.
 *
 * Invariants: blocks are sorted and do not overlap; every byte in `ranges` has its block; no range begins below readOffset.
 */
import { Status } from "../../abi/status.ts";
import { slabAllocate } from "../../core/slab.ts";
import { retireBlock } from "../../session/retired.ts";
import {
  RangeList,
  rangeAt,
  rangeListAdd,
  rangeListClear,
  rangeListFind,
  rangeListHas,
  rangeListRemoveBelow,
} from "./range_list.ts";

/**
 * In front of each block's bytes.
 *
 *   0       8     16     20
 *   ┌───────┬─────┬──────┬─────────┬─────────┐
 *   │ start │ end │ next │ padding │ bytes … │
 *   └───────┴─────┴──────┴─────────┴─────────┘
 */
@unmanaged
class ReceiveBlock {
  start: u64;
  end: u64;
  next: usize;
  padding: u32;
}

const HEADER_BYTES: u32 = <u32>offsetof<ReceiveBlock>();
/** Slab classes, header included: doubling from the first to the last. */
const FIRST_BLOCK_BYTES: u32 = 512;
const LARGEST_BLOCK_BYTES: u32 = 16384;

/** All bytes zero = empty, at offset 0. */
@unmanaged
export class ReceiveBuffer {
  /** All bytes below were read. */
  readOffset: u64;
  head: usize;
  /** The block that was written last: most searches end there. */
  cursor: usize;
  /** What has arrived and is not read: the words of a RangeList. */
  ranges: usize;
  rangeCount: u32;
  rangeCapacity: u32;
}

// @ts-ignore: decorator
@inline
export function rangesOf(buffer: ReceiveBuffer): RangeList {
  return changetype<RangeList>(changetype<usize>(buffer) + offsetof<ReceiveBuffer>("ranges"));
}

/**
 * Keeps a copy of what of [offset, offset + len) is not read yet. Answers OK, QUIC_STREAM_FRAGMENTS when the arrived ranges
 * would be more than `rangesMost`, or MEMORY_FULL.
 */
export function receiveBufferInsert(
  buffer: ReceiveBuffer,
  offset: u64,
  ptr: usize,
  len: u32,
  rangesMost: u32,
): i32 {
  const end = offset + len;
  const start = max(offset, buffer.readOffset);
  if (start >= end || rangeListHas(rangesOf(buffer), start, end)) return Status.OK;
  if (!copyIn(buffer, start, ptr + <usize>(start - offset), end)) return Status.MEMORY_FULL;
  if (!rangeListAdd(rangesOf(buffer), start, end)) return Status.MEMORY_FULL;
  return buffer.rangeCount > rangesMost ? Status.QUIC_STREAM_FRAGMENTS : Status.OK;
}

/** The end of what can be read without a gap. */
// @ts-ignore: decorator
@inline
export function receiveBufferReadable(buffer: ReceiveBuffer): u64 {
  if (buffer.rangeCount == 0) return buffer.readOffset;
  const first = rangeAt(rangesOf(buffer), 0);
  return first.start == buffer.readOffset ? first.end : buffer.readOffset;
}

/** Where bytes end that are read without a gap by somebody who has them up to `end`, which lies at or behind readOffset. */
export function receiveBufferContinued(buffer: ReceiveBuffer, end: u64): u64 {
  const ranges = rangesOf(buffer);
  const index = rangeListFind(ranges, end);
  if (index >= ranges.count || rangeAt(ranges, index).start > end) return end;
  return rangeAt(ranges, index).end;
}

/** Bytes at the front that lie in one piece. 0 when nothing can be read. */
export function receiveBufferPeekLength(buffer: ReceiveBuffer): u32 {
  const readable = receiveBufferReadable(buffer);
  if (readable == buffer.readOffset) return 0;
  return <u32>(min(readable, changetype<ReceiveBlock>(buffer.head).end) - buffer.readOffset);
}

/** Their address; valid until the next call on this buffer. Only where `receiveBufferPeekLength` is not 0. */
export function receiveBufferPeek(buffer: ReceiveBuffer): usize {
  const block = changetype<ReceiveBlock>(buffer.head);
  return buffer.head + HEADER_BYTES + <usize>(buffer.readOffset - block.start);
}

/** Everything below `offset` was read, here or elsewhere; what lies there is dropped. */
export function receiveBufferAdvance(buffer: ReceiveBuffer, offset: u64): void {
  if (offset <= buffer.readOffset) return;
  buffer.readOffset = offset;
  if (buffer.rangeCount != 0) rangeListRemoveBelow(rangesOf(buffer), offset);
  while (buffer.head != 0) {
    const block = changetype<ReceiveBlock>(buffer.head);
    // A block that is read to its end, or that nothing is kept in any more.
    if (block.end > offset && buffer.rangeCount != 0) return;
    const next = block.next;
    if (buffer.cursor == buffer.head) buffer.cursor = 0;
    retireBlock(buffer.head);
    buffer.head = next;
  }
}

/** Drops every byte and range; `readOffset` stays. */
export function receiveBufferClear(buffer: ReceiveBuffer): void {
  rangeListClear(rangesOf(buffer));
  while (buffer.head != 0) {
    const next = changetype<ReceiveBlock>(buffer.head).next;
    retireBlock(buffer.head);
    buffer.head = next;
  }
  buffer.cursor = 0;
}

function copyIn(buffer: ReceiveBuffer, start: u64, ptr: usize, end: u64): bool {
  let at = start;
  while (at < end) {
    const blockPtr = blockFor(buffer, at);
    if (blockPtr == 0) return false;
    const block = changetype<ReceiveBlock>(blockPtr);
    const part = <u32>(min(end, block.end) - at);
    memory.copy(blockPtr + HEADER_BYTES + <usize>(at - block.start), ptr, part);
    ptr += part;
    at += part;
  }
  return true;
}

/** The block whose span holds `offset`, made when there is none. 0 when the slab is full. */
function blockFor(buffer: ReceiveBuffer, offset: u64): usize {
  let previous: usize = 0;
  let block = buffer.cursor;
  if (block == 0 || changetype<ReceiveBlock>(block).start > offset) block = buffer.head;
  while (block != 0 && changetype<ReceiveBlock>(block).start <= offset) {
    if (offset < changetype<ReceiveBlock>(block).end) {
      buffer.cursor = block;
      return block;
    }
    previous = block;
    block = changetype<ReceiveBlock>(block).next;
  }
  // The span of `offset`: doubling sizes from 0 on, then whole ones of the largest.
  let size = FIRST_BLOCK_BYTES - HEADER_BYTES;
  let start: u64 = 0;
  while (offset >= start + size && size < LARGEST_BLOCK_BYTES - HEADER_BYTES) {
    start += size;
    size = ((size + HEADER_BYTES) << 1) - HEADER_BYTES;
  }
  start = offset - ((offset - start) % size);
  const made = slabAllocate(size + HEADER_BYTES);
  if (made == 0) return 0;
  const header = changetype<ReceiveBlock>(made);
  header.start = start;
  header.end = start + size;
  header.next = block;
  if (previous != 0) changetype<ReceiveBlock>(previous).next = made;
  else buffer.head = made;
  buffer.cursor = made;
  return made;
}
