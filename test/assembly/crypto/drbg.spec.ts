/** The random generator: that it is ChaCha20 with erased keys, whatever sizes are asked for, and that seeds count. */

import { chacha20Xor4 } from "../../../assembly/crypto/chacha20.ts";
import { drbgSeed, randomFill } from "../../../assembly/crypto/drbg.ts";
import { HashId } from "../../../assembly/crypto/hash.ts";
import { hmac } from "../../../assembly/crypto/hmac.ts";
import { hexOf } from "./hex.ts";

const out: usize = heap.alloc(4096);
const wanted: usize = heap.alloc(4096);
const seed: usize = heap.alloc(32);
const zeros: usize = heap.alloc(256);
const stretch: usize = heap.alloc(256);

describe("the random generator", () => {
  test("gives the keystream of key after key, in pieces of any size", () => {
    memory.fill(zeros, 0, 256);
    for (let index: u32 = 0; index < 32; index++) store<u8>(seed + index, <u8>(index * 3 + 1));
    drbgSeed(seed, 32);
    const key = heap.alloc(32);
    memory.fill(key, 0, 32);
    hmac(HashId.SHA_256, key, 32, seed, 32, key);
    for (let round: u32 = 0; round < 10; round++) {
      chacha20Xor4(key, zeros, 0, zeros, stretch);
      memory.copy(key, stretch, 32);
      memory.copy(wanted + round * 224, stretch + 32, 224);
    }
    let offset: u32 = 0;
    for (let len: u32 = 0; offset + len <= 2240; len += 17) {
      randomFill(out + offset, len);
      offset += len;
    }
    expect(offset > 2000).toBe(true);
    expect(memory.compare(out, wanted, offset)).toBe(0);
  });

  test("goes another way after each seed, even the same one", () => {
    randomFill(out, 32);
    const before = hexOf(out, 32);
    drbgSeed(seed, 32);
    randomFill(out, 32);
    const first = hexOf(out, 32);
    drbgSeed(seed, 32);
    randomFill(out, 32);
    expect(first).not.toBe(before);
    expect(hexOf(out, 32)).not.toBe(first);
  });
});
