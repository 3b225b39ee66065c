/** Frames that carry no message: PING, GOAWAY, RST_STREAM, WINDOW_UPDATE, PRIORITY and PRIORITY_UPDATE. */
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { priorityIncremental, priorityUrgency } from "../http/priority.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { spendReset } from "./budget.ts";
import { H2Connection, H2Flag } from "./connection.ts";
import { queuePingAck } from "./control_output.ts";
import { ErrorCode } from "./error_code.ts";
import { creditConnection, creditStream, endProbe, PING_PROBE } from "./flow_control.ts";
import { FrameFlag } from "./frame.ts";
import { goawayLastStreamId, readGoaway } from "./goaway.ts";
import {
  abortStream,
  connectionError,
  endDrain,
  finishStream,
  isFault,
  PING_DRAIN,
  refuseStream,
  settle,
  streamError,
} from "./lifecycle.ts";
import { pingData, readPing } from "./ping.ts";
import { prioritizedStreamId, readPriority, readPriorityUpdate } from "./priority.ts";
import { absentState, isRemoteId } from "./recent_streams.ts";
import { readRstStream, rstStreamCode } from "./rst_stream.ts";
import { schedulePriority } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { isClosed, nextState, StreamInput, StreamState } from "./stream_state.ts";
import { streamFind } from "./stream_table.ts";
import { readWindowUpdate, windowIncrement } from "./window_update.ts";

export function receivePing(connection: H2Connection, ptr: usize, len: u32, flags: u32, streamId: u32): void {
  const status = readPing(ptr, len, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  if ((flags & FrameFlag.ACK) == 0) {
    if (!queuePingAck(connection, pingData)) connectionError(connection, Status.H2_REPLY_FLOOD);
    return;
  }
  if (pingData == PING_PROBE) endProbe(connection);
  else if (pingData == PING_DRAIN && (connection.h2Flags & H2Flag.DRAIN_BEGUN) != 0) endDrain(connection);
}

/** The peer begins no more streams of its own, and acts on none of this side's above the one it names. */
export function receiveGoaway(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  const status = readGoaway(ptr, len, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  connection.h2Flags |= H2Flag.GOAWAY_RECEIVED;
  const last = goawayLastStreamId;
  let at = connection.firstExchange;
  while (at != 0) {
    const stream = changetype<H2Stream>(at);
    at = changetype<Exchange>(at).next;
    if (!stream.isLocal || stream.streamId <= last || isClosed(stream.state)) continue;
    stream.state = StreamState.RESET_REMOTE;
    abortStream(connection, stream, Status.H2_GONE);
  }
  settle(connection);
}

export function receiveRstStream(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  const status = readRstStream(ptr, len, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  const found = streamFind(connection, streamId);
  const stream = changetype<H2Stream | null>(found);
  const state = stream != null ? stream.state : absentState(connection, streamId);
  const isRefused = isFault(connection, stream, streamId, state, StreamInput.RECEIVE_RST_STREAM);
  if (!spendReset(connection)) return connectionError(connection, Status.H2_RESET_FLOOD);
  if (isRefused || stream == null) return;
  stream.state = nextState(state, StreamInput.RECEIVE_RST_STREAM);
  // §8.1: a server that answered early wants no more of the request; nothing is lost.
  const isAnswered = connection.role == Role.CLIENT && hasFlag(stream, ExchangeFlag.RECEIVED);
  if (isAnswered || hasFlag(stream, ExchangeFlag.SENT)) finishEarly(connection, stream);
  else abortStream(connection, stream, resetStatus(stream));
}

/** What the host had to say or to hear is over. */
function finishEarly(connection: H2Connection, stream: H2Stream): void {
  const isHeard = hasFlag(stream, ExchangeFlag.RECEIVED) || hasFlag(stream, ExchangeFlag.RELEASED);
  if (isHeard) finishStream(connection, stream);
  else abortStream(connection, stream, resetStatus(stream));
}

/** §8.7: REFUSED_STREAM says that nobody acted on the request, so that it may be made again whatever its method is. */
function resetStatus(stream: H2Stream): i32 {
  const isRefused = stream.isLocal && stream.statusCode == 0 && rstStreamCode == ErrorCode.REFUSED_STREAM;
  return isRefused ? Status.H2_REFUSED : Status.H2_CANCELLED;
}

export function receiveWindowUpdate(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  const status = readWindowUpdate(ptr, len);
  if (status != Status.OK) return connectionError(connection, status);
  const increment = windowIncrement;
  if (streamId == 0) return creditConnection(connection, increment);
  const found = streamFind(connection, streamId);
  const stream = changetype<H2Stream | null>(found);
  const state = stream != null ? stream.state : absentState(connection, streamId);
  if (isFault(connection, stream, streamId, state, StreamInput.RECEIVE_WINDOW_UPDATE)) return;
  if (stream != null) creditStream(connection, stream, increment);
}

/** RFC 9113 §5.3.2: checked and ignored. */
export function receivePriority(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  const status = readPriority(ptr, len, streamId);
  if (status == Status.OK) return;
  if (streamId == 0) return connectionError(connection, status);
  const found = streamFind(connection, streamId);
  if (found != 0) streamError(connection, changetype<H2Stream>(found), status);
  else if (absentState(connection, streamId) == StreamState.IDLE) connectionError(connection, status);
  else refuseStream(connection, streamId, status);
}

/** RFC 9218 §7.1. For a stream that is not there yet the request's own `priority` field will do. */
export function receivePriorityUpdate(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  const status = readPriorityUpdate(ptr, len, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  const found = streamFind(connection, prioritizedStreamId);
  if (found != 0) {
    schedulePriority(connection, changetype<H2Stream>(found), priorityUrgency, priorityIncremental);
  } else if (
    !isRemoteId(connection, prioritizedStreamId) &&
    absentState(connection, prioritizedStreamId) == StreamState.IDLE
  ) {
    // A push that was not promised.
    connectionError(connection, Status.H2_PRIORITY);
  }
}
