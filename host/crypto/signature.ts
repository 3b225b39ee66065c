// The signatures of TLS 1.3 (RFC 8446 §4.2.3) and of certificates with the runtime's own cryptography.
//
// ECDSA signatures are DER, as they go on the wire. A scheme goes with one kind of key, and a signature by another kind does
// not hold; which curve goes with a scheme in a handshake is the engine's to check, since in certificates it does not matter.

import { constants, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

export const enum SignatureScheme {
  RSA_PKCS1_SHA256 = 0x0401,
  RSA_PKCS1_SHA384 = 0x0501,
  RSA_PKCS1_SHA512 = 0x0601,
  ECDSA_SECP256R1_SHA256 = 0x0403,
  ECDSA_SECP384R1_SHA384 = 0x0503,
  RSA_PSS_RSAE_SHA256 = 0x0804,
  RSA_PSS_RSAE_SHA384 = 0x0805,
  RSA_PSS_RSAE_SHA512 = 0x0806,
  ED25519 = 0x0807,
}

interface Algorithm {
  readonly keyType: "ec" | "rsa" | "ed25519";
  /** Nothing for Ed25519, which hashes on its own. */
  readonly hash?: string;
  readonly padding?: number;
  readonly saltLength?: number;
}

const pss = { keyType: "rsa", padding: constants.RSA_PKCS1_PSS_PADDING } as const;
const pkcs1 = { keyType: "rsa", padding: constants.RSA_PKCS1_PADDING } as const;

// RFC 8446 §4.2.3: the salt of PSS is as long as the digest.
const algorithms: ReadonlyMap<number, Algorithm> = new Map<number, Algorithm>([
  [SignatureScheme.RSA_PKCS1_SHA256, { ...pkcs1, hash: "sha256" }],
  [SignatureScheme.RSA_PKCS1_SHA384, { ...pkcs1, hash: "sha384" }],
  [SignatureScheme.RSA_PKCS1_SHA512, { ...pkcs1, hash: "sha512" }],
  [SignatureScheme.ECDSA_SECP256R1_SHA256, { keyType: "ec", hash: "sha256" }],
  [SignatureScheme.ECDSA_SECP384R1_SHA384, { keyType: "ec", hash: "sha384" }],
  [SignatureScheme.RSA_PSS_RSAE_SHA256, { ...pss, hash: "sha256", saltLength: 32 }],
  [SignatureScheme.RSA_PSS_RSAE_SHA384, { ...pss, hash: "sha384", saltLength: 48 }],
  [SignatureScheme.RSA_PSS_RSAE_SHA512, { ...pss, hash: "sha512", saltLength: 64 }],
  [SignatureScheme.ED25519, { keyType: "ed25519" }],
]);

const curveSchemes: ReadonlyMap<string, SignatureScheme> = new Map([
  ["prime256v1", SignatureScheme.ECDSA_SECP256R1_SHA256],
  ["secp384r1", SignatureScheme.ECDSA_SECP384R1_SHA384],
]);

/** The schemes that a key can sign a handshake with, the best first; none for a key that TLS 1.3 has no use for. */
export function schemesOfKey(key: KeyObject): SignatureScheme[] {
  switch (key.asymmetricKeyType) {
    case "ec": {
      const scheme = curveSchemes.get(key.asymmetricKeyDetails?.namedCurve ?? "");
      return scheme === undefined ? [] : [scheme];
    }
    case "ed25519":
      return [SignatureScheme.ED25519];
    case "rsa":
      return [
        SignatureScheme.RSA_PSS_RSAE_SHA256,
        SignatureScheme.RSA_PSS_RSAE_SHA384,
        SignatureScheme.RSA_PSS_RSAE_SHA512,
      ];
    default:
      return [];
  }
}

/** Signs `content`. Throws when the key does not go with the scheme. */
export function signWith(key: KeyObject, scheme: number, content: Uint8Array): Uint8Array {
  const algorithm = algorithms.get(scheme);
  if (algorithm === undefined || algorithm.keyType !== key.asymmetricKeyType) {
    throw new RangeError(`the key does not sign with scheme ${scheme}`);
  }
  return sign(algorithm.hash, content, options(key, algorithm));
}

/** Whether `signature` is one of `content` by the key in `spki` (SubjectPublicKeyInfo, DER). Never throws. */
export function isSignedBy(
  spki: Uint8Array,
  scheme: number,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = algorithms.get(scheme);
  if (algorithm === undefined) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    if (key.asymmetricKeyType !== algorithm.keyType) return false;
    return verify(algorithm.hash, content, options(key, algorithm), signature);
  } catch {
    // A key that is no key, or a signature that is not even the shape of one.
    return false;
  }
}

function options(key: KeyObject, { keyType, padding, saltLength }: Algorithm) {
  if (keyType === "ec") return { key, dsaEncoding: "der" as const };
  if (padding === undefined) return { key };
  return saltLength === undefined ? { key, padding } : { key, padding, saltLength };
}
