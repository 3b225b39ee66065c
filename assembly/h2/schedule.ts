/**
 * Who sends next: RFC 9218 §10.
 *
 * Streams that have something to send and credit to send it with stand in one circle per urgency, 0 first. Within a circle
 * incremental streams take turns, a frame each. A stream that is not incremental keeps its turn until it has nothing more to
 * send. Deviation: a stream about which its peer has said nothing takes turns too, though the default is not incremental, as a
 * peer that knows no priorities expects its streams to share.
 *
 * Invariant: `isReady` says whether a stream stands in a circle, and bit n of `readyMask` whether circle n has any.
 */
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { H2Connection, readyOf } from "./connection.ts";
import { H2Stream } from "./stream.ts";
import { isClosed } from "./stream_state.ts";

/** Puts a stream into its circle, at the end, if it can send. */
export function scheduleAdd(connection: H2Connection, stream: H2Stream): void {
  if (stream.isReady || !canSend(stream)) return;
  const slot = readyOf(connection, stream.urgency);
  const first = load<usize>(slot);
  const ptr = changetype<usize>(stream);
  if (first == 0) {
    stream.readyNext = ptr;
    stream.readyPrevious = ptr;
    store<usize>(slot, ptr);
    connection.readyMask |= 1 << stream.urgency;
  } else {
    const last = changetype<H2Stream>(first).readyPrevious;
    stream.readyNext = first;
    stream.readyPrevious = last;
    changetype<H2Stream>(last).readyNext = ptr;
    changetype<H2Stream>(first).readyPrevious = ptr;
  }
  stream.isReady = 1;
}

export function scheduleRemove(connection: H2Connection, stream: H2Stream): void {
  if (!stream.isReady) return;
  const slot = readyOf(connection, stream.urgency);
  const next = stream.readyNext;
  if (next == changetype<usize>(stream)) {
    store<usize>(slot, 0);
    connection.readyMask &= ~(1 << stream.urgency);
  } else {
    changetype<H2Stream>(next).readyPrevious = stream.readyPrevious;
    changetype<H2Stream>(stream.readyPrevious).readyNext = next;
    if (load<usize>(slot) == changetype<usize>(stream)) store<usize>(slot, next);
  }
  stream.isReady = 0;
}

/** The stream whose turn it is; there is one while `readyMask` is not 0. */
export function scheduleFirst(connection: H2Connection): usize {
  return load<usize>(readyOf(connection, ctz(connection.readyMask)));
}

/** A stream has had its turn, and has more. */
export function scheduleRotate(connection: H2Connection, stream: H2Stream): void {
  if (stream.isShared) store<usize>(readyOf(connection, stream.urgency), stream.readyNext);
}

/** The peer has said how urgent a stream is. */
export function schedulePriority(
  connection: H2Connection,
  stream: H2Stream,
  urgency: u32,
  isIncremental: bool,
): void {
  stream.isShared = isIncremental ? 1 : 0;
  if (stream.urgency == <u8>urgency) return;
  scheduleRemove(connection, stream);
  stream.urgency = <u8>urgency;
  scheduleAdd(connection, stream);
}

/** Whether there is content that its window lets through, or an end that needs none. */
function canSend(stream: H2Stream): bool {
  if (isClosed(stream.state)) return false;
  if (stream.output.length != 0) return stream.sendWindow > 0;
  return stream.isEndQueued != 0 && !hasFlag(stream, ExchangeFlag.SENT);
}
