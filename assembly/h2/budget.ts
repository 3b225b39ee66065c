/**
 * What a peer may do that costs this side more than the peer: budgets over time, each with its limit (abi/limit.ts).
 *
 * All of them answer false once the budget is spent; the caller ends the connection with the status of the flood. A budget is
 * a bucket of tokens that fills with time, except for frames without content, which are counted by the second, and replies,
 * which are counted until the output has been taken.
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { count } from "../session/counters.ts";
import { nowMs } from "../session/deadline.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { H2Connection } from "./connection.ts";

const SECOND_MS: f64 = 1000;
/** Window updates and the like that a peer may send for each DATA frame it was sent. */
const CONTROL_PER_DATA: f64 = 4;

export function budgetInitialize(connection: H2Connection): void {
  connection.resetTokens = limitOf(Limit.RESET_BURST);
  connection.resetTokensAtMs = nowMs;
  connection.controlTokens = limitOf(Limit.CONTROL_FRAMES_PER_S);
  connection.controlTokensAtMs = nowMs;
  connection.emptySinceMs = nowMs;
}

/** A stream was reset, by either side (CVE-2023-44487, CVE-2025-8671). */
export function spendReset(connection: H2Connection): bool {
  count(Counter.STREAMS_RESET);
  const elapsedMs = nowMs - connection.resetTokensAtMs;
  connection.resetTokensAtMs = nowMs;
  const filled = connection.resetTokens + (elapsedMs * limitOf(Limit.RESET_RATE_PER_S)) / SECOND_MS;
  connection.resetTokens = min(filled, limitOf(Limit.RESET_BURST)) - 1;
  if (connection.resetTokens >= 0) return true;
  limitHit(Limit.RESET_BURST);
  return false;
}

/** A frame arrived that carries neither message nor reply (CVE-2019-9511, CVE-2019-9513). */
export function spendControl(connection: H2Connection): bool {
  const most = limitOf(Limit.CONTROL_FRAMES_PER_S);
  const elapsedMs = nowMs - connection.controlTokensAtMs;
  connection.controlTokensAtMs = nowMs;
  connection.controlTokens = min(connection.controlTokens + (elapsedMs * most) / SECOND_MS, most) - 1;
  if (connection.controlTokens >= 0) return true;
  limitHit(Limit.CONTROL_FRAMES_PER_S);
  return false;
}

/** A DATA frame was sent: its peer may answer with window updates. */
// @ts-ignore: decorator
@inline
export function earnControl(connection: H2Connection): void {
  if (connection.controlTokens < limitOf(Limit.CONTROL_FRAMES_PER_S))
    connection.controlTokens += CONTROL_PER_DATA;
}

/** A frame arrived that has no content and ends nothing (CVE-2019-9518). */
export function spendEmpty(connection: H2Connection): bool {
  if (nowMs - connection.emptySinceMs >= SECOND_MS) {
    connection.emptySinceMs = nowMs;
    connection.emptyCount = 0;
  }
  connection.emptyCount++;
  if (connection.emptyCount <= limitU32(Limit.EMPTY_FRAMES_PER_S)) return true;
  limitHit(Limit.EMPTY_FRAMES_PER_S);
  return false;
}

/** An acknowledgement was queued (CVE-2019-9512, 9515). Resets, which wait as well, are bounded by `spendReset` (CVE-2019-9514). */
export function spendReply(connection: H2Connection): bool {
  connection.queuedReplyCount++;
  if (connection.queuedReplyCount <= limitU32(Limit.QUEUED_REPLY_COUNT)) return true;
  limitHit(Limit.QUEUED_REPLY_COUNT);
  return false;
}
