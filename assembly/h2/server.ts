/**
 * The server's side of a received head: from a field section to an exchange and its REQUEST event, or to a refusal.
 * RFC 9113 §5.1.2, §8.1.1, §8.3.1, RFC 9218 §4.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { FieldLane, MessageFlag, Method, OpenFlag, Version } from "../abi/message.ts";
import { httpStatusOf, Status } from "../abi/status.ts";
import {
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionRecords,
  fieldSectionStatus,
  FieldSectionStatus,
  fieldSectionStore,
  fieldSectionStoredBytes,
} from "../http/field_section.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { watchBodies } from "./deadlines.ts";
import { answerRefused } from "./error_response.ts";
import { STREAM_ID_MAX } from "./frame.ts";
import { h2Drain, refuseStream } from "./lifecycle.ts";
import {
  pseudoLen,
  pseudoPtr,
  readRequestRules,
  rulesAuthorityLen,
  rulesAuthorityPtr,
  rulesContentLength,
  rulesExpectContinue,
  rulesFirstField,
  rulesIsExtendedConnect,
  rulesMethod,
  rulesPriorityLen,
  rulesPriorityPtr,
} from "./message_rules.ts";
import { priorityIncremental, priorityUrgency, readPriorityValue } from "./priority.ts";
import { rememberClosed } from "./recent_streams.ts";
import { schedulePriority } from "./schedule.ts";
import { streamCreate, H2Stream } from "./stream.ts";
import { StreamState } from "./stream_state.ts";

const UNKNOWN_LANE: u32 = 0xffffffff;
const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
/** Identifiers are used up soon: the client is told to take another connection while there are some left. */
const STREAM_ID_LAST: u32 = STREAM_ID_MAX - 65536;

/** A complete head on a new stream; the section was decoded last. */
export function receiveRequest(
  connection: H2Connection,
  streamId: u32,
  isEnd: bool,
  isSelfDependent: bool,
): void {
  connection.lastRemoteId = streamId;
  if (hasH2Flag(connection, H2Flag.GOAWAY_SENT)) {
    // §6.8: it was told that nobody will act on it.
    rememberClosed(connection, streamId, StreamState.RESET_LOCAL);
    return;
  }
  const status = isSelfDependent ? Status.H2_DEPENDENCY : beginRequest(connection, streamId, isEnd);
  if (status != Status.OK) {
    if (hasAnswer(status)) answerRefused(connection, streamId, status, isEnd);
    else refuseStream(connection, streamId, status);
  }
  if (streamId > STREAM_ID_LAST) h2Drain(connection);
}

/** Whether a refusal says more as a response than as a code: what is too large. */
function hasAnswer(status: i32): bool {
  const code = httpStatusOf(status);
  return code == 431 || code == 414 || code == 413;
}

function beginRequest(connection: H2Connection, streamId: u32, isEnd: bool): i32 {
  if (connection.remoteExchangeCount >= limitU32(Limit.STREAM_COUNT)) {
    limitHit(Limit.STREAM_COUNT);
    return Status.H2_REFUSED;
  }
  const section = sectionStatus();
  if (section != Status.OK) return section;
  const status = readRequestRules((connection.openFlags & OpenFlag.EXTENDED_CONNECT) != 0);
  if (status != Status.OK) return status;
  if (isEnd && rulesContentLength > 0) return Status.H2_CONTENT_LENGTH;
  if (<f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return Status.BODY_TOO_LARGE;
  }
  if (rulesIsExtendedConnect) presentProtocol();
  const state = isEnd ? StreamState.HALF_CLOSED_REMOTE : StreamState.OPEN;
  const ptr = storeRequest(connection, streamId, state, false);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const stream = changetype<H2Stream>(ptr);
  describeContent(stream, isEnd);
  if (rulesPriorityPtr != 0) {
    readPriorityValue(rulesPriorityPtr, rulesPriorityLen);
    schedulePriority(connection, stream, priorityUrgency, priorityIncremental);
  }
  clearReadDeadline(connection);
  if (!isEnd) watchBodies(connection);
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, stream, <u32>ptr, 0);
  return Status.OK;
}

