/**
 * The cipher suites of TLS 1.3 that QUIC uses (RFC 8446 §B.4, RFC 9001 §5.3): which hash, which key length, sealing, opening,
 * and header-protection masks.
 *
 * Keys are raw bytes where the caller keeps them; `aeadForget` must be called before they are dropped, for AES keeps what it made
 * of them. How often one key may be used (RFC 9001 §6.6) is for the caller to count. Nonces are 12 bytes, tags 16.
 *
 * Time depends on the suite and on lengths alone, and, for AES, on whether a key was used lately.
 */
import { aesGcmForget, aesGcmOpen, aesGcmSeal } from "./aes_gcm.ts";
import { chacha20Poly1305Open, chacha20Poly1305Seal } from "./chacha20_poly1305.ts";
import { HashId } from "./hash.ts";
import { aesHeaderForget, aesHeaderMask, chacha20HeaderMask } from "./header_protection.ts";

/** Values of the TLS registry. */
export const enum Suite {
  AES_128_GCM_SHA256 = 0x1301,
  AES_256_GCM_SHA384 = 0x1302,
  CHACHA20_POLY1305_SHA256 = 0x1303,
}

export const AEAD_TAG_BYTES: u32 = 16;
export const AEAD_NONCE_BYTES: u32 = 12;
/** The longest key there is here; header-protection keys are as long as the AEAD's. */
export const AEAD_KEY_BYTES_MAX: u32 = 32;

/** The suite's hash, for its key schedule. */
// @ts-ignore: decorator
@inline
export function suiteHash(suite: Suite): HashId {
  return suite == Suite.AES_256_GCM_SHA384 ? HashId.SHA_384 : HashId.SHA_256;
}

/** Bytes of the AEAD's key, and of the header-protection key. */
// @ts-ignore: decorator
@inline
export function suiteKeyLength(suite: Suite): u32 {
  return suite == Suite.AES_128_GCM_SHA256 ? 16 : 32;
}

/**
 * Encrypts [ptr, ptr + len) to `dest`, which gets len + AEAD_TAG_BYTES: the ciphertext and its tag, which covers the `aadLen`
 * bytes at `aad` too. `dest` may be `ptr`; other overlaps are not allowed.
 */
export function aeadSeal(
  suite: Suite,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): void {
  if (suite == Suite.CHACHA20_POLY1305_SHA256) {
    chacha20Poly1305Seal(key, nonce, aad, aadLen, ptr, len, dest);
  } else {
    aesGcmSeal(key, suiteKeyLength(suite), nonce, aad, aadLen, ptr, len, dest);
  }
}

/**
 * Decrypts [ptr, ptr + len), the last AEAD_TAG_BYTES of which are the tag, to `dest`, which gets len - AEAD_TAG_BYTES. False when
 * it is not genuine, or too short to be: then nothing has been written. `dest` may be `ptr`.
 */
export function aeadOpen(
  suite: Suite,
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): bool {
  if (len < AEAD_TAG_BYTES) return false;
  const textLen = len - AEAD_TAG_BYTES;
  if (suite == Suite.CHACHA20_POLY1305_SHA256) {
    return chacha20Poly1305Open(key, nonce, aad, aadLen, ptr, textLen, dest);
  }
  return aesGcmOpen(key, suiteKeyLength(suite), nonce, aad, aadLen, ptr, textLen, dest);
}

/** Writes the five bytes of the header-protection mask for the 16 bytes at `sample` to `dest` (RFC 9001 §5.4). */
export function headerMask(suite: Suite, hpKey: usize, sample: usize, dest: usize): void {
  if (suite == Suite.CHACHA20_POLY1305_SHA256) chacha20HeaderMask(hpKey, sample, dest);
  else aesHeaderMask(hpKey, suiteKeyLength(suite), sample, dest);
}

/** Wipes what this room has made of `key`, be it of an AEAD or of header protection. The caller wipes the key itself. */
export function aeadForget(suite: Suite, key: usize): void {
  if (suite == Suite.CHACHA20_POLY1305_SHA256) return;
  aesGcmForget(key, suiteKeyLength(suite));
  aesHeaderForget(key, suiteKeyLength(suite));
}
