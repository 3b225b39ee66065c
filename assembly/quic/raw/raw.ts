/**
 * A connection whose streams are the host's own: each gets a handle, and what happens on it is told as it is. What arrived is read
 * by pulling (`streamPeek`, `streamConsume`), which is what flow control waits for.
 */
import { EventKind } from "../../abi/event.ts";
import { Limit } from "../../abi/limit.ts";
import { StreamNews } from "../../abi/quic.ts";
import {
  handleCreate,
  handleFree,
  handleResolve,
  HandleTable,
  handleTableInitialize,
} from "../../core/handle_table.ts";
import { hasEventRoom, emitStreamEvent, emitConnectionEvent } from "../../session/events.ts";
import { Connection } from "../../session/connection.ts";
import { limitU32 } from "../../session/limits.ts";
import { streamSlots } from "../../session/regions.ts";
import { QuicConnection, streamsOfConnection } from "../connection/connection.ts";
import { streamRelease, streamsPoll, streamsTakeNews } from "../stream/application.ts";
import { QuicStream, StreamEvent } from "../stream/stream.ts";
import { streamNext } from "../stream/stream_table.ts";
import { SetNews } from "../stream/streams.ts";

const table = changetype<HandleTable>(memory.data(offsetof<HandleTable>(), 8));

export function rawInitialize(): void {
  handleTableInitialize(table, streamSlots(), limitU32(Limit.EXCHANGE_COUNT));
}

/** The stream's address, 0 when the handle is stale. */
export function rawStreamOf(handle: u32): usize {
  return handleResolve(table, handle);
}

/** Gives a stream a handle. 0 when there are too many. */
export function rawAdopt(stream: QuicStream): u32 {
  stream.application = handleCreate(table, changetype<usize>(stream));
  return stream.application;
}

/** Tells what is new. False when the ring has no more room: to be called again. */
export function rawRun(connection: QuicConnection): bool {
  const set = streamsOfConnection(connection);
  if (!hasEventRoom(connection.openExchangeCount)) return false;
  const news = streamsTakeNews(set);
  const openable = news & (SetNews.OPENABLE_BIDI | SetNews.OPENABLE_UNI);
  if (openable != 0) emitConnectionEvent(EventKind.QUIC_OPENABLE, openable, connection, 0);
  if (news & SetNews.DATAGRAMS) emitConnectionEvent(EventKind.QUIC_DATAGRAM, 0, connection, 0);
  while (hasEventRoom(connection.openExchangeCount)) {
    const ptr = streamsPoll(set);
    if (ptr == 0) return true;
    tell(connection, changetype<QuicStream>(ptr), set.polledEvents);
  }
  return false;
}

function tell(connection: QuicConnection, stream: QuicStream, events: u32): void {
  // Released by the host, or never adopted for want of handles: refused.
  if (stream.application == 0 && ((events & StreamEvent.OPENED) == 0 || rawAdopt(stream) == 0)) {
    streamRelease(stream);
    return;
  }
  rawTell(connection, stream, events);
  if ((events & StreamNews.CLOSED) != 0) rawRelease(stream);
}

/** Tells what is new of a stream that has a handle. */
export function rawTell(connection: Connection, stream: QuicStream, events: u32): void {
  const code = events & StreamEvent.RESET ? stream.peerResetCode : stream.peerStopCode;
  emitStreamEvent(EventKind.QUIC_STREAM, events, connection, stream.application, stream.id, code);
}

/** The host, or the stream's end, lets go of it. */
export function rawRelease(stream: QuicStream): void {
  rawForget(stream);
  streamRelease(stream);
}

/** Makes the handle stale of a stream that has one. */
export function rawForget(stream: QuicStream): void {
  if (stream.application != 0) handleFree(table, stream.application);
  stream.application = 0;
}

/** The connection is over: its streams' handles are stale from here on. */
export function rawClose(connection: QuicConnection): void {
  const set = streamsOfConnection(connection);
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    rawForget(changetype<QuicStream>(ptr));
  }
}
