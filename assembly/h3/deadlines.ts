/**
 * Deadlines of HTTP/3: heads that do not come, content that comes or goes too slowly, silence, and the round trip of a drain. Silence
 * of the peer itself is the transport's business.
 *
 * There is one time at which the streams are looked at, not later than the first of their deadlines (watch.ts); each look says when the
 * next one has to be. The transport asks for it (`h3Deadline`) and calls when it has passed (`h3HandleTimeout`).
 */
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { QuicStream, sendBufferOf } from "../quic/stream/stream.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { markDirty } from "../session/dirty.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { H3Connection, H3Flag, h3Of, setOf, transportOf } from "./connection.ts";
import { H3Error } from "./error_code.ts";
import { connectionError } from "./failure.ts";
import { endDrain } from "./goaway.ts";
import { streamError } from "./lifecycle.ts";
import { rejectSessionStream } from "./session_end.ts";
import { H3Exchange, H3Stream, h3StreamEnd, H3StreamFlag, hasStreamBit } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";
import { awaitsContent } from "./watch.ts";

const MS_PER_S: f64 = 1000;

/** The first deadline that the look under way has found. */
let nextMs: f64 = Infinity;

/** When `h3HandleTimeout` has to be called next; 0 when nothing waits for time. */
export function h3Deadline(connection: Connection): f64 {
  const h3 = h3Of(connection);
  if (h3.drainDeadlineMs == 0) return h3.watchDeadlineMs;
  return h3.watchDeadlineMs == 0 ? h3.drainDeadlineMs : min(h3.watchDeadlineMs, h3.drainDeadlineMs);
}

/** Acts on what is due. The session's clock (session/deadline.ts) says what time it is. */
export function h3HandleTimeout(connection: Connection): void {
  const h3 = h3Of(connection);
  if (h3.drainDeadlineMs != 0 && h3.drainDeadlineMs <= nowMs) {
    h3.drainDeadlineMs = 0;
    endDrain(h3);
  }
  if (h3.watchDeadlineMs == 0 || h3.watchDeadlineMs > nowMs) return;
  h3.watchDeadlineMs = 0;
  nextMs = Infinity;
  let ptr = h3.firstStream;
  while (ptr != 0 && h3.endStatus == Status.OK) {
    const stream = changetype<H3Stream>(ptr);
    ptr = stream.next;
    lookAt(h3, stream);
  }
  lookAtOutput(h3);
  lookAtIdleness(h3);
  if (nextMs != Infinity && h3.endStatus == Status.OK) h3.watchDeadlineMs = max(nextMs, nowMs + 1);
}

/** Whether `sinceMs + afterMs` has passed; where it has not, the next look is not later. */
function isDue(sinceMs: f64, afterMs: f64): bool {
  if (sinceMs + afterMs <= nowMs) return true;
  nextMs = min(nextMs, sinceMs + afterMs);
  return false;
}

function lookAt(h3: H3Connection, stream: H3Stream): void {
  if (hasStreamBit(stream, H3StreamFlag.CUT)) return;
  const exchange = changetype<H3Exchange | null>(stream.exchange);
  if (exchange != null) {
    if (lookAtContent(h3, stream, exchange)) lookAtStall(stream, exchange);
    return;
  }
  const isUntyped = stream.kind == <u8>StreamKind.UNTYPED;
  const isWaiting = hasStreamBit(stream, H3StreamFlag.WAITING);
  if (!isUntyped && !isWaiting && stream.kind != <u8>StreamKind.REQUEST) return;
  if (!isDue(stream.beganMs, limitOf(Limit.HEAD_TIMEOUT_MS))) return;
  limitHit(Limit.HEAD_TIMEOUT_MS);
  if (isUntyped) h3StreamEnd(h3, stream);
  else if (isWaiting) rejectSessionStream(h3, stream, H3Error.WT_BUFFERED_STREAM_REJECTED);
  else streamError(stream, Status.HEAD_TIMEOUT);
}

