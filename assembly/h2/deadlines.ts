/**
 * What happens when a deadline of an HTTP/2 connection passes: one of its own (deadline_slots.ts), or one of those that all
 * connections have (session/deadline.ts).
 *
 * Whatever is not due when the connection's timer node expires is armed again.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { arm, deadlineDue, nowMs } from "../session/deadline.ts";
import { emitConnectionEvent } from "../session/events.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { outputPending } from "../session/output.ts";
import { h2Abort } from "./closing.ts";
import { H2Connection, H2Flag, hasH2Flag, ReceiveState } from "./connection.ts";
import { queuePing } from "./control_output.ts";
import { DeadlineKind, setDeadline, slotOf } from "./deadline_slots.ts";
import { connectionError, endDrain, sayGoodbye, streamError } from "./lifecycle.ts";
import { H2Stream } from "./stream.ts";
import { isRemoteOpen } from "./stream_state.ts";

/** Data of the PING that asks whether the peer is there. */
export const PING_ALIVE: u64 = 0x6576696c61;
const MS_PER_S: f64 = 1000;

/** The connection's timer node has expired. */
export function h2HandleTimeout(connection: H2Connection): void {
  handleShared(connection, deadlineDue(connection));
  for (let kind: u32 = 0; kind < <u32>DeadlineKind.COUNT; kind++) {
    const slot = slotOf(connection, kind);
    const deadlineMs = load<f64>(slot);
    if (deadlineMs == 0) continue;
    if (deadlineMs > nowMs) {
      arm(connection, deadlineMs);
      continue;
    }
    store<f64>(slot, 0);
    handleOwn(connection, kind);
  }
  if (outputPending(connection) != 0) {
    emitConnectionEvent(EventKind.TRANSMIT, EventFlag.NONE, connection, 0);
  }
}

function handleShared(connection: H2Connection, status: i32): void {
  switch (status) {
    case Status.HEAD_TIMEOUT:
      limitHit(Limit.HEAD_TIMEOUT_MS);
      connectionError(connection, Status.HEAD_TIMEOUT);
      break;
    case Status.IDLE_TIMEOUT:
      limitHit(Limit.IDLE_TIMEOUT_MS);
      sayGoodbye(connection, status);
      break;
    case Status.WRITE_TIMEOUT:
      limitHit(Limit.WRITE_TIMEOUT_MS);
      h2Abort(connection, status);
      break;
    case Status.LINGER_TIMEOUT:
      // After an error nothing waits for a peer that does not read (CVE-2026-21714).
      if (hasH2Flag(connection, H2Flag.BROKEN) || !(connection.flags & ConnectionFlag.TRANSMIT_BLOCKED)) {
        h2Abort(connection, status);
      }
      break;
  }
}

function handleOwn(connection: H2Connection, kind: u32): void {
  switch (kind) {
    case DeadlineKind.SETTINGS:
      limitHit(Limit.SETTINGS_TIMEOUT_MS);
      connectionError(connection, Status.H2_SETTINGS_TIMEOUT);
      break;
    case DeadlineKind.FRAME:
      limitHit(Limit.HEAD_TIMEOUT_MS);
      connectionError(connection, Status.HEAD_TIMEOUT);
      break;
    case DeadlineKind.BODY:
      handleBodies(connection);
      break;
    case DeadlineKind.STALL:
      handleStalls(connection);
      break;
    case DeadlineKind.PING:
      handleSilence(connection);
      break;
    case DeadlineKind.DRAIN:
      endDrain(connection);
      break;
  }
}

