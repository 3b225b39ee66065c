/**
 * Sending HTTP/3: the commands of the host on one exchange. RFC 9114 §4.1, RFC 9110 §6.4 and §15.
 *
 * Commands check first and write then: a command that answers a negative status has changed nothing, but for MEMORY_FULL. What is
 * written goes to the transport's stream at once, which keeps it until the peer has it: heads and trailers whole, content as far as
 * there is room (quic/stream/send_room.ts).
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Role, SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { fieldBlockHasDate, fieldBlockTextBytes } from "../http/field_block.ts";
import { FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";
import { streamCredit, streamSend, streamSendWhole } from "../quic/stream/application.ts";
import { noteRefused, sendRoom } from "../quic/stream/send_room.ts";
import { sendBufferOf, setStreamFlag, StreamFlag } from "../quic/stream/stream.ts";
import { markDirty } from "../session/dirty.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import {
  checkBlock,
  checkedFieldCount,
  checkHead,
  checkInformational,
  checkLength,
  isSwallowed,
} from "../session/send_rules.ts";
import { tunnelWritable } from "../session/tunnel.ts";
import { H3Connection, transportOf } from "./connection.ts";
import {
  encodeBlock,
  encodeDate,
  encodeHead,
  encodeLength,
  isRepeatedSection,
  sectionBytesMax,
} from "./field_sections.ts";
import { FRAME_HEADER_MAX, FrameType, writeFrameHeader } from "./frame.ts";
import { follow, headersBegin, headersEnd } from "./headers.ts";
import { messageSent, streamError } from "./lifecycle.ts";
import {
  connectionOfStream,
  H3Exchange,
  H3Stream,
  H3StreamFlag,
  hasStreamBit,
  quicOf,
  streamOf,
} from "./stream.ts";
import { awaitsContent, watchContent, watchStreams } from "./watch.ts";

/** Content below which a frame is not begun while more waits: the host is told when there is room for a larger one. */
const LEAST_CONTENT: u32 = 1024;

/** Content that is written behind its head. More is worth a copy less. */
const MOST_FOLLOWING: u32 = 1024;

const frameHeader: usize = memory.data(FRAME_HEADER_MAX, 16);

/** Sends an interim response other than 101, which HTTP/3 does not have. */
export function h3SendInformational(exchange: Exchange, code: u32, block: usize, len: u32): i32 {
  const checked = checkInformational(exchange, code, block, len);
  if (checked != Status.OK) return checked;
  const fits = checkSection(exchange);
  if (fits != Status.OK) return fits;
  if (code == 100) exchange.flags &= ~ExchangeFlag.CONTINUE_OWED;
  return writeHead(changetype<H3Exchange>(exchange), code, block, len, -1, false, false);
}

/** Sends the final response's head. `contentLength` is -1 when it is not known. */
export function h3SendHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  const checked = checkHead(exchange, code, block, len, contentLength, flags);
  if (checked != Status.OK) return checked;
  const fits = checkSection(exchange);
  if (fits != Status.OK) return fits;
  const isEnd = (flags & SendFlag.END) != 0;
  const isTunnel = (flags & SendFlag.TUNNEL) != 0;
  const hasContent = code != 304 && !isTunnel && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY);
  if (isEnd && contentLength > 0 && hasContent) return Status.BODY_SHORTER_THAN_DECLARED;
  const length = (isEnd && contentLength < 0) || code == 205 ? 0 : contentLength;
  return beginResponse(changetype<H3Exchange>(exchange), code, block, len, length, isEnd, flags);
}

/** A whole response in one call: head and content. Answers how much of the content was taken. */
export function h3Respond(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  body: usize,
  bodyLen: u32,
  flags: u32,
): i32 {
  const checked = checkHead(exchange, code, block, len, bodyLen, flags);
  if (checked != Status.OK) return checked;
  if (flags & SendFlag.TUNNEL) return Status.INVALID_ARGUMENT;
  const fits = checkSection(exchange);
  if (fits != Status.OK) return fits;
  const isHeadOnly = hasFlag(exchange, ExchangeFlag.HEAD_ONLY);
  if (code == 304 && bodyLen != 0 && !isHeadOnly) return Status.BODY_NOT_ALLOWED;
  const isEnd = bodyLen == 0 || isHeadOnly;
  const release = flags & SendFlag.RELEASE;
  const headFlags = isEnd ? flags | SendFlag.END : flags & ~SendFlag.END;
  const own = changetype<H3Exchange>(exchange);
  if (!isEnd && canFollow(own, bodyLen)) {
    follow(body, bodyLen);
    const whole = beginResponse(own, code, block, len, bodyLen, true, flags | SendFlag.END);
    return whole != Status.OK ? whole : bodyLen;
  }
  const sent = beginResponse(own, code, block, len, bodyLen, isEnd, headFlags);
  if (sent != Status.OK || isEnd) return sent != Status.OK ? sent : bodyLen;
  return h3SendBody(exchange, body, bodyLen, SendFlag.END | release);
}

