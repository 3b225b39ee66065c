/** Bytes written as hexadecimal digits, with blanks anywhere. */
export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}
