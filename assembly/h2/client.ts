/**
 * The client's side: requests out, responses in. RFC 9113 §8.3.1, §8.3.2, §8.1.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Method, OpenFlag, SendFlag, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { hpackEncodeField, hpackEncodeLength } from "../hpack/encoder.ts";
import { writeAscii } from "../http/ascii.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
} from "../http/field_block.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { ConnectionState } from "../session/connection.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import {
  isBodiless,
  readResponseRules,
  rulesContentLength,
  rulesStatusCode,
} from "../session/message_rules.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import {
  describeResponseContent,
  sectionStatus,
  storeResponseFields,
  tellInformational,
} from "../session/received_head.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import {
  checkedFieldCount,
  checkRequest,
  requestHost,
  requestIsExtended,
  requestMethodId,
  requestProtocol,
} from "../session/send_rules.ts";
import { tunnelAnswered } from "../session/tunnel.ts";
import { h2Abort } from "./closing.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { FrameFlag, FrameType, STREAM_ID_MAX } from "./frame.ts";
import { blockBegin, blockBytesMax, blockEnd } from "./header_block.ts";
import { streamError } from "./lifecycle.ts";
import { messageReceived, messageSent } from "./message.ts";
import { H2Stream } from "./stream.ts";
import { StreamInput, StreamState } from "./stream_state.ts";
import { streamCreate } from "./streams.ts";

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
  const checked = checkRequest(method, methodLen, target, targetLen, block, len, contentLength, flags);
  if (checked != Status.OK) return checked;
  const methodId = requestMethodId;
  const isExtended = requestIsExtended;
  const host = requestHost;
  const protocol = requestProtocol;
  if (isExtended) {
    if (!hasH2Flag(connection, H2Flag.SETTINGS_RECEIVED)) return Status.WOULD_BLOCK;
    if (!hasH2Flag(connection, H2Flag.EXTENDED_CONNECT)) return Status.INVALID_STATE;
  }
  const isEnd = (flags & SendFlag.END) != 0;
  const headMax = blockBytesMax(checkedFieldCount) + methodLen + targetLen;
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
    if (!tellInformational(stream, Version.HTTP_2, code)) streamError(connection, stream, Status.MEMORY_FULL);
    return;
  }
  const method = stream.kind & 0xff;
  const bodiless = isBodiless(method, code);
  if (isEnd && !bodiless && rulesContentLength > 0)
    return streamError(connection, stream, Status.H2_CONTENT_LENGTH);
  if (!bodiless && <f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return streamError(connection, stream, Status.BODY_TOO_LARGE);
  }
  if (!storeResponseFields(stream)) return streamError(connection, stream, Status.MEMORY_FULL);
  stream.statusCode = code;
  if (stream.tunnel != 0 && method == Method.CONNECT && code < 300 && !isEnd) {
    const answered = tunnelAnswered(stream);
    if (answered != Status.OK) return streamError(connection, stream, answered);
  }
  const hasBody = !isEnd && !bodiless;
  describeResponseContent(stream, Version.HTTP_2, hasBody);
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
