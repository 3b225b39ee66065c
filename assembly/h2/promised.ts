/**
 * PUSH_PROMISE on its way in, RFC 9113 §8.4: a request that the client did not make, told as REQUEST with MessageFlag.PUSHED;
 * RESPONSE and content follow on the same exchange.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { MessageFlag, Method, OpenFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { readRequestRules, rulesContentLength, rulesMethod } from "../session/message_rules.ts";
import { sectionStatus } from "../session/received_head.ts";
import { H2Connection } from "./connection.ts";
import { connectionError, refuseStream } from "./lifecycle.ts";
import { absentState, isRemoteId } from "./recent_streams.ts";
import { storeRequest } from "./server.ts";
import { H2Stream } from "./stream.ts";
import { isRemoteOpen, nextState, StreamInput, StreamState } from "./stream_state.ts";
import { streamFind } from "./stream_table.ts";

/** A promise on `streamId` of `promisedId`; the section was decoded last. */
export function receivePromise(connection: H2Connection, streamId: u32, promisedId: u32): void {
  if ((connection.openFlags & OpenFlag.PUSH) == 0) return connectionError(connection, Status.H2_PUSH);
  const parent = streamFind(connection, streamId);
  const isParentOpen = parent != 0 && isRemoteOpen(changetype<H2Stream>(parent).state);
  // §6.6: on a stream that this side has just reset, a promise may be on its way.
  if (!isParentOpen && (parent != 0 || absentState(connection, streamId) != StreamState.RESET_LOCAL)) {
    return connectionError(connection, Status.H2_PUSH);
  }
  const isNew = isRemoteId(connection, promisedId) && promisedId > connection.lastRemoteId;
  if (!isNew) return connectionError(connection, Status.H2_STREAM_ID);
  connection.lastRemoteId = promisedId;
  const status = beginPromised(connection, promisedId);
  if (status != Status.OK) refuseStream(connection, promisedId, status);
}

function beginPromised(connection: H2Connection, promisedId: u32): i32 {
  if (connection.remoteExchangeCount >= limitU32(Limit.PUSH_COUNT)) {
    limitHit(Limit.PUSH_COUNT);
    return Status.H2_REFUSED;
  }
  const section = sectionStatus();
  if (section != Status.OK) return section;
  const status = readRequestRules(false);
  if (status != Status.OK) return status;
  // §8.4: safe, cacheable and without content.
  if ((rulesMethod != Method.GET && rulesMethod != Method.HEAD) || rulesContentLength > 0)
    return Status.H2_PUSH;
  const state = nextState(StreamState.IDLE, StreamInput.RECEIVE_PUSH_PROMISE);
  const ptr = storeRequest(connection, promisedId, state, false);
  if (ptr == 0) return Status.EXCHANGES_FULL;
  const stream = changetype<H2Stream>(ptr);
  stream.kind |= MessageFlag.PUSHED << 16;
  // There is nothing for this side to send.
  stream.flags |= ExchangeFlag.SENT;
  stream.isEndQueued = 1;
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, stream, <u32>ptr, 0);
  return Status.OK;
}
