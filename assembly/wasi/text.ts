/**
 * Text of handlers, and bytes of the wire: UTF-8 both ways, percent-encoding (RFC 3986 §2.1) and quoting for JSON (RFC 8259 §7).
 */

/** The most bytes that one code unit becomes. */
export const UTF8_BYTES_MAX: u32 = 3;

/** The `len` bytes at `ptr` as text; ill-formed UTF-8 becomes U+FFFD. */
export function textOf(ptr: usize, len: u32): string {
  return String.UTF8.decodeUnsafe(ptr, len);
}

/** Writes text as UTF-8 and answers its length. `dest` has room for UTF8_BYTES_MAX per code unit. */
export function writeText(text: string, dest: usize): u32 {
  return <u32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, dest, false);
}

/** Percent-decodes [ptr, ptr + len). A `%` that no two hexadecimal digits follow stands for itself. */
export function percentDecoded(ptr: usize, len: u32): string {
  const block = heap.alloc(max<u32>(len, 1));
  let written: u32 = 0;
  for (let at: u32 = 0; at < len; at++, written++) {
    let byte: i32 = load<u8>(ptr + at);
    if (byte == 0x25 && len - at > 2) {
      const high = hexDigit(load<u8>(ptr + at + 1));
      const low = hexDigit(load<u8>(ptr + at + 2));
      if (high >= 0 && low >= 0) {
        byte = (high << 4) | low;
        at += 2;
      }
    }
    store<u8>(block + written, byte);
  }
  const text = textOf(block, written);
  heap.free(block);
  return text;
}

/** The text as a string of JSON, quotes included. */
export function jsonString(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x22) quoted += '\\"';
    else if (unit == 0x5c) quoted += "\\\\";
    else if (unit < 0x20) quoted += "\\u" + unit.toString(16).padStart(4, "0");
    else quoted += text.charAt(i);
  }
  return quoted + '"';
}

function hexDigit(byte: u32): i32 {
  if (byte - 0x30 < 10) return byte - 0x30;
  const letter = byte | 0x20;
  return letter - 0x61 < 6 ? letter - 0x61 + 10 : -1;
}
