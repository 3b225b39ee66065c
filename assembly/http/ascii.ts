/**
 * ASCII text of the engine itself (reason phrases, error texts, fixed fields): string literals lie in linear memory as
 * UTF-16, so writing them is narrowing each unit to a byte. Nothing is allocated.
 */
import { equalsLowerCase } from "../core/scan.ts";

/** Writes `text` at `dest` and answers its length in bytes. `text` is ASCII. */
export function writeAscii(dest: usize, text: string): u32 {
  const len = text.length;
  const units = changetype<usize>(text);
  for (let i = 0; i < len; i++) store<u8>(dest + i, <u8>load<u16>(units + (i << 1)));
  return len;
}

/** Whether the bytes are `lower` (ASCII in lower case) in any case. */
export function equalsIgnoreCase(ptr: usize, len: u32, lower: string): bool {
  return len == <u32>lower.length && equalsLowerCase(ptr, changetype<usize>(lower), len);
}
