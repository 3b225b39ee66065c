/**
 * Receiving HTTP/1.1: bytes of one connection in, events out. Both roles; what differs is in server.ts and client.ts.
 *
 * `process` is the loop over the receive states. It reads from wherever bytes lie, the receive region or the connection's
 * input block, and stops when they are used up, when a head is incomplete, when nothing may be read (HELD), or when the
 * event ring has no room for another step. What a stopped loop leaves is kept by the caller, so that `h1Receive` answers less
 * than it was given only for want of event room.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldLane, Method, Role } from "../abi/message.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate } from "../core/slab.ts";
import { timerArm } from "../core/timer_wheel.ts";
import { prefaceMatch, PREFACE_BYTES } from "../http/preface.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { nowMs, setReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent, hasEventRoom } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { freeRetired } from "../session/retired.ts";
import { tunnelEnd, tunnelReceive } from "../session/tunnel.ts";
import { chunkedAt, ChunkStep, chunkedStep } from "./chunked.ts";
import { beginResponse } from "./client.ts";
import { H1Connection, ReceiveState } from "./connection.ts";
import { readHead, readTrailers, sectionCount, sectionForget, sectionRecords } from "./head.ts";
import {
  inputAppend,
  inputBytes,
  inputConsume,
  inputGrow,
  inputRetire,
  inputRoom,
  INPUT_MAX,
} from "./input.ts";
import { abandonContent, fail, h1Close, mayReadOn, messageReceived } from "./lifecycle.ts";
import { beginBodyWindow, isInputHeld, updateReading } from "./reading.ts";
import { beginRequest } from "./server.ts";
import { lineMethod } from "./start_line.ts";

/** Chunks up to this size are moved together, so that many small ones make one event. */
const GATHER_MAX: u32 = 8192;
const CR: u32 = 0x0d;
const LF: u32 = 0x0a;

/** The loop stopped for want of event room: its caller leaves the rest to the host. */
let outOfEventRoom: bool = false;
/** The loop is running: who lifts a hold only needs to change the state. */
let processing: bool = false;

/**
 * Takes [ptr, ptr + len) and answers how much of it was taken, or a status: WOULD_BLOCK when the host reads on in spite of
 * READ_PAUSE and there is no room left to keep what it read.
 */
export function h1Receive(connection: H1Connection, ptr: usize, len: u32): i32 {
  freeRetired();
  if (connection.flags & ConnectionFlag.RESUME_OWED) resume(connection);
  const end = ptr + len;
  let at = ptr;
  outOfEventRoom = false;
  if (connection.inputLen != 0) {
    if (isInputHeld(connection)) {
      if (connection.inputLen + len > INPUT_MAX) return Status.WOULD_BLOCK;
      if (!inputAppend(connection, at, len)) fail(connection, Status.MEMORY_FULL);
      return len;
    }
    at = continueInput(connection, at, end);
  }
  if (connection.inputLen == 0 && !outOfEventRoom) at = process(connection, at, end);
  if (connection.receiveState == ReceiveState.SWITCHED) return <i32>(at - ptr);
  if (at < end && !outOfEventRoom) {
    if (!inputAppend(connection, at, <u32>(end - at))) fail(connection, Status.MEMORY_FULL);
    at = end;
  }
  updateReading(connection);
  return <i32>(at - ptr);
}

/** The peer ended its side. What it sent before and still waits is read first. */
export function h1ReceiveEnd(connection: H1Connection): void {
  freeRetired();
  if (connection.flags & ConnectionFlag.PEER_ENDED) return;
  connection.flags |= ConnectionFlag.PEER_ENDED;
  if (!isInputHeld(connection)) endInput(connection);
  for (let at = connection.firstExchange; at != 0; at = changetype<Exchange>(at).next) {
    emitExchangeEvent(EventKind.PEER_ENDED, EventFlag.NONE, changetype<Exchange>(at), 0, 0);
  }
}

