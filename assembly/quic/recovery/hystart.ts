/**
 * HyStart++, RFC 9406: leaves slow start when round trips grow longer, before packets are lost.
 *
 * A round lasts until a packet is acknowledged that was not sent when it began. When a round's least RTT has grown by an
 * eighth, slow start goes on at a quarter of its pace for five rounds, and ends; when the RTT falls again, it was jitter, and
 * slow start goes on. The limit L on growth per acknowledgement is infinite here, since packets are paced (§4.3).
 * Only the first slow start is watched: a threshold that was ever set is trusted.
 */
import { Congestion } from "./congestion_state.ts";

/** RFC 9406 §4.3. */
const RTT_GROWTH_LEAST_MS: f64 = 4;
const RTT_GROWTH_MOST_MS: f64 = 16;
const RTT_GROWTH_DIVISOR: f64 = 8;
const ROUND_SAMPLES: u32 = 8;
const CONSERVATIVE_DIVISOR: f64 = 4;
const CONSERVATIVE_ROUNDS: u32 = 5;

export function hystartReset(congestion: Congestion): void {
  congestion.roundEnd = 0;
  congestion.lastRoundMinMs = Infinity;
  congestion.roundMinMs = Infinity;
  congestion.baselineMinMs = Infinity;
  congestion.roundSamples = 0;
  congestion.conservativeRounds = 0;
}

/** RFC 9406 §4.2: what slow start grows by for `bytes` that were acknowledged. */
// @ts-ignore: decorator
@inline
export function hystartGrowth(congestion: Congestion, bytes: f64): f64 {
  return congestion.baselineMinMs != Infinity ? bytes / CONSERVATIVE_DIVISOR : bytes;
}

/**
 * RFC 9406 §4.2: an ACK frame in slow start, with its RTT sample (negative: it gave none). `largest` is the largest number it
 * acknowledged, `nextNumber` the next one to be sent. Sets the threshold when slow start ends.
 */
export function hystartOnAck(congestion: Congestion, largest: u64, nextNumber: u64, sampleMs: f64): void {
  if (sampleMs >= 0) {
    congestion.roundMinMs = min(congestion.roundMinMs, sampleMs);
    congestion.roundSamples++;
    judge(congestion);
  }
  if (largest < congestion.roundEnd) return;
  if (congestion.baselineMinMs != Infinity && ++congestion.conservativeRounds >= CONSERVATIVE_ROUNDS) {
    congestion.threshold = congestion.window;
    return;
  }
  congestion.roundEnd = nextNumber;
  congestion.lastRoundMinMs = congestion.roundMinMs;
  congestion.roundMinMs = Infinity;
  congestion.roundSamples = 0;
}

/** Into conservative slow start, or back out of it. */
function judge(congestion: Congestion): void {
  if (congestion.roundSamples < ROUND_SAMPLES) return;
  if (congestion.baselineMinMs != Infinity) {
    if (congestion.roundMinMs < congestion.baselineMinMs) {
      congestion.baselineMinMs = Infinity;
      congestion.conservativeRounds = 0;
    }
    return;
  }
  if (congestion.lastRoundMinMs == Infinity) return;
  const growth = congestion.lastRoundMinMs / RTT_GROWTH_DIVISOR;
  const threshold = max(RTT_GROWTH_LEAST_MS, min(growth, RTT_GROWTH_MOST_MS));
  if (congestion.roundMinMs >= congestion.lastRoundMinMs + threshold) {
    congestion.baselineMinMs = congestion.roundMinMs;
    congestion.conservativeRounds = 0;
  }
}
