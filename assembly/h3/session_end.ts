/**
 * How a session of WebTransport ends, draft-ietf-webtrans-http3 §6: either side has closed it, or its stream was cut. Its streams are cut
 * then, and their handles stale.
 */
import { Counter } from "../abi/counter.ts";
import { streamReset, streamStopSending } from "../quic/stream/application.ts";
import { count } from "../session/counters.ts";
import { markDirty } from "../session/dirty.ts";
import { H3Connection, transportOf } from "./connection.ts";
import { H3Error } from "./error_code.ts";
import { hasSession, SessionEnd, sessionOf } from "./session_state.ts";
import { H3Exchange, H3Stream, h3StreamEnd, quicOf, streamOf } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";

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

/** Cuts both directions and lets go of the stream; its handle is stale. */
export function rejectSessionStream(h3: H3Connection, stream: H3Stream, code: H3Error): void {
  const quic = quicOf(stream);
  streamStopSending(quic, code);
  streamReset(quic, code);
  h3StreamEnd(h3, stream);
  markDirty(transportOf(h3));
}
