/**
 * Sending HTTP/1.1: the commands of the host on one exchange. RFC 9112 §6 and §7, RFC 9110 §6.4 and §15.
 *
 * Commands check first and write then: a command that answers a negative status has changed nothing. An exchange that is not
 * the first of its connection writes to its own queue, which joins the connection's when its turn comes; so answers leave in
 * the order of their requests, whenever handlers finish (RFC 9112 §9.3.2).
 */
import { Limit } from "../abi/limit.ts";
import { Method, Role, SendFlag } from "../abi/message.ts";
import { EventFlag, EventKind } from "../abi/event.ts";
import { Status } from "../abi/status.ts";
import { ByteQueue } from "../core/byte_queue.ts";
import { fieldBlockCheck, fieldBlockHasDate } from "../http/field_block.ts";
import { ConnectionFlag, ConnectionState } from "../session/connection.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { outputCommit, outputPending, outputReserve, outputWrite } from "../session/output.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import { chunkedWriteSize, CHUNK_SIZE_LINE_MAX } from "./chunked.ts";
import { H1Connection, ReceiveState } from "./connection.ts";
import {
  headBytesMax,
  writeConnection,
  writeContentLength,
  writeDate,
  writeFields,
  writeLineEnd,
  writeStatusLine,
  writeTransferEncoding,
} from "./head_writer.ts";
import { inputRetire } from "./input.ts";
import { messageSent } from "./lifecycle.ts";
import { beginBodyWindow, isInputHeld, updateReading } from "./reading.ts";
import { resume } from "./receive.ts";
import { isVersion10 } from "./server.ts";

/** What an exchange may queue that waits for others, so that a pipeline cannot queue many times the limit. */
const WAITING_OUTPUT_BYTES: u32 = 16384;
/** RFC 9110 §15: codes outside 100 … 599 are invalid. */
const STATUS_CODE_MAX: u32 = 599;
const CRLF_BYTES: u32 = 2;
/** "0\r\n\r\n" */
const LAST_CHUNK_BYTES: u32 = 5;

/** Sends an interim response other than 101. It is left out for HTTP/1.0 clients (RFC 9110 §15.2). */
export function h1SendInformational(exchange: Exchange, code: u32, block: usize, len: u32): i32 {
  if (hasFlag(exchange, ExchangeFlag.HEAD_SENT)) return Status.INVALID_STATE;
  if (code < 100 || code > 199 || code == 101) return Status.STATUS_CODE_INVALID;
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  if (headBytesMax() > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;
  if (isVersion10(exchange)) return Status.OK;
  const connection = changetype<H1Connection>(exchange.connection);
  const dest = outputReserve(connection, queueOf(connection, exchange), headBytesMax());
  let at = writeStatusLine(dest, code);
  at = writeFields(at, block, len);
  at = writeLineEnd(at);
  if (!outputCommit(<u32>(at - dest))) return Status.MEMORY_FULL;
  if (code == 100) contentAwaited(connection, exchange);
  return Status.OK;
}

/**
 * Sends the final response's head. `contentLength` is -1 when it is not known: then the content is chunked, or ends with
 * the connection for an HTTP/1.0 client.
 */
export function h1SendHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  const status = checkHead(exchange, code, block, len, flags, contentLength);
  if (status != Status.OK) return status;
  const isEnd = (flags & SendFlag.END) != 0;
  const hasContent =
    code != 304 && (flags & SendFlag.TUNNEL) == 0 && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY);
  if (isEnd && contentLength > 0 && hasContent) return Status.BODY_SHORTER_THAN_DECLARED;
  const isEmpty = (isEnd && contentLength < 0) || code == 205;
  return writeHead(exchange, code, block, len, isEmpty ? 0 : contentLength, flags);
}