/** Streams whose content arrives too slowly are reset. A stream whose window the host leaves closed is not slow. */
function handleBodies(connection: H2Connection): void {
  const windowMs = limitOf(Limit.BODY_WINDOW_MS);
  const least = (limitOf(Limit.BODY_RATE_BYTES_PER_S) * windowMs) / MS_PER_S;
  let nextMs: f64 = Infinity;
  let ptr = connection.firstExchange;
  while (ptr != 0) {
    const stream = changetype<H2Stream>(ptr);
    ptr = stream.next;
    if (!awaitsContent(stream)) continue;
    if (nowMs - stream.windowSinceMs >= windowMs) {
      const isSlow = stream.windowBytes == 0 || <f64>stream.windowBytes < least;
      if (isSlow && stream.recvWindow > 0 && connection.recvWindow > 0) {
        limitHit(Limit.BODY_WINDOW_MS);
        streamError(connection, stream, Status.BODY_TIMEOUT);
        if (connection.receiveState == ReceiveState.IGNORE) return;
        continue;
      }
      stream.windowSinceMs = nowMs;
      stream.windowBytes = 0;
    }
    nextMs = min(nextMs, stream.windowSinceMs + windowMs);
  }
  if (nextMs != Infinity) setDeadline(connection, DeadlineKind.BODY, nextMs - nowMs);
}

function awaitsContent(stream: H2Stream): bool {
  if (!isRemoteOpen(stream.state) || hasFlag(stream, ExchangeFlag.TUNNEL)) return false;
  // A client whose request is on its way has no answer to wait for; neither has a server that is to say 100 first.
  if (hasFlag(stream, ExchangeFlag.CONTINUE_OWED)) return false;
  return !stream.isLocal || hasFlag(stream, ExchangeFlag.SENT);
}

/** Streams whose windows let less through than a slow reader may take are reset; a closed connection window ends it all. */
function handleStalls(connection: H2Connection): void {
  const timeoutMs = limitOf(Limit.STALL_TIMEOUT_MS);
  const least = (limitOf(Limit.BODY_RATE_BYTES_PER_S) * timeoutMs) / MS_PER_S;
  let nextMs: f64 = Infinity;
  let ptr = connection.firstExchange;
  while (ptr != 0) {
    const stream = changetype<H2Stream>(ptr);
    ptr = stream.next;
    if (stream.stalledSinceMs == 0) continue;
    if (nowMs - stream.stalledSinceMs >= timeoutMs) {
      const isClosed = connection.sendWindow <= 0 || stream.sendWindow <= 0;
      if (isClosed && (stream.stallBytes == 0 || <f64>stream.stallBytes < least)) {
        limitHit(Limit.STALL_TIMEOUT_MS);
        if (connection.sendWindow <= 0) return connectionError(connection, Status.H2_STALLED);
        streamError(connection, stream, Status.H2_STALLED);
        if (connection.receiveState == ReceiveState.IGNORE) return;
        continue;
      }
      stream.stalledSinceMs = nowMs;
      stream.stallBytes = 0;
    }
    nextMs = min(nextMs, stream.stalledSinceMs + timeoutMs);
  }
  if (nextMs != Infinity) setDeadline(connection, DeadlineKind.STALL, nextMs - nowMs);
}

/** With streams open, silence is broken by a PING, and ends the connection when that stays unanswered. */
function handleSilence(connection: H2Connection): void {
  const intervalMs = limitOf(Limit.PING_INTERVAL_MS);
  const silentMs = nowMs - connection.lastReceivedMs;
  if (silentMs < intervalMs || connection.firstExchange == 0) {
    connection.h2Flags &= ~H2Flag.PINGED;
    setDeadline(connection, DeadlineKind.PING, max(intervalMs - silentMs, limitOf(Limit.PING_TIMEOUT_MS)));
    return;
  }
  if (hasH2Flag(connection, H2Flag.PINGED)) {
    limitHit(Limit.PING_TIMEOUT_MS);
    h2Abort(connection, Status.H2_PING_TIMEOUT);
    return;
  }
  connection.h2Flags |= H2Flag.PINGED;
  queuePing(connection, PING_ALIVE);
  setDeadline(connection, DeadlineKind.PING, limitOf(Limit.PING_TIMEOUT_MS));
}
