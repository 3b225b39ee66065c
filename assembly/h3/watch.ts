/**
 * What asks for a look at the streams in time (deadlines.ts), and when content is waited for at all.
 */
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { nowMs } from "../session/deadline.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf } from "../session/limits.ts";
import { H3Connection, setOf, transportOf } from "./connection.ts";
import { RequestState } from "./request_state.ts";
import { H3Exchange, H3Stream, quicOf } from "./stream.ts";

/** Something has begun that has to end in time. */
export function watchStreams(h3: H3Connection): void {
  const leastMs = min(
    min(limitOf(Limit.HEAD_TIMEOUT_MS), limitOf(Limit.BODY_WINDOW_MS)),
    min(limitOf(Limit.STALL_TIMEOUT_MS), limitOf(Limit.IDLE_TIMEOUT_MS)),
  );
  if (h3.watchDeadlineMs == 0 || h3.watchDeadlineMs > nowMs + leastMs) h3.watchDeadlineMs = nowMs + leastMs;
}

/** The exchange's content has to come fast enough from now on. */
export function watchContent(h3: H3Connection, exchange: H3Exchange): void {
  exchange.windowSinceMs = nowMs;
  exchange.windowBytes = 0;
  watchStreams(h3);
}

/** Whether content may come now, and nobody but the peer holds it up. */
export function awaitsContent(h3: H3Connection, stream: H3Stream, exchange: H3Exchange): bool {
  if (hasFlag(exchange, ExchangeFlag.RECEIVED)) return false;
  // A tunnel may be silent, until the host has let go of it: then only its end is awaited (CVE-2026-21435).
  if (stream.state == <u8>RequestState.TUNNEL && !hasFlag(exchange, ExchangeFlag.RELEASED)) return false;
  if (hasFlag(exchange, ExchangeFlag.CONTINUE_OWED) || hasFlag(exchange, ExchangeFlag.UNDECIDED))
    return false;
  if (transportOf(h3).role == Role.CLIENT && !hasFlag(exchange, ExchangeFlag.SENT)) return false;
  const quic = quicOf(stream);
  const set = setOf(h3);
  return quic.receiveEnd < quic.receiveMost && set.receiveTotal < set.receiveMost;
}
