/**
 * HTTP datagrams, RFC 9297 §2.1: a datagram of QUIC that begins with a quarter of the number of the request's stream that it belongs to.
 * Here they are sessions' (session.ts). One that belongs to none is dropped, as it might have been on its way.
 */
import { Counter } from "../abi/counter.ts";
import { EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Status } from "../abi/status.ts";
import { Reader, readerLeft, readerOpen, readVarint } from "../core/reader.ts";
import { varintLength } from "../core/writer.ts";
import { datagramPeek, datagramPeekLength, datagramSend, datagramTake } from "../quic/stream/application.ts";
import { SetNews } from "../quic/stream/streams.ts";
import { Connection } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { markDirty } from "../session/dirty.ts";
import { emitTunnelEvent, hasEventRoom } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { H3Connection, H3Flag, h3Of, hasH3Flag, setOf, transportOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { putVarint } from "./frame.ts";
import { streamError } from "./lifecycle.ts";
import { findSession, foundExchange, SessionPlace } from "./session_place.ts";
import { hasSession } from "./session_state.ts";
import { H3Exchange, quicOf, streamOf } from "./stream.ts";

/** §2.1: a quarter of the highest number of a stream. */
const QUARTER_ID_MAX: u64 = (1 << 60) - 1;
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** Hands over the datagrams that have come, as far as the host can be told of them. */
export function receiveHttpDatagrams(h3: H3Connection): void {
  const set = setOf(h3);
  while (h3.endStatus == Status.OK && datagramPeekLength(set) >= 0) {
    if (!hasEventRoom(transportOf(h3).openExchangeCount)) {
      set.news |= SetNews.DATAGRAMS;
      return;
    }
    readerOpen(reader, datagramPeek(set), datagramPeekLength(set));
    const quarter = readVarint(reader);
    if (reader.failed || quarter > QUARTER_ID_MAX) connectionError(h3, H3Status.DATAGRAM);
    else deliver(h3, quarter << 2, reader.at, readerLeft(reader));
    datagramTake(set);
  }
}

function deliver(h3: H3Connection, id: u64, ptr: usize, len: u32): void {
  const place = findSession(h3, id);
  const exchange = changetype<Exchange>(foundExchange);
  if (place == SessionPlace.OPEN) {
    return emitTunnelEvent(EventKind.SESSION_DATAGRAM, 0, exchange, <u32>ptr, len, 0, 0);
  }
  count(Counter.HTTP_DATAGRAMS_DROPPED);
  if (place == SessionPlace.NEVER) connectionError(h3, H3Status.SESSION_ID);
  // §2: a request that has no meaning for datagrams ends with an error of its own.
  else if (place == SessionPlace.OTHER) streamError(streamOf(exchange), H3Status.DATAGRAM);
}

/**
 * Sends [ptr, ptr + len) on a session; the bytes before `ptr` are overwritten. WOULD_BLOCK when too many wait, INVALID_ARGUMENT
 * when it is too large, or the peer takes none.
 */
export function h3SendDatagram(exchange: Exchange, ptr: usize, len: u32): i32 {
  if (!hasSession(changetype<H3Exchange>(exchange))) return Status.INVALID_STATE;
  const connection = changetype<Connection>(exchange.connection);
  const h3 = h3Of(connection);
  if (!hasH3Flag(h3, H3Flag.DATAGRAMS)) return Status.INVALID_ARGUMENT;
  const quarter = quicOf(streamOf(exchange)).id >> 2;
  const headerLen = varintLength(quarter);
  putVarint(ptr - headerLen, quarter);
  markDirty(connection);
  return datagramSend(setOf(h3), ptr - headerLen, len + headerLen);
}
