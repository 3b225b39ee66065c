/**
 * How much the application may leave with a connection: bytes that wait to be sent or to be acknowledged are bounded for each
 * stream and for all together, so that a peer that reads slowly, or never acknowledges, holds no more than that.
 *
 * A stream that was refused bytes is told WRITABLE when half of what refused it has come free: not for every packet.
 */
import { Limit } from "../../abi/limit.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
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

/** Bytes that `streamSend` would take now, memory provided. */
export function sendRoom(stream: QuicStream): u32 {
  const set = streamsOf(stream);
  const most: u64 = limitU32(Limit.QUIC_STREAM_OUTPUT_BYTES);
  const held = sendBufferHeld(sendBufferOf(stream));
  if (held >= most || set.heldBytes >= set.heldMost) return 0;
  return <u32>min<u64>(min(most - held, set.heldMost - set.heldBytes), i32.MAX_VALUE);
}

/** The stream was refused bytes. */
export function noteRefused(stream: QuicStream): void {
  setStreamFlag(stream, StreamFlag.WANTS_ROOM);
  const isOwn = sendBufferHeld(sendBufferOf(stream)) >= <u64>limitU32(Limit.QUIC_STREAM_OUTPUT_BYTES);
  limitHit(isOwn ? Limit.QUIC_STREAM_OUTPUT_BYTES : Limit.QUIC_OUTPUT_BYTES);
  if (!isOwn) streamsOf(stream).isRoomWanted = 1;
}

/** Bytes of the stream were freed. */
export function tellStreamRoom(stream: QuicStream): void {
  if (!hasStreamFlag(stream, StreamFlag.WANTS_ROOM)) return;
  const set = streamsOf(stream);
  const half: u64 = limitU32(Limit.QUIC_STREAM_OUTPUT_BYTES) >> 1;
  if (sendBufferHeld(sendBufferOf(stream)) > half || set.heldBytes >= set.heldMost) return;
  clearStreamFlag(stream, StreamFlag.WANTS_ROOM);
  tell(stream, StreamEvent.WRITABLE);
}

/** Bytes of any stream were freed. */
export function tellRoom(set: QuicStreams): void {
  if (!set.isRoomWanted || set.heldBytes > set.heldMost >> 1) return;
  set.isRoomWanted = 0;
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    tellStreamRoom(changetype<QuicStream>(ptr));
  }
}