/** Whether so much content can be written behind its head, in one piece with it. */
function canFollow(exchange: H3Exchange, len: u32): bool {
  const stream = streamOf(exchange);
  const frames = sectionBytesMax(checkedFieldCount) + FRAME_HEADER_MAX * 2 + len;
  return (
    len <= MOST_FOLLOWING &&
    frames <= SCRATCH_BYTES &&
    !hasStreamBit(stream, H3StreamFlag.STOPPED) &&
    contentRoom(stream, len) == len
  );
}

/** Whether the section of the block checked last can be encoded, and is one that the peer takes (RFC 9114 §4.2.2). */
function checkSection(exchange: Exchange): i32 {
  if (sectionBytesMax(checkedFieldCount) + FRAME_HEADER_MAX > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;
  const size = <u64>fieldBlockTextBytes() + checkedFieldCount * FIELD_OVERHEAD_BYTES;
  const most = connectionOfStream(streamOf(exchange)).fieldSectionSizeMax;
  return size > most ? Status.FIELDS_TOO_LARGE : Status.OK;
}

function beginResponse(
  exchange: H3Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  isEnd: bool,
  flags: u32,
): i32 {
  const isTunnel = (flags & SendFlag.TUNNEL) != 0;
  // RFC 9110 §8.6: none with 204 and 2xx to CONNECT; with 304 it would describe another response.
  const hasLength = contentLength >= 0 && code != 204 && code != 304 && !isTunnel;
  const written = writeHead(exchange, code, block, len, hasLength ? contentLength : -1, isEnd, true);
  if (written != Status.OK) return written;
  exchange.flags =
    (exchange.flags | ExchangeFlag.HEAD_SENT) & ~(ExchangeFlag.CONTINUE_OWED | ExchangeFlag.UNDECIDED);
  if (code == 204 || code == 304 || isTunnel) exchange.framing = BodyFraming.NONE;
  else exchange.framing = contentLength >= 0 ? BodyFraming.LENGTH : BodyFraming.CHUNKED;
  exchange.sendRemaining = contentLength >= 0 ? contentLength : 0;
  if (isTunnel) {
    exchange.flags |= ExchangeFlag.TUNNEL;
    if ((exchange.tunnel | exchange.session) == 0)
      emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, exchange, 0, 0);
  }
  if (!isEnd) return Status.OK;
  if (flags & SendFlag.RELEASE) exchange.flags |= ExchangeFlag.RELEASED;
  messageSent(connectionOfStream(streamOf(exchange)), exchange);
  return Status.OK;
}

/** Hands a head to the transport. */
function writeHead(
  exchange: H3Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  isFin: bool,
  isFinal: bool,
): i32 {
  const stream = streamOf(exchange);
  headersBegin(stream, sectionBytesMax(checkedFieldCount));
  if (!isRepeatedSection(0, 0, block, len, contentLength, code)) {
    encodeHead(code, block, len);
    if (contentLength >= 0) encodeLength(contentLength);
    if (isFinal && !fieldBlockHasDate()) encodeDate();
  }
  return settleHeaders(stream, isFin);
}

/** The end of a head or of trailers. Where not all of it could be kept, the message is lost. */
export function settleHeaders(stream: H3Stream, isFin: bool): i32 {
  const h3 = connectionOfStream(stream);
  const sent = headersEnd(stream, isFin);
  markDirty(transportOf(h3));
  if (sent != Status.OK) streamError(stream, sent);
  return sent;
}

/**
 * Sends content. Answers how much of it was taken, which is less than `len` when enough is queued: WRITABLE follows. With
 * SendFlag.END the message is complete once everything was taken.
 */
export function h3SendBody(exchange: Exchange, body: usize, len: u32, flags: u32): i32 {
  const own = changetype<H3Exchange>(exchange);
  if (!canSend(own)) return Status.INVALID_STATE;
  const stream = streamOf(own);
  const h3 = connectionOfStream(stream);
  const isEnd = (flags & SendFlag.END) != 0;
  const checked = checkLength(own, len, isEnd);
  if (checked != Status.OK) return checked;
  const isDropped = isSwallowed(own) || hasStreamBit(stream, H3StreamFlag.STOPPED);
  const taken = isDropped ? len : contentRoom(stream, len);
  const ends = isEnd && taken == len;
  if (own.framing == BodyFraming.LENGTH) own.sendRemaining -= taken;
  if (!sendContent(stream, body, isDropped ? 0 : taken, ends)) {
    streamError(stream, Status.MEMORY_FULL);
    return Status.MEMORY_FULL;
  }
  markDirty(transportOf(h3));
  if (taken < len) {
    own.flags |= ExchangeFlag.WRITABLE_OWED;
    noteRefused(quicOf(stream));
    watchStreams(h3);
  }
  if (ends) {
    if (flags & SendFlag.RELEASE) own.flags |= ExchangeFlag.RELEASED;
    messageSent(h3, own);
  }
  return taken;
}

