/**
 * The server's side of a received head: from a complete request head to an exchange and its REQUEST event.
 * RFC 9112 §3, §6, §9; RFC 9110 §9.3.6 (CONNECT).
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Counter } from "../abi/counter.ts";
import { FieldLane, MessageFlag, Method, Role, Version } from "../abi/message.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { copyBytes } from "../http/copy_bytes.ts";
import { ConnectionState } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { Exchange, exchangeCreate, ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { offerUpgrade } from "../session/upgrade.ts";
import { chunkedBegin } from "./chunked.ts";
import { H1Connection, ReceiveState } from "./connection.ts";
import { readH2cUpgrade } from "./h2c.ts";
import { sectionCount, sectionRecords } from "./head.ts";
import { messageReceived } from "./lifecycle.ts";
import {
  readMessageRules,
  rulesChunked,
  rulesContentLength,
  rulesExpectContinue,
  rulesPersist,
  rulesUpgrade,
} from "./message_rules.ts";
import { beginBodyWindow } from "./reading.ts";
import {
  readRequestTarget,
  targetAuthorityLen,
  targetAuthorityPtr,
  targetIsAbsolute,
} from "./request_target.ts";
import { lineMethod, lineMethodLen, lineTargetLen, lineTargetPtr, lineVersion } from "./start_line.ts";

const UNKNOWN_LANE: u32 = 0xffffffff;

/** Opens an exchange for the request whose head lies at [head, head + len). Status.OK, or why it is refused. */
export function beginRequest(connection: H1Connection, head: usize, len: u32): i32 {
  const version = lineVersion;
  const method = lineMethod;
  let status = readMessageRules(sectionRecords, sectionCount, head, version, Role.SERVER);
  if (status != Status.OK) return status;
  status = readRequestTarget(method, version, lineTargetPtr, lineTargetLen, connection.openFlags);
  if (status != Status.OK) return status;
  const hasBody = rulesChunked || rulesContentLength > 0;
  // RFC 9110 §9.3.6: CONNECT has no content; what follows its head is the tunnel's.
  if (method == Method.CONNECT && hasBody) return Status.CONTENT_LENGTH_INVALID;
  if (<f64>rulesContentLength > limitOf(Limit.BODY_BYTES)) {
    limitHit(Limit.BODY_BYTES);
    return Status.BODY_TOO_LARGE;
  }

  if (rulesUpgrade && !hasBody && offerH2c(connection, head, len)) return Status.OK;
  const ptr = exchangeCreate(connection, sectionCount, len);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const exchange = changetype<Exchange>(ptr);
  const bytes = exchange.bytesPtr;
  copyBytes(bytes, head, len);
  copyBytes(exchange.fieldsPtr, sectionRecords, sectionCount * (FieldLane.COUNT * sizeof<u32>()));
  const moved = bytes - head;
  exchange.methodPtr = bytes;
  exchange.methodLen = lineMethodLen;
  exchange.targetPtr = lineTargetPtr + moved;
  exchange.targetLen = lineTargetLen;
  if (targetAuthorityLen != 0) {
    exchange.authorityPtr = targetAuthorityPtr + moved;
    exchange.authorityLen = targetAuthorityLen;
  }

  let messageFlags: u32 = MessageFlag.NONE;
  let flags: u32 = ExchangeFlag.NONE;
  if (method == Method.HEAD) flags |= ExchangeFlag.HEAD_ONLY;
  if (method == Method.CONNECT) {
    messageFlags |= MessageFlag.CONNECT;
    flags |= ExchangeFlag.UNDECIDED;
  }
  if (rulesUpgrade) {
    messageFlags |= MessageFlag.UPGRADE;
    flags |= ExchangeFlag.UNDECIDED;
  }
  if (targetIsAbsolute) messageFlags |= MessageFlag.ABSOLUTE_FORM;
  if (!rulesPersist(version) || connection.state != ConnectionState.OPEN) {
    messageFlags |= MessageFlag.LAST;
    flags |= ExchangeFlag.LAST;
  }
  if (hasBody) {
    messageFlags |= MessageFlag.HAS_BODY;
    if (rulesExpectContinue) {
      messageFlags |= MessageFlag.EXPECT_CONTINUE;
      flags |= ExchangeFlag.CONTINUE_OWED;
    }
  }
  exchange.contentLengthLow = rulesChunked ? UNKNOWN_LANE : hasBody ? <u32>rulesContentLength : 0;
  exchange.contentLengthHigh = rulesChunked ? UNKNOWN_LANE : hasBody ? <u32>(rulesContentLength >> 32) : 0;
  exchange.kind = method | (version << 8) | (messageFlags << 16);
  exchange.flags = flags;
  count(Counter.EXCHANGES_H1);
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, exchange, <u32>ptr, 0);

  connection.receiving = ptr;
  connection.drainedBytes = 0;
  if (rulesChunked) {
    chunkedBegin(connection);
    connection.receiveState = ReceiveState.CHUNKED;
  } else if (hasBody) {
    connection.remaining = rulesContentLength;
    connection.receiveState = ReceiveState.LENGTH;
  } else {
    messageReceived(connection);
    return Status.OK;
  }
  clearReadDeadline(connection);
  // A client that waits for 100 (Continue) is not slow: its window begins when the host asks for the content.
  if ((flags & ExchangeFlag.CONTINUE_OWED) == 0) beginBodyWindow(connection);
  return Status.OK;
}

/** Whether the connection goes on in HTTP/2 with this request; then reading stops behind its head. */
function offerH2c(connection: H1Connection, head: usize, len: u32): bool {
  const settingsLen = readH2cUpgrade(connection, sectionRecords, sectionCount, head);
  if (settingsLen < 0) return false;
  offerUpgrade(
    head,
    len,
    sectionRecords,
    sectionCount,
    lineMethod,
    lineMethodLen,
    lineTargetPtr,
    lineTargetLen,
    targetAuthorityPtr,
    targetAuthorityLen,
    settingsLen,
  );
  connection.receiveState = ReceiveState.SWITCHED;
  return true;
}

/** HTTP/1.0 clients understand neither chunked nor interim responses. */
export function isVersion10(exchange: Exchange): bool {
  return ((exchange.kind >> 8) & 0xff) == Version.HTTP_1_0;
}
