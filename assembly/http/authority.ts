/**
 * The authority of a request: host and optional port, RFC 9110 §4.2 and §7.2, RFC 3986 §3.2.
 *
 * userinfo is refused (RFC 9110 §4.2.4), an empty host is refused (§4.2.1), a port is digits up to 65535 or empty.
 */
import { findByte } from "../core/scan.ts";
import { areCharacters, CharClass, findOther } from "./characters.ts";

const PERCENT: u8 = 0x25;

/** Whether the bytes are `uri-host [ ":" [ port ] ]` with a host that is not empty. */
export function isAuthority(ptr: usize, len: u32): bool {
  return portOffset(ptr, len) >= 0;
}

/** The same with a port that must be there: the authority-form of CONNECT, RFC 9112 §3.2.3. */
export function isAuthorityWithPort(ptr: usize, len: u32): bool {
  const offset = portOffset(ptr, len);
  return offset > 0 && <u32>offset < len;
}

/** Offset of the port's first digit (or `len` where there is none), negative when the authority is invalid. */
function portOffset(ptr: usize, len: u32): i32 {
  if (len == 0) return -1;
  let hostEnd: u32 = 0;
  if (load<u8>(ptr) == 0x5b) {
    hostEnd = <u32>(findOther(ptr + 1, ptr + len, CharClass.IPV6) - ptr);
    // "[" , at least "::" , "]"
    if (hostEnd < 3 || hostEnd == len || load<u8>(ptr + hostEnd) != 0x5d) return -1;
    hostEnd++;
  } else {
    hostEnd = <u32>(findOther(ptr, ptr + len, CharClass.REG_NAME) - ptr);
    if (hostEnd == 0 || !hasValidEscapes(ptr, ptr + hostEnd)) return -1;
  }
  if (hostEnd == len) return <i32>len;
  if (load<u8>(ptr + hostEnd) != 0x3a) return -1;
  const portLen = len - hostEnd - 1;
  if (portLen > 5 || !areCharacters(ptr + hostEnd + 1, portLen, CharClass.DIGIT)) return -1;
  let port: u32 = 0;
  for (let i: u32 = 0; i < portLen; i++) port = port * 10 + load<u8>(ptr + hostEnd + 1 + i) - 0x30;
  return port > 65535 ? -1 : <i32>(hostEnd + 1);
}

/** Every "%" is followed by two hexadecimal digits. */
function hasValidEscapes(ptr: usize, end: usize): bool {
  for (let at = findByte(ptr, end, PERCENT); at < end; at = findByte(at + 3, end, PERCENT)) {
    if (end - at < 3 || !areCharacters(at + 1, 2, CharClass.HEX)) return false;
  }
  return true;
}
