/**
 * CUBIC, RFC 9438: in congestion avoidance the window follows a cubic of the time since the last reduction, so that it grows
 * as fast on long paths as on short ones.
 *
 * Lengths are in segments of one datagram and times in seconds, as in the RFC, since its constants are. Reductions are of the
 * congestion window and not of the flight size: congestion.ts does not grow a window that is not used (§4.6 asks for that).
 */
import { Congestion, minimumWindow } from "./congestion_state.ts";

/** RFC 9438 §4.1.1, §5. */
const C: f64 = 0.4;
/** RFC 9438 §4.6: the window is multiplied by it. */
const BETA: f64 = 0.7;
/** RFC 9438 §4.3: what Reno's growth has to be, given this β, to be as fair as Reno is. */
const ALPHA: f64 = (3 * (1 - BETA)) / (1 + BETA);
/** RFC 9438 §4.2: the target is at most so much of the window. */
const TARGET_MOST: f64 = 1.5;
const SECOND_MS: f64 = 1000;

/** RFC 9438 §4.2 - §4.5, for `bytes` that were acknowledged in congestion avoidance. */
export function cubicAvoid(congestion: Congestion, bytes: f64, smoothedMs: f64, nowMs: f64): void {
  const size = congestion.datagramSize;
  const segments = congestion.window / size;
  if (congestion.epochStartMs < 0) startEpoch(congestion, segments, nowMs);
  const elapsed = (nowMs - congestion.epochStartMs) / SECOND_MS;
  const acked = bytes / size;

  // RFC 9438 §4.3: from the window before the reduction on, the estimate grows as Reno's does.
  const alpha = congestion.estimateSegments >= congestion.priorSegments ? 1.0 : ALPHA;
  congestion.estimateSegments += (alpha * acked) / segments;

  let next: f64;
  if (windowAt(congestion, elapsed) < congestion.estimateSegments) {
    next = max(segments, congestion.estimateSegments);
  } else {
    // RFC 9438 §4.4, §4.5: towards where the cubic is one round trip from now.
    const target = windowAt(congestion, elapsed + smoothedMs / SECOND_MS);
    const bounded = max(segments, min(target, segments * TARGET_MOST));
    next = segments + ((bounded - segments) / segments) * acked;
  }
  congestion.window = next * size;
}

/** RFC 9438 §4.6, §4.7. */
export function cubicReduce(congestion: Congestion): void {
  const segments = congestion.window / congestion.datagramSize;
  congestion.priorSegments = segments;
  // Fast convergence: a window that did not come back to where it was leaves room for newer flows.
  congestion.maxSegments = segments < congestion.maxSegments ? (segments * (1 + BETA)) / 2 : segments;
  congestion.threshold = max(congestion.window * BETA, minimumWindow(congestion));
  congestion.window = congestion.threshold;
  congestion.epochStartMs = -1;
  congestion.underusedSinceMs = -1;
}

/** RFC 9438 §4.8: after persistent congestion the next epoch begins at the window that slow start leaves. */
export function cubicCollapse(congestion: Congestion): void {
  congestion.maxSegments = 0;
  congestion.epochStartMs = -1;
  congestion.underusedSinceMs = -1;
}

/** RFC 9438 §5.8: time in which the window was not used up does not count. */
export function cubicResume(congestion: Congestion, nowMs: f64): void {
  if (congestion.epochStartMs >= 0) congestion.epochStartMs += nowMs - congestion.underusedSinceMs;
  congestion.underusedSinceMs = -1;
}

/** RFC 9438 §4.2: W_cubic, in segments. */
function windowAt(congestion: Congestion, seconds: f64): f64 {
  const distance = seconds - congestion.k;
  return C * distance * distance * distance + congestion.maxSegments;
}

function startEpoch(congestion: Congestion, segments: f64, nowMs: f64): void {
  congestion.epochStartMs = nowMs;
  congestion.estimateSegments = segments;
  if (congestion.maxSegments > segments) {
    congestion.k = Math.cbrt((congestion.maxSegments - segments) / C);
    return;
  }
  // No reduction came before, or slow start went beyond it: the cubic begins at its plateau.
  congestion.k = 0;
  congestion.maxSegments = segments;
}
