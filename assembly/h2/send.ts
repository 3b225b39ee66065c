/**
 * Sending HTTP/2: the commands of the host on one exchange. RFC 9113 §8.1, RFC 9110 §6.4 and §15.
 *
 * Commands check first and write then: a command that answers a negative status has changed nothing. A head goes to the
 * connection's output at once, since header blocks are sent in the order in which they are encoded; content goes at once or
 * waits for its turn (transmit.ts); trailers are encoded when the content before them is out.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { byteQueueWrite } from "../core/byte_queue.ts";
import { slabAllocate } from "../core/slab.ts";
import { hpackEncodeDate, hpackEncodeHead, hpackEncodeLength } from "../hpack/encoder.ts";
import { datePtr, dateSecond } from "../http/date.ts";
import { fieldBlockHasDate } from "../http/field_block.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import {
  checkBlock,
  checkedFieldCount,
  checkHead,
  checkInformational,
  checkLength,
  isSwallowed,
} from "../session/send_rules.ts";
import { h2Abort } from "./closing.ts";
import { H2Connection } from "./connection.ts";
import { watchBody, watchStall } from "./deadline_slots.ts";
import { updateWindows } from "./flow_control.ts";
import { FrameFlag, FrameType } from "./frame.ts";
import { blockBegin, blockBytesMax, blockEnd } from "./header_block.ts";
import { consumeContent } from "./held_content.ts";
import { messageEnded, messageSent } from "./message.ts";
import { scheduleAdd } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { nextState, StreamInput } from "./stream_state.ts";
import { isEndSent, queueRoom, sendNow } from "./transmit.ts";

/** Sends an interim response other than 101, which HTTP/2 does not have. */
export function h2SendInformational(exchange: Exchange, code: u32, block: usize, len: u32): i32 {
  const stream = changetype<H2Stream>(exchange);
  const status = checkInformational(stream, code, block, len);
  if (status != Status.OK) return status;
  const fits = fitsScratch();
  if (fits != Status.OK) return fits;
  if (code == 100) stream.flags &= ~ExchangeFlag.CONTINUE_OWED;
  return writeHead(stream, code, block, len, -1, false, false);
}

/** Sends the final response's head. `contentLength` is -1 when it is not known. */
export function h2SendHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  const stream = changetype<H2Stream>(exchange);
  const status = checkHead(stream, code, block, len, contentLength, flags);
  if (status != Status.OK) return status;
  const fits = fitsScratch();
  if (fits != Status.OK) return fits;
  const isEnd = (flags & SendFlag.END) != 0;
  const isTunnel = (flags & SendFlag.TUNNEL) != 0;
  const hasContent = code != 304 && !isTunnel && !hasFlag(stream, ExchangeFlag.HEAD_ONLY);
  if (isEnd && contentLength > 0 && hasContent) return Status.BODY_SHORTER_THAN_DECLARED;
  const length = (isEnd && contentLength < 0) || code == 205 ? 0 : contentLength;
  return beginResponse(stream, code, block, len, length, isEnd, flags);
}

/** A whole response in one call: head and content. Answers how much of the content was taken. */
export function h2Respond(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  body: usize,
  bodyLen: u32,
  flags: u32,
): i32 {
  const stream = changetype<H2Stream>(exchange);
  const status = checkHead(stream, code, block, len, bodyLen, flags);
  if (status != Status.OK) return status;
  const fits = fitsScratch();
  if (fits != Status.OK) return fits;
  if (flags & SendFlag.TUNNEL) return Status.INVALID_ARGUMENT;
  const isHeadOnly = hasFlag(stream, ExchangeFlag.HEAD_ONLY);
  if (code == 304 && bodyLen != 0 && !isHeadOnly) return Status.BODY_NOT_ALLOWED;
  const isEnd = bodyLen == 0 || isHeadOnly;
  const release = flags & SendFlag.RELEASE;
  const sent = beginResponse(
    stream,
    code,
    block,
    len,
    bodyLen,
    isEnd,
    isEnd ? flags | SendFlag.END : flags & ~SendFlag.END,
  );
  if (sent != Status.OK || isEnd) return sent != Status.OK ? sent : bodyLen;
  return h2SendBody(exchange, body, bodyLen, SendFlag.END | release);
}

