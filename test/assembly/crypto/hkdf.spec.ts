/**
 * SHA-256 and SHA-384 against FIPS 180-4's examples and OpenSSL, HMAC against RFC 4231, HKDF against RFC 5869, and
 * HKDF-Expand-Label against RFC 9001 Appendix A.1. More, where the vectors lie beside the project: test/wire/crypto_vectors.test.ts.
 */
import {
  HASH_LENGTH_MAX,
  HashId,
  HashState,
  hashDigest,
  hashLength,
  hashOf,
  hashStart,
  hashUpdate,
} from "../../../assembly/crypto/hash.ts";
import { hkdfExpand, hkdfExpandAscii, hkdfExpandLabel, hkdfExtract } from "../../../assembly/crypto/hkdf.ts";
import { hmac } from "../../../assembly/crypto/hmac.ts";
import { bytesOf, hexOf } from "./hex.ts";

const out: usize = heap.alloc(16384);
const state = changetype<HashState>(heap.alloc(offsetof<HashState>()));
const clone = changetype<HashState>(heap.alloc(offsetof<HashState>()));

function digestOf(id: HashId, text: string): string {
  const bytes = String.UTF8.encode(text);
  hashOf(id, changetype<usize>(bytes), bytes.byteLength, out);
  return hexOf(out, hashLength(id));
}

/** The digest of the digests of every length from 0 to 300, each hashed in pieces of `piece` bytes. */
function digestOfLengths(id: HashId, piece: u32): string {
  const input = heap.alloc(300);
  const digests = heap.alloc(301 * HASH_LENGTH_MAX);
  const digestLen = hashLength(id);
  for (let index: u32 = 0; index < 300; index++) store<u8>(input + index, <u8>(index * 7 + 3));
  for (let len: u32 = 0; len <= 300; len++) {
    hashStart(id, state);
    for (let at: u32 = 0; at < len; at += piece) hashUpdate(id, state, input + at, min(piece, len - at));
    hashDigest(id, state, digests + len * digestLen);
  }
  hashOf(id, digests, 301 * digestLen, out);
  return hexOf(out, digestLen);
}

function macOf(id: HashId, key: string, text: string): string {
  const bytes = String.UTF8.encode(text);
  hmac(id, bytesOf(key), key.length >> 1, changetype<usize>(bytes), bytes.byteLength, out);
  return hexOf(out, hashLength(id));
}