/** A whole response in one call: head and content. Answers how much of the content was taken. */
export function h1Respond(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  body: usize,
  bodyLen: u32,
  flags: u32,
): i32 {
  const status = checkHead(exchange, code, block, len, flags, bodyLen);
  if (status != Status.OK) return status;
  if (flags & SendFlag.TUNNEL) return Status.INVALID_ARGUMENT;
  if (code == 304 && bodyLen != 0 && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY))
    return Status.BODY_NOT_ALLOWED;
  const sent = writeHead(exchange, code, block, len, bodyLen, flags & ~SendFlag.END);
  if (sent != Status.OK) return sent;
  return h1SendBody(exchange, body, bodyLen, SendFlag.END | (flags & SendFlag.RELEASE));
}

function checkHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  flags: u32,
  contentLength: i64,
): i32 {
  if (hasFlag(exchange, ExchangeFlag.HEAD_SENT)) return Status.INVALID_STATE;
  const isTunnel = (flags & SendFlag.TUNNEL) != 0;
  if (isTunnel) {
    if (!hasFlag(exchange, ExchangeFlag.UNDECIDED) || !hasFlag(exchange, ExchangeFlag.RECEIVED))
      return Status.INVALID_STATE;
    if (methodOf(exchange) == Method.CONNECT ? code < 200 || code > 299 : code != 101)
      return Status.STATUS_CODE_INVALID;
  } else if (code < 200 || code > STATUS_CODE_MAX) {
    return Status.STATUS_CODE_INVALID;
  }
  // RFC 9110 §15.3.5, §15.3.6: neither has content.
  if ((code == 204 || code == 205) && contentLength > 0) return Status.BODY_NOT_ALLOWED;
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  return headBytesMax() > SCRATCH_BYTES ? Status.FIELDS_TOO_LARGE : Status.OK;
}

function writeHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  const connection = changetype<H1Connection>(exchange.connection);
  const isTunnel = (flags & SendFlag.TUNNEL) != 0;
  const framing = chooseFraming(exchange, code, contentLength, flags);
  const isLast = isTunnel || decideLast(connection, exchange, framing, flags);

  const dest = outputReserve(connection, queueOf(connection, exchange), headBytesMax());
  let at = writeStatusLine(dest, code);
  at = writeFields(at, block, len);
  if (framing == BodyFraming.CHUNKED) at = writeTransferEncoding(at);
  // RFC 9110 §8.6: none with 1xx, 204 and 2xx to CONNECT; with 304 it would describe another response.
  else if (contentLength >= 0 && code >= 200 && code != 204 && code != 304 && !isTunnel) {
    at = writeContentLength(at, contentLength);
  }
  if (!fieldBlockHasDate()) at = writeDate(at);
  if (isTunnel) {
    if (code == 101) at = writeConnection(at, "upgrade");
  } else if (isLast) {
    at = writeConnection(at, "close");
  } else if (isVersion10(exchange)) {
    at = writeConnection(at, "keep-alive");
  }
  at = writeLineEnd(at);
  if (!outputCommit(<u32>(at - dest))) return Status.MEMORY_FULL;

  exchange.flags |= ExchangeFlag.HEAD_SENT;
  contentAwaited(connection, exchange);
  if (isLast) exchange.flags |= ExchangeFlag.LAST;
  if (flags & SendFlag.TRAILERS) exchange.flags |= ExchangeFlag.TRAILERS;
  exchange.framing = framing;
  exchange.sendRemaining = framing == BodyFraming.LENGTH ? contentLength : 0;
  if (isTunnel) beginTunnel(connection, exchange);
  else if (hasFlag(exchange, ExchangeFlag.UNDECIDED)) refuseTunnel(connection, exchange);
  if ((flags & SendFlag.RELEASE) != 0 && (flags & SendFlag.END) != 0) exchange.flags |= ExchangeFlag.RELEASED;
  if (flags & SendFlag.END) return endMessage(connection, exchange);
  return Status.OK;
}

/** RFC 9112 §6.3 read from the sender's side. */
function chooseFraming(exchange: Exchange, code: u32, contentLength: i64, flags: u32): u32 {
  if (flags & SendFlag.TUNNEL) return BodyFraming.NONE;
  if (code == 204 || code == 304) return BodyFraming.NONE;
  if (contentLength >= 0) return BodyFraming.LENGTH;
  if (hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) return BodyFraming.NONE;
  return isVersion10(exchange) ? BodyFraming.UNTIL_CLOSE : BodyFraming.CHUNKED;
}

