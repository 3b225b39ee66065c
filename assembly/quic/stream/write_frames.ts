/**
 * Frames on their way out: what is owed first, then datagrams, then content by the schedule, as much as one packet holds.
 *
 * Each frame is told to the packet's list; one whose record finds no room is not written. Control frames say what is true when
 * they are written, so one that waited long is not stale. RFC 9000 §13.3 says what becomes of them (sent_outcome.ts).
 *
 * STREAM frames always carry their length, so that anything may follow them in the packet.
 */
import {
  varintLength,
  writeBytes,
  Writer,
  writerRoom,
  writeSpan,
  writeU8,
  writeVarint,
} from "../../core/writer.ts";
import { SentFlag, sentFrameAdd, SentFrameList, sentFrameRoom } from "../wire/sent_frame.ts";
import { datagramDrop, datagramFirst, datagramFirstLength } from "./datagram_queue.ts";
import { noteBlocked } from "./flow_control.ts";
import { FrameKind, StreamBit } from "./frame_kind.ts";
import { canSend, scheduleFirst, scheduleRemove, scheduleRotate } from "./schedule.ts";
import { sendBufferNext, sendBufferNextLength, sendBufferSend } from "./send_buffer.ts";
import { SendInput, sendNext } from "./send_state.ts";
import {
  isFinDue,
  QuicStream,
  receiveBufferOf,
  sendBufferOf,
  sendLimit,
  setStreamFlag,
  settleOwed,
  StreamFlag,
  StreamOwed,
} from "./stream.ts";
import { countsOf, outgoingOf, owingOf, QuicStreams, SetOwed } from "./streams.ts";

/** Content below which a frame is not begun in what is left of a packet, unless it is all there is. */
const LEAST_CONTENT: u32 = 32;

/** Whether there is anything to write. */
export function streamsHasFrames(set: QuicStreams): bool {
  return set.owed != 0 || owingOf(set).head != 0 || set.readyMask != 0 || outgoingOf(set).count != 0;
}

/** Writes what fits into `writer`, and a record of each frame into `list`. Answers how many frames it wrote. */
export function streamsWriteFrames(set: QuicStreams, writer: Writer, list: SentFrameList): u32 {
  const before = list.count;
  if (!writeSetFrames(set, writer, list) || !writeOwedFrames(set, writer, list)) return list.count - before;
  writeDatagrams(set, writer, list);
  writeContent(set, writer, list);
  return list.count - before;
}

function writeSetFrames(set: QuicStreams, writer: Writer, list: SentFrameList): bool {
  while (set.owed != 0) {
    const owed: u32 = set.owed & -set.owed;
    const bidi = countsOf(set, false);
    const uni = countsOf(set, true);
    let value = set.sendMost;
    let kind: u32 = FrameKind.DATA_BLOCKED;
    if (owed == SetOwed.MAX_DATA) {
      kind = FrameKind.MAX_DATA;
      value = set.consumedTotal + set.receiveWindow;
    } else if (owed == SetOwed.MAX_STREAMS_BIDI) {
      kind = FrameKind.MAX_STREAMS_BIDI;
      value = bidi.remoteGone + bidi.remoteLimit;
    } else if (owed == SetOwed.MAX_STREAMS_UNI) {
      kind = FrameKind.MAX_STREAMS_UNI;
      value = uni.remoteGone + uni.remoteLimit;
    } else if (owed == SetOwed.STREAMS_BLOCKED_BIDI) {
      kind = FrameKind.STREAMS_BLOCKED_BIDI;
      value = bidi.localMost;
    } else if (owed == SetOwed.STREAMS_BLOCKED_UNI) {
      kind = FrameKind.STREAMS_BLOCKED_UNI;
      value = uni.localMost;
    }
    if (writerRoom(writer) < 1 + varintLength(value)) return false;
    if (!sentFrameAdd(list, kind, 0, 0, value, 0)) return false;
    writeU8(writer, kind);
    writeVarint(writer, value);
    if (kind == FrameKind.MAX_DATA) set.receiveMost = value;
    else if (kind == FrameKind.MAX_STREAMS_BIDI) bidi.remoteMost = value;
    else if (kind == FrameKind.MAX_STREAMS_UNI) uni.remoteMost = value;
    set.owed &= ~owed;
  }
  return true;
}

