/**
 * What a peer may do that costs this side more than the peer: budgets over time, each with its limit (abi/limit.ts). They are those of
 * HTTP/2, and so are their numbers; what HTTP/2 counts as acknowledgements is the transport's here.
 *
 * All of them end the connection once the budget is spent.
 */
import { Counter } from "../abi/counter.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { count } from "../session/counters.ts";
import { nowMs } from "../session/deadline.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { H3Connection } from "./connection.ts";
import { connectionError } from "./failure.ts";

const SECOND_MS: f64 = 1000;

export function budgetInitialize(h3: H3Connection): void {
  h3.resetTokens = limitOf(Limit.RESET_BURST);
  h3.resetTokensAtMs = nowMs;
  h3.controlTokens = limitOf(Limit.CONTROL_FRAMES_PER_S);
  h3.controlTokensAtMs = nowMs;
  h3.emptySinceMs = nowMs;
}

/** A request was cut, by either side (CVE-2023-44487, CVE-2025-8671). */
export function spendReset(h3: H3Connection): void {
  count(Counter.STREAMS_RESET);
  const elapsedMs = nowMs - h3.resetTokensAtMs;
  h3.resetTokensAtMs = nowMs;
  const filled = h3.resetTokens + (elapsedMs * limitOf(Limit.RESET_RATE_PER_S)) / SECOND_MS;
  h3.resetTokens = min(filled, limitOf(Limit.RESET_BURST)) - 1;
  if (h3.resetTokens >= 0) return;
  limitHit(Limit.RESET_BURST);
  connectionError(h3, H3Status.RESET_FLOOD);
}

/** A frame or a stream came that carries no message: a priority, a cancelled push, what nobody knows. */
export function spendControl(h3: H3Connection): void {
  const most = limitOf(Limit.CONTROL_FRAMES_PER_S);
  const elapsedMs = nowMs - h3.controlTokensAtMs;
  h3.controlTokensAtMs = nowMs;
  h3.controlTokens = min(h3.controlTokens + (elapsedMs * most) / SECOND_MS, most) - 1;
  // Capsules go on to the end of their piece.
  if (h3.controlTokens >= 0 || h3.endStatus != Status.OK) return;
  limitHit(Limit.CONTROL_FRAMES_PER_S);
  connectionError(h3, H3Status.CONTROL_FLOOD);
}

/** A DATA frame came that has no content. */
export function spendEmpty(h3: H3Connection): void {
  if (nowMs - h3.emptySinceMs >= SECOND_MS) {
    h3.emptySinceMs = nowMs;
    h3.emptyCount = 0;
  }
  h3.emptyCount++;
  if (h3.emptyCount <= limitU32(Limit.EMPTY_FRAMES_PER_S)) return;
  limitHit(Limit.EMPTY_FRAMES_PER_S);
  connectionError(h3, H3Status.EMPTY_FRAME_FLOOD);
}
