/**
 * From the number that a stream or a datagram names to the session: draft-ietf-webtrans-http3 §4.1, §4.2 and §4.4.
 */
import { Role } from "../abi/message.ts";
import { streamFind } from "../quic/stream/stream_table.ts";
import { hasStreamFlag, QuicStream, StreamFlag } from "../quic/stream/stream.ts";
import { countsOf } from "../quic/stream/streams.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { H3Connection, setOf, transportOf } from "./connection.ts";
import { hasSession } from "./session_state.ts";
import { H3Exchange, H3Stream, H3StreamFlag, hasStreamBit } from "./stream.ts";
import { StreamKind } from "./stream_type.ts";

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
