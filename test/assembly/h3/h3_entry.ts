/**
 * Two ends of HTTP/3 back to back, without packets: the frames of one set of streams are fed to the other, cut as the test wants. Each
 * end is either the engine's HTTP/3 or a bare set of streams, whose bytes are the test's (test/wire/h3/pair.ts).
 */
import { OpenFlag, Protocol, Role } from "../../../assembly/abi/message.ts";
import { readVarint, Reader, readerLeft, readerOpen } from "../../../assembly/core/reader.ts";
import { Writer, writerOpen } from "../../../assembly/core/writer.ts";
import { h3ErrorCode } from "../../../assembly/h3/error_code.ts";
import { h3Deadline, h3HandleTimeout } from "../../../assembly/h3/deadlines.ts";
import { h3Drain, h3IsIdle } from "../../../assembly/h3/goaway.ts";
import { h3IsWaiting, h3Run } from "../../../assembly/h3/run.ts";
import { h3Closed, h3Destroy, h3SetEarlyData, h3Start } from "../../../assembly/h3/start.ts";
import { rawStreamOf } from "../../../assembly/quic/raw/raw.ts";
import {
  datagramConsume,
  datagramPeek,
  datagramPeekLength,
  datagramSend,
  streamConsume,
  streamIsAtEnd,
  streamOpen,
  streamPeek,
  streamPeekLength,
  streamRelease,
  streamReset,
  streamSend,
  streamsPoll,
  streamStopSending,
} from "../../../assembly/quic/stream/application.ts";
import {
  streamsOnDatagram,
  streamsOnMaxData,
  streamsOnMaxStreamData,
  streamsOnMaxStreams,
  streamsOnResetStream,
  streamsOnStopSending,
  streamsOnStream,
  streamsSettle,
} from "../../../assembly/quic/stream/receive_frames.ts";
import { streamsSetRemoteLimits } from "../../../assembly/quic/stream/remote_limits.ts";
import { streamsOnFrameAcked, streamsOnFrameLost } from "../../../assembly/quic/stream/sent_outcome.ts";
import { QuicStream } from "../../../assembly/quic/stream/stream.ts";
import { streamsDestroy } from "../../../assembly/quic/stream/stream_table.ts";
import { QuicStreams, streamsCreate } from "../../../assembly/quic/stream/streams.ts";
import { streamsHasFrames, streamsWriteFrames } from "../../../assembly/quic/stream/write_frames.ts";
import {
  readStream,
  streamFrameFin,
  streamFrameId,
  streamFrameLen,
  streamFrameOffset,
  streamFramePtr,
} from "../../../assembly/quic/wire/stream.ts";
import {
  SENT_FRAME_BYTES,
  sentFrameAt,
  SentFrameList,
  sentFrameListOpen,
} from "../../../assembly/quic/wire/sent_frame.ts";
import { Connection, connectionCreate, connectionDestroy } from "../../../assembly/session/connection.ts";
import { nowMs, setNow } from "../../../assembly/session/deadline.ts";
import { freeRetired } from "../../../assembly/session/retired.ts";

export * from "../../../assembly/exports/index";

const PACKET_BYTES: u32 = 65536;
const RECORD_COUNT: u32 = 512;
const packet: usize = memory.data(PACKET_BYTES, 16);
const records: usize = memory.data(RECORD_COUNT * SENT_FRAME_BYTES, 16);
const buffer: usize = memory.data(1 << 20, 16);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const list = changetype<SentFrameList>(memory.data(offsetof<SentFrameList>(), 8));

/** By Role: the set of streams, the connection (0 for a bare end), and what the last run answered. No heap: the engine lies there. */
const ends: usize = memory.data(24, 8);

const WINDOW: u64 = 1 << 20;
const DATAGRAM_BYTES: u64 = 1500;

