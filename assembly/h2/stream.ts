/**
 * A stream: an exchange with what HTTP/2 adds to it. Opened and detached by streams.ts.
 */
import { Exchange } from "../session/exchange.ts";


@unmanaged
export class H2Stream extends Exchange {
  state: u32;
  /** Credit that the peer gave, and that it has left. The first may be below 0 (RFC 9113 §6.9.2). */
  sendWindow: i64;
  recvWindow: i64;
  /** Neighbours in the circle of ready streams of one urgency. */
  readyNext: usize;
  readyPrevious: usize;
  isReady: u8;
  urgency: u8;
  /** Shares with its equals: it is incremental, or its peer has said nothing about priorities. */
  isShared: u8;
  /** The host has sent everything; what is left of it waits. */
  isEndQueued: u8;
  /** The stream was begun by this side: a client's request, a server's push. */
  isLocal: u8;
  /** A field block for the end of the message: slab block and length, 0 when there is none. */
  trailersOut: usize;
  trailersOutLen: u32;
  /** Bytes that it becomes at most. */
  trailersRoom: u32;
  /** Content that arrived since the window began in which it has to come fast enough. */
  windowBytes: u32;
  windowSinceMs: f64;
  /** When content began to wait for a window of the peer, 0 when none does; what was sent since. */
  stalledSinceMs: f64;
  stallBytes: u32;
}

export const STREAM_BYTES: u32 = (<u32>offsetof<H2Stream>() + 7) & ~7;
