/**
 * The application's side of streams: what it may do, and how it learns what happened. RFC 9000 §2.4.
 *
 * A stream is an address that stays valid until `streamRelease`. Who polls a stream with CLOSED releases it; who wants nothing
 * more of a stream resets it, asks the peer to stop, and may release it at once: what is still to be sent is sent.
 */
import { Limit } from "../../abi/limit.ts";
import { Status } from "../../abi/status.ts";
import { varintLength } from "../../core/writer.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { retireBlock } from "../../session/retired.ts";
import {
  datagramDetach,
  datagramDrop,
  datagramFirst,
  datagramFirstLength,
  datagramPush,
} from "./datagram_queue.ts";
import { flowConsume, flowCredit, flowTake, noteBlocked } from "./flow_control.ts";
import { readAll, resetSending } from "./part_end.ts";
import { receiveBufferClear, receiveBufferPeek, receiveBufferPeekLength } from "./receive_buffer.ts";
import { receiveFault, ReceiveInput, receiveNext, ReceiveState } from "./receive_state.ts";
import { scheduleAdd } from "./schedule.ts";
import { sendBufferAppend } from "./send_buffer.ts";
import { noteRefused, sendRoom } from "./send_room.ts";
import { sendFault, SendInput, StreamFault } from "./send_state.ts";
import {
  hasStreamFlag,
  isReceiving,
  owe,
  queueFin,
  QuicStream,
  readableEnd,
  receiveBufferOf,
  sendBufferOf,
  setStreamFlag,
  settleOwed,
  STREAM_ID_UNI,
  StreamEvent,
  StreamFlag,
  StreamOwed,
  streamsOf,
  untell,
} from "./stream.ts";
import { streamCheckDone, streamCreate } from "./stream_table.ts";
import { countsOf, eventfulOf, incomingOf, outgoingOf, QuicStreams, SetOwed } from "./streams.ts";

/**
 * The next stream with something to tell, or 0. What it is lies in `set.polledEvents` (StreamEvent). The stream is valid for as
 * long as the application has not released it.
 */
export function streamsPoll(set: QuicStreams): usize {
  const ptr = eventfulOf(set).head;
  if (ptr == 0) return 0;
  const stream = changetype<QuicStream>(ptr);
  if (stream.events & StreamEvent.RESET) {
    // RFC 9000 §3.2: the application has read the reset. This may add CLOSED.
    stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.READ_RESET);
    streamCheckDone(stream);
  }
  set.polledEvents = stream.events;
  untell(stream, 0xff);
  return ptr;
}

/** What happened to the set itself since it was asked last: SetNews. */
export function streamsTakeNews(set: QuicStreams): u32 {
  const news = set.news;
  set.news = 0;
  return news;
}

/** Opens a stream. 0 when the peer allows no more for now (told by SetNews when it does again) or the slab is full. */
export function streamOpen(set: QuicStreams, isUnidirectional: bool): usize {
  const counts = countsOf(set, isUnidirectional);
  if (counts.localOpened >= counts.localMost) {
    // RFC 9000 §4.6: says so, once for each limit.
    if (!counts.isWanted)
      set.owed |= isUnidirectional ? SetOwed.STREAMS_BLOCKED_UNI : SetOwed.STREAMS_BLOCKED_BIDI;
    counts.isWanted = 1;
    return 0;
  }
  const id = (counts.localOpened << 2) | (isUnidirectional ? STREAM_ID_UNI : 0) | set.isServer;
  const ptr = streamCreate(set, id);
  if (ptr != 0) counts.localOpened++;
  return ptr;
}

/**
 * Sends [ptr, ptr + len), and the end with it when `isFin` and all was taken. Answers how many bytes were taken, fewer when the
 * buffers are full (WRITABLE tells when there is room), or INVALID_STATE when the sending part has ended.
 */
