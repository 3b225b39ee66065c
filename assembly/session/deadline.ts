/**
 * Deadlines of connections over the timer wheel.
 *
 * A connection has up to two real deadlines (read and write side). Setting one is a store; the wheel is touched only when
 * the new one is earlier than what is armed. When the wheel fires early, `deadlineDue` looks at the real ones and arms the
 * rest again. So a connection that serves a request moves no timer.
 */
import { timerArm, timerIsArmed } from "../core/timer_wheel.ts";
import { Status } from "../abi/status.ts";
import { Connection } from "./connection.ts";

/** The time of the call that is running, in milliseconds of the host's monotonic clock. */
export let nowMs: f64 = 0;

/** Called by every door that is told the time. Time that runs backwards stands still instead. */
// @ts-ignore: decorator
@inline
export function setNow(now: f64): void {
  if (now > nowMs) nowMs = now;
}

export function clockReset(now: f64): void {
  nowMs = now;
  unixOffsetMs = 0;
  toldUnixMs = -1;
}

/** Milliseconds from the monotonic clock's zero to 1970. */
let unixOffsetMs: f64 = 0;

/** The wall clock's time that the host told and nobody has asked for yet; negative when there is none. */
let toldUnixMs: f64 = -1;

/**
 * The host told the wall clock's time. It is taken for that of the next call that asks for it, not of the last one, which may be long
 * ago: a clock that is somewhat late does no harm, one ahead of its time gives out tickets and tokens of the future.
 */
export function clockSetUnix(epochMs: f64): void {
  toldUnixMs = epochMs;
}

/** The wall clock's time of the call that is running, in milliseconds since 1970: for tickets, tokens and certificates. */
export function clockUnixMs(): f64 {
  if (toldUnixMs >= 0) unixOffsetMs = toldUnixMs - nowMs;
  toldUnixMs = -1;
  return nowMs + unixOffsetMs;
}

/** The peer has to move until `afterMs` from now, or the connection ends with `status`. */
export function setReadDeadline(connection: Connection, afterMs: f64, status: i32): void {
  connection.readDeadlineMs = nowMs + afterMs;
  connection.readDeadlineStatus = status;
  arm(connection, connection.readDeadlineMs);
}

// @ts-ignore: decorator
@inline
export function clearReadDeadline(connection: Connection): void {
  connection.readDeadlineMs = 0;
}

/** The peer has to take output until `afterMs` from now. */
export function setWriteDeadline(connection: Connection, afterMs: f64): void {
  connection.writeDeadlineMs = nowMs + afterMs;
  arm(connection, connection.writeDeadlineMs);
}

// @ts-ignore: decorator
@inline
export function clearWriteDeadline(connection: Connection): void {
  connection.writeDeadlineMs = 0;
}

/**
 * What is due on a connection whose node expired: a status below zero, or Status.OK when nothing is yet, in which case the
 * node is armed again for what comes next. A deadline that is reported is cleared.
 */
export function deadlineDue(connection: Connection): i32 {
  const write = connection.writeDeadlineMs;
  if (write != 0 && write <= nowMs) {
    connection.writeDeadlineMs = 0;
    rearm(connection);
    return Status.WRITE_TIMEOUT;
  }
  const read = connection.readDeadlineMs;
  if (read != 0 && read <= nowMs) {
    connection.readDeadlineMs = 0;
    rearm(connection);
    return connection.readDeadlineStatus;
  }
  rearm(connection);
  return Status.OK;
}

function rearm(connection: Connection): void {
  if (connection.writeDeadlineMs != 0) arm(connection, connection.writeDeadlineMs);
  if (connection.readDeadlineMs != 0) arm(connection, connection.readDeadlineMs);
}

/** Has the node expire at `deadlineMs` or before: for deadlines that a protocol's room keeps itself. */
// @ts-ignore: decorator
@inline
export function arm(connection: Connection, deadlineMs: f64): void {
  if (!timerIsArmed(connection) || deadlineMs < connection.deadlineMs) timerArm(connection, deadlineMs);
}