/** An end of the pair. `kind` 1: HTTP/3, 0: bare. Answers the handle, or 0. */
export function endOpen(role: u32, kind: u32, flags: u32, bidiStreams: u32, uniStreams: u32, now: f64): i32 {
  setNow(now);
  const isServer = role == Role.SERVER;
  const set = changetype<QuicStreams>(streamsCreate(isServer, now));
  set.rttMs = 10;
  set.datagramAllowed = DATAGRAM_BYTES;
  streamsSetRemoteLimits(
    set,
    WINDOW,
    WINDOW >> 2,
    WINDOW >> 2,
    WINDOW >> 2,
    bidiStreams,
    uniStreams,
    DATAGRAM_BYTES,
  );
  store<usize>(ends + (role << 2), changetype<usize>(set));
  store<usize>(ends + (role << 2), 0, 8);
  store<i32>(ends + (role << 2), 0, 16);
  if (kind == 0) return 0;
  const ptr = connectionCreate(<u32>offsetof<Connection>(), Protocol.HTTP_3, role, flags | OpenFlag.SECURE);
  const connection = changetype<Connection>(ptr);
  store<usize>(ends + (role << 2), ptr, 8);
  const started = h3Start(connection, set);
  return started != 0 ? started : <i32>connection.handle;
}

function connectionAt(role: u32): Connection {
  return changetype<Connection>(load<usize>(ends + (role << 2), 8));
}

function setAt(role: u32): QuicStreams {
  return changetype<QuicStreams>(load<usize>(ends + (role << 2)));
}

/** What HTTP/3 makes of what has arrived. */
export function endRun(role: u32): i32 {
  if (load<usize>(ends + (role << 2), 8) != 0) store<i32>(ends + (role << 2), h3Run(connectionAt(role)), 16);
  return load<i32>(ends + (role << 2), 16);
}

export function endIsWaiting(role: u32): bool {
  return load<usize>(ends + (role << 2), 8) != 0 && h3IsWaiting(connectionAt(role));
}

export function endDeadline(role: u32): f64 {
  return load<usize>(ends + (role << 2), 8) != 0 ? h3Deadline(connectionAt(role)) : 0;
}

export function endTimeout(role: u32, now: f64): void {
  setNow(now);
  freeRetired();
  if (load<usize>(ends + (role << 2), 8) != 0) h3HandleTimeout(connectionAt(role));
}

export function endDrain(role: u32): void {
  h3Drain(connectionAt(role));
}

export function endIsIdle(role: u32): bool {
  return h3IsIdle(connectionAt(role));
}

export function endSetEarly(role: u32, isEarly: bool): void {
  h3SetEarlyData(connectionAt(role), isEarly);
}

/** The connection is gone. */
export function endClose(role: u32, status: i32): void {
  if (load<usize>(ends + (role << 2), 8) != 0) {
    h3Closed(connectionAt(role), status);
    h3Destroy(connectionAt(role));
    connectionDestroy(connectionAt(role));
  }
  streamsDestroy(setAt(role));
  store<usize>(ends + (role << 2), 0, 8);
}

export function errorCode(status: i32): f64 {
  return <f64>h3ErrorCode(status);
}

/** One packet from an end to the other, of at most `room` bytes. Answers its length, or a status of the transport. */
export function endSend(role: u32, room: u32, isLost: bool, now: f64): i32 {
  setNow(now);
  freeRetired();
  const set = setAt(role);
  set.nowMs = now;
  if (!streamsHasFrames(set)) return 0;
  writerOpen(writer, packet, min(room, PACKET_BYTES));
  sentFrameListOpen(list, records, RECORD_COUNT);
  if (streamsWriteFrames(set, writer, list) == 0) return 0;
  const len = <u32>(writer.at - packet);
  let status = 0;
  if (!isLost) {
    const other = 1 - role;
    setAt(other).nowMs = now;
    status = feed(setAt(other), packet, len);
    if (status == 0) {
      endRun(other);
      status = streamsSettle(setAt(other));
    }
  }
  for (let index: u32 = 0; index < list.count; index++) {
    const frame = sentFrameAt(list, index);
    if (isLost) streamsOnFrameLost(set, frame);
    else streamsOnFrameAcked(set, frame);
  }
  // Acknowledgements may make room.
  endRun(role);
  return status != 0 ? status : <i32>len;
}

