/**
 * The client's side: requests out, responses in. RFC 9114 §4.1, §4.3.1, §4.3.2, §4.4.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Method, SendFlag, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { equalsIgnoreCase, writeAscii } from "../http/ascii.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
  fieldBlockTextBytes,
} from "../http/field_block.ts";
import { FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { streamOpen, streamRelease } from "../quic/stream/application.ts";
import { QuicStream } from "../quic/stream/stream.ts";
import { Connection } from "../session/connection.ts";
import { markDirty } from "../session/dirty.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { BodyFraming, ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import {
  isBodiless,
  readResponseRules,
  rulesContentLength,
  rulesStatusCode,
} from "../session/message_rules.ts";
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
import { H3Connection, H3Flag, h3Of, hasH3Flag, maySessions, setOf } from "./connection.ts";
import { encodeField, encodeLength, isRepeatedSection, sectionBytesMax } from "./field_sections.ts";
import { FRAME_HEADER_MAX } from "./frame.ts";
import { headersBegin, headersEnd } from "./headers.ts";
import { h3ExchangeDetach, messageSent, streamError } from "./lifecycle.ts";
import { RequestInput, requestNext } from "./request_state.ts";
import { sessionAnswered, sessionCreate } from "./session.ts";
import { H3Exchange, h3ExchangeCreate, H3Stream, h3StreamCreate, h3StreamEnd } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";
import { watchStreams } from "./watch.ts";

/** "https" as bytes, with slack for loads that read on. */
const scheme: usize = memory.data(64, 16);

/**
 * Opens an exchange and sends the request's head; the host field of the block becomes `:authority`. Answers the exchange's
 * handle. WOULD_BLOCK while the peer allows no further stream, or has not said what an extended CONNECT has to know.
 */
export function h3OpenExchange(
  connection: Connection,
  method: usize,
  methodLen: u32,
  target: usize,
  targetLen: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  const h3 = h3Of(connection);
  if (h3.endStatus != Status.OK || hasH3Flag(h3, H3Flag.GOAWAY_RECEIVED)) return Status.INVALID_STATE;
  if (hasH3Flag(h3, H3Flag.GOAWAY_SENT)) return Status.INVALID_STATE;
  const checked = checkRequest(method, methodLen, target, targetLen, block, len, contentLength, flags);
  if (checked != Status.OK) return checked;
  if (requestIsExtended) {
    if (!hasH3Flag(h3, H3Flag.SETTINGS_RECEIVED)) return Status.WOULD_BLOCK;
    if (!hasH3Flag(h3, H3Flag.EXTENDED_CONNECT)) return Status.INVALID_STATE;
  }
  const isSession =
    requestIsExtended &&
    maySessions(h3) &&
    equalsIgnoreCase(entryValuePtr(requestProtocol), entryValueLen(requestProtocol), "webtransport");
  const sessionFlags: u32 = H3Flag.WEBTRANSPORT | H3Flag.DATAGRAMS;
  if (isSession && (h3.flags & sessionFlags) != sessionFlags) return Status.INVALID_STATE;
  const headMax = sectionBytesMax(checkedFieldCount) + methodLen + targetLen;
  if (headMax + FRAME_HEADER_MAX > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;
  const size = <u64>fieldBlockTextBytes() + targetLen + (checkedFieldCount + 4) * FIELD_OVERHEAD_BYTES;
  if (size > h3.fieldSectionSizeMax) return Status.FIELDS_TOO_LARGE;

  const opened = streamOpen(setOf(h3), false);
  if (opened == 0) return Status.WOULD_BLOCK;
  const quic = changetype<QuicStream>(opened);
  const made = h3StreamCreate(h3, quic, StreamKind.REQUEST);
  if (made == 0) {
    streamRelease(quic);
    return Status.MEMORY_FULL;
  }
  const stream = changetype<H3Stream>(made);
  const ptr = h3ExchangeCreate(h3, stream, 0, methodLen + targetLen);
  if (ptr == 0) {
    h3StreamEnd(h3, stream);
    return Status.EXCHANGES_FULL;
  }
  const exchange = changetype<H3Exchange>(ptr);
  const begun = isSession ? sessionCreate(h3, exchange) : Status.OK;
  if (begun != Status.OK) {
    exchange.flags |= ExchangeFlag.RELEASED;
    h3ExchangeDetach(exchange);
    h3StreamEnd(h3, stream);
    return begun;
  }
  memory.copy(exchange.bytesPtr, method, methodLen);
  memory.copy(exchange.bytesPtr + methodLen, target, targetLen);
  exchange.methodPtr = exchange.bytesPtr;
  exchange.methodLen = methodLen;
  exchange.targetPtr = exchange.bytesPtr + methodLen;
  exchange.targetLen = targetLen;
  exchange.kind = requestMethodId | (Version.HTTP_3 << 8);
  if (requestMethodId == Method.CONNECT) exchange.flags |= ExchangeFlag.UNDECIDED;

  headersBegin(stream, headMax);
  const isEnd = (flags & SendFlag.END) != 0;
  const length: i64 = !isEnd || contentLength > 0 ? contentLength : -1;
  // The kind and the length of the method say where the target begins, and CONNECT has no other form with these fields.
  if (
    !isRepeatedSection(
      exchange.bytesPtr,
      methodLen + targetLen,
      block,
      len,
      length,
      (methodLen << 1) | (requestIsExtended ? 1 : 0),
    )
  ) {
    encodeRequest(exchange, block, len);
    if (length >= 0) encodeLength(length);
  }
  const sent = headersEnd(stream, isEnd);
  if (sent != Status.OK) {
    exchange.flags |= ExchangeFlag.RELEASED;
    streamError(stream, sent);
    return sent;
  }
  exchange.flags |= ExchangeFlag.HEAD_SENT;
  exchange.framing = contentLength >= 0 ? BodyFraming.LENGTH : BodyFraming.CHUNKED;
  exchange.sendRemaining = max<i64>(contentLength, 0);
  watchStreams(h3);
  markDirty(connection);
  if (isEnd) messageSent(h3, exchange);
  return exchange.handle;
}

/** §4.3.1: CONNECT without a protocol has neither scheme nor path. */
function encodeRequest(exchange: H3Exchange, block: usize, len: u32): void {
  const host = requestHost;
  const protocol = requestProtocol;
  encodeField(PseudoField.METHOD, 0, 0, exchange.methodPtr, exchange.methodLen);
  const hasPath = requestMethodId != Method.CONNECT || requestIsExtended;
  if (hasPath) encodeField(PseudoField.SCHEME, 0, 0, scheme, writeAscii(scheme, "https"));
  encodeField(PseudoField.AUTHORITY, 0, 0, entryValuePtr(host), entryValueLen(host));
  if (hasPath) encodeField(PseudoField.PATH, 0, 0, exchange.targetPtr, exchange.targetLen);
  if (requestIsExtended) {
    encodeField(PseudoField.PROTOCOL, 0, 0, entryValuePtr(protocol), entryValueLen(protocol));
  }
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entry == host || entry == protocol) continue;
    encodeField(
      entryNameId(entry),
      entryNamePtr(entry),
      entryNameLen(entry),
      entryValuePtr(entry),
      entryValueLen(entry),
    );
  }
}

