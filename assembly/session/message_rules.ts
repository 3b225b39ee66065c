/**
 * What a field section of HTTP/2 or HTTP/3 means for its message, and whether it may: RFC 9113 §8.2 and §8.3, RFC 9114 §4.2 and
 * §4.3, RFC 8441 §4. The two say the same; sections without their version are RFC 9113's.
 *
 * One pass over the records; the answer is in the exported variables until the next call, as offsets into the section's
 * bytes. Whatever could be read in two ways on the way to HTTP/1.1 is refused: the two versions meet in one router, and in
 * whatever proxy stands behind it.
 */
import { FieldName } from "../abi/field_name.ts";
import { FieldLane, Method } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { isFieldText } from "../core/scan.ts";
import { equalsIgnoreCase } from "../http/ascii.ts";
import { isAuthority } from "../http/authority.ts";
import { areCharacters, CharClass, isCharacter } from "../http/characters.ts";
import { readContentLength } from "../http/content_length.ts";
import { fieldSectionBytes, fieldSectionCount, fieldSectionRecords } from "../http/field_section.ts";
import { readMethod } from "../http/method.ts";
import { isPseudoField, PseudoField } from "../http/pseudo_field.ts";
import { Limit } from "../abi/limit.ts";
import { limitHit, limitU32 } from "./limits.ts";

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
const SLASH: u32 = 0x2f;
const ASTERISK: u32 = 0x2a;
const COLON: u32 = 0x3a;

/** Pseudo-fields by PseudoField - AUTHORITY: address of the value, 0 when there is none, and its length. */
const PSEUDO_COUNT: u32 = PseudoField.END - PseudoField.AUTHORITY;
const pseudoPtrs: usize = memory.data(PSEUDO_COUNT * sizeof<usize>(), 8);
const pseudoLens: usize = memory.data(PSEUDO_COUNT * sizeof<u32>(), 8);

/** Index of the first record that is no pseudo-field. */
export let rulesFirstField: u32 = 0;
export let rulesMethod: u32 = 0;
export let rulesStatusCode: u32 = 0;
/** Declared length, or -1 when there is none. */
export let rulesContentLength: i64 = -1;
export let rulesExpectContinue: bool = false;
export let rulesIsExtendedConnect: bool = false;
export let rulesAuthorityPtr: usize = 0;
export let rulesAuthorityLen: u32 = 0;
/** The `priority` field, 0 when there is none. */
export let rulesPriorityPtr: usize = 0;
export let rulesPriorityLen: u32 = 0;

let hostPtr: usize = 0;
let hostLen: u32 = 0;

export function pseudoPtr(id: PseudoField): usize {
  return load<usize>(pseudoPtrs + (id - PseudoField.AUTHORITY) * sizeof<usize>());
}

export function pseudoLen(id: PseudoField): u32 {
  return load<u32>(pseudoLens + (id - PseudoField.AUTHORITY) * sizeof<u32>());
}

/** Checks a request's section. `allowsExtendedConnect`: `:protocol` was announced. Status.OK, or why it is malformed. */
export function readRequestRules(allowsExtendedConnect: bool): i32 {
  const status = readFields();
  if (status != Status.OK) return status;
  if (pseudoPtr(PseudoField.STATUS) != 0 || pseudoPtr(PseudoField.METHOD) == 0) return Status.H2_PSEUDO_FIELD;
  if (!areToken(pseudoPtr(PseudoField.METHOD), pseudoLen(PseudoField.METHOD))) return Status.H2_PSEUDO_FIELD;
  rulesMethod = readMethod(pseudoPtr(PseudoField.METHOD), pseudoLen(PseudoField.METHOD));
  rulesIsExtendedConnect = pseudoPtr(PseudoField.PROTOCOL) != 0;
  if (rulesIsExtendedConnect && (!allowsExtendedConnect || rulesMethod != Method.CONNECT)) {
    return Status.H2_PSEUDO_FIELD;
  }
  const authority = readAuthority();
  if (authority != Status.OK) return authority;
  if (rulesMethod == Method.CONNECT && !rulesIsExtendedConnect) {
    // §8.5: neither scheme nor path, and an authority to connect to.
    const hasOther = pseudoPtr(PseudoField.SCHEME) != 0 || pseudoPtr(PseudoField.PATH) != 0;
    return hasOther || pseudoPtr(PseudoField.AUTHORITY) == 0 ? Status.H2_PSEUDO_FIELD : Status.OK;
  }
  if (pseudoLen(PseudoField.SCHEME) == 0) return Status.H2_PSEUDO_FIELD;
  if (!areToken(pseudoPtr(PseudoField.SCHEME), pseudoLen(PseudoField.SCHEME))) return Status.H2_PSEUDO_FIELD;
  return readPath(pseudoPtr(PseudoField.PATH), pseudoLen(PseudoField.PATH));
}

