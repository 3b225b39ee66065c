/**
 * The key schedule, RFC 8446 §7.1: from a pre-shared key and a shared secret to everything that protects a connection.
 *
 *            0                         PSK → HKDF-Extract = Early Secret     → binder, client early traffic
 *            Derive-Secret(., "derived", "")
 *       (EC)DHE                            → HKDF-Extract = Handshake Secret → handshake traffic
 *            Derive-Secret(., "derived", "")
 *            0                             → HKDF-Extract = Master Secret    → application traffic, exporter, resumption
 *
 * Secrets are hashLength(hash) bytes. Which secret is due when is decided by the handshake, not here.
 */
import { HASH_LENGTH_MAX, HashId, hashLength, hashOf } from "../crypto/hash.ts";
import { hkdfExpandAscii, hkdfExpandLabel, hkdfExtract } from "../crypto/hkdf.ts";
import { hmac } from "../crypto/hmac.ts";

const zeros: usize = memory.data(HASH_LENGTH_MAX, 16);
const derived: usize = memory.data(HASH_LENGTH_MAX, 16);
const emptyHash: usize = memory.data(HASH_LENGTH_MAX, 16);
const key: usize = memory.data(HASH_LENGTH_MAX, 16);
const contextHash: usize = memory.data(HASH_LENGTH_MAX, 16);

/** Early Secret; without a PSK `pskLen` is 0. */
export function earlySecret(hash: HashId, psk: usize, pskLen: u32, dest: usize): void {
  if (pskLen == 0) hkdfExtract(hash, zeros, 0, zeros, hashLength(hash), dest);
  else hkdfExtract(hash, zeros, 0, psk, pskLen, dest);
}

/** Derive-Secret(secret, label, messages), given the messages' hash. */
export function deriveSecret(
  hash: HashId,
  secret: usize,
  label: string,
  transcriptHash: usize,
  dest: usize,
): void {
  const len = hashLength(hash);
  hkdfExpandAscii(hash, secret, label, transcriptHash, len, dest, len);
}

/** Derive-Secret(secret, label, ""). */
export function deriveFromNothing(hash: HashId, secret: usize, label: string, dest: usize): void {
  hashOf(hash, zeros, 0, emptyHash);
  deriveSecret(hash, secret, label, emptyHash, dest);
}

/** From the Early Secret to the Handshake Secret with the shared secret as `input`. `dest` may be `secret`. */
export function handshakeSecret(hash: HashId, secret: usize, input: usize, inputLen: u32, dest: usize): void {
  deriveFromNothing(hash, secret, "derived", derived);
  hkdfExtract(hash, derived, hashLength(hash), input, inputLen, dest);
  memory.fill(derived, 0, HASH_LENGTH_MAX);
}

/** From the Handshake Secret to the Master Secret. `dest` may be `secret`. */
export function masterSecret(hash: HashId, secret: usize, dest: usize): void {
  handshakeSecret(hash, secret, zeros, hashLength(hash), dest);
}

/** RFC 8446 §4.4.4: the MAC of a Finished message, and of a binder, under a base secret. */
export function finishedMac(hash: HashId, baseSecret: usize, transcriptHash: usize, dest: usize): void {
  const len = hashLength(hash);
  hkdfExpandAscii(hash, baseSecret, "finished", zeros, 0, key, len);
  hmac(hash, key, len, transcriptHash, len, dest);
  memory.fill(key, 0, HASH_LENGTH_MAX);
}

/** RFC 8446 §4.2.11.2: the MAC of a binder for a PSK of an earlier session. */
export function binderMac(hash: HashId, early: usize, transcriptHash: usize, dest: usize): void {
  deriveFromNothing(hash, early, "res binder", derived);
  finishedMac(hash, derived, transcriptHash, dest);
  memory.fill(derived, 0, HASH_LENGTH_MAX);
}

/** RFC 8446 §4.6.1: the PSK of a ticket. */
export function resumptionPsk(
  hash: HashId,
  resumption: usize,
  nonce: usize,
  nonceLen: u32,
  dest: usize,
): void {
  hkdfExpandAscii(hash, resumption, "resumption", nonce, nonceLen, dest, hashLength(hash));
}

/** RFC 8446 §7.5. False when the label or the length is longer than can be derived. */
export function exporterValue(
  hash: HashId,
  exporter: usize,
  label: usize,
  labelLen: u32,
  context: usize,
  contextLen: u32,
  dest: usize,
  len: u32,
): bool {
  const secretLen = hashLength(hash);
  hashOf(hash, zeros, 0, emptyHash);
  if (!hkdfExpandLabel(hash, exporter, label, labelLen, emptyHash, secretLen, derived, secretLen))
    return false;
  hashOf(hash, context, contextLen, contextHash);
  const isDone = hkdfExpandAscii(hash, derived, "exporter", contextHash, secretLen, dest, len);
  memory.fill(derived, 0, HASH_LENGTH_MAX);
  return isDone;
}
