/**
 * The idle timer, RFC 9000 §10.1, and what a client that waits does against it (§10.1.2).
 *
 * A NAT in between may forget a client that says nothing, and then no packet of the server reaches it any more: only the client can
 * make itself known again. One that waits for the end of a stream therefore speaks up now and then.
 */
import { nowMs } from "../../session/deadline.ts";
import { rttOf } from "../recovery/recovery_state.ts";
import { probeTimeoutMs } from "../recovery/rtt.ts";
import { QuicConnection, QuicFlag, recoveryOf, streamsOfConnection } from "./connection.ts";

const PTOS: f64 = 3;
/** RFC 9000 §10.1.2: many middleboxes forget UDP after thirty seconds. */
const KEEP_ALIVE_MS: f64 = 15000;

/** A packet arrived, or the first ack-eliciting one after that was sent. RFC 9000 §10.1: not less than three PTOs. */
export function idleRestart(connection: QuicConnection): void {
  const least = PTOS * probeTimeoutMs(rttOf(recoveryOf(connection)));
  connection.idleAtMs = nowMs + max(connection.idleTimeoutMs, least);
}

/**
 * When a client that waits and has nothing to send has to send a PING; Infinity when it need not. What is sent and not yet
 * acknowledged is sent again anyway.
 */
export function keepAliveAtMs(connection: QuicConnection): f64 {
  const bits = QuicFlag.SERVER | QuicFlag.CONFIRMED | QuicFlag.HAS_ELICITED | QuicFlag.PING_OWED;
  if ((connection.bits & bits) != QuicFlag.CONFIRMED) return Infinity;
  const waits =
    connection.application != 0 ? connection.openExchangeCount : streamsOfConnection(connection).streamCount;
  if (waits == 0) return Infinity;
  const idleMs = connection.idleTimeoutMs;
  return connection.idleAtMs - idleMs + min(idleMs / 2, KEEP_ALIVE_MS);
}
