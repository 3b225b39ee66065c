/**
 * Time on a WebSocket: silence that is broken by pings or ends it, and the deadline of the closing handshake.
 *
 * The socket's own timer node waits for the earliest; bytes that arrive move no timer, they are looked at when it expires.
 */

import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { CloseCode, WsStatus } from "../abi/ws_status.ts";
import { timerArm } from "../core/timer_wheel.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { emitConnectionEvent } from "../session/events.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { exchangeOfSocket, Socket, SocketState } from "./socket.ts";
import { socketClose, socketReset } from "./socket_end.ts";
import { socketSendPing } from "./socket_send.ts";

/** Begins to watch an open socket. 0 means never. */
export function socketWatch(socket: Socket, idleTimeoutMs: f64, pingIntervalMs: f64): void {
  socket.idleTimeoutMs = idleTimeoutMs;
  socket.pingIntervalMs = pingIntervalMs;
  socket.lastReceivedMs = nowMs;
  armNext(socket);
}

/** The socket's timer node has expired. */
export function socketHandleTimeout(socket: Socket): void {
  const connection = changetype<Connection>(exchangeOfSocket(socket).connection);
  if (changetype<usize>(connection) == 0) return;
  if (socket.state == SocketState.OPEN) handleSilence(socket);
  else handleClosing(socket);
  emitConnectionEvent(EventKind.TRANSMIT, EventFlag.NONE, connection, 0);
}

function handleSilence(socket: Socket): void {
  const silentMs = nowMs - socket.lastReceivedMs;
  if (socket.idleTimeoutMs != 0 && silentMs >= socket.idleTimeoutMs) {
    limitHit(Limit.WEB_SOCKET_IDLE_TIMEOUT_MS);
    socketClose(exchangeOfSocket(socket), CloseCode.GOING_AWAY, 0, 0);
    return;
  }
  if (socket.pingedAtMs != 0 && nowMs - socket.pingedAtMs >= limitOf(Limit.WEB_SOCKET_PING_TIMEOUT_MS)) {
    limitHit(Limit.WEB_SOCKET_PING_TIMEOUT_MS);
    socketReset(socket, WsStatus.PING_TIMEOUT);
    return;
  }
  if (socket.pingIntervalMs != 0 && socket.pingedAtMs == 0 && silentMs >= socket.pingIntervalMs) {
    socketSendPing(exchangeOfSocket(socket), 0, 0);
    // One that found no room has waited for as long, and what is in front of it is not read either.
    socket.pingedAtMs = nowMs;
  }
  armNext(socket);
}

function handleClosing(socket: Socket): void {
  if (nowMs < socket.closeDeadlineMs) {
    timerArm(socket, socket.closeDeadlineMs);
    return;
  }
  limitHit(Limit.WEB_SOCKET_CLOSE_TIMEOUT_MS);
  socketReset(socket, WsStatus.CLOSE_TIMEOUT);
}

function armNext(socket: Socket): void {
  let nextMs: f64 = Infinity;
  if (socket.idleTimeoutMs != 0) nextMs = socket.lastReceivedMs + socket.idleTimeoutMs;
  if (socket.pingedAtMs != 0) {
    nextMs = min(nextMs, socket.pingedAtMs + limitOf(Limit.WEB_SOCKET_PING_TIMEOUT_MS));
  } else if (socket.pingIntervalMs != 0) {
    nextMs = min(nextMs, socket.lastReceivedMs + socket.pingIntervalMs);
  }
  if (nextMs != Infinity) timerArm(socket, nextMs);
}
