/**
 * HEADERS, PUSH_PROMISE and CONTINUATION on their way in: fragments to a block, the block to a field section, the section to
 * whoever its stream is for. RFC 9113 §4.3, §6.2, §6.6, §6.10.
 *
 * A block that came in one frame is decoded where it lies. Every block is decoded, even for a stream that is refused or
 * forgotten, because the peer's table has changed with it.
 */
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate, slabCapacity, slabFree } from "../core/slab.ts";
import { hpackDecode } from "../hpack/decoder.ts";
import { HpackStatus } from "../hpack/hpack_status.ts";
import { fieldSectionBegin } from "../http/field_section.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { spendEmpty } from "./budget.ts";
import { receiveResponse } from "./client.ts";
import { decoderOf, H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { FrameFlag } from "./frame.ts";
import { headersDependOnSelf, headersFragmentLen, headersFragmentPtr, readHeaders } from "./headers.ts";
import { connectionError, isFault, streamError } from "./lifecycle.ts";
import { receivePromise } from "./promised.ts";
import { promisedStreamId, promiseFragmentLen, promiseFragmentPtr, readPushPromise } from "./push_promise.ts";
import { absentState, isRemoteId } from "./recent_streams.ts";
import { receiveRequest } from "./server.ts";
import { H2Stream } from "./stream.ts";
import { StreamInput, StreamState } from "./stream_state.ts";
import { streamFind } from "./stream_table.ts";
import { receiveTrailers } from "./trailers.ts";

const FIRST_BLOCK_BYTES: u32 = 4096;

export function receiveHeaders(
  connection: H2Connection,
  ptr: usize,
  len: u32,
  flags: u32,
  streamId: u32,
): void {
  if (streamId == 0) return connectionError(connection, Status.H2_STREAM_ID);
  const status = readHeaders(ptr, len, flags, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  if (headersFragmentLen == 0 && !spendEmpty(connection)) {
    return connectionError(connection, Status.H2_EMPTY_FRAME_FLOOD);
  }
  connection.h2Flags &= ~(H2Flag.BLOCK_END | H2Flag.BLOCK_PROMISE | H2Flag.BLOCK_SELF_DEPENDENT);
  if (flags & FrameFlag.END_STREAM) connection.h2Flags |= H2Flag.BLOCK_END;
  if (headersDependOnSelf) connection.h2Flags |= H2Flag.BLOCK_SELF_DEPENDENT;
  receiveFragment(connection, headersFragmentPtr, headersFragmentLen, flags, streamId);
}

export function receivePushPromise(
  connection: H2Connection,
  ptr: usize,
  len: u32,
  flags: u32,
  streamId: u32,
): void {
  const status = readPushPromise(ptr, len, flags, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  connection.h2Flags &= ~(H2Flag.BLOCK_END | H2Flag.BLOCK_SELF_DEPENDENT);
  connection.h2Flags |= H2Flag.BLOCK_PROMISE;
  connection.blockPromisedId = promisedStreamId;
  receiveFragment(connection, promiseFragmentPtr, promiseFragmentLen, flags, streamId);
}

export function receiveContinuation(
  connection: H2Connection,
  ptr: usize,
  len: u32,
  flags: u32,
  streamId: u32,
): void {
  if (streamId == 0) return connectionError(connection, Status.H2_STREAM_ID);
  if (connection.blockStreamId == 0) return connectionError(connection, Status.H2_HEADER_BLOCK);
  receiveFragment(connection, ptr, len, flags, streamId);
}

function receiveFragment(connection: H2Connection, ptr: usize, len: u32, flags: u32, streamId: u32): void {
  const isLast = (flags & FrameFlag.END_HEADERS) != 0;
  if (connection.blockStreamId == 0) {
    if (isLast) return receiveBlock(connection, ptr, len, streamId);
    connection.blockStreamId = streamId;
    connection.blockLen = 0;
    connection.blockFrameCount = 0;
  } else if (++connection.blockFrameCount > limitU32(Limit.CONTINUATION_COUNT)) {
    limitHit(Limit.CONTINUATION_COUNT);
    return connectionError(connection, Status.H2_HEADER_BLOCK_TOO_LARGE);
  }
  if (len > limitU32(Limit.HEADER_BLOCK_BYTES) - connection.blockLen) {
    limitHit(Limit.HEADER_BLOCK_BYTES);
    return connectionError(connection, Status.H2_HEADER_BLOCK_TOO_LARGE);
  }
  if (!growBlock(connection, connection.blockLen + len))
    return connectionError(connection, Status.MEMORY_FULL);
  memory.copy(connection.block + connection.blockLen, ptr, len);
  connection.blockLen += len;
  if (!isLast) return;
  const block = connection.block;
  connection.block = 0;
  connection.blockStreamId = 0;
  receiveBlock(connection, block, connection.blockLen, streamId);
  slabFree(block);
}

function growBlock(connection: H2Connection, needed: u32): bool {
  const capacity: u32 = connection.block == 0 ? 0 : slabCapacity(connection.block);
  if (capacity >= needed && capacity != 0) return true;
  const block = slabAllocate(max(max(needed, min<u32>(capacity * 2, 65536)), FIRST_BLOCK_BYTES));
  if (block == 0) return false;
  if (connection.block != 0) {
    memory.copy(block, connection.block, connection.blockLen);
    slabFree(connection.block);
  }
  connection.block = block;
  return true;
}

/** A whole block of a stream. */
function receiveBlock(connection: H2Connection, ptr: usize, len: u32, streamId: u32): void {
  fieldSectionBegin(limitU32(Limit.HEADER_LIST_COUNT), limitU32(Limit.HEADER_LIST_BYTES));
  const decoded = hpackDecode(decoderOf(connection), ptr, len);
  if (decoded != Status.OK) return connectionError(connection, compressionStatus(decoded));
  if (hasH2Flag(connection, H2Flag.BLOCK_PROMISE)) {
    connection.h2Flags &= ~H2Flag.BLOCK_PROMISE;
    return receivePromise(connection, streamId, connection.blockPromisedId);
  }
  const isEnd = hasH2Flag(connection, H2Flag.BLOCK_END);
  const input = isEnd ? StreamInput.RECEIVE_HEADERS_END : StreamInput.RECEIVE_HEADERS;
  const ptrOfStream = streamFind(connection, streamId);
  if (ptrOfStream == 0) return receiveAbsent(connection, streamId, input, isEnd);
  const stream = changetype<H2Stream>(ptrOfStream);
  if (isFault(connection, stream, streamId, stream.state, input)) return;
  if (hasH2Flag(connection, H2Flag.BLOCK_SELF_DEPENDENT)) {
    streamError(connection, stream, Status.H2_DEPENDENCY);
  } else if (connection.role == Role.CLIENT && stream.statusCode == 0) {
    receiveResponse(connection, stream, isEnd);
  } else {
    receiveTrailers(connection, stream, isEnd);
  }
}

/** A head for a stream that is not in the table: a new one, or a late frame. */
function receiveAbsent(connection: H2Connection, streamId: u32, input: StreamInput, isEnd: bool): void {
  const state = absentState(connection, streamId);
  if (state != StreamState.IDLE) {
    isFault(connection, null, streamId, state, input);
    return;
  }
  // §5.1.1: identifiers count up; those passed over are closed, and those of this side are not the peer's to open.
  const isNew = isRemoteId(connection, streamId) && streamId > connection.lastRemoteId;
  if (!isNew || connection.role == Role.CLIENT) return connectionError(connection, Status.H2_STREAM_ID);
  receiveRequest(connection, streamId, isEnd, hasH2Flag(connection, H2Flag.BLOCK_SELF_DEPENDENT));
}

/** Why the connection ends when a block cannot be decoded: the tables of both sides no longer agree (§4.3). */
function compressionStatus(status: i32): i32 {
  switch (status) {
    case Status.MEMORY_FULL:
      return status;
    case HpackStatus.EXPANSION:
    case HpackStatus.BLOCK_TOO_LONG:
      return Status.H2_HEADER_BLOCK_TOO_LARGE;
  }
  return Status.H2_COMPRESSION;
}
