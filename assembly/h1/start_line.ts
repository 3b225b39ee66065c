/**
 * Start lines of HTTP/1.1: request-line (RFC 9112 §3) and status-line (§4).
 *
 * Each reader looks at the bytes that are there, from the first of its line: it answers the length of the line with its
 * CRLF, 0 when the line is not complete, or a status as soon as a byte is wrong, complete or not. So the answer depends on
 * the bytes and not on how they were split. What was read is in the exported variables until the next call; pointers are
 * into the line.
 *
 * Exactly one SP between the parts, CRLF at the end: the lenient forms of RFC 9112 §3 ¶3 and §2.2 are not accepted, because
 * two readers that are lenient in different ways are how requests are smuggled.
 */
import { Limit } from "../abi/limit.ts";
import { Method, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { CharClass, findOther } from "../http/characters.ts";
import { readMethod } from "../http/method.ts";
import { limitHit, limitU32 } from "../session/limits.ts";

export let lineMethod: u32 = 0;
export let lineMethodLen: u32 = 0;
export let lineTargetPtr: usize = 0;
export let lineTargetLen: u32 = 0;
export let lineVersion: u32 = 0;
export let lineStatusCode: u32 = 0;

const SP: u32 = 0x20;
const CR: u32 = 0x0d;
const LF: u32 = 0x0a;
/** "GET " and "POST" as little-endian words. */
const GET_SP: u32 = 0x20544547;
const POST: u32 = 0x54534f50;
/** "HTTP/1.1" */
const HTTP_1_1: u64 = 0x312e312f50545448;
const VERSION_LEN: u32 = 8;

/** Reads `method SP request-target SP HTTP-version CRLF` from [ptr, end). */
export function readRequestLine(ptr: usize, end: usize): i32 {
  let at = ptr;
  if (end - at >= 5 && load<u32>(at) == GET_SP) {
    lineMethod = Method.GET;
    lineMethodLen = 3;
    at += 4;
  } else if (end - at >= 5 && load<u32>(at) == POST && load<u8>(at, 4) == SP) {
    lineMethod = Method.POST;
    lineMethodLen = 4;
    at += 5;
  } else {
    at = findOther(at, end, CharClass.TCHAR);
    const len = <u32>(at - ptr);
    if (len > limitU32(Limit.METHOD_BYTES)) {
      limitHit(Limit.METHOD_BYTES);
      return Status.H1_METHOD_TOO_LONG;
    }
    if (at == end) return 0;
    if (len == 0 || load<u8>(at) != SP) return Status.H1_METHOD;
    lineMethod = readMethod(ptr, len);
    lineMethodLen = len;
    at++;
  }

  const target = at;
  at = findOther(at, end, CharClass.TARGET);
  const targetLen = <u32>(at - target);
  if (targetLen > limitU32(Limit.TARGET_BYTES)) {
    limitHit(Limit.TARGET_BYTES);
    return Status.H1_TARGET_TOO_LONG;
  }
  if (at == end) return 0;
  const stop: u32 = load<u8>(at);
  // A line without version is HTTP/0.9, which is not spoken here.
  if (stop == CR || stop == LF) return targetLen == 0 ? Status.H1_TARGET : Status.H1_VERSION;
  if (stop != SP || targetLen == 0) return Status.H1_TARGET;
  lineTargetPtr = target;
  lineTargetLen = targetLen;
  at++;

  const versionEnd = readVersion(at, end);
  if (versionEnd <= 0) return versionEnd;
  const lineEnd = readLineEnd(at + versionEnd, end);
  return lineEnd <= 0 ? lineEnd : <i32>(at + versionEnd + lineEnd - ptr);
}

/** Reads `HTTP-version SP status-code SP [ reason-phrase ] CRLF` from [ptr, end). */
export function readStatusLine(ptr: usize, end: usize): i32 {
  let at = ptr;
  const versionLen = readVersion(at, end);
  if (versionLen <= 0) return versionLen;
  at += versionLen;
  // SP, three digits, SP
  for (let i = 0; i < 5; i++) {
    if (at == end) return 0;
    const byte: u32 = load<u8>(at);
    const isBlank = i == 0 || i == 4;
    if (isBlank ? byte != SP : byte - 0x30 > 9) return Status.H1_STATUS_LINE;
    at++;
  }
  lineStatusCode =
    (<u32>load<u8>(at - 4) - 0x30) * 100 + (<u32>load<u8>(at - 3) - 0x30) * 10 + <u32>load<u8>(at - 2) - 0x30;
  if (lineStatusCode < 100 || lineStatusCode > 599) return Status.H1_STATUS_LINE;
  while (at < end) {
    const byte: u32 = load<u8>(at);
    // reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
    if (byte < SP && byte != 0x09) break;
    if (byte == 0x7f) return Status.H1_STATUS_LINE;
    at++;
  }
  if (at == end) return 0;
  const lineEnd = readLineEnd(at, end);
  return lineEnd <= 0 ? lineEnd : <i32>(at + lineEnd - ptr);
}

/** Length of the version and lineVersion, 0 when incomplete, or a status. RFC 9112 §2.3: the name is case-sensitive. */
function readVersion(ptr: usize, end: usize): i32 {
  const available = <u32>min<usize>(end - ptr, VERSION_LEN);
  if (available == VERSION_LEN && load<u64>(ptr) == HTTP_1_1) {
    lineVersion = Version.HTTP_1_1;
    return VERSION_LEN;
  }
  for (let i: u32 = 0; i < available; i++) {
    const byte: u32 = load<u8>(ptr + i);
    const isDigit = byte - 0x30 <= 9;
    if (i == 5 || i == 7 ? !isDigit : byte != <u32>(<u8>(HTTP_1_1 >> (i << 3)))) return Status.H1_VERSION;
  }
  if (available < VERSION_LEN) return 0;
  if (load<u8>(ptr, 5) != 0x31) return Status.H1_VERSION_UNSUPPORTED;
  // RFC 9110 §2.5: a higher minor version is read as the highest one known.
  lineVersion = load<u8>(ptr, 7) == 0x30 ? Version.HTTP_1_0 : Version.HTTP_1_1;
  return VERSION_LEN;
}

/** 2 for CRLF, 0 when incomplete. A bare CR or LF is refused (RFC 9112 §2.2). */
// @ts-ignore: decorator
@inline
function readLineEnd(ptr: usize, end: usize): i32 {
  if (ptr == end) return 0;
  if (load<u8>(ptr) != CR) return Status.H1_LINE_ENDING;
  if (ptr + 1 == end) return 0;
  return load<u8>(ptr, 1) == LF ? 2 : Status.H1_LINE_ENDING;
}
