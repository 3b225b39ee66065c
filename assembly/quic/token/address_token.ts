/**
 * Tokens that prove an address, RFC 9000 §8.1.1 to §8.1.4: one in a Retry, one in NEW_TOKEN. Nothing is kept for them but keys.
 *
 *     kind (1) ‖ name of the key (8) ‖ nonce (12) ‖ ChaCha20-Poly1305(…)
 *
 *     Retry      issued at (8) ‖ original destination ID (0..20)     bound to host, port and the Retry's source ID
 *     NEW_TOKEN  issued at (8)                                       bound to the host
 *
 * What a token is bound to is associated data and not in it: from elsewhere it does not open, like a forged one. ChaCha20-Poly1305
 * rather than AES-GCM because a flood of Initials makes this the busiest key of the endpoint: random nonces that should ever
 * collide give away one token here and the key's tags there; and no place in AES' key cache is taken from connections.
 *
 * §8.1.3: a token that is not understood is as none, so that a client with one of another server, or of a key long gone, is
 * served. A Retry token of a key that is known but that does not hold here and now is an error: that client cannot be sent
 * another Retry (§8.1.2).
 *
 * Keys rotate as those of tickets do (tls/ticket.ts): the newest seals, all open. Times are of the wall clock.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { equalBytes } from "../../core/scan.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, Suite, aeadOpen, aeadSeal } from "../../crypto/aead.ts";
import { CHACHA20_KEY_BYTES } from "../../crypto/chacha20.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { HashId } from "../../crypto/hash.ts";
import { hkdfExpandAscii } from "../../crypto/hkdf.ts";
import { limitOf } from "../../session/limits.ts";
import { ADDRESS_BYTES, Address } from "../path/address.ts";
import { CONNECTION_ID_LENGTH_MAX } from "../wire/connection_id.ts";
import { TokenFilter, tokenFilterIsFirst } from "./token_filter.ts";

/** What `openAddressToken` answers beside TOKEN_INVALID. */
export const enum AddressToken {
  /** There is none, or none that says anything: the address is not validated. */
  ABSENT = 0,
  /** The client answered a Retry: `retryOriginalId` is where its first Initial went to. */
  RETRY = 1,
  /** An earlier connection from this host was given it. */
  NEW_TOKEN = 2,
}

const NAME_BYTES: u32 = 8;
const KEY_BYTES: u32 = NAME_BYTES + CHACHA20_KEY_BYTES;
/** The present key and two before it. */
const KEY_COUNT: u32 = 3;

/** The count, then KEY_COUNT keys with their names, the newest first. */
@unmanaged
export class AddressTokenKeys {
  count: u32;
}

const KEYS_AT: usize = offsetof<AddressTokenKeys>();
export const ADDRESS_TOKEN_KEYS_BYTES: u32 = <u32>KEYS_AT + KEY_COUNT * KEY_BYTES;

/** Associated data: the token's kind and name, the address, and a Retry's source ID. */
const NONCE_AT: u32 = 1 + NAME_BYTES;
const SEALED_AT: u32 = NONCE_AT + AEAD_NONCE_BYTES;
const ID_AT: u32 = sizeof<f64>();
const TEXT_BYTES_MAX: u32 = ID_AT + CONNECTION_ID_LENGTH_MAX;
const BOUND_BYTES_MAX: u32 = NONCE_AT + ADDRESS_BYTES + CONNECTION_ID_LENGTH_MAX;
/** A NEW_TOKEN token has this length; a Retry's has up to 20 bytes more. */
export const NEW_TOKEN_BYTES: u32 = SEALED_AT + ID_AT + AEAD_TAG_BYTES;
export const ADDRESS_TOKEN_BYTES_MAX: u32 = SEALED_AT + TEXT_BYTES_MAX + AEAD_TAG_BYTES;
/** Clocks of processes that share their keys may differ by so much, or be set back. */
const CLOCK_SKEW_MS: f64 = 1000;

const text: usize = memory.data(TEXT_BYTES_MAX + AEAD_TAG_BYTES, 16);
const bound: usize = memory.data(BOUND_BYTES_MAX, 16);

/** The original destination ID of the Retry token that was opened last: its bytes, and how many. */
export const retryOriginalId: usize = text + ID_AT;
export let retryOriginalIdLen: u32 = 0;

/** Begins without a key. */
export function addressTokenKeysOpen(keys: AddressTokenKeys): void {
  memory.fill(changetype<usize>(keys), 0, ADDRESS_TOKEN_KEYS_BYTES);
}

/** Seals with the key that `secret`, of ENDPOINT_SECRET_BYTES, makes from now on. The ones before it still open. */
export function addressTokenKeysRotate(keys: AddressTokenKeys, secret: usize): void {
  const newest = keyAt(keys, 0);
  memory.copy(keyAt(keys, 1), newest, (KEY_COUNT - 1) * KEY_BYTES);
  hkdfExpandAscii(HashId.SHA_256, secret, "quic token name", 0, 0, newest, NAME_BYTES);
  hkdfExpandAscii(HashId.SHA_256, secret, "quic token", 0, 0, newest + NAME_BYTES, CHACHA20_KEY_BYTES);
  keys.count = min(keys.count + 1, KEY_COUNT);
}

/**
 * Writes the token of a Retry to `dest`, which has room for ADDRESS_TOKEN_BYTES_MAX, and answers its length. The client's first
 * Initial came from `address` and went to the original ID; the Retry's source is the other one, where the next will go.
 */
