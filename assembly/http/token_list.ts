/**
 * Comma-separated lists in field values, RFC 9110 §5.6.1: empty elements are allowed and skipped, whitespace around an
 * element is not part of it. One pass over the bytes; quoted strings are not needed by the fields read here.
 */
import { equalsIgnoreCase } from "./ascii.ts";

/** Whether `token` (in lower case) is an element of the list, in any case. */
export function listHasToken(ptr: usize, len: u32, token: string): bool {
  const end = ptr + len;
  let at = ptr;
  while (at < end) {
    let stop = at;
    while (stop < end && load<u8>(stop) != 0x2c) stop++;
    let first = at;
    let last = stop;
    while (first < last && isBlank(load<u8>(first))) first++;
    while (last > first && isBlank(load<u8>(last - 1))) last--;
    if (equalsIgnoreCase(first, <u32>(last - first), token)) return true;
    at = stop + 1;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09;
}
