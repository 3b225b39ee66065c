/**
 * An HTTP/2 connection: what it adds to the shared `Connection`. RFC 9113.
 *
 *     +--------------+--------------+--------------+-----------+
 *     | H2Connection | HpackDecoder | HpackEncoder | ByteQueue |
 *     +--------------+--------------+--------------+-----------+
 *
 * Who owns which fields: receive.ts the frame that arrives, header_block.ts the block, stream_table.ts the streams,
 * flow_control.ts the windows, schedule.ts the streams that are ready to send, budget.ts what the peer may still do,
 * deadlines.ts the times, settings_exchange.ts what both sides have told each other.
 */
import { HpackDecoder } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { Connection } from "../session/connection.ts";
import { URGENCY_COUNT } from "../http/priority.ts";

export const enum ReceiveState {
  /** Within the client's connection preface. */
  PREFACE = 0,
  /** Within or before a frame that is handled when it is complete. */
  FRAME = 1,
  /** Within the content of a DATA frame. */
  DATA = 2,
  /** Within its padding. */
  PADDING = 3,
  /** Whatever arrives is thrown away. */
  IGNORE = 4,
}

export const enum H2Flag {
  NONE = 0,
  /** The peer's first frame, which is SETTINGS, has arrived. */
  SETTINGS_RECEIVED = 1,
  /** The DATA frame that is being received ends its stream. */
  DATA_END = 2,
  /** The header block that is being received ends its stream. */
  BLOCK_END = 4,
  /** The header block belongs to a PUSH_PROMISE. */
  BLOCK_PROMISE = 8,
  /** Its stream is to be refused once the block is decoded. */
  BLOCK_REFUSED = 16,
  /** The peer takes pushes. */
  PUSH_ALLOWED = 32,
  /** The peer sent GOAWAY. */
  GOAWAY_RECEIVED = 64,
  /** The first GOAWAY of a drain was sent, and the last. */
  DRAIN_BEGUN = 128,
  GOAWAY_SENT = 256,
  /** Content waits for the window of the connection. */
  WINDOW_CLOSED = 512,
  /** A PING measures the bandwidth-delay product. */
  PROBING = 1024,
  /** A PING asks whether the peer is there. */
  PINGED = 2048,
  /** A connection error: nothing waits for the peer any more. */
  BROKEN = 4096,
  /** The stream of the header block depends on itself. */
  BLOCK_SELF_DEPENDENT = 8192,
  /** The peer takes extended CONNECT (RFC 8441 §3). */
  EXTENDED_CONNECT = 16384,
}

/** Streams that closed lately, and how (recent_streams.ts). */
export const RECENT_COUNT: u32 = 32;


@unmanaged
export class H2Connection extends Connection {
  h2Flags: u32;
  receiveState: u32;
  /** Slab block with the beginning of a frame, what it holds, and what is wanted before it can be handled. */
  input: usize;
  inputLen: u32;
  inputWanted: u32;
  /** Content and padding still to come of the DATA frame, and its stream; 0 when nobody reads it. */
  dataRemaining: u32;
  paddingRemaining: u32;
  dataStream: usize;
  /** Header block that is being received: its stream (0 when none), fragments kept in a slab block, frames so far. */
  blockStreamId: u32;
  block: usize;
  blockLen: u32;
  blockFrameCount: u32;
  blockPromisedId: u32;

  /** Open-addressed table of stream addresses. */
  streams: usize;
  streamMask: u32;
  streamCount: u32;
  /** The highest stream that the peer opened, the next one of this side, the last one that the peer acts on. */
  lastRemoteId: u32;
  nextLocalId: u32;
  goawayId: u32;
  /** Exchanges that the peer began and the host still holds; those that this side began. */
  remoteExchangeCount: u32;
  localExchangeCount: u32;
  recentNext: u32;
  /** The highest stream that is no longer remembered. */
  forgottenId: u32;

  /** Settings of the peer. */
  remoteInitialWindow: u32;
  remoteFrameSize: u32;
  remoteStreamCount: u32;
  /** SETTINGS of this side that are not acknowledged. */
  settingsPending: u32;

  sendWindow: i64;
  recvWindow: i64;
  /** What the receive windows are kept at. */
  windowTarget: u32;
  streamWindowTarget: u32;
  /** Content told to the host that it has not consumed. */
  heldBytes: u32;
  probeBytes: u32;

  /** Content that waits in the queues of streams. */
  queuedBytes: u32;
  /** Bit n: a stream of urgency n is ready to send. */
  readyMask: u32;
  /** Streams whose WRITABLE is owed. */
  writableOwedCount: u32;
  queuedReplyCount: u32;

  resetTokens: f64;
  resetTokensAtMs: f64;
  controlTokens: f64;
  controlTokensAtMs: f64;
  emptyCount: u32;
  emptySinceMs: f64;

  lastReceivedMs: f64;
  settingsDeadlineMs: f64;
  frameDeadlineMs: f64;
  bodyDeadlineMs: f64;
  stallDeadlineMs: f64;
  pingDeadlineMs: f64;
  drainDeadlineMs: f64;
}

const RECENT_BYTES: u32 = RECENT_COUNT * (sizeof<u32>() + sizeof<u8>());
const READY_BYTES: u32 = URGENCY_COUNT * sizeof<usize>();
const RECENT_OFFSET: u32 = (<u32>offsetof<H2Connection>() + 7) & ~7;
const READY_OFFSET: u32 = RECENT_OFFSET + RECENT_BYTES;
const DECODER_OFFSET: u32 = READY_OFFSET + READY_BYTES;
const ENCODER_OFFSET: u32 = (DECODER_OFFSET + <u32>offsetof<HpackDecoder>() + 7) & ~7;
/** What `connectionCreate` is asked for. */
export const H2_CONNECTION_BYTES: u32 = (ENCODER_OFFSET + <u32>offsetof<HpackEncoder>() + 7) & ~7;

/** Address of what is remembered of closed streams. */
// @ts-ignore: decorator
@inline
export function recentOf(connection: H2Connection): usize {
  return changetype<usize>(connection) + RECENT_OFFSET;
}

/** Address of the first ready stream by urgency. */
// @ts-ignore: decorator
@inline
export function readyOf(connection: H2Connection, urgency: u32): usize {
  return changetype<usize>(connection) + READY_OFFSET + urgency * sizeof<usize>();
}

// @ts-ignore: decorator
@inline
export function decoderOf(connection: H2Connection): HpackDecoder {
  return changetype<HpackDecoder>(changetype<usize>(connection) + DECODER_OFFSET);
}

// @ts-ignore: decorator
@inline
export function encoderOf(connection: H2Connection): HpackEncoder {
  return changetype<HpackEncoder>(changetype<usize>(connection) + ENCODER_OFFSET);
}

// @ts-ignore: decorator
@inline
export function hasH2Flag(connection: H2Connection, flag: H2Flag): bool {
  return (connection.h2Flags & flag) != 0;
}