/** Content that arrives too slowly ends its stream. One whose window the host leaves closed is not slow. False when it has ended. */
function lookAtContent(h3: H3Connection, stream: H3Stream, exchange: H3Exchange): bool {
  if (!awaitsContent(h3, stream, exchange)) {
    exchange.windowSinceMs = 0;
    return true;
  }
  const windowMs = limitOf(Limit.BODY_WINDOW_MS);
  if (exchange.windowSinceMs != 0 && isDue(exchange.windowSinceMs, windowMs)) {
    const least = (limitOf(Limit.BODY_RATE_BYTES_PER_S) * windowMs) / MS_PER_S;
    if (exchange.windowBytes == 0 || <f64>exchange.windowBytes < least) {
      limitHit(Limit.BODY_WINDOW_MS);
      streamError(stream, Status.BODY_TIMEOUT);
      return false;
    }
    exchange.windowSinceMs = 0;
  }
  if (exchange.windowSinceMs == 0) {
    exchange.windowSinceMs = nowMs;
    exchange.windowBytes = 0;
    isDue(nowMs, windowMs);
  }
  return true;
}

/** Content that the peer lets through too slowly ends its stream. */
function lookAtStall(stream: H3Stream, exchange: H3Exchange): void {
  const buffer = sendBufferOf(changetype<QuicStream>(stream.quic));
  if (buffer.end == buffer.ackedTo) {
    exchange.stalledSinceMs = 0;
    return;
  }
  const timeoutMs = limitOf(Limit.STALL_TIMEOUT_MS);
  if (exchange.stalledSinceMs != 0 && isDue(exchange.stalledSinceMs, timeoutMs)) {
    if (isTooFew(buffer.ackedTo - exchange.stalledAt, timeoutMs)) {
      limitHit(Limit.STALL_TIMEOUT_MS);
      return streamError(stream, H3Status.STALLED);
    }
    exchange.stalledSinceMs = 0;
  }
  if (exchange.stalledSinceMs != 0) return;
  exchange.stalledSinceMs = nowMs;
  exchange.stalledAt = buffer.ackedTo;
  isDue(nowMs, timeoutMs);
}

/** The same for all output together, that of streams included whose messages are complete. */
function lookAtOutput(h3: H3Connection): void {
  const set = setOf(h3);
  if (set.heldBytes == 0) {
    h3.stalledSinceMs = 0;
    return;
  }
  const timeoutMs = limitOf(Limit.STALL_TIMEOUT_MS);
  const taken = set.sendTotal - min(set.heldBytes, set.sendTotal);
  if (h3.stalledSinceMs != 0 && isDue(h3.stalledSinceMs, timeoutMs)) {
    if (taken <= h3.stalledAt || isTooFew(taken - h3.stalledAt, timeoutMs)) {
      limitHit(Limit.STALL_TIMEOUT_MS);
      return connectionError(h3, H3Status.STALLED);
    }
    h3.stalledSinceMs = 0;
  }
  if (h3.stalledSinceMs != 0) return;
  h3.stalledSinceMs = nowMs;
  h3.stalledAt = taken;
  isDue(nowMs, timeoutMs);
}

function isTooFew(bytes: u64, windowMs: f64): bool {
  return bytes == 0 || <f64>bytes < (limitOf(Limit.BODY_RATE_BYTES_PER_S) * windowMs) / MS_PER_S;
}

/** A connection that asks for nothing is closed, though its peer may keep the transport awake. */
function lookAtIdleness(h3: H3Connection): void {
  if (transportOf(h3).firstExchange != 0 || h3.idleSinceMs == 0) return;
  if (!isDue(h3.idleSinceMs, limitOf(Limit.IDLE_TIMEOUT_MS))) return;
  limitHit(Limit.IDLE_TIMEOUT_MS);
  h3.flags |= H3Flag.DONE;
  markDirty(transportOf(h3));
}
