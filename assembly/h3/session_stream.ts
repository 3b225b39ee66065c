/**
 * Streams of WebTransport sessions, draft-ietf-webtrans-http3 §4.1 to §4.5: after a type and the number of the session's request they
 * are the host's, which reads and writes them as it does raw streams of QUIC (quic/raw/raw.ts).
 *
 * A stream may come before its session: so many of them wait for it, and no longer than a head may take; what they carry waits in the
 * transport's buffers.
 */
import { EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { rawAdopt, rawTell } from "../quic/raw/raw.ts";
import { streamOpen, streamSendWhole } from "../quic/stream/application.ts";
import { QuicStream, StreamEvent } from "../quic/stream/stream.ts";
import { Connection } from "../session/connection.ts";
import { markDirty } from "../session/dirty.ts";
import { emitTunnelEvent } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { spendReset } from "./budget.ts";
import { H3Connection, h3Of, setOf, transportOf } from "./connection.ts";
import { H3Error } from "./error_code.ts";
import { connectionError } from "./failure.ts";
import { FRAME_HEADER_MAX, FrameType, writeFrameHeader } from "./frame.ts";
import { rejectSessionStream } from "./session_end.ts";
import { findSession, foundExchange, SessionPlace } from "./session_place.ts";
import { hasSession } from "./session_state.ts";
import {
  H3Exchange,
  H3Stream,
  h3StreamCreate,
  h3StreamEnd,
  H3StreamFlag,
  hasStreamBit,
  quicOf,
  streamOf,
} from "./stream.ts";
import { StreamKind, StreamType } from "./stream_type.ts";
import { watchStreams } from "./watch.ts";

const header: usize = memory.data(FRAME_HEADER_MAX, 16);

/** What happened on a stream whose header has been read, or that this side has opened. */
export function sessionStreamEvents(h3: H3Connection, stream: H3Stream, events: u32): void {
  const quic = quicOf(stream);
  if (quic.application == 0 && !adopt(h3, stream, events)) return;
  rawTell(transportOf(h3), quic, events);
  if (events & StreamEvent.CLOSED) h3StreamEnd(h3, stream);
}

/** Gives the host a stream of the peer. False when its session is not there yet, or the stream is refused. */
function adopt(h3: H3Connection, stream: H3Stream, events: u32): bool {
  const quic = quicOf(stream);
  const place = findSession(h3, stream.session);
  if (place == SessionPlace.NEVER) {
    // §4.1, §4.2: the number is that of a request's stream.
    connectionError(h3, H3Status.SESSION_ID);
    return false;
  }
  const isCut = (events & (StreamEvent.RESET | StreamEvent.STOPPED | StreamEvent.CLOSED)) != 0;
  if (place == SessionPlace.AWAITED && !isCut && waits(h3, stream)) return false;
  if (place != SessionPlace.OPEN || rawAdopt(quic) == 0) {
    const isGone = place == SessionPlace.GONE;
    rejectSessionStream(h3, stream, isGone ? H3Error.WT_SESSION_GONE : H3Error.WT_BUFFERED_STREAM_REJECTED);
    spendReset(h3);
    return false;
  }
  forgetWaiting(h3, stream);
  const exchange = changetype<Exchange>(foundExchange);
  const id = quic.id;
  emitTunnelEvent(EventKind.SESSION_STREAM, 0, exchange, quic.application, <u32>id, <u32>(id >> 32), 0);
  return true;
}

/** Has a stream wait for its session. False when too many do. */
function waits(h3: H3Connection, stream: H3Stream): bool {
  if (hasStreamBit(stream, H3StreamFlag.WAITING)) return true;
  if (h3.waitingCount >= limitU32(Limit.WEB_TRANSPORT_WAITING_STREAM_COUNT)) {
    limitHit(Limit.WEB_TRANSPORT_WAITING_STREAM_COUNT);
    return false;
  }
  stream.flags |= <u8>H3StreamFlag.WAITING;
  h3.waitingCount++;
  watchStreams(h3);
  return true;
}

function forgetWaiting(h3: H3Connection, stream: H3Stream): void {
  if (!hasStreamBit(stream, H3StreamFlag.WAITING)) return;
  stream.flags &= ~(<u8>H3StreamFlag.WAITING);
  h3.waitingCount--;
}

/** Opens a stream of a session. Answers its handle, or WOULD_BLOCK while the peer allows no more (QUIC_OPENABLE follows). */
export function h3OpenSessionStream(exchange: Exchange, isUni: bool): i32 {
  const own = changetype<H3Exchange>(exchange);
  if (!hasSession(own)) return Status.INVALID_STATE;
  const connection = changetype<Connection>(exchange.connection);
  const h3 = h3Of(connection);
  markDirty(connection);
  const ptr = streamOpen(setOf(h3), isUni);
  if (ptr == 0) return Status.WOULD_BLOCK;
  const quic = changetype<QuicStream>(ptr);
  const id = quicOf(streamOf(exchange)).id;
  const made = h3StreamCreate(h3, quic, StreamKind.WEBTRANSPORT);
  const type: u64 = isUni ? StreamType.WEBTRANSPORT : FrameType.WEBTRANSPORT_STREAM;
  const len = <u32>(writeFrameHeader(header, type, id) - header);
  if (made == 0 || rawAdopt(quic) == 0 || !streamSendWhole(quic, header, len, false)) {
    if (made == 0) return Status.MEMORY_FULL;
    rejectSessionStream(h3, changetype<H3Stream>(made), H3Error.INTERNAL_ERROR);
    return Status.MEMORY_FULL;
  }
  changetype<H3Stream>(made).session = id;
  return quic.application;
}
