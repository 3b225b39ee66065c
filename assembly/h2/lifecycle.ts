/**
 * Why streams and connections of HTTP/2 end, and what the peer is told: the choke point of all errors. RFC 9113 §5.4, §6.8.
 *
 * A connection error (`connectionError`) tells GOAWAY with its code and cuts everything; a stream error (`streamError`,
 * `refuseStream`) tells RST_STREAM and is counted, whoever caused it, in the budget of resets. A drain tells GOAWAY twice: first
 * with the highest identifier there is, then, after a round trip, with the last one that was acted on, so that no request on its
 * way is lost (§6.8).
 */
import { Counter } from "../abi/counter.ts";
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Blame, blameOf, Status } from "../abi/status.ts";
import { wireStatusText } from "../abi/status_text.ts";
import { ConnectionFlag, ConnectionState } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf } from "../session/limits.ts";
import { spendReset } from "./budget.ts";
import { closeStream, h2Close } from "./closing.ts";
import { H2Connection, H2Flag, hasH2Flag, ReceiveState } from "./connection.ts";
import { queueGoaway, queuePing, queueRstStream } from "./control_output.ts";
import { DeadlineKind, setDeadline } from "./deadline_slots.ts";
import { ErrorCode, errorCodeOf } from "./error_code.ts";
import { STREAM_ID_MAX } from "./frame.ts";
import { rememberClosed } from "./recent_streams.ts";
import { queueSettings } from "./settings_output.ts";
import { H2Stream } from "./stream.ts";
import { faultOf, nextState, StreamFault, StreamInput, StreamState } from "./stream_state.ts";
import { streamDetach } from "./streams.ts";

/** Data of the PING that ends a drain's round trip. */
export const PING_DRAIN: u64 = 0x6e69617264;

/** The connection cannot go on. */
export function connectionError(connection: H2Connection, status: i32): void {
  if (connection.state == ConnectionState.LINGERING) return;
  if (blameOf(status) == Blame.PEER) count(Counter.PEER_ERRORS);
  else if (status == Status.MEMORY_FULL) count(Counter.POOL_REFUSALS);
  connection.h2Flags |= H2Flag.BROKEN;
  queueGoaway(connection, connection.lastRemoteId, errorCodeOf(status), wireStatusText(status));
  h2Close(connection, status);
}

/** A stream that is open cannot go on. */
export function streamError(connection: H2Connection, stream: H2Stream, status: i32): void {
  const streamId = stream.streamId;
  stream.state = nextState(stream.state, StreamInput.SEND_RST_STREAM);
  queueRstStream(connection, streamId, errorCodeOf(status));
  abortStream(connection, stream, status);
  if (!spendReset(connection)) connectionError(connection, Status.H2_RESET_FLOOD);
}

/** RFC 9113 §8.1: the answer is complete, and the rest of the request is not wanted. */
export function cutRequest(connection: H2Connection, stream: H2Stream): void {
  queueRstStream(connection, stream.streamId, ErrorCode.NO_ERROR);
  stream.state = nextState(stream.state, StreamInput.SEND_RST_STREAM);
  finishStream(connection, stream);
  if (!spendReset(connection)) connectionError(connection, Status.H2_RESET_FLOOD);
}

/** The same for a stream that has no exchange: refused, malformed, or closed before. */
export function refuseStream(connection: H2Connection, streamId: u32, status: i32): void {
  rememberClosed(connection, streamId, StreamState.RESET_LOCAL);
  queueRstStream(connection, streamId, errorCodeOf(status));
  if (!spendReset(connection)) connectionError(connection, Status.H2_RESET_FLOOD);
}

/**
 * Acts on an input that the state of a stream does not allow; `stream` is null when it is not in the table. True when the input
 * was one.
 */
export function isFault(
  connection: H2Connection,
  stream: H2Stream | null,
  streamId: u32,
  state: u32,
  input: StreamInput,
): bool {
  switch (faultOf(state, input)) {
    case StreamFault.NONE:
      return false;
    case StreamFault.STREAM_CLOSED:
      if (stream != null) streamError(connection, stream, Status.H2_STREAM_CLOSED);
      else refuseStream(connection, streamId, Status.H2_STREAM_CLOSED);
      break;
    case StreamFault.CONNECTION_CLOSED:
      connectionError(connection, Status.H2_STREAM_CLOSED);
      break;
    case StreamFault.PROTOCOL:
      connectionError(connection, Status.H2_STREAM_IDLE);
      break;
  }
  return true;
}

