/**
 * A stream as HTTP/3 reads it: what of a frame has arrived, and whose it is. It lies between the transport's stream, which it holds
 * until it is forgotten, and the exchange, which it has from the head of the message on.
 *
 * The transport counts a stream of the peer until it is released: so a request that was reset makes no room for the next one
 * while its handler still runs (CVE-2023-44487).
 *
 * Invariant: `applicationState` of the transport's stream is the H3Stream's address, or 0.
 */
import { Counter } from "../abi/counter.ts";
import { slabAllocate, slabCapacity, slabFree } from "../core/slab.ts";
import { rawForget } from "../quic/raw/raw.ts";
import { streamRelease } from "../quic/stream/application.ts";
import { QuicStream } from "../quic/stream/stream.ts";
import { count } from "../session/counters.ts";
import { nowMs } from "../session/deadline.ts";
import { Exchange, exchangeCreate } from "../session/exchange.ts";
import { isBodiless } from "../session/message_rules.ts";
import { H3Connection, transportOf } from "./connection.ts";
import { FrameHeader } from "./frame.ts";
import { RequestState } from "./request_state.ts";
import { StreamKind } from "./stream_type.ts";

/** What the next bytes of a stream are. */
export const enum Reading {
  /** Of a frame's header, or of the stream's type. */
  HEADER = 0,
  /** Of a payload that is kept until it is complete. */
  PAYLOAD = 1,
  /** Content. */
  CONTENT = 2,
  /** Of a payload that nobody reads. */
  SKIP = 3,
  /** Of an instruction stream, or of a stream of WebTransport: no frames. */
  RAW = 4,
}

export const enum H3StreamFlag {
  /** Its field section waits for insertions. */
  BLOCKED = 1,
  /** Nothing more is read: the message was cut. */
  CUT = 2,
  /** SETTINGS has arrived (control stream). */
  SETTLED = 4,
  /** The peer has asked to stop: what is sent is dropped. */
  STOPPED = 8,
  /** It names a session that is not there yet. */
  WAITING = 16,
}


@unmanaged
export class H3Stream {
  next: usize;
  previous: usize;
  connection: usize;
  quic: usize;
  exchange: usize;
  kind: u8;
  state: u8;
  reading: u8;
  flags: u8;
  /** Bytes of the frame's payload that are still to come. */
  frameLeft: u64;
  /** A payload on its way: slab block and length so far. */
  block: usize;
  blockLen: u32;
  beganMs: f64;
  /** The session that a stream of WebTransport belongs to, by the number of its request's stream. */
  session: u64;
}

/** Where a payload begins that came in pieces. */
const FIRST_BLOCK_BYTES: u32 = 1024;
const HEADER_OFFSET: u32 = (<u32>offsetof<H3Stream>() + 7) & ~7;
const H3_STREAM_BYTES: u32 = HEADER_OFFSET + <u32>offsetof<FrameHeader>();


@unmanaged
export class H3Exchange extends Exchange {
  /** The H3Stream; 0 once the stream is done with. */
  stream: usize;
  /** The host has sent everything. */
  isEndQueued: u8;
  /** Content that arrived since the window began in which it has to come fast enough; 0 while none is awaited. */
  windowBytes: u32;
  windowSinceMs: f64;
  /** When content began to wait for the peer, 0 when none does, and what the peer had acknowledged by then. */
  stalledSinceMs: f64;
  stalledAt: u64;
  /** The WebTransportSession that it has opened; 0 when there is none. */
  session: usize;
}

const EXCHANGE_BYTES: u32 = (<u32>offsetof<H3Exchange>() + 7) & ~7;

// @ts-ignore: decorator
@inline
export function headerOf(stream: H3Stream): FrameHeader {
  return changetype<FrameHeader>(changetype<usize>(stream) + HEADER_OFFSET);
}

// @ts-ignore: decorator
@inline
export function quicOf(stream: H3Stream): QuicStream {
  return changetype<QuicStream>(stream.quic);
}

// @ts-ignore: decorator
@inline
export function connectionOfStream(stream: H3Stream): H3Connection {
  return changetype<H3Connection>(stream.connection);
}

// @ts-ignore: decorator
@inline
export function hasStreamBit(stream: H3Stream, flag: H3StreamFlag): bool {
  return (stream.flags & (<u8>flag)) != 0;
}

