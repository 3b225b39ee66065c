/**
 * What a session of WebTransport consists of.
 *
 * Invariant: `exchange.session` is a block of the slab from the acceptance to the end of the exchange; the connection's `sessionCount`
 * counts those that are not over.
 */
import { Counter } from "../abi/counter.ts";
import { slabFree } from "../core/slab.ts";
import { count } from "../session/counters.ts";
import { FrameHeader } from "./frame.ts";
import { H3Exchange } from "./stream.ts";

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

export const SESSION_BYTES: u32 = <u32>offsetof<WebTransportSession>();

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

/** Frees the session of an exchange that has one. */
export function sessionFree(exchange: H3Exchange): void {
  if (exchange.session == 0) return;
  if (hasSession(exchange)) count(Counter.SESSIONS_WT_OPEN, -1);
  slabFree(exchange.session);
  exchange.session = 0;
}
