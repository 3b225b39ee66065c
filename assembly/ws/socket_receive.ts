/**
 * What arrives on a WebSocket, as events: the loop over the receiver's steps. RFC 6455 §6.2, §5.5.
 *
 * A piece of a message is told where it lies. One read may hold thousands of small frames, so the loop
 * stops at a step's boundary when the event ring has no room for another, and the rest is offered again.
 *
 * While the host holds the socket, what is taken is not given back as credit, which is what stops the peer in the end.
 */

import { EventKind } from "../abi/event.ts";
import { SocketFlag } from "../abi/web_socket.ts";
import { WsStatus } from "../abi/ws_status.ts";
import { slabAllocate } from "../core/slab.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { emitExchangeEvent, emitTunnelEvent, hasEventRoom } from "../session/events.ts";
import { EventFlag } from "../abi/event.ts";
import { Exchange } from "../session/exchange.ts";
import { retireBlock } from "../session/retired.ts";
import { carrierConsume } from "../session/tunnel.ts";
import { WsReceiver, WsStep, isWsReceiverKept, wsPoll, wsReceive, wsReceiverStop } from "./receiver.ts";
import { receiverOf, socketOf, SocketState } from "./socket.ts";
import { peerClosed, socketEnd, socketFail } from "./socket_end.ts";
import { sendPending } from "./socket_send.ts";

/** In front of a copy that events point into: the link of retired blocks. */
const COPY_OFFSET: u32 = 8;

/** Takes [ptr, ptr + len), whose bytes may be changed; answers how much of it was taken. */
export function socketReceive(exchange: Exchange, ptr: usize, len: u32): u32 {
  const socket = socketOf(exchange);
  if (socket.state != SocketState.OPEN && socket.state != SocketState.CLOSING) {
    carrierConsume(exchange);
    return len;
  }
  socket.lastReceivedMs = nowMs;
  socket.pingedAtMs = 0;
  const receiver = receiverOf(socket);
  const connection = changetype<Connection>(exchange.connection);
  wsReceive(receiver, ptr, len);
  while (hasEventRoom(connection.openExchangeCount)) {
    switch (wsPoll(receiver)) {
      case WsStep.NEED_MORE:
        if (!socket.isHeld) carrierConsume(exchange);
        return len;
      case WsStep.DATA:
        // After a close frame was sent, what the peer had under way is of no use to anybody.
        if (socket.state == SocketState.OPEN) tellData(exchange, receiver);
        break;
      case WsStep.PING:
        tellControl(exchange, receiver, EventKind.SOCKET_PING);
        break;
      case WsStep.PONG:
        tellControl(exchange, receiver, EventKind.SOCKET_PONG);
        break;
      case WsStep.CLOSE:
        peerClosed(socket, receiver.closeCode, keptPayload(receiver), receiver.payloadLen);
        return len;
      default:
        socketFail(socket, receiver.status);
        return len;
    }
  }
  const taken = <u32>(receiver.inputPtr - ptr);
  wsReceiverStop(receiver);
  if (!socket.isHeld) carrierConsume(exchange);
  return taken;
}

/** The peer ended its side without a close frame, or after it. */
export function socketReceiveEnd(exchange: Exchange): void {
  const socket = socketOf(exchange);
  if (socket.state == SocketState.OPEN || socket.state == SocketState.CLOSING) {
    socketEnd(socket, WsStatus.UNEXPECTED_END);
  }
}

/** There is room to send again: for what the engine has to send, then for the host. */
export function socketWritable(exchange: Exchange): void {
  const socket = socketOf(exchange);
  sendPending(socket);
  if (!socket.isWritableOwed) {
    // Nobody polls again for a pong alone.
    emitExchangeEvent(EventKind.TRANSMIT, EventFlag.NONE, exchange, 0, 0);
    return;
  }
  socket.isWritableOwed = false;
  emitExchangeEvent(EventKind.WRITABLE, EventFlag.NONE, exchange, 0, 0);
}

/** The host holds the socket, or reads on. */
export function socketHold(exchange: Exchange, isHeld: bool): void {
  const socket = socketOf(exchange);
  socket.isHeld = isHeld;
  if (!isHeld) carrierConsume(exchange);
}

function tellData(exchange: Exchange, receiver: WsReceiver): void {
  const missing = <u32>min<u64>(receiver.payloadRemaining, u32.MAX_VALUE);
  const flags: u32 = receiver.dataFlags;
  emitTunnelEvent(
    EventKind.SOCKET_DATA,
    flags,
    exchange,
    <u32>receiver.payloadPtr,
    receiver.payloadLen,
    missing,
    0,
  );
}

function tellControl(exchange: Exchange, receiver: WsReceiver, kind: EventKind): void {
  emitTunnelEvent(kind, SocketFlag.NONE, exchange, <u32>keptPayload(receiver), receiver.payloadLen, 0, 0);
}

/**
 * The payload of a control frame as an event may point to it: the receiver's own copy of one that came in pieces is overwritten by
 * the next.
 */
function keptPayload(receiver: WsReceiver): usize {
  const len = receiver.payloadLen;
  if (len == 0 || !isWsReceiverKept(receiver)) return receiver.payloadPtr;
  const block = slabAllocate(COPY_OFFSET + len);
  if (block == 0) {
    receiver.payloadLen = 0;
    return receiver.payloadPtr;
  }
  memory.copy(block + COPY_OFFSET, receiver.payloadPtr, len);
  retireBlock(block);
  return block + COPY_OFFSET;
}
