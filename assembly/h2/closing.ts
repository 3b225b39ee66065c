/**
 * How a connection of HTTP/2 closes, and a stream leaves it: what is told to the host, and what is given back. Nothing here is
 * said to the peer; that is done before (lifecycle.ts).
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { byteQueueClear } from "../core/byte_queue.ts";
import { slabFree } from "../core/slab.ts";
import { hpackDecoderFree } from "../hpack/decoder.ts";
import { hpackEncoderFree } from "../hpack/encoder.ts";
import { connectionDestroy, ConnectionFlag, ConnectionState } from "../session/connection.ts";
import { clearReadDeadline, clearWriteDeadline, setReadDeadline } from "../session/deadline.ts";
import { emitConnectionEvent, emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf } from "../session/limits.ts";
import { outputDrop, outputPending } from "../session/output.ts";
import { decoderOf, encoderOf, H2Connection, ReceiveState } from "./connection.ts";
import { clearDeadlines } from "./deadline_slots.ts";
import { releaseHeld } from "./held_content.ts";
import { rememberClosed } from "./recent_streams.ts";
import { scheduleRemove } from "./schedule.ts";
import { H2Stream } from "./stream.ts";
import { isClosed, StreamState } from "./stream_state.ts";
import { streamTableFree, streamTableRemove } from "./stream_table.ts";
import { streamDetach } from "./streams.ts";

/** Nothing more is read; CLOSE is told once the output has been polled. */
export function h2Close(connection: H2Connection, status: i32): void {
  if (connection.state == ConnectionState.LINGERING) return;
  connection.state = ConnectionState.LINGERING;
  connection.endStatus = status;
  stopReceiving(connection);
  abortExchanges(connection, status);
  setReadDeadline(connection, limitOf(Limit.GOAWAY_TIMEOUT_MS), Status.LINGER_TIMEOUT);
  if (outputPending(connection) == 0) h2TellClose(connection);
  else connection.flags |= ConnectionFlag.CLOSE_OWED;
}

/** The last output has been polled: the host may end its side. */
export function h2TellClose(connection: H2Connection): void {
  connection.flags &= ~ConnectionFlag.CLOSE_OWED;
  emitConnectionEvent(EventKind.CLOSE, EventFlag.NONE, connection, <u32>connection.endStatus);
}

/** The connection is not worth another byte. */
export function h2Abort(connection: H2Connection, status: i32): void {
  if (connection.flags & ConnectionFlag.ABORTED) return;
  connection.state = ConnectionState.LINGERING;
  stopReceiving(connection);
  clearWriteDeadline(connection);
  abortExchanges(connection, status);
  emitConnectionEvent(EventKind.CLOSE, EventFlag.ABORT, connection, <u32>status);
  connection.flags = (connection.flags | ConnectionFlag.ABORTED) & ~ConnectionFlag.CLOSE_OWED;
}

function stopReceiving(connection: H2Connection): void {
  connection.receiveState = ReceiveState.IGNORE;
  freeInput(connection);
  clearReadDeadline(connection);
  clearDeadlines(connection);
}

/** Frees what is kept of a frame or a header block that is not complete. */
function freeInput(connection: H2Connection): void {
  if (connection.input != 0) slabFree(connection.input);
  connection.input = 0;
  connection.inputLen = 0;
  if (connection.block != 0) slabFree(connection.block);
  connection.block = 0;
  connection.blockStreamId = 0;
}

function abortExchanges(connection: H2Connection, status: i32): void {
  while (connection.firstExchange != 0) {
    const stream = changetype<H2Stream>(connection.firstExchange);
    if (!isClosed(stream.state)) {
      closeStream(connection, stream);
      stream.state = StreamState.CLOSED;
    }
    if (!hasFlag(stream, ExchangeFlag.ABORTED)) {
      stream.flags |= ExchangeFlag.ABORTED;
      emitExchangeEvent(EventKind.ABORTED, EventFlag.NONE, stream, <u32>status, 0);
    }
    streamDetach(stream);
  }
}

/** Takes a stream out of everything that knows it by its identifier. */
export function closeStream(connection: H2Connection, stream: H2Stream): void {
  rememberClosed(connection, stream.streamId, stream.state);
  streamTableRemove(connection, stream);
  scheduleRemove(connection, stream);
  if (connection.dataStream == changetype<usize>(stream)) connection.dataStream = 0;
  releaseHeld(connection, stream);
  dropQueued(connection, stream);
}

function dropQueued(connection: H2Connection, stream: H2Stream): void {
  connection.queuedBytes -= stream.output.length;
  byteQueueClear(stream.output);
  if (stream.trailersOut != 0) slabFree(stream.trailersOut);
  stream.trailersOut = 0;
  if (hasFlag(stream, ExchangeFlag.WRITABLE_OWED)) {
    stream.flags &= ~ExchangeFlag.WRITABLE_OWED;
    connection.writableOwedCount--;
  }
}

/**
 * The host's socket is gone: frees the connection. Its exchanges stay until the host releases them, as what they have
 * received may still be read; no event is told of them.
 */
export function h2Destroy(connection: H2Connection): void {
  while (connection.firstExchange != 0) {
    const stream = changetype<H2Stream>(connection.firstExchange);
    if (!isClosed(stream.state)) closeStream(connection, stream);
    stream.flags |= ExchangeFlag.ABORTED;
    streamDetach(stream);
  }
  freeInput(connection);
  streamTableFree(connection);
  hpackDecoderFree(decoderOf(connection));
  hpackEncoderFree(encoderOf(connection));
  outputDrop(connection);
  connectionDestroy(connection);
}