/** Whether the connection closes after this response. */
function decideLast(connection: H1Connection, exchange: Exchange, framing: u32, flags: u32): bool {
  if (hasFlag(exchange, ExchangeFlag.LAST) || (flags & SendFlag.CLOSE) != 0) return true;
  if (framing == BodyFraming.UNTIL_CLOSE) return true;
  const isNewest = connection.lastExchange == changetype<usize>(exchange);
  // An error response still follows, which closes; unless the answer that was under way made one impossible.
  if (connection.state == ConnectionState.FAILED) return isNewest && connection.answerBegun != 0;
  if (connection.state != ConnectionState.OPEN) return isNewest;
  if (connection.flags & ConnectionFlag.PEER_ENDED) return isNewest && !isInputHeld(connection);
  if (hasFlag(exchange, ExchangeFlag.RECEIVED)) return false;
  // The client waits for 100 (Continue): whether it will send the content after this answer is anybody's guess.
  if (hasFlag(exchange, ExchangeFlag.CONTINUE_OWED)) return true;
  // More than will be drained is still to come.
  return (
    connection.receiveState == ReceiveState.LENGTH && <f64>connection.remaining > limitOf(Limit.DRAIN_BYTES)
  );
}

/**
 * Sends content. Answers how much of it was taken, which is less than `len` when the output is full: WRITABLE follows.
 * With SendFlag.END the message is complete once everything was taken.
 */
export function h1SendBody(exchange: Exchange, body: usize, len: u32, flags: u32): i32 {
  if (!hasFlag(exchange, ExchangeFlag.HEAD_SENT) || hasFlag(exchange, ExchangeFlag.SENT))
    return Status.INVALID_STATE;
  const connection = changetype<H1Connection>(exchange.connection);
  const isEnd = (flags & SendFlag.END) != 0;
  const status = checkLength(exchange, len, isEnd);
  if (status != Status.OK) return status;
  let taken = len;
  if (len != 0 && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY) && exchange.framing != BodyFraming.NONE) {
    taken = min(len, outputRoom(connection, exchange));
    if (taken != 0 && !writeContent(connection, exchange, body, taken)) return Status.MEMORY_FULL;
  } else if (hasFlag(exchange, ExchangeFlag.TUNNEL) && len != 0) {
    taken = min(len, outputRoom(connection, exchange));
    if (taken != 0 && !outputWrite(connection, queueOf(connection, exchange), body, taken))
      return Status.MEMORY_FULL;
  }
  if (exchange.framing == BodyFraming.LENGTH) exchange.sendRemaining -= taken;
  if (taken < len) {
    limitHit(Limit.OUTPUT_BYTES);
    exchange.flags |= ExchangeFlag.WRITABLE_OWED;
    return taken;
  }
  if (flags & SendFlag.RELEASE) exchange.flags |= ExchangeFlag.RELEASED;
  if (isEnd) {
    const ended = endMessage(connection, exchange);
    if (ended != Status.OK) return ended;
  }
  return taken;
}

/**
 * Frames content that the host writes to its socket itself, right after what `pollTransmit` gives: the head and, in chunked
 * content, the size. WOULD_BLOCK unless the exchange is the first of its connection. The content ends with a `sendBody` of
 * no bytes and SendFlag.END.
 */
