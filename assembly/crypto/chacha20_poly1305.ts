/**
 * AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8).
 *
 * The first call of the four-block function gives block 0, whose first half is the one-time key of Poly1305, and the keystream of
 * the first 192 bytes. A packet is opened by its tag first and decrypted after, so a forgery releases nothing.
 */
import { equalConstantTime } from "../core/constant_time.ts";
import { CHACHA20_BLOCK_BYTES, CHACHA20_QUAD_BYTES, chacha20Xor4 } from "./chacha20.ts";
import {
  POLY1305_TAG_BYTES,
  poly1305Blocks,
  poly1305Finish,
  poly1305Padded,
  poly1305Start,
} from "./poly1305.ts";
import { xorBytes } from "./xor.ts";

/** Blocks 1, 2 and 3 of the first call. */
const FIRST_BYTES: u32 = CHACHA20_QUAD_BYTES - CHACHA20_BLOCK_BYTES;

const zeros: usize = memory.data(CHACHA20_QUAD_BYTES, 16);
/** Block 0 with the key of Poly1305, then three blocks of keystream. */
const first: usize = memory.data(CHACHA20_QUAD_BYTES, 16);
const last: usize = memory.data(CHACHA20_QUAD_BYTES, 16);
const tag: usize = memory.data(POLY1305_TAG_BYTES, 16);
const lengths: usize = memory.data(2 * sizeof<u64>(), 16);

/** See aeadSeal. */
export function chacha20Poly1305Seal(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): void {
  chacha20Xor4(key, nonce, 0, zeros, first);
  crypt(key, nonce, ptr, len, dest);
  authenticate(aad, aadLen, dest, len, dest + len);
  wipe();
}

/** See aeadOpen; here `len` is without the tag. */
export function chacha20Poly1305Open(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: u32,
  ptr: usize,
  len: u32,
  dest: usize,
): bool {
  chacha20Xor4(key, nonce, 0, zeros, first);
  authenticate(aad, aadLen, ptr, len, tag);
  const isGenuine = equalConstantTime(tag, ptr + len, POLY1305_TAG_BYTES);
  if (isGenuine) crypt(key, nonce, ptr, len, dest);
  wipe();
  return isGenuine;
}

/** Xors the text with the keystream from block 1 on. */
function crypt(key: usize, nonce: usize, ptr: usize, len: u32, dest: usize): void {
  const firstLen = min(len, FIRST_BYTES);
  xorBytes(ptr, first + CHACHA20_BLOCK_BYTES, firstLen, dest);
  let offset = firstLen;
  let counter = CHACHA20_QUAD_BYTES / CHACHA20_BLOCK_BYTES;
  for (; len - offset >= CHACHA20_QUAD_BYTES; offset += CHACHA20_QUAD_BYTES) {
    chacha20Xor4(key, nonce, counter, ptr + offset, dest + offset);
    counter += CHACHA20_QUAD_BYTES / CHACHA20_BLOCK_BYTES;
  }
  if (offset == len) return;
  chacha20Xor4(key, nonce, counter, zeros, last);
  xorBytes(ptr + offset, last, len - offset, dest + offset);
}

/** RFC 8439 §2.8: both parts padded, then both lengths in little-endian order. */
function authenticate(aad: usize, aadLen: u32, ptr: usize, len: u32, dest: usize): void {
  poly1305Start(first);
  poly1305Padded(aad, aadLen);
  poly1305Padded(ptr, len);
  store<u64>(lengths, aadLen, 0);
  store<u64>(lengths, len, 8);
  poly1305Blocks(lengths, 2 * sizeof<u64>());
  poly1305Finish(first, dest);
}

/** The keystream of a packet gives its text away. */
function wipe(): void {
  memory.fill(first, 0, CHACHA20_QUAD_BYTES);
  memory.fill(last, 0, CHACHA20_QUAD_BYTES);
}