function writeOwedFrames(set: QuicStreams, writer: Writer, list: SentFrameList): bool {
  const owing = owingOf(set);
  while (owing.head != 0) {
    const stream = changetype<QuicStream>(owing.head);
    const owed: u32 = (<u32>stream.owed) & -(<u32>stream.owed);
    let kind: u32 = FrameKind.STREAM_DATA_BLOCKED;
    let first = stream.sendMost;
    let second: u64 = 0;
    let secondLength: u32 = 0;
    if (owed == StreamOwed.RESET_STREAM) {
      kind = FrameKind.RESET_STREAM;
      first = stream.resetCode;
      second = sendBufferOf(stream).sentMost;
      secondLength = varintLength(second);
    } else if (owed == StreamOwed.STOP_SENDING) {
      kind = FrameKind.STOP_SENDING;
      first = stream.stopCode;
    } else if (owed == StreamOwed.MAX_STREAM_DATA) {
      kind = FrameKind.MAX_STREAM_DATA;
      first = receiveBufferOf(stream).readOffset - stream.withheldBytes + stream.receiveWindow;
    }
    if (writerRoom(writer) < 1 + varintLength(stream.id) + varintLength(first) + secondLength) return false;
    if (!sentFrameAdd(list, kind, 0, stream.id, first, 0)) return false;
    writeU8(writer, kind);
    writeVarint(writer, stream.id);
    writeVarint(writer, first);
    if (secondLength != 0) writeVarint(writer, second);
    if (kind == FrameKind.MAX_STREAM_DATA) stream.receiveMost = first;
    settleOwed(stream, owed);
  }
  return true;
}

/** RFC 9221 §5. One that fits no packet at all is the connection's to refuse: here it would wait for ever, so it is dropped. */
function writeDatagrams(set: QuicStreams, writer: Writer, list: SentFrameList): void {
  const queue = outgoingOf(set);
  while (queue.count != 0) {
    const len = datagramFirstLength(queue);
    const isTooLarge = writerRoom(writer) < 1 + varintLength(len) + len;
    if (isTooLarge && list.count != 0) return;
    if (!isTooLarge) {
      if (!sentFrameAdd(list, FrameKind.DATAGRAM, 0, 0, 0, len)) return;
      writeU8(writer, FrameKind.DATAGRAM);
      writeVarint(writer, len);
      writeBytes(writer, datagramFirst(queue), len);
    } else {
      queue.refused++;
    }
    datagramDrop(queue);
  }
}

function writeContent(set: QuicStreams, writer: Writer, list: SentFrameList): void {
  while (set.readyMask != 0 && sentFrameRoom(list) != 0) {
    const stream = changetype<QuicStream>(scheduleFirst(set));
    if (canSend(set, stream) && !writeStream(set, stream, writer, list)) return;
    if (canSend(set, stream)) {
      scheduleRotate(set, stream);
    } else {
      scheduleRemove(set, stream);
      noteBlocked(set, stream);
    }
  }
}

/** One STREAM frame of a stream that can send. False when too little of the packet is left. */
function writeStream(set: QuicStreams, stream: QuicStream, writer: Writer, list: SentFrameList): bool {
  const buffer = sendBufferOf(stream);
  const offset = sendBufferNext(buffer);
  const room = writerRoom(writer);
  const head: u32 = 1 + varintLength(stream.id) + (offset != 0 ? varintLength(offset) : 0);
  const waiting = sendBufferNextLength(buffer, sendLimit(set, stream));
  if (room <= head) return false;
  // The length field is as long as what it could say.
  const lengthBytes = varintLength(min<u64>(waiting, room - head));
  if (room < head + lengthBytes) return false;
  const len = <u32>min<u64>(waiting, room - head - lengthBytes);
  if (<u64>len < waiting && len < LEAST_CONTENT) return false;
  const isFin = isFinDue(stream) && offset + len == buffer.end;
  if (!sentFrameAdd(list, FrameKind.STREAM, isFin ? SentFlag.FIN : 0, stream.id, offset, len)) return false;
  const bits: u32 = StreamBit.LEN | (offset != 0 ? StreamBit.OFF : 0) | (isFin ? StreamBit.FIN : 0);
  writeU8(writer, FrameKind.STREAM | bits);
  writeVarint(writer, stream.id);
  if (offset != 0) writeVarint(writer, offset);
  writeVarint(writer, len);
  const sentBefore = buffer.sentMost;
  if (len != 0) sendBufferSend(buffer, offset, writeSpan(writer, len), len);
  set.sendTotal += buffer.sentMost - sentBefore;
  // In DATA_SENT what was lost is sent again, which is no step.
  if (isFin) setStreamFlag(stream, StreamFlag.FIN_SENT);
  stream.sendState = sendNext(stream.sendState, isFin ? SendInput.SEND_FIN : SendInput.SEND_DATA);
  return true;
}
