/**
 * The client's side: requests out, responses in. RFC 9112 §3.2, §6.3, §9.3.
 *
 * One exchange is open at a time; the next may begin once the connection has said that it persists (both sides complete).
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldLane, MessageFlag, MessageLane, Method, Role, SendFlag, Version } from "../abi/message.ts";
import { Limit } from "../abi/limit.ts";
import { Counter } from "../abi/counter.ts";
import { FieldName } from "../abi/field_name.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate } from "../core/slab.ts";
import { areCharacters, CharClass } from "../http/characters.ts";
import { entryNameId, entryNext, fieldBlockCheck } from "../http/field_block.ts";
import { readMethod } from "../http/method.ts";
import { ConnectionState } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import {
  BodyFraming,
  Exchange,
  exchangeCreate,
  exchangeDestroy,
  exchangeDetach,
  ExchangeFlag,
  hasFlag,
} from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import { retireBlock } from "../session/retired.ts";
import { tunnelAnswered } from "../session/tunnel.ts";
import { chunkedBegin } from "./chunked.ts";
import { H1Connection, ReceiveState } from "./connection.ts";
import {
  headBytesMax,
  writeConnection,
  writeContentLength,
  writeFields,
  writeLineEnd,
  writeTransferEncoding,
} from "./head_writer.ts";
import { sectionCount, sectionRecords } from "./head.ts";
import { messageReceived, messageSent } from "./lifecycle.ts";
import {
  isBodiless,
  readMessageRules,
  rulesChunked,
  rulesContentLength,
  rulesPersist,
} from "./message_rules.ts";
import { beginBodyWindow } from "./reading.ts";
import { lineStatusCode, lineVersion } from "./start_line.ts";
import { writeAscii } from "../http/ascii.ts";

const UNKNOWN_LANE: u32 = 0xffffffff;
/** In front of an interim head: the link of retired blocks, and what keeps its lanes aligned. */
const INTERIM_OFFSET: u32 = 16;
const MESSAGE_BYTES: u32 = MessageLane.COUNT * sizeof<u32>();

/**
 * Opens an exchange and sends the request's head. Answers the exchange's handle. The field block holds a host field
 * (RFC 9112 §3.2); `contentLength` is -1 for content of unknown length, which is chunked. WOULD_BLOCK while another exchange
 * is open.
 */
