/**
 * A WebSocket: the tunnel of an exchange whose handshake was agreed, in either role.
 *
 *                                  ┌── peer's close ──▶ ANSWERING ── host answers ──▶ ENDED
 *     OPENING ── agreed ──▶ OPEN ──┼── host closes ────▶ CLOSING ──── peer's close ──▶ ENDED
 *     (client)                     └── fault, end, silence ──────────────────────────▶ ENDED
 *
 * The struct is one slab block that hangs on its exchange. Receiving is receiver.ts, fed by socket_receive.ts; sending is
 * socket_send.ts; how it ends is socket_end.ts, and when time runs out socket_deadlines.ts.
 *
 * Invariant: SOCKET_CLOSE is told exactly once, on the way to ENDED or ANSWERING; nothing else is told after it.
 */

import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { slabAllocate } from "../core/slab.ts";
import { count } from "../session/counters.ts";
import { Exchange } from "../session/exchange.ts";
import { limitU32 } from "../session/limits.ts";
import { Tunnel, TimerOwner } from "../session/tunnel_block.ts";
import { PENDING_PONG_BYTES, PendingPong, pendingPongClear } from "./pending_pong.ts";
import { WS_RECEIVER_BYTES, WsReceiver, wsReceiverBegin } from "./receiver.ts";

export const enum SocketState {
  /** Client role: the answer to the handshake has not come. */
  OPENING = 0,
  OPEN = 1,
  /** A close frame was sent, the peer's is waited for. */
  CLOSING = 2,
  /** The peer's close frame was told; the host sends what it has before it is answered. */
  ANSWERING = 3,
  /** Nothing is read or sent any more. */
  ENDED = 4,
}

/**
 * SOCKET_BYTES is what to allocate: the receiver and the pending control frame follow the fields.
 *
 *     +--------+------------+---------------------------+
 *     | Socket | WsReceiver | PendingPong, or the close |
 *     +--------+------------+---------------------------+
 */
@unmanaged
export class Socket extends Tunnel {
  state: SocketState;
  /** Payload of the frame being sent that the host has not handed over yet. No other frame may come between. */
  sendRemaining: u64;
  /** Client role: key of the next byte of that payload. */
  sendMaskKey: u32;
  lastReceivedMs: f64;
  /** 0: none. */
  idleTimeoutMs: f64;
  pingIntervalMs: f64;
  /** When a ping was sent that nothing has followed, 0 when none was; when the peer's close frame has to be there. */
  pingedAtMs: f64;
  closeDeadlineMs: f64;
  /** The host reads no further messages for now. */
  isHeld: bool;
  /** The host was told to wait for room. */
  isWritableOwed: bool;
  /** The pending control frame is a close frame. */
  isClosePending: bool;
}

const RECEIVER_OFFSET: u32 = (<u32>offsetof<Socket>() + 7) & ~7;
const PENDING_OFFSET: u32 = (RECEIVER_OFFSET + WS_RECEIVER_BYTES + 7) & ~7;
const SOCKET_BYTES: u32 = (PENDING_OFFSET + PENDING_PONG_BYTES + 7) & ~7;

/**
 * Allocates a socket in OPENING, with `offerBytes` behind it for what a client offers, and hangs it on its exchange. False when
 * the memory is full.
 */
export function socketCreate(exchange: Exchange, offerBytes: u32 = 0): bool {
  const ptr = slabAllocate(SOCKET_BYTES + offerBytes);
  if (ptr == 0) {
    count(Counter.POOL_REFUSALS);
    return false;
  }
  memory.fill(ptr, 0, SOCKET_BYTES);
  const socket = changetype<Socket>(ptr);
  socket.owner = TimerOwner.TUNNEL;
  socket.exchange = changetype<usize>(exchange);
  exchange.tunnel = ptr;
  count(Counter.WEB_SOCKETS_OPEN);
  return true;
}

/** What both sides have agreed on: frames may come. */
export function socketBegin(socket: Socket, role: Role, deflate: i32, messageBytesMax: u64): void {
  const fragmentCountMax = limitU32(Limit.WEB_SOCKET_FRAGMENT_COUNT);
  wsReceiverBegin(receiverOf(socket), role, deflate != 0, messageBytesMax, fragmentCountMax);
  pendingPongClear(pendingOf(socket));
  socket.state = SocketState.OPEN;
  count(Counter.CONNECTIONS_WS);
}

// @ts-ignore: decorator
@inline
export function socketOf(exchange: Exchange): Socket {
  return changetype<Socket>(exchange.tunnel);
}

// @ts-ignore: decorator
@inline
export function exchangeOfSocket(socket: Socket): Exchange {
  return changetype<Exchange>(socket.exchange);
}

// @ts-ignore: decorator
@inline
export function receiverOf(socket: Socket): WsReceiver {
  return changetype<WsReceiver>(changetype<usize>(socket) + RECEIVER_OFFSET);
}

/** The control frame that waits for room: a pong, or a close frame's body (isClosePending). */
// @ts-ignore: decorator
@inline
export function pendingOf(socket: Socket): PendingPong {
  return changetype<PendingPong>(changetype<usize>(socket) + PENDING_OFFSET);
}

/** What a client offered, until the answer has come. */
// @ts-ignore: decorator
@inline
export function offerOf(socket: Socket): usize {
  return changetype<usize>(socket) + SOCKET_BYTES;
}
