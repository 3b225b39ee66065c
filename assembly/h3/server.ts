/**
 * The server's side of a received head: from a field section to an exchange and its REQUEST event, or to a refusal.
 * RFC 9114 §4.1.1, §4.1.2, §5.2, RFC 9218 §4, RFC 8470 §5.2.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { MessageFlag, Method, OpenFlag, Version } from "../abi/message.ts";
import { httpStatusOf, Status } from "../abi/status.ts";
import { priorityIncremental, priorityUrgency, readPriorityValue } from "../http/priority.ts";
import { schedulePriority } from "../quic/stream/schedule.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import {
  readRequestRules,
  rulesContentLength,
  rulesMethod,
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
import { H3Connection, H3Flag, hasH3Flag, setOf, transportOf } from "./connection.ts";
import { answerRefused } from "./error_response.ts";
import { streamError } from "./lifecycle.ts";
import { takePriority } from "./priority.ts";
import { RequestInput, requestNext } from "./request_state.ts";
import { H3Exchange, h3ExchangeCreate, H3Stream, quicOf } from "./stream.ts";
import { watchContent } from "./watch.ts";

/** A complete head on a request stream; the section was decoded last. */
export function receiveRequest(h3: H3Connection, stream: H3Stream, isEnd: bool): void {
  const status = beginRequest(h3, stream, isEnd);
  if (status == Status.OK) return;
  const code = refusalCode(status);
  if (code != 0) answerRefused(h3, stream, code);
  else streamError(stream, status);
}

/** The status code of a refusal that says more as a response than as an error code, or 0. */
function refusalCode(status: i32): u32 {
  if (status == H3Status.TOO_EARLY) return 425;
  const code = <u32>httpStatusOf(status);
  return code == 431 || code == 414 || code == 413 ? code : 0;
}

function beginRequest(h3: H3Connection, stream: H3Stream, isEnd: bool): i32 {
  const section = sectionStatus();
  if (section != Status.OK) return section;
  const connection = transportOf(h3);
  const status = readRequestRules((connection.openFlags & OpenFlag.EXTENDED_CONNECT) != 0);
  if (status != Status.OK) return status;
  if (isEnd && rulesContentLength > 0) return Status.H2_CONTENT_LENGTH;
  if (<f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return Status.BODY_TOO_LARGE;
  }
  const isEarly = hasH3Flag(h3, H3Flag.EARLY_DATA);
  if (isEarly && !isSafe(rulesMethod)) return H3Status.TOO_EARLY;
  presentProtocol();
  const ptr = h3ExchangeCreate(h3, stream, requestFieldCount(), requestByteCount());
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const exchange = changetype<H3Exchange>(ptr);
  storeRequestHead(exchange, Version.HTTP_3);
  describeRequestContent(exchange, isEnd);
  if (isEarly) exchange.kind |= MessageFlag.EARLY_DATA << 16;
  const isConnect = rulesMethod == Method.CONNECT;
  stream.state = requestNext(stream.state, isConnect ? RequestInput.CONNECT : RequestInput.HEADERS);
  prioritize(h3, stream);
  if (!isEnd) watchContent(h3, exchange);
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, exchange, <u32>ptr, 0);
  return Status.OK;
}

/** RFC 9218 §7: a PRIORITY_UPDATE that came before the request counts more than what the request says. */
function prioritize(h3: H3Connection, stream: H3Stream): void {
  const quic = quicOf(stream);
  if (takePriority(h3, quic.id)) {
    schedulePriority(setOf(h3), quic, priorityUrgency, priorityIncremental);
  } else if (rulesPriorityPtr != 0) {
    readPriorityValue(rulesPriorityPtr, rulesPriorityLen);
    schedulePriority(setOf(h3), quic, priorityUrgency, priorityIncremental);
  }
}

/** RFC 9110 §9.2.1. */
function isSafe(method: u32): bool {
  return (
    method == <u32>Method.GET ||
    method == <u32>Method.HEAD ||
    method == <u32>Method.OPTIONS ||
    method == <u32>Method.TRACE
  );
}
