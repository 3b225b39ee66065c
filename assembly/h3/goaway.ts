/**
 * GOAWAY and draining, RFC 9114 §5.2 and §7.2.6.
 *
 * A server drains in two steps: first it names the highest identifier there is, so that the client begins nothing more, then, after a
 * round trip, the first one that it has not acted on, so that no request on its way is lost. Requests from there on are refused
 * with H3_REQUEST_REJECTED and may be made again elsewhere.
 */
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { limitOf } from "../session/limits.ts";
import { H3Connection, H3Flag, h3Of, hasH3Flag, setOf, transportOf } from "./connection.ts";
import { sendControl } from "./control_output.ts";
import { connectionError } from "./failure.ts";
import { FrameType } from "./frame.ts";
import { settle, streamCut, streamError } from "./lifecycle.ts";
import { H3Stream, H3StreamFlag, hasStreamBit, quicOf } from "./stream.ts";

/** The highest identifier of a client's bidirectional streams. */
const REQUEST_ID_MAX: u64 = (1 << 62) - 4;
/** Round trips that requests on their way are waited for. */
const DRAIN_ROUND_TRIPS: f64 = 2;
/** As many milliseconds at least, and where no round trip was measured. */
const DRAIN_LEAST_MS: f64 = 20;

/** No further exchange: those that are open finish. The transport may close when `h3Run` says so. */
export function h3Drain(connection: Connection): void {
  const h3 = h3Of(connection);
  if (hasH3Flag(h3, H3Flag.DRAIN_BEGUN)) return;
  h3.flags |= H3Flag.DRAIN_BEGUN;
  if (connection.role == Role.CLIENT) return endDrain(h3);
  sendControl(h3, FrameType.GOAWAY, REQUEST_ID_MAX);
  const tripMs = max(setOf(h3).rttMs * DRAIN_ROUND_TRIPS, DRAIN_LEAST_MS);
  h3.drainDeadlineMs = nowMs + min(tripMs, limitOf(Limit.GOAWAY_TIMEOUT_MS));
}

/** The round trip of a drain is over. */
export function endDrain(h3: H3Connection): void {
  if (hasH3Flag(h3, H3Flag.GOAWAY_SENT)) return;
  h3.flags |= H3Flag.GOAWAY_SENT;
  // A client names the pushes that it has acted on: none.
  h3.goawaySent = transportOf(h3).role == Role.CLIENT ? 0 : h3.nextRequestId;
  sendControl(h3, FrameType.GOAWAY, h3.goawaySent);
  settle(h3);
}

/** The peer's GOAWAY. */
export function receiveGoaway(h3: H3Connection, id: u64): void {
  const isClient = transportOf(h3).role == Role.CLIENT;
  // §7.2.6: a client is told identifiers of its own bidirectional streams. §5.2: they never grow.
  if ((isClient && (id & 3) != 0) || id > h3.goawayReceived) {
    return connectionError(h3, H3Status.GOAWAY_ID);
  }
  h3.goawayReceived = id;
  h3.flags |= H3Flag.GOAWAY_RECEIVED;
  if (isClient) failUnprocessed(h3, id);
  settle(h3);
}

/** §5.2: a request from the last GOAWAY's identifier on is not acted on. */
export function admitRequest(h3: H3Connection, stream: H3Stream): bool {
  const id = quicOf(stream).id;
  if (id < h3.goawaySent) {
    if (id >= h3.nextRequestId) h3.nextRequestId = id + 4;
    h3.idleSinceMs = 0;
    return true;
  }
  streamError(stream, H3Status.REFUSED);
  return false;
}

/** The server will not act on requests from `id` on: they may be made again. */
function failUnprocessed(h3: H3Connection, id: u64): void {
  let ptr = h3.firstStream;
  while (ptr != 0 && h3.endStatus == Status.OK) {
    const stream = changetype<H3Stream>(ptr);
    ptr = stream.next;
    if (stream.exchange == 0 || hasStreamBit(stream, H3StreamFlag.CUT)) continue;
    if (quicOf(stream).id >= id) streamCut(stream, H3Status.REJECTED);
  }
}

/** Nothing is open and nothing waits to be sent. */
export function h3IsIdle(connection: Connection): bool {
  return connection.firstExchange == 0 && setOf(h3Of(connection)).heldBytes == 0;
}

/**
 * Whether the transport may close with H3_NO_ERROR: a drain is over, and the peer has everything. A client that has its answers does
 * not wait for a peer that may have gone.
 */
export function h3IsDone(connection: Connection): bool {
  if (!hasH3Flag(h3Of(connection), H3Flag.DONE)) return false;
  return connection.role == Role.CLIENT ? connection.firstExchange == 0 : h3IsIdle(connection);
}
