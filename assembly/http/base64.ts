/**
 * Base64 with the standard alphabet and padding (RFC 4648 §4), in the two directions that handshakes need: writing what the
 * engine made itself, and judging what a peer sent.
 *
 * Reading is strict: no white space, no line breaks, no other alphabet, padding in full and only at the end. The one freedom
 * is in the unused bits of the last character, which may be set (§3.5 leaves that to the decoder): peers send such
 * values, and nothing is ever compared in its encoded form.
 */

/** Characters that `len` bytes become. */
export function base64Length(len: u32): u32 {
  return ((len + 2) / 3) << 2;
}

/** Writes the encoding of [src, src + len) to `dest`, which must not overlap it. Answers base64Length(len). */
export function writeBase64(dest: usize, src: usize, len: u32): u32 {
  const start = dest;
  let rest = len;
  while (rest >= 3) {
    writeQuad(dest, ((<u32>load<u8>(src)) << 16) | ((<u32>load<u8>(src, 1)) << 8) | load<u8>(src, 2));
    src += 3;
    dest += 4;
    rest -= 3;
  }
  if (rest != 0) {
    const second: u32 = rest == 2 ? load<u8>(src, 1) : 0;
    writeQuad(dest, ((<u32>load<u8>(src)) << 16) | (second << 8));
    if (rest == 1) store<u8>(dest, 0x3d, 2);
    store<u8>(dest, 0x3d, 3);
    dest += 4;
  }
  return <u32>(dest - start);
}

/** How many bytes [ptr, ptr + len) decodes to, or -1 when it is not base64. */
export function base64DecodedLength(ptr: usize, len: u32): i32 {
  if ((len & 3) != 0) return -1;
  if (len == 0) return 0;
  let paddingCount: u32 = 0;
  if (load<u8>(ptr + len - 1) == 0x3d) paddingCount = load<u8>(ptr + len - 2) == 0x3d ? 2 : 1;
  const end = ptr + len - paddingCount;
  for (let at = ptr; at < end; at++) {
    if (!isBase64Character(load<u8>(at))) return -1;
  }
  return (len >> 2) * 3 - paddingCount;
}

function isBase64Character(byte: u32): bool {
  const letter = (byte | 0x20) - 0x61;
  return letter < 26 || byte - 0x30 < 10 || byte == 0x2b || byte == 0x2f;
}

/** Four characters for the low 24 bits, most significant first. */
function writeQuad(dest: usize, bits: u32): void {
  store<u8>(dest, characterOf(bits >> 18), 0);
  store<u8>(dest, characterOf((bits >> 12) & 63), 1);
  store<u8>(dest, characterOf((bits >> 6) & 63), 2);
  store<u8>(dest, characterOf(bits & 63), 3);
}

function characterOf(value: u32): u32 {
  if (value < 26) return value + 0x41;
  if (value < 52) return value - 26 + 0x61;
  if (value < 62) return value - 52 + 0x30;
  return value == 62 ? 0x2b : 0x2f;
}
