/**
 * The server's side of a received head: from a field section to an exchange and its REQUEST event, or to a refusal.
 * RFC 9113 §5.1.2, §8.1.1, §8.3.1, RFC 9218 §4.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { OpenFlag, Version } from "../abi/message.ts";
import { httpStatusOf, Status } from "../abi/status.ts";
import { priorityIncremental, priorityUrgency, readPriorityValue } from "../http/priority.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import {
  readRequestRules,
  rulesContentLength,
  rulesPriorityLen,
  rulesPriorityPtr,
} from "../session/message_rules.ts";
import {
  describeRequestContent,
  presentProtocol,
  requestByteCount,
  requestFieldCount,
  sectionStatus,
  storeRequestHead,
} from "../session/received_head.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { watchBody } from "./deadline_slots.ts";
import { answerRefused } from "./error_response.ts";
import { STREAM_ID_MAX } from "./frame.ts";
import { h2Drain, refuseStream } from "./lifecycle.ts";
import { rememberClosed } from "./recent_streams.ts";
import { schedulePriority } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { StreamState } from "./stream_state.ts";
import { streamCreate } from "./streams.ts";

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
  presentProtocol();
  const state = isEnd ? StreamState.HALF_CLOSED_REMOTE : StreamState.OPEN;
  const ptr = storeRequest(connection, streamId, state, false);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const stream = changetype<H2Stream>(ptr);
  describeRequestContent(stream, isEnd);
  if (rulesPriorityPtr != 0) {
    readPriorityValue(rulesPriorityPtr, rulesPriorityLen);
    schedulePriority(connection, stream, priorityUrgency, priorityIncremental);
  }
  clearReadDeadline(connection);
  if (!isEnd) watchBody(connection, stream);
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, stream, <u32>ptr, 0);
  return Status.OK;
}

/** Opens a stream with the request whose rules were read last. 0 when a pool is full. */
export function storeRequest(connection: H2Connection, streamId: u32, state: u32, isLocal: bool): usize {
  const ptr = streamCreate(connection, streamId, state, isLocal, requestFieldCount(), requestByteCount());
  if (ptr != 0) storeRequestHead(changetype<Exchange>(ptr), Version.HTTP_2);
  return ptr;
}
