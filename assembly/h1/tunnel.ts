/**
 * A connection that has become a tunnel which the engine itself reads (session/tunnel.ts): RFC 9110 §7.8.
 *
 * What the exchange sends goes to the connection's output without framing; what was received and not consumed pauses the host's
 * reading as content does. The end of the tunnel is the end of the connection.
 */
import { Limit } from "../abi/limit.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { Exchange, ExchangeFlag, exchangeShedHead, hasFlag } from "../session/exchange.ts";
import { limitU32 } from "../session/limits.ts";
import { outputPending, outputWrite } from "../session/output.ts";
import { Tunnel } from "../session/tunnel_block.ts";
import { H1Connection } from "./connection.ts";
import { h1Abort, messageSent } from "./lifecycle.ts";
import { updateReading } from "./reading.ts";

export function h1TunnelRoom(exchange: Exchange): u32 {
  const connection = changetype<H1Connection>(exchange.connection);
  const queued = isFirst(exchange) ? outputPending(connection) : exchange.output.length;
  const limit = limitU32(Limit.OUTPUT_BYTES);
  return queued < limit ? limit - queued : 0;
}

export function h1TunnelAwaitRoom(exchange: Exchange): void {
  exchange.flags |= ExchangeFlag.WRITABLE_OWED;
}

/** False when the memory is full. */
export function h1TunnelSend(exchange: Exchange, ptr: usize, len: u32): bool {
  const connection = changetype<H1Connection>(exchange.connection);
  return outputWrite(connection, isFirst(exchange) ? connection.output : exchange.output, ptr, len);
}

/** The head of the request is not read any more: a tunnel that may last for days does not hold it. */
export function h1TunnelShedHead(exchange: Exchange): void {
  const connection = changetype<H1Connection>(exchange.connection);
  const ptr = exchangeShedHead(exchange);
  if (connection.receiving == changetype<usize>(exchange)) connection.receiving = ptr;
  changetype<Tunnel>(exchange.tunnel).exchange = ptr;
}

/** Everything that was received has been read. */
export function h1TunnelConsume(exchange: Exchange): void {
  if (exchange.unconsumedBytes == 0) return;
  exchange.unconsumedBytes = 0;
  const connection = changetype<H1Connection>(exchange.connection);
  if (connection.flags & ConnectionFlag.READ_PAUSED) updateReading(connection);
}

/** Nothing more is sent or read: the connection closes once its output is written. */
export function h1TunnelFinish(exchange: Exchange): void {
  exchange.flags |= ExchangeFlag.RELEASED;
  // What arrives is the tunnel's own: no input was held back that its end would let go on.
  if (!hasFlag(exchange, ExchangeFlag.SENT)) messageSent(exchange);
}

export function h1TunnelReset(exchange: Exchange, status: i32): void {
  exchange.flags |= ExchangeFlag.RELEASED;
  h1Abort(changetype<H1Connection>(exchange.connection), status);
}

// @ts-ignore: decorator
@inline
function isFirst(exchange: Exchange): bool {
  return changetype<H1Connection>(exchange.connection).firstExchange == changetype<usize>(exchange);
}
