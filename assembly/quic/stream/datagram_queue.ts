/**
 * Datagrams of one direction, RFC 9221: whole messages in order of arrival, each in a slab block, bounded in number and bytes.
 *
 * A full queue refuses the newest; the sender is told, the peer is not, since datagrams may be lost anywhere (§5). Nothing
 * here is sent again.
 *
 * Invariant: bytes is the sum of the lengths queued.
 */
import { slabAllocate, slabFree } from "../../core/slab.ts";

/**
 *   0      4        8
 *   ┌──────┬────────┬─────────┐
 *   │ next │ length │ bytes … │
 *   └──────┴────────┴─────────┘
 */
@unmanaged
class QueuedDatagram {
  next: usize;
  length: u32;
}

const HEADER_BYTES: u32 = <u32>offsetof<QueuedDatagram>();

/** All bytes zero = empty. */
@unmanaged
export class DatagramQueue {
  head: usize;
  tail: usize;
  count: u32;
  bytes: u32;
  /** Datagrams refused because the queue was full. */
  refused: u32;
}

/** Queues a copy of [ptr, ptr + len). False when that would pass a bound, or the slab is full. */
export function datagramPush(
  queue: DatagramQueue,
  ptr: usize,
  len: u32,
  countMost: u32,
  bytesMost: u32,
): bool {
  const isFull = queue.count >= countMost || len > bytesMost || queue.bytes > bytesMost - len;
  const block: usize = isFull ? 0 : slabAllocate(len + HEADER_BYTES);
  if (block == 0) {
    queue.refused++;
    return false;
  }
  const datagram = changetype<QueuedDatagram>(block);
  datagram.next = 0;
  datagram.length = len;
  memory.copy(block + HEADER_BYTES, ptr, len);
  if (queue.tail != 0) changetype<QueuedDatagram>(queue.tail).next = block;
  else queue.head = block;
  queue.tail = block;
  queue.count++;
  queue.bytes += len;
  return true;
}

/** Address and length of the oldest; only while `count` is not 0. Valid until it is dropped. */
// @ts-ignore: decorator
@inline
export function datagramFirst(queue: DatagramQueue): usize {
  return queue.head + HEADER_BYTES;
}

// @ts-ignore: decorator
@inline
export function datagramFirstLength(queue: DatagramQueue): u32 {
  return changetype<QueuedDatagram>(queue.head).length;
}

/** Drops the oldest, of which there is one. */
export function datagramDrop(queue: DatagramQueue): void {
  slabFree(datagramDetach(queue));
}

/** Takes the oldest out, of which there is one. Answers its block. */
export function datagramDetach(queue: DatagramQueue): usize {
  const block = queue.head;
  const datagram = changetype<QueuedDatagram>(block);
  queue.head = datagram.next;
  if (queue.head == 0) queue.tail = 0;
  queue.count--;
  queue.bytes -= datagram.length;
  return block;
}

export function datagramQueueClear(queue: DatagramQueue): void {
  while (queue.count != 0) datagramDrop(queue);
}
