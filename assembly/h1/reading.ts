/**
 * Whether the host reads from the peer: paused while input is held back or content is not consumed, and the deadline of
 * content that arrives too slowly (LIMITS: slow bodies), which a pause suspends.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { clearReadDeadline, setReadDeadline } from "../session/deadline.ts";
import { emitConnectionEvent } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { H1Connection, ReceiveState } from "./connection.ts";

/** Tells the host to stop or go on reading, when that has changed. A pause suspends the deadline of slow content. */
export function updateReading(connection: H1Connection): void {
  let pause = isInputHeld(connection);
  const receiving = connection.receiving;
  if (receiving != 0 && changetype<Exchange>(receiving).unconsumedBytes > limitU32(Limit.READ_WINDOW_BYTES)) {
    pause = true;
  }
  const paused = (connection.flags & ConnectionFlag.READ_PAUSED) != 0;
  if (pause == paused) return;
  if (pause) {
    if (receiving != 0) limitHit(Limit.READ_WINDOW_BYTES);
    connection.flags |= ConnectionFlag.READ_PAUSED;
    if (receiving != 0) clearReadDeadline(connection);
    emitConnectionEvent(EventKind.READ_PAUSE, EventFlag.NONE, connection, 0);
  } else {
    connection.flags &= ~ConnectionFlag.READ_PAUSED;
    if (receiving != 0) beginBodyWindow(connection);
    emitConnectionEvent(EventKind.READ_RESUME, EventFlag.NONE, connection, 0);
  }
}

/** Starts a window in which content has to arrive at the least rate (LIMITS: slow bodies). */
export function beginBodyWindow(connection: H1Connection): void {
  connection.windowBytes = 0;
  if (connection.receiveState != ReceiveState.TUNNEL) {
    setReadDeadline(connection, limitOf(Limit.BODY_WINDOW_MS), Status.BODY_TIMEOUT);
  }
}

/** Whether the input block holds bytes that are not the beginning of what is being received, but wait for their turn. */
export function isInputHeld(connection: H1Connection): bool {
  return (
    connection.inputLen != 0 &&
    (connection.receiveState == ReceiveState.HELD || (connection.flags & ConnectionFlag.RESUME_OWED) != 0)
  );
}