describe("SHA-256 and SHA-384", () => {
  test("the published examples", () => {
    expect(digestOf(HashId.SHA_256, "")).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    expect(digestOf(HashId.SHA_256, "abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(digestOf(HashId.SHA_384, "")).toBe(
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    );
    expect(digestOf(HashId.SHA_384, "abc")).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
  });

  test("every length from 0 to 300, in pieces of every kind", () => {
    const pieces: u32[] = [1, 3, 63, 64, 65, 127, 128, 129, 300];
    for (let index = 0; index < pieces.length; index++) {
      // Computed once with OpenSSL.
      expect(digestOfLengths(HashId.SHA_256, pieces[index])).toBe(
        "7d917fbd2cf49ddff9ad0a8706bba32d204e92e71d2e369c5a03d6af29278c9f",
      );
      expect(digestOfLengths(HashId.SHA_384, pieces[index])).toBe(
        "efec719c84acba157f057b3a8be4ab46d8d39b7f85dca15c051420621873dcdbf6b165d5061f55337fce615e1957e330",
      );
    }
  });

  test("a digest leaves its state open, and a clone goes its own way", () => {
    const text = String.UTF8.encode("abc");
    for (let id = HashId.SHA_256; id <= HashId.SHA_384; id++) {
      hashStart(id, state);
      hashUpdate(id, state, changetype<usize>(text), 2);
      hashDigest(id, state, out);
      expect(hexOf(out, hashLength(id))).toBe(digestOf(id, "ab"));
      memory.copy(changetype<usize>(clone), changetype<usize>(state), offsetof<HashState>());
      hashUpdate(id, clone, changetype<usize>(text), 1);
      hashUpdate(id, state, changetype<usize>(text) + 2, 1);
      hashDigest(id, state, out);
      expect(hexOf(out, hashLength(id))).toBe(digestOf(id, "abc"));
      hashDigest(id, clone, out);
      expect(hexOf(out, hashLength(id))).toBe(digestOf(id, "aba"));
    }
  });
});

describe("HMAC", () => {
  test("RFC 4231: a short key, and one longer than a block", () => {
    const jefe = "4a656665";
    const question = "what do ya want for nothing?";
    expect(macOf(HashId.SHA_256, jefe, question)).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    expect(macOf(HashId.SHA_384, jefe, question)).toBe(
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    );
    const longKey = "aa".repeat(131);
    const longText = "Test Using Larger Than Block-Size Key - Hash Key First";
    expect(macOf(HashId.SHA_256, longKey, longText)).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
    expect(macOf(HashId.SHA_384, longKey, longText)).toBe(
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
    );
  });
});

describe("HKDF", () => {
  test("RFC 5869 A.1, in one piece and with the key overwritten", () => {
    const ikm = "0b".repeat(22);
    hkdfExtract(HashId.SHA_256, bytesOf("000102030405060708090a0b0c"), 13, bytesOf(ikm), 22, out);
    expect(hexOf(out, 32)).toBe("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    expect(hkdfExpand(HashId.SHA_256, out, bytesOf("f0f1f2f3f4f5f6f7f8f9"), 10, out, 42)).toBe(true);
    expect(hexOf(out, 42)).toBe(
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
  });

  test("RFC 5869 A.3: no salt, no info", () => {
    hkdfExtract(HashId.SHA_256, 0, 0, bytesOf("0b".repeat(22)), 22, out);
    expect(hkdfExpand(HashId.SHA_256, out, 0, 0, out, 42)).toBe(true);
    expect(hexOf(out, 42)).toBe(
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
  });

  test("refuses more than 255 digests", () => {
    memory.fill(out, 0, 48);
    expect(hkdfExpand(HashId.SHA_256, out, 0, 0, out, 255 * 32)).toBe(true);
    expect(hkdfExpand(HashId.SHA_256, out, 0, 0, out, 255 * 32 + 1)).toBe(false);
    expect(hkdfExpand(HashId.SHA_384, out, 0, 0, out, 255 * 48 + 1)).toBe(false);
  });
});

describe("HKDF-Expand-Label", () => {
  test("RFC 9001 A.1: the keys of the client's Initial packets", () => {
    const salt = bytesOf("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
    hkdfExtract(HashId.SHA_256, salt, 20, bytesOf("8394c8f03e515708"), 8, out);
    expect(hexOf(out, 32)).toBe("7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44");
    hkdfExpandAscii(HashId.SHA_256, out, "client in", 0, 0, out, 32);
    expect(hexOf(out, 32)).toBe("c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
    hkdfExpandAscii(HashId.SHA_256, out, "quic hp", 0, 0, out + 32, 16);
    expect(hexOf(out + 32, 16)).toBe("9f50449e04a0e810283a1e9933adedd2");
    hkdfExpandAscii(HashId.SHA_256, out, "quic iv", 0, 0, out + 32, 12);
    expect(hexOf(out + 32, 12)).toBe("fa044b2f42a3fd3b46fb255c");
    const label = String.UTF8.encode("quic key");
    hkdfExpandLabel(HashId.SHA_256, out, changetype<usize>(label), 8, 0, 0, out, 16);
    expect(hexOf(out, 16)).toBe("1f369613dd76d5467730efcbe3b1a22d");
  });

  test("RFC 8448 §3: a secret derived with a context", () => {
    const secret = bytesOf("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
    hashOf(HashId.SHA_256, 0, 0, out);
    hkdfExpandAscii(HashId.SHA_256, secret, "derived", out, 32, out, 32);
    expect(hexOf(out, 32)).toBe("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
  });

  test("refuses a label or a context that its length byte cannot tell", () => {
    expect(hkdfExpandLabel(HashId.SHA_256, out, out, 249, out, 255, out, 32)).toBe(true);
    expect(hkdfExpandLabel(HashId.SHA_256, out, out, 250, out, 0, out, 32)).toBe(false);
    expect(hkdfExpandLabel(HashId.SHA_256, out, out, 1, out, 256, out, 32)).toBe(false);
  });
});
