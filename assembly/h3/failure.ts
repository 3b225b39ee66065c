/** The connection cannot go on: said once, and done by the transport when it asks next (run.ts). */
import { Counter } from "../abi/counter.ts";
import { Blame, blameOf, Status } from "../abi/status.ts";
import { count } from "../session/counters.ts";
import { markDirty } from "../session/dirty.ts";
import { H3Connection, transportOf } from "./connection.ts";

export function connectionError(h3: H3Connection, status: i32): void {
  if (h3.endStatus != Status.OK) return;
  if (blameOf(status) == Blame.PEER) count(Counter.PEER_ERRORS);
  else if (status == Status.MEMORY_FULL) count(Counter.POOL_REFUSALS);
  h3.endStatus = status;
  markDirty(transportOf(h3));
}
