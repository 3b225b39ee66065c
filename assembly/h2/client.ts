/**
 * The client's side: requests out, responses in. RFC 9113 §8.3.1, §8.3.2, §8.1.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { MessageFlag, MessageLane, Method, OpenFlag, SendFlag, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate } from "../core/slab.ts";
import { hpackEncodeField, hpackEncodeLength } from "../hpack/encoder.ts";
import { isAuthority } from "../http/authority.ts";
import { areCharacters, CharClass } from "../http/characters.ts";
import { writeAscii } from "../http/ascii.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
  fieldBlockCheck,
} from "../http/field_block.ts";
import { fieldSectionCount, fieldSectionStore, fieldSectionStoredBytes } from "../http/field_section.ts";
import { readMethod } from "../http/method.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { ConnectionState } from "../session/connection.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import { retireBlock } from "../session/retired.ts";
import { tunnelAnswered } from "../session/tunnel.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { watchBodies } from "./deadlines.ts";
import { FrameFlag, FrameType, STREAM_ID_MAX } from "./frame.ts";
import { blockBegin, blockBytesMax, blockEnd } from "./header_block.ts";
import { h2Abort, streamError } from "./lifecycle.ts";
import { messageReceived, messageSent } from "./message.ts";
import {
  isBodiless,
  readResponseRules,
  rulesContentLength,
  rulesFirstField,
  rulesStatusCode,
} from "./message_rules.ts";
import { hasForbidden } from "./send.ts";
import { sectionStatus } from "./server.ts";
import { streamCreate, H2Stream } from "./stream.ts";
import { StreamInput, StreamState } from "./stream_state.ts";

const UNKNOWN_LANE: u32 = 0xffffffff;
const MESSAGE_BYTES: u32 = MessageLane.COUNT * sizeof<u32>();
/** In front of an interim head: the link of retired blocks, and what keeps its lanes aligned. */
const INTERIM_OFFSET: u32 = 16;

/** "https" and "http" as bytes. */
const schemes: usize = memory.data(48, 16);

/**
 * Opens an exchange and sends the request's head; the host field of the block becomes `:authority`. Answers the exchange's
 * handle. WOULD_BLOCK while the peer allows no further stream.
 */
