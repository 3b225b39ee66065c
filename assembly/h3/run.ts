/**
 * How the transport drives HTTP/3. For each connection of QUIC that has chosen it:
 *
 *   h3Start(connection, set)        once, when there are keys to send with (start.ts)
 *   h3Run(connection)               after each batch of packets, after a command of the host, and when the host has read events:
 *                                   OK; H3_DONE, to close with H3_NO_ERROR; or a status, to close with h3ErrorCode(status)
 *   h3ReadStreams(connection)       between packets of a batch, to read what would have to be copied otherwise
 *   h3IsWaiting(connection)         h3Run has left something, because the host has to read its events first
 *   h3Deadline, h3HandleTimeout     time (deadlines.ts), then h3Run again
 *   h3SetEarlyData                  before packets of 0-RTT are read, and when the handshake is complete (start.ts)
 *   h3Drain, h3IsIdle               no further request (goaway.ts)
 *   h3Closed, h3Destroy             the end (start.ts)
 *
 * `h3Run` reads what `streamsPoll` tells, so nobody else polls. Content is told by its address in the transport's memory, which stays
 * until the host's next call: whoever receives for the host calls `freeRetired` first.
 */
import { EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import {
  datagramConsume,
  datagramPeekLength,
  streamsPoll,
  streamsTakeNews,
} from "../quic/stream/application.ts";
import { isLocalId, isUnidirectional, QuicStream, StreamEvent } from "../quic/stream/stream.ts";
import { eventfulOf, SetNews } from "../quic/stream/streams.ts";
import { Connection } from "../session/connection.ts";
import { emitConnectionEvent, hasEventRoom } from "../session/events.ts";
import { ExchangeFlag } from "../session/exchange.ts";
import { H3Connection, h3Of, maySessions, setOf, transportOf } from "./connection.ts";
import { H3Error } from "./error_code.ts";
import { connectionError } from "./failure.ts";
import { flushSections } from "./field_sections.ts";
import { h3IsDone } from "./goaway.ts";
import { receiveHttpDatagrams } from "./http_datagram.ts";
import { streamCut } from "./lifecycle.ts";
import { readRequest } from "./receive_request.ts";
import { h3Writable } from "./send.ts";
import { sessionStreamEvents } from "./session_stream.ts";
import { H3Exchange, H3Stream, h3StreamCreate, H3StreamFlag, hasStreamBit, quicOf } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";
import { readUni, uniReset } from "./uni_stream.ts";
import { watchStreams } from "./watch.ts";

/** What `h3Run` answers when the connection has nothing more to do. */
export const H3_DONE: i32 = 1;

/** Reads what has arrived on streams, as far as the host can be told of it; `h3Run` follows. */
export function h3ReadStreams(connection: Connection): void {
  const h3 = h3Of(connection);
  const set = setOf(h3);
  while (h3.endStatus == Status.OK && hasEventRoom(connection.openExchangeCount)) {
    const ptr = streamsPoll(set);
    if (ptr == 0) break;
    takeEvents(h3, changetype<QuicStream>(ptr), set.polledEvents);
  }
}

/** Reads what has arrived, and sends what comes of that. */
export function h3Run(connection: Connection): i32 {
  const h3 = h3Of(connection);
  h3ReadStreams(connection);
  if (h3.endStatus == Status.OK) takeNews(h3);
  if (h3.endStatus == Status.OK) flushSections(h3);
  if (h3.endStatus != Status.OK) return h3.endStatus;
  return h3IsDone(connection) ? H3_DONE : Status.OK;
}

/** Whether streams have something to tell that `h3Run` had no room for. */
export function h3IsWaiting(connection: Connection): bool {
  const h3 = h3Of(connection);
  const set = setOf(h3);
  return h3.endStatus == Status.OK && (eventfulOf(set).head | set.news) != 0;
}

/** What happened on a stream. It may be gone after each step. */
function takeEvents(h3: H3Connection, quic: QuicStream, events: u32): void {
  if (quic.applicationState == 0 && !begin(h3, quic, events)) return;
  const stream = changetype<H3Stream>(quic.applicationState);
  if (stream.kind == <u8>StreamKind.WEBTRANSPORT) return sessionStreamEvents(h3, stream, events);
  if (isUnidirectional(quic.id)) {
    if (events & StreamEvent.RESET) return uniReset(h3, stream);
    if (events & StreamEvent.READABLE && readUni(h3, stream)) sessionStreamEvents(h3, stream, events);
    return;
  }
  // A request that is cancelled before it was read does not become one (CVE-2023-44487).
  const isCancelled = (events & StreamEvent.STOPPED) != 0 && stream.exchange == 0;
  if (events & StreamEvent.READABLE && !isCancelled) {
    if (!readRequest(h3, stream) || h3.endStatus != Status.OK) return;
    if (stream.kind == <u8>StreamKind.WEBTRANSPORT) return sessionStreamEvents(h3, stream, events);
  }
  if (hasStreamBit(stream, H3StreamFlag.CUT)) return;
  if (events & StreamEvent.RESET) return streamCut(stream, resetStatus(quic.peerResetCode));
  if (events & StreamEvent.STOPPED) return stopped(h3, stream);
  if (events & StreamEvent.WRITABLE) h3Writable(h3, stream);
}

/** A stream that HTTP/3 has no state of: one that the peer opens, or one of this side's own three. False when there is none. */
function begin(h3: H3Connection, quic: QuicStream, events: u32): bool {
  const set = setOf(h3);
  if (isLocalId(set, quic.id)) {
    // RFC 9114 §6.2.1, RFC 9204 §4.2: the receiver does not ask for their end.
    if (events & StreamEvent.STOPPED) connectionError(h3, H3Status.CRITICAL_STREAM_CLOSED);
    return false;
  }
  const isUni = isUnidirectional(quic.id);
  if (!isUni && transportOf(h3).role == Role.CLIENT && !maySessions(h3)) {
    // §6.1: servers open none.
    connectionError(h3, H3Status.STREAM_DIRECTION);
    return false;
  }
  if (h3StreamCreate(h3, quic, isUni ? StreamKind.UNTYPED : StreamKind.REQUEST) == 0) {
    connectionError(h3, Status.MEMORY_FULL);
    return false;
  }
  watchStreams(h3);
  return true;
}

/**
 * The peer wants nothing more of what this side sends, and the transport has reset it. A client goes on to read the response
 * (§4.1); a server has nobody to answer.
 */
function stopped(h3: H3Connection, stream: H3Stream): void {
  if (transportOf(h3).role == Role.SERVER || stream.exchange == 0) {
    return streamCut(stream, H3Status.CANCELLED);
  }
  stream.flags |= <u8>H3StreamFlag.STOPPED;
  const exchange = changetype<H3Exchange>(stream.exchange);
  if (exchange.tunnel != 0 || (exchange.flags & ExchangeFlag.TUNNEL) != 0) {
    return streamCut(stream, resetStatus(quicOf(stream).peerStopCode));
  }
  if (exchange.isEndQueued == 0) h3Writable(h3, stream);
}

/** What the peer's code means for the exchange. */
function resetStatus(code: u64): i32 {
  if (code == <u64>H3Error.REQUEST_REJECTED) return H3Status.REJECTED;
  return H3Status.CANCELLED;
}

/** News of the connection as a whole. Datagrams that were not announced are dropped. */
function takeNews(h3: H3Connection): void {
  const set = setOf(h3);
  const news = streamsTakeNews(set);
  if (!maySessions(h3)) {
    while (datagramPeekLength(set) >= 0) datagramConsume(set);
    return;
  }
  const openable = news & (SetNews.OPENABLE_BIDI | SetNews.OPENABLE_UNI);
  if (openable != 0 && hasEventRoom(transportOf(h3).openExchangeCount)) {
    emitConnectionEvent(EventKind.QUIC_OPENABLE, openable, transportOf(h3), 0);
  } else set.news |= openable;
  if (news & SetNews.DATAGRAMS) receiveHttpDatagrams(h3);
}
