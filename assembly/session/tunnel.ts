/**
 * Tunnels that the engine itself reads: exchanges that have left HTTP for a protocol of the engine's own (WebSocket).
 *
 * Two rooms meet here that do not know each other. The one that carries the tunnel (HTTP/1.1, HTTP/2) hands over what arrives
 * (`tunnelReceive`, `tunnelEnd`, `tunnelWritable`); the one that reads it sends through the carrier (`carrierSend`, …). Both sides
 * are put in place once, by the engine's room; whatever carries exchanges can carry these tunnels too.
 *
 * Invariant: an exchange's tunnel lives as long as the exchange. A call into the tunnel may end both, so callers look again.
 */
import { Exchange } from "./exchange.ts";

type Receive = (exchange: Exchange, ptr: usize, len: u32) => u32;
type Notice = (exchange: Exchange) => void;
type Answer = (exchange: Exchange) => i32;
type Room = (exchange: Exchange) => u32;
type Send = (exchange: Exchange, ptr: usize, len: u32) => bool;
type Reset = (exchange: Exchange, status: i32) => void;

let receiveBy: Receive = (_exchange: Exchange, _ptr: usize, len: u32): u32 => len;
let endBy: Notice = (_exchange: Exchange): void => {};
let writableBy: Notice = (_exchange: Exchange): void => {};
let answerBy: Answer = (_exchange: Exchange): i32 => 0;
let roomBy: Room = (_exchange: Exchange): u32 => 0;
let sendBy: Send = (_exchange: Exchange, _ptr: usize, _len: u32): bool => false;
let awaitBy: Notice = (_exchange: Exchange): void => {};
let consumeBy: Notice = (_exchange: Exchange): void => {};
let finishBy: Notice = (_exchange: Exchange): void => {};
let resetBy: Reset = (_exchange: Exchange, _status: i32): void => {};

/** Puts the room in place that reads tunnels. */
export function tunnelReadBy(receive: Receive, end: Notice, writable: Notice, answer: Answer): void {
  receiveBy = receive;
  endBy = end;
  writableBy = writable;
  answerBy = answer;
}

/** Puts in place what carries them. */
export function tunnelCarriedBy(
  room: Room,
  awaitRoom: Notice,
  send: Send,
  consume: Notice,
  finish: Notice,
  reset: Reset,
): void {
  awaitBy = awaitRoom;
  roomBy = room;
  sendBy = send;
  consumeBy = consume;
  finishBy = finish;
  resetBy = reset;
}

/** Bytes arrived. Answers how many were taken: fewer than `len` only for want of room in the event ring. */
export function tunnelReceive(exchange: Exchange, ptr: usize, len: u32): u32 {
  return receiveBy(exchange, ptr, len);
}

/** Nothing more will arrive. */
export function tunnelEnd(exchange: Exchange): void {
  endBy(exchange);
}

/** There is room again after `carrierAwaitRoom`. */
export function tunnelWritable(exchange: Exchange): void {
  writableBy(exchange);
}

/** Client role: the head of the answer is complete and opens the tunnel. Status.OK, or why it does not. */
export function tunnelAnswered(exchange: Exchange): i32 {
  return answerBy(exchange);
}

/** Bytes that `carrierSend` takes now. */
// @ts-ignore: decorator
@inline
export function carrierRoom(exchange: Exchange): u32 {
  return roomBy(exchange);
}

/** `tunnelWritable` is to be called once there is room again. */
export function carrierAwaitRoom(exchange: Exchange): void {
  awaitBy(exchange);
}

/** Sends bytes, of which there are no more than `carrierRoom` has answered. False when the memory is full. */
// @ts-ignore: decorator
@inline
export function carrierSend(exchange: Exchange, ptr: usize, len: u32): bool {
  return sendBy(exchange, ptr, len);
}

/** What was received is read: the peer may send on. */
// @ts-ignore: decorator
@inline
export function carrierConsume(exchange: Exchange): void {
  consumeBy(exchange);
}

/** Nothing more will be sent, and nothing is read any more. The host has let go of the exchange, which may be gone. */
export function carrierFinish(exchange: Exchange): void {
  finishBy(exchange);
}

/** Ends the tunnel at once. */
export function carrierReset(exchange: Exchange, status: i32): void {
  resetBy(exchange, status);
}
