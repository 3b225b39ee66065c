/**
 * Flow control, RFC 9000 §4, of streams and of the connection, both directions.
 *
 * Receiving: what arrives counts by its highest offset. Credit comes back as the application consumes, in one frame when half of
 * the window is used up, so that content nobody reads stops the peer at both levels. A window doubles while half of it is
 * used up within two round trips, which is when the window and not the path limits the peer; it never shrinks. Where round trips
 * are shorter than the turns of the programs at both ends, the turns count: who only receives has few samples, and they show none.
 *
 * Sending: `sendLimit` is how far a stream may send now. What was sent before and lost needs no credit again.
 *
 * Invariants: receiveEnd ≤ receiveMost of every stream and receiveTotal ≤ receiveMost of the set; the same for sending,
 * sentMost ≤ sendMost and sendTotal ≤ sendMost, unless 0-RTT remembered more than the peer allows now.
 */
import { Limit } from "../../abi/limit.ts";
import { Status } from "../../abi/status.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { receiveBufferAdvance } from "./receive_buffer.ts";
import { ReceiveState } from "./receive_state.ts";
import { scheduleAdd } from "./schedule.ts";
import {
  clearStreamFlag,
  hasStreamFlag,
  owe,
  QuicStream,
  receiveBufferOf,
  sendBufferOf,
  sendLimit,
  setStreamFlag,
  settleOwed,
  StreamFlag,
  StreamOwed,
} from "./stream.ts";
import { streamNext } from "./stream_table.ts";
import { QuicStreams, SetOwed } from "./streams.ts";

/** What the turns of two busy event loops take. */
const TURNS_MS: f64 = 10;

/** Data up to `end` arrived. RFC 9000 §4.1: FLOW_CONTROL_ERROR where that is more than was allowed. */
export function flowReceive(set: QuicStreams, stream: QuicStream, end: u64): i32 {
  if (end <= stream.receiveEnd) return Status.OK;
  const added = end - stream.receiveEnd;
  if (end > stream.receiveMost) {
    limitHit(Limit.QUIC_STREAM_WINDOW_BYTES);
    return Status.QUIC_FLOW_CONTROL;
  }
  if (added > set.receiveMost - set.receiveTotal) {
    limitHit(Limit.QUIC_CONNECTION_WINDOW_BYTES);
    return Status.QUIC_FLOW_CONTROL;
  }
  stream.receiveEnd = end;
  set.receiveTotal += added;
  return Status.OK;
}

/** Everything below `offset` is consumed or dropped: gives the credit back. */
export function flowConsume(set: QuicStreams, stream: QuicStream, offset: u64): void {
  const buffer = receiveBufferOf(stream);
  if (offset <= buffer.readOffset) return;
  set.consumedTotal += offset - buffer.readOffset;
  receiveBufferAdvance(buffer, offset);
  creditStream(set, stream);
  creditConnection(set);
}

/** The next `len` bytes are read, and their credit is kept back until `flowCredit`. */
export function flowTake(stream: QuicStream, len: u32): void {
  const buffer = receiveBufferOf(stream);
  stream.withheldBytes += len;
  receiveBufferAdvance(buffer, buffer.readOffset + len);
}

/** Gives credit for `len` bytes that were taken: no more than are withheld. */
export function flowCredit(set: QuicStreams, stream: QuicStream, len: u32): void {
  if (len == 0) return;
  stream.withheldBytes -= len;
  set.consumedTotal += len;
  creditStream(set, stream);
  creditConnection(set);
}

/** The peer allows the stream more. RFC 9000 §4.1: a limit never shrinks. */
export function flowStreamLimit(set: QuicStreams, stream: QuicStream, most: u64): void {
  if (most <= stream.sendMost) return;
  stream.sendMost = most;
  clearStreamFlag(stream, StreamFlag.BLOCKED_TOLD);
  settleOwed(stream, StreamOwed.STREAM_DATA_BLOCKED);
  scheduleAdd(set, stream);
  // It may be the connection's limit that holds it up now.
  noteBlocked(set, stream);
}

