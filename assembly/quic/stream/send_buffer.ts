/**
 * The bytes of one stream on their way out: kept from the application's call until the peer has acknowledged them.
 *
 * Bytes are copied once, into a chain of slab blocks, and once more from there into each packet that carries them. What was
 * lost is sent again before anything new (RFC 9000 §13.3); what was acknowledged is freed block by block from the front.
 * The end of the stream (FIN) is the owner's flag, not a byte.
 *
 * When the slab is full and a loss, or an acknowledgement out of order, cannot be noted, the buffer goes back to that offset
 * and sends from there again: more than needed, but nothing is ever forgotten. Therefore `sentTo` may lie below `sentMost`.
 *
 * Invariants: ackedTo ≤ sentTo ≤ sentMost ≤ end. Every byte of [ackedTo, sentTo) is acknowledged, lost or in flight. Blocks hold
 * [first block's offset, end) without a hole, and the first of them holds a byte that is not acknowledged.
 */
import { slabAllocate, slabCapacity, slabFree } from "../../core/slab.ts";
import {
  RangeList,
  rangeAt,
  rangeListAdd,
  rangeListClear,
  rangeListRemove,
  rangeListRemoveBelow,
} from "./range_list.ts";

/** Both are slab classes and count the block's own header. */
const LEAST_BLOCK_BYTES: u32 = 256;
const LARGEST_BLOCK_BYTES: u32 = 32768;

/**
 * In front of each block's bytes.
 *
 *   0        8      12       16         20
 *   ┌────────┬──────┬────────┬──────────┬─────────┬─────────┐
 *   │ offset │ next │ length │ capacity │ padding │ bytes … │
 *   └────────┴──────┴────────┴──────────┴─────────┴─────────┘
 */
@unmanaged
class SendBlock {
  /** Stream offset of the first byte. */
  offset: u64;
  next: usize;
  length: u32;
  /** Bytes there is room for. */
  capacity: u32;
  padding: u32;
}

const HEADER_BYTES: u32 = <u32>offsetof<SendBlock>();

/** All bytes zero = empty, at offset 0. */
@unmanaged
export class SendBuffer {
  /** All bytes below are acknowledged. */
  ackedTo: u64;
  /** What is sent next for the first time, but for what went back. */
  sentTo: u64;
  /** The end of what was ever sent: what flow control counts. */
  sentMost: u64;
  /** The end of what the application wrote. */
  end: u64;
  head: usize;
  tail: usize;
  /** The block that was read last: the next read begins there. */
  cursor: usize;
  /** Ranges that were acknowledged out of order, and ranges to send again: each the words of a RangeList. */
  acked: usize;
  ackedCount: u32;
  ackedCapacity: u32;
  lost: usize;
  lostCount: u32;
  lostCapacity: u32;
}

// @ts-ignore: decorator
@inline
export function ackedOf(buffer: SendBuffer): RangeList {
  return changetype<RangeList>(changetype<usize>(buffer) + offsetof<SendBuffer>("acked"));
}

// @ts-ignore: decorator
@inline
export function lostOf(buffer: SendBuffer): RangeList {
  return changetype<RangeList>(changetype<usize>(buffer) + offsetof<SendBuffer>("lost"));
}

/** Appends a copy of up to `len` bytes. Answers how many were taken: fewer when the slab is full. */
export function sendBufferAppend(buffer: SendBuffer, ptr: usize, len: u32): u32 {
  let rest = len;
  while (rest != 0) {
    let block = buffer.tail;
    if (block == 0 || changetype<SendBlock>(block).length == changetype<SendBlock>(block).capacity) {
      block = addBlock(buffer, rest);
      if (block == 0) break;
    }
    const header = changetype<SendBlock>(block);
    const part = min(rest, header.capacity - header.length);
    memory.copy(block + HEADER_BYTES + header.length, ptr + (len - rest), part);
    header.length += part;
    buffer.end += part;
    rest -= part;
  }
  return len - rest;
}

/** Whether bytes wait to be sent again. */
// @ts-ignore: decorator
@inline
export function sendBufferHasLost(buffer: SendBuffer): bool {
  return buffer.lostCount != 0 || buffer.sentTo < buffer.sentMost;
}

/** Bytes that are not acknowledged. */
// @ts-ignore: decorator
@inline
export function sendBufferHeld(buffer: SendBuffer): u64 {
  return buffer.end - buffer.ackedTo;
}

/** Where the next bytes to send begin: those that were lost first. */
export function sendBufferNext(buffer: SendBuffer): u64 {
  return buffer.lostCount != 0 ? rangeAt(lostOf(buffer), 0).start : buffer.sentTo;
}

/** How many bytes from `sendBufferNext` may go into one frame, when flow control lets the stream send up to `limit`. */
export function sendBufferNextLength(buffer: SendBuffer, limit: u64): u64 {
  if (buffer.lostCount != 0) {
    const range = rangeAt(lostOf(buffer), 0);
    return range.end - range.start;
  }
  const most = max(min(buffer.end, limit), buffer.sentMost);
  return most - buffer.sentTo;
}

/** Copies [offset, offset + len), which the buffer holds, to `dest` and notes it as sent. */
export function sendBufferSend(buffer: SendBuffer, offset: u64, dest: usize, len: u32): void {
  copyOut(buffer, offset, dest, len);
  const end = offset + len;
  if (buffer.lostCount != 0) {
    // Only the front of the first range is ever sent, which needs no room.
    rangeListRemove(lostOf(buffer), offset, end);
  }
  if (end > buffer.sentTo && offset <= buffer.sentTo) buffer.sentTo = end;
  if (end > buffer.sentMost) buffer.sentMost = end;
}

