/**
 * Bytes waiting to go out: a first-in, first-out queue in a chain of slab blocks.
 *
 * The queue itself is a small struct embedded in its owner; an empty queue holds no block, so an idle connection costs nothing
 * here. Blocks start small and double, because most answers are short and long ones deserve few blocks.
 *
 * A write is all or nothing: when the slab is full nothing has changed, and the caller refuses or waits. The queue sets no
 * limit of its own: the owner compares `length` with its limit before it writes.
 *
 * Invariant: `length` is the sum of all blocks' `end - start`; `head` and `tail` are both 0 or both set; only the tail is
 * written to. A block may be empty only between a reserve and its commit, or when a later write passed it by.
 */

import { slabAllocate, slabCapacity, slabFree } from "./slab.ts";

/** The largest contiguous space `byteQueueReserve` gives. */
export const BYTE_QUEUE_RESERVE_MAX: u32 = 4096;

/** Both are slab classes and count the block's own header. */
const FIRST_BLOCK_SIZE: u32 = 256;
const LARGEST_BLOCK_SIZE: u32 = 16384;

/**
 * All bytes zero = empty.
 *
 *   0      4      8        12
 *   ┌──────┬──────┬────────┐
 *   │ head │ tail │ length │
 *   └──────┴──────┴────────┘
 */
@unmanaged
export class ByteQueue {
  /** Block read from. */
  head: usize;
  /** Block written to. */
  tail: usize;
  /** Bytes queued. */
  length: u32;
}

/**
 * In front of each block's bytes. Offsets count from the block's own address.
 *
 *   0      4       8     12         16
 *   ┌──────┬───────┬─────┬──────────┬─────────┐
 *   │ next │ start │ end │ capacity │ bytes … │
 *   └──────┴───────┴─────┴──────────┴─────────┘
 */
@unmanaged
class QueueBlock {
  next: usize;
  /** Offset of the first byte not read yet. */
  start: u32;
  /** Offset after the last byte written. */
  end: u32;
  /** Offset after the last byte there is room for. */
  capacity: u32;
}

/** Appends a copy of [src, src + len). False when the slab is full; then nothing has changed. */
export function byteQueueWrite(queue: ByteQueue, src: usize, len: u32): bool {
  const tail = queue.tail;
  const tailRoom = roomAfter(tail);
  if (len <= tailRoom) {
    if (len != 0) append(queue, tail, src, len);
    return true;
  }
  const chain = allocateChain(len - tailRoom, nextBlockSize(tail));
  if (chain == 0) return false;
  if (tailRoom != 0) append(queue, tail, src, tailRoom);
  linkAfterTail(queue, chain);
  let from = src + tailRoom;
  let rest = len - tailRoom;
  for (let block = chain; block != 0; block = changetype<QueueBlock>(block).next) {
    const part = min(rest, roomAfter(block));
    append(queue, block, from, part);
    queue.tail = block;
    from += part;
    rest -= part;
  }
  return true;
}

/**
 * Room for `len` bytes in one piece at the end of the queue, or 0 when the slab is full. `len` is at most
 * BYTE_QUEUE_RESERVE_MAX. Valid until the next call on this queue, which must be `byteQueueCommit`.
 */
export function byteQueueReserve(queue: ByteQueue, len: u32): usize {
  assert(len <= BYTE_QUEUE_RESERVE_MAX);
  let tail = queue.tail;
  if (tail == 0 || roomAfter(tail) < len) {
    const block = allocateBlock(max(len + offsetof<QueueBlock>(), nextBlockSize(tail)));
    if (block == 0) return 0;
    linkAfterTail(queue, block);
    queue.tail = block;
    tail = block;
  }
  return tail + changetype<QueueBlock>(tail).end;
}

/** Makes the first `len` bytes of the reserved room part of the queue; 0 gives the room back. */
export function byteQueueCommit(queue: ByteQueue, len: u32): void {
  assert(len <= roomAfter(queue.tail));
  if (len != 0) {
    changetype<QueueBlock>(queue.tail).end += len;
    queue.length += len;
  } else if (queue.length == 0) {
    byteQueueClear(queue);
  }
}

