/**
 * Reading a request stream: frames out of bytes that may be cut anywhere, and each frame to whom it is for. RFC 9114 §4.1, §7.1,
 * §7.2. Both roles; what a head means is decided in server.ts and client.ts.
 *
 * Content is not copied: the host is told where it lies, and the peer gets credit when the host has consumed it. A HEADERS frame that
 * came in one piece is decoded where it lies; one in pieces is kept until it is complete.
 *
 * Every step may end the stream (`h3.reading` is 0 then) or the connection (`endStatus`): both are looked at before the next one.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { QPACK_BLOCKED } from "../qpack/decoder.ts";
import {
  streamConsume,
  streamIsAtEnd,
  streamPeek,
  streamPeekLength,
  streamTake,
} from "../quic/stream/application.ts";
import { receiveBufferOf, STREAM_ID_SERVER, StreamEvent, tell } from "../quic/stream/stream.ts";
import { emitExchangeEvent, hasEventRoom } from "../session/events.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { isBodiless } from "../session/message_rules.ts";
import { tunnelReceive } from "../session/tunnel.ts";
import { spendControl, spendEmpty } from "./budget.ts";
import { receiveCapsules } from "./capsule.ts";
import { receiveResponse } from "./client.ts";
import { H3Connection, H3Flag, hasH3Flag, maySessions, transportOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { decodeSection } from "./field_sections.ts";
import { frameHeaderPush, FramePlace, framePlace, FrameType } from "./frame.ts";
import { admitRequest } from "./goaway.ts";
import { cutRequest, messageReceived, streamError } from "./lifecycle.ts";
import { RequestFault, requestFault, RequestInput, requestNext, RequestState } from "./request_state.ts";
import { creditContent } from "./send.ts";
import { receiveRequest } from "./server.ts";
import { sessionReceived } from "./session.ts";
import {
  dropPayload,
  fitsLength,
  H3Exchange,
  H3Stream,
  H3StreamFlag,
  hasStreamBit,
  headerOf,
  keepPayload,
  quicOf,
  Reading,
} from "./stream.ts";
import { StreamKind } from "./stream_type.ts";
import { receiveTrailers } from "./trailers.ts";
import { watchStreams } from "./watch.ts";

/** There is something to read, or the end, on a request stream. False when the stream is gone by that. */
export function readRequest(h3: H3Connection, stream: H3Stream): bool {
  const quic = quicOf(stream);
  h3.reading = changetype<usize>(stream);
  if (hasStreamBit(stream, H3StreamFlag.BLOCKED)) receiveSection(h3, stream, stream.block, stream.blockLen);
  while (canRead(h3, stream)) {
    const len = streamPeekLength(quic);
    if (len == 0) break;
    if (!hasEventRoom(transportOf(h3).openExchangeCount)) {
      // The transport asks again when the host has read its events.
      tell(quic, StreamEvent.READABLE);
      break;
    }
    if (!readPiece(h3, stream, streamPeek(quic), len)) break;
  }
  if (canRead(h3, stream) && streamIsAtEnd(quic)) receiveEnd(h3, stream);
  const isThere = h3.reading != 0;
  h3.reading = 0;
  return isThere;
}

function canRead(h3: H3Connection, stream: H3Stream): bool {
  if (h3.endStatus != Status.OK || h3.reading == 0 || stream.kind != <u8>StreamKind.REQUEST) return false;
  return (stream.flags & (<u8>(H3StreamFlag.BLOCKED | H3StreamFlag.CUT))) == 0;
}

/** Reads from [ptr, ptr + len), all of it or a part. False when there is no room for more now. */
function readPiece(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): bool {
  const quic = quicOf(stream);
  const part = <u32>min<u64>(len, stream.frameLeft);
  switch (<u32>stream.reading) {
    case Reading.HEADER:
      readHeader(h3, stream, ptr, len);
      return true;
    case Reading.CONTENT:
      return receiveContent(h3, stream, ptr, part);
    case Reading.PAYLOAD:
      readPayload(h3, stream, ptr, part);
      return true;
  }
  // Passed over.
  stream.frameLeft -= part;
  if (stream.frameLeft == 0) stream.reading = <u8>Reading.HEADER;
  streamConsume(quic, part);
  return true;
}

function readHeader(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): void {
  const header = headerOf(stream);
  let used: u32 = 0;
  let isComplete = false;
  while (used < len && !isComplete) isComplete = frameHeaderPush(header, load<u8>(ptr + used++));
  streamConsume(quicOf(stream), used);
  if (isComplete) beginFrame(h3, stream, header.type, header.length);
}