export function h2OpenExchange(
  connection: H2Connection,
  method: usize,
  methodLen: u32,
  target: usize,
  targetLen: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  if (connection.state != ConnectionState.OPEN || hasH2Flag(connection, H2Flag.GOAWAY_RECEIVED)) {
    return Status.INVALID_STATE;
  }
  if (connection.nextLocalId > STREAM_ID_MAX) return Status.INVALID_STATE;
  if (connection.localExchangeCount >= connection.remoteStreamCount) return Status.WOULD_BLOCK;
  if (methodLen == 0 || methodLen > limitU32(Limit.METHOD_BYTES)) return Status.METHOD_INVALID;
  if (!areCharacters(method, methodLen, CharClass.TCHAR)) return Status.METHOD_INVALID;
  if (targetLen == 0 || targetLen > limitU32(Limit.TARGET_BYTES)) return Status.TARGET_INVALID;
  if (!areCharacters(target, targetLen, CharClass.TARGET)) return Status.TARGET_INVALID;
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  const methodId = readMethod(method, methodLen);
  // RFC 8441 §4: with `upgrade` in the block, CONNECT names a protocol, and keeps scheme and path.
  const isExtended = methodId == Method.CONNECT && (flags & SendFlag.TUNNEL) != 0;
  const protocol = isExtended ? findEntry(block, len, FieldName.UPGRADE) : 0;
  if (isExtended) {
    if (!hasH2Flag(connection, H2Flag.SETTINGS_RECEIVED)) return Status.WOULD_BLOCK;
    if (!hasH2Flag(connection, H2Flag.EXTENDED_CONNECT)) return Status.INVALID_STATE;
    if (protocol == 0) return Status.INVALID_ARGUMENT;
  } else if (hasForbidden(block, len)) {
    return Status.FIELD_FORBIDDEN;
  }
  const host = findEntry(block, len, FieldName.HOST);
  if (host == 0 || !isAuthority(entryValuePtr(host), entryValueLen(host))) return Status.HOST_MISSING;
  const isEnd = (flags & SendFlag.END) != 0;
  if (isEnd && contentLength > 0) return Status.BODY_SHORTER_THAN_DECLARED;
  if (methodId == Method.CONNECT && isEnd) return Status.INVALID_ARGUMENT;
  const headMax = blockBytesMax(fieldCount) + methodLen + targetLen;
  if (headMax > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;

  const streamId = connection.nextLocalId;
  const ptr = streamCreate(connection, streamId, StreamState.OPEN, true, 0, methodLen + targetLen);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  connection.nextLocalId += 2;
  const stream = changetype<H2Stream>(ptr);
  memory.copy(stream.bytesPtr, method, methodLen);
  memory.copy(stream.bytesPtr + methodLen, target, targetLen);
  stream.methodPtr = stream.bytesPtr;
  stream.methodLen = methodLen;
  stream.targetPtr = stream.bytesPtr + methodLen;
  stream.targetLen = targetLen;
  stream.kind = methodId | (Version.HTTP_2 << 8);
  if (methodId == Method.CONNECT) stream.flags |= ExchangeFlag.UNDECIDED;

  const dest = outputReserve(connection, connection.output, headMax);
  blockBegin(connection, dest, headMax);
  hpackEncodeField(PseudoField.METHOD, 0, 0, method, methodLen);
  const hasPath = methodId != Method.CONNECT || isExtended;
  if (hasPath) {
    const scheme = (connection.openFlags & OpenFlag.SECURE) != 0 ? "https" : "http";
    hpackEncodeField(PseudoField.SCHEME, 0, 0, schemes, writeAscii(schemes, scheme));
  }
  hpackEncodeField(PseudoField.AUTHORITY, 0, 0, entryValuePtr(host), entryValueLen(host));
  if (hasPath) hpackEncodeField(PseudoField.PATH, 0, 0, target, targetLen);
  if (isExtended) {
    hpackEncodeField(PseudoField.PROTOCOL, 0, 0, entryValuePtr(protocol), entryValueLen(protocol));
  }
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entry == host || entry == protocol) continue;
    hpackEncodeField(
      entryNameId(entry),
      entryNamePtr(entry),
      entryNameLen(entry),
      entryValuePtr(entry),
      entryValueLen(entry),
    );
  }
  if (contentLength >= 0 && (!isEnd || contentLength > 0)) hpackEncodeLength(contentLength);
  const written = blockEnd(FrameType.HEADERS, isEnd ? FrameFlag.END_STREAM : 0, streamId);
  if (written < 0 || !outputCommit(<u32>written)) {
    h2Abort(connection, Status.MEMORY_FULL);
    return Status.MEMORY_FULL;
  }
  stream.flags |= ExchangeFlag.HEAD_SENT;
  stream.framing = contentLength >= 0 ? BodyFraming.LENGTH : BodyFraming.CHUNKED;
  stream.sendRemaining = max<i64>(contentLength, 0);
  clearReadDeadline(connection);
  watchBodies(connection);
  if (isEnd) {
    stream.isEndQueued = 1;
    messageSent(connection, stream, StreamInput.SEND_HEADERS_END);
  }
  return stream.handle;
}

