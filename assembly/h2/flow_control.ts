/**
 * Flow control, RFC 9113 §5.2 and §6.9, both directions and both levels.
 *
 * Receiving: a window is kept at its target: what the peer may still send, plus what the host holds and has not consumed. Once
 * half of the target is missing it is given back in one WINDOW_UPDATE; content that nobody reads and padding were never
 * held, so their credit returns by itself. The targets double while a round trip brings most of a stream's window, which
 * is when the window and not the path limits the peer.
 *
 * Invariant: recvWindow + held ≤ target, apart from what the DATA frame that is arriving has announced.
 */
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { Exchange } from "../session/exchange.ts";
import { limitU32 } from "../session/limits.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { queuePing, queueWindowUpdate } from "./control_output.ts";
import { watchBody } from "./deadline_slots.ts";
import { connectionError, streamError } from "./lifecycle.ts";
import { scheduleAdd } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { isRemoteOpen } from "./stream_state.ts";
import { WINDOW_MAX } from "./window_update.ts";

/** Data of the PING that measures a round trip. */
export const PING_PROBE: u64 = 0x65626f7270;
/** Content that arrives before it is worth measuring. */
const PROBE_LEAST_BYTES: u32 = 65536;

/** Gives credit back where enough is missing. */
export function updateWindows(connection: H2Connection, stream: H2Stream | null): void {
  const missing = <i64>connection.windowTarget - connection.recvWindow - connection.heldBytes;
  if (missing >= <i64>(connection.windowTarget >> 1)) {
    connection.recvWindow += missing;
    queueWindowUpdate(connection, 0, <u32>missing);
  }
  if (stream == null || !isRemoteOpen(stream.state)) return;
  const target = connection.streamWindowTarget;
  const streamMissing = <i64>target - stream.recvWindow - stream.unconsumedBytes;
  if (streamMissing < <i64>(target >> 1)) return;
  // Until now nothing could come.
  if (stream.recvWindow <= 0) watchBody(connection, stream);
  stream.recvWindow += streamMissing;
  queueWindowUpdate(connection, stream.streamId, <u32>streamMissing);
}

/** Content arrived: measures what a round trip brings. */
export function probeContent(connection: H2Connection, len: u32): void {
  connection.probeBytes += len;
  if (hasH2Flag(connection, H2Flag.PROBING)) return;
  if (connection.probeBytes < PROBE_LEAST_BYTES) return;
  if (connection.streamWindowTarget >= limitU32(Limit.STREAM_WINDOW_MOST_BYTES)) return;
  connection.h2Flags |= H2Flag.PROBING;
  connection.probeBytes = 0;
  queuePing(connection, PING_PROBE);
}

/** The answer to the measuring PING arrived. */
export function endProbe(connection: H2Connection): void {
  if (!hasH2Flag(connection, H2Flag.PROBING)) return;
  connection.h2Flags &= ~H2Flag.PROBING;
  const target = connection.streamWindowTarget;
  // Two thirds of a window in a round trip: the peer waits for credit.
  if (connection.probeBytes >= (target / 3) * 2) {
    connection.streamWindowTarget = min(target * 2, limitU32(Limit.STREAM_WINDOW_MOST_BYTES));
    const most = limitU32(Limit.CONNECTION_WINDOW_MOST_BYTES);
    connection.windowTarget = max(connection.windowTarget, min(connection.windowTarget * 2, most));
    updateWindows(connection, null);
  }
  connection.probeBytes = 0;
}

/** The peer gave credit to the connection. */
export function creditConnection(connection: H2Connection, increment: u32): void {
  if (increment == 0) return connectionError(connection, Status.H2_WINDOW_INCREMENT);
  connection.sendWindow += increment;
  if (connection.sendWindow > WINDOW_MAX) return connectionError(connection, Status.H2_WINDOW_OVERFLOW);
  if (!hasH2Flag(connection, H2Flag.WINDOW_CLOSED)) return;
  connection.h2Flags &= ~H2Flag.WINDOW_CLOSED;
  scheduleAll(connection);
}

/** The peer gave credit to a stream. */
export function creditStream(connection: H2Connection, stream: H2Stream, increment: u32): void {
  if (increment == 0) return streamError(connection, stream, Status.H2_WINDOW_INCREMENT);
  stream.sendWindow += increment;
  if (stream.sendWindow > WINDOW_MAX) return streamError(connection, stream, Status.H2_WINDOW_OVERFLOW);
  scheduleAdd(connection, stream);
}

/** RFC 9113 §6.9.2: another initial window moves those of all streams. False when one grew beyond the largest. */
export function changeInitialWindow(connection: H2Connection, size: u32): bool {
  const difference = <i64>size - <i64>connection.remoteInitialWindow;
  connection.remoteInitialWindow = size;
  for (let ptr = connection.firstExchange; ptr != 0; ptr = changetype<Exchange>(ptr).next) {
    const stream = changetype<H2Stream>(ptr);
    stream.sendWindow += difference;
    if (stream.sendWindow > WINDOW_MAX) return false;
  }
  if (difference > 0) scheduleAll(connection);
  return true;
}

function scheduleAll(connection: H2Connection): void {
  for (let ptr = connection.firstExchange; ptr != 0; ptr = changetype<Exchange>(ptr).next) {
    scheduleAdd(connection, changetype<H2Stream>(ptr));
  }
}