/** Nothing follows what has been read. */
function endInput(connection: H1Connection): void {
  switch (connection.receiveState) {
    case ReceiveState.UNTIL_CLOSE: {
      const exchange = changetype<Exchange>(connection.receiving);
      emitExchangeEvent(EventKind.END, EventFlag.NONE, exchange, 0, 0);
      messageReceived(connection);
      break;
    }
    case ReceiveState.TUNNEL: {
      const exchange = changetype<Exchange>(connection.receiving);
      if (exchange.tunnel != 0) tunnelEnd(exchange);
      else emitExchangeEvent(EventKind.END, EventFlag.NONE, exchange, 0, 0);
      break;
    }
    case ReceiveState.LENGTH:
    case ReceiveState.CHUNKED:
    case ReceiveState.TRAILERS:
      fail(connection, Status.H1_UNEXPECTED_END);
      break;
    case ReceiveState.HEAD:
      if (connection.headBegun) fail(connection, Status.H1_UNEXPECTED_END);
      else if (connection.firstExchange == 0) h1Close(connection, Status.OK);
      else if (connection.role == Role.CLIENT) fail(connection, Status.H1_UNEXPECTED_END);
      break;
  }
}

/** Reads on after a hold, from the input block. Called when an exchange ended or was decided. */
export function resume(connection: H1Connection): void {
  if (connection.receiveState == ReceiveState.HELD) {
    if (!mayReadOn(connection)) return;
    connection.receiveState = ReceiveState.HEAD;
  }
  if (processing) return;
  if (connection.inputLen != 0) {
    connection.flags |= ConnectionFlag.RESUME_OWED;
    outOfEventRoom = false;
    const bytes = inputBytes(connection);
    inputConsume(connection, <u32>(process(connection, bytes, bytes + connection.inputLen) - bytes));
    if (outOfEventRoom) timerArm(connection, nowMs);
    else connection.flags &= ~ConnectionFlag.RESUME_OWED;
  }
  if ((connection.flags & ConnectionFlag.PEER_ENDED) != 0 && !isInputHeld(connection)) endInput(connection);
  updateReading(connection);
}

/**
 * Goes on with an incomplete head or trailer section: appends what arrived to the input block until the section is complete,
 * then hands the rest back. Answers where in the receive region reading goes on.
 */
function continueInput(connection: H1Connection, ptr: usize, end: usize): usize {
  let at = ptr;
  while (at < end && connection.inputLen != 0) {
    if (inputRoom(connection) == 0 && !inputGrow(connection, connection.inputLen + 1)) {
      fail(connection, Status.MEMORY_FULL);
      return end;
    }
    const added = min(<u32>(end - at), inputRoom(connection));
    inputAppend(connection, at, added);
    const bytes = inputBytes(connection);
    const len = connection.inputLen;
    const used = <u32>(process(connection, bytes, bytes + len) - bytes);
    if (outOfEventRoom && used == 0) {
      connection.inputLen -= added;
      return at;
    }
    at += added;
    if (used == 0) continue;
    // The section ended within what was just added, so the rest of it is still in the receive region.
    inputRetire(connection);
    return at - (len - used);
  }
  return at;
}

function process(connection: H1Connection, ptr: usize, end: usize): usize {
  let at = ptr;
  processing = true;
  while (at < end) {
    if (!hasEventRoom(connection.openExchangeCount)) {
      outOfEventRoom = true;
      break;
    }
    const before = at;
    switch (connection.receiveState) {
      case ReceiveState.HEAD:
        at = receiveHead(connection, at, end);
        break;
      case ReceiveState.LENGTH:
      case ReceiveState.UNTIL_CLOSE:
      case ReceiveState.TUNNEL:
        at = receiveContent(connection, at, end);
        break;
      case ReceiveState.CHUNKED:
        at = receiveChunked(connection, at, end);
        break;
      case ReceiveState.TRAILERS:
        at = receiveTrailers(connection, at, end);
        break;
      case ReceiveState.IGNORE:
        at = end;
        break;
    }
    // HELD, or a section that is not complete.
    if (at == before) break;
  }
  processing = false;
  return at;
}