export function streamSend(stream: QuicStream, ptr: usize, len: u32, isFin: bool): i32 {
  const state: u32 = stream.sendState;
  if (sendFault(state, SendInput.SEND_DATA) != StreamFault.NONE) return Status.INVALID_STATE;
  if (hasStreamFlag(stream, StreamFlag.FIN_QUEUED)) return Status.INVALID_STATE;
  const set = streamsOf(stream);
  const buffer = sendBufferOf(stream);
  const taken = sendBufferAppend(buffer, ptr, min(len, sendRoom(stream)));
  set.heldBytes += taken;
  if (taken < len) noteRefused(stream);
  else if (isFin) queueFin(stream);
  scheduleAdd(set, stream);
  noteBlocked(set, stream);
  return taken;
}

/**
 * Sends [ptr, ptr + len) whatever already waits: for what must not be cut, and is bounded by whoever writes it. False when the
 * memory is full, in which case a part may have been taken, or the sending part has ended.
 */
export function streamSendWhole(stream: QuicStream, ptr: usize, len: u32, isFin: bool): bool {
  if (sendFault(stream.sendState, SendInput.SEND_DATA) != StreamFault.NONE) return false;
  if (hasStreamFlag(stream, StreamFlag.FIN_QUEUED)) return false;
  const set = streamsOf(stream);
  const taken = sendBufferAppend(sendBufferOf(stream), ptr, len);
  set.heldBytes += taken;
  if (isFin && taken == len) queueFin(stream);
  scheduleAdd(set, stream);
  noteBlocked(set, stream);
  return taken == len;
}

/** Bytes that lie in one piece at the front; 0 when there is nothing to read now. */
export function streamPeekLength(stream: QuicStream): u32 {
  const set = streamsOf(stream);
  if (set.directStream == changetype<usize>(stream)) return set.directLen;
  return receiveBufferPeekLength(receiveBufferOf(stream));
}

/** Their address. Valid until bytes are consumed, or the set is told anything else. */
export function streamPeek(stream: QuicStream): usize {
  const set = streamsOf(stream);
  if (set.directStream == changetype<usize>(stream)) return set.directPtr;
  return receiveBufferPeek(receiveBufferOf(stream));
}

/** The application has taken `len` of the bytes it peeked, and the peer gets credit for as many. */
export function streamConsume(stream: QuicStream, len: u32): i32 {
  if (len == 0) return Status.OK;
  if (len > streamPeekLength(stream)) return Status.INVALID_ARGUMENT;
  passDirect(stream, len);
  flowConsume(streamsOf(stream), stream, receiveBufferOf(stream).readOffset + len);
  readAll(stream);
  return Status.OK;
}

/**
 * The application takes `len` of the bytes it peeked, as above, but the peer gets credit only by `streamCredit`: for content that is
 * handed on to somebody who may be slow. The bytes stay readable until the host's next call (session/retired.ts).
 */
export function streamTake(stream: QuicStream, len: u32): i32 {
  if (len == 0) return Status.OK;
  if (len > streamPeekLength(stream)) return Status.INVALID_ARGUMENT;
  passDirect(stream, len);
  flowTake(stream, len);
  readAll(stream);
  return Status.OK;
}

/** Gives the peer credit for `len` bytes that were taken. INVALID_ARGUMENT when that is more than are withheld. */
export function streamCredit(stream: QuicStream, len: u32): i32 {
  if (len > stream.withheldBytes) return Status.INVALID_ARGUMENT;
  flowCredit(streamsOf(stream), stream, len);
  return Status.OK;
}

/** Whether everything up to the peer's FIN was consumed. */
export function streamIsAtEnd(stream: QuicStream): bool {
  return stream.receiveState == ReceiveState.DATA_READ;
}

/** Bytes that can be read now, in however many pieces. */
export function streamReadable(stream: QuicStream): u64 {
  return readableEnd(stream) - receiveBufferOf(stream).readOffset;
}

/** Ends the sending part at once, RESET_STREAM with `code`. INVALID_STATE when it has ended already. */
export function streamReset(stream: QuicStream, code: u64): i32 {
  if (sendFault(stream.sendState, SendInput.SEND_RESET) != StreamFault.NONE) return Status.INVALID_STATE;
  resetSending(streamsOf(stream), stream, code);
  return Status.OK;
}

