/**
 * How a WebSocket ends: the closing handshake (RFC 6455 §7.1), faults (§7.1.7), and everything that cuts it short. The choke
 * point through which every end passes.
 *
 * Who closes first waits for the other's close frame, up to a deadline; who is closed, or finds a fault, answers. That answer is
 * the host's to give, since only it knows what it still sends to the messages before. Then this side ends the tunnel, in either role: the server is to do so first (§7.1.1), and a client that does not wait for it harms nobody.
 */

import { Counter } from "../abi/counter.ts";
import { EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { SocketFlag } from "../abi/web_socket.ts";
import { CloseCode, WsStatus, closeCodeOf } from "../abi/ws_status.ts";
import { timerArm, timerDisarm } from "../core/timer_wheel.ts";
import { count } from "../session/counters.ts";
import { nowMs } from "../session/deadline.ts";
import { emitTunnelEvent } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { carrierConsume, carrierFinish, carrierReset } from "../session/tunnel.ts";
import { CLOSE_REASON_BYTES_MAX, writeCloseBody } from "./close.ts";
import { exchangeOfSocket, Socket, socketOf, SocketState } from "./socket.ts";
import { sendClose } from "./socket_send.ts";

const CODE_BYTES: u32 = 2;
const closeBody: usize = memory.data(CODE_BYTES + CLOSE_REASON_BYTES_MAX, 16);

/** The host closes: sends a close frame, or the answer that it owed. Status.OK, or INVALID_ARGUMENT. */
export function socketClose(exchange: Exchange, code: u32, reasonPtr: usize, reasonLen: u32): i32 {
  const socket = socketOf(exchange);
  const isAnswer = socket.state == SocketState.ANSWERING;
  if (socket.state != SocketState.OPEN && !isAnswer) return Status.INVALID_STATE;
  const len = writeCloseBody(closeBody, code, reasonPtr, reasonLen);
  if (len < 0) return len;
  sendClose(socket, closeBody, len);
  if (isAnswer) {
    finish(socket);
    return Status.OK;
  }
  socket.state = SocketState.CLOSING;
  // What a host that holds has not read, it will not read any more.
  socket.isHeld = false;
  awaitPeer(socket);
  carrierConsume(exchange);
  return Status.OK;
}

/** The peer's close frame: with it the WebSocket is over for whoever reads messages. */
export function peerClosed(socket: Socket, code: u32, reasonPtr: usize, reasonLen: u32): void {
  if (socket.state == SocketState.CLOSING) {
    tellClose(socket, SocketFlag.NONE, code, reasonPtr, reasonLen, Status.OK);
    finish(socket);
    return;
  }
  // §5.5.1: a message under way may be completed first, and the host may have more than that to send.
  socket.state = SocketState.ANSWERING;
  socket.isHeld = false;
  tellClose(socket, SocketFlag.ANSWER_OWED, code, reasonPtr, reasonLen, Status.OK);
  awaitPeer(socket);
  carrierConsume(exchangeOfSocket(socket));
}

/**
 * The peer broke a rule, or sent what the host cannot take: nothing more is read, and the host's answer says why (§7.1.7), behind
 * what it sends to the messages before.
 */
export function socketFail(socket: Socket, status: i32): void {
  if (socket.state != SocketState.OPEN && socket.state != SocketState.CLOSING) return;
  count(Counter.PEER_ERRORS);
  if (status == WsStatus.MESSAGE_TOO_LARGE) limitHit(Limit.WEB_SOCKET_MESSAGE_BYTES);
  else if (status == WsStatus.TOO_MANY_FRAGMENTS) limitHit(Limit.WEB_SOCKET_FRAGMENT_COUNT);
  if (socket.state == SocketState.CLOSING) {
    socketEnd(socket, status);
    return;
  }
  socket.state = SocketState.ANSWERING;
  socket.isHeld = false;
  tellClose(socket, SocketFlag.ANSWER_OWED, closeCodeOf(status), 0, 0, status);
  awaitPeer(socket);
  carrierConsume(exchangeOfSocket(socket));
}

/** The end without a closing handshake, because of `status`. */
export function socketEnd(socket: Socket, status: i32): void {
  if (socket.state != SocketState.ANSWERING)
    tellClose(socket, SocketFlag.NONE, closeCodeOf(status), 0, 0, status);
  finish(socket);
}

/** The same for a peer that does not answer at all. */
export function socketReset(socket: Socket, status: i32): void {
  const isTold = socket.state == SocketState.ANSWERING || socket.state == SocketState.ENDED;
  if (!isTold) tellClose(socket, SocketFlag.NONE, CloseCode.ABNORMAL, 0, 0, status);
  socket.state = SocketState.ENDED;
  timerDisarm(socket);
  carrierReset(exchangeOfSocket(socket), status);
}

function tellClose(
  socket: Socket,
  flags: u32,
  code: u32,
  reasonPtr: usize,
  reasonLen: u32,
  status: i32,
): void {
  const exchange = exchangeOfSocket(socket);
  emitTunnelEvent(EventKind.SOCKET_CLOSE, flags, exchange, code, <u32>reasonPtr, reasonLen, <u32>status);
}

/** The peer has to move until the close timeout. */
function awaitPeer(socket: Socket): void {
  socket.closeDeadlineMs = nowMs + limitOf(Limit.WEB_SOCKET_CLOSE_TIMEOUT_MS);
  timerArm(socket, socket.closeDeadlineMs);
}

/** Ends this side. The socket may be gone afterwards. */
function finish(socket: Socket): void {
  socket.state = SocketState.ENDED;
  // A stream whose other side stays open is reset when the deadline passes.
  awaitPeer(socket);
  carrierFinish(exchangeOfSocket(socket));
}