function receiveHead(connection: H1Connection, ptr: usize, end: usize): usize {
  if (mayBePreface(connection)) {
    // RFC 9113 §3.3: a client that knows that this server speaks HTTP/2.
    const matched = prefaceMatch(ptr, end, 0);
    if (matched == PREFACE_BYTES) {
      connection.receiveState = ReceiveState.SWITCHED;
      return ptr + PREFACE_BYTES;
    }
    if (matched == <u32>(end - ptr)) {
      headBegins(connection);
      return ptr;
    }
  }
  // RFC 9112 §2.2: an empty line before a request-line is skipped. It begins no head.
  if (load<u8>(ptr) == CR && !connection.startLineRead && connection.role == Role.SERVER) {
    if (ptr + 1 == end) return ptr;
    if (load<u8>(ptr, 1) == LF) return ptr + 2;
  }
  const length = readHead(connection, ptr, end);
  if (length == 0) {
    headBegins(connection);
    return ptr;
  }
  if (length < 0) {
    if (isForeign(connection, length)) h1Close(connection, length);
    else fail(connection, length);
    return end;
  }
  connection.headBegun = 0;
  const status =
    connection.role == Role.SERVER
      ? beginRequest(connection, ptr, length)
      : beginResponse(connection, ptr, length);
  if (status != Status.OK) {
    fail(connection, status);
    return end;
  }
  return ptr + length;
}

function mayBePreface(connection: H1Connection): bool {
  if (connection.exchangeOrdinal != 0 || connection.role != Role.SERVER || connection.startLineRead)
    return false;
  // Read from the input block after a pause: nobody is there to take the connection over.
  return (connection.flags & ConnectionFlag.RESUME_OWED) == 0;
}

/**
 * A first line with neither a known method nor a version of HTTP is nobody's request: it may be a wrong preface of HTTP/2, for which
 * RFC 9113 §3.4 wants the connection to end. An answer in HTTP/1.1 would be read as frames.
 */
function isForeign(connection: H1Connection, status: i32): bool {
  return status == Status.H1_VERSION && connection.exchangeOrdinal == 0 && lineMethod == Method.OTHER;
}

/** The deadline of a head runs from its first byte; that of the first head since the connection was opened. */
function headBegins(connection: H1Connection): void {
  if (connection.headBegun) return;
  connection.headBegun = 1;
  if (connection.role == Role.SERVER && connection.exchangeOrdinal != 0) {
    setReadDeadline(connection, limitOf(Limit.HEAD_TIMEOUT_MS), Status.HEAD_TIMEOUT);
  }
}

function receiveContent(connection: H1Connection, ptr: usize, end: usize): usize {
  let len = <u32>(end - ptr);
  let isLast = false;
  if (connection.receiveState == ReceiveState.TUNNEL) {
    const exchange = changetype<Exchange>(connection.receiving);
    if (exchange.tunnel != 0) return ptr + receiveTunnel(exchange, ptr, len);
  }
  if (connection.receiveState == ReceiveState.LENGTH) {
    len = <u32>min<u64>(len, connection.remaining);
    connection.remaining -= len;
    isLast = connection.remaining == 0;
  }
  if (!deliver(connection, ptr, len, isLast ? EventFlag.END : EventFlag.NONE)) return end;
  if (isLast) messageReceived(connection);
  return ptr + len;
}

/** Bytes of a tunnel that the engine itself reads. Answers how much was taken; the exchange may be gone then. */
function receiveTunnel(exchange: Exchange, ptr: usize, len: u32): u32 {
  exchange.unconsumedBytes += len;
  const taken = tunnelReceive(exchange, ptr, len);
  // It stopped for want of event room, so it goes on.
  if (taken < len && exchange.unconsumedBytes != 0) exchange.unconsumedBytes -= len - taken;
  return taken;
}

