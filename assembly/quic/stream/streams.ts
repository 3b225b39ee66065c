/**
 * The streams of one connection, and how a connection drives them.
 *
 *   in     streamsOnStream, streamsOnResetStream, …   one call for each frame that arrived (receive_frames.ts); a negative
 *          status is a connection error. Each may leave events, and one piece of content in the packet's own memory:
 *   poll   streamsPoll                                streams with something to tell, one at a time (application.ts)
 *   settle streamsSettle                              before the packet's memory is used again: keeps what was not consumed
 *   do     streamOpen, streamSend, streamConsume, …   the application's commands (application.ts)
 *   out    streamsHasFrames, streamsWriteFrames       what is owed and what may be sent, into one packet (write_frames.ts)
 *   fate   streamsOnFrameAcked, streamsOnFrameLost    for each record of a packet (sent_outcome.ts)
 *
 * `nowMs` and `rttMs` are told by the connection before it calls; streams set no timer and know no packet. RFC 9000 §2 to §4,
 * §19.4 to §19.14; RFC 9221 for datagrams; RFC 9218 §10 for the order of sending.
 *
 * Invariants: `sendTotal` is the sum of sentMost over all streams, `receiveTotal` that of receiveEnd, both counting those
 * that are gone; `heldBytes` is what the send buffers hold.
 */
import { Limit } from "../../abi/limit.ts";
import { slabAllocate } from "../../core/slab.ts";
import { limitU32 } from "../../session/limits.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import { StreamList } from "./stream_list.ts";

export const URGENCY_COUNT: u32 = 8;

/** Control frames that the connection owes. */
export const enum SetOwed {
  MAX_DATA = 1 << 0,
  MAX_STREAMS_BIDI = 1 << 1,
  MAX_STREAMS_UNI = 1 << 2,
  DATA_BLOCKED = 1 << 3,
  STREAMS_BLOCKED_BIDI = 1 << 4,
  STREAMS_BLOCKED_UNI = 1 << 5,
}

/** What the application may be told of the set itself: `streamsTakeNews`. */
export const enum SetNews {
  /** Streams may be opened again after an attempt failed. */
  OPENABLE_BIDI = 1 << 0,
  OPENABLE_UNI = 1 << 1,
  /** Datagrams arrived. */
  DATAGRAMS = 1 << 2,
}

/** Streams of one direction: bidirectional or unidirectional. */
@unmanaged
export class StreamCounts {
  /** Streams the peer may open in all, as advertised. */
  remoteMost: u64;
  /** Streams the peer has opened, those that are implied included. */
  remoteOpened: u64;
  /** Of those, streams that are gone. */
  remoteGone: u64;
  localMost: u64;
  localOpened: u64;
  /** Streams of the peer at once. */
  remoteLimit: u32;
  /** An attempt to open one failed. */
  isWanted: u32;
}


@unmanaged
export class QuicStreams {
  /** 1 for a server: the low bit of its own streams' identifiers. */
  isServer: u32;
  /** SetOwed and SetNews. */
  owed: u32;
  news: u32;
  /** The table (stream_table.ts). */
  table: usize;
  tableMask: u32;
  streamCount: u32;
  /** Bit n: the circle of urgency n is not empty (schedule.ts). */
  readyMask: u32;
  /** What streamsPoll found on the stream that it answered. */
  polledEvents: u32;
  /** Where a walk over the table goes on. */
  walkSlot: u32;
  /** The stream that the last look-up found, or 0. */
  found: usize;
  /** A piece of content in a packet's memory, at its stream's readOffset: stream, address and length. */
  directStream: usize;
  directPtr: usize;
  directLen: u32;
  /** A stream waits for the connection's credit. */
  isBlocked: u32;
  /** Told by the connection. */
  nowMs: f64;
  rttMs: f64;
  sendMost: u64;
  sendTotal: u64;
  receiveMost: u64;
  receiveTotal: u64;
  consumedTotal: u64;
  epochMs: f64;
  epochOffset: u64;
  receiveWindow: u32;
  /** The receive window that a stream begins with. */
  streamWindow: u32;
  /** The peer's: bytes it lets a stream begin with, by who opened it, and the largest DATAGRAM frame, 0 for none. */
  sendMostLocalBidi: u64;
  sendMostRemoteBidi: u64;
  sendMostLocalUni: u64;
  datagramMost: u64;
  /** The largest DATAGRAM frame that this side has allowed, 0 for none. */
  datagramAllowed: u64;
  heldBytes: u64;
  /** Bytes that the send buffers may hold: it follows the congestion window (send_room.ts). */
  heldMost: u64;
  /** The same for each stream alone (send_room.ts). */
  streamHeldMost: u64;
  /** A stream was refused bytes for the sake of heldMost. */
  isRoomWanted: u32;
}

