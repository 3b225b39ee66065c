/**
 * DATA, RFC 9113 §6.1: what is checked when a frame begins, and its content on the way to the host.
 *
 * The whole payload counts against both windows when its header arrives; what of it is content is held until the host has
 * consumed it (flow_control.ts). Content that nobody reads (a stream that was reset, a request that was answered) is thrown
 * away, up to DRAIN_BYTES for a stream.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { isBodiless } from "../session/message_rules.ts";
import { tunnelReceive } from "../session/tunnel.ts";
import { spendEmpty } from "./budget.ts";
import { H2Connection, H2Flag, hasH2Flag, ReceiveState } from "./connection.ts";
import { probeContent, updateWindows } from "./flow_control.ts";
import { FrameFlag, frameFlags, frameLength, frameStreamId } from "./frame.ts";
import { consumeContent, holdContent } from "./held_content.ts";
import { connectionError, cutRequest, isFault, streamError } from "./lifecycle.ts";
import { messageReceived } from "./message.ts";
import { paddingAfter, paddingBefore, readPadding } from "./padding.ts";
import { absentState } from "./recent_streams.ts";
import { H2Stream } from "./stream.ts";
import { StreamInput } from "./stream_state.ts";
import { streamFind } from "./stream_table.ts";

/** Begins the frame whose header was read; its payload begins at `ptr`. Answers the bytes of the payload used. */
export function beginData(connection: H2Connection, ptr: usize): u32 {
  const len = frameLength;
  const flags = frameFlags;
  const streamId = frameStreamId;
  if (streamId == 0) {
    connectionError(connection, Status.H2_STREAM_ID);
    return 0;
  }
  const padding = readPadding(ptr, len, flags);
  if (padding != Status.OK) {
    connectionError(connection, padding);
    return 0;
  }
  const before = paddingBefore;
  const contentLen = len - before - paddingAfter;
  const isEnd = (flags & FrameFlag.END_STREAM) != 0;
  if (contentLen == 0 && !isEnd && !spendEmpty(connection)) {
    connectionError(connection, Status.H2_EMPTY_FRAME_FLOOD);
    return 0;
  }
  if (<i64>len > connection.recvWindow) {
    connectionError(connection, Status.H2_FLOW_CONTROL);
    return 0;
  }
  connection.recvWindow -= len;
  connection.receiveState = ReceiveState.DATA;
  connection.dataRemaining = contentLen;
  connection.paddingRemaining = paddingAfter;
  connection.dataStream = 0;
  connection.h2Flags = isEnd ? connection.h2Flags | H2Flag.DATA_END : connection.h2Flags & ~H2Flag.DATA_END;
  enterStream(connection, streamId, len, contentLen, isEnd);
  if (connection.receiveState == ReceiveState.DATA) endContent(connection);
  return before;
}

/** Finds the stream of the frame and applies what the frame means for it. */
function enterStream(connection: H2Connection, streamId: u32, len: u32, contentLen: u32, isEnd: bool): void {
  const ptr = streamFind(connection, streamId);
  const stream = changetype<H2Stream | null>(ptr);
  const state = stream != null ? stream.state : absentState(connection, streamId);
  const input = isEnd ? StreamInput.RECEIVE_DATA_END : StreamInput.RECEIVE_DATA;
  if (isFault(connection, stream, streamId, state, input)) return;
  if (stream == null) return;
  if (<i64>len > stream.recvWindow) return streamError(connection, stream, Status.H2_FLOW_CONTROL);
  // RFC 9113 §8.1: content before the final head of a response.
  if (connection.role == Role.CLIENT && stream.statusCode == 0) {
    return streamError(connection, stream, Status.H2_PSEUDO_FIELD);
  }
  stream.recvWindow -= len;
  const total = stream.receivedBytes + contentLen;
  if (!fitsLength(stream, total, isEnd)) return streamError(connection, stream, Status.H2_CONTENT_LENGTH);
  if (<f64>total > limitOf(Limit.BODY_BYTES) && !hasFlag(stream, ExchangeFlag.TUNNEL)) {
    limitHit(Limit.BODY_BYTES);
    return streamError(connection, stream, Status.BODY_TOO_LARGE);
  }
  stream.flags &= ~ExchangeFlag.CONTINUE_OWED;
  connection.dataStream = ptr;
}

