/**
 * The deadlines that an HTTP/2 connection has beside those of all connections (session/deadline.ts), and what sets them.
 *
 * Each is a time, 0 when there is none. The connection's timer node is armed for the earliest, or earlier.
 */
import { Limit } from "../abi/limit.ts";
import { arm, nowMs } from "../session/deadline.ts";
import { limitOf } from "../session/limits.ts";
import { H2Connection } from "./connection.ts";
import { H2Stream } from "./stream.ts";

export const enum DeadlineKind {
  /** The peer acknowledges the settings. */
  SETTINGS = 0,
  /** A frame, or a header block, that has begun is complete. */
  FRAME = 1,
  /** The next look at slow bodies. */
  BODY = 2,
  /** The next look at windows that stay closed. */
  STALL = 3,
  /** The peer has sent something, or answers a PING. */
  PING = 4,
  /** The round trip of a drain. */
  DRAIN = 5,
  COUNT = 6,
}

// @ts-ignore: decorator
@inline
export function slotOf(connection: H2Connection, kind: u32): usize {
  return changetype<usize>(connection) + offsetof<H2Connection>("settingsDeadlineMs") + kind * sizeof<f64>();
}

/** The deadline of this kind passes `afterMs` from now. */
export function setDeadline(connection: H2Connection, kind: DeadlineKind, afterMs: f64): void {
  store<f64>(slotOf(connection, kind), nowMs + afterMs);
  arm(connection, nowMs + afterMs);
}

export function clearDeadlines(connection: H2Connection): void {
  memory.fill(slotOf(connection, 0), 0, DeadlineKind.COUNT * sizeof<f64>());
}

/** The stream's content has to come fast enough from now on. */
export function watchBody(connection: H2Connection, stream: H2Stream): void {
  stream.windowSinceMs = nowMs;
  stream.windowBytes = 0;
  if (connection.bodyDeadlineMs == 0)
    setDeadline(connection, DeadlineKind.BODY, limitOf(Limit.BODY_WINDOW_MS));
}

/** The stream waits for a window of the peer. */
export function watchStall(connection: H2Connection, stream: H2Stream): void {
  if (stream.stalledSinceMs != 0) return;
  stream.stalledSinceMs = nowMs;
  stream.stallBytes = 0;
  if (connection.stallDeadlineMs == 0)
    setDeadline(connection, DeadlineKind.STALL, limitOf(Limit.STALL_TIMEOUT_MS));
}
