/**
 * What each frame about streams means that arrives: RFC 9000 §19.4, §19.5, §19.8 to §19.14, and DATAGRAM, RFC 9221 §4.
 *
 * Every function answers OK, or the connection's error as a status. All of them may be called again with the same frame, so a
 * packet that was answered with MEMORY_FULL may be dropped as if it had never arrived.
 *
 * Content that arrives in order, while nothing is kept, is not copied: it waits in the packet's memory for the application,
 * which reads it there (streamPeek). Only one piece can wait so: the next STREAM frame, or `streamsSettle`, keeps a copy of
 * what was not consumed until then.
 */
import { Limit } from "../../abi/limit.ts";
import { Status } from "../../abi/status.ts";
import { VARINT_MAX } from "../../core/writer.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { datagramPush } from "./datagram_queue.ts";
import {
  flowConnectionLimit,
  flowConsume,
  flowCredit,
  flowReceive,
  flowStreamLimit,
  scheduleAll,
} from "./flow_control.ts";
import { readAll, resetSending } from "./part_end.ts";
import { receiveBufferClear, receiveBufferInsert, receiveBufferReadable } from "./receive_buffer.ts";
import { receiveFault, ReceiveInput, receiveNext } from "./receive_state.ts";
import { sendFault, SendInput, StreamFault } from "./send_state.ts";
import {
  hasStreamFlag,
  QuicStream,
  readableEnd,
  receiveBufferOf,
  settleOwed,
  SIZE_UNKNOWN,
  STREAM_COUNT_MAX,
  StreamEvent,
  StreamFlag,
  StreamOwed,
  tell,
  untell,
} from "./stream.ts";
import { streamCheckDone, streamReach } from "./stream_table.ts";
import { countsOf, incomingOf, QuicStreams, SetNews, SetOwed } from "./streams.ts";

/** STREAM, §19.8: [ptr, ptr + len) at `offset`, valid until `streamsSettle`. */
export function streamsOnStream(
  set: QuicStreams,
  id: u64,
  offset: u64,
  ptr: usize,
  len: u32,
  isFin: bool,
): i32 {
  const reached = streamReach(set, id, false);
  if (reached != Status.OK || set.found == 0) return reached;
  const stream = changetype<QuicStream>(set.found);
  // §19.8: the largest offset of a stream is 2^62 - 1.
  if (offset > VARINT_MAX || len > VARINT_MAX - offset) return Status.QUIC_STREAM_OFFSET;
  const end = offset + len;
  // §4.5: the final size, once known, neither changes nor is passed.
  if (stream.finalSize != SIZE_UNKNOWN) {
    if (end > stream.finalSize || (isFin && end != stream.finalSize)) return Status.QUIC_FINAL_SIZE;
  } else if (isFin && end < stream.receiveEnd) {
    return Status.QUIC_FINAL_SIZE;
  }
  const input = isFin ? ReceiveInput.RECEIVE_FIN : ReceiveInput.RECEIVE_DATA;
  if (receiveFault(stream.receiveState, input) != StreamFault.NONE) return Status.OK;
  const flow = flowReceive(set, stream, end);
  if (flow != Status.OK) return flow;
  stream.receiveState = receiveNext(stream.receiveState, input);
  if (isFin) noteFinalSize(stream, end);
  const kept = keep(set, stream, offset, ptr, len);
  if (kept != Status.OK) return kept;
  checkReadable(stream);
  return Status.OK;
}

/** RESET_STREAM, §19.4. */
export function streamsOnResetStream(set: QuicStreams, id: u64, code: u64, finalSize: u64): i32 {
  const reached = streamReach(set, id, false);
  if (reached != Status.OK || set.found == 0) return reached;
  const stream = changetype<QuicStream>(set.found);
  if (stream.finalSize != SIZE_UNKNOWN && stream.finalSize != finalSize) return Status.QUIC_FINAL_SIZE;
  if (finalSize < stream.receiveEnd) return Status.QUIC_FINAL_SIZE;
  if (receiveFault(stream.receiveState, ReceiveInput.RECEIVE_RESET) != StreamFault.NONE) return Status.OK;
  // §4.5: the final size counts at both levels, though its bytes never come.
  const flow = flowReceive(set, stream, finalSize);
  if (flow != Status.OK) return flow;
  stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.RECEIVE_RESET);
  stream.peerResetCode = code;
  noteFinalSize(stream, finalSize);
  if (set.directStream == changetype<usize>(stream)) set.directStream = 0;
  receiveBufferClear(receiveBufferOf(stream));
  flowCredit(set, stream, stream.withheldBytes);
  flowConsume(set, stream, finalSize);
  settleOwed(stream, StreamOwed.STOP_SENDING);
  untell(stream, StreamEvent.READABLE);
  if (!hasStreamFlag(stream, StreamFlag.RELEASED)) {
    tell(stream, StreamEvent.RESET);
  } else {
    stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.READ_RESET);
    streamCheckDone(stream);
  }
  return Status.OK;
}

/** STOP_SENDING, §19.5. */
export function streamsOnStopSending(set: QuicStreams, id: u64, code: u64): i32 {
  const reached = streamReach(set, id, true);
  if (reached != Status.OK || set.found == 0) return reached;
  const stream = changetype<QuicStream>(set.found);
  if (sendFault(stream.sendState, SendInput.RECEIVE_STOP_SENDING) != StreamFault.NONE) return Status.OK;
  stream.peerStopCode = code;
  tell(stream, StreamEvent.STOPPED);
  // §3.5: it is answered with RESET_STREAM, and the peer's code should be copied.
  resetSending(set, stream, code);
  return Status.OK;
}

