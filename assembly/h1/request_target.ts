/**
 * The four forms of a request target, RFC 9112 §3.2, and the host that goes with them.
 *
 *     origin-form     /where?q=now                    any method but CONNECT
 *     absolute-form   http://www.example.org/pub      any method but CONNECT
 *     authority-form  www.example.com:80              CONNECT
 *     asterisk-form   *                               OPTIONS
 */
import { Method, OpenFlag, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { isAuthority, isAuthorityWithPort } from "../http/authority.ts";
import { equalsIgnoreCase } from "../http/ascii.ts";
import { rulesHostCount, rulesHostLen, rulesHostPtr } from "./message_rules.ts";

export let targetAuthorityPtr: usize = 0;
export let targetAuthorityLen: u32 = 0;
export let targetIsAbsolute: bool = false;

const SLASH: u32 = 0x2f;
const ASTERISK: u32 = 0x2a;
const QUESTION: u32 = 0x3f;

/** Checks target and host of a request against each other; the authority is in the exported variables afterwards. */
export function readRequestTarget(method: u32, version: u32, ptr: usize, len: u32, openFlags: u32): i32 {
  targetIsAbsolute = false;
  targetAuthorityPtr = rulesHostPtr;
  targetAuthorityLen = rulesHostLen;
  const hostStatus = checkHost(version);
  if (hostStatus != Status.OK) return hostStatus;

  const first: u32 = load<u8>(ptr);
  if (method == Method.CONNECT) {
    if (!isAuthorityWithPort(ptr, len)) return Status.H1_TARGET;
    targetAuthorityPtr = ptr;
    targetAuthorityLen = len;
    return Status.OK;
  }
  if (first == SLASH) return Status.OK;
  if (first == ASTERISK && len == 1) return method == Method.OPTIONS ? Status.OK : Status.H1_TARGET;
  return readAbsoluteForm(ptr, len, openFlags);
}

/** RFC 9112 §3.2: a 1.1 request has exactly one host; RFC 9110 §4.2.1: it is not empty. */
function checkHost(version: u32): i32 {
  if (rulesHostCount == 0) return version == Version.HTTP_1_0 ? Status.OK : Status.HOST_MISSING;
  if (rulesHostCount > 1) return Status.HOST_DUPLICATE;
  return isAuthority(rulesHostPtr, rulesHostLen) ? Status.OK : Status.HOST_INVALID;
}

/**
 * Deviation: RFC 9112 §3.2.2 has a server ignore the host field where the target is absolute. A request in which they
 * differ is refused instead, since a cache or filter in front may have believed the other one.
 */
function readAbsoluteForm(ptr: usize, len: u32, openFlags: u32): i32 {
  let schemeLen: u32 = 0;
  if (len > 7 && equalsIgnoreCase(ptr, 7, "http://")) schemeLen = 7;
  else if (len > 8 && equalsIgnoreCase(ptr, 8, "https://")) schemeLen = 8;
  else return Status.H1_TARGET;
  const authority = ptr + schemeLen;
  let authorityLen: u32 = 0;
  while (authorityLen < len - schemeLen) {
    const byte: u32 = load<u8>(authority + authorityLen);
    if (byte == SLASH || byte == QUESTION) break;
    authorityLen++;
  }
  if (!isAuthority(authority, authorityLen)) return Status.H1_TARGET;
  if (rulesHostCount != 0 && !sameAuthority(authority, authorityLen)) return Status.HOST_MISMATCH;
  // RFC 9110 §7.4: a request for a scheme that this connection does not serve is misdirected.
  if ((schemeLen == 8) != ((openFlags & OpenFlag.SECURE) != 0)) return Status.MISDIRECTED;
  targetAuthorityPtr = authority;
  targetAuthorityLen = authorityLen;
  targetIsAbsolute = true;
  return Status.OK;
}

/** Hosts compare without case, RFC 3986 §3.2.2. */
function sameAuthority(ptr: usize, len: u32): bool {
  if (len != rulesHostLen) return false;
  for (let i: u32 = 0; i < len; i++) {
    let a: u32 = load<u8>(ptr + i);
    let b: u32 = load<u8>(rulesHostPtr + i);
    if (a - 0x41 < 26) a |= 0x20;
    if (b - 0x41 < 26) b |= 0x20;
    if (a != b) return false;
  }
  return true;
}