/** A frame begins: what its payload is, and whether it may come here at all. */
function beginFrame(h3: H3Connection, stream: H3Stream, type: u64, length: u64): void {
  if (type == FrameType.WEBTRANSPORT_STREAM && maySessions(h3) && stream.exchange == 0) {
    // No frame: the rest of the stream is a session's, whose number stands in the place of the length.
    stream.kind = <u8>StreamKind.WEBTRANSPORT;
    stream.session = length;
    return;
  }
  // §6.1: a server opens no other.
  if ((quicOf(stream).id & STREAM_ID_SERVER) != 0) return connectionError(h3, H3Status.STREAM_DIRECTION);
  if (stream.exchange == 0 && !admitRequest(h3, stream)) return;
  stream.frameLeft = length;
  switch (framePlace(type)) {
    case FramePlace.UNKNOWN:
      stream.reading = <u8>(length != 0 ? Reading.SKIP : Reading.HEADER);
      return spendControl(h3);
    case FramePlace.REQUEST:
      return type == FrameType.DATA ? beginContent(h3, stream) : beginSection(h3, stream);
    case FramePlace.REQUEST_FROM_SERVER:
      // §7.2.5: no push identifier was ever allowed.
      return connectionError(
        h3,
        transportOf(h3).role == Role.CLIENT ? H3Status.PUSH_ID : H3Status.FRAME_UNEXPECTED,
      );
  }
  connectionError(h3, H3Status.FRAME_UNEXPECTED);
}

function beginContent(h3: H3Connection, stream: H3Stream): void {
  if (requestFault(stream.state, RequestInput.DATA) != RequestFault.NONE) {
    return connectionError(h3, H3Status.FRAME_UNEXPECTED);
  }
  stream.reading = <u8>(stream.frameLeft != 0 ? Reading.CONTENT : Reading.HEADER);
  if (stream.frameLeft == 0) return spendEmpty(h3);
  const exchange = changetype<H3Exchange>(stream.exchange);
  exchange.flags &= ~ExchangeFlag.CONTINUE_OWED;
  if (hasFlag(exchange, ExchangeFlag.TUNNEL) || hasFlag(exchange, ExchangeFlag.UNDECIDED)) return;
  // §4.1.2: the sum of the frames is the length that was declared.
  const total = exchange.receivedBytes + stream.frameLeft;
  const declared = ((<u64>exchange.contentLengthHigh) << 32) | exchange.contentLengthLow;
  const most: u64 = isBodiless(exchange.kind & 0xff, exchange.statusCode) ? 0 : declared;
  if (total > most) return streamError(stream, Status.H2_CONTENT_LENGTH);
  if (<f64>total <= limitOf(Limit.BODY_BYTES)) return;
  limitHit(Limit.BODY_BYTES);
  streamError(stream, Status.BODY_TOO_LARGE);
}

function beginSection(h3: H3Connection, stream: H3Stream): void {
  if (requestFault(stream.state, RequestInput.HEADERS) != RequestFault.NONE) {
    return connectionError(h3, H3Status.FRAME_UNEXPECTED);
  }
  if (stream.frameLeft > limitU32(Limit.HEADER_BLOCK_BYTES)) {
    limitHit(Limit.HEADER_BLOCK_BYTES);
    return streamError(stream, H3Status.SECTION_TOO_LARGE);
  }
  stream.reading = <u8>Reading.PAYLOAD;
  if (stream.frameLeft == 0) receiveSection(h3, stream, 0, 0);
}

/** A part of a HEADERS frame. */
function readPayload(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): void {
  const isLast = len == stream.frameLeft;
  if (isLast && stream.block == 0) {
    receiveSection(h3, stream, ptr, len);
    // Where it was blocked it has been copied.
    if (h3.reading == 0) return;
    stream.frameLeft = 0;
    streamConsume(quicOf(stream), len);
    return;
  }
  if (!keepPayload(stream, ptr, len)) return connectionError(h3, Status.MEMORY_FULL);
  stream.frameLeft -= len;
  streamConsume(quicOf(stream), len);
  if (isLast) receiveSection(h3, stream, stream.block, stream.blockLen);
}

/** A complete field section. */
function receiveSection(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): void {
  const decoded = decodeSection(h3, stream, ptr, len);
  if (decoded == QPACK_BLOCKED) {
    const isKept = ptr == stream.block || keepPayload(stream, ptr, len);
    if (!isKept) connectionError(h3, Status.MEMORY_FULL);
    return;
  }
  if (decoded != Status.OK) return connectionError(h3, decoded);
  dropPayload(stream);
  stream.reading = <u8>Reading.HEADER;
  const isEnd = endsAfter(stream, len);
  if (stream.state == <u8>RequestState.CONTENT) {
    stream.state = requestNext(stream.state, RequestInput.HEADERS);
    receiveTrailers(h3, stream);
  } else if (transportOf(h3).role == Role.SERVER) {
    receiveRequest(h3, stream, isEnd);
  } else {
    receiveResponse(h3, stream, isEnd);
  }
}