/** MAX_DATA, §19.9. */
export function streamsOnMaxData(set: QuicStreams, most: u64): void {
  flowConnectionLimit(set, most);
}

/** MAX_STREAM_DATA, §19.10. */
export function streamsOnMaxStreamData(set: QuicStreams, id: u64, most: u64): i32 {
  const reached = streamReach(set, id, true);
  if (reached != Status.OK || set.found == 0) return reached;
  const stream = changetype<QuicStream>(set.found);
  if (sendFault(stream.sendState, SendInput.RECEIVE_MAX_STREAM_DATA) != StreamFault.NONE) return Status.OK;
  flowStreamLimit(set, stream, most);
  return Status.OK;
}

/** MAX_STREAMS, §19.11. */
export function streamsOnMaxStreams(set: QuicStreams, isUnidirectional: bool, most: u64): i32 {
  if (most > STREAM_COUNT_MAX) return Status.QUIC_STREAM_COUNT;
  const counts = countsOf(set, isUnidirectional);
  if (most <= counts.localMost) return Status.OK;
  const wasShort = counts.localOpened > counts.localMost;
  counts.localMost = most;
  set.owed &= ~(isUnidirectional ? SetOwed.STREAMS_BLOCKED_UNI : SetOwed.STREAMS_BLOCKED_BIDI);
  if (counts.isWanted) {
    counts.isWanted = 0;
    set.news |= isUnidirectional ? SetNews.OPENABLE_UNI : SetNews.OPENABLE_BIDI;
  }
  if (wasShort) scheduleAll(set);
  return Status.OK;
}

/** DATA_BLOCKED and STREAM_DATA_BLOCKED, §19.12 and §19.13: nothing to do but to look whether the stream may be. */
export function streamsOnStreamDataBlocked(set: QuicStreams, id: u64): i32 {
  return streamReach(set, id, false);
}

/** STREAMS_BLOCKED, §19.14: nothing to do. */
export function streamsOnStreamsBlocked(most: u64): i32 {
  return most > STREAM_COUNT_MAX ? Status.QUIC_STREAM_COUNT : Status.OK;
}

/** DATAGRAM, RFC 9221 §3: not allowed, or larger than allowed, is PROTOCOL_VIOLATION. `frameLen` counts type and length. */
export function streamsOnDatagram(set: QuicStreams, ptr: usize, len: u32, frameLen: u32): i32 {
  if (<u64>frameLen > set.datagramAllowed) return Status.QUIC_DATAGRAM;
  const most = limitU32(Limit.QUIC_DATAGRAM_COUNT);
  if (datagramPush(incomingOf(set), ptr, len, most, limitU32(Limit.QUIC_DATAGRAM_BYTES))) {
    set.news |= SetNews.DATAGRAMS;
  } else {
    limitHit(Limit.QUIC_DATAGRAM_COUNT);
  }
  return Status.OK;
}

/** Whether all that a stream will ever bring lies in the packet, none of it read. */
export function isWholeInPacket(set: QuicStreams): bool {
  return set.directStream != 0 && changetype<QuicStream>(set.directStream).finalSize == set.directLen;
}

/** The packet's memory is about to be used again: keeps a copy of the piece that waits there. OK, or a status as above. */
export function streamsSettle(set: QuicStreams): i32 {
  const ptr = set.directStream;
  if (ptr == 0) return Status.OK;
  set.directStream = 0;
  const buffer = receiveBufferOf(changetype<QuicStream>(ptr));
  return insert(changetype<QuicStream>(ptr), buffer.readOffset, set.directPtr, set.directLen);
}

function keep(set: QuicStreams, stream: QuicStream, offset: u64, ptr: usize, len: u32): i32 {
  if (hasStreamFlag(stream, StreamFlag.DISCARD)) {
    flowConsume(set, stream, stream.receiveEnd);
    return Status.OK;
  }
  const settled = streamsSettle(set);
  if (settled != Status.OK) return settled;
  const buffer = receiveBufferOf(stream);
  const start = buffer.readOffset;
  const end = offset + len;
  if (end <= start) return Status.OK;
  if (offset > start || receiveBufferReadable(buffer) != start) return insert(stream, offset, ptr, len);
  set.directStream = changetype<usize>(stream);
  set.directPtr = ptr + <usize>(start - offset);
  set.directLen = <u32>(end - start);
  return Status.OK;
}

function insert(stream: QuicStream, offset: u64, ptr: usize, len: u32): i32 {
  const most = limitU32(Limit.QUIC_STREAM_GAP_COUNT);
  const status = receiveBufferInsert(receiveBufferOf(stream), offset, ptr, len, most);
  if (status == Status.QUIC_STREAM_FRAGMENTS) limitHit(Limit.QUIC_STREAM_GAP_COUNT);
  return status;
}

function noteFinalSize(stream: QuicStream, size: u64): void {
  stream.finalSize = size;
  // §4.2, §3.2: credit for what cannot come is of no use.
  settleOwed(stream, StreamOwed.MAX_STREAM_DATA);
}

/** Something arrived in order, or the end did: tells the application, and moves the receiving part on. */
function checkReadable(stream: QuicStream): void {
  const end = readableEnd(stream);
  const isAll = end == stream.finalSize;
  if (isAll) stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.RECEIVE_ALL);
  if (hasStreamFlag(stream, StreamFlag.DISCARD)) {
    if (isAll) readAll(stream);
    return;
  }
  if (end == receiveBufferOf(stream).readOffset && !isAll) return;
  tell(stream, StreamEvent.READABLE);
  readAll(stream);
}
