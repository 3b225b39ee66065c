/**
 * One stream of a connection: both of its parts, RFC 9000 §2 and §3, as a raw struct of fixed size.
 *
 * An idle stream is this struct and a slot in the table; bytes it holds lie in its buffers' blocks. A stream is created by
 * stream_table.ts and freed there once both parts are done and the application has released it: the peer's credit for another
 * stream waits for that, so that resetting streams makes no room while their handlers still run.
 *
 * Also here: what a stream has to tell (events) and what it owes (control frames), as flags that put it on the set's lists.
 */
import { ReceiveBuffer, receiveBufferContinued, receiveBufferReadable } from "./receive_buffer.ts";
import { ReceiveState } from "./receive_state.ts";
import { SendBuffer, sendBufferHeld } from "./send_buffer.ts";
import { streamListAdd, streamListRemove } from "./stream_list.ts";
import { eventfulOf, owingOf, QuicStreams } from "./streams.ts";

/** The two low bits of an identifier, RFC 9000 §2.1. */
export const STREAM_ID_SERVER: u64 = 1;
export const STREAM_ID_UNI: u64 = 2;
/** Streams of one type that there can be, RFC 9000 §4.6. */
export const STREAM_COUNT_MAX: u64 = 1 << 60;
/** A final size that is not known yet. */
export const SIZE_UNKNOWN: u64 = u64.MAX_VALUE;

export const enum StreamFlag {
  /** The application has ended the stream. */
  FIN_QUEUED = 1 << 0,
  /** A FIN is in flight or acknowledged. */
  FIN_SENT = 1 << 1,
  FIN_ACKED = 1 << 2,
  /** Content is dropped as it comes. */
  DISCARD = 1 << 3,
  /** This side has asked the peer to stop. */
  STOPPED = 1 << 4,
  /** The application holds no reference any more. */
  RELEASED = 1 << 5,
  /** The application was refused bytes and waits for room. */
  WANTS_ROOM = 1 << 6,
  /** The present limit was reported by STREAM_DATA_BLOCKED. */
  BLOCKED_TOLD = 1 << 7,
  /** Stands in a circle of the schedule. */
  READY = 1 << 8,
  /** The circle gives turns in equal parts. */
  SHARED = 1 << 9,
  CLOSED = 1 << 10,
  /** The end is sent once the peer has everything before it. */
  FIN_HELD = 1 << 11,
}

/** Control frames owed. */
export const enum StreamOwed {
  RESET_STREAM = 1 << 0,
  STOP_SENDING = 1 << 1,
  MAX_STREAM_DATA = 1 << 2,
  STREAM_DATA_BLOCKED = 1 << 3,
}

export const enum StreamEvent {
  /** The peer has opened the stream. */
  OPENED = 1 << 0,
  /** Bytes, or the end, can be read. */
  READABLE = 1 << 1,
  /** There is room again for a stream that was refused some. */
  WRITABLE = 1 << 2,
  /** The peer has reset the stream: `peerResetCode`. */
  RESET = 1 << 3,
  /** The peer wants nothing more: `peerStopCode`. */
  STOPPED = 1 << 4,
  /** The peer has everything, or has acknowledged the reset. */
  SENT = 1 << 5,
  /** Both parts are done: the last event. */
  CLOSED = 1 << 6,
}


@unmanaged
export class QuicStream {
  id: u64;
  set: usize;
  /** The application's own. */
  application: u32;
  /** The same: where the room that speaks on the stream keeps its state. */
  applicationState: usize;
  sendState: u8;
  receiveState: u8;
  urgency: u8;
  padding: u8;
  flags: u16;
  owed: u8;
  events: u8;
  readyNext: usize;
  readyPrevious: usize;
  owedLink: usize;
  owedLinkPrevious: usize;
  eventLink: usize;
  eventLinkPrevious: usize;
  /** What the peer allows this side to send. */
  sendMost: u64;
  /** What this side allows the peer to send. */
  receiveMost: u64;
  /** The highest offset that arrived. */
  receiveEnd: u64;
  /** SIZE_UNKNOWN, or where the peer's data ends. */
  finalSize: u64;
  /** When, and at which offset, the measuring of the window began (flow_control.ts). */
  epochMs: f64;
  epochOffset: u64;
  receiveWindow: u32;
  /** Bytes that were taken and for which the peer has no credit yet. */
  withheldBytes: u32;
  /** The code of this side's RESET_STREAM and of its STOP_SENDING, then the peer's. */
  resetCode: u64;
  stopCode: u64;
  peerResetCode: u64;
  peerStopCode: u64;
}

/** The buffers lie behind the fields above. */
const SEND_OFFSET: u32 = (<u32>offsetof<QuicStream>() + 7) & ~7;
const RECEIVE_OFFSET: u32 = SEND_OFFSET + ((<u32>offsetof<SendBuffer>() + 7) & ~7);
export const STREAM_BYTES: u32 = RECEIVE_OFFSET + <u32>offsetof<ReceiveBuffer>();

