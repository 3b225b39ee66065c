/**
 * The tag of Retry packets, RFC 9001 §5.8, RFC 9369 §3.3.3: made with keys that everybody knows over the client's first destination
 * and the packet, so that only who saw the client's Initial can answer with a Retry.
 *
 *   pseudo-packet   ODCID Length (8), Original Destination Connection ID (0..160), Retry packet without its tag
 */
import { equalConstantTime } from "../../core/constant_time.ts";
import { AEAD_TAG_BYTES, aeadSeal, Suite } from "../../crypto/aead.ts";
import { CONNECTION_ID_LENGTH_MAX } from "../wire/connection_id.ts";
import { Version } from "../wire/version.ts";

/** Longer ones are neither made nor believed: more than a datagram of the size that all paths take holds, with a token to match. */
export const RETRY_BYTES_MAX: u32 = 1500;

// prettier-ignore
const keyV1: usize = memory.data<u8>([
  0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e,
]);
// prettier-ignore
const nonceV1: usize = memory.data<u8>([0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb]);
// prettier-ignore
const keyV2: usize = memory.data<u8>([
  0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc, 0x92,
]);
// prettier-ignore
const nonceV2: usize = memory.data<u8>([0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a]);

const pseudoPacket: usize = memory.data(1 + CONNECTION_ID_LENGTH_MAX + RETRY_BYTES_MAX, 16);
const expectedTag: usize = memory.data(AEAD_TAG_BYTES, 16);

/** Lays the pseudo-packet out; answers its length, or 0 when it is too long. */
function pseudoPacketMake(original: usize, originalLen: u32, ptr: usize, len: u32): u32 {
  if (len > RETRY_BYTES_MAX || originalLen > CONNECTION_ID_LENGTH_MAX) return 0;
  store<u8>(pseudoPacket, <u8>originalLen);
  memory.copy(pseudoPacket + 1, original, originalLen);
  memory.copy(pseudoPacket + 1 + originalLen, ptr, len);
  return 1 + originalLen + len;
}

/**
 * Writes the tag of the Retry packet [ptr, ptr + len), which answers an Initial to `original`, to `dest` (usually ptr + len).
 * False when the packet is too long.
 */
export function retryTagWrite(
  version: u32,
  original: usize,
  originalLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): bool {
  const aadLen = pseudoPacketMake(original, originalLen, ptr, len);
  if (aadLen == 0) return false;
  const isV2 = version == Version.V2;
  const nonce = isV2 ? nonceV2 : nonceV1;
  aeadSeal(Suite.AES_128_GCM_SHA256, isV2 ? keyV2 : keyV1, nonce, pseudoPacket, aadLen, dest, 0, dest);
  return true;
}

/** Whether `tag` (AEAD_TAG_BYTES) is that of the Retry packet [ptr, ptr + len) in answer to an Initial to `original`. */
export function retryTagIsValid(
  version: u32,
  original: usize,
  originalLen: u32,
  ptr: usize,
  len: u32,
  tag: usize,
): bool {
  return (
    retryTagWrite(version, original, originalLen, ptr, len, expectedTag) &&
    equalConstantTime(expectedTag, tag, AEAD_TAG_BYTES)
  );
}
