/**
 * HTTP/3 on a connection of QUIC: what it keeps beside the transport. RFC 9114.
 *
 *     +--------------+--------------+--------------+
 *     | H3Connection | QpackDecoder | QpackEncoder |
 *     +--------------+--------------+--------------+
 *
 * The transport's connection (session/connection.ts) points here with `application`; who drives it, and in what order, is said in
 * run.ts. Who owns which fields: stream.ts the streams, control_stream.ts and settings.ts what the peer has told, field_sections.ts
 * QPACK, budget.ts what the peer may still do, deadlines.ts the times, goaway.ts how it ends.
 */
import { OpenFlag } from "../abi/message.ts";
import { QuicStreams } from "../quic/stream/streams.ts";
import { Connection } from "../session/connection.ts";

export const enum H3Flag {
  NONE = 0,
  /** The peer's SETTINGS have arrived. */
  SETTINGS_RECEIVED = 1,
  /** The peer takes extended CONNECT (RFC 9220), HTTP datagrams (RFC 9297), WebTransport. */
  EXTENDED_CONNECT = 2,
  DATAGRAMS = 4,
  WEBTRANSPORT = 8,
  /** What arrives now may be a replay (RFC 8470). */
  EARLY_DATA = 16,
  /** The first GOAWAY of a drain was sent, and the last. */
  DRAIN_BEGUN = 32,
  GOAWAY_SENT = 64,
  GOAWAY_RECEIVED = 128,
  /** Nothing more is to come: the transport may close with H3_NO_ERROR. */
  DONE = 256,
  /** A client has sent MAX_PUSH_ID. */
  PUSH_ALLOWED = 512,
  /** The tunnel that reads now has said that it consumed everything. */
  CONSUMED = 1024,
}


@unmanaged
export class H3Connection {
  connection: usize;
  set: usize;
  flags: u32;
  /** Why the connection cannot go on; 0 while nothing is wrong. */
  endStatus: i32;
  /** All H3Streams, the newest first. */
  firstStream: usize;
  /** The stream that is being read; 0 when it has ended meanwhile. */
  reading: usize;
  /** Streams whose field section waits for insertions. */
  blockedCount: u32;
  /** Sessions of WebTransport that are open, and streams that wait for theirs (session_stream.ts). */
  sessionCount: u32;
  waitingCount: u32;
  /** QuicStreams of this side, and H3Streams of the peer, by StreamKind - CONTROL; 0 where there is none yet. */
  controlOut: usize;
  encoderOut: usize;
  decoderOut: usize;
  controlIn: usize;
  encoderIn: usize;
  decoderIn: usize;
  /** One beyond the highest request of the peer that was acted on. */
  nextRequestId: u64;
  /** What the peer's last GOAWAY named, and this side's; u64.MAX_VALUE before the first. */
  goawayReceived: u64;
  goawaySent: u64;
  maxPushId: u64;
  /** The peer's SETTINGS_MAX_FIELD_SECTION_SIZE. */
  fieldSectionSizeMax: u64;
  /** Priorities of requests that have not come yet (priority.ts): a slab block, 0 when there are none. */
  priorities: usize;

  resetTokens: f64;
  resetTokensAtMs: f64;
  controlTokens: f64;
  controlTokensAtMs: f64;
  emptyCount: u32;
  emptySinceMs: f64;

  /** Since when no exchange is open, 0 while one is. */
  idleSinceMs: f64;
  /** When output began to wait for the peer, 0 when none does, and what had been sent by then. */
  stalledSinceMs: f64;
  stalledAt: u64;
  /** The next look at streams that are slow, and the end of a drain's round trip; 0 when there is none. */
  watchDeadlineMs: f64;
  drainDeadlineMs: f64;
}

export const H3_CONNECTION_BYTES: u32 = (<u32>offsetof<H3Connection>() + 15) & ~15;

/** The state of HTTP/3 on a connection that speaks it. */
// @ts-ignore: decorator
@inline
export function h3Of(connection: Connection): H3Connection {
  return changetype<H3Connection>(connection.application);
}

// @ts-ignore: decorator
@inline
export function transportOf(h3: H3Connection): Connection {
  return changetype<Connection>(h3.connection);
}

// @ts-ignore: decorator
@inline
export function setOf(h3: H3Connection): QuicStreams {
  return changetype<QuicStreams>(h3.set);
}

// @ts-ignore: decorator
@inline
export function hasH3Flag(h3: H3Connection, flag: H3Flag): bool {
  return (h3.flags & flag) != 0;
}

/** Whether sessions of WebTransport may be opened: this side has announced them, or means to ask for one. */
// @ts-ignore: decorator
@inline
export function maySessions(h3: H3Connection): bool {
  return (transportOf(h3).openFlags & OpenFlag.WEBTRANSPORT) != 0;
}

/** Where the peer's critical stream of this kind stands; `kind` is one of CONTROL, ENCODER, DECODER. */
// @ts-ignore: decorator
@inline
export function criticalSlot(h3: H3Connection, kind: u32): usize {
  return changetype<usize>(h3) + offsetof<H3Connection>("controlIn") + (kind - 1) * sizeof<usize>();
}