export function h1FrameBody(exchange: Exchange, len: u64): i32 {
  if (!hasFlag(exchange, ExchangeFlag.HEAD_SENT) || hasFlag(exchange, ExchangeFlag.SENT))
    return Status.INVALID_STATE;
  if (hasFlag(exchange, ExchangeFlag.HEAD_ONLY) || len == 0) return Status.INVALID_ARGUMENT;
  const connection = changetype<H1Connection>(exchange.connection);
  if (connection.firstExchange != changetype<usize>(exchange)) {
    exchange.flags |= ExchangeFlag.WRITABLE_OWED;
    return Status.WOULD_BLOCK;
  }
  if (exchange.framing == BodyFraming.LENGTH) {
    if (len > exchange.sendRemaining) return Status.BODY_LONGER_THAN_DECLARED;
    exchange.sendRemaining -= len;
  } else if (exchange.framing == BodyFraming.CHUNKED) {
    const dest = outputReserve(connection, connection.output, CHUNK_SIZE_LINE_MAX + CRLF_BYTES);
    const at = closeChunk(exchange, dest);
    if (!outputCommit(<u32>(at - dest) + chunkedWriteSize(at, len))) return Status.MEMORY_FULL;
    exchange.flags |= ExchangeFlag.CHUNK_OPEN;
  } else if (exchange.framing == BodyFraming.NONE && !hasFlag(exchange, ExchangeFlag.TUNNEL)) {
    return Status.BODY_NOT_ALLOWED;
  }
  return Status.OK;
}