function receiveChunked(connection: H1Connection, ptr: usize, end: usize): usize {
  let at = ptr;
  /** Gathered data that has not been told yet. */
  let run: usize = 0;
  let runLen: u32 = 0;
  let flags = EventFlag.NONE;
  while (true) {
    const step = chunkedStep(connection, at, end);
    if (step == ChunkStep.DATA) {
      at = chunkedAt;
      const len = <u32>min<u64>(connection.remaining, end - at);
      if (runLen != 0 && len > GATHER_MAX) {
        if (!deliver(connection, run, runLen, flags)) return end;
        runLen = 0;
        flags = EventFlag.NONE;
      }
      if (runLen == 0) {
        run = at;
      } else {
        memory.copy(run + runLen, at, len);
        flags = EventFlag.GATHERED;
      }
      runLen += len;
      at += len;
      connection.remaining -= len;
      continue;
    }
    if (runLen != 0 && !deliver(connection, run, runLen, flags)) return end;
    if (step < 0) {
      fail(connection, step);
      return end;
    }
    at = chunkedAt;
    if (step == ChunkStep.LAST) {
      connection.receiveState = ReceiveState.TRAILERS;
      sectionForget(connection);
    }
    return at;
  }
}

function receiveTrailers(connection: H1Connection, ptr: usize, end: usize): usize {
  const length = readTrailers(connection, ptr, end);
  if (length == 0) return ptr;
  if (length < 0) {
    fail(connection, length);
    return end;
  }
  const exchange = changetype<Exchange>(connection.receiving);
  if (sectionCount != 0 && !hasFlag(exchange, ExchangeFlag.DISCARD)) {
    const recordBytes = sectionCount * (FieldLane.COUNT * sizeof<u32>());
    const block = slabAllocate(recordBytes + length);
    if (block == 0) {
      fail(connection, Status.MEMORY_FULL);
      return end;
    }
    memory.copy(block, sectionRecords, recordBytes);
    memory.copy(block + recordBytes, ptr, length);
    exchange.trailerBlock = block;
    exchange.trailerFieldsPtr = block;
    exchange.trailerBytesPtr = block + recordBytes;
    exchange.trailerCount = sectionCount;
  }
  if (!hasFlag(exchange, ExchangeFlag.DISCARD)) {
    emitExchangeEvent(EventKind.END, EventFlag.NONE, exchange, 0, 0);
  }
  messageReceived(connection);
  return ptr + length;
}

/** Tells content, or throws it away where nobody reads it. False when that ended the connection. */
function deliver(connection: H1Connection, ptr: usize, len: u32, flags: EventFlag): bool {
  const exchange = changetype<Exchange>(connection.receiving);
  // The client did not wait for a 100 (Continue), so none is needed.
  if (hasFlag(exchange, ExchangeFlag.CONTINUE_OWED)) {
    exchange.flags &= ~ExchangeFlag.CONTINUE_OWED;
    beginBodyWindow(connection);
  }
  connection.windowBytes += len;
  exchange.receivedBytes += len;
  if (
    connection.receiveState != ReceiveState.TUNNEL &&
    <f64>exchange.receivedBytes > limitOf(Limit.BODY_BYTES)
  ) {
    limitHit(Limit.BODY_BYTES);
    fail(connection, Status.BODY_TOO_LARGE);
    return false;
  }
  if (hasFlag(exchange, ExchangeFlag.DISCARD)) {
    connection.drainedBytes += len;
    if (connection.drainedBytes <= limitOf(Limit.DRAIN_BYTES)) return true;
    limitHit(Limit.DRAIN_BYTES);
    abandonContent(connection);
    return false;
  }
  exchange.unconsumedBytes += len;
  emitExchangeEvent(EventKind.BODY, flags, exchange, <u32>ptr, len);
  return true;
}