/** The section decoded last as a status, its limits counted. */
export function sectionStatus(): i32 {
  switch (fieldSectionStatus()) {
    case FieldSectionStatus.TOO_MANY_FIELDS:
      limitHit(Limit.HEADER_LIST_COUNT);
      return Status.H2_TOO_MANY_FIELDS;
    case FieldSectionStatus.TOO_LARGE:
      limitHit(Limit.HEADER_LIST_BYTES);
      return Status.H2_HEADER_LIST_TOO_LARGE;
  }
  return Status.OK;
}

/**
 * RFC 8441 §4: `:protocol` is what `upgrade` is in HTTP/1.1, and is shown as such, so that a handler looks for one field. Its record
 * changes places with the last pseudo-field's.
 */
function presentProtocol(): void {
  const records = fieldSectionRecords();
  const last = records + (rulesFirstField - 1) * RECORD_BYTES;
  for (let record = records; record <= last; record += RECORD_BYTES) {
    if ((load<u32>(record) & 0xffff) != PseudoField.PROTOCOL) continue;
    const protocol = v128.load(record);
    v128.store(record, v128.load(last));
    v128.store(last, protocol);
    store<u32>(last, FieldName.UPGRADE);
    return;
  }
}

/** Opens a stream with the request whose rules were read last. 0 when a pool is full. */
export function storeRequest(connection: H2Connection, streamId: u32, state: u32, isLocal: bool): usize {
  const firstField = rulesIsExtendedConnect ? rulesFirstField - 1 : rulesFirstField;
  const fieldCount = fieldSectionCount() - firstField;
  const byteCount = fieldSectionStoredBytes(firstField) - fieldCount * RECORD_BYTES;
  const ptr = streamCreate(connection, streamId, state, isLocal, fieldCount, byteCount);
  if (ptr == 0) return 0;
  const stream = changetype<H2Stream>(ptr);
  const moved = fieldSectionStore(stream.fieldsPtr, firstField) - fieldSectionBytes();
  stream.methodPtr = pseudoPtr(PseudoField.METHOD) + moved;
  stream.methodLen = pseudoLen(PseudoField.METHOD);
  stream.authorityPtr = rulesAuthorityPtr + moved;
  stream.authorityLen = rulesAuthorityLen;
  if (pseudoPtr(PseudoField.PATH) != 0) {
    stream.targetPtr = pseudoPtr(PseudoField.PATH) + moved;
    stream.targetLen = pseudoLen(PseudoField.PATH);
  } else {
    stream.targetPtr = stream.authorityPtr;
    stream.targetLen = stream.authorityLen;
  }
  stream.kind = rulesMethod | (Version.HTTP_2 << 8);
  if (rulesMethod == Method.HEAD) stream.flags |= ExchangeFlag.HEAD_ONLY;
  return ptr;
}

/** What the head says of the content. */
function describeContent(stream: H2Stream, isEnd: bool): void {
  let messageFlags: u32 = MessageFlag.NONE;
  if (rulesMethod == Method.CONNECT) {
    messageFlags |= MessageFlag.CONNECT;
    stream.flags |= ExchangeFlag.UNDECIDED;
    if (rulesIsExtendedConnect) messageFlags |= MessageFlag.UPGRADE;
  }
  if (isEnd) {
    stream.flags |= ExchangeFlag.RECEIVED;
  } else {
    if (rulesMethod != Method.CONNECT) messageFlags |= MessageFlag.HAS_BODY;
    if (rulesExpectContinue) {
      messageFlags |= MessageFlag.EXPECT_CONTINUE;
      stream.flags |= ExchangeFlag.CONTINUE_OWED;
    }
    const hasLength = rulesContentLength >= 0;
    stream.contentLengthLow = hasLength ? <u32>rulesContentLength : UNKNOWN_LANE;
    stream.contentLengthHigh = hasLength ? <u32>(rulesContentLength >> 32) : UNKNOWN_LANE;
  }
  stream.kind |= messageFlags << 16;
}