/** Wants nothing more of what the peer sends: STOP_SENDING with `code`, and what comes is dropped. */
export function streamStopSending(stream: QuicStream, code: u64): i32 {
  if (hasStreamFlag(stream, StreamFlag.STOPPED)) return Status.INVALID_STATE;
  if (receiveFault(stream.receiveState, ReceiveInput.SEND_STOP_SENDING) != StreamFault.NONE) {
    if (stream.receiveState != ReceiveState.DATA_RECVD) return Status.INVALID_STATE;
    // Everything has come already: only dropped.
    discard(stream);
    return Status.OK;
  }
  setStreamFlag(stream, StreamFlag.STOPPED);
  stream.stopCode = code;
  settleOwed(stream, StreamOwed.MAX_STREAM_DATA);
  owe(stream, StreamOwed.STOP_SENDING);
  discard(stream);
  return Status.OK;
}

/** The application forgets the stream: its address is not valid any more. What was sent still goes out. */
export function streamRelease(stream: QuicStream): void {
  flowCredit(streamsOf(stream), stream, stream.withheldBytes);
  if (stream.receiveState == ReceiveState.RESET_RECVD) {
    stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.READ_RESET);
  } else if (isReceiving(stream) || stream.receiveState == ReceiveState.DATA_RECVD) {
    discard(stream);
  }
  untell(stream, 0xff);
  setStreamFlag(stream, StreamFlag.RELEASED);
  streamCheckDone(stream);
}

/** Sends a datagram. WOULD_BLOCK when the queue is full, INVALID_ARGUMENT when the peer takes none, or none so large. */
export function datagramSend(set: QuicStreams, ptr: usize, len: u32): i32 {
  // RFC 9221 §3: the peer's limit counts type and length.
  if (<u64>len + datagramOverhead(len) > set.datagramMost) return Status.INVALID_ARGUMENT;
  const most = limitU32(Limit.QUIC_DATAGRAM_COUNT);
  if (datagramPush(outgoingOf(set), ptr, len, most, limitU32(Limit.QUIC_DATAGRAM_BYTES))) return Status.OK;
  limitHit(Limit.QUIC_DATAGRAM_COUNT);
  return Status.WOULD_BLOCK;
}

/** Length of the datagram that arrived first and was not dropped yet, or -1 when there is none. */
export function datagramPeekLength(set: QuicStreams): i32 {
  const queue = incomingOf(set);
  return queue.count != 0 ? <i32>datagramFirstLength(queue) : -1;
}

/** Its address, valid until it is consumed. Only where there is one. */
export function datagramPeek(set: QuicStreams): usize {
  return datagramFirst(incomingOf(set));
}

export function datagramConsume(set: QuicStreams): void {
  if (incomingOf(set).count != 0) datagramDrop(incomingOf(set));
}

/** Consumes it, and leaves its bytes where they are until the host's next call (session/retired.ts). */
export function datagramTake(set: QuicStreams): void {
  retireBlock(datagramDetach(incomingOf(set)));
}

/** Type and length field of a DATAGRAM frame. */
export function datagramOverhead(len: u32): u32 {
  return 1 + varintLength(len);
}

/** What lies in the packet's own memory is read as far as `len`. */
function passDirect(stream: QuicStream, len: u32): void {
  const set = streamsOf(stream);
  if (set.directStream != changetype<usize>(stream)) return;
  set.directPtr += len;
  set.directLen -= len;
  if (set.directLen == 0) set.directStream = 0;
}

/** What arrived and what will is dropped, with credit to the connection. */
function discard(stream: QuicStream): void {
  const set = streamsOf(stream);
  setStreamFlag(stream, StreamFlag.DISCARD);
  untell(stream, StreamEvent.READABLE);
  if (set.directStream == changetype<usize>(stream)) set.directStream = 0;
  receiveBufferClear(receiveBufferOf(stream));
  flowCredit(set, stream, stream.withheldBytes);
  flowConsume(set, stream, stream.receiveEnd);
  if (stream.receiveState == ReceiveState.SIZE_KNOWN) {
    stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.RECEIVE_ALL);
  }
  readAll(stream);
}
