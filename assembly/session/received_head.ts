/**
 * From a received field section to the message head that the host reads (abi/message.ts): the same for HTTP/2 and HTTP/3.
 *
 * The section was decoded last (http/field_section.ts) and its rules were read last (message_rules.ts); what is called here says what
 * that means for an exchange. RFC 9113 §8.3, RFC 9114 §4.3, RFC 8441 §4.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { FieldLane, MessageFlag, MessageLane, Method, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate } from "../core/slab.ts";
import {
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionRecords,
  fieldSectionStatus,
  FieldSectionStatus,
  fieldSectionStore,
  fieldSectionStoredBytes,
} from "../http/field_section.ts";
import { PseudoField } from "../http/pseudo_field.ts";
import { emitExchangeEvent } from "./events.ts";
import { Exchange, ExchangeFlag } from "./exchange.ts";
import { limitHit } from "./limits.ts";
import {
  pseudoLen,
  pseudoPtr,
  rulesAuthorityLen,
  rulesAuthorityPtr,
  rulesContentLength,
  rulesExpectContinue,
  rulesFirstField,
  rulesIsExtendedConnect,
  rulesMethod,
} from "./message_rules.ts";
import { retireBlock } from "./retired.ts";

const UNKNOWN_LANE: u32 = 0xffffffff;
const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
const MESSAGE_BYTES: u32 = MessageLane.COUNT * sizeof<u32>();
/** In front of an interim head: the link of retired blocks, and what keeps its lanes aligned. */
const INTERIM_OFFSET: u32 = 16;

/** The section as a status, its limits counted. */
export function sectionStatus(): i32 {
  switch (fieldSectionStatus()) {
    case FieldSectionStatus.TOO_MANY_FIELDS:
      limitHit(Limit.HEADER_LIST_COUNT);
      return Status.H2_TOO_MANY_FIELDS;
    case FieldSectionStatus.TOO_LARGE:
      limitHit(Limit.HEADER_LIST_BYTES);
      return Status.H2_HEADER_LIST_TOO_LARGE;
  }
  return Status.OK;
}

/**
 * RFC 8441 §4: `:protocol` is what `upgrade` is in HTTP/1.1, and is shown as such, so that a handler looks for one field. Its record
 * changes places with the last pseudo-field's. To be called once, before the request is stored.
 */
export function presentProtocol(): void {
  if (!rulesIsExtendedConnect) return;
  const records = fieldSectionRecords();
  const last = records + (rulesFirstField - 1) * RECORD_BYTES;
  for (let record = records; record <= last; record += RECORD_BYTES) {
    if ((load<u32>(record) & 0xffff) != PseudoField.PROTOCOL) continue;
    const protocol = v128.load(record);
    v128.store(record, v128.load(last));
    v128.store(last, protocol);
    store<u32>(last, FieldName.UPGRADE);
    return;
  }
}

/** The first record that the host is shown of a request. */
function requestFirstField(): u32 {
  return rulesIsExtendedConnect ? rulesFirstField - 1 : rulesFirstField;
}

/** Records that a request's exchange needs room for. */
export function requestFieldCount(): u32 {
  return fieldSectionCount() - requestFirstField();
}

/** Bytes that it needs room for beside them. */
export function requestByteCount(): u32 {
  return fieldSectionStoredBytes(requestFirstField()) - requestFieldCount() * RECORD_BYTES;
}

/** Fills the head of an exchange that was created with room for it. */
export function storeRequestHead(exchange: Exchange, version: Version): void {
  const moved = fieldSectionStore(exchange.fieldsPtr, requestFirstField()) - fieldSectionBytes();
  exchange.methodPtr = pseudoPtr(PseudoField.METHOD) + moved;
  exchange.methodLen = pseudoLen(PseudoField.METHOD);
  exchange.authorityPtr = rulesAuthorityPtr + moved;
  exchange.authorityLen = rulesAuthorityLen;
  if (pseudoPtr(PseudoField.PATH) != 0) {
    exchange.targetPtr = pseudoPtr(PseudoField.PATH) + moved;
    exchange.targetLen = pseudoLen(PseudoField.PATH);
  } else {
    exchange.targetPtr = exchange.authorityPtr;
    exchange.targetLen = exchange.authorityLen;
  }
  exchange.kind = rulesMethod | (version << 8);
  if (rulesMethod == Method.HEAD) exchange.flags |= ExchangeFlag.HEAD_ONLY;
}