/** A response's head on one of this side's streams; the section was decoded last. */
export function receiveResponse(h3: H3Connection, stream: H3Stream, isEnd: bool): void {
  const exchange = changetype<H3Exchange>(stream.exchange);
  const section = sectionStatus();
  if (section != Status.OK) return streamError(stream, section);
  const status = readResponseRules();
  if (status != Status.OK) return streamError(stream, status);
  const code = rulesStatusCode;
  exchange.windowBytes++;
  if (code < 200) {
    stream.state = requestNext(stream.state, RequestInput.INTERIM);
    if (!tellInformational(exchange, Version.HTTP_3, code)) streamError(stream, Status.MEMORY_FULL);
    return;
  }
  const method = exchange.kind & 0xff;
  const bodiless = isBodiless(method, code);
  if (isEnd && !bodiless && rulesContentLength > 0) return streamError(stream, Status.H2_CONTENT_LENGTH);
  if (!bodiless && <f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return streamError(stream, Status.BODY_TOO_LARGE);
  }
  if (!storeResponseFields(exchange)) return streamError(stream, Status.MEMORY_FULL);
  exchange.statusCode = code;
  const isSession = exchange.session != 0;
  // A session may be over as soon as it is accepted.
  const isTunnel = method == Method.CONNECT && code < 300 && (!isEnd || isSession);
  if (exchange.tunnel != 0 && isTunnel) {
    const answered = tunnelAnswered(exchange);
    if (answered != Status.OK) return streamError(stream, answered);
  }
  const hasBody = !isEnd && !bodiless;
  describeResponseContent(exchange, Version.HTTP_3, hasBody);
  stream.state = requestNext(stream.state, isTunnel ? RequestInput.CONNECT : RequestInput.HEADERS);
  exchange.flags &= ~ExchangeFlag.UNDECIDED;
  if (isSession) sessionAnswered(h3, exchange, isTunnel);
  if (isTunnel) exchange.flags |= ExchangeFlag.TUNNEL;
  // The host is told of an end only where there is content to wait for, though an empty frame may still end the stream.
  if (!hasBody && !isTunnel) exchange.flags |= ExchangeFlag.RECEIVED;
  emitExchangeEvent(EventKind.RESPONSE, EventFlag.NONE, exchange, <u32>ptrOf(exchange), code);
  if (isTunnel && (exchange.tunnel | exchange.session) == 0)
    emitExchangeEvent(EventKind.TUNNEL, EventFlag.NONE, exchange, 0, 0);
}

// @ts-ignore: decorator
@inline
function ptrOf(exchange: H3Exchange): usize {
  return changetype<usize>(exchange);
}