/** RFC 9113 §8.1.1: the content has the length that was declared. */
function fitsLength(stream: H2Stream, total: u64, isEnd: bool): bool {
  if (isBodiless(stream.kind & 0xff, stream.statusCode)) return total == 0;
  const declared = ((<u64>stream.contentLengthHigh) << 32) | stream.contentLengthLow;
  if (declared == u64.MAX_VALUE) return true;
  return isEnd ? total == declared : total <= declared;
}

/** Takes content of the frame from [ptr, end). */
export function receiveContent(connection: H2Connection, ptr: usize, end: usize): usize {
  let len = min(connection.dataRemaining, <u32>(end - ptr));
  const stream = changetype<H2Stream | null>(connection.dataStream);
  if (stream != null && stream.tunnel != 0) {
    len = deliverTunnel(connection, stream, ptr, len);
    connection.dataRemaining -= len;
  } else {
    connection.dataRemaining -= len;
    if (stream != null) deliver(connection, stream, ptr, len);
  }
  endContent(connection);
  return ptr + len;
}

/** Takes padding of the frame from [ptr, end). */
export function receivePadding(connection: H2Connection, ptr: usize, end: usize): usize {
  const len = min(connection.paddingRemaining, <u32>(end - ptr));
  connection.paddingRemaining -= len;
  endContent(connection);
  return ptr + len;
}

/** Moves on when the frame's content, or its padding, is complete. */
function endContent(connection: H2Connection): void {
  if (connection.dataRemaining != 0 || connection.receiveState == ReceiveState.IGNORE) return;
  if (connection.paddingRemaining != 0) {
    connection.receiveState = ReceiveState.PADDING;
    return;
  }
  connection.receiveState = ReceiveState.FRAME;
  const stream = changetype<H2Stream | null>(connection.dataStream);
  connection.dataStream = 0;
  if (stream != null && hasH2Flag(connection, H2Flag.DATA_END)) {
    messageReceived(connection, stream, StreamInput.RECEIVE_DATA_END);
    updateWindows(connection, null);
  } else {
    updateWindows(connection, stream);
  }
}

/** Content of a tunnel that the engine reads: answers how much of it was taken. What is not consumed closes the window. */
function deliverTunnel(connection: H2Connection, stream: H2Stream, ptr: usize, len: u32): u32 {
  // Empty frames that end nothing are counted elsewhere.
  if (len == 0 || hasFlag(stream, ExchangeFlag.DISCARD)) return len;
  stream.receivedBytes += len;
  holdContent(connection, stream, len);
  probeContent(connection, len);
  const taken = tunnelReceive(stream, ptr, len);
  // The tunnel may have ended, and the stream with it.
  if (connection.dataStream == changetype<usize>(stream) && taken < len) {
    stream.receivedBytes -= len - taken;
    consumeContent(connection, stream, len - taken);
  }
  return taken;
}

/** Tells content to the host, or throws it away. */
function deliver(connection: H2Connection, stream: H2Stream, ptr: usize, len: u32): void {
  stream.windowBytes += len;
  stream.receivedBytes += len;
  if (hasFlag(stream, ExchangeFlag.DISCARD)) {
    if (<f64>stream.receivedBytes <= limitOf(Limit.DRAIN_BYTES)) return;
    limitHit(Limit.DRAIN_BYTES);
    if (hasFlag(stream, ExchangeFlag.SENT)) cutRequest(connection, stream);
    return;
  }
  const isEnd =
    hasH2Flag(connection, H2Flag.DATA_END) &&
    connection.dataRemaining == 0 &&
    connection.paddingRemaining == 0;
  holdContent(connection, stream, len);
  probeContent(connection, len);
  if (isEnd) stream.flags |= ExchangeFlag.RECEIVED;
  emitExchangeEvent(EventKind.BODY, isEnd ? EventFlag.END : EventFlag.NONE, stream, <u32>ptr, len);
}
