/**
 * The keys that protect packets in one direction, RFC 9001 §5.1: made from a secret of TLS, or from the first destination of the
 * client for Initial packets (initial_secrets.ts). QUIC 2 has labels of its own, RFC 9369 §3.3.2.
 *
 * How often keys may be used is counted here, RFC 9001 §6.6: each packet sealed counts for its keys. Packets that were not
 * genuine count for the connection, over all of its keys, so the connection holds that number.
 *
 * Whoever drops keys calls `packetKeysForget`.
 */
import { aeadForget, Suite, suiteHash, suiteKeyLength } from "../../crypto/aead.ts";
import { hashLength } from "../../crypto/hash.ts";
import { hkdfExpandAscii } from "../../crypto/hkdf.ts";
import { Version } from "../wire/version.ts";

/** RFC 9001 §5.3: every suite's nonce has 96 bits. */
export const IV_BYTES: u32 = 12;

/**
 *   0       4         8        16         48        80       92
 *   ┌───────┬─────────┬────────┬──────────┬─────────┬────────┬──────────┐
 *   │ suite │ version │ sealed │ key (32) │ hp (32) │ iv(12) │ reserved │
 *   └───────┴─────────┴────────┴──────────┴─────────┴────────┴──────────┘
 */
@unmanaged
export class PacketKeys {
  /** 0 while there are no keys. */
  suite: u32;
  version: u32;
  /** Packets sealed with these keys. */
  sealed: u64;
  key0: v128;
  key16: v128;
  hp0: v128;
  hp16: v128;
  iv0: u64;
  iv8: u32;
  reserved: u32;
}

export const PACKET_KEYS_BYTES: u32 = <u32>offsetof<PacketKeys>();

// @ts-ignore: decorator
@inline
export function packetKeysAeadKey(keys: PacketKeys): usize {
  return changetype<usize>(keys) + offsetof<PacketKeys>("key0");
}

// @ts-ignore: decorator
@inline
export function packetKeysHeaderKey(keys: PacketKeys): usize {
  return changetype<usize>(keys) + offsetof<PacketKeys>("hp0");
}

// @ts-ignore: decorator
@inline
export function packetKeysIv(keys: PacketKeys): usize {
  return changetype<usize>(keys) + offsetof<PacketKeys>("iv0");
}

/** Whether there are keys. */
// @ts-ignore: decorator
@inline
export function packetKeysExist(keys: PacketKeys): bool {
  return keys.suite != 0;
}

/** No keys: what a struct has to begin with, for `new` clears nothing. */
export function packetKeysClear(keys: PacketKeys): void {
  memory.fill(changetype<usize>(keys), 0, PACKET_KEYS_BYTES);
}

/** Makes keys of a secret, which has the length of the suite's hash. The ones before are not forgotten by this. */
export function packetKeysDerive(keys: PacketKeys, suite: Suite, version: u32, secret: usize): void {
  packetKeysClear(keys);
  keys.suite = suite;
  keys.version = version;
  expand(suite, secret, version == Version.V2 ? "quicv2 hp" : "quic hp", packetKeysHeaderKey(keys));
  deriveAead(keys, secret);
}

function deriveAead(keys: PacketKeys, secret: usize): void {
  const suite = keys.suite;
  const isV2 = keys.version == Version.V2;
  expand(suite, secret, isV2 ? "quicv2 key" : "quic key", packetKeysAeadKey(keys));
  const label = isV2 ? "quicv2 iv" : "quic iv";
  hkdfExpandAscii(suiteHash(suite), secret, label, 0, 0, packetKeysIv(keys), IV_BYTES);
}

function expand(suite: Suite, secret: usize, label: string, dest: usize): void {
  hkdfExpandAscii(suiteHash(suite), secret, label, 0, 0, dest, suiteKeyLength(suite));
}

/** RFC 9001 §6.1: turns the secret of one key phase into that of the next, in place. */
export function secretUpdate(suite: Suite, version: u32, secret: usize): void {
  const hash = suiteHash(suite);
  const label = version == Version.V2 ? "quicv2 ku" : "quic ku";
  hkdfExpandAscii(hash, secret, label, 0, 0, secret, hashLength(hash));
}

/**
 * Makes the keys of the next phase in `next` from those of the present one and the secret of the next (`secretUpdate`). The
 * header-protection key stays as it is, RFC 9001 §6.
 */
export function packetKeysUpdate(next: PacketKeys, present: PacketKeys, secret: usize): void {
  memory.copy(changetype<usize>(next), changetype<usize>(present), PACKET_KEYS_BYTES);
  next.sealed = 0;
  deriveAead(next, secret);
}

/**
 * Wipes keys and what the crypto room made of them. `isHeaderKeyShared`: the keys of another phase go on with the same
 * header-protection key.
 */
export function packetKeysForget(keys: PacketKeys, isHeaderKeyShared: bool): void {
  if (keys.suite == 0) return;
  aeadForget(keys.suite, packetKeysAeadKey(keys));
  if (!isHeaderKeyShared) aeadForget(keys.suite, packetKeysHeaderKey(keys));
  packetKeysClear(keys);
}
