/**
 * Receiving HTTP/2: bytes of one connection in, events out. Both roles.
 *
 * Content passes from the receive region to the host as it comes, however its frame was split. Every other frame is handled
 * once it is complete: where it lies when it is there as a whole, else from a slab block of its size, which only exists while a
 * frame is incomplete. `h2Receive` answers less than it was given only for want of room in the event ring.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate, slabCapacity, slabFree } from "../core/slab.ts";
import { PREFACE_BYTES, prefaceMatch } from "../http/preface.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { emitExchangeEvent, hasEventRoom } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitOf } from "../session/limits.ts";
import { freeRetired } from "../session/retired.ts";
import { h2Close } from "./closing.ts";
import { H2Connection, H2Flag, hasH2Flag, ReceiveState } from "./connection.ts";
import { DeadlineKind, setDeadline } from "./deadline_slots.ts";
import { receiveFrame } from "./dispatch.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_SIZE_DEFAULT,
  FrameFlag,
  frameFlags,
  frameLength,
  frameStreamId,
  FrameType,
  frameType,
  readFrameHeader,
} from "./frame.ts";
import { connectionError, settle } from "./lifecycle.ts";
import { beginData, receiveContent, receivePadding } from "./receive_data.ts";
import { prefaceReceived } from "./start.ts";

/** Takes [ptr, ptr + len) and answers how much of it was taken. */
export function h2Receive(connection: H2Connection, ptr: usize, len: u32): i32 {
  freeRetired();
  connection.lastReceivedMs = nowMs;
  const end = ptr + len;
  let at = ptr;
  while (at < end && hasEventRoom(connection.openExchangeCount)) {
    switch (connection.receiveState) {
      case ReceiveState.FRAME:
        at = readFrame(connection, at, end);
        break;
      case ReceiveState.DATA:
        at = receiveContent(connection, at, end);
        break;
      case ReceiveState.PADDING:
        at = receivePadding(connection, at, end);
        break;
      case ReceiveState.PREFACE:
        at = readPreface(connection, at, end);
        break;
      default:
        at = end;
        break;
    }
  }
  watchFrame(connection);
  return <i32>(at - ptr);
}

/** The peer ended its side: what is open may still be answered. */
export function h2ReceiveEnd(connection: H2Connection): void {
  freeRetired();
  if (connection.flags & ConnectionFlag.PEER_ENDED) return;
  connection.flags |= ConnectionFlag.PEER_ENDED;
  for (let at = connection.firstExchange; at != 0; at = changetype<Exchange>(at).next) {
    emitExchangeEvent(EventKind.PEER_ENDED, EventFlag.NONE, changetype<Exchange>(at), 0, 0);
  }
  if (connection.role == Role.CLIENT) h2Close(connection, Status.H1_UNEXPECTED_END);
  else settle(connection);
}

/** RFC 9113 §3.4: the first bytes of a client. */
function readPreface(connection: H2Connection, ptr: usize, end: usize): usize {
  const wanted = min(<u32>(end - ptr), PREFACE_BYTES - connection.inputLen);
  if (prefaceMatch(ptr, end, connection.inputLen) != wanted) {
    connectionError(connection, Status.H2_PREFACE);
    return end;
  }
  connection.inputLen += wanted;
  if (connection.inputLen == PREFACE_BYTES) {
    connection.inputLen = 0;
    prefaceReceived(connection);
  }
  return ptr + wanted;
}

function readFrame(connection: H2Connection, ptr: usize, end: usize): usize {
  const available = <u32>(end - ptr);
  if (connection.inputLen == 0 && available >= FRAME_HEADER_BYTES) {
    readFrameHeader(ptr);
    const wanted = checkFrame(connection);
    if (wanted == 0) return end;
    if (available >= wanted) return ptr + handle(connection, ptr);
  }
  return keepFrame(connection, ptr, end);
}