/** A response's head on one of this side's streams; the section was decoded last. */
export function receiveResponse(connection: H2Connection, stream: H2Stream, isEnd: bool): void {
  const section = sectionStatus();
  if (section != Status.OK) return streamError(connection, stream, section);
  const status = readResponseRules();
  if (status != Status.OK) return streamError(connection, stream, status);
  const code = rulesStatusCode;
  stream.windowBytes++;
  if (code < 200) {
    // §8.1: an interim response ends nothing.
    if (isEnd) return streamError(connection, stream, Status.H2_TRAILERS);
    return tellInformational(connection, stream, code);
  }
  const method = stream.kind & 0xff;
  const bodiless = isBodiless(method, code);
  if (isEnd && !bodiless && rulesContentLength > 0)
    return streamError(connection, stream, Status.H2_CONTENT_LENGTH);
  if (!bodiless && <f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return streamError(connection, stream, Status.BODY_TOO_LARGE);
  }
  if (!keepHead(stream)) return streamError(connection, stream, Status.MEMORY_FULL);
  stream.statusCode = code;
  if (stream.tunnel != 0 && method == Method.CONNECT && code < 300 && !isEnd) {
    const answered = tunnelAnswered(stream);
    if (answered != Status.OK) return streamError(connection, stream, answered);
  }
  const hasBody = !isEnd && !bodiless;
  const hasLength = rulesContentLength >= 0;
  stream.contentLengthLow = hasLength ? <u32>rulesContentLength : hasBody ? UNKNOWN_LANE : 0;
  stream.contentLengthHigh = hasLength ? <u32>(rulesContentLength >> 32) : hasBody ? UNKNOWN_LANE : 0;
  const pushed = (stream.kind >> 16) & MessageFlag.PUSHED;
  stream.kind = method | (Version.HTTP_2 << 8) | (((hasBody ? MessageFlag.HAS_BODY : 0) | pushed) << 16);
  if (stream.state == StreamState.RESERVED_REMOTE) stream.state = StreamState.HALF_CLOSED_LOCAL;
  const isTunnel = method == Method.CONNECT && code < 300 && !isEnd;
  stream.flags &= ~ExchangeFlag.UNDECIDED;
  if (isTunnel) stream.flags |= ExchangeFlag.TUNNEL;
  // The host is told of an end only where there is content to wait for, though an empty frame may still end the stream.
  if (!hasBody && !isTunnel) stream.flags |= ExchangeFlag.RECEIVED;
  emitExchangeEvent(EventKind.RESPONSE, EventFlag.NONE, stream, <u32>changetype<usize>(stream), code);
  if (isTunnel && stream.tunnel == 0) emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, stream, 0, 0);
  if (isEnd) messageReceived(connection, stream, StreamInput.RECEIVE_HEADERS_END);
}

/** Tells an interim response; its head lies in a block of its own, as the final one may come before the host has read it. */
function tellInformational(connection: H2Connection, stream: H2Stream, code: u32): void {
  const block = slabAllocate(INTERIM_OFFSET + MESSAGE_BYTES + fieldSectionStoredBytes(rulesFirstField));
  if (block == 0) return streamError(connection, stream, Status.MEMORY_FULL);
  const interim = block + INTERIM_OFFSET;
  const records = interim + MESSAGE_BYTES;
  memory.fill(interim, 0, MESSAGE_BYTES);
  const bytes = fieldSectionStore(records, rulesFirstField);
  store<u32>(interim, stream.handle, MessageLane.HANDLE << 2);
  store<u32>(interim, Version.HTTP_2 << 8, MessageLane.KIND << 2);
  store<u32>(interim, <u32>bytes, MessageLane.BYTES_PTR << 2);
  store<u32>(interim, <u32>records, MessageLane.FIELDS_PTR << 2);
  store<u32>(interim, fieldSectionCount() - rulesFirstField, MessageLane.FIELD_COUNT << 2);
  store<u32>(interim, code, MessageLane.STATUS_CODE << 2);
  store<u32>(interim, stream.streamId, MessageLane.STREAM_ID << 2);
  emitExchangeEvent(EventKind.INFORMATIONAL, EventFlag.NONE, stream, <u32>interim, code);
  retireBlock(block);
}

function keepHead(stream: H2Stream): bool {
  const block = slabAllocate(fieldSectionStoredBytes(rulesFirstField));
  if (block == 0) return false;
  stream.headBlock = block;
  stream.fieldsPtr = block;
  stream.bytesPtr = fieldSectionStore(block, rulesFirstField);
  stream.fieldCount = fieldSectionCount() - rulesFirstField;
  return true;
}

/** The first entry of this name in a block, or 0. */
function findEntry(block: usize, len: u32, nameId: u32): usize {
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entryNameId(entry) == nameId) return entry;
  }
  return 0;
}
