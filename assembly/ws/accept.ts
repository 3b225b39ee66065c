/**
 * `sec-websocket-key` and `sec-websocket-accept`, RFC 6455 §1.3 and §4.2.2: the server hashes the client's nonce with a fixed
 * GUID, which only one that speaks WebSocket would do.
 */

import { sha1, SHA1_BYTES } from "../crypto/sha1.ts";
import { writeAscii } from "../http/ascii.ts";
import { base64DecodedLength, writeBase64 } from "../http/base64.ts";

/** What a key encodes. */
export const NONCE_BYTES: u32 = 16;
/** NONCE_BYTES in base64. */
export const KEY_BYTES: u32 = 24;
/** A SHA-1 digest in base64. */
export const ACCEPT_BYTES: u32 = 28;

const GUID_BYTES: u32 = 36;

const challenge: usize = memory.data(KEY_BYTES + GUID_BYTES, 4);
const digest: usize = memory.data(SHA1_BYTES, 4);

/** Whether it is "a base64-encoded value that, when decoded, is 16 bytes in length". Then `len` is KEY_BYTES. */
export function isKey(ptr: usize, len: u32): bool {
  return base64DecodedLength(ptr, len) == NONCE_BYTES;
}

/** Writes the key for NONCE_BYTES random bytes: KEY_BYTES. */
export function writeKey(dest: usize, noncePtr: usize): u32 {
  return writeBase64(dest, noncePtr, NONCE_BYTES);
}

/** Writes the answer to the key of KEY_BYTES at `keyPtr`: ACCEPT_BYTES. */
export function writeAccept(dest: usize, keyPtr: usize): u32 {
  memory.copy(challenge, keyPtr, KEY_BYTES);
  writeAscii(challenge + KEY_BYTES, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  sha1(digest, challenge, KEY_BYTES + GUID_BYTES);
  return writeBase64(dest, digest, SHA1_BYTES);
}
