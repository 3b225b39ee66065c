/**
 * The masks of header protection, RFC 9001 §5.4.3 (AES) and §5.4.4 (ChaCha20): five bytes made of a sample of the packet.
 *
 * The round keys of AES that were used last are kept (key_cache.ts). The fifth byte of ChaCha20's mask and of AES's is the last
 * that §5.4.1 uses; what else the block holds is dropped here.
 */
import { AES_BLOCK_BYTES, ROUND_KEYS_BYTES_MAX, aesEncrypt, aesExpandKey, aesRoundCount } from "./aes.ts";
import { CHACHA20_BLOCK_BYTES, chacha20Block } from "./chacha20.ts";
import {
  CACHED_KEY_BYTES,
  KeyCache,
  keyCacheFind,
  keyCacheForget,
  keyCacheOpen,
  keyCacheTake,
} from "./key_cache.ts";

export const HEADER_MASK_BYTES: u32 = 5;
export const HEADER_SAMPLE_BYTES: u32 = 16;

const ENTRY_BYTES: u32 = CACHED_KEY_BYTES + ROUND_KEYS_BYTES_MAX;
/** Both directions of sixteen connections that speak at the same time. */
const ENTRY_COUNT: u32 = 32;

const cache = changetype<KeyCache>(memory.data(offsetof<KeyCache>(), 8));
keyCacheOpen(cache, memory.data(ENTRY_COUNT * ENTRY_BYTES, 16), ENTRY_BYTES, ENTRY_COUNT);
const block: usize = memory.data(CHACHA20_BLOCK_BYTES, 16);

/** RFC 9001 §5.4.3: the encryption of the sample. */
export function aesHeaderMask(key: usize, keyLen: u32, sample: usize, dest: usize): void {
  let roundKeys = keyCacheFind(cache, key, keyLen);
  if (roundKeys == 0) {
    roundKeys = keyCacheTake(cache, key, keyLen);
    aesExpandKey(key, keyLen, roundKeys);
  }
  aesEncrypt(roundKeys, aesRoundCount(keyLen), sample, block);
  memory.copy(dest, block, HEADER_MASK_BYTES);
  memory.fill(block, 0, AES_BLOCK_BYTES);
}

/** RFC 9001 §5.4.4: the sample's first four bytes are the block's number, in little-endian order, the others the nonce. */
export function chacha20HeaderMask(key: usize, sample: usize, dest: usize): void {
  chacha20Block(key, sample + sizeof<u32>(), load<u32>(sample), block);
  memory.copy(dest, block, HEADER_MASK_BYTES);
  memory.fill(block, 0, CHACHA20_BLOCK_BYTES);
}

/** Wipes what was made of this key. */
export function aesHeaderForget(key: usize, keyLen: u32): void {
  keyCacheForget(cache, key, keyLen);
}
