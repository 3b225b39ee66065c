/**
 * HMAC (RFC 2104) with SHA-256 or SHA-384.
 *
 * There is one MAC in progress at a time, in this file's own memory: set a key, then begin, update and digest as often as
 * that key is needed, then forget it. Both halves of the key are hashed once, when it is set, so each further MAC under the
 * same key saves two of its four compressions. Nothing of a key stays behind after `hmacForget`.
 *
 * Tags are compared with core/constant_time.ts, by the caller.
 */
import {
  HASH_BLOCK_BYTES_MAX,
  HASH_LENGTH_MAX,
  HashId,
  HashState,
  hashBlockBytes,
  hashDigest,
  hashLength,
  hashOf,
  hashStart,
  hashUpdate,
} from "./hash.ts";

const INNER_PAD: u64 = 0x3636363636363636;
const OUTER_PAD: u64 = 0x5c5c5c5c5c5c5c5c;

const keyed = changetype<HashState>(memory.data(offsetof<HashState>(), 16));
const keyedOuter = changetype<HashState>(memory.data(offsetof<HashState>(), 16));
const running = changetype<HashState>(memory.data(offsetof<HashState>(), 16));
const padded: usize = memory.data(HASH_BLOCK_BYTES_MAX, 16);
const inner: usize = memory.data(HASH_LENGTH_MAX, 16);
let hash: HashId = HashId.SHA_256;

/** Writes the MAC of [ptr, ptr + len), hashLength(id) bytes, to `dest`, which may lie within it or the key. */
export function hmac(id: HashId, key: usize, keyLen: u32, ptr: usize, len: u32, dest: usize): void {
  hmacKey(id, key, keyLen);
  hmacBegin();
  hmacUpdate(ptr, len);
  hmacDigest(dest);
  hmacForget();
}

/** Sets the key of the MACs that follow. */
export function hmacKey(id: HashId, key: usize, keyLen: u32): void {
  hash = id;
  const blockBytes = hashBlockBytes(id);
  memory.fill(padded, 0, blockBytes);
  // RFC 2104 §2: a key longer than a block is hashed first.
  if (keyLen > blockBytes) hashOf(id, key, keyLen, padded);
  else memory.copy(padded, key, keyLen);
  absorbPadded(keyed, INNER_PAD, blockBytes);
  absorbPadded(keyedOuter, INNER_PAD ^ OUTER_PAD, blockBytes);
  memory.fill(padded, 0, blockBytes);
}

/** Starts a MAC under the key that is set. */
export function hmacBegin(): void {
  memory.copy(changetype<usize>(running), changetype<usize>(keyed), offsetof<HashState>());
}

export function hmacUpdate(ptr: usize, len: u32): void {
  hashUpdate(hash, running, ptr, len);
}

/** Writes the MAC to `dest`. The key stays set. */
export function hmacDigest(dest: usize): void {
  hashDigest(hash, running, inner);
  memory.copy(changetype<usize>(running), changetype<usize>(keyedOuter), offsetof<HashState>());
  hashUpdate(hash, running, inner, hashLength(hash));
  hashDigest(hash, running, dest);
}

/** Wipes the key and all that was made from it. */
export function hmacForget(): void {
  memory.fill(changetype<usize>(keyed), 0, offsetof<HashState>());
  memory.fill(changetype<usize>(keyedOuter), 0, offsetof<HashState>());
  memory.fill(changetype<usize>(running), 0, offsetof<HashState>());
  memory.fill(inner, 0, HASH_LENGTH_MAX);
}

/** Starts `state` with the padded key xor `pad`. The key stays xored, so the second call's pad takes the first out again. */
function absorbPadded(state: HashState, pad: u64, blockBytes: u32): void {
  for (let offset: u32 = 0; offset < blockBytes; offset += sizeof<u64>()) {
    store<u64>(padded + offset, load<u64>(padded + offset) ^ pad);
  }
  hashStart(hash, state);
  hashUpdate(hash, state, padded, blockBytes);
}
