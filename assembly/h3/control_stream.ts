/**
 * The peer's control stream, RFC 9114 §6.2.1 and §7.2: SETTINGS first, then whatever it has to say of the connection. It never ends.
 */
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { readerIsExact, readVarint, Reader, readerOpen } from "../core/reader.ts";
import { streamConsume, streamPeek, streamPeekLength } from "../quic/stream/application.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { spendControl } from "./budget.ts";
import { H3Connection, H3Flag, transportOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { sectionsAllow } from "./field_sections.ts";
import { frameHeaderPush, FramePlace, framePlace, FrameType } from "./frame.ts";
import { receiveGoaway } from "./goaway.ts";
import { receivePriorityUpdate } from "./priority.ts";
import {
  readSettings,
  settingsBlockedStreams,
  settingsConnectProtocol,
  settingsDatagram,
  settingsFieldSectionSize,
  settingsTableCapacity,
  settingsWebTransport,
} from "./settings.ts";
import {
  dropPayload,
  H3Stream,
  H3StreamFlag,
  hasStreamBit,
  headerOf,
  keepPayload,
  quicOf,
  Reading,
} from "./stream.ts";

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** There is something to read on the control stream. */
export function readControl(h3: H3Connection, stream: H3Stream): void {
  const quic = quicOf(stream);
  while (h3.endStatus == Status.OK) {
    const len = streamPeekLength(quic);
    if (len == 0) return;
    const ptr = streamPeek(quic);
    if (stream.reading == <u8>Reading.HEADER) {
      readHeader(h3, stream, ptr, len);
      continue;
    }
    const part = <u32>min<u64>(len, stream.frameLeft);
    const isKept = stream.reading == <u8>Reading.PAYLOAD;
    if (isKept && !keepPayload(stream, ptr, part)) return connectionError(h3, Status.MEMORY_FULL);
    stream.frameLeft -= part;
    streamConsume(quic, part);
    if (stream.frameLeft == 0) endFrame(h3, stream, isKept);
  }
}

function readHeader(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): void {
  const header = headerOf(stream);
  let used: u32 = 0;
  let isComplete = false;
  while (used < len && !isComplete) isComplete = frameHeaderPush(header, load<u8>(ptr + used++));
  streamConsume(quicOf(stream), used);
  if (isComplete) beginFrame(h3, stream, header.type, header.length);
}

function beginFrame(h3: H3Connection, stream: H3Stream, type: u64, length: u64): void {
  const isFirst = !hasStreamBit(stream, H3StreamFlag.SETTLED);
  // §6.2.1: any other frame before it is an error of its own, whatever it is.
  if (isFirst && type != FrameType.SETTINGS) return connectionError(h3, H3Status.SETTINGS_MISSING);
  // §7.2.4: one on each control stream.
  if (!isFirst && type == FrameType.SETTINGS) return connectionError(h3, H3Status.FRAME_UNEXPECTED);
  stream.flags |= <u8>H3StreamFlag.SETTLED;
  const place = framePlace(type);
  const isLegal = place == FramePlace.CONTROL || place == FramePlace.UNKNOWN;
  const isClients = place == FramePlace.CONTROL_FROM_CLIENT && transportOf(h3).role == Role.SERVER;
  if (!isLegal && !isClients) return connectionError(h3, H3Status.FRAME_UNEXPECTED);
  if (!isFirst) spendControl(h3);
  stream.frameLeft = length;
  const isKnown = place != FramePlace.UNKNOWN;
  stream.reading = <u8>(isKnown ? Reading.PAYLOAD : Reading.SKIP);
  if (isKnown && length > limitU32(Limit.H3_CONTROL_FRAME_BYTES)) {
    limitHit(Limit.H3_CONTROL_FRAME_BYTES);
    return connectionError(h3, H3Status.FRAME_TOO_LARGE);
  }
  if (length == 0) endFrame(h3, stream, isKnown);
}

/** The payload is complete. The header still says which frame it is of. */
function endFrame(h3: H3Connection, stream: H3Stream, isKept: bool): void {
  stream.reading = <u8>Reading.HEADER;
  if (!isKept) return;
  receiveFrame(h3, headerOf(stream).type, stream.block, stream.blockLen);
  dropPayload(stream);
}

function receiveFrame(h3: H3Connection, type: u64, ptr: usize, len: u32): void {
  if (type == FrameType.SETTINGS) return receiveSettings(h3, ptr, len);
  if (type == FrameType.PRIORITY_UPDATE_REQUEST || type == FrameType.PRIORITY_UPDATE_PUSH) {
    return receivePriorityUpdate(h3, type, ptr, len);
  }
  readerOpen(reader, ptr, len);
  const id = readVarint(reader);
  if (!readerIsExact(reader)) return connectionError(h3, H3Status.FRAME_LENGTH);
  if (type == FrameType.GOAWAY) return receiveGoaway(h3, id);
  // §7.2.3: this side has neither promised nor allowed a push that could be cancelled.
  if (type == FrameType.CANCEL_PUSH) return connectionError(h3, H3Status.PUSH_ID);
  // §7.2.7: MAX_PUSH_ID does not shrink. Nothing is pushed, whatever it allows.
  if (id < h3.maxPushId) return connectionError(h3, H3Status.PUSH_ID);
  h3.maxPushId = id;
}

function receiveSettings(h3: H3Connection, ptr: usize, len: u32): void {
  const status = readSettings(ptr, len);
  if (status != Status.OK) return connectionError(h3, status);
  h3.flags |= H3Flag.SETTINGS_RECEIVED;
  if (settingsConnectProtocol) h3.flags |= H3Flag.EXTENDED_CONNECT;
  if (settingsDatagram) h3.flags |= H3Flag.DATAGRAMS;
  if (settingsWebTransport) h3.flags |= H3Flag.WEBTRANSPORT;
  h3.fieldSectionSizeMax = settingsFieldSectionSize;
  sectionsAllow(h3, settingsTableCapacity, settingsBlockedStreams);
}