function feed(set: QuicStreams, ptr: usize, len: u32): i32 {
  readerOpen(reader, ptr, len);
  let status = 0;
  while (readerLeft(reader) != 0 && status == 0) {
    const type = <u32>readVarint(reader);
    if (type >= 0x08 && type <= 0x0f) {
      readStream(reader, type);
      status = streamsOnStream(
        set,
        streamFrameId,
        streamFrameOffset,
        streamFramePtr,
        streamFrameLen,
        streamFrameFin,
      );
      continue;
    }
    const first = readVarint(reader);
    switch (type) {
      case 0x04: {
        const code = readVarint(reader);
        status = streamsOnResetStream(set, first, code, readVarint(reader));
        break;
      }
      case 0x05:
        status = streamsOnStopSending(set, first, readVarint(reader));
        break;
      case 0x10:
        streamsOnMaxData(set, first);
        break;
      case 0x11:
        status = streamsOnMaxStreamData(set, first, readVarint(reader));
        break;
      case 0x12:
      case 0x13:
        status = streamsOnMaxStreams(set, type == 0x13, first);
        break;
      case 0x15:
        readVarint(reader);
        break;
      case 0x31: {
        const at = reader.at;
        status = streamsOnDatagram(set, at, <u32>first, <u32>first + 3);
        reader.at = at + <usize>first;
        break;
      }
    }
  }
  return status;
}

/** Where the test leaves bytes for the doors below. */
export function bufferPtr(): usize {
  return buffer;
}

export function rawOpen(role: u32, isUni: bool): usize {
  return streamOpen(setAt(role), isUni);
}

/** Sends bytes that lie in the buffer. */
export function rawSend(stream: QuicStream, len: u32, isFin: bool): i32 {
  return streamSend(stream, buffer, len, isFin);
}

export function rawReset(stream: QuicStream, code: f64): i32 {
  return streamReset(stream, <u64>code);
}

export function rawStop(stream: QuicStream, code: f64): i32 {
  return streamStopSending(stream, <u64>code);
}

export function rawRelease(stream: QuicStream): void {
  streamRelease(stream);
}

/** The next stream with something to tell, or 0; what it is, is left in `rawEvents`. */
export function rawPoll(role: u32): usize {
  return streamsPoll(setAt(role));
}

export function rawEvents(role: u32): u32 {
  return setAt(role).polledEvents;
}

/** Reads what there is into the buffer. Answers its length. */
export function rawRead(stream: QuicStream): u32 {
  let total: u32 = 0;
  while (true) {
    const len = streamPeekLength(stream);
    if (len == 0) return total;
    memory.copy(buffer + total, streamPeek(stream), len);
    streamConsume(stream, len);
    total += len;
  }
}

/** Consumes what was read of a stream by its handle: the engine's door wants a connection of QUIC. */
export function handleConsume(handle: u32, len: u32): i32 {
  const ptr = rawStreamOf(handle);
  return ptr == 0 ? -1 : streamConsume(changetype<QuicStream>(ptr), len);
}

/** Sends bytes that lie in the buffer on a stream by its handle, as above. */
export function handleSend(handle: u32, len: u32, isFin: bool): i32 {
  const ptr = rawStreamOf(handle);
  return ptr == 0 ? -1 : streamSend(changetype<QuicStream>(ptr), buffer, len, isFin);
}

/** Resets a stream by its handle, or wants nothing more of it. */
export function handleCut(handle: u32, isReset: bool): i32 {
  const ptr = rawStreamOf(handle);
  if (ptr == 0) return -1;
  const stream = changetype<QuicStream>(ptr);
  return isReset ? streamReset(stream, 1) : streamStopSending(stream, 1);
}

export function rawIsAtEnd(stream: QuicStream): bool {
  return streamIsAtEnd(stream);
}

export function rawId(stream: QuicStream): f64 {
  return <f64>stream.id;
}

export function rawUrgency(stream: QuicStream): u32 {
  return stream.urgency;
}

export function rawResetCode(stream: QuicStream): f64 {
  return <f64>stream.peerResetCode;
}

export function rawStopCode(stream: QuicStream): f64 {
  return <f64>stream.peerStopCode;
}

export function rawDatagram(role: u32, len: u32): i32 {
  return datagramSend(setAt(role), buffer, len);
}

/** The next datagram, into the buffer: its length, or -1. */
export function rawDatagramRead(role: u32): i32 {
  const len = datagramPeekLength(setAt(role));
  if (len < 0) return len;
  memory.copy(buffer, datagramPeek(setAt(role)), len);
  datagramConsume(setAt(role));
  return len;
}

export function time(): f64 {
  return nowMs;
}