/** The stream of an exchange that has one still. */
// @ts-ignore: decorator
@inline
export function streamOf(exchange: Exchange): H3Stream {
  return changetype<H3Stream>(changetype<H3Exchange>(exchange).stream);
}

/** Puts a stream beside one of the transport. 0 when the memory is full. */
export function h3StreamCreate(h3: H3Connection, quic: QuicStream, kind: StreamKind): usize {
  const ptr = slabAllocate(H3_STREAM_BYTES);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, H3_STREAM_BYTES);
  const stream = changetype<H3Stream>(ptr);
  stream.connection = changetype<usize>(h3);
  stream.quic = changetype<usize>(quic);
  stream.kind = <u8>kind;
  stream.state = <u8>RequestState.HEAD;
  stream.beganMs = nowMs;
  stream.next = h3.firstStream;
  if (h3.firstStream != 0) changetype<H3Stream>(h3.firstStream).previous = ptr;
  h3.firstStream = ptr;
  quic.applicationState = ptr;
  return ptr;
}

/** Forgets a stream, and lets the transport forget its own: what was sent on it still goes out. */
export function h3StreamEnd(h3: H3Connection, stream: H3Stream): void {
  const quic = quicOf(stream);
  h3StreamFree(h3, stream);
  quic.applicationState = 0;
  streamRelease(quic);
}

/** The host lets go of a stream of a session. */
export function h3StreamRelease(stream: H3Stream): void {
  h3StreamEnd(connectionOfStream(stream), stream);
}

/** Frees a stream whose transport is gone, or is told by `h3StreamEnd`. */
export function h3StreamFree(h3: H3Connection, stream: H3Stream): void {
  const ptr = changetype<usize>(stream);
  if (h3.reading == ptr) h3.reading = 0;
  if (stream.flags & H3StreamFlag.BLOCKED) h3.blockedCount--;
  if (stream.flags & H3StreamFlag.WAITING) h3.waitingCount--;
  rawForget(quicOf(stream));
  if (stream.exchange != 0) changetype<H3Exchange>(stream.exchange).stream = 0;
  if (stream.previous != 0) changetype<H3Stream>(stream.previous).next = stream.next;
  else h3.firstStream = stream.next;
  if (stream.next != 0) changetype<H3Stream>(stream.next).previous = stream.previous;
  dropPayload(stream);
  slabFree(ptr);
}

/** Appends to what is kept of a payload. False when the memory is full. */
export function keepPayload(stream: H3Stream, ptr: usize, len: u32): bool {
  const needed = stream.blockLen + len;
  const capacity: u32 = stream.block == 0 ? 0 : slabCapacity(stream.block);
  if (capacity < needed) {
    const block = slabAllocate(max(needed, max(FIRST_BLOCK_BYTES, min<u32>(capacity * 2, 65536))));
    if (block == 0) return false;
    if (stream.block != 0) {
      memory.copy(block, stream.block, stream.blockLen);
      slabFree(stream.block);
    }
    stream.block = block;
  }
  memory.copy(stream.block + stream.blockLen, ptr, len);
  stream.blockLen = needed;
  return true;
}

/** Frees what is kept of a payload. */
export function dropPayload(stream: H3Stream): void {
  if (stream.block != 0) slabFree(stream.block);
  stream.block = 0;
  stream.blockLen = 0;
}

/** Makes the exchange of a stream, with room for a head. 0 when a pool is full. */
export function h3ExchangeCreate(h3: H3Connection, stream: H3Stream, fieldCount: u32, byteCount: u32): usize {
  const ptr = exchangeCreate(transportOf(h3), fieldCount, byteCount, EXCHANGE_BYTES);
  if (ptr == 0) return 0;
  const exchange = changetype<H3Exchange>(ptr);
  exchange.stream = changetype<usize>(stream);
  // The lane has 32 bits, which is a thousand million requests on one connection.
  exchange.streamId = <u32>quicOf(stream).id;
  stream.exchange = ptr;
  count(Counter.EXCHANGES_H3);
  return ptr;
}

/** Whether the content received is as long as was declared. */
export function fitsLength(exchange: H3Exchange): bool {
  if (isBodiless(exchange.kind & 0xff, exchange.statusCode)) return exchange.receivedBytes == 0;
  const declared = ((<u64>exchange.contentLengthHigh) << 32) | exchange.contentLengthLow;
  return declared == u64.MAX_VALUE || exchange.receivedBytes == declared;
}
