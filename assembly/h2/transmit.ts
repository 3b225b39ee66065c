/**
 * Content on its way out: DATA frames, and the trailers behind them, within the windows of the peer. RFC 9113 §6.1, §6.9.
 *
 * The connection's output (session/output.ts) holds what must go first and in order: control frames and heads. Content waits
 * in the queues of its streams until `h2Poll` gathers it behind that output, stream by stream as schedule.ts says, so one poll
 * takes something of every stream that may send. Content that could go at once, because nobody waits before it, is framed
 * into the output without waiting in a queue.
 */
import { Counter } from "../abi/counter.ts";
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { byteQueueRead } from "../core/byte_queue.ts";
import { slabFree } from "../core/slab.ts";
import { hpackEncodeBlock } from "../hpack/encoder.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { emitExchangeEvent, hasEventRoom } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitU32 } from "../session/limits.ts";
import {
  outputCommit,
  outputDirectRoom,
  outputPending,
  outputPoll,
  outputReserve,
} from "../session/output.ts";
import { TRANSMIT_BYTES, transmitRegion } from "../session/regions.ts";
import { tunnelWritable } from "../session/tunnel.ts";
import { earnControl } from "./budget.ts";
import { h2Abort, h2TellClose } from "./closing.ts";
import { H2Connection, H2Flag } from "./connection.ts";
import { watchStall } from "./deadline_slots.ts";
import { FRAME_HEADER_BYTES, FRAME_SIZE_DEFAULT, FrameFlag, FrameType, writeFrameHeader } from "./frame.ts";
import { blockBegin, blockEnd } from "./header_block.ts";
import { messageSent } from "./message.ts";
import { scheduleFirst, scheduleRemove, scheduleRotate } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { StreamInput } from "./stream_state.ts";

/** Content of a frame: what every peer takes, so that streams take turns in small steps. */
const CONTENT_MAX: u32 = FRAME_SIZE_DEFAULT;
/** Content that joins an output which cannot leave at once: a small answer behind other small answers. */
const JOINED_BYTES_MAX: u32 = 16384;
const JOINED_OUTPUT_MAX: u32 = 65536;

/** Whether the last `sendNow` ended its message; the exchange may be gone then. */
export let isEndSent: bool = false;

/**
 * Frames content at once as far as the windows allow, if nobody waits before it. Answers how much; with `isEnd` and all of it,
 * the message is sent.
 */
export function sendNow(connection: H2Connection, stream: H2Stream, body: usize, len: u32, isEnd: bool): u32 {
  isEndSent = false;
  if (stream.output.length != 0 || (connection.readyMask != 0 && len != 0)) return 0;
  const credit = max<i64>(min(stream.sendWindow, connection.sendWindow), 0);
  let allowed = <u32>min<i64>(len, credit);
  const direct = outputDirectRoom(connection);
  const framesBytes = (allowed / CONTENT_MAX + 1) * FRAME_HEADER_BYTES;
  if (direct < allowed + framesBytes) {
    if (allowed > JOINED_BYTES_MAX || connection.output.length > JOINED_OUTPUT_MAX) return 0;
  }
  if (allowed == 0 && (len != 0 || !isEnd)) return 0;
  let at = body;
  let left = allowed;
  do {
    const n = min(left, CONTENT_MAX);
    left -= n;
    const isLast = isEnd && left == 0 && allowed == len;
    const dest = outputReserve(connection, connection.output, FRAME_HEADER_BYTES + n);
    const payload = writeFrameHeader(
      dest,
      n,
      FrameType.DATA,
      isLast ? FrameFlag.END_STREAM : 0,
      stream.streamId,
    );
    memory.copy(payload, at, n);
    if (!outputCommit(FRAME_HEADER_BYTES + n)) {
      // Nothing of this frame went out, and its queue is as full as the one of the stream.
      allowed -= n + left;
      break;
    }
    at += n;
    spend(connection, stream, n);
    if (isLast) {
      isEndSent = true;
      messageSent(connection, stream, StreamInput.SEND_DATA_END);
    }
  } while (left != 0);
  return allowed;
}

/** Content goes out: it uses up credit, and lets the peer answer. */
// @ts-ignore: decorator
@inline
export function spend(connection: H2Connection, stream: H2Stream, len: u32): void {
  stream.sendWindow -= len;
  connection.sendWindow -= len;
  stream.stallBytes += len;
  earnControl(connection);
}

/** Leaves what the connection has to send in the transmit region and answers its length. */
export function h2Poll(connection: H2Connection): u32 {
  let len = outputPoll(connection);
  if (connection.flags & ConnectionFlag.ABORTED) return len;
  if (connection.output.length == 0) {
    connection.queuedReplyCount = 0;
    if (connection.readyMask != 0) {
      const gathered = gather(connection, transmitRegion + len, TRANSMIT_BYTES - len);
      count(Counter.BYTES_SENT, gathered);
      len += gathered;
    }
  }
  if (connection.writableOwedCount != 0) tellWritable(connection);
  if ((connection.flags & ConnectionFlag.CLOSE_OWED) != 0 && outputPending(connection) == 0)
    h2TellClose(connection);
  return len;
}

