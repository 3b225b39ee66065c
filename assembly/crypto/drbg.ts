/**
 * Random bytes: ChaCha20 keyed by the host's entropy, with fast key erasure (Bernstein, "Fast-key-erasure random-number
 * generators").
 *
 * Each refill makes 256 bytes of keystream. The first 32 become the next key, the others are handed out and erased as they go,
 * so memory that leaks later does not tell what was given out before. Entropy is mixed in by HMAC under the present key: whoever
 * knows one of the two still cannot tell the result.
 *
 * Not to be used before the first seed; exports/instance.ts gives it at `initialize`.
 */
import { CHACHA20_KEY_BYTES, CHACHA20_QUAD_BYTES, chacha20Xor4 } from "./chacha20.ts";
import { HashId } from "./hash.ts";
import { hmac } from "./hmac.ts";

const key: usize = memory.data(CHACHA20_KEY_BYTES, 16);
/** Every key makes one stretch of keystream, so its nonce may be zero. */
const zeros: usize = memory.data(CHACHA20_QUAD_BYTES, 16);
const pool: usize = memory.data(CHACHA20_QUAD_BYTES, 16);
/** Where the pool's unused bytes begin. */
let next: u32 = CHACHA20_QUAD_BYTES;

/** Mixes `len` bytes of entropy into the key. What was in the pool is dropped. */
export function drbgSeed(ptr: usize, len: u32): void {
  hmac(HashId.SHA_256, key, CHACHA20_KEY_BYTES, ptr, len, key);
  memory.fill(pool, 0, CHACHA20_QUAD_BYTES);
  next = CHACHA20_QUAD_BYTES;
}

/** Address of the key, which alone says what is drawn next when the pool is empty, as `drbgSeed` leaves it. */
export function drbgKeyPtr(): usize {
  return key;
}

/** Fills [dest, dest + len) with random bytes. */
export function randomFill(dest: usize, len: u32): void {
  while (len > 0) {
    if (next == CHACHA20_QUAD_BYTES) refill();
    const taken = min(len, CHACHA20_QUAD_BYTES - next);
    memory.copy(dest, pool + next, taken);
    memory.fill(pool + next, 0, taken);
    next += taken;
    dest += taken;
    len -= taken;
  }
}

function refill(): void {
  chacha20Xor4(key, zeros, 0, zeros, pool);
  memory.copy(key, pool, CHACHA20_KEY_BYTES);
  memory.fill(pool, 0, CHACHA20_KEY_BYTES);
  next = CHACHA20_KEY_BYTES;
}
