/**
 * Which stream sends next: RFC 9218 §10.
 *
 * Streams that have something to send, and credit for it, stand in one circle per urgency, 0 first. Within a circle shared
 * (incremental) streams take turns, a frame each. One that is not shared keeps its turn until it has nothing more to send.
 * Deviation: a stream about which nothing was said is shared, though the default is not incremental, as a peer that knows no
 * priorities expects its streams to share.
 *
 * Invariant: READY says whether a stream stands in a circle, and bit n of `readyMask` whether circle n has any.
 */
import { sendBufferHasLost } from "./send_buffer.ts";
import { SendState } from "./send_state.ts";
import {
  clearStreamFlag,
  hasStreamFlag,
  isFinDue,
  isLocalId,
  isUnidirectional,
  QuicStream,
  sendBufferOf,
  sendLimit,
  setStreamFlag,
  StreamFlag,
} from "./stream.ts";
import { countsOf, QuicStreams, readyOf } from "./streams.ts";

/** Puts a stream at the end of its circle, if it can send. */
export function scheduleAdd(set: QuicStreams, stream: QuicStream): void {
  if (hasStreamFlag(stream, StreamFlag.READY) || !canSend(set, stream)) return;
  const slot = readyOf(set, stream.urgency);
  const first = load<usize>(slot);
  const ptr = changetype<usize>(stream);
  if (first == 0) {
    stream.readyNext = ptr;
    stream.readyPrevious = ptr;
    store<usize>(slot, ptr);
    set.readyMask |= 1 << (<u32>stream.urgency);
  } else {
    const last = changetype<QuicStream>(first).readyPrevious;
    stream.readyNext = first;
    stream.readyPrevious = last;
    changetype<QuicStream>(last).readyNext = ptr;
    changetype<QuicStream>(first).readyPrevious = ptr;
  }
  setStreamFlag(stream, StreamFlag.READY);
}

export function scheduleRemove(set: QuicStreams, stream: QuicStream): void {
  if (!hasStreamFlag(stream, StreamFlag.READY)) return;
  const slot = readyOf(set, stream.urgency);
  const next = stream.readyNext;
  if (next == changetype<usize>(stream)) {
    store<usize>(slot, 0);
    set.readyMask &= ~(1 << (<u32>stream.urgency));
  } else {
    changetype<QuicStream>(next).readyPrevious = stream.readyPrevious;
    changetype<QuicStream>(stream.readyPrevious).readyNext = next;
    if (load<usize>(slot) == changetype<usize>(stream)) store<usize>(slot, next);
  }
  clearStreamFlag(stream, StreamFlag.READY);
}

/** The stream whose turn it is; there is one while `readyMask` is not 0. */
export function scheduleFirst(set: QuicStreams): usize {
  return load<usize>(readyOf(set, ctz(set.readyMask)));
}

/** A stream has had its turn, and has more. */
export function scheduleRotate(set: QuicStreams, stream: QuicStream): void {
  if (hasStreamFlag(stream, StreamFlag.SHARED)) store<usize>(readyOf(set, stream.urgency), stream.readyNext);
}

/** How urgent a stream is: 0 to 7, and whether it shares with its equals. */
export function schedulePriority(
  set: QuicStreams,
  stream: QuicStream,
  urgency: u32,
  isIncremental: bool,
): void {
  if (isIncremental) setStreamFlag(stream, StreamFlag.SHARED);
  else clearStreamFlag(stream, StreamFlag.SHARED);
  if (stream.urgency == <u8>urgency) return;
  scheduleRemove(set, stream);
  stream.urgency = <u8>urgency;
  scheduleAdd(set, stream);
}

/** Whether there is something to send that both levels of flow control let through, or an end that needs no credit. */
export function canSend(set: QuicStreams, stream: QuicStream): bool {
  const state: u32 = stream.sendState;
  if (state < <u32>SendState.READY || state > <u32>SendState.DATA_SENT) return false;
  // Opened with a limit that the peer remembered and has taken back with its refusal of 0-RTT.
  if (isLocalId(set, stream.id) && stream.id >> 2 >= countsOf(set, isUnidirectional(stream.id)).localMost)
    return false;
  const buffer = sendBufferOf(stream);
  if (sendBufferHasLost(buffer)) return true;
  if (buffer.sentTo < buffer.end) return buffer.sentTo < sendLimit(set, stream);
  return isFinDue(stream) && !hasStreamFlag(stream, StreamFlag.FIN_SENT);
}
