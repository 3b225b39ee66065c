/**
 * The asymmetric algorithms that are spoken here, with what the protocol must know of each: groups (RFC 8446 §4.2.7) and
 * signature schemes (§4.2.3). They are only numbers and lengths: the host computes with them. Suites are of crypto/aead.ts.
 */
import { SignatureScheme } from "../x509/signature_algorithm.ts";
/** RFC 8446 §4.2.7; X25519MLKEM768 is of draft-ietf-tls-ecdhe-mlkem. */
export const enum Group {
  SECP256R1 = 0x0017,
  X25519 = 0x001d,
  X25519MLKEM768 = 0x11ec,
}

const P256_SHARE_BYTES: u32 = 65;
const X25519_SHARE_BYTES: u32 = 32;
const ML_KEM_768_KEY_BYTES: u32 = 1184;
const ML_KEM_768_CIPHERTEXT_BYTES: u32 = 1088;
/** The largest public share: a client's of X25519MLKEM768. */
export const SHARE_BYTES_MAX: u32 = ML_KEM_768_KEY_BYTES + X25519_SHARE_BYTES;
/** That of X25519MLKEM768: two of 32 bytes. */
export const SHARED_SECRET_BYTES_MAX: u32 = 64;

/** Bytes of the share that a client sends. 0 for a group that is not spoken here. */
export function clientShareBytes(group: u32): u32 {
  switch (group) {
    case Group.SECP256R1:
      return P256_SHARE_BYTES;
    case Group.X25519:
      return X25519_SHARE_BYTES;
    case Group.X25519MLKEM768:
      return SHARE_BYTES_MAX;
  }
  return 0;
}

/** Bytes of the share that a server answers with. */
export function serverShareBytes(group: u32): u32 {
  if (group == Group.X25519MLKEM768) return ML_KEM_768_CIPHERTEXT_BYTES + X25519_SHARE_BYTES;
  return clientShareBytes(group);
}

/** Whether a CertificateVerify may be signed with `scheme` (RFC 8446 §4.4.3: no PKCS #1, no SHA-1). */
export function isHandshakeScheme(scheme: u32): bool {
  switch (scheme) {
    case SignatureScheme.ECDSA_SECP256R1_SHA256:
    case SignatureScheme.ECDSA_SECP384R1_SHA384:
    case SignatureScheme.RSA_PSS_RSAE_SHA256:
    case SignatureScheme.RSA_PSS_RSAE_SHA384:
    case SignatureScheme.RSA_PSS_RSAE_SHA512:
    case SignatureScheme.ED25519:
      return true;
  }
  return false;
}
