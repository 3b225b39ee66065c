/**
 * What carries the tunnels that the engine itself reads (session/tunnel.ts): the connection of HTTP/1.1 after its 101, a
 * stream of HTTP/2 or HTTP/3 after its 200. A further version of HTTP is one more branch in each of these functions.
 */
import {
  h1TunnelAwaitRoom,
  h1TunnelConsume,
  h1TunnelFinish,
  h1TunnelReset,
  h1TunnelRoom,
  h1TunnelSend,
} from "../h1/tunnel.ts";
import {
  h2TunnelAwaitRoom,
  h2TunnelConsume,
  h2TunnelFinish,
  h2TunnelReset,
  h2TunnelRoom,
  h2TunnelSend,
} from "../h2/tunnel.ts";
import {
  h3TunnelAwaitRoom,
  h3TunnelConsume,
  h3TunnelFinish,
  h3TunnelReset,
  h3TunnelRoom,
  h3TunnelSend,
} from "../h3/tunnel.ts";
import { Exchange } from "../session/exchange.ts";
import { tunnelCarriedBy, tunnelReadBy } from "../session/tunnel.ts";
import { socketAnswered } from "../ws/client.ts";
import { socketReceive, socketReceiveEnd, socketWritable } from "../ws/socket_receive.ts";
import { isH2, isH3 } from "./protocol.ts";

/** Introduces to each other what carries tunnels and what reads them. To be called once. */
export function carrierInitialize(): void {
  tunnelReadBy(socketReceive, socketReceiveEnd, socketWritable, socketAnswered);
  tunnelCarriedBy(room, awaitRoom, send, consume, finish, reset);
}

function room(exchange: Exchange): u32 {
  if (isH3(exchange)) return h3TunnelRoom(exchange);
  return isH2(exchange) ? h2TunnelRoom(exchange) : h1TunnelRoom(exchange);
}

function awaitRoom(exchange: Exchange): void {
  if (isH3(exchange)) h3TunnelAwaitRoom(exchange);
  else if (isH2(exchange)) h2TunnelAwaitRoom(exchange);
  else h1TunnelAwaitRoom(exchange);
}

function send(exchange: Exchange, ptr: usize, len: u32): bool {
  if (isH3(exchange)) return h3TunnelSend(exchange, ptr, len);
  return isH2(exchange) ? h2TunnelSend(exchange, ptr, len) : h1TunnelSend(exchange, ptr, len);
}

function consume(exchange: Exchange): void {
  if (isH3(exchange)) h3TunnelConsume(exchange);
  else if (isH2(exchange)) h2TunnelConsume(exchange);
  else h1TunnelConsume(exchange);
}

function finish(exchange: Exchange): void {
  if (isH3(exchange)) h3TunnelFinish(exchange);
  else if (isH2(exchange)) h2TunnelFinish(exchange);
  else h1TunnelFinish(exchange);
}

function reset(exchange: Exchange, status: i32): void {
  if (isH3(exchange)) h3TunnelReset(exchange, status);
  else if (isH2(exchange)) h2TunnelReset(exchange, status);
  else h1TunnelReset(exchange, status);
}
