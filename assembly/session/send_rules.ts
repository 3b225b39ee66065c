/**
 * What the host may send on an exchange of HTTP/2 or HTTP/3: checks that come before anything is written, so that a command that
 * answers a negative status has changed nothing. RFC 9110 §6.4, §8.6 and §15; RFC 9113 §8.2.2 and §8.5, RFC 9114 §4.2 and §4.4.
 */
import { FieldName } from "../abi/field_name.ts";
import { Limit } from "../abi/limit.ts";
import { Method, SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { isAuthority } from "../http/authority.ts";
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
import { fieldNameLookup } from "../http/field_name_lookup.ts";
import { readMethod } from "../http/method.ts";
import { BodyFraming, Exchange, ExchangeFlag, hasFlag } from "./exchange.ts";
import { limitU32 } from "./limits.ts";

/** RFC 9110 §15: codes outside 100 … 599 are invalid. */
const STATUS_CODE_MAX: u32 = 599;

/** Fields of the block checked last. */
export let checkedFieldCount: u32 = 0;

/** What `checkRequest` found: the method, the entry of the host field, and that of `upgrade` in an extended CONNECT, or 0. */
export let requestMethodId: u32 = 0;
export let requestIsExtended: bool = false;
export let requestHost: usize = 0;
export let requestProtocol: usize = 0;

/** An interim response: any but 101, which HTTP/1.1 alone has. */
export function checkInformational(exchange: Exchange, code: u32, block: usize, len: u32): i32 {
  if (hasFlag(exchange, ExchangeFlag.HEAD_SENT) || hasFlag(exchange, ExchangeFlag.ABORTED))
    return Status.INVALID_STATE;
  if (code < 100 || code > 199 || code == 101) return Status.STATUS_CODE_INVALID;
  return checkBlock(block, len);
}

/** The head of a final response. */
export function checkHead(
  exchange: Exchange,
  code: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  if (hasFlag(exchange, ExchangeFlag.HEAD_SENT) || hasFlag(exchange, ExchangeFlag.ABORTED))
    return Status.INVALID_STATE;
  if (flags & SendFlag.TUNNEL) {
    // RFC 9113 §8.5, RFC 8441 §5: 2xx opens it, for `:protocol` too.
    if (!hasFlag(exchange, ExchangeFlag.UNDECIDED)) return Status.INVALID_STATE;
    if (code < 200 || code > 299) return Status.STATUS_CODE_INVALID;
  } else if (code < 200 || code > STATUS_CODE_MAX) {
    return Status.STATUS_CODE_INVALID;
  }
  // RFC 9110 §15.3.5, §15.3.6: neither has content.
  if ((code == 204 || code == 205) && contentLength > 0) return Status.BODY_NOT_ALLOWED;
  return checkBlock(block, len);
}

/** A field block; its count is left in `checkedFieldCount`. */
export function checkBlock(block: usize, len: u32): i32 {
  const checked = fieldBlockCheck(block, len);
  if (checked < 0) return checked;
  checkedFieldCount = checked;
  return hasForbidden(block, len) ? Status.FIELD_FORBIDDEN : Status.OK;
}

/** RFC 9113 §8.2.2: `upgrade`, and `te` with more than it may say. The others no version lets the host send. */
export function hasForbidden(block: usize, len: u32): bool {
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    let id = entryNameId(entry);
    if (id == 0) id = fieldNameLookup(entryNamePtr(entry), entryNameLen(entry));
    if (id == FieldName.UPGRADE || id == FieldName.TE) return true;
  }
  return false;
}

/** `len` bytes of content, the last ones when `isEnd`, against what the head has declared. */
export function checkLength(exchange: Exchange, len: u32, isEnd: bool): i32 {
  if (exchange.framing == BodyFraming.LENGTH) {
    if (<u64>len > exchange.sendRemaining) return Status.BODY_LONGER_THAN_DECLARED;
    const isShort = isEnd && <u64>len < exchange.sendRemaining;
    if (isShort && !hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) return Status.BODY_SHORTER_THAN_DECLARED;
  } else if (exchange.framing == BodyFraming.NONE && len != 0) {
    const isSwallowed = hasFlag(exchange, ExchangeFlag.HEAD_ONLY) || hasFlag(exchange, ExchangeFlag.TUNNEL);
    if (!isSwallowed) return Status.BODY_NOT_ALLOWED;
  }
  return Status.OK;
}

/** Whether content of the exchange is counted and then not sent. */
export function isSwallowed(exchange: Exchange): bool {
  if (hasFlag(exchange, ExchangeFlag.HEAD_ONLY)) return true;
  return exchange.framing == BodyFraming.NONE && !hasFlag(exchange, ExchangeFlag.TUNNEL);
}

/** A request of the client's role. The count of the block's fields is left in `checkedFieldCount`. */
export function checkRequest(
  method: usize,
  methodLen: u32,
  target: usize,
  targetLen: u32,
  block: usize,
  len: u32,
  contentLength: i64,
  flags: u32,
): i32 {
  if (methodLen == 0 || methodLen > limitU32(Limit.METHOD_BYTES)) return Status.METHOD_INVALID;
  if (!areCharacters(method, methodLen, CharClass.TCHAR)) return Status.METHOD_INVALID;
  if (targetLen == 0 || targetLen > limitU32(Limit.TARGET_BYTES)) return Status.TARGET_INVALID;
  if (!areCharacters(target, targetLen, CharClass.TARGET)) return Status.TARGET_INVALID;
  const checked = fieldBlockCheck(block, len);
  if (checked < 0) return checked;
  checkedFieldCount = checked;
  requestMethodId = readMethod(method, methodLen);
  // RFC 8441 §4: with `upgrade` in the block, CONNECT names a protocol, and keeps scheme and path.
  requestIsExtended = requestMethodId == Method.CONNECT && (flags & SendFlag.TUNNEL) != 0;
  requestProtocol = requestIsExtended ? findEntry(block, len, FieldName.UPGRADE) : 0;
  if (requestIsExtended) {
    if (requestProtocol == 0) return Status.INVALID_ARGUMENT;
  } else if (hasForbidden(block, len)) {
    return Status.FIELD_FORBIDDEN;
  }
  requestHost = findEntry(block, len, FieldName.HOST);
  if (requestHost == 0 || !isAuthority(entryValuePtr(requestHost), entryValueLen(requestHost))) {
    return Status.HOST_MISSING;
  }
  const isEnd = (flags & SendFlag.END) != 0;
  if (isEnd && contentLength > 0) return Status.BODY_SHORTER_THAN_DECLARED;
  return requestMethodId == Method.CONNECT && isEnd ? Status.INVALID_ARGUMENT : Status.OK;
}

/** The first entry of this name in a block, or 0. */
function findEntry(block: usize, len: u32, nameId: u32): usize {
  for (let entry = block; entry < block + len; entry = entryNext(entry)) {
    if (entryNameId(entry) == nameId) return entry;
  }
  return 0;
}