export function sealRetryToken(
  keys: AddressTokenKeys,
  address: Address,
  originalPtr: usize,
  originalLen: u32,
  sourcePtr: usize,
  sourceLen: u32,
  nowMs: f64,
  dest: usize,
): u32 {
  memory.copy(text + ID_AT, originalPtr, originalLen);
  beginToken(keys, AddressToken.RETRY, dest);
  const boundLen = bindRetry(dest, address, sourcePtr, sourceLen);
  return seal(keys, boundLen, ID_AT + originalLen, nowMs, dest);
}

/** Writes a token for NEW_TOKEN, which has NEW_TOKEN_BYTES, to `dest`, and answers its length. */
export function sealNewToken(keys: AddressTokenKeys, address: Address, nowMs: f64, dest: usize): u32 {
  beginToken(keys, AddressToken.NEW_TOKEN, dest);
  return seal(keys, bindHost(dest, address), ID_AT, nowMs, dest);
}

/**
 * What the token [ptr, ptr + len) of an Initial from `address` to [destinationPtr, … + destinationLen) proves: an AddressToken, or
 * TOKEN_INVALID. A token of NEW_TOKEN is used up by this.
 */
export function openAddressToken(
  keys: AddressTokenKeys,
  filter: TokenFilter,
  address: Address,
  destinationPtr: usize,
  destinationLen: u32,
  ptr: usize,
  len: u32,
  nowMs: f64,
): i32 {
  if (len < NEW_TOKEN_BYTES || len > ADDRESS_TOKEN_BYTES_MAX) return AddressToken.ABSENT;
  if (destinationLen > CONNECTION_ID_LENGTH_MAX) return AddressToken.ABSENT;
  const key = findKey(keys, ptr + 1);
  if (key == 0) return AddressToken.ABSENT;
  const kind: u32 = load<u8>(ptr);
  if (kind == AddressToken.RETRY) {
    const boundLen = bindRetry(ptr, address, destinationPtr, destinationLen);
    if (!open(key, boundLen, ptr, len)) return QuicStatus.TOKEN_INVALID;
    retryOriginalIdLen = len - NEW_TOKEN_BYTES;
    return isCurrent(limitOf(Limit.QUIC_RETRY_TOKEN_MS), nowMs)
      ? AddressToken.RETRY
      : QuicStatus.TOKEN_INVALID;
  }
  if (kind != AddressToken.NEW_TOKEN || len != NEW_TOKEN_BYTES) return AddressToken.ABSENT;
  if (!open(key, bindHost(ptr, address), ptr, len)) return AddressToken.ABSENT;
  const lifeMs = limitOf(Limit.QUIC_NEW_TOKEN_MS);
  if (!isCurrent(lifeMs, nowMs)) return AddressToken.ABSENT;
  // The tag's end tells one token from another.
  const identity = load<u64>(ptr + len - sizeof<u64>());
  return tokenFilterIsFirst(filter, identity, load<f64>(text) + lifeMs)
    ? AddressToken.NEW_TOKEN
    : AddressToken.ABSENT;
}

function beginToken(keys: AddressTokenKeys, kind: AddressToken, dest: usize): void {
  assert(keys.count != 0, "there is no key");
  store<u8>(dest, kind);
  memory.copy(dest + 1, keyAt(keys, 0), NAME_BYTES);
  randomFill(dest + NONCE_AT, AEAD_NONCE_BYTES);
}

function seal(keys: AddressTokenKeys, boundLen: u32, textLen: u32, nowMs: f64, dest: usize): u32 {
  store<f64>(text, nowMs);
  const key = keyAt(keys, 0) + NAME_BYTES;
  const nonce = dest + NONCE_AT;
  aeadSeal(Suite.CHACHA20_POLY1305_SHA256, key, nonce, bound, boundLen, text, textLen, dest + SEALED_AT);
  return SEALED_AT + textLen + AEAD_TAG_BYTES;
}

function open(key: usize, boundLen: u32, ptr: usize, len: u32): bool {
  const secret = key + NAME_BYTES;
  const sealed = ptr + SEALED_AT;
  const nonce = ptr + NONCE_AT;
  return aeadOpen(
    Suite.CHACHA20_POLY1305_SHA256,
    secret,
    nonce,
    bound,
    boundLen,
    sealed,
    len - SEALED_AT,
    text,
  );
}

/** Whether the token that was opened is of at most `lifeMs` ago. */
function isCurrent(lifeMs: f64, nowMs: f64): bool {
  const ageMs = nowMs - load<f64>(text);
  return ageMs >= -CLOCK_SKEW_MS && ageMs <= lifeMs;
}

/** Lays out what a Retry token is bound to, and answers its length. */
function bindRetry(token: usize, address: Address, idPtr: usize, idLen: u32): u32 {
  memory.copy(bound, token, NONCE_AT);
  memory.copy(bound + NONCE_AT, changetype<usize>(address), ADDRESS_BYTES);
  memory.copy(bound + NONCE_AT + ADDRESS_BYTES, idPtr, idLen);
  return NONCE_AT + ADDRESS_BYTES + idLen;
}

/** The same for NEW_TOKEN: clients come back from other ports. */
function bindHost(token: usize, address: Address): u32 {
  const boundLen = bindRetry(token, address, 0, 0);
  changetype<Address>(bound + NONCE_AT).portBytes = 0;
  return boundLen;
}

function findKey(keys: AddressTokenKeys, name: usize): usize {
  for (let index: u32 = 0; index < keys.count; index++) {
    if (equalBytes(keyAt(keys, index), name, NAME_BYTES)) return keyAt(keys, index);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function keyAt(keys: AddressTokenKeys, index: u32): usize {
  return changetype<usize>(keys) + KEYS_AT + index * KEY_BYTES;
}