/** Whether the head of the block checked last can be encoded at all. */
function fitsScratch(): i32 {
  return blockBytesMax(checkedFieldCount) > SCRATCH_BYTES ? Status.FIELDS_TOO_LARGE : Status.OK;
}

function beginResponse(
  stream: H2Stream,
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
  const written = writeHead(stream, code, block, len, hasLength ? contentLength : -1, isEnd, true);
  if (written != Status.OK) return written;
  const connection = changetype<H2Connection>(stream.connection);
  stream.flags =
    (stream.flags | ExchangeFlag.HEAD_SENT) & ~(ExchangeFlag.CONTINUE_OWED | ExchangeFlag.UNDECIDED);
  if (code == 204 || code == 304 || isTunnel) stream.framing = BodyFraming.NONE;
  else stream.framing = contentLength >= 0 ? BodyFraming.LENGTH : BodyFraming.CHUNKED;
  stream.sendRemaining = contentLength >= 0 ? contentLength : 0;
  if (isTunnel) {
    stream.flags |= ExchangeFlag.TUNNEL;
    if (stream.tunnel == 0) emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, stream, 0, 0);
  }
  if (!isEnd) {
    stream.state = nextState(stream.state, StreamInput.SEND_HEADERS);
    return Status.OK;
  }
  if (flags & SendFlag.RELEASE) stream.flags |= ExchangeFlag.RELEASED;
  messageEnded(connection, stream);
  messageSent(connection, stream, StreamInput.SEND_HEADERS_END);
  return Status.OK;
}

/** Encodes a head into the connection's output. */
function writeHead(
  stream: H2Stream,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  isEnd: bool,
  isFinal: bool,
): i32 {
  const connection = changetype<H2Connection>(stream.connection);
  const capacity = blockBytesMax(checkedFieldCount);
  const dest = outputReserve(connection, connection.output, capacity);
  blockBegin(connection, dest, capacity);
  hpackEncodeHead(code, block, len);
  if (contentLength >= 0) hpackEncodeLength(contentLength);
  if (isFinal && !fieldBlockHasDate()) hpackEncodeDate(<u32>dateSecond(), datePtr());
  const written = blockEnd(FrameType.HEADERS, isEnd ? FrameFlag.END_STREAM : 0, stream.streamId);
  if (written >= 0 && outputCommit(<u32>written)) return Status.OK;
  // What was encoded and not sent would leave the peer's table behind.
  h2Abort(connection, Status.MEMORY_FULL);
  return Status.MEMORY_FULL;
}

/**
 * Sends content. Answers how much of it was taken, which is less than `len` when enough is queued: WRITABLE follows. With
 * SendFlag.END the message is complete once everything was taken.
 */
export function h2SendBody(exchange: Exchange, body: usize, len: u32, flags: u32): i32 {
  const stream = changetype<H2Stream>(exchange);
  if (!h2CanSendContent(stream)) return Status.INVALID_STATE;
  const connection = changetype<H2Connection>(stream.connection);
  const isEnd = (flags & SendFlag.END) != 0;
  const status = checkLength(stream, len, isEnd);
  if (status != Status.OK) return status;
  const isDropped = isSwallowed(stream);
  const taken = isDropped ? len : min(len, queueRoom(connection, stream));
  const ends = isEnd && taken == len;
  if (stream.framing == BodyFraming.LENGTH) stream.sendRemaining -= taken;
  // Before the last frame, since that may free the exchange.
  if (ends) {
    if (flags & SendFlag.RELEASE) stream.flags |= ExchangeFlag.RELEASED;
    messageEnded(connection, stream);
  }
  const queued = queueContent(connection, stream, body, isDropped ? 0 : taken, ends);
  if (queued != Status.OK) return queued;
  if (ends && isEndSent) return taken;
  if (taken < len && !hasFlag(stream, ExchangeFlag.WRITABLE_OWED)) {
    stream.flags |= ExchangeFlag.WRITABLE_OWED;
    connection.writableOwedCount++;
  }
  return taken;
}