export function h1OpenExchange(
  connection: H1Connection,
  method: usize,
  methodLen: u32,
  target: usize,
  targetLen: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  if (connection.state != ConnectionState.OPEN) return Status.INVALID_STATE;
  if (connection.firstExchange != 0) return Status.WOULD_BLOCK;
  if (methodLen == 0 || methodLen > limitU32(Limit.METHOD_BYTES)) return Status.METHOD_INVALID;
  if (!areCharacters(method, methodLen, CharClass.TCHAR)) return Status.METHOD_INVALID;
  if (targetLen == 0 || targetLen > limitU32(Limit.TARGET_BYTES)) return Status.TARGET_INVALID;
  if (!areCharacters(target, targetLen, CharClass.TARGET)) return Status.TARGET_INVALID;
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  if (!hasHost(block, len)) return Status.HOST_MISSING;
  const isEnd = (flags & SendFlag.END) != 0;
  const methodId = readMethod(method, methodLen);
  if (isEnd && contentLength > 0) return Status.BODY_SHORTER_THAN_DECLARED;
  // RFC 9110 §9.3.6: CONNECT has no content.
  if (methodId == Method.CONNECT && !isEnd) return Status.BODY_NOT_ALLOWED;
  const headMax = headBytesMax() + methodLen + targetLen;
  if (headMax > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;

  const ptr = exchangeCreate(connection, 0, methodLen + targetLen);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const exchange = changetype<Exchange>(ptr);
  memory.copy(exchange.bytesPtr, method, methodLen);
  memory.copy(exchange.bytesPtr + methodLen, target, targetLen);
  exchange.methodPtr = exchange.bytesPtr;
  exchange.methodLen = methodLen;
  exchange.targetPtr = exchange.bytesPtr + methodLen;
  exchange.targetLen = targetLen;
  exchange.kind = methodId | (Version.HTTP_1_1 << 8);

  const dest = outputReserve(connection, connection.output, headMax);
  memory.copy(dest, method, methodLen);
  let at = dest + methodLen;
  store<u8>(at++, 0x20);
  memory.copy(at, target, targetLen);
  at += targetLen;
  at += writeAscii(at, " HTTP/1.1");
  at = writeLineEnd(at);
  at = writeFields(at, block, len);
  if (!isEnd && contentLength < 0) {
    at = writeTransferEncoding(at);
    exchange.framing = BodyFraming.CHUNKED;
  } else if (!isEnd || contentLength >= 0) {
    at = writeContentLength(at, max<i64>(contentLength, 0));
    exchange.framing = BodyFraming.LENGTH;
    exchange.sendRemaining = max<i64>(contentLength, 0);
  }
  if (flags & SendFlag.CLOSE) {
    at = writeConnection(at, "close");
    exchange.flags |= ExchangeFlag.LAST;
  } else if ((flags & SendFlag.TUNNEL) != 0 && methodId != Method.CONNECT) {
    at = writeConnection(at, "upgrade");
    exchange.flags |= ExchangeFlag.UNDECIDED;
  }
  at = writeLineEnd(at);
  if (!outputCommit(<u32>(at - dest))) {
    exchangeDetach(exchange);
    exchangeDestroy(exchange);
    return Status.MEMORY_FULL;
  }
  exchange.flags |= ExchangeFlag.HEAD_SENT;
  connection.receiving = ptr;
  count(Counter.EXCHANGES_H1);
  setReadDeadline(connection, limitOf(Limit.BODY_WINDOW_MS), Status.BODY_TIMEOUT);
  if (isEnd) messageSent(exchange);
  return exchange.handle;
}

/** Takes a response whose head lies at [head, head + len). Status.OK, or why it is refused. */
export function beginResponse(connection: H1Connection, head: usize, len: u32): i32 {
  if (connection.receiving == 0) return Status.H1_UNEXPECTED_RESPONSE;
  const exchange = changetype<Exchange>(connection.receiving);
  const code = lineStatusCode;
  const version = lineVersion;
  const method = exchange.kind & 0xff;
  const status = readMessageRules(sectionRecords, sectionCount, head, version, Role.CLIENT);
  if (status != Status.OK) return status;
  if (code < 200 && code != 101) return tellInformational(exchange, head, len);
  const isTunnel = code == 101 || (method == Method.CONNECT && code < 300);
  // RFC 9110 §15.2.2: nobody switches to what was not asked for, or before the request is complete.
  const isAsked = method == Method.CONNECT || hasFlag(exchange, ExchangeFlag.UNDECIDED);
  if (isTunnel && (!isAsked || !hasFlag(exchange, ExchangeFlag.SENT))) return Status.H1_UNEXPECTED_RESPONSE;
  const bodiless = isBodiless(method, code);
  const isUntilClose = !bodiless && !rulesChunked && rulesContentLength < 0;
  const hasBody = !bodiless && (rulesChunked || isUntilClose || rulesContentLength > 0);
  if (hasBody && <f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return Status.BODY_TOO_LARGE;
  }
  if (!keepHead(exchange, head, len)) return Status.MEMORY_FULL;
  exchange.flags &= ~ExchangeFlag.UNDECIDED;
  exchange.statusCode = code;
  if (isTunnel && exchange.tunnel != 0) {
    const answered = tunnelAnswered(exchange);
    if (answered != Status.OK) return answered;
  }
  const hasLength = !rulesChunked && rulesContentLength >= 0;
  exchange.contentLengthLow = hasLength ? <u32>rulesContentLength : hasBody ? UNKNOWN_LANE : 0;
  exchange.contentLengthHigh = hasLength ? <u32>(rulesContentLength >> 32) : hasBody ? UNKNOWN_LANE : 0;
  if (!rulesPersist(version) || isUntilClose) exchange.flags |= ExchangeFlag.LAST;
  exchange.kind = method | (version << 8) | ((hasBody ? MessageFlag.HAS_BODY : 0) << 16);
  emitExchangeEvent(EventKind.RESPONSE, EventFlag.NONE, exchange, <u32>changetype<usize>(exchange), code);
  if (isTunnel) {
    exchange.flags = (exchange.flags | ExchangeFlag.TUNNEL | ExchangeFlag.LAST) & ~ExchangeFlag.SENT;
    exchange.framing = BodyFraming.NONE;
    connection.receiveState = ReceiveState.TUNNEL;
    connection.readDeadlineMs = 0;
    if (exchange.tunnel == 0) emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, exchange, 0, 0);
    return Status.OK;
  }
  if (!hasBody) {
    messageReceived(connection);
    return Status.OK;
  }
  if (rulesChunked) {
    chunkedBegin(connection);
    connection.receiveState = ReceiveState.CHUNKED;
  } else if (isUntilClose) {
    connection.receiveState = ReceiveState.UNTIL_CLOSE;
  } else {
    connection.remaining = rulesContentLength;
    connection.receiveState = ReceiveState.LENGTH;
  }
  beginBodyWindow(connection);
  return Status.OK;
}

