/**
 * What becomes of frames that were sent: RFC 9000 §13.3.
 *
 * Content that was lost is sent again. A control frame that was lost is owed again, with what is then true, unless a newer one
 * was sent or nobody needs it any more. A frame of a stream that is gone means nothing.
 */
import { SentFlag, SentFrame } from "../wire/sent_frame.ts";
import { FrameKind } from "./frame_kind.ts";
import { ReceiveState } from "./receive_state.ts";
import { scheduleAdd } from "./schedule.ts";
import { sendBufferAcked, sendBufferLost, sendBufferRewind } from "./send_buffer.ts";
import { tellRoom, tellStreamRoom } from "./send_room.ts";
import { SendInput, sendFault, sendNext, SendState, StreamFault } from "./send_state.ts";
import {
  clearStreamFlag,
  hasStreamFlag,
  isReceiving,
  owe,
  QuicStream,
  sendBufferOf,
  setStreamFlag,
  StreamEvent,
  StreamFlag,
  streamHeld,
  StreamOwed,
  tell,
} from "./stream.ts";
import { streamCheckDone, streamFind, streamNext } from "./stream_table.ts";
import { countsOf, QuicStreams, SetOwed } from "./streams.ts";

/** The peer has the frame. Kinds that are not of streams mean nothing here. */
export function streamsOnFrameAcked(set: QuicStreams, frame: SentFrame): void {
  const kind: u32 = frame.kind;
  if (kind != FrameKind.STREAM && kind != FrameKind.RESET_STREAM) return;
  const ptr = streamFind(set, frame.streamId);
  if (ptr == 0) return;
  const stream = changetype<QuicStream>(ptr);
  if (kind == FrameKind.RESET_STREAM) return endSending(stream, SendInput.ACK_RESET);
  const buffer = sendBufferOf(stream);
  const held = streamHeld(stream);
  sendBufferAcked(buffer, frame.offset, frame.length);
  if (frame.flags & SentFlag.FIN) setStreamFlag(stream, StreamFlag.FIN_ACKED);
  const left = streamHeld(stream);
  set.heldBytes -= held - left;
  if (left == 0 && hasStreamFlag(stream, StreamFlag.FIN_ACKED)) return endSending(stream, SendInput.ACK_ALL);
  if (left == held) return;
  if (hasStreamFlag(stream, StreamFlag.FIN_HELD)) scheduleAdd(set, stream);
  tellStreamRoom(stream);
  tellRoom(set);
}

/** The frame was lost with its packet. */
export function streamsOnFrameLost(set: QuicStreams, frame: SentFrame): void {
  const value = frame.offset;
  switch (<u32>frame.kind) {
    case FrameKind.MAX_DATA:
      if (value == set.receiveMost) set.owed |= SetOwed.MAX_DATA;
      return;
    case FrameKind.MAX_STREAMS_BIDI:
      if (value == countsOf(set, false).remoteMost) set.owed |= SetOwed.MAX_STREAMS_BIDI;
      return;
    case FrameKind.MAX_STREAMS_UNI:
      if (value == countsOf(set, true).remoteMost) set.owed |= SetOwed.MAX_STREAMS_UNI;
      return;
    case FrameKind.DATA_BLOCKED:
      if (value == set.sendMost && set.isBlocked) set.owed |= SetOwed.DATA_BLOCKED;
      return;
    case FrameKind.STREAMS_BLOCKED_BIDI:
      if (value == countsOf(set, false).localMost) set.owed |= SetOwed.STREAMS_BLOCKED_BIDI;
      return;
    case FrameKind.STREAMS_BLOCKED_UNI:
      if (value == countsOf(set, true).localMost) set.owed |= SetOwed.STREAMS_BLOCKED_UNI;
      return;
  }
  const ptr = streamFind(set, frame.streamId);
  if (ptr != 0) streamFrameLost(set, changetype<QuicStream>(ptr), frame);
}

/**
 * The peer refused 0-RTT: it has seen none of what was sent in it (RFC 9001 §4.6.2), and forgotten what its remembered
 * limits allowed. Everything is sent again once `streamsSetRemoteLimits` has told the new ones. Packets sent in 0-RTT must be
 * forgotten, not reported here.
 */
export function streamsRejectEarlyData(set: QuicStreams): void {
  set.sendTotal = 0;
  set.sendMost = 0;
  set.isBlocked = 0;
  countsOf(set, false).localMost = 0;
  countsOf(set, true).localMost = 0;
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    const stream = changetype<QuicStream>(ptr);
    stream.sendMost = 0;
    const state: u32 = stream.sendState;
    if (state == SendState.RESET_SENT) owe(stream, StreamOwed.RESET_STREAM);
    if (hasStreamFlag(stream, StreamFlag.STOPPED) && isReceiving(stream))
      owe(stream, StreamOwed.STOP_SENDING);
    clearStreamFlag(stream, StreamFlag.FIN_SENT);
    clearStreamFlag(stream, StreamFlag.BLOCKED_TOLD);
    sendBufferRewind(sendBufferOf(stream));
    // The final size of a stream that was reset.
    set.sendTotal += sendBufferOf(stream).sentMost;
    if (state == SendState.DATA_SENT) stream.sendState = <u8>SendState.SEND;
  }
}

function streamFrameLost(set: QuicStreams, stream: QuicStream, frame: SentFrame): void {
  switch (<u32>frame.kind) {
    case FrameKind.STREAM:
      if (stream.sendState > <u8>SendState.DATA_SENT) return;
      sendBufferLost(sendBufferOf(stream), frame.offset, frame.length);
      if (frame.flags & SentFlag.FIN && !hasStreamFlag(stream, StreamFlag.FIN_ACKED)) {
        clearStreamFlag(stream, StreamFlag.FIN_SENT);
      }
      scheduleAdd(set, stream);
      return;
    case FrameKind.RESET_STREAM:
      if (stream.sendState == SendState.RESET_SENT) owe(stream, StreamOwed.RESET_STREAM);
      return;
    case FrameKind.STOP_SENDING:
      if (isReceiving(stream)) owe(stream, StreamOwed.STOP_SENDING);
      return;
    case FrameKind.MAX_STREAM_DATA:
      if (stream.receiveState != ReceiveState.RECV || hasStreamFlag(stream, StreamFlag.STOPPED)) return;
      if (frame.offset == stream.receiveMost) owe(stream, StreamOwed.MAX_STREAM_DATA);
      return;
    case FrameKind.STREAM_DATA_BLOCKED:
      if (frame.offset == stream.sendMost && hasStreamFlag(stream, StreamFlag.BLOCKED_TOLD)) {
        if (stream.sendState <= <u8>SendState.SEND) owe(stream, StreamOwed.STREAM_DATA_BLOCKED);
      }
      return;
  }
}

/** The peer has all of the sending part, or its reset. */
function endSending(stream: QuicStream, input: SendInput): void {
  if (sendFault(stream.sendState, input) != StreamFault.NONE) return;
  stream.sendState = sendNext(stream.sendState, input);
  tell(stream, StreamEvent.SENT);
  streamCheckDone(stream);
}