/** Fills [dest, dest + room) with frames of the streams that are ready. */
function gather(connection: H2Connection, dest: usize, room: u32): u32 {
  const end = dest + room;
  let at = dest;
  while (connection.readyMask != 0) {
    const left = <u32>(end - at);
    if (left <= FRAME_HEADER_BYTES) break;
    const stream = changetype<H2Stream>(scheduleFirst(connection));
    const next =
      stream.output.length != 0 || stream.trailersOut == 0
        ? gatherContent(connection, stream, at, left - FRAME_HEADER_BYTES)
        : gatherTrailers(connection, stream, at, left);
    if (next == 0) break;
    at = next;
  }
  return <u32>(at - dest);
}

/** One DATA frame of a stream at `dest`, where `room` bytes are free for its content. Answers the address after it. */
function gatherContent(connection: H2Connection, stream: H2Stream, dest: usize, room: u32): usize {
  const queued = stream.output.length;
  const credit = max<i64>(min(stream.sendWindow, connection.sendWindow), 0);
  const len = <u32>min<i64>(min(min(queued, CONTENT_MAX), room), credit);
  if (len == 0 && queued != 0) {
    if (connection.sendWindow <= 0) connection.h2Flags |= H2Flag.WINDOW_CLOSED;
    scheduleRemove(connection, stream);
    watchStall(connection, stream);
    return dest;
  }
  const isEnd = stream.isEndQueued != 0 && len == queued && stream.trailersOut == 0;
  const payload = writeFrameHeader(
    dest,
    len,
    FrameType.DATA,
    isEnd ? FrameFlag.END_STREAM : 0,
    stream.streamId,
  );
  byteQueueRead(stream.output, payload, len);
  connection.queuedBytes -= len;
  spend(connection, stream, len);
  if (isEnd) {
    scheduleRemove(connection, stream);
    messageSent(connection, stream, StreamInput.SEND_DATA_END);
  } else if (len == queued) {
    stream.stalledSinceMs = 0;
    if (stream.trailersOut == 0) scheduleRemove(connection, stream);
  } else if (stream.sendWindow <= 0) {
    scheduleRemove(connection, stream);
    watchStall(connection, stream);
  } else {
    scheduleRotate(connection, stream);
  }
  return payload + len;
}

/** The trailers of a stream, whose content has all been sent. 0 when there is no room for them now. */
function gatherTrailers(connection: H2Connection, stream: H2Stream, dest: usize, room: u32): usize {
  const needed = stream.trailersRoom;
  if (room < needed) return 0;
  blockBegin(connection, dest, needed);
  hpackEncodeBlock(stream.trailersOut, stream.trailersOutLen);
  const len = blockEnd(FrameType.HEADERS, FrameFlag.END_STREAM, stream.streamId);
  slabFree(stream.trailersOut);
  stream.trailersOut = 0;
  scheduleRemove(connection, stream);
  if (len < 0) {
    // Room was computed for the worst case: this cannot be, and if it were, the peer's table would be wrong.
    h2Abort(connection, Status.MEMORY_FULL);
    return dest;
  }
  messageSent(connection, stream, StreamInput.SEND_HEADERS_END);
  return dest + len;
}

/** Content that may still be queued on a stream. */
export function queueRoom(connection: H2Connection, stream: H2Stream): u32 {
  const total = connection.queuedBytes + outputPending(connection);
  const most = limitU32(Limit.OUTPUT_BYTES);
  const streamMost = limitU32(Limit.STREAM_OUTPUT_BYTES);
  const streamRoom = stream.output.length < streamMost ? streamMost - stream.output.length : 0;
  return total < most ? min(most - total, streamRoom) : 0;
}

/** Tells the streams that wait for it, as far as there is room for half of what they may queue. */
function tellWritable(connection: H2Connection): void {
  if (connection.queuedBytes + outputPending(connection) > limitU32(Limit.OUTPUT_BYTES) / 2) return;
  const most = limitU32(Limit.STREAM_OUTPUT_BYTES) / 2;
  for (let ptr = connection.firstExchange; ptr != 0; ptr = changetype<Exchange>(ptr).next) {
    const stream = changetype<H2Stream>(ptr);
    if (!hasFlag(stream, ExchangeFlag.WRITABLE_OWED) || stream.output.length > most) continue;
    if (!hasEventRoom(connection.openExchangeCount)) return;
    stream.flags &= ~ExchangeFlag.WRITABLE_OWED;
    connection.writableOwedCount--;
    if (stream.tunnel != 0) tunnelWritable(stream);
    else emitExchangeEvent(EventKind.WRITABLE, EventFlag.NONE, stream, 0, 0);
  }
}
