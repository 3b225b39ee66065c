// The key exchanges of TLS 1.3 (RFC 8446 §4.2.8) with the runtime's own cryptography: X25519, P-256, and X25519MLKEM768 where the
// runtime has ML-KEM (draft-ietf-tls-ecdhe-mlkem).
//
// Shares and secrets are raw bytes, as they go on the wire. A private key lives in a LocalShare until its connection has
// derived its secret; it is never among the bytes that the engine sees. A peer's share that is no point of its curve, or
// leads to a secret of zeros, throws (RFC 8446 §7.4.2, RFC 7748 §6.1).

import * as crypto from "node:crypto";
import type { KeyObject } from "node:crypto";

export const enum Group {
  SECP256R1 = 0x0017,
  X25519 = 0x001d,
  X25519MLKEM768 = 0x11ec,
}

/** A share that was sent, and the private key behind it. */
export interface LocalShare {
  readonly group: number;
  readonly publicShare: Uint8Array;
  /** The secret with the share that the peer answered. */
  derive(peerShare: Uint8Array): Uint8Array;
}

/** The public share that answers a peer's, and the secret of both. */
export interface Response {
  readonly publicShare: Uint8Array;
  readonly secret: Uint8Array;
}

const x25519Bytes = 32;
const p256Bytes = 65;
const uncompressedPoint = 4;
const mlKemKeyBytes = 1184;
const mlKemCiphertextBytes = 1088;

// The fixed head of a SubjectPublicKeyInfo before the raw key of ML-KEM.
const mlKemSpki = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

/** What Node has since 24.7; not among the declarations of the oldest one that is supported. */
interface MlKem {
  generateKeyPairSync(type: "ml-kem-768"): { publicKey: KeyObject; privateKey: KeyObject };
  encapsulate(key: KeyObject): { sharedKey: Uint8Array; ciphertext: Uint8Array };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Uint8Array;
}

const mlKem = findMlKem();

/** Whether X25519MLKEM768 can be spoken here. */
export const hasMlKem = mlKem !== undefined;

/** A runtime may have the functions without the algorithm, so one key is made to see. */
function findMlKem(): MlKem | undefined {
  if (!("encapsulate" in crypto)) return undefined;
  const found = crypto as unknown as MlKem;
  try {
    found.generateKeyPairSync("ml-kem-768");
    return found;
  } catch {
    return undefined;
  }
}

/** A fresh key and its share. */
export function generateShare(group: number): LocalShare {
  switch (group) {
    case Group.X25519:
      return new X25519Share();
    case Group.SECP256R1:
      return new P256Share();
    case Group.X25519MLKEM768:
      return new HybridShare(requireMlKem());
    default:
      throw new RangeError(`unknown group ${group}`);
  }
}

/** What a server does: answers a client's share. */
export function respondToShare(group: number, peerShare: Uint8Array): Response {
  if (group === Group.X25519MLKEM768) return respondHybrid(requireMlKem(), peerShare);
  const share = generateShare(group);
  return { publicShare: share.publicShare, secret: share.derive(peerShare) };
}

class X25519Share implements LocalShare {
  readonly group = Group.X25519;
  readonly publicShare: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = crypto.generateKeyPairSync("x25519");
    this.#privateKey = privateKey;
    this.publicShare = Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url");
  }

  derive(peerShare: Uint8Array): Uint8Array {
    return x25519(this.#privateKey, peerShare);
  }
}

/** X25519 with a raw public key. Exported for the tests with published vectors. */
export function x25519(privateKey: KeyObject, peerShare: Uint8Array): Uint8Array {
  requireLength(peerShare, x25519Bytes);
  // As a JWK, here and above: reading DER takes Node longer than generating a key and the exchange together.
  const x = Buffer.from(peerShare).toString("base64url");
  const publicKey = crypto.createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  const secret = crypto.diffieHellman({ privateKey, publicKey });
  // OpenSSL refuses this itself; not every runtime is OpenSSL.
  if (secret.every((byte) => byte === 0)) throw new RangeError("the shared secret is zero");
  return secret;
}

class P256Share implements LocalShare {
  readonly group = Group.SECP256R1;
  readonly publicShare: Uint8Array;
  readonly #ecdh = crypto.createECDH("prime256v1");

  constructor() {
    this.publicShare = this.#ecdh.generateKeys();
  }

  derive(peerShare: Uint8Array): Uint8Array {
    return p256(this.#ecdh, peerShare);
  }
}

/** ECDH with an uncompressed point. Exported for the tests with published vectors. */
export function p256(ecdh: crypto.ECDH, peerShare: Uint8Array): Uint8Array {
  requireLength(peerShare, p256Bytes);
  // RFC 8446 §4.2.8.2: the form of the point is always uncompressed.
  if (peerShare[0] !== uncompressedPoint) throw new RangeError("the point is not uncompressed");
  return ecdh.computeSecret(peerShare);
}

class HybridShare implements LocalShare {
  readonly group = Group.X25519MLKEM768;
  readonly publicShare: Uint8Array;
  readonly #x25519 = new X25519Share();
  readonly #privateKey: KeyObject;
  readonly #mlKem: MlKem;

  constructor(found: MlKem) {
    this.#mlKem = found;
    const { publicKey, privateKey } = found.generateKeyPairSync("ml-kem-768");
    this.#privateKey = privateKey;
    const encapsulationKey = publicKey.export({ format: "der", type: "spki" }).subarray(mlKemSpki.length);
    this.publicShare = Buffer.concat([encapsulationKey, this.#x25519.publicShare]);
  }

  derive(peerShare: Uint8Array): Uint8Array {
    requireLength(peerShare, mlKemCiphertextBytes + x25519Bytes);
    const ciphertext = peerShare.subarray(0, mlKemCiphertextBytes);
    const secret = this.#mlKem.decapsulate(this.#privateKey, ciphertext);
    return Buffer.concat([secret, this.#x25519.derive(peerShare.subarray(mlKemCiphertextBytes))]);
  }
}

function respondHybrid(found: MlKem, peerShare: Uint8Array): Response {
  requireLength(peerShare, mlKemKeyBytes + x25519Bytes);
  const key = crypto.createPublicKey({
    key: Buffer.concat([mlKemSpki, peerShare.subarray(0, mlKemKeyBytes)]),
    format: "der",
    type: "spki",
  });
  const { sharedKey, ciphertext } = found.encapsulate(key);
  const classic = respondToShare(Group.X25519, peerShare.subarray(mlKemKeyBytes));
  return {
    publicShare: Buffer.concat([ciphertext, classic.publicShare]),
    secret: Buffer.concat([sharedKey, classic.secret]),
  };
}

function requireMlKem(): MlKem {
  if (mlKem === undefined) throw new RangeError("this runtime has no ML-KEM");
  return mlKem;
}

function requireLength(share: Uint8Array, length: number): void {
  if (share.length !== length) throw new RangeError(`a share of ${share.length} bytes, not ${length}`);
}