/** Ends a stream before its time; its state says how. The exchange counts until the host has released it. */
export function abortStream(connection: H2Connection, stream: H2Stream, status: i32): void {
  closeStream(connection, stream);
  stream.flags |= ExchangeFlag.ABORTED;
  emitExchangeEvent(EventKind.ABORTED, EventFlag.NONE, stream, <u32>status, 0);
  if (hasFlag(stream, ExchangeFlag.RELEASED)) {
    streamDetach(stream);
    settle(connection);
  }
}

/** Both sides are complete. */
export function finishStream(connection: H2Connection, stream: H2Stream): void {
  closeStream(connection, stream);
  streamDetach(stream);
  settle(connection);
}

/** What a connection does once none of its exchanges is open. */
export function settle(connection: H2Connection): void {
  if (connection.firstExchange != 0) return;
  if (connection.state == ConnectionState.DRAINING) {
    h2Close(connection, Status.OK);
  } else if (connection.state == ConnectionState.OPEN) {
    if ((connection.flags & ConnectionFlag.PEER_ENDED) != 0) h2Close(connection, Status.OK);
    else if (hasH2Flag(connection, H2Flag.GOAWAY_RECEIVED)) sayGoodbye(connection, Status.OK);
    else setReadDeadline(connection, limitOf(Limit.IDLE_TIMEOUT_MS), Status.IDLE_TIMEOUT);
  }
}

/** Ends an idle connection, or one that nothing more is expected on. */
export function sayGoodbye(connection: H2Connection, status: i32): void {
  queueGoaway(connection, connection.lastRemoteId, ErrorCode.NO_ERROR, "");
  h2Close(connection, status);
}

/** No further exchange: those that are open finish. */
export function h2Drain(connection: H2Connection): void {
  if (connection.state != ConnectionState.OPEN || hasH2Flag(connection, H2Flag.DRAIN_BEGUN)) return;
  connection.h2Flags |= H2Flag.DRAIN_BEGUN;
  if (connection.role == Role.CLIENT || connection.receiveState == ReceiveState.PREFACE) {
    endDrain(connection);
    return;
  }
  queueGoaway(connection, STREAM_ID_MAX, ErrorCode.NO_ERROR, "");
  queuePing(connection, PING_DRAIN);
  setDeadline(connection, DeadlineKind.DRAIN, limitOf(Limit.GOAWAY_TIMEOUT_MS));
}

/** The round trip of a drain is over, or took too long. */
export function endDrain(connection: H2Connection): void {
  if (connection.state != ConnectionState.OPEN || hasH2Flag(connection, H2Flag.GOAWAY_SENT)) return;
  connection.h2Flags |= H2Flag.GOAWAY_SENT;
  connection.drainDeadlineMs = 0;
  connection.state = ConnectionState.DRAINING;
  // §3.4: the first frame is SETTINGS, also to a client whose preface is still on its way. GOAWAY then tells it that the request
  // behind that preface was not acted on.
  if (connection.receiveState == ReceiveState.PREFACE && connection.settingsPending == 0) {
    queueSettings(connection);
  }
  queueGoaway(connection, connection.lastRemoteId, ErrorCode.NO_ERROR, "");
  settle(connection);
}

/** The host holds the exchange no longer. One that it leaves incomplete is reset. */
export function h2Release(exchange: Exchange): void {
  const stream = changetype<H2Stream>(exchange);
  const connection = changetype<H2Connection>(exchange.connection);
  stream.flags |= ExchangeFlag.RELEASED;
  if (hasFlag(stream, ExchangeFlag.ABORTED)) {
    streamDetach(stream);
    settle(connection);
    return;
  }
  if (connection.role == Role.CLIENT) {
    const isComplete = hasFlag(stream, ExchangeFlag.RECEIVED) && stream.isEndQueued;
    if (!isComplete) streamError(connection, stream, Status.H2_CANCELLED);
  } else if (!stream.isEndQueued) {
    streamError(connection, stream, Status.INVALID_STATE);
  }
}
