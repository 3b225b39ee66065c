/**
 * What a packet carried, remembered until it is acknowledged or lost (RFC 9000 §13.3: what is sent again is the information,
 * never the packet).
 *
 * Whoever writes a frame into a packet tells the packet's list so, in one record of fixed size. When the packet is lost
 * or acknowledged, its records go back to the rooms that wrote them. What the fields mean is the writer's business; `kind` is
 * the type of the frame (RFC 9000 §19), for STREAM 0x08 whatever its flag bits were, since those follow from the record.
 *
 * The records lie wherever the list says: behind the head of a sent packet, or in memory that a test owns. The list owns no
 * memory.
 *
 * Invariant: count ≤ capacity. A frame that finds no room for its record must not be written.
 */

/**
 *   0      2       4        8          16       24
 *   ┌──────┬───────┬────────┬──────────┬────────┐
 *   │ kind │ flags │ length │ streamId │ offset │
 *   └──────┴───────┴────────┴──────────┴────────┘
 *
 * `streamId` and `offset` are the place of a STREAM or CRYPTO frame's bytes; other frames keep there what tells the sending
 * again: a sequence number, a limit.
 */
@unmanaged
export class SentFrame {
  kind: u16;
  flags: u16;
  length: u32;
  streamId: u64;
  offset: u64;
}

export const enum SentFlag {
  /** The STREAM frame carried the end of its stream. */
  FIN = 1,
}

export const SENT_FRAME_BYTES: u32 = <u32>offsetof<SentFrame>();

/**
 *   0       4          8      12
 *   ┌───────┬──────────┬──────┐
 *   │ count │ capacity │ base │
 *   └───────┴──────────┴──────┘
 */
@unmanaged
export class SentFrameList {
  /** Records written. */
  count: u32;
  /** Records there is room for. */
  capacity: u32;
  /** Address of the first record, aligned to 8 bytes. */
  base: usize;
}

/** An empty list over room for `capacity` records at `base`. */
export function sentFrameListOpen(list: SentFrameList, base: usize, capacity: u32): void {
  list.count = 0;
  list.capacity = capacity;
  list.base = base;
}

/** Records that the list still has room for. */
// @ts-ignore: decorator
@inline
export function sentFrameRoom(list: SentFrameList): u32 {
  return list.capacity - list.count;
}

/** Remembers one frame. False when the list is full; then nothing has changed. */
export function sentFrameAdd(
  list: SentFrameList,
  kind: u32,
  flags: u32,
  streamId: u64,
  offset: u64,
  length: u32,
): bool {
  if (list.count >= list.capacity) return false;
  const frame = sentFrameAt(list, list.count);
  frame.kind = <u16>kind;
  frame.flags = <u16>flags;
  frame.length = length;
  frame.streamId = streamId;
  frame.offset = offset;
  list.count++;
  return true;
}

/** The record at `index`, in the order in which frames were written. Valid as long as the list's memory is. */
// @ts-ignore: decorator
@inline
export function sentFrameAt(list: SentFrameList, index: u32): SentFrame {
  return changetype<SentFrame>(list.base + index * SENT_FRAME_BYTES);
}