const LIST_BYTES: u32 = <u32>offsetof<StreamList>();
const OWING_OFFSET: u32 = (<u32>offsetof<QuicStreams>() + 7) & ~7;
const EVENTFUL_OFFSET: u32 = OWING_OFFSET + LIST_BYTES;
const COUNTS_OFFSET: u32 = (EVENTFUL_OFFSET + LIST_BYTES + 7) & ~7;
const READY_OFFSET: u32 = COUNTS_OFFSET + 2 * <u32>offsetof<StreamCounts>();
const INCOMING_OFFSET: u32 = READY_OFFSET + URGENCY_COUNT * sizeof<usize>();
const OUTGOING_OFFSET: u32 = INCOMING_OFFSET + <u32>offsetof<DatagramQueue>();
const SET_BYTES: u32 = OUTGOING_OFFSET + <u32>offsetof<DatagramQueue>();

/**
 * A set without streams, or 0 when the slab is full. Until `streamsSetRemoteLimits` nothing may be sent. What this side allows
 * is what its transport parameters say: `receiveMost`, `streamWindow` for all three kinds of streams, and `remoteMost` of
 * both `countsOf`.
 */
export function streamsCreate(isServer: bool, nowMs: f64): usize {
  const ptr = slabAllocate(SET_BYTES);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, SET_BYTES);
  const set = changetype<QuicStreams>(ptr);
  set.isServer = isServer ? 1 : 0;
  set.nowMs = nowMs;
  set.epochMs = nowMs;
  set.receiveWindow = limitU32(Limit.QUIC_CONNECTION_WINDOW_BYTES);
  set.receiveMost = set.receiveWindow;
  set.streamWindow = limitU32(Limit.QUIC_STREAM_WINDOW_BYTES);
  set.heldMost = limitU32(Limit.QUIC_OUTPUT_BYTES);
  set.streamHeldMost = limitU32(Limit.QUIC_STREAM_OUTPUT_BYTES);
  countsOf(set, false).remoteLimit = limitU32(Limit.QUIC_BIDI_STREAM_COUNT);
  countsOf(set, true).remoteLimit = limitU32(Limit.QUIC_UNI_STREAM_COUNT);
  countsOf(set, false).remoteMost = countsOf(set, false).remoteLimit;
  countsOf(set, true).remoteMost = countsOf(set, true).remoteLimit;
  return ptr;
}

// @ts-ignore: decorator
@inline
export function countsOf(set: QuicStreams, isUnidirectional: bool): StreamCounts {
  const offset = COUNTS_OFFSET + (isUnidirectional ? <u32>offsetof<StreamCounts>() : 0);
  return changetype<StreamCounts>(changetype<usize>(set) + offset);
}

/** Streams that owe a control frame. */
// @ts-ignore: decorator
@inline
export function owingOf(set: QuicStreams): StreamList {
  return changetype<StreamList>(changetype<usize>(set) + OWING_OFFSET);
}

/** Streams that have something to tell. */
// @ts-ignore: decorator
@inline
export function eventfulOf(set: QuicStreams): StreamList {
  return changetype<StreamList>(changetype<usize>(set) + EVENTFUL_OFFSET);
}

/** Where the circle of an urgency keeps the stream whose turn it is. */
// @ts-ignore: decorator
@inline
export function readyOf(set: QuicStreams, urgency: u32): usize {
  return changetype<usize>(set) + READY_OFFSET + urgency * sizeof<usize>();
}

// @ts-ignore: decorator
@inline
export function incomingOf(set: QuicStreams): DatagramQueue {
  return changetype<DatagramQueue>(changetype<usize>(set) + INCOMING_OFFSET);
}

// @ts-ignore: decorator
@inline
export function outgoingOf(set: QuicStreams): DatagramQueue {
  return changetype<DatagramQueue>(changetype<usize>(set) + OUTGOING_OFFSET);
}
