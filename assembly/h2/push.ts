/**
 * Server push, RFC 9113 §8.4: a promise on an exchange that is open, and a REQUEST event for the promised one, so that the
 * host answers it like any other.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { MessageFlag, OpenFlag, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { hpackEncodeBlock, hpackEncodeField } from "../hpack/encoder.ts";
import { writeAscii } from "../http/ascii.ts";
import { areCharacters, CharClass } from "../http/characters.ts";
import {
  entryNameId,
  entryNameLen,
  entryNamePtr,
  entryNext,
  entryValueLen,
  entryValuePtr,
  fieldBlockCheck,
} from "../http/field_block.ts";
import {
  fieldSectionAccept,
  fieldSectionAppend,
  fieldSectionBegin,
  fieldSectionRoom,
} from "../http/field_section.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { ConnectionState } from "../session/connection.ts";
import { emitExchangeEvent, hasEventRoom } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { readRequestRules } from "../session/message_rules.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { sectionStatus } from "../session/received_head.ts";
import { SCRATCH_BYTES } from "../session/regions.ts";
import { hasForbidden } from "../session/send_rules.ts";
import { h2Abort } from "./closing.ts";
import { H2Connection, H2Flag, hasH2Flag } from "./connection.ts";
import { FrameType, STREAM_ID_MAX } from "./frame.ts";
import { blockBegin, blockBytesMax, blockEnd } from "./header_block.ts";
import { storeRequest } from "./server.ts";
import { H2Stream } from "./stream.ts";
import { faultOf, nextState, StreamFault, StreamInput, StreamState } from "./stream_state.ts";

/** "GET" and "https", with slack for loads that read on. */
const method: usize = memory.data(64, 16);
const scheme: usize = memory.data(64, 16);

/**
 * Promises `GET path` with the fields of a block on `exchange`. Answers the promised exchange's handle, 0 where the peer takes no
 * push or enough are under way, or a status.
 */
export function h2Push(exchange: Exchange, path: usize, pathLen: u32, block: usize, len: u32): i32 {
  const parent = changetype<H2Stream>(exchange);
  const connection = changetype<H2Connection>(exchange.connection);
  if (hasFlag(parent, ExchangeFlag.ABORTED) || parent.isEndQueued || connection.role != Role.SERVER) {
    return Status.INVALID_STATE;
  }
  if (pathLen == 0 || load<u8>(path) != 0x2f || !areCharacters(path, pathLen, CharClass.TARGET)) {
    return Status.TARGET_INVALID;
  }
  const fieldCount = fieldBlockCheck(block, len);
  if (fieldCount < 0) return fieldCount;
  if (hasForbidden(block, len) || hasHost(block, len)) return Status.FIELD_FORBIDDEN;
  const capacity = blockBytesMax(fieldCount) + pathLen + parent.authorityLen;
  if (capacity > SCRATCH_BYTES) return Status.FIELDS_TOO_LARGE;
  // §8.4: on a stream that the client began, and that is open or half-closed (remote).
  if (parent.isLocal || faultOf(parent.state, StreamInput.SEND_HEADERS) != StreamFault.NONE) return 0;
  if (!mayPush(connection)) return 0;

  const isSecure = (connection.openFlags & OpenFlag.SECURE) != 0;
  const methodLen = writeAscii(method, "GET");
  const schemeLen = writeAscii(scheme, isSecure ? "https" : "http");
  fieldSectionBegin(limitU32(Limit.HEADER_LIST_COUNT), limitU32(Limit.HEADER_LIST_BYTES));
  appendField(PseudoField.METHOD, 0, 0, method, methodLen);
  appendField(PseudoField.SCHEME, 0, 0, scheme, schemeLen);
  appendField(PseudoField.AUTHORITY, 0, 0, parent.authorityPtr, parent.authorityLen);
  appendField(PseudoField.PATH, 0, 0, path, pathLen);
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    const id = entryNameId(entry);
    appendField(id, entryNamePtr(entry), entryNameLen(entry), entryValuePtr(entry), entryValueLen(entry));
  }
  if (sectionStatus() != Status.OK || readRequestRules(false) != Status.OK) return Status.FIELDS_TOO_LARGE;
  const promisedId = connection.nextLocalId;
  const state = nextState(StreamState.IDLE, StreamInput.SEND_PUSH_PROMISE);
  const ptr = storeRequest(connection, promisedId, state, true);
  if (ptr == 0) return 0;
  connection.nextLocalId += 2;
  const promised = changetype<H2Stream>(ptr);
  promised.kind |= MessageFlag.PUSHED << 16;
  promised.flags |= ExchangeFlag.RECEIVED;
  promised.urgency = parent.urgency;

  const dest = outputReserve(connection, connection.output, capacity);
  blockBegin(connection, dest, capacity, true);
  hpackEncodeField(PseudoField.METHOD, 0, 0, promised.methodPtr, methodLen);
  hpackEncodeField(PseudoField.SCHEME, 0, 0, scheme, schemeLen);
  hpackEncodeField(PseudoField.AUTHORITY, 0, 0, promised.authorityPtr, promised.authorityLen);
  hpackEncodeField(PseudoField.PATH, 0, 0, promised.targetPtr, pathLen);
  hpackEncodeBlock(block, len);
  const written = blockEnd(FrameType.PUSH_PROMISE, 0, parent.streamId, promisedId);
  if (written < 0 || !outputCommit(<u32>written)) {
    h2Abort(connection, Status.MEMORY_FULL);
    return Status.MEMORY_FULL;
  }
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, promised, <u32>ptr, 0);
  return promised.handle;
}

/** Whether the peer takes pushes and there is room for one. */
function mayPush(connection: H2Connection): bool {
  if (!hasH2Flag(connection, H2Flag.PUSH_ALLOWED) || hasH2Flag(connection, H2Flag.GOAWAY_RECEIVED))
    return false;
  if (connection.state != ConnectionState.OPEN || connection.nextLocalId > STREAM_ID_MAX) return false;
  if (connection.localExchangeCount >= connection.remoteStreamCount) return false;
  if (connection.localExchangeCount >= limitU32(Limit.PUSH_COUNT)) {
    limitHit(Limit.PUSH_COUNT);
    return false;
  }
  return hasEventRoom(connection.openExchangeCount);
}

function appendField(id: u32, name: usize, nameLen: u32, value: usize, valueLen: u32): void {
  if (!fieldSectionAccept(nameLen, valueLen)) return;
  if (id == 0) memory.copy(fieldSectionRoom(), name, nameLen);
  fieldSectionAppend(id, nameLen, value, valueLen);
}

/** The authority is that of the request; a block cannot have another one. */
function hasHost(block: usize, len: u32): bool {
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entryNameId(entry) == FieldName.HOST) return true;
  }
  return false;
}