/** Whether the peer's part of the stream ends with the `len` bytes that are read now, or has ended. */
function endsAfter(stream: H3Stream, len: u32): bool {
  const quic = quicOf(stream);
  if (streamIsAtEnd(quic)) return true;
  // What was kept has been consumed, what lies in place has not.
  const rest = stream.frameLeft != 0 ? len : 0;
  return receiveBufferOf(quic).readOffset + rest == quic.finalSize;
}

/** Content: [ptr, ptr + len). False when not all of it was taken, for want of room. */
function receiveContent(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): bool {
  const exchange = changetype<H3Exchange>(stream.exchange);
  exchange.windowBytes += len;
  if ((exchange.tunnel | exchange.session) != 0 && !hasFlag(exchange, ExchangeFlag.DISCARD)) {
    return receiveTunnel(h3, stream, exchange, ptr, len);
  }
  exchange.receivedBytes += len;
  stream.frameLeft -= len;
  if (stream.frameLeft == 0) stream.reading = <u8>Reading.HEADER;
  const quic = quicOf(stream);
  if (hasFlag(exchange, ExchangeFlag.DISCARD)) {
    streamConsume(quic, len);
    if (<f64>exchange.receivedBytes <= limitOf(Limit.DRAIN_BYTES)) return true;
    limitHit(Limit.DRAIN_BYTES);
    if (hasFlag(exchange, ExchangeFlag.SENT)) cutRequest(h3, exchange);
    return true;
  }
  const isEnd =
    stream.frameLeft == 0 && receiveBufferOf(quic).readOffset + len == quic.finalSize && fitsLength(exchange);
  if (isEnd) exchange.flags |= ExchangeFlag.RECEIVED;
  exchange.unconsumedBytes += len;
  streamTake(quic, len);
  emitExchangeEvent(EventKind.BODY, isEnd ? EventFlag.END : EventFlag.NONE, exchange, <u32>ptr, len);
  return true;
}

/** Content of a tunnel that the engine reads. What it does not consume closes the window. */
function receiveTunnel(h3: H3Connection, stream: H3Stream, exchange: H3Exchange, ptr: usize, len: u32): bool {
  h3.flags &= ~H3Flag.CONSUMED;
  const isSession = exchange.session != 0;
  const taken = isSession ? receiveCapsules(h3, stream, ptr, len) : tunnelReceive(exchange, ptr, len);
  // The tunnel may have ended, and the stream with it.
  if (h3.reading == 0 || hasStreamBit(stream, H3StreamFlag.CUT)) return false;
  stream.frameLeft -= taken;
  if (stream.frameLeft == 0) stream.reading = <u8>Reading.HEADER;
  const quic = quicOf(stream);
  exchange.receivedBytes += taken;
  exchange.unconsumedBytes += taken;
  streamTake(quic, taken);
  if (isSession || hasH3Flag(h3, H3Flag.CONSUMED)) {
    creditContent(stream, exchange.unconsumedBytes);
    exchange.unconsumedBytes = 0;
  }
  if (taken == len) return true;
  tell(quic, StreamEvent.READABLE);
  return false;
}

/** The peer's part of the stream has ended, and everything before it was read. */
function receiveEnd(h3: H3Connection, stream: H3Stream): void {
  if (stream.state == <u8>RequestState.ENDED) return;
  // §7.1: a frame that is not whole.
  if (stream.reading != <u8>Reading.HEADER || headerOf(stream).len != 0) {
    return connectionError(h3, H3Status.FRAME_CUT);
  }
  if (requestFault(stream.state, RequestInput.FIN) != RequestFault.NONE) {
    return streamError(stream, H3Status.REQUEST_INCOMPLETE);
  }
  const wasTunnel = stream.state == <u8>RequestState.TUNNEL;
  stream.state = requestNext(stream.state, RequestInput.FIN);
  const exchange = changetype<H3Exchange>(stream.exchange);
  if (!wasTunnel && !fitsLength(exchange)) return streamError(stream, Status.H2_CONTENT_LENGTH);
  if (exchange.session != 0) sessionReceived(h3, exchange);
  else messageReceived(h3, exchange);
  if (h3.reading != 0) watchStreams(h3);
}
