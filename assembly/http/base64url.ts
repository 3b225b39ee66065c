/** Base64 with the URL-safe alphabet and without padding (RFC 4648 §5), as HTTP2-Settings uses it (RFC 7540 §3.2.1). */

/** What `readBase64Url` answers when the characters are not base64url, or are more than there is room for. */
export const BASE64URL_INVALID: i32 = -1;

/** Decodes [ptr, ptr + len) to `dest`; answers the count of bytes, at most `capacity`. */
export function readBase64Url(ptr: usize, len: u32, dest: usize, capacity: u32): i32 {
  // One character alone is no byte.
  if ((len & 3) == 1 || (len * 6) >> 3 > capacity) return BASE64URL_INVALID;
  let bits: u32 = 0;
  let bitCount: u32 = 0;
  let out = dest;
  for (let i: u32 = 0; i < len; i++) {
    const value = valueOf(load<u8>(ptr + i));
    if (value < 0) return BASE64URL_INVALID;
    bits = (bits << 6) | (<u32>value);
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    store<u8>(out++, <u8>(bits >> bitCount));
  }
  return <i32>(out - dest);
}

function valueOf(byte: u32): i32 {
  if (byte - 0x41 < 26) return byte - 0x41;
  if (byte - 0x61 < 26) return byte - 0x61 + 26;
  if (byte - 0x30 < 10) return byte - 0x30 + 52;
  if (byte == 0x2d) return 62;
  return byte == 0x5f ? 63 : -1;
}
