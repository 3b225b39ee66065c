/** Strings as the engine sees them: bytes at an address. */

/** A copy of the string's UTF-8 that stays for the rest of the test run, so that tests may hold on to its address. */
export function bytesOf(text: string): usize {
  const len = String.UTF8.byteLength(text);
  const ptr = heap.alloc(max(len, 1));
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, ptr);
  return ptr;
}

export function textAt(ptr: usize, len: u32): string {
  return String.UTF8.decodeUnsafe(ptr, len);
}
