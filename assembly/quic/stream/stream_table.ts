/**
 * From an identifier to its stream, and the life of streams: RFC 9000 §2.1, §3 and §4.6.
 *
 * An open-addressed table of addresses per connection, without tombstones, that doubles when half full. The four types of
 * streams each count up by four, so the identifier's upper bits spread neighbours without collisions; a peer that keeps streams
 * open to make some pays with probes bounded by the limit of its streams.
 *
 * A frame for a stream of the peer creates it and all lower ones of its type (§3.2). An identifier that was opened and is in
 * the table no more belongs to a stream that is gone: what is late for it is dropped.
 *
 * Invariant: a stream of the peer that was opened and not freed counts against its limit; credit for another one is given only
 * when it is freed.
 */
import { Limit } from "../../abi/limit.ts";
import { Status } from "../../abi/status.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { limitHit } from "../../session/limits.ts";
import { datagramQueueClear } from "./datagram_queue.ts";
import { receiveBufferClear } from "./receive_buffer.ts";
import { isReceiveDone, ReceiveState } from "./receive_state.ts";
import { scheduleRemove } from "./schedule.ts";
import { sendBufferClear } from "./send_buffer.ts";
import { isSendDone, SendState } from "./send_state.ts";
import {
  hasStreamFlag,
  isLocalId,
  isUnidirectional,
  QuicStream,
  receiveBufferOf,
  sendBufferOf,
  setStreamFlag,
  settleOwed,
  SIZE_UNKNOWN,
  STREAM_BYTES,
  STREAM_ID_UNI,
  StreamEvent,
  StreamFlag,
  streamHeld,
  streamsOf,
  tell,
  untell,
} from "./stream.ts";
import { countsOf, incomingOf, outgoingOf, QuicStreams, SetOwed } from "./streams.ts";

const FIRST_CAPACITY: u32 = 16;
const SLOT_BYTES: u32 = sizeof<usize>();
/** The urgency of a stream about which nothing was said, RFC 9218 §4.1. */
const URGENCY_DEFAULT: u8 = 3;

/** The stream with this identifier, or 0. */
export function streamFind(set: QuicStreams, id: u64): usize {
  if (set.table == 0) return 0;
  let slot = slotOf(set, id);
  while (true) {
    const ptr = load<usize>(set.table + slot * SLOT_BYTES);
    if (ptr == 0 || changetype<QuicStream>(ptr).id == id) return ptr;
    slot = (slot + 1) & set.tableMask;
  }
}

/**
 * The stream that a frame of the peer is about, in `set.found`, created with all lower ones where the peer may open it; 0 for
 * one that is gone. `isForSending`: the frame is about this side's sending part (MAX_STREAM_DATA, STOP_SENDING).
 *
 * RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13: STREAM_STATE_ERROR where the stream has no such part, or is this side's to
 * open and not opened; STREAM_LIMIT_ERROR (§4.6) beyond what the peer may open.
 */
export function streamReach(set: QuicStreams, id: u64, isForSending: bool): i32 {
  set.found = streamFind(set, id);
  const isLocal = isLocalId(set, id);
  if (isUnidirectional(id) && isLocal != isForSending) return Status.QUIC_STREAM_STATE;
  if (set.found != 0) return Status.OK;
  const counts = countsOf(set, isUnidirectional(id));
  const index = id >> 2;
  if (isLocal) return index < counts.localOpened ? Status.OK : Status.QUIC_STREAM_STATE;
  if (index < counts.remoteOpened) return Status.OK;
  if (index >= counts.remoteMost) {
    limitHit(isUnidirectional(id) ? Limit.QUIC_UNI_STREAM_COUNT : Limit.QUIC_BIDI_STREAM_COUNT);
    return Status.QUIC_STREAM_LIMIT;
  }
  while (counts.remoteOpened <= index) {
    const ptr = streamCreate(set, (counts.remoteOpened << 2) | (id & 3));
    if (ptr == 0) return Status.MEMORY_FULL;
    counts.remoteOpened++;
    tell(changetype<QuicStream>(ptr), StreamEvent.OPENED);
    set.found = ptr;
  }
  return Status.OK;
}

/** A new stream in the table, or 0 when the slab is full. Its identifier is the caller's to count. */
export function streamCreate(set: QuicStreams, id: u64): usize {
  const capacity: u32 = set.table == 0 ? 0 : set.tableMask + 1;
  if ((set.streamCount + 1) * 2 > capacity && !grow(set, max(capacity * 2, FIRST_CAPACITY))) return 0;
  const ptr = slabAllocate(STREAM_BYTES);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, STREAM_BYTES);
  const stream = changetype<QuicStream>(ptr);
  const isLocal = isLocalId(set, id);
  stream.id = id;
  stream.set = changetype<usize>(set);
  stream.urgency = URGENCY_DEFAULT;
  stream.finalSize = SIZE_UNKNOWN;
  stream.epochMs = set.nowMs;
  stream.flags = <u16>StreamFlag.SHARED;
  if (isLocal || !isUnidirectional(id)) {
    stream.sendState = <u8>SendState.READY;
    if (!isLocal) stream.sendMost = set.sendMostRemoteBidi;
    else stream.sendMost = isUnidirectional(id) ? set.sendMostLocalUni : set.sendMostLocalBidi;
  }
  if (!isLocal || !isUnidirectional(id)) {
    stream.receiveState = <u8>ReceiveState.RECV;
    stream.receiveWindow = set.streamWindow;
    stream.receiveMost = set.streamWindow;
  }
  place(set, ptr);
  set.streamCount++;
  return ptr;
}

