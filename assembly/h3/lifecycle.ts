/**
 * How requests end, the good way and the others: RFC 9114 §4.1, §4.1.1, §4.1.2, §8.
 *
 * A stream error resets both directions with one code, and counts, whoever caused it, in the budget of resets. A connection error
 * (failure.ts) is left to the transport. An exchange that was cut stays, and with it the transport's stream, until the host has
 * released it: until then it counts.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { streamCredit, streamIsAtEnd, streamReset, streamStopSending } from "../quic/stream/application.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { markDirty } from "../session/dirty.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { Exchange, exchangeDestroy, exchangeDetach, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { tunnelEnd } from "../session/tunnel.ts";
import { spendReset } from "./budget.ts";
import { H3Connection, H3Flag, h3Of, hasH3Flag, transportOf } from "./connection.ts";
import { H3Error, h3ErrorCode } from "./error_code.ts";
import { cancelSection } from "./field_sections.ts";
import { endSession } from "./session_end.ts";
import { sessionFree } from "./session_state.ts";
import {
  connectionOfStream,
  dropPayload,
  H3Exchange,
  H3Stream,
  h3StreamEnd,
  H3StreamFlag,
  hasStreamBit,
  quicOf,
  streamOf,
} from "./stream.ts";
import { watchContent, watchStreams } from "./watch.ts";

/** A request cannot go on, by this side's judgement. */
export function streamError(stream: H3Stream, status: i32): void {
  const h3 = connectionOfStream(stream);
  cutStream(h3, stream, h3ErrorCode(status));
  abandon(h3, stream, status);
  spendReset(h3);
}

/** The peer has cut a request: it has reset its side, or wants nothing more. */
export function streamCut(stream: H3Stream, status: i32): void {
  const h3 = connectionOfStream(stream);
  // §4.1.1: what of the other direction is left is of no use.
  cutStream(h3, stream, H3Error.REQUEST_CANCELLED);
  abandon(h3, stream, status);
  spendReset(h3);
}

/** Ends both directions of the transport's stream. Either may have ended before. */
function cutStream(h3: H3Connection, stream: H3Stream, code: H3Error): void {
  const quic = quicOf(stream);
  const isRead = streamIsAtEnd(quic);
  if (!isRead || hasStreamBit(stream, H3StreamFlag.BLOCKED)) cancelSection(h3, stream);
  stream.flags |= <u8>H3StreamFlag.CUT;
  dropPayload(stream);
  if (!isRead) streamStopSending(quic, code);
  streamReset(quic, code);
  markDirty(transportOf(h3));
}

function abandon(h3: H3Connection, stream: H3Stream, status: i32): void {
  if (stream.exchange == 0) return h3StreamEnd(h3, stream);
  abortExchange(h3, changetype<H3Exchange>(stream.exchange), status);
}

/** Tells the host that an exchange was cut. Its stream is kept until the host lets go. */
function abortExchange(h3: H3Connection, exchange: H3Exchange, status: i32): void {
  if (hasFlag(exchange, ExchangeFlag.ABORTED)) return;
  exchange.flags |= ExchangeFlag.ABORTED;
  endSession(h3, exchange);
  emitExchangeEvent(EventKind.ABORTED, EventFlag.NONE, exchange, <u32>status, 0);
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) forget(h3, exchange);
}

/** The exchange and its stream are done with: the host has let go, or both messages are complete. */
function forget(h3: H3Connection, exchange: H3Exchange): void {
  endSession(h3, exchange);
  const stream = exchange.stream;
  h3ExchangeDetach(exchange);
  if (stream != 0) h3StreamEnd(h3, changetype<H3Stream>(stream));
  settle(h3);
}

/** The peer's message is complete. The host is told unless its last content said so. */
export function messageReceived(h3: H3Connection, exchange: H3Exchange): void {
  const isTunnel = exchange.tunnel != 0;
  const isTold = hasFlag(exchange, ExchangeFlag.RECEIVED) || hasFlag(exchange, ExchangeFlag.DISCARD);
  if (!isTunnel && !isTold) emitExchangeEvent(EventKind.END, EventFlag.NONE, exchange, 0, 0);
  exchange.flags |= ExchangeFlag.RECEIVED;
  if (hasFlag(exchange, ExchangeFlag.SENT)) forget(h3, exchange);
  else if (isTunnel) tunnelEnd(exchange);
}