/** How much of `len` bytes of content the transport takes now, the frame's header counted. */
export function contentRoom(stream: H3Stream, len: u32): u32 {
  const room = sendRoom(quicOf(stream));
  if (room <= FRAME_HEADER_MAX) return 0;
  const taken = min(len, room - FRAME_HEADER_MAX);
  return taken < len && taken < LEAST_CONTENT ? 0 : taken;
}

/** One DATA frame, for which there is room, and the end of the stream. False when the memory is full. */
export function sendContent(stream: H3Stream, body: usize, len: u32, isFin: bool): bool {
  const quic = quicOf(stream);
  if (hasStreamBit(stream, H3StreamFlag.STOPPED)) return true;
  if (len == 0) return !isFin || streamSendWhole(quic, 0, 0, true);
  const headerLen = <u32>(writeFrameHeader(frameHeader, FrameType.DATA, len) - frameHeader);
  if (!streamSendWhole(quic, frameHeader, headerLen, false)) return false;
  return streamSend(quic, body, len, isFin) == <i32>len;
}

/** Sends trailers and ends the message. They are left out where there is no content for them to follow. */
export function h3SendTrailers(exchange: Exchange, block: usize, len: u32): i32 {
  const own = changetype<H3Exchange>(exchange);
  if (!canSend(own)) return Status.INVALID_STATE;
  const checked = checkBlock(block, len);
  if (checked != Status.OK) return checked;
  const fits = checkSection(own);
  if (fits != Status.OK) return fits;
  const length = checkLength(own, 0, true);
  if (length != Status.OK) return length;
  const stream = streamOf(own);
  const isLeftOut = hasFlag(own, ExchangeFlag.HEAD_ONLY) || own.framing == BodyFraming.NONE;
  if (len == 0 || isLeftOut || hasStreamBit(stream, H3StreamFlag.STOPPED)) {
    const ended = h3SendBody(exchange, 0, 0, SendFlag.END);
    return ended < 0 ? ended : Status.OK;
  }
  const h3 = connectionOfStream(stream);
  const quic = quicOf(stream);
  const buffer = sendBufferOf(quic);
  // Chromium fails a response whose trailers end the stream while it waits for content: its end, then, is a packet of its own.
  if (transportOf(h3).role == Role.SERVER && buffer.sentTo == buffer.end) {
    setStreamFlag(quic, StreamFlag.FIN_HELD);
  }
  headersBegin(stream, sectionBytesMax(checkedFieldCount));
  encodeBlock(block, len);
  const sent = settleHeaders(stream, true);
  if (sent == Status.OK) messageSent(h3, own);
  return sent;
}

/**
 * The host wants content and has consumed `consumed` bytes of what it was told: the peer gets credit for them. The first call sends
 * the 100 (Continue) that the client waits for (RFC 9110 §10.1.1).
 */
export function h3ReadBody(exchange: Exchange, consumed: u32): i32 {
  // Told before the answer or the end, consumed after.
  if (hasFlag(exchange, ExchangeFlag.DISCARD) || hasFlag(exchange, ExchangeFlag.ABORTED)) return Status.OK;
  if (consumed > exchange.unconsumedBytes) return Status.INVALID_ARGUMENT;
  const own = changetype<H3Exchange>(exchange);
  const stream = streamOf(own);
  const h3 = connectionOfStream(stream);
  const wasHeld = !awaitsContent(h3, stream, own);
  exchange.unconsumedBytes -= consumed;
  creditContent(stream, consumed);
  if (hasFlag(exchange, ExchangeFlag.CONTINUE_OWED)) {
    exchange.flags &= ~ExchangeFlag.CONTINUE_OWED;
    checkBlock(0, 0);
    const sent = writeHead(own, 100, 0, 0, -1, false, false);
    if (sent != Status.OK) return sent;
  }
  if (wasHeld) watchContent(h3, own);
  markDirty(transportOf(h3));
  return Status.OK;
}

/** The transport may have given the credit already, where a stream has ended. */
export function creditContent(stream: H3Stream, len: u32): void {
  const quic = quicOf(stream);
  streamCredit(quic, min(len, quic.withheldBytes));
}

function canSend(exchange: H3Exchange): bool {
  return (
    hasFlag(exchange, ExchangeFlag.HEAD_SENT) &&
    !hasFlag(exchange, ExchangeFlag.ABORTED) &&
    exchange.isEndQueued == 0
  );
}

/** There is room again on a stream that was refused some. */
export function h3Writable(h3: H3Connection, stream: H3Stream): void {
  if (stream.exchange == 0) return;
  const exchange = changetype<H3Exchange>(stream.exchange);
  exchange.stalledSinceMs = 0;
  if (!hasFlag(exchange, ExchangeFlag.WRITABLE_OWED) || hasFlag(exchange, ExchangeFlag.ABORTED)) return;
  exchange.flags &= ~ExchangeFlag.WRITABLE_OWED;
  if (exchange.tunnel != 0) tunnelWritable(exchange);
  else emitExchangeEvent(EventKind.WRITABLE, EventFlag.NONE, exchange, 0, 0);
  markDirty(transportOf(h3));
}
