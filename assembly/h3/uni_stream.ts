/**
 * Unidirectional streams of the peer, RFC 9114 §6.2: a type first, which says what the rest is. Three of them live as long as the
 * connection; a stream of a type that nobody knows is not read.
 */
import { H3Status } from "../abi/h3_status.ts";
import { Status } from "../abi/status.ts";
import {
  streamConsume,
  streamIsAtEnd,
  streamPeek,
  streamPeekLength,
  streamStopSending,
} from "../quic/stream/application.ts";
import { spendControl } from "./budget.ts";
import { H3Connection, criticalSlot, maySessions, transportOf } from "./connection.ts";
import { readControl } from "./control_stream.ts";
import { H3Error } from "./error_code.ts";
import { connectionError } from "./failure.ts";
import { receiveDecoderStream, receiveEncoderStream } from "./field_sections.ts";
import { varintPush } from "./frame.ts";
import { H3Stream, h3StreamEnd, headerOf, quicOf, Reading } from "./stream.ts";
import { isCritical, mayPush, StreamKind, StreamType } from "./stream_type.ts";

/** There is something to read, or the end, on a unidirectional stream. True when it is one of a session, to be read by the host. */
export function readUni(h3: H3Connection, stream: H3Stream): bool {
  const quic = quicOf(stream);
  h3.reading = changetype<usize>(stream);
  if (stream.kind == <u8>StreamKind.UNTYPED && !readType(h3, stream)) {
    // §6.2: a stream may end before it has said what it is. One of an unknown type is gone already.
    if (h3.reading != 0 && h3.endStatus == Status.OK && streamIsAtEnd(quic)) h3StreamEnd(h3, stream);
    h3.reading = 0;
    return false;
  }
  h3.reading = 0;
  if (stream.kind == <u8>StreamKind.WEBTRANSPORT) return true;
  if (stream.kind == <u8>StreamKind.CONTROL) readControl(h3, stream);
  else readInstructions(h3, stream);
  // §6.2.1, RFC 9204 §4.2.
  if (streamIsAtEnd(quic)) connectionError(h3, H3Status.CRITICAL_STREAM_CLOSED);
  return false;
}

/** Reads the type. True when the stream goes on with a kind of its own. */
function readType(h3: H3Connection, stream: H3Stream): bool {
  const quic = quicOf(stream);
  const header = headerOf(stream);
  while (streamPeekLength(quic) != 0) {
    const isComplete = varintPush(header, load<u8>(streamPeek(quic)));
    streamConsume(quic, 1);
    if (!isComplete) continue;
    if (stream.reading == <u8>Reading.RAW) {
      // The type was that of a session's stream, and this is the session's number.
      stream.kind = <u8>StreamKind.WEBTRANSPORT;
      stream.session = header.type;
      return true;
    }
    if (header.type != StreamType.WEBTRANSPORT || !maySessions(h3)) return takeType(h3, stream, header.type);
    stream.reading = <u8>Reading.RAW;
  }
  return false;
}

function takeType(h3: H3Connection, stream: H3Stream, type: u64): bool {
  switch (type) {
    case StreamType.CONTROL:
      return takeCritical(h3, stream, StreamKind.CONTROL);
    case StreamType.QPACK_ENCODER:
      return takeCritical(h3, stream, StreamKind.ENCODER);
    case StreamType.QPACK_DECODER:
      return takeCritical(h3, stream, StreamKind.DECODER);
    case StreamType.PUSH:
      // §6.2.2, §4.6: only servers push, and only what was allowed, which is nothing.
      connectionError(h3, mayPush(transportOf(h3).role) ? H3Status.PUSH_ID : H3Status.STREAM_DIRECTION);
      return false;
  }
  // §6.2: not an error of the connection. Its data are discarded.
  streamStopSending(quicOf(stream), H3Error.STREAM_CREATION_ERROR);
  h3StreamEnd(h3, stream);
  spendControl(h3);
  return false;
}

function takeCritical(h3: H3Connection, stream: H3Stream, kind: StreamKind): bool {
  const slot = criticalSlot(h3, kind);
  if (load<usize>(slot) != 0) {
    connectionError(h3, H3Status.STREAM_DUPLICATE);
    return false;
  }
  store<usize>(slot, changetype<usize>(stream));
  stream.kind = <u8>kind;
  stream.reading = <u8>(kind == StreamKind.CONTROL ? Reading.HEADER : Reading.RAW);
  return true;
}

/** Instructions of QPACK, in whatever pieces. */
function readInstructions(h3: H3Connection, stream: H3Stream): void {
  const quic = quicOf(stream);
  while (h3.endStatus == Status.OK) {
    const len = streamPeekLength(quic);
    if (len == 0) return;
    const ptr = streamPeek(quic);
    if (stream.kind == <u8>StreamKind.ENCODER) receiveEncoderStream(h3, ptr, len);
    else receiveDecoderStream(h3, ptr, len);
    streamConsume(quic, len);
  }
}

/** The peer has reset a unidirectional stream. */
export function uniReset(h3: H3Connection, stream: H3Stream): void {
  if (isCritical(stream.kind)) connectionError(h3, H3Status.CRITICAL_STREAM_CLOSED);
  else h3StreamEnd(h3, stream);
}
