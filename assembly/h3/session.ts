/**
 * Sessions of WebTransport, draft-ietf-webtrans-http3 §3, §5 and §6: an exchange of extended CONNECT that was accepted, whose content
 * are capsules (capsule.ts), and to which streams (session_stream.ts) and datagrams (http_datagram.ts) belong by the number of its stream.
 *
 * A session is over when either side has closed it, or its stream was cut. Its streams are cut then, and their handles stale.
 *
 * Invariant: `exchange.session` is a block of the slab from the acceptance to the end of the exchange; `sessionCount` counts those
 * that are not over.
 */
import { Counter } from "../abi/counter.ts";
import { EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Role, SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { QuicStream, StreamEvent, StreamFlag, hasStreamFlag, tell } from "../quic/stream/stream.ts";
import { streamFind } from "../quic/stream/stream_table.ts";
import { countsOf } from "../quic/stream/streams.ts";
import { count } from "../session/counters.ts";
import { markDirty } from "../session/dirty.ts";
import { emitTunnelEvent } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { H3Connection, h3Of, setOf, transportOf } from "./connection.ts";
import { Connection } from "../session/connection.ts";
import { watchStreams } from "./deadlines.ts";
import { H3Error } from "./error_code.ts";
import { FrameHeader } from "./frame.ts";
import { streamError } from "./lifecycle.ts";
import { h3SendBody, h3SendHead } from "./send.ts";
import { rejectSessionStream } from "./session_stream.ts";
import { H3Exchange, H3Stream, H3StreamFlag, hasStreamBit, quicOf, streamOf } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";

const OK: u32 = 200;

/** Why a session is not open. */
export const enum SessionEnd {
  NONE = 0,
  /** By this side, or by a cut: what the peer has sent meanwhile is passed over. */
  LOCAL = 1,
  /** By the peer, who sends nothing after that. */
  REMOTE = 2,
  /** Client role: the request is not answered. */
  AWAITED = 3,
}

/** Begins with what there is of a capsule's header. */
@unmanaged
export class WebTransportSession extends FrameHeader {
  /** Bytes of the capsule's payload that are still to come. */
  left: u64;
  /** A payload is read or passed over; else the next byte is of a header. */
  isInPayload: u8;
  /** The payload is kept. */
  isKept: u8;
  /** SessionEnd. */
  isOver: u8;
}

const SESSION_BYTES: u32 = <u32>offsetof<WebTransportSession>();

/** The session of an exchange that has one. */
// @ts-ignore: decorator
@inline
export function sessionOf(exchange: H3Exchange): WebTransportSession {
  return changetype<WebTransportSession>(exchange.session);
}

/** Whether an exchange has a session that is open. */
export function hasSession(exchange: H3Exchange): bool {
  return exchange.session != 0 && sessionOf(exchange).isOver == 0;
}

/** Whether a capsule has begun and is not complete. */
export function isWithinCapsule(exchange: H3Exchange): bool {
  const session = sessionOf(exchange);
  return session.isInPayload != 0 || session.len != 0;
}

/** Where the session stands that a stream or a datagram names. */
export const enum SessionPlace {
  /** Its request has not come, or is not answered. */
  AWAITED = 0,
  OPEN = 1,
  GONE = 2,
  /** The number is that of another request, which is not over. */
  OTHER = 3,
  /** It cannot be that of a request. */
  NEVER = 4,
}

/** The exchange that `findSession` found, where the answer is OPEN or OTHER. */
export let foundExchange: usize = 0;

export function findSession(h3: H3Connection, id: u64): SessionPlace {
  const set = setOf(h3);
  const isServer = transportOf(h3).role == Role.SERVER;
  const counts = countsOf(set, false);
  const most = isServer ? counts.remoteMost : counts.localOpened;
  if ((id & 3) != 0 || id >> 2 >= most) return SessionPlace.NEVER;
  const ptr = streamFind(set, id);
  if (ptr == 0) {
    return isServer && id >> 2 >= counts.remoteOpened ? SessionPlace.AWAITED : SessionPlace.GONE;
  }
  const quic = changetype<QuicStream>(ptr);
  if (hasStreamFlag(quic, StreamFlag.RELEASED)) return SessionPlace.GONE;
  if (quic.applicationState == 0) return SessionPlace.AWAITED;
  const stream = changetype<H3Stream>(quic.applicationState);
  if (hasStreamBit(stream, H3StreamFlag.CUT)) return SessionPlace.GONE;
  if (stream.kind == <u8>StreamKind.WEBTRANSPORT) return SessionPlace.NEVER;
  if (stream.exchange == 0) return SessionPlace.AWAITED;
  foundExchange = stream.exchange;
  const exchange = changetype<H3Exchange>(foundExchange);
  if (hasFlag(exchange, ExchangeFlag.UNDECIDED)) return SessionPlace.AWAITED;
  if (exchange.session == 0) return SessionPlace.OTHER;
  return hasSession(exchange) ? SessionPlace.OPEN : SessionPlace.GONE;
}

/** Gives an exchange a session that is not open yet. EXCHANGES_FULL when the connection has as many as it may, or MEMORY_FULL. */
export function sessionCreate(h3: H3Connection, exchange: H3Exchange): i32 {
  if (h3.sessionCount >= limitU32(Limit.WEB_TRANSPORT_SESSION_COUNT)) {
    limitHit(Limit.WEB_TRANSPORT_SESSION_COUNT);
    return Status.EXCHANGES_FULL;
  }
  const ptr = slabAllocate(SESSION_BYTES);
  if (ptr == 0) return Status.MEMORY_FULL;
  memory.fill(ptr, 0, SESSION_BYTES);
  exchange.session = ptr;
  sessionOf(exchange).isOver = <u8>SessionEnd.AWAITED;
  return Status.OK;
}

/** Frees the session of an exchange that has one. */
export function sessionFree(exchange: H3Exchange): void {
  if (exchange.session == 0) return;
  if (hasSession(exchange)) count(Counter.SESSIONS_WT_OPEN, -1);
  slabFree(exchange.session);
  exchange.session = 0;
}

/** A session's request is answered: it is open, or refused. Streams that came before the answer have been waiting for it. */
export function sessionAnswered(h3: H3Connection, exchange: H3Exchange, isAccepted: bool): void {
  if (isAccepted) {
    sessionOf(exchange).isOver = <u8>SessionEnd.NONE;
    h3.sessionCount++;
    count(Counter.SESSIONS_WT);
    count(Counter.SESSIONS_WT_OPEN);
  } else sessionFree(exchange);
  for (let at = h3.firstStream; at != 0; at = changetype<H3Stream>(at).next) {
    const stream = changetype<H3Stream>(at);
    if (hasStreamBit(stream, H3StreamFlag.WAITING)) tell(quicOf(stream), StreamEvent.READABLE);
  }
}

/**
 * Accepts an extended CONNECT as a session, with the fields of a block. EXCHANGES_FULL, with the request refused, when the connection
 * has as many as it may; INVALID_STATE for what is no such request.
 */
export function h3AcceptSession(exchange: Exchange, block: usize, len: u32): i32 {
  const own = changetype<H3Exchange>(exchange);
  const connection = changetype<Connection>(exchange.connection);
  const h3 = h3Of(connection);
  if (exchange.tunnel != 0 || own.session != 0) return Status.INVALID_STATE;
  const made = sessionCreate(h3, own);
  if (made != Status.OK) {
    if (made == Status.EXCHANGES_FULL) streamError(streamOf(exchange), made);
    return made;
  }
  const sent = h3SendHead(exchange, OK, block, len, -1, SendFlag.TUNNEL);
  if (sent != Status.OK) {
    // Where it was lost meanwhile, its session is too.
    sessionFree(own);
    return sent;
  }
  sessionAnswered(h3, own, true);
  return Status.OK;
}

/** The session is over: cuts its streams. */
export function endSession(h3: H3Connection, exchange: H3Exchange): void {
  if (!hasSession(exchange)) return;
  sessionOf(exchange).isOver = <u8>SessionEnd.LOCAL;
  h3.sessionCount--;
  count(Counter.SESSIONS_WT_OPEN, -1);
  if (exchange.stream == 0) return;
  const id = quicOf(streamOf(exchange)).id;
  let ptr = h3.firstStream;
  while (ptr != 0) {
    const stream = changetype<H3Stream>(ptr);
    ptr = stream.next;
    if (stream.kind == <u8>StreamKind.WEBTRANSPORT && stream.session == id) {
      rejectSessionStream(h3, stream, H3Error.WT_SESSION_GONE);
    }
  }
}

/** The peer has closed the session: with a capsule, or by ending its stream. This side ends it too. */
export function sessionClosed(
  h3: H3Connection,
  exchange: H3Exchange,
  code: u32,
  reason: usize,
  len: u32,
): void {
  if (!hasSession(exchange)) return;
  if (!hasFlag(exchange, ExchangeFlag.RELEASED))
    emitTunnelEvent(EventKind.SESSION_CLOSE, 0, exchange, code, <u32>reason, len, 0);
  endSession(h3, exchange);
  sessionOf(exchange).isOver = <u8>SessionEnd.REMOTE;
  h3SendBody(exchange, 0, 0, SendFlag.END);
  watchStreams(h3);
  markDirty(transportOf(h3));
}