/** Checks a response's section. */
export function readResponseRules(): i32 {
  const status = readFields();
  if (status != Status.OK) return status;
  const ptr = pseudoPtr(PseudoField.STATUS);
  if (rulesFirstField != 1 || ptr == 0 || pseudoLen(PseudoField.STATUS) != 3) return Status.H2_PSEUDO_FIELD;
  if (!areCharacters(ptr, 3, CharClass.DIGIT)) return Status.H2_PSEUDO_FIELD;
  rulesStatusCode =
    (<u32>load<u8>(ptr) - 0x30) * 100 + (<u32>load<u8>(ptr, 1) - 0x30) * 10 + load<u8>(ptr, 2) - 0x30;
  // §8.6, RFC 9114 §4.5: there is no 101.
  const isValid = rulesStatusCode >= 100 && rulesStatusCode <= 599 && rulesStatusCode != 101;
  return isValid ? Status.OK : Status.H2_PSEUDO_FIELD;
}

/** Checks a trailer section, §8.1: it has no pseudo-fields. */
export function readTrailerRules(): i32 {
  const status = readFields();
  if (status != Status.OK) return status;
  return rulesFirstField == 0 ? Status.OK : Status.H2_PSEUDO_FIELD;
}

/** Whether a response to `method` with this status has no content whatever its fields say, RFC 9110 §6.4.1. */
export function isBodiless(method: u32, statusCode: u32): bool {
  if (statusCode == 0) return false;
  return method == Method.HEAD || statusCode == 204 || statusCode == 304;
}

function readFields(): i32 {
  memory.fill(pseudoPtrs, 0, PSEUDO_COUNT * sizeof<usize>());
  memory.fill(pseudoLens, 0, PSEUDO_COUNT * sizeof<u32>());
  rulesFirstField = 0;
  rulesContentLength = -1;
  rulesExpectContinue = false;
  rulesPriorityPtr = 0;
  rulesPriorityLen = 0;
  hostPtr = 0;
  hostLen = 0;
  const base = fieldSectionBytes();
  const count = fieldSectionCount();
  const records = fieldSectionRecords();
  for (let i: u32 = 0; i < count; i++) {
    const record = records + i * RECORD_BYTES;
    const name = load<u32>(record);
    const id = name & 0xffff;
    const value = base + load<u32>(record, FieldLane.VALUE_OFFSET << 2);
    const valueLen = load<u32>(record, FieldLane.VALUE_LEN << 2);
    if (!isFieldValue(value, valueLen)) return Status.H2_FIELD_VALUE;
    if (isPseudoField(id)) {
      // §8.3: all before the first other field, each at most once.
      const at = pseudoPtrs + (id - PseudoField.AUTHORITY) * sizeof<usize>();
      if (rulesFirstField != i || load<usize>(at) != 0) return Status.H2_PSEUDO_FIELD;
      store<usize>(at, value);
      store<u32>(pseudoLens + (id - PseudoField.AUTHORITY) * sizeof<u32>(), valueLen);
      rulesFirstField = i + 1;
      continue;
    }
    const status =
      id == 0
        ? checkName(base + load<u32>(record, FieldLane.NAME_OFFSET << 2), name >> 16)
        : readRule(id, value, valueLen);
    if (status != Status.OK) return status;
  }
  return Status.OK;
}

