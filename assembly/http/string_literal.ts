/**
 * Writing string literals, RFC 7541 §5.2 (RFC 9204 §4.1.2 for QPACK): a bit that tells Huffman code, the length as an integer with a
 * prefix, and the bytes. The bit stands right above the prefix, whatever its length.
 */
import { copyBytes } from "./copy_bytes.ts";
import { huffmanEncode } from "./huffman.ts";
import { INTEGER_BYTES_MAX, integerLength, writeInteger } from "./prefixed_integer.ts";

/** The most bytes `writeString` writes for a string of `len` bytes. */
// @ts-ignore: decorator
@inline
export function stringRoom(len: u32): u32 {
  return INTEGER_BYTES_MAX + len;
}

/**
 * Writes a string, Huffman-coded where that is shorter, with the representation's bits in `pattern`. Answers the address after
 * it. Nothing is written beyond stringRoom(len).
 */
export function writeString(dest: usize, pattern: u32, prefixMask: u32, ptr: usize, len: u32): usize {
  // The length takes one byte nearly always: encode behind it, and move away when it takes more.
  const encodedLen = huffmanEncode(ptr, len, dest + 1);
  if (encodedLen == 0) {
    const bytes = writeInteger(dest, pattern, prefixMask, len);
    copyBytes(bytes, ptr, len);
    return bytes + len;
  }
  const huffman = pattern | (prefixMask + 1);
  if (encodedLen < prefixMask) {
    store<u8>(dest, <u8>(huffman | encodedLen));
    return dest + 1 + encodedLen;
  }
  const bytes = dest + integerLength(encodedLen, prefixMask);
  memory.copy(bytes, dest + 1, encodedLen);
  writeInteger(dest, huffman, prefixMask, encodedLen);
  return bytes + encodedLen;
}