/** What the head says of the request's content; `isEnd` when it has none. */
export function describeRequestContent(exchange: Exchange, isEnd: bool): void {
  let messageFlags: u32 = MessageFlag.NONE;
  if (rulesMethod == Method.CONNECT) {
    messageFlags |= MessageFlag.CONNECT;
    exchange.flags |= ExchangeFlag.UNDECIDED;
    if (rulesIsExtendedConnect) messageFlags |= MessageFlag.UPGRADE;
  }
  if (isEnd) {
    exchange.flags |= ExchangeFlag.RECEIVED;
  } else {
    if (rulesMethod != Method.CONNECT) messageFlags |= MessageFlag.HAS_BODY;
    if (rulesExpectContinue) {
      messageFlags |= MessageFlag.EXPECT_CONTINUE;
      exchange.flags |= ExchangeFlag.CONTINUE_OWED;
    }
    const hasLength = rulesContentLength >= 0;
    exchange.contentLengthLow = hasLength ? <u32>rulesContentLength : UNKNOWN_LANE;
    exchange.contentLengthHigh = hasLength ? <u32>(rulesContentLength >> 32) : UNKNOWN_LANE;
  }
  exchange.kind |= messageFlags << 16;
}

/** Keeps a response's fields. False when the memory is full. */
export function storeResponseFields(exchange: Exchange): bool {
  const block = slabAllocate(fieldSectionStoredBytes(rulesFirstField));
  if (block == 0) return false;
  exchange.headBlock = block;
  exchange.fieldsPtr = block;
  exchange.bytesPtr = fieldSectionStore(block, rulesFirstField);
  exchange.fieldCount = fieldSectionCount() - rulesFirstField;
  return true;
}

/** What the head says of the response's content. Its status code is set. */
export function describeResponseContent(exchange: Exchange, version: Version, hasBody: bool): void {
  const method = exchange.kind & 0xff;
  const hasLength = rulesContentLength >= 0;
  exchange.contentLengthLow = hasLength ? <u32>rulesContentLength : hasBody ? UNKNOWN_LANE : 0;
  exchange.contentLengthHigh = hasLength ? <u32>(rulesContentLength >> 32) : hasBody ? UNKNOWN_LANE : 0;
  const pushed = (exchange.kind >> 16) & MessageFlag.PUSHED;
  exchange.kind = method | (version << 8) | (((hasBody ? MessageFlag.HAS_BODY : 0) | pushed) << 16);
}

/** Keeps a trailer section, whose rules need not be read. False when the memory is full. */
export function storeTrailers(exchange: Exchange): bool {
  if (fieldSectionCount() == 0) return true;
  const block = slabAllocate(fieldSectionStoredBytes(0));
  if (block == 0) return false;
  exchange.trailerBlock = block;
  exchange.trailerFieldsPtr = block;
  exchange.trailerBytesPtr = fieldSectionStore(block, 0);
  exchange.trailerCount = fieldSectionCount();
  return true;
}

/**
 * Tells an interim response; its head lies in a block of its own, as the final one may come before the host has read it. False
 * when the memory is full.
 */
export function tellInformational(exchange: Exchange, version: Version, code: u32): bool {
  const block = slabAllocate(INTERIM_OFFSET + MESSAGE_BYTES + fieldSectionStoredBytes(rulesFirstField));
  if (block == 0) return false;
  const interim = block + INTERIM_OFFSET;
  const records = interim + MESSAGE_BYTES;
  memory.fill(interim, 0, MESSAGE_BYTES);
  const bytes = fieldSectionStore(records, rulesFirstField);
  store<u32>(interim, exchange.handle, MessageLane.HANDLE << 2);
  store<u32>(interim, version << 8, MessageLane.KIND << 2);
  store<u32>(interim, <u32>bytes, MessageLane.BYTES_PTR << 2);
  store<u32>(interim, <u32>records, MessageLane.FIELDS_PTR << 2);
  store<u32>(interim, fieldSectionCount() - rulesFirstField, MessageLane.FIELD_COUNT << 2);
  store<u32>(interim, code, MessageLane.STATUS_CODE << 2);
  store<u32>(interim, exchange.streamId, MessageLane.STREAM_ID << 2);
  emitExchangeEvent(EventKind.INFORMATIONAL, EventFlag.NONE, exchange, <u32>interim, code);
  retireBlock(block);
  return true;
}