/** The peer allows the connection more. */
export function flowConnectionLimit(set: QuicStreams, most: u64): void {
  if (most <= set.sendMost) return;
  set.sendMost = most;
  set.owed &= ~SetOwed.DATA_BLOCKED;
  if (!set.isBlocked) return;
  set.isBlocked = 0;
  scheduleAll(set);
}

/** Puts every stream that may send into its circle. */
export function scheduleAll(set: QuicStreams): void {
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    scheduleAdd(set, changetype<QuicStream>(ptr));
  }
}

/** RFC 9000 §4.1: a sender that is held up by a limit says so, once for each limit. */
export function noteBlocked(set: QuicStreams, stream: QuicStream): void {
  const buffer = sendBufferOf(stream);
  if (buffer.sentMost == buffer.end || buffer.sentMost < sendLimit(set, stream)) return;
  if (buffer.sentMost >= stream.sendMost) {
    if (hasStreamFlag(stream, StreamFlag.BLOCKED_TOLD)) return;
    setStreamFlag(stream, StreamFlag.BLOCKED_TOLD);
    owe(stream, StreamOwed.STREAM_DATA_BLOCKED);
  } else if (!set.isBlocked) {
    set.isBlocked = 1;
    set.owed |= SetOwed.DATA_BLOCKED;
  }
}

function creditStream(set: QuicStreams, stream: QuicStream): void {
  // RFC 9000 §4.2: no credit once the size is known. Nor for a stream that was asked to stop (§3.5).
  if (stream.receiveState != ReceiveState.RECV || hasStreamFlag(stream, StreamFlag.STOPPED)) return;
  if (stream.owed & StreamOwed.MAX_STREAM_DATA) return;
  const consumed = receiveBufferOf(stream).readOffset - stream.withheldBytes;
  if (stream.receiveMost - consumed > <u64>(stream.receiveWindow >> 1)) return;
  const most = limitU32(Limit.QUIC_STREAM_WINDOW_MOST_BYTES);
  const used = consumed - stream.epochOffset;
  stream.receiveWindow = grown(set, stream.receiveWindow, most, used, stream.epochMs);
  stream.epochMs = set.nowMs;
  stream.epochOffset = consumed;
  // The connection's window stays half as large again, so that one stream cannot use it all up.
  const connectionMost = limitU32(Limit.QUIC_CONNECTION_WINDOW_MOST_BYTES);
  const wanted = min(stream.receiveWindow + (stream.receiveWindow >> 1), connectionMost);
  if (set.receiveWindow < wanted) set.receiveWindow = wanted;
  owe(stream, StreamOwed.MAX_STREAM_DATA);
}

function creditConnection(set: QuicStreams): void {
  if (set.receiveMost - set.consumedTotal > <u64>(set.receiveWindow >> 1)) return;
  if (set.owed & SetOwed.MAX_DATA) return;
  const most = limitU32(Limit.QUIC_CONNECTION_WINDOW_MOST_BYTES);
  const used = set.consumedTotal - set.epochOffset;
  set.receiveWindow = grown(set, set.receiveWindow, most, used, set.epochMs);
  set.epochMs = set.nowMs;
  set.epochOffset = set.consumedTotal;
  set.owed |= SetOwed.MAX_DATA;
}

/** The window for the next epoch, when `used` bytes of it were consumed since `sinceMs`. */
function grown(set: QuicStreams, window: u32, most: u32, used: u64, sinceMs: f64): u32 {
  if (window >= most || set.rttMs <= 0 || used == 0) return window;
  // A whole window in four round trips, half of one in two.
  const elapsedMs = set.nowMs - sinceMs;
  if (elapsedMs * <f64>window >= 4 * max(set.rttMs, TURNS_MS) * <f64>used) return window;
  return <u32>min<u64>((<u64>window) << 1, most);
}
