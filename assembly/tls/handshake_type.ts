/** Handshake messages, RFC 8446 §4: their types and the four bytes in front of each. */

export const enum HandshakeType {
  CLIENT_HELLO = 1,
  SERVER_HELLO = 2,
  NEW_SESSION_TICKET = 4,
  END_OF_EARLY_DATA = 5,
  ENCRYPTED_EXTENSIONS = 8,
  CERTIFICATE = 11,
  CERTIFICATE_REQUEST = 13,
  CERTIFICATE_VERIFY = 15,
  FINISHED = 20,
  KEY_UPDATE = 24,
  COMPRESSED_CERTIFICATE = 25,
  MESSAGE_HASH = 254,
}

/** msg_type and the length of three bytes. */
export const MESSAGE_HEADER_BYTES: u32 = 4;

/** The length that a header announces: that of what follows it. */
// @ts-ignore: decorator
@inline
export function messageLength(header: usize): u32 {
  return bswap<u32>(load<u32>(header)) & 0xffffff;
}

export function writeMessageHeader(dest: usize, type: HandshakeType, len: u32): void {
  store<u32>(dest, bswap<u32>(((<u32>type) << 24) | len));
}