/** Sends content that there is room for: at once as far as it can go, the rest from the stream's queue. */
export function queueContent(
  connection: H2Connection,
  stream: H2Stream,
  body: usize,
  len: u32,
  isEnd: bool,
): i32 {
  const sent = sendNow(connection, stream, body, len, isEnd);
  if (isEnd && isEndSent) return Status.OK;
  if (sent < len) {
    if (!byteQueueWrite(stream.output, body + sent, len - sent)) {
      h2Abort(connection, Status.MEMORY_FULL);
      return Status.MEMORY_FULL;
    }
    connection.queuedBytes += len - sent;
  }
  scheduleAdd(connection, stream);
  if (!stream.isReady && stream.output.length != 0) watchStall(connection, stream);
  return Status.OK;
}

/** Sends trailers and ends the message. They are left out where there is no content for them to follow. */
export function h2SendTrailers(exchange: Exchange, block: usize, len: u32): i32 {
  const stream = changetype<H2Stream>(exchange);
  if (!h2CanSendContent(stream)) return Status.INVALID_STATE;
  const status = checkBlock(block, len);
  if (status != Status.OK) return status;
  const fits = fitsScratch();
  if (fits != Status.OK) return fits;
  const length = checkLength(stream, 0, true);
  if (length != Status.OK) return length;
  const isLeftOut = hasFlag(stream, ExchangeFlag.HEAD_ONLY) || stream.framing == BodyFraming.NONE;
  if (len == 0 || isLeftOut) {
    const ended = h2SendBody(exchange, 0, 0, SendFlag.END);
    return ended < 0 ? ended : Status.OK;
  }
  const connection = changetype<H2Connection>(stream.connection);
  const kept = slabAllocate(len);
  if (kept == 0) return Status.MEMORY_FULL;
  memory.copy(kept, block, len);
  stream.trailersOut = kept;
  stream.trailersOutLen = len;
  stream.trailersRoom = blockBytesMax(checkedFieldCount);
  messageEnded(connection, stream);
  scheduleAdd(connection, stream);
  return Status.OK;
}

/**
 * The host wants content and has consumed `consumed` bytes of what it was told. The first call sends the 100 (Continue) that
 * the client waits for (RFC 9110 §10.1.1).
 */
export function h2ReadBody(exchange: Exchange, consumed: u32): i32 {
  const stream = changetype<H2Stream>(exchange);
  // Told before the answer or the end, consumed after.
  if (hasFlag(stream, ExchangeFlag.DISCARD) || hasFlag(stream, ExchangeFlag.ABORTED)) return Status.OK;
  if (consumed > stream.unconsumedBytes) return Status.INVALID_ARGUMENT;
  const connection = changetype<H2Connection>(stream.connection);
  consumeContent(connection, stream, consumed);
  if (hasFlag(stream, ExchangeFlag.CONTINUE_OWED)) {
    stream.flags &= ~ExchangeFlag.CONTINUE_OWED;
    checkBlock(0, 0);
    const sent = writeHead(stream, 100, 0, 0, -1, false, false);
    if (sent != Status.OK) return sent;
    watchBody(connection, stream);
  }
  updateWindows(connection, stream);
  return Status.OK;
}

/** The head is sent, and the end not yet. */
export function h2CanSendContent(stream: H2Stream): bool {
  const isOpen = hasFlag(stream, ExchangeFlag.HEAD_SENT) && !hasFlag(stream, ExchangeFlag.ABORTED);
  return isOpen && !stream.isEndQueued;
}