/** Copies up to `max` bytes from the front to `dest` and frees the blocks it drained. Answers how many it copied. */
export function byteQueueRead(queue: ByteQueue, dest: usize, max: u32): u32 {
  const total = min(max, queue.length);
  let rest = total;
  let blockPtr = queue.head;
  while (rest != 0) {
    const block = changetype<QueueBlock>(blockPtr);
    const part = min(rest, block.end - block.start);
    memory.copy(dest, blockPtr + block.start, part);
    block.start += part;
    dest += part;
    rest -= part;
    if (block.start == block.end) {
      const next = block.next;
      if (next == 0) break;
      slabFree(blockPtr);
      blockPtr = next;
    }
  }
  queue.head = blockPtr;
  queue.length -= total;
  if (queue.length == 0) byteQueueClear(queue);
  return total;
}

/** Drops every byte and gives every block back. */
export function byteQueueClear(queue: ByteQueue): void {
  freeChain(queue.head);
  queue.head = 0;
  queue.tail = 0;
  queue.length = 0;
}

/** Appends the whole of `from` to `to` without copying a byte; `from` is empty afterwards. */
export function byteQueueMove(to: ByteQueue, from: ByteQueue): void {
  assert(changetype<usize>(to) != changetype<usize>(from));
  if (from.head == 0) return;
  linkAfterTail(to, from.head);
  to.tail = from.tail;
  to.length += from.length;
  from.head = 0;
  from.tail = 0;
  from.length = 0;
}

// @ts-ignore: decorator
@inline
function roomAfter(block: usize): u32 {
  return block != 0 ? changetype<QueueBlock>(block).capacity - changetype<QueueBlock>(block).end : 0;
}

function nextBlockSize(tail: usize): u32 {
  if (tail == 0) return FIRST_BLOCK_SIZE;
  return min(changetype<QueueBlock>(tail).capacity << 1, LARGEST_BLOCK_SIZE);
}

function append(queue: ByteQueue, blockPtr: usize, src: usize, len: u32): void {
  const block = changetype<QueueBlock>(blockPtr);
  memory.copy(blockPtr + block.end, src, len);
  block.end += len;
  queue.length += len;
}

/** Hangs a block, or a chain of them, behind the tail; the caller sets the new tail. */
function linkAfterTail(queue: ByteQueue, block: usize): void {
  if (queue.tail != 0) changetype<QueueBlock>(queue.tail).next = block;
  else queue.head = block;
}

/** Empty blocks with room for `len` bytes in all, the first of at least `firstSize`. 0 when the slab cannot give them all. */
function allocateChain(len: u32, firstSize: u32): usize {
  let first: usize = 0;
  let last: usize = 0;
  let rest = len;
  let size = firstSize;
  while (rest != 0) {
    // Bounded before the header is added, so that a length near 2^32 cannot wrap.
    const wanted = min(rest, LARGEST_BLOCK_SIZE) + offsetof<QueueBlock>();
    const block = allocateBlock(min(max(size, wanted), LARGEST_BLOCK_SIZE));
    if (block == 0) {
      freeChain(first);
      return 0;
    }
    if (last != 0) changetype<QueueBlock>(last).next = block;
    else first = block;
    last = block;
    rest -= min(rest, roomAfter(block));
    size = FIRST_BLOCK_SIZE;
  }
  return first;
}

function allocateBlock(size: u32): usize {
  const block = slabAllocate(size);
  if (block == 0) return 0;
  const header = changetype<QueueBlock>(block);
  header.next = 0;
  header.start = offsetof<QueueBlock>();
  header.end = offsetof<QueueBlock>();
  header.capacity = slabCapacity(block);
  return block;
}

function freeChain(first: usize): void {
  let block = first;
  while (block != 0) {
    const next = changetype<QueueBlock>(block).next;
    slabFree(block);
    block = next;
  }
}
