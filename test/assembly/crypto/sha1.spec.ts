/** SHA-1 against RFC 3174 §7.3 and FIPS 180 examples, and at every length around the padding. */

import { SHA1_BYTES, sha1 } from "../../../assembly/crypto/sha1.ts";

const digest: usize = heap.alloc(SHA1_BYTES);

function digestOf(text: string): string {
  const bytes = String.UTF8.encode(text);
  sha1(digest, changetype<usize>(bytes), bytes.byteLength);
  return digestText();
}

function digestText(): string {
  let hex = "";
  for (let index: u32 = 0; index < SHA1_BYTES; index++) {
    const byte: u32 = load<u8>(digest + index);
    hex += (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return hex;
}

describe("SHA-1", () => {
  test("the published examples", () => {
    expect(digestOf("")).toBe("da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect(digestOf("abc")).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(digestOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    );
    expect(digestOf("0123456701234567012345670123456701234567012345670123456701234567".repeat(10))).toBe(
      "dea356a2cddd90c7a7ecedc5ebb563934f460452",
    );
    expect(digestOf("a".repeat(1000000))).toBe("34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  });

  test("a digest of digests over every length from 0 to 300", () => {
    const inputs = heap.alloc(300);
    const digests = heap.alloc(301 * SHA1_BYTES);
    for (let index: u32 = 0; index < 300; index++) store<u8>(inputs + index, <u8>(index * 7 + 3));
    for (let len: u32 = 0; len <= 300; len++) sha1(digests + len * SHA1_BYTES, inputs, len);
    sha1(digest, digests, 301 * SHA1_BYTES);
    // Computed once with OpenSSL.
    expect(digestText()).toBe("43debf5006166594c976375f1c06253e43d53ddf");
  });

  test("the input is left as it was", () => {
    const input = String.UTF8.encode("x".repeat(130));
    const before = String.UTF8.decode(input);
    sha1(digest, changetype<usize>(input), input.byteLength);
    expect(String.UTF8.decode(input)).toBe(before);
  });
});
