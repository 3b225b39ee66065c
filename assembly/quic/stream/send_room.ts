/**
 * How much the application may leave with a connection: bytes that wait to be sent or to be acknowledged are bounded for each
 * stream and for all together, so that a peer that reads slowly, or never acknowledges, holds no more than that.
 *
 * What one stream may leave grows beyond its limit with the window, up to what all may: twice the window, of which one half is in
 * flight and the other waits, so that a single stream fills a path however long that is.
 *
 * A stream that was refused bytes is told WRITABLE when a quarter of what refused it has come free: not for every packet, and early
 * enough that what is still held fills the path until the application has answered.
 */
import { Limit } from "../../abi/limit.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { sendBufferHeld } from "./send_buffer.ts";
import {
  clearStreamFlag,
  hasStreamFlag,
  QuicStream,
  sendBufferOf,
  setStreamFlag,
  StreamEvent,
  StreamFlag,
  streamsOf,
  tell,
} from "./stream.ts";
import { streamNext } from "./stream_table.ts";
import { QuicStreams } from "./streams.ts";

/**
 * Congestion windows of output that may be held. In the proportion of the limits' defaults that is four of one stream, of which three
 * are left when it is told that there is room again: one on its way, and one to go on with.
 */
const WINDOWS_HELD: f64 = 16;
/** The part of the limit that is open whatever the window is, and the least of it. */
const LEAST_SHARE: f64 = 8;
const LEAST_BYTES: f64 = 65536;
const LEAST_STREAM_BYTES: f64 = 16384;
/** Windows that one stream may hold however low its limit is, if all may. */
const STREAM_WINDOWS_HELD: f64 = 2;

/**
 * What may be held follows the congestion window: more does not make the path faster, and a peer that acknowledges nothing, or lets
 * nothing through, has not earned it.
 */
export function sendRoomFollow(set: QuicStreams, congestionWindow: f64): void {
  const limit = limitOf(Limit.QUIC_OUTPUT_BYTES);
  const open = max(max(limit / LEAST_SHARE, LEAST_BYTES), congestionWindow * WINDOWS_HELD);
  set.heldMost = <u64>min(limit, open);
  // Of the limit of a stream as much as the set has of its own.
  const streamLimit = limitOf(Limit.QUIC_STREAM_OUTPUT_BYTES);
  const share = min(streamLimit, max((streamLimit * <f64>set.heldMost) / limit, LEAST_STREAM_BYTES));
  const grown = min(congestionWindow * STREAM_WINDOWS_HELD, <f64>set.heldMost);
  set.streamHeldMost = <u64>max(share, grown);
}

/** Of so many bytes that may be held: no more than that, and who was refused may go on. */
function enough(most: u64): u64 {
  return most - (most >> 2);
}

/** Bytes that `streamSend` would take now, memory provided. */
export function sendRoom(stream: QuicStream): u32 {
  const set = streamsOf(stream);
  const most = set.streamHeldMost;
  const held = sendBufferHeld(sendBufferOf(stream));
  if (held >= most || set.heldBytes >= set.heldMost) return 0;
  return <u32>min<u64>(min(most - held, set.heldMost - set.heldBytes), i32.MAX_VALUE);
}

/** The stream was refused bytes. */
export function noteRefused(stream: QuicStream): void {
  setStreamFlag(stream, StreamFlag.WANTS_ROOM);
  const isOwn = sendBufferHeld(sendBufferOf(stream)) >= streamsOf(stream).streamHeldMost;
  limitHit(isOwn ? Limit.QUIC_STREAM_OUTPUT_BYTES : Limit.QUIC_OUTPUT_BYTES);
  if (!isOwn) streamsOf(stream).isRoomWanted = 1;
}

/** Bytes of the stream were freed. */
export function tellStreamRoom(stream: QuicStream): void {
  if (!hasStreamFlag(stream, StreamFlag.WANTS_ROOM)) return;
  const set = streamsOf(stream);
  if (sendBufferHeld(sendBufferOf(stream)) > enough(set.streamHeldMost) || set.heldBytes >= set.heldMost)
    return;
  clearStreamFlag(stream, StreamFlag.WANTS_ROOM);
  tell(stream, StreamEvent.WRITABLE);
}

/** Bytes of any stream were freed. */
export function tellRoom(set: QuicStreams): void {
  if (!set.isRoomWanted || set.heldBytes > enough(set.heldMost)) return;
  set.isRoomWanted = 0;
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    tellStreamRoom(changetype<QuicStream>(ptr));
  }
}
