/** Poly1305 at the edge of its bounds, against arithmetic by bytes. Also RFC 8439's cases for sums at the prime. */

import { poly1305Blocks, poly1305Finish, poly1305Start } from "../../../assembly/crypto/poly1305.ts";
import { fillRandom, seedRandom } from "../core/random.ts";
import { bytesOf, hexOf } from "./hex.ts";

const out: usize = heap.alloc(16);
const key: usize = heap.alloc(32);
const text: usize = heap.alloc(4096);

/** Poly1305 by bytes: 17 limbs of radix 256, reduced after each block. */
function bytewiseTag(key: usize, ptr: usize, len: u32): string {
  const sum = new StaticArray<u32>(18);
  const clamp: u8[] = [255, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15];
  for (let at: u32 = 0; at < len; at += 16) {
    for (let index = 0; index < 16; index++) sum[index] += <u32>load<u8>(ptr + at + index);
    sum[16] += 1;
    const product = new StaticArray<u32>(36);
    for (let left = 0; left < 17; left++) {
      for (let right = 0; right < 16; right++) {
        product[left + right] += sum[left] * (load<u8>(key + right) & clamp[right]);
      }
    }
    for (let index = 0; index < 35; index++) {
      product[index + 1] += product[index] >> 8;
      product[index] &= 255;
    }
    fold(sum, product);
  }
  // Subtract the prime while it fits, then add s.
  let carry: u32 = 5;
  const less = new StaticArray<u32>(17);
  for (let index = 0; index < 17; index++) {
    carry += sum[index];
    less[index] = carry & 255;
    carry >>= 8;
  }
  const isLess = less[16] >> 2 == 0;
  carry = 0;
  for (let index = 0; index < 16; index++) {
    carry += (isLess ? sum[index] : less[index]) + load<u8>(key + 16 + index);
    store<u8>(out + index, carry);
    carry >>= 8;
  }
  return hexOf(out, 16);
}

/** What is at 2^130 and above comes back times five; twice, so that the sum ends below 2^130. */
function fold(sum: StaticArray<u32>, product: StaticArray<u32>): void {
  for (let pass = 0; pass < 2; pass++) {
    const high = new StaticArray<u32>(20);
    for (let index = 0; index < 19; index++) {
      high[index] = ((product[16 + index] >> 2) | (product[17 + index] << 6)) & 255;
    }
    for (let index = 17; index < 36; index++) product[index] = 0;
    product[16] &= 3;
    let carry: u32 = 0;
    for (let index = 0; index < 19; index++) {
      carry += product[index] + high[index] * 5;
      product[index] = carry & 255;
      carry >>= 8;
    }
  }
  for (let index = 0; index < 18; index++) sum[index] = product[index];
}

function tagOf(key: usize, ptr: usize, len: u32): string {
  poly1305Start(key);
  poly1305Blocks(ptr, len);
  poly1305Finish(key, out);
  return hexOf(out, 16);
}

describe("Poly1305", () => {
  test("RFC 8439 §2.5.2, padded to whole blocks by its own last byte", () => {
    const oneTime = bytesOf("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
    const message = String.UTF8.encode("Cryptographic Forum Research Gro");
    expect(tagOf(oneTime, changetype<usize>(message), 32)).toBe(
      bytewiseTag(oneTime, changetype<usize>(message), 32),
    );
  });

  test("the largest key with the largest words, through a thousand blocks", () => {
    memory.fill(key, 0xff, 32);
    memory.fill(text, 0xff, 4096);
    for (let blocks: u32 = 1; blocks <= 256; blocks <<= 1) {
      expect(tagOf(key, text, blocks * 16)).toBe(bytewiseTag(key, text, blocks * 16));
    }
  });

  test("sums at the prime: RFC 8439 A.3, cases 7 to 9", () => {
    const one = bytesOf("01" + "00".repeat(31));
    const ones = "ff".repeat(16);
    const seventh = bytesOf(ones + "f0" + "ff".repeat(15) + "11" + "00".repeat(15));
    expect(tagOf(one, seventh, 48)).toBe("05" + "00".repeat(15));
    const eighth = bytesOf(ones + "fb" + "fe".repeat(15) + "01".repeat(16));
    expect(tagOf(one, eighth, 48)).toBe("00".repeat(16));
    const two = bytesOf("02" + "00".repeat(31));
    const ninth = bytesOf("fd" + "ff".repeat(15));
    expect(tagOf(two, ninth, 16)).toBe("fa" + "ff".repeat(15));
  });

  test("keys and words of random bits and of edges", () => {
    seedRandom(1305);
    for (let round = 0; round < 200; round++) {
      fillRandom(key, 32);
      fillRandom(text, 128);
      const edge: u8 = round & 1 ? 0xff : 0;
      if (round & 2) memory.fill(text + (round % 7) * 16, edge, 20);
      if (round & 4) memory.fill(key, edge, 16);
      expect(tagOf(key, text, 128)).toBe(bytewiseTag(key, text, 128));
    }
  });
});
