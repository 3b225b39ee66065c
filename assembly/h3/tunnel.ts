/**
 * A stream that has become a tunnel which the engine itself reads (session/tunnel.ts): RFC 9220 §3, RFC 9114 §4.4.
 *
 * The windows of the transport's stream are its backpressure: what the reader has not consumed is withheld, and what the peer gives no
 * credit for waits in the stream's buffer. The end of the tunnel is the end of the stream.
 */
import { SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { noteRefused, sendRoom } from "../quic/stream/send_room.ts";
import { markDirty } from "../session/dirty.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { H3Flag, transportOf } from "./connection.ts";
import { FRAME_HEADER_MAX } from "./frame.ts";
import { streamError } from "./lifecycle.ts";
import { creditContent, h3SendBody, sendContent } from "./send.ts";
import { connectionOfStream, H3Exchange, quicOf, streamOf } from "./stream.ts";
import { watchStreams } from "./watch.ts";

export function h3TunnelRoom(exchange: Exchange): u32 {
  const room = sendRoom(quicOf(streamOf(exchange)));
  return room > FRAME_HEADER_MAX ? room - FRAME_HEADER_MAX : 0;
}

export function h3TunnelAwaitRoom(exchange: Exchange): void {
  exchange.flags |= ExchangeFlag.WRITABLE_OWED;
  const stream = streamOf(exchange);
  noteRefused(quicOf(stream));
  watchStreams(connectionOfStream(stream));
}

/** False when the memory is full; then the tunnel is lost. */
export function h3TunnelSend(exchange: Exchange, ptr: usize, len: u32): bool {
  if (changetype<H3Exchange>(exchange).isEndQueued || hasFlag(exchange, ExchangeFlag.ABORTED)) return true;
  const stream = streamOf(exchange);
  markDirty(transportOf(connectionOfStream(stream)));
  if (sendContent(stream, ptr, len, false)) return true;
  streamError(stream, Status.MEMORY_FULL);
  return false;
}

/** Everything that was received has been read. */
export function h3TunnelConsume(exchange: Exchange): void {
  if (changetype<H3Exchange>(exchange).stream == 0) return;
  const stream = streamOf(exchange);
  const h3 = connectionOfStream(stream);
  // Within the reading of this stream the bytes are not counted yet (receive_request.ts).
  if (h3.reading == changetype<usize>(stream)) h3.flags |= H3Flag.CONSUMED;
  if (exchange.unconsumedBytes == 0) return;
  creditContent(stream, exchange.unconsumedBytes);
  exchange.unconsumedBytes = 0;
  markDirty(transportOf(h3));
}

/** Nothing more is sent or read. The stream ends when the peer ends its side too. */
export function h3TunnelFinish(exchange: Exchange): void {
  if (changetype<H3Exchange>(exchange).isEndQueued || hasFlag(exchange, ExchangeFlag.ABORTED)) return;
  exchange.flags |= ExchangeFlag.RELEASED;
  h3SendBody(exchange, 0, 0, SendFlag.END | SendFlag.RELEASE);
}

export function h3TunnelReset(exchange: Exchange, status: i32): void {
  if (hasFlag(exchange, ExchangeFlag.ABORTED)) return;
  exchange.flags |= ExchangeFlag.RELEASED;
  streamError(streamOf(exchange), status);
}