function readRule(id: u32, value: usize, len: u32): i32 {
  switch (id) {
    // §8.2.2: fields of the connection in HTTP/1.1.
    case FieldName.CONNECTION:
    case FieldName.KEEP_ALIVE:
    case FieldName.PROXY_CONNECTION:
    case FieldName.TRANSFER_ENCODING:
    case FieldName.UPGRADE:
    case FieldName.HTTP2_SETTINGS:
      return Status.H2_FIELD_FORBIDDEN;
    case FieldName.TE:
      return equalsIgnoreCase(value, len, "trailers") ? Status.OK : Status.H2_FIELD_FORBIDDEN;
    case FieldName.HOST:
      if (hostPtr != 0) return Status.HOST_DUPLICATE;
      hostPtr = value;
      hostLen = len;
      break;
    case FieldName.CONTENT_LENGTH:
      if (rulesContentLength >= 0) return Status.CONTENT_LENGTH_DUPLICATE;
      rulesContentLength = readContentLength(value, len);
      if (rulesContentLength < 0) return Status.CONTENT_LENGTH_INVALID;
      break;
    case FieldName.EXPECT:
      if (equalsIgnoreCase(value, len, "100-continue")) rulesExpectContinue = true;
      break;
    case FieldName.PRIORITY:
      rulesPriorityPtr = value;
      rulesPriorityLen = len;
      break;
  }
  return Status.OK;
}

/** §8.3.1: :authority or host, and both only when they agree. */
function readAuthority(): i32 {
  rulesAuthorityPtr = pseudoPtr(PseudoField.AUTHORITY);
  rulesAuthorityLen = pseudoLen(PseudoField.AUTHORITY);
  if (rulesAuthorityPtr == 0) {
    rulesAuthorityPtr = hostPtr;
    rulesAuthorityLen = hostLen;
  } else if (hostPtr != 0 && !sameAuthority()) {
    return Status.HOST_MISMATCH;
  }
  if (rulesAuthorityPtr == 0) return Status.HOST_MISSING;
  return isAuthority(rulesAuthorityPtr, rulesAuthorityLen) ? Status.OK : Status.HOST_INVALID;
}

/** Hosts compare without case, RFC 3986 §3.2.2. */
function sameAuthority(): bool {
  if (hostLen != rulesAuthorityLen) return false;
  for (let i: u32 = 0; i < hostLen; i++) {
    let a: u32 = load<u8>(rulesAuthorityPtr + i);
    let b: u32 = load<u8>(hostPtr + i);
    if (a - 0x41 < 26) a |= 0x20;
    if (b - 0x41 < 26) b |= 0x20;
    if (a != b) return false;
  }
  return true;
}

/** §8.3.1: not empty, and begins with "/", or is "*" for OPTIONS. */
function readPath(ptr: usize, len: u32): i32 {
  if (len == 0) return Status.H2_PSEUDO_FIELD;
  if (len > limitU32(Limit.TARGET_BYTES)) {
    limitHit(Limit.TARGET_BYTES);
    return Status.H1_TARGET_TOO_LONG;
  }
  if (load<u8>(ptr) == SLASH) return areCharacters(ptr, len, CharClass.TARGET) ? Status.OK : Status.H2_TARGET;
  const isAsterisk = len == 1 && load<u8>(ptr) == ASTERISK && rulesMethod == Method.OPTIONS;
  return isAsterisk ? Status.OK : Status.H2_TARGET;
}

/** §8.2.1: a token in lower case. A name that begins with ":" and has no number is an unknown pseudo-field. */
function checkName(ptr: usize, len: u32): i32 {
  if (len == 0) return Status.H2_FIELD_NAME;
  if (load<u8>(ptr) == COLON) return Status.H2_PSEUDO_FIELD;
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(ptr + i);
    if (byte - 0x41 < 26 || !isCharacter(byte, CharClass.TCHAR)) return Status.H2_FIELD_NAME;
  }
  return Status.OK;
}

/** §8.2.1: no control bytes, and no blanks at the ends. */
// @ts-ignore: decorator
@inline
function isFieldValue(ptr: usize, len: u32): bool {
  if (len == 0) return true;
  const first: u32 = load<u8>(ptr);
  const last: u32 = load<u8>(ptr + len - 1);
  if (first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09) return false;
  return isFieldText(ptr, len);
}

function areToken(ptr: usize, len: u32): bool {
  return len != 0 && areCharacters(ptr, len, CharClass.TCHAR);
}