/**
 * Checks the frame whose header was read before any of it is kept. Answers the bytes that are wanted before it is handled, 0
 * when the connection ended.
 */
function checkFrame(connection: H2Connection): u32 {
  let status: i32 = Status.OK;
  if (!hasH2Flag(connection, H2Flag.SETTINGS_RECEIVED)) {
    // §3.4: the preface ends in SETTINGS.
    if (frameType != FrameType.SETTINGS || (frameFlags & FrameFlag.ACK) != 0) status = Status.H2_PREFACE;
    else connection.h2Flags |= H2Flag.SETTINGS_RECEIVED;
  }
  if (frameLength > FRAME_SIZE_DEFAULT) status = Status.H2_FRAME_SIZE;
  // §6.10: nothing comes between the frames of a header block.
  if (connection.blockStreamId != 0) {
    if (frameType != FrameType.CONTINUATION || frameStreamId != connection.blockStreamId) {
      status = Status.H2_HEADER_BLOCK;
    }
  }
  if (status != Status.OK) {
    connectionError(connection, status);
    return 0;
  }
  if (frameType != FrameType.DATA) return FRAME_HEADER_BYTES + frameLength;
  return FRAME_HEADER_BYTES + ((frameFlags & FrameFlag.PADDED) != 0 && frameLength != 0 ? 1 : 0);
}

/** Handles the frame at `ptr`, of which as much is there as was wanted. Answers the bytes used. */
function handle(connection: H2Connection, ptr: usize): u32 {
  if (frameType == FrameType.DATA) {
    return FRAME_HEADER_BYTES + beginData(connection, ptr + FRAME_HEADER_BYTES);
  }
  const len = frameLength;
  receiveFrame(connection, ptr + FRAME_HEADER_BYTES, len);
  return FRAME_HEADER_BYTES + len;
}

/** Keeps as much as is wanted of a frame that is not complete, and handles it when it is. */
function keepFrame(connection: H2Connection, ptr: usize, end: usize): usize {
  let at = ptr;
  if (connection.inputLen == 0) connection.inputWanted = FRAME_HEADER_BYTES;
  while (at < end) {
    if (!growInput(connection)) {
      connectionError(connection, Status.MEMORY_FULL);
      return end;
    }
    const added = min(connection.inputWanted - connection.inputLen, <u32>(end - at));
    memory.copy(connection.input + connection.inputLen, at, added);
    connection.inputLen += added;
    at += added;
    if (connection.inputLen < connection.inputWanted) return at;
    readFrameHeader(connection.input);
    if (connection.inputWanted == FRAME_HEADER_BYTES) {
      const wanted = checkFrame(connection);
      if (wanted == 0) return end;
      connection.inputWanted = wanted;
      if (wanted > FRAME_HEADER_BYTES) continue;
    }
    const input = connection.input;
    connection.input = 0;
    connection.inputLen = 0;
    handle(connection, input);
    slabFree(input);
    return at;
  }
  return at;
}

function growInput(connection: H2Connection): bool {
  const capacity: u32 = connection.input == 0 ? 0 : slabCapacity(connection.input);
  if (capacity >= connection.inputWanted) return true;
  const block = slabAllocate(connection.inputWanted);
  if (block == 0) return false;
  if (connection.input != 0) {
    memory.copy(block, connection.input, connection.inputLen);
    slabFree(connection.input);
  }
  connection.input = block;
  return true;
}

/** The deadline of a frame or header block runs from its first byte, and not again from each further one. */
function watchFrame(connection: H2Connection): void {
  if (connection.inputLen == 0 && connection.blockStreamId == 0) {
    connection.frameDeadlineMs = 0;
  } else if (connection.frameDeadlineMs == 0 && connection.receiveState == ReceiveState.FRAME) {
    setDeadline(connection, DeadlineKind.FRAME, limitOf(Limit.HEAD_TIMEOUT_MS));
  }
}