/** One of the parts moved on: tells when both are done, and frees the stream once it is released too. */
export function streamCheckDone(stream: QuicStream): void {
  if (!isSendDone(stream.sendState) || !isReceiveDone(stream.receiveState)) return;
  if (!hasStreamFlag(stream, StreamFlag.CLOSED)) {
    setStreamFlag(stream, StreamFlag.CLOSED);
    tell(stream, StreamEvent.CLOSED);
  }
  if (hasStreamFlag(stream, StreamFlag.RELEASED)) streamFree(stream);
}

/** Frees the set and every stream in it, released or not. */
export function streamsDestroy(set: QuicStreams): void {
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, 0))
    streamFree(changetype<QuicStream>(ptr));
  datagramQueueClear(incomingOf(set));
  datagramQueueClear(outgoingOf(set));
  slabFree(changetype<usize>(set));
}

/**
 * The stream in the first used slot from `slot` on, 0 when there is none: for walking the table while nothing is opened or
 * freed. `set.walkSlot` is where to go on.
 */
export function streamNext(set: QuicStreams, slot: u32): usize {
  if (set.table == 0) return 0;
  for (let at = slot; at <= set.tableMask; at++) {
    const ptr = load<usize>(set.table + at * SLOT_BYTES);
    if (ptr == 0) continue;
    set.walkSlot = at + 1;
    return ptr;
  }
  return 0;
}

function streamFree(stream: QuicStream): void {
  const set = streamsOf(stream);
  const ptr = changetype<usize>(stream);
  if (set.directStream == ptr) set.directStream = 0;
  if (set.found == ptr) set.found = 0;
  untell(stream, 0xff);
  settleOwed(stream, 0xff);
  scheduleRemove(set, stream);
  set.heldBytes -= streamHeld(stream);
  sendBufferClear(sendBufferOf(stream));
  receiveBufferClear(receiveBufferOf(stream));
  remove(set, stream);
  if (!isLocalId(set, stream.id)) creditStreams(set, (stream.id & STREAM_ID_UNI) != 0);
  slabFree(ptr);
}

/** A stream of the peer is gone: room for another one, told once a quarter of the limit has come together. */
function creditStreams(set: QuicStreams, isUni: bool): void {
  const counts = countsOf(set, isUni);
  counts.remoteGone++;
  const missing = counts.remoteGone + counts.remoteLimit - counts.remoteMost;
  const isDry = counts.remoteOpened == counts.remoteMost;
  if (!isDry && missing < <u64>max<u32>(counts.remoteLimit >> 2, 1)) return;
  set.owed |= isUni ? SetOwed.MAX_STREAMS_UNI : SetOwed.MAX_STREAMS_BIDI;
}

/** Removes a stream, shifting back what follows. */
function remove(set: QuicStreams, stream: QuicStream): void {
  const mask = set.tableMask;
  let hole = slotOf(set, stream.id);
  while (load<usize>(set.table + hole * SLOT_BYTES) != changetype<usize>(stream)) hole = (hole + 1) & mask;
  let slot = hole;
  while (true) {
    slot = (slot + 1) & mask;
    const ptr = load<usize>(set.table + slot * SLOT_BYTES);
    if (ptr == 0) break;
    // A stream moves into the hole unless its own slot lies behind it.
    const home = slotOf(set, changetype<QuicStream>(ptr).id);
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    store<usize>(set.table + hole * SLOT_BYTES, ptr);
    hole = slot;
  }
  store<usize>(set.table + hole * SLOT_BYTES, 0);
  set.streamCount--;
  if (set.streamCount != 0) return;
  slabFree(set.table);
  set.table = 0;
  set.tableMask = 0;
}

function grow(set: QuicStreams, capacity: u32): bool {
  const block = slabAllocate(capacity * SLOT_BYTES);
  if (block == 0) return false;
  memory.fill(block, 0, capacity * SLOT_BYTES);
  const old = set.table;
  const oldCapacity: u32 = old == 0 ? 0 : set.tableMask + 1;
  set.table = block;
  set.tableMask = capacity - 1;
  for (let slot: u32 = 0; slot < oldCapacity; slot++) {
    const ptr = load<usize>(old + slot * SLOT_BYTES);
    if (ptr != 0) place(set, ptr);
  }
  if (old != 0) slabFree(old);
  return true;
}

function place(set: QuicStreams, ptr: usize): void {
  let slot = slotOf(set, changetype<QuicStream>(ptr).id);
  while (load<usize>(set.table + slot * SLOT_BYTES) != 0) slot = (slot + 1) & set.tableMask;
  store<usize>(set.table + slot * SLOT_BYTES, ptr);
}

/** The types lie a quarter of the table apart. */
// @ts-ignore: decorator
@inline
function slotOf(set: QuicStreams, id: u64): u32 {
  return (<u32>(id >> 2) + <u32>(id & 3) * ((set.tableMask + 1) >> 2)) & set.tableMask;
}
