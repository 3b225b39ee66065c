/** The idle timer, RFC 9000 §10.1. */
import { nowMs } from "../../session/deadline.ts";
import { rttOf } from "../recovery/recovery_state.ts";
import { probeTimeoutMs } from "../recovery/rtt.ts";
import { QuicConnection, recoveryOf } from "./connection.ts";

const PTOS: f64 = 3;

/** A packet arrived, or the first ack-eliciting one after that was sent. RFC 9000 §10.1: not less than three PTOs. */
export function idleRestart(connection: QuicConnection): void {
  const least = PTOS * probeTimeoutMs(rttOf(recoveryOf(connection)));
  connection.idleAtMs = nowMs + max(connection.idleTimeoutMs, least);
}
