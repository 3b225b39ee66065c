/**
 * Doors to the crypto room for test/wire/crypto_vectors.test.ts and for the bench: the engine's own module has none. Bytes go in and
 * out by one buffer, which the caller lays out.
 */
import { Suite, aeadForget, aeadOpen, aeadSeal, headerMask } from "../../../assembly/crypto/aead.ts";
import { hashLength, hashOf } from "../../../assembly/crypto/hash.ts";
import { hkdfExpand, hkdfExpandLabel, hkdfExtract } from "../../../assembly/crypto/hkdf.ts";
import { hmac } from "../../../assembly/crypto/hmac.ts";

const BUFFER_BYTES: u32 = 1 << 17;
const buffer: usize = memory.data(BUFFER_BYTES, 16);

export {
  aeadForget,
  aeadOpen,
  aeadSeal,
  headerMask,
  hashLength,
  hashOf,
  hmac,
  hkdfExtract,
  hkdfExpand,
  hkdfExpandLabel,
};

export function bufferPtr(): usize {
  return buffer;
}

/** Seals one text `count` times, with a mask each time, as packets are sent. For the bench. */
export function sealPackets(
  suite: Suite,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
  count: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    store<u32>(nonce, load<u32>(nonce, 8) + 1, 8);
    aeadSeal(suite, key, nonce, aad, aadLen, ptr, len, dest);
    headerMask(suite, key, dest, dest + len + 16);
  }
}
