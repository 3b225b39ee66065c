/**
 * A stream that has become a tunnel which the engine itself reads (session/tunnel.ts): RFC 8441 §5, RFC 9113 §8.5.
 *
 * The windows of the stream are its backpressure: what the reader has not consumed is held, and what the peer gives no credit
 * for waits in the stream's queue. The end of the tunnel is the end of the stream.
 */
import { SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { H2Connection } from "./connection.ts";
import { updateWindows } from "./flow_control.ts";
import { consumeContent } from "./held_content.ts";
import { streamError } from "./lifecycle.ts";
import { h2SendBody, queueContent } from "./send.ts";
import { H2Stream } from "./stream.ts";
import { queueRoom } from "./transmit.ts";

export function h2TunnelRoom(exchange: Exchange): u32 {
  const stream = changetype<H2Stream>(exchange);
  return queueRoom(changetype<H2Connection>(stream.connection), stream);
}

export function h2TunnelAwaitRoom(exchange: Exchange): void {
  if (hasFlag(exchange, ExchangeFlag.WRITABLE_OWED)) return;
  exchange.flags |= ExchangeFlag.WRITABLE_OWED;
  changetype<H2Connection>(exchange.connection).writableOwedCount++;
}

/** False when the memory is full; then the connection is lost. */
export function h2TunnelSend(exchange: Exchange, ptr: usize, len: u32): bool {
  const stream = changetype<H2Stream>(exchange);
  if (stream.isEndQueued || hasFlag(stream, ExchangeFlag.ABORTED)) return true;
  return queueContent(changetype<H2Connection>(stream.connection), stream, ptr, len, false) == Status.OK;
}

/** Everything that was received has been read. */
export function h2TunnelConsume(exchange: Exchange): void {
  const stream = changetype<H2Stream>(exchange);
  if (stream.unconsumedBytes == 0) return;
  const connection = changetype<H2Connection>(stream.connection);
  consumeContent(connection, stream, stream.unconsumedBytes);
  updateWindows(connection, stream);
}

/** Nothing more is sent or read. The stream ends when the peer ends its side too. */
export function h2TunnelFinish(exchange: Exchange): void {
  const stream = changetype<H2Stream>(exchange);
  if (stream.isEndQueued || hasFlag(stream, ExchangeFlag.ABORTED)) return;
  stream.flags |= ExchangeFlag.RELEASED;
  h2SendBody(exchange, 0, 0, SendFlag.END | SendFlag.RELEASE);
}

export function h2TunnelReset(exchange: Exchange, status: i32): void {
  const stream = changetype<H2Stream>(exchange);
  if (hasFlag(stream, ExchangeFlag.ABORTED)) return;
  stream.flags |= ExchangeFlag.RELEASED;
  streamError(changetype<H2Connection>(stream.connection), stream, status);
}
