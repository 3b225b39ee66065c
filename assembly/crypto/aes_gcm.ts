/**
 * AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: AES in counter mode by batches of eight blocks, and GHASH.
 *
 * The expanded key is the planes of the round keys and the tables of the hash key, some 4 KiB; the most recent ones are kept
 * (key_cache.ts). A packet is opened by its tag first and decrypted after, so a forgery releases nothing.
 */
import { equalConstantTime } from "../core/constant_time.ts";
import { AES_BLOCK_BYTES, ROUND_KEYS_BYTES_MAX, aesEncrypt, aesExpandKey, aesRoundCount } from "./aes.ts";
import { AES_BATCH_BYTES, KEY_PLANES_BYTES_MAX, aesEncryptBatch, aesSliceKeys } from "./aes_planes.ts";
import { GHASH_TABLES_BYTES, ghash, ghashExpandKey } from "./ghash.ts";
import {
  CACHED_KEY_BYTES,
  KeyCache,
  keyCacheFind,
  keyCacheForget,
  keyCacheOpen,
  keyCacheTake,
} from "./key_cache.ts";
import { xorBytes } from "./xor.ts";

/** An expanded key: the tables of GHASH, then the planes. */
const PLANES: usize = GHASH_TABLES_BYTES;
const ENTRY_BYTES: u32 = CACHED_KEY_BYTES + GHASH_TABLES_BYTES + KEY_PLANES_BYTES_MAX;
/** Both directions of sixteen connections that speak at the same time. Making an expanded key costs less than one packet. */
const ENTRY_COUNT: u32 = 32;
const BATCH_COUNT: u32 = AES_BATCH_BYTES / AES_BLOCK_BYTES;
const COUNTER: usize = 12;

const cache = changetype<KeyCache>(memory.data(offsetof<KeyCache>(), 8));
keyCacheOpen(cache, memory.data(ENTRY_COUNT * ENTRY_BYTES, 16), ENTRY_BYTES, ENTRY_COUNT);
const roundKeys: usize = memory.data(ROUND_KEYS_BYTES_MAX, 16);
const keystream: usize = memory.data(AES_BATCH_BYTES, 16);
/** What the hash is masked with: the first block of the keystream. */
const tagMask: usize = memory.data(AES_BLOCK_BYTES, 16);
const tag: usize = memory.data(AES_BLOCK_BYTES, 16);

/** See aeadSeal. */
export function aesGcmSeal(
  key: usize,
  keyLen: u32,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): void {
  const expanded = expandedKey(key, keyLen);
  crypt(expanded + PLANES, aesRoundCount(keyLen), nonce, ptr, len, dest);
  ghash(expanded, aad, aadLen, dest, len, tag);
  v128.store(dest + len, v128.xor(v128.load(tag), v128.load(tagMask)));
  wipe();
}

/** See aeadOpen; here `len` is without the tag. */
export function aesGcmOpen(
  key: usize,
  keyLen: u32,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): bool {
  const expanded = expandedKey(key, keyLen);
  const roundCount = aesRoundCount(keyLen);
  firstBatch(expanded + PLANES, roundCount, nonce);
  ghash(expanded, aad, aadLen, ptr, len, tag);
  v128.store(tag, v128.xor(v128.load(tag), v128.load(tagMask)));
  const isGenuine = equalConstantTime(tag, ptr + len, AES_BLOCK_BYTES);
  if (isGenuine) cryptRest(expanded + PLANES, roundCount, nonce, ptr, len, dest);
  wipe();
  return isGenuine;
}

/** Wipes what was made of this key. */
export function aesGcmForget(key: usize, keyLen: u32): void {
  keyCacheForget(cache, key, keyLen);
}

function expandedKey(key: usize, keyLen: u32): usize {
  const found = keyCacheFind(cache, key, keyLen);
  if (found != 0) return found;
  const made = keyCacheTake(cache, key, keyLen);
  const roundCount = aesRoundCount(keyLen);
  aesExpandKey(key, keyLen, roundKeys);
  aesSliceKeys(roundKeys, roundCount, made + PLANES);
  // SP 800-38D §7.1: the hash key is the encryption of a block of zeros.
  v128.store(tag, i64x2.splat(0));
  aesEncrypt(roundKeys, roundCount, tag, tag);
  ghashExpandKey(tag, made);
  memory.fill(roundKeys, 0, ROUND_KEYS_BYTES_MAX);
  return made;
}

function crypt(keyPlanes: usize, roundCount: u32, nonce: usize, ptr: usize, len: u32, dest: usize): void {
  firstBatch(keyPlanes, roundCount, nonce);
  cryptRest(keyPlanes, roundCount, nonce, ptr, len, dest);
}

/** Counter 1 masks the tag, the counters from 2 on the text (SP 800-38D §7.1). */
function firstBatch(keyPlanes: usize, roundCount: u32, nonce: usize): void {
  makeKeystream(keyPlanes, roundCount, nonce, 1);
  v128.store(tagMask, v128.load(keystream));
}

/** Xors the text with the keystream, of which firstBatch has made seven blocks. */
function cryptRest(keyPlanes: usize, roundCount: u32, nonce: usize, ptr: usize, len: u32, dest: usize): void {
  let offset = min(len, AES_BATCH_BYTES - AES_BLOCK_BYTES);
  xorBytes(ptr, keystream + AES_BLOCK_BYTES, offset, dest);
  for (let counter = BATCH_COUNT + 1; offset < len; counter += BATCH_COUNT) {
    makeKeystream(keyPlanes, roundCount, nonce, counter);
    const pieceLen = min(len - offset, AES_BATCH_BYTES);
    xorBytes(ptr + offset, keystream, pieceLen, dest + offset);
    offset += pieceLen;
  }
}

function makeKeystream(keyPlanes: usize, roundCount: u32, nonce: usize, counter: u32): void {
  const nonce0 = load<u64>(nonce, 0);
  const nonce8 = load<u32>(nonce, 8);
  for (let at = keystream; at < keystream + AES_BATCH_BYTES; at += AES_BLOCK_BYTES) {
    store<u64>(at, nonce0);
    store<u32>(at, nonce8, 8);
    store<u32>(at, bswap<u32>(counter), COUNTER);
    counter++;
  }
  aesEncryptBatch(keyPlanes, roundCount, keystream);
}

/** The keystream of a packet gives its text away, and the mask of its tag the hash key. */
function wipe(): void {
  memory.fill(keystream, 0, AES_BATCH_BYTES);
  v128.store(tagMask, i64x2.splat(0));
  v128.store(tag, i64x2.splat(0));
}
