/**
 * Which bytes may stand where: the character classes of RFC 9110 §5.6 and RFC 3986 as one table of bits, filled at start.
 *
 *   TCHAR      token characters, RFC 9110 §5.6.2
 *   REG_NAME   host names: unreserved, sub-delims and percent, RFC 3986 §3.2.2
 *   TARGET     request-target bytes. Deviation from RFC 3986: every visible ASCII byte but "#", since browsers send
 *              "|", "^", "{" and others as they are; nothing that could end a line, a token or an element
 *   IPV6       what may stand between the brackets of an IP-literal
 */
import { findOutside } from "../core/scan.ts";

export const enum CharClass {
  TCHAR = 1,
  REG_NAME = 2,
  TARGET = 4,
  IPV6 = 8,
  DIGIT = 16,
  HEX = 32,
}

const CLASS_COUNT: u32 = 6;
const TABLE_BYTES: u32 = 16;

const classes: usize = memory.data(256);
/** The same by class, as `findOutside` reads it: a table of TABLE_BYTES for each bit of CharClass. */
const tables: usize = memory.data(CLASS_COUNT * TABLE_BYTES, 16);

export function charactersInitialize(): void {
  for (let c: u32 = 0x21; c < 0x7f; c++) if (c != 0x23) mark(c, CharClass.TARGET);
  for (let c: u32 = 0x30; c <= 0x39; c++) {
    mark(c, CharClass.TCHAR | CharClass.REG_NAME | CharClass.IPV6 | CharClass.DIGIT | CharClass.HEX);
  }
  for (let c: u32 = 0x61; c <= 0x7a; c++) {
    mark(c, CharClass.TCHAR | CharClass.REG_NAME);
    mark(c - 0x20, CharClass.TCHAR | CharClass.REG_NAME);
  }
  for (let c: u32 = 0x61; c <= 0x66; c++) {
    mark(c, CharClass.IPV6 | CharClass.HEX);
    mark(c - 0x20, CharClass.IPV6 | CharClass.HEX);
  }
  markAll("!#$%&'*+-.^_`|~", CharClass.TCHAR);
  markAll("-._~!$&'()*+,;=%", CharClass.REG_NAME);
  markAll(":.", CharClass.IPV6);
}

// @ts-ignore: decorator
@inline
export function isCharacter(byte: u32, charClass: u32): bool {
  return (load<u8>(classes + byte) & charClass) != 0;
}

/** Address of the first byte in [ptr, end) that is not of the class (one CharClass), or `end`. */
// @ts-ignore: decorator
@inline
export function findOther(ptr: usize, end: usize, charClass: u32): usize {
  return findOutside(ptr, end, tables + ctz(charClass) * TABLE_BYTES);
}

/** Whether all of [ptr, ptr + len) is of the class; true when empty. */
export function areCharacters(ptr: usize, len: u32, charClass: u32): bool {
  return findOther(ptr, ptr + len, charClass) == ptr + len;
}

function mark(byte: u32, charClass: u32): void {
  store<u8>(classes + byte, load<u8>(classes + byte) | (<u8>charClass));
  for (let index: u32 = 0; index < CLASS_COUNT; index++) {
    if (((charClass >> index) & 1) == 0) continue;
    const column = tables + index * TABLE_BYTES + (byte & 0x0f);
    store<u8>(column, load<u8>(column) | (<u8>((<u32>1) << (byte >> 4))));
  }
}

function markAll(bytes: string, charClass: u32): void {
  for (let i = 0; i < bytes.length; i++) mark(bytes.charCodeAt(i), charClass);
}
