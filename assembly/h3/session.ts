/**
 * Sessions of WebTransport, draft-ietf-webtrans-http3 §3, §5 and §6: an exchange of extended CONNECT that was accepted, whose content
 * are capsules (capsule.ts), and to which streams (session_stream.ts) and datagrams (http_datagram.ts) belong by the number of its stream.
 * Here: how they are accepted, and closed by the peer. What they consist of: session_state.ts.
 */
import { Counter } from "../abi/counter.ts";
import { EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate } from "../core/slab.ts";
import { StreamEvent, tell } from "../quic/stream/stream.ts";
import { Connection } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { markDirty } from "../session/dirty.ts";
import { emitTunnelEvent } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { H3Connection, h3Of, transportOf } from "./connection.ts";
import { messageReceived, streamError } from "./lifecycle.ts";
import { h3SendBody, h3SendHead } from "./send.ts";
import { endSession } from "./session_end.ts";
import {
  hasSession,
  isWithinCapsule,
  SESSION_BYTES,
  SessionEnd,
  sessionFree,
  sessionOf,
} from "./session_state.ts";
import { H3Exchange, H3Stream, H3StreamFlag, hasStreamBit, quicOf, streamOf } from "./stream.ts";
import { watchStreams } from "./watch.ts";

const OK: u32 = 200;

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

/** Nothing follows of what the peer says on the session's own stream. */
export function sessionReceived(h3: H3Connection, exchange: H3Exchange): void {
  exchange.flags |= ExchangeFlag.RECEIVED;
  if (hasFlag(exchange, ExchangeFlag.SENT)) return messageReceived(h3, exchange);
  // RFC 9297 §3.3: a capsule that is not whole.
  if (isWithinCapsule(exchange)) return streamError(streamOf(exchange), H3Status.CAPSULE);
  sessionClosed(h3, exchange, 0, 0, 0);
}
