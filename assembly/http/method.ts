/** Methods: from bytes to Method (abi/message.ts) and back. RFC 9110 §9. Method tokens are case-sensitive. */
import { Method, METHOD_NAMES } from "../abi/message.ts";

/** The Method of a token, Method.OTHER when it has no number. */
export function readMethod(ptr: usize, len: u32): u32 {
  for (let id: u32 = 1; id < <u32>Method.COUNT; id++) {
    const name = unchecked(METHOD_NAMES[id]);
    if (<u32>name.length == len && isAscii(ptr, name)) return id;
  }
  return Method.OTHER;
}

function isAscii(ptr: usize, text: string): bool {
  for (let i = 0; i < text.length; i++) if (load<u8>(ptr + i) != text.charCodeAt(i)) return false;
  return true;
}
