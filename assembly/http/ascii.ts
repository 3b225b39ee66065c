/**
 * ASCII text of the engine itself (reason phrases, error texts, fixed fields): string literals lie in linear memory as
 * UTF-16, so writing them is narrowing each unit to a byte. Nothing is allocated.
 */

/** Writes `text` at `dest` and answers its length in bytes. `text` is ASCII. */
export function writeAscii(dest: usize, text: string): u32 {
  const len = text.length;
  const units = changetype<usize>(text);
  for (let i = 0; i < len; i++) store<u8>(dest + i, <u8>load<u16>(units + (i << 1)));
  return len;
}

/** Whether the bytes are `lower` (ASCII in lower case) in any case. */
export function equalsIgnoreCase(ptr: usize, len: u32, lower: string): bool {
  if (len != <u32>lower.length) return false;
  for (let i: u32 = 0; i < len; i++) {
    let byte: u32 = load<u8>(ptr + i);
    if (byte - 0x41 < 26) byte |= 0x20;
    if (byte != <u32>lower.charCodeAt(i)) return false;
  }
  return true;
}