/**
 * Tells an interim response. Its head lies in a block of its own, as the final response's may arrive before the host has
 * read this one.
 *
 *     block  0       16             16 + MESSAGE_BYTES
 *            +-------+--------------+---------+-------+
 *            | next  | message head | records | bytes |
 *            +-------+--------------+---------+-------+
 */
function tellInformational(exchange: Exchange, head: usize, len: u32): i32 {
  const recordBytes = sectionCount * (FieldLane.COUNT * sizeof<u32>());
  const block = slabAllocate(INTERIM_OFFSET + MESSAGE_BYTES + recordBytes + len);
  if (block == 0) return Status.MEMORY_FULL;
  const interim = block + INTERIM_OFFSET;
  const records = interim + MESSAGE_BYTES;
  memory.fill(interim, 0, MESSAGE_BYTES);
  memory.copy(records, sectionRecords, recordBytes);
  memory.copy(records + recordBytes, head, len);
  store<u32>(interim, exchange.handle, MessageLane.HANDLE << 2);
  store<u32>(interim, lineVersion << 8, MessageLane.KIND << 2);
  store<u32>(interim, <u32>(records + recordBytes), MessageLane.BYTES_PTR << 2);
  store<u32>(interim, <u32>records, MessageLane.FIELDS_PTR << 2);
  store<u32>(interim, sectionCount, MessageLane.FIELD_COUNT << 2);
  store<u32>(interim, lineStatusCode, MessageLane.STATUS_CODE << 2);
  store<u32>(interim, exchange.streamId, MessageLane.STREAM_ID << 2);
  emitExchangeEvent(EventKind.INFORMATIONAL, EventFlag.NONE, exchange, <u32>interim, lineStatusCode);
  retireBlock(block);
  return Status.OK;
}

/** Copies records and bytes of a final response's head into a block of the exchange. */
function keepHead(exchange: Exchange, head: usize, len: u32): bool {
  const recordBytes = sectionCount * (FieldLane.COUNT * sizeof<u32>());
  const block = slabAllocate(recordBytes + len);
  if (block == 0) return false;
  exchange.headBlock = block;
  memory.copy(block, sectionRecords, recordBytes);
  memory.copy(block + recordBytes, head, len);
  exchange.fieldsPtr = block;
  exchange.bytesPtr = block + recordBytes;
  exchange.fieldCount = sectionCount;
  return true;
}

function hasHost(block: usize, len: u32): bool {
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entryNameId(entry) == FieldName.HOST) return true;
  }
  return false;
}