/** The peer has [offset, offset + len). */
export function sendBufferAcked(buffer: SendBuffer, offset: u64, len: u32): void {
  const end = offset + len;
  if (end <= buffer.ackedTo || end > buffer.sentMost) return;
  if (offset > buffer.ackedTo) {
    if (!rangeListAdd(ackedOf(buffer), offset, end)) return goBack(buffer, offset);
    // A loss that was none: not sent again. Where there is no room to say so it is.
    rangeListRemove(lostOf(buffer), offset, end);
    return;
  }
  buffer.ackedTo = end;
  // Frames were cut anew when they were sent again, so this one may end within a range, or beyond several.
  while (buffer.ackedCount != 0 && rangeAt(ackedOf(buffer), 0).start <= buffer.ackedTo) {
    buffer.ackedTo = max(buffer.ackedTo, rangeAt(ackedOf(buffer), 0).end);
    rangeListRemoveBelow(ackedOf(buffer), buffer.ackedTo);
  }
  if (buffer.lostCount != 0) rangeListRemoveBelow(lostOf(buffer), buffer.ackedTo);
  if (buffer.sentTo < buffer.ackedTo) buffer.sentTo = buffer.ackedTo;
  freeAcked(buffer);
}

/** [offset, offset + len) was lost: what of it the peer does not have by now is sent again. */
export function sendBufferLost(buffer: SendBuffer, offset: u64, len: u32): void {
  const end = min(offset + len, buffer.sentTo);
  let start = max(offset, buffer.ackedTo);
  // Between the ranges that were acknowledged meanwhile.
  for (let index: u32 = 0; index < buffer.ackedCount && start < end; index++) {
    const range = rangeAt(ackedOf(buffer), index);
    if (range.end <= start) continue;
    if (range.start >= end) break;
    if (range.start > start && !rangeListAdd(lostOf(buffer), start, range.start))
      return goBack(buffer, start);
    start = range.end;
  }
  if (start < end && !rangeListAdd(lostOf(buffer), start, end)) goBack(buffer, start);
}

/** Everything that was not acknowledged counts as never sent: the peer refused 0-RTT (RFC 9001 §4.6.2). */
export function sendBufferRewind(buffer: SendBuffer): void {
  rangeListClear(ackedOf(buffer));
  rangeListClear(lostOf(buffer));
  buffer.sentTo = buffer.ackedTo;
  buffer.sentMost = buffer.ackedTo;
}

/** Drops every byte; the buffer ends where sending has come to. */
export function sendBufferClear(buffer: SendBuffer): void {
  rangeListClear(ackedOf(buffer));
  rangeListClear(lostOf(buffer));
  let block = buffer.head;
  while (block != 0) {
    const next = changetype<SendBlock>(block).next;
    slabFree(block);
    block = next;
  }
  buffer.head = 0;
  buffer.tail = 0;
  buffer.cursor = 0;
  buffer.ackedTo = buffer.sentMost;
  buffer.sentTo = buffer.sentMost;
  buffer.end = buffer.sentMost;
}

function goBack(buffer: SendBuffer, offset: u64): void {
  if (offset < buffer.sentTo) buffer.sentTo = max(offset, buffer.ackedTo);
  // What lies above is sent again anyway, and removing it needs no room.
  rangeListRemove(lostOf(buffer), buffer.sentTo, u64.MAX_VALUE);
}

/** A block for `len` more bytes, at least as large as the one before so that long streams soon use the largest. */
function addBlock(buffer: SendBuffer, len: u32): usize {
  const tail = buffer.tail;
  const twice = tail != 0 ? (changetype<SendBlock>(tail).capacity + HEADER_BYTES) << 1 : LEAST_BLOCK_BYTES;
  const wanted = max(twice, min(len, LARGEST_BLOCK_BYTES) + HEADER_BYTES);
  const block = slabAllocate(min(wanted, LARGEST_BLOCK_BYTES));
  if (block == 0) return 0;
  const header = changetype<SendBlock>(block);
  header.offset = buffer.end;
  header.next = 0;
  header.length = 0;
  header.capacity = slabCapacity(block) - HEADER_BYTES;
  if (tail != 0) changetype<SendBlock>(tail).next = block;
  else buffer.head = block;
  buffer.tail = block;
  return block;
}

function copyOut(buffer: SendBuffer, offset: u64, dest: usize, len: u32): void {
  let block = buffer.cursor;
  if (block == 0 || changetype<SendBlock>(block).offset > offset) block = buffer.head;
  let rest = len;
  let at = offset;
  while (rest != 0) {
    const header = changetype<SendBlock>(block);
    const skip = at - header.offset;
    if (skip < <u64>header.length) {
      const part = min(rest, header.length - <u32>skip);
      memory.copy(dest, block + HEADER_BYTES + <u32>skip, part);
      dest += part;
      at += part;
      rest -= part;
      buffer.cursor = block;
      if (rest == 0) return;
    }
    block = header.next;
  }
}

function freeAcked(buffer: SendBuffer): void {
  while (buffer.head != 0) {
    const header = changetype<SendBlock>(buffer.head);
    if (header.offset + header.length > buffer.ackedTo) return;
    const next = header.next;
    if (buffer.cursor == buffer.head) buffer.cursor = 0;
    slabFree(buffer.head);
    buffer.head = next;
  }
  buffer.tail = 0;
}