/** Sends trailers and ends the message. They are left out where the framing has no room for them. */
export function h1SendTrailers(exchange: Exchange, block: usize, len: u32): i32 {
  if (!hasFlag(exchange, ExchangeFlag.HEAD_SENT) || hasFlag(exchange, ExchangeFlag.SENT))
    return Status.INVALID_STATE;
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  if (headBytesMax() > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;
  const status = checkLength(exchange, 0, true);
  if (status != Status.OK) return status;
  const connection = changetype<H1Connection>(exchange.connection);
  if (exchange.framing == BodyFraming.CHUNKED && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) {
    const dest = outputReserve(connection, queueOf(connection, exchange), headBytesMax());
    let at = closeChunk(exchange, dest);
    store<u8>(at, 0x30);
    at = writeLineEnd(at + 1);
    at = writeFields(at, block, len);
    at = writeLineEnd(at);
    if (!outputCommit(<u32>(at - dest))) return Status.MEMORY_FULL;
  }
  if (messageSent(exchange)) resume(connection);
  return Status.OK;
}

/**
 * The host wants content and has consumed `consumed` bytes of what it was told. The first call sends the 100 (Continue) that
 * the client waits for (RFC 9110 §10.1.1); a paused peer is read again once half the window is free.
 */
export function h1ReadBody(exchange: Exchange, consumed: u32): i32 {
  // Told before the answer was complete, consumed after.
  if (hasFlag(exchange, ExchangeFlag.DISCARD)) return Status.OK;
  if (consumed > exchange.unconsumedBytes) return Status.INVALID_ARGUMENT;
  const connection = changetype<H1Connection>(exchange.connection);
  exchange.unconsumedBytes -= consumed;
  if (hasFlag(exchange, ExchangeFlag.CONTINUE_OWED)) {
    const dest = outputReserve(connection, queueOf(connection, exchange), 64);
    if (!outputCommit(<u32>(writeLineEnd(writeStatusLine(dest, 100)) - dest))) return Status.MEMORY_FULL;
    contentAwaited(connection, exchange);
  }
  if (exchange.unconsumedBytes <= limitU32(Limit.READ_WINDOW_BYTES) / 2) updateReading(connection);
  return Status.OK;
}

/** A client that waited for 100 (Continue) need not wait any longer: from here on its content can be late. */
function contentAwaited(connection: H1Connection, exchange: Exchange): void {
  if (!hasFlag(exchange, ExchangeFlag.CONTINUE_OWED)) return;
  exchange.flags &= ~ExchangeFlag.CONTINUE_OWED;
  if (connection.receiving == changetype<usize>(exchange)) beginBodyWindow(connection);
}

/** Where the exchange's output goes now. */
function queueOf(connection: H1Connection, exchange: Exchange): ByteQueue {
  return connection.firstExchange == changetype<usize>(exchange) ? connection.output : exchange.output;
}

/** Content that can be taken now. */
function outputRoom(connection: H1Connection, exchange: Exchange): u32 {
  const isFirst = connection.firstExchange == changetype<usize>(exchange);
  const limit = isFirst ? limitU32(Limit.OUTPUT_BYTES) : WAITING_OUTPUT_BYTES;
  const queued = isFirst ? outputPending(connection) : exchange.output.length;
  return queued < limit ? limit - queued : 0;
}

function checkLength(exchange: Exchange, len: u32, isEnd: bool): i32 {
  if (exchange.framing == BodyFraming.LENGTH) {
    if (<u64>len > exchange.sendRemaining) return Status.BODY_LONGER_THAN_DECLARED;
    const isShort = isEnd && <u64>len < exchange.sendRemaining;
    if (isShort && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) return Status.BODY_SHORTER_THAN_DECLARED;
  } else if (exchange.framing == BodyFraming.NONE && len != 0) {
    const swallowed = hasFlag(exchange, ExchangeFlag.HEAD_ONLY) || hasFlag(exchange, ExchangeFlag.TUNNEL);
    if (!swallowed) return Status.BODY_NOT_ALLOWED;
  }
  return Status.OK;
}

function writeContent(connection: H1Connection, exchange: Exchange, body: usize, len: u32): bool {
  const queue = queueOf(connection, exchange);
  if (exchange.framing != BodyFraming.CHUNKED) return outputWrite(connection, queue, body, len);
  const dest = outputReserve(connection, queue, CHUNK_SIZE_LINE_MAX + CRLF_BYTES);
  const at = closeChunk(exchange, dest);
  if (!outputCommit(<u32>(at - dest) + chunkedWriteSize(at, len))) return false;
  exchange.flags |= ExchangeFlag.CHUNK_OPEN;
  return outputWrite(connection, queue, body, len);
}

/** Writes the CRLF that the data of the chunk before still needs. */
function closeChunk(exchange: Exchange, dest: usize): usize {
  if (!hasFlag(exchange, ExchangeFlag.CHUNK_OPEN)) return dest;
  exchange.flags &= ~ExchangeFlag.CHUNK_OPEN;
  return writeLineEnd(dest);
}

function endMessage(connection: H1Connection, exchange: Exchange): i32 {
  if (exchange.framing == BodyFraming.CHUNKED && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) {
    const dest = outputReserve(connection, queueOf(connection, exchange), CRLF_BYTES + LAST_CHUNK_BYTES);
    let at = closeChunk(exchange, dest);
    store<u8>(at, 0x30);
    at = writeLineEnd(writeLineEnd(at + 1));
    if (!outputCommit(<u32>(at - dest))) return Status.MEMORY_FULL;
  }
  if (messageSent(exchange)) resume(connection);
  return Status.OK;
}

/** 101, or 2xx to CONNECT: what arrives from here on belongs to the tunnel. RFC 9110 §7.8, §9.3.6. */
function beginTunnel(connection: H1Connection, exchange: Exchange): void {
  exchange.flags &= ~(ExchangeFlag.UNDECIDED | ExchangeFlag.RECEIVED);
  exchange.flags |= ExchangeFlag.TUNNEL;
  connection.receiving = changetype<usize>(exchange);
  connection.receiveState = ReceiveState.TUNNEL;
  if (exchange.tunnel == 0) emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, exchange, 0, 0);
  resume(connection);
}

/** An answer that keeps to HTTP: whatever was held back is the next request. */
function refuseTunnel(connection: H1Connection, exchange: Exchange): void {
  exchange.flags &= ~ExchangeFlag.UNDECIDED;
  if (connection.receiveState != ReceiveState.HELD) return;
  if (hasFlag(exchange, ExchangeFlag.LAST) || connection.state != ConnectionState.OPEN) {
    connection.receiveState = ReceiveState.IGNORE;
    inputRetire(connection);
    updateReading(connection);
    return;
  }
  resume(connection);
}

export function methodOf(exchange: Exchange): u32 {
  return exchange.kind & 0xff;
}

export function isClient(exchange: Exchange): bool {
  return changetype<H1Connection>(exchange.connection).role == Role.CLIENT;
}
