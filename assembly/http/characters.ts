/**
 * Which bytes may stand where: the character classes of RFC 9110 §5.6 and RFC 3986 as one table of bits, filled at start.
 *
 *   TCHAR      token characters, RFC 9110 §5.6.2
 *   REG_NAME   host names: unreserved, sub-delims and percent, RFC 3986 §3.2.2
 *   TARGET     request-target bytes. Deviation from RFC 3986: every visible ASCII byte but "#", since browsers send
 *              "|", "^", "{" and others as they are; nothing that could end a line, a token or an element
 *   IPV6       what may stand between the brackets of an IP-literal
 */
export const enum CharClass {
  TCHAR = 1,
  REG_NAME = 2,
  TARGET = 4,
  IPV6 = 8,
  DIGIT = 16,
  HEX = 32,
}

const classes: usize = memory.data(256);

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

/** Whether all of [ptr, ptr + len) is of the class; true when empty. */
export function areCharacters(ptr: usize, len: u32, charClass: u32): bool {
  for (let i: u32 = 0; i < len; i++) if (!isCharacter(load<u8>(ptr + i), charClass)) return false;
  return true;
}

function mark(byte: u32, charClass: u32): void {
  store<u8>(classes + byte, load<u8>(classes + byte) | (<u8>charClass));
}

function markAll(bytes: string, charClass: u32): void {
  for (let i = 0; i < bytes.length; i++) mark(bytes.charCodeAt(i), charClass);
}