// @ts-ignore: decorator
@inline
export function sendBufferOf(stream: QuicStream): SendBuffer {
  return changetype<SendBuffer>(changetype<usize>(stream) + SEND_OFFSET);
}

// @ts-ignore: decorator
@inline
export function receiveBufferOf(stream: QuicStream): ReceiveBuffer {
  return changetype<ReceiveBuffer>(changetype<usize>(stream) + RECEIVE_OFFSET);
}

// @ts-ignore: decorator
@inline
export function streamsOf(stream: QuicStream): QuicStreams {
  return changetype<QuicStreams>(stream.set);
}

// @ts-ignore: decorator
@inline
export function hasStreamFlag(stream: QuicStream, flag: StreamFlag): bool {
  return (stream.flags & (<u16>flag)) != 0;
}

// @ts-ignore: decorator
@inline
export function setStreamFlag(stream: QuicStream, flag: StreamFlag): void {
  stream.flags |= <u16>flag;
}

// @ts-ignore: decorator
@inline
export function clearStreamFlag(stream: QuicStream, flag: StreamFlag): void {
  stream.flags &= ~(<u16>flag);
}

/** Ends the sending part behind what the buffer holds. Until the peer has it, the end counts as a byte that is held. */
export function queueFin(stream: QuicStream): void {
  setStreamFlag(stream, StreamFlag.FIN_QUEUED);
  streamsOf(stream).heldBytes++;
}

/** What the stream holds: bytes, and its end, that are not acknowledged. */
export function streamHeld(stream: QuicStream): u64 {
  const isEndHeld = (stream.flags & (StreamFlag.FIN_QUEUED | StreamFlag.FIN_ACKED)) == StreamFlag.FIN_QUEUED;
  return sendBufferHeld(sendBufferOf(stream)) + (isEndHeld ? 1 : 0);
}

/** Whether the stream's end may be sent with its last byte, or now that it was. */
export function isFinDue(stream: QuicStream): bool {
  if (!hasStreamFlag(stream, StreamFlag.FIN_QUEUED)) return false;
  return !hasStreamFlag(stream, StreamFlag.FIN_HELD) || sendBufferHeld(sendBufferOf(stream)) == 0;
}

// @ts-ignore: decorator
@inline
export function isUnidirectional(id: u64): bool {
  return (id & STREAM_ID_UNI) != 0;
}

/** Whether this side opens streams of this type. */
// @ts-ignore: decorator
@inline
export function isLocalId(set: QuicStreams, id: u64): bool {
  return (id & STREAM_ID_SERVER) == <u64>set.isServer;
}

/** Adds something to tell. A released stream has nobody to tell. */
export function tell(stream: QuicStream, event: StreamEvent): void {
  if (hasStreamFlag(stream, StreamFlag.RELEASED)) return;
  if (stream.events == 0) {
    streamListAdd(
      eventfulOf(streamsOf(stream)),
      changetype<usize>(stream),
      offsetof<QuicStream>("eventLink"),
    );
  }
  stream.events |= <u8>event;
}

/** Takes back what was not told yet. */
export function untell(stream: QuicStream, events: u32): void {
  if (stream.events == 0) return;
  stream.events &= <u8>~events;
  if (stream.events != 0) return;
  streamListRemove(
    eventfulOf(streamsOf(stream)),
    changetype<usize>(stream),
    offsetof<QuicStream>("eventLink"),
  );
}

/** Adds a control frame to send. */
export function owe(stream: QuicStream, owed: StreamOwed): void {
  if (stream.owed == 0) {
    streamListAdd(owingOf(streamsOf(stream)), changetype<usize>(stream), offsetof<QuicStream>("owedLink"));
  }
  stream.owed |= <u8>owed;
}

/** Control frames were written, or are of no use any more. */
export function settleOwed(stream: QuicStream, owed: u32): void {
  if (stream.owed == 0) return;
  stream.owed &= <u8>~owed;
  if (stream.owed != 0) return;
  streamListRemove(owingOf(streamsOf(stream)), changetype<usize>(stream), offsetof<QuicStream>("owedLink"));
}

/** The end of what can be read without a gap, the piece that lies in the packet included. */
export function readableEnd(stream: QuicStream): u64 {
  const buffer = receiveBufferOf(stream);
  const set = streamsOf(stream);
  if (set.directStream != changetype<usize>(stream)) return receiveBufferReadable(buffer);
  const directEnd = buffer.readOffset + set.directLen;
  // What was kept may go on where the piece ends; it never lies at readOffset itself while there is a piece.
  return receiveBufferContinued(buffer, directEnd);
}

/** Whether the receiving part waits for more. */
// @ts-ignore: decorator
@inline
export function isReceiving(stream: QuicStream): bool {
  return stream.receiveState == ReceiveState.RECV || stream.receiveState == ReceiveState.SIZE_KNOWN;
}

/** The offset up to which the stream may send now, for both levels. */
export function sendLimit(set: QuicStreams, stream: QuicStream): u64 {
  const sent = sendBufferOf(stream).sentMost;
  const credit = set.sendMost > set.sendTotal ? set.sendMost - set.sendTotal : 0;
  return min(stream.sendMost, sent + credit);
}
