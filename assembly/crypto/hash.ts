/**
 * The hash of a cipher suite, chosen at run time: SHA-256 or SHA-384 behind the same calls.
 *
 * A HashState has room for either and holds no pointer, so it may lie in any struct and be cloned with `memory.copy`. Which
 * hash it belongs to is the caller's to remember: every call is given the same `id` as `hashStart` was.
 */
import {
  SHA256_BLOCK_BYTES,
  SHA256_BYTES,
  Sha256State,
  sha256Digest,
  sha256Start,
  sha256Update,
} from "./sha256.ts";
import {
  SHA384_BLOCK_BYTES,
  SHA384_BYTES,
  Sha512State,
  sha384Digest,
  sha384Start,
  sha384Update,
} from "./sha512.ts";

export const enum HashId {
  SHA_256 = 1,
  SHA_384 = 2,
}

/** The longest digest there is here. */
export const HASH_LENGTH_MAX: u32 = SHA384_BYTES;
/** The longest block there is here. */
export const HASH_BLOCK_BYTES_MAX: u32 = SHA384_BLOCK_BYTES;

/** The larger of the two states. */
@unmanaged
export class HashState extends Sha512State {}

const oneShot = changetype<HashState>(memory.data(offsetof<HashState>(), 16));

/** Bytes of a digest. */
// @ts-ignore: decorator
@inline
export function hashLength(id: HashId): u32 {
  return id == HashId.SHA_384 ? SHA384_BYTES : SHA256_BYTES;
}

/** Bytes that are compressed at once, which HMAC pads its key to. */
// @ts-ignore: decorator
@inline
export function hashBlockBytes(id: HashId): u32 {
  return id == HashId.SHA_384 ? SHA384_BLOCK_BYTES : SHA256_BLOCK_BYTES;
}

export function hashStart(id: HashId, state: HashState): void {
  if (id == HashId.SHA_384) sha384Start(state);
  else sha256Start(changetype<Sha256State>(state));
}

export function hashUpdate(id: HashId, state: HashState, ptr: usize, len: u32): void {
  if (id == HashId.SHA_384) sha384Update(state, ptr, len);
  else sha256Update(changetype<Sha256State>(state), ptr, len);
}

/** Writes the digest of what was hashed so far, hashLength(id) bytes, to `dest`. `state` can take more afterwards. */
export function hashDigest(id: HashId, state: HashState, dest: usize): void {
  if (id == HashId.SHA_384) sha384Digest(state, dest);
  else sha256Digest(changetype<Sha256State>(state), dest);
}

/** Writes the digest of [ptr, ptr + len) to `dest`, which may lie within it. */
export function hashOf(id: HashId, ptr: usize, len: u32, dest: usize): void {
  hashStart(id, oneShot);
  hashUpdate(id, oneShot, ptr, len);
  hashDigest(id, oneShot, dest);
  memory.fill(changetype<usize>(oneShot), 0, offsetof<HashState>());
}
