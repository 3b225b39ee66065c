/** The first bytes of a client that speaks HTTP/2, RFC 9113 §3.4: HTTP/1.1 has to tell them from a request. */

/** "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" */
export const PREFACE_BYTES: u32 = 24;
// prettier-ignore
export const preface: usize = memory.data<u8>([
  0x50, 0x52, 0x49, 0x20, 0x2a, 0x20, 0x48, 0x54, 0x54, 0x50, 0x2f, 0x32, 0x2e, 0x30,
  0x0d, 0x0a, 0x0d, 0x0a, 0x53, 0x4d, 0x0d, 0x0a, 0x0d, 0x0a,
]);

/** How many bytes of [ptr, end) are those of the preface from `offset` on; at most what is left of it. */
export function prefaceMatch(ptr: usize, end: usize, offset: u32): u32 {
  const len = min(<u32>(end - ptr), PREFACE_BYTES - offset);
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(ptr + i) != load<u8>(preface + offset + i)) return i;
  }
  return len;
}
