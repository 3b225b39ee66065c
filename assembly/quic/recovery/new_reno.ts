/** NewReno as RFC 9002 §7.3 and its Appendix B have it: the reference that the other controllers are judged by. */
import { Congestion, minimumWindow } from "./congestion_state.ts";

/** RFC 9002 §7.3.2: kLossReductionFactor. */
const LOSS_REDUCTION: f64 = 0.5;

/** RFC 9002 §7.3.3: one datagram more per window that was acknowledged. */
export function newRenoAvoid(congestion: Congestion, bytes: f64): void {
  congestion.window += (congestion.datagramSize * bytes) / congestion.window;
}

/** RFC 9002 §7.3.2. */
export function newRenoReduce(congestion: Congestion): void {
  congestion.threshold = max(congestion.window * LOSS_REDUCTION, minimumWindow(congestion));
  congestion.window = congestion.threshold;
}