/**
 * The host has said all of its message, and the transport has it. In the server's role nobody will read what of the request is still
 * to come: it is thrown away.
 */
export function messageSent(h3: H3Connection, exchange: H3Exchange): void {
  exchange.isEndQueued = 1;
  exchange.flags |= ExchangeFlag.SENT;
  if (hasFlag(exchange, ExchangeFlag.RECEIVED)) return forget(h3, exchange);
  if (transportOf(h3).role == Role.CLIENT) return watchContent(h3, exchange);
  if (hasFlag(exchange, ExchangeFlag.TUNNEL) && !hasFlag(exchange, ExchangeFlag.RELEASED)) return;
  discardContent(exchange);
}

/** What still comes is not wanted, and held up nobody. */
function discardContent(exchange: H3Exchange): void {
  exchange.flags |= ExchangeFlag.DISCARD;
  exchange.unconsumedBytes = 0;
  const quic = quicOf(streamOf(exchange));
  streamCredit(quic, quic.withheldBytes);
}

/** RFC 9114 §4.1: the answer is complete, and so much of the request is left that it is not waited for. */
export function cutRequest(h3: H3Connection, exchange: H3Exchange): void {
  const stream = streamOf(exchange);
  stream.flags |= <u8>H3StreamFlag.CUT;
  streamStopSending(quicOf(stream), H3Error.NO_ERROR);
  forget(h3, exchange);
}

/** The host holds the exchange no longer. One that it leaves incomplete is cut. */
export function h3Release(exchange: Exchange): void {
  const own = changetype<H3Exchange>(exchange);
  const connection = changetype<Connection>(exchange.connection);
  const h3 = h3Of(connection);
  own.flags |= ExchangeFlag.RELEASED;
  if (hasFlag(own, ExchangeFlag.ABORTED)) return forget(h3, own);
  // Of a session that this side has closed, or a response that it has given, the peer's end is awaited without the host.
  const isHalf = own.session != 0 || connection.role == Role.SERVER;
  if (own.isEndQueued != 0 && (isHalf || hasFlag(own, ExchangeFlag.RECEIVED))) return;
  const status = connection.role == Role.CLIENT ? H3Status.CANCELLED : Status.INVALID_STATE;
  streamError(streamOf(own), status);
}

/** What a connection does when one of its exchanges has ended. */
export function settle(h3: H3Connection): void {
  if (transportOf(h3).firstExchange != 0) return;
  h3.idleSinceMs = nowMs;
  watchStreams(h3);
  if (!hasH3Flag(h3, H3Flag.GOAWAY_SENT) && !hasH3Flag(h3, H3Flag.GOAWAY_RECEIVED)) return;
  h3.flags |= H3Flag.DONE;
  markDirty(transportOf(h3));
}

/** The connection is gone: ends each exchange with its event. */
export function abortExchanges(h3: H3Connection, status: i32): void {
  const connection = transportOf(h3);
  while (connection.firstExchange != 0) {
    const exchange = changetype<H3Exchange>(connection.firstExchange);
    if (!hasFlag(exchange, ExchangeFlag.ABORTED)) {
      exchange.flags |= ExchangeFlag.ABORTED;
      emitExchangeEvent(EventKind.ABORTED, EventFlag.NONE, exchange, <u32>status, 0);
    }
    h3ExchangeDetach(exchange);
  }
}

/** The connection is freed: its exchanges stay until the host releases them, and no event is told of them. */
export function detachExchanges(h3: H3Connection): void {
  const connection = transportOf(h3);
  while (connection.firstExchange != 0) {
    const exchange = changetype<H3Exchange>(connection.firstExchange);
    exchange.flags |= ExchangeFlag.ABORTED;
    h3ExchangeDetach(exchange);
  }
}

/** Takes the exchange off its connection; it is freed once the host has released it. */
export function h3ExchangeDetach(exchange: H3Exchange): void {
  if (exchange.stream != 0) streamOf(exchange).exchange = 0;
  exchange.stream = 0;
  sessionFree(exchange);
  exchangeDetach(exchange);
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) exchangeDestroy(exchange);
}
