/**
 * The AEADs and masks against RFC 8439, RFC 9001 Appendix A and NIST's example of GCM; every length by sealing and opening,
 * every forged bit of a packet.
 * Against node:crypto and Wycheproof: test/wire/crypto_vectors.test.ts.
 */
import {
  Suite,
  aeadForget,
  aeadOpen,
  aeadSeal,
  headerMask,
  suiteHash,
  suiteKeyLength,
} from "../../../assembly/crypto/aead.ts";
import { HashId } from "../../../assembly/crypto/hash.ts";
import { fillRandom, seedRandom } from "../core/random.ts";
import { bytesOf, hexOf } from "./hex.ts";

const suites: Suite[] = [Suite.AES_128_GCM_SHA256, Suite.AES_256_GCM_SHA384, Suite.CHACHA20_POLY1305_SHA256];
const out: usize = heap.alloc(4096);
const key: usize = heap.alloc(32);
const nonce: usize = heap.alloc(12);
const aad: usize = heap.alloc(64);
const text: usize = heap.alloc(4096);

function sealed(suite: Suite, keyHex: string, nonceHex: string, aadHex: string, textHex: string): string {
  const len = textHex.length >> 1;
  aeadSeal(
    suite,
    bytesOf(keyHex),
    bytesOf(nonceHex),
    bytesOf(aadHex),
    aadHex.length >> 1,
    bytesOf(textHex),
    len,
    out,
  );
  return hexOf(out, len + 16);
}

function maskOf(suite: Suite, keyHex: string, sampleHex: string): string {
  headerMask(suite, bytesOf(keyHex), bytesOf(sampleHex), out);
  return hexOf(out, 5);
}

function flipBit(ptr: usize, bit: u32): void {
  const mask: u32 = 1 << bit;
  store<u8>(ptr, load<u8>(ptr) ^ mask);
}

describe("suites", () => {
  test("have the hash and the key length of RFC 8446", () => {
    expect(suiteHash(Suite.AES_128_GCM_SHA256)).toBe(HashId.SHA_256);
    expect(suiteHash(Suite.AES_256_GCM_SHA384)).toBe(HashId.SHA_384);
    expect(suiteHash(Suite.CHACHA20_POLY1305_SHA256)).toBe(HashId.SHA_256);
    expect(suiteKeyLength(Suite.AES_128_GCM_SHA256)).toBe(16);
    expect(suiteKeyLength(Suite.AES_256_GCM_SHA384)).toBe(32);
    expect(suiteKeyLength(Suite.CHACHA20_POLY1305_SHA256)).toBe(32);
  });
});

describe("AEADs", () => {
  test("AES-128-GCM: NIST's test case 4, with a text and more that end inside a block", () => {
    expect(
      sealed(
        Suite.AES_128_GCM_SHA256,
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      ),
    ).toBe(
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    );
  });

  test("AES-256-GCM: NIST's test case 16", () => {
    expect(
      sealed(
        Suite.AES_256_GCM_SHA384,
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      ),
    ).toBe(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    );
  });

  test("ChaCha20-Poly1305: RFC 9001 A.5", () => {
    expect(
      sealed(
        Suite.CHACHA20_POLY1305_SHA256,
        "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
        "e0459b3474bdd0e46d417eb0",
        "4200bff4",
        "01",
      ),
    ).toBe("655e5cd55c41f69080575d7999c25a5bfb");
  });

  test("AES-128-GCM without a text: the tag of RFC 9001 A.4's Retry", () => {
    expect(
      sealed(
        Suite.AES_128_GCM_SHA256,
        "be0c690b9f66575a1d766b54e368c84e",
        "461599d35d632bf2239825bb",
        "088394c8f03e515708ff000000010008f067a5502a4262b5746f6b656e",
        "",
      ),
    ).toBe("04a265ba2eff4d829058fb3f0f2496ba");
  });

  test("open in place what they sealed in place, at every length to 600", () => {
    seedRandom(71);
    fillRandom(text, 600);
    for (let index = 0; index < suites.length; index++) {
      fillRandom(key, 32);
      let failures = 0;
      for (let len: u32 = 0; len <= 600; len++) {
        fillRandom(nonce, 12);
        memory.copy(out, text, len);
        aeadSeal(suites[index], key, nonce, aad, len & 63, out, len, out);
        if (!aeadOpen(suites[index], key, nonce, aad, len & 63, out, len + 16, out)) failures++;
        if (memory.compare(out, text, len) != 0) failures++;
      }
      expect(failures).toBe(0);
    }
  });

  test("refuse every forged bit, in text, tag and what is only authenticated, and release nothing", () => {
    for (let index = 0; index < suites.length; index++) {
      const suite = suites[index];
      aeadSeal(suite, key, nonce, aad, 20, text, 100, out);
      let accepted = 0;
      memory.fill(text + 1024, 0x55, 100);
      for (let bit: u32 = 0; bit < (100 + 16 + 20) * 8; bit++) {
        const byte = bit >> 3;
        const forged = byte < 116 ? out + byte : aad + (byte - 116);
        flipBit(forged, bit & 7);
        if (aeadOpen(suite, key, nonce, aad, 20, out, 116, text + 1024)) accepted++;
        flipBit(forged, bit & 7);
      }
      expect(accepted).toBe(0);
      for (let at: u32 = 0; at < 100; at++) if (load<u8>(text + 1024 + at) != 0x55) accepted++;
      expect(accepted).toBe(0);
      expect(aeadOpen(suite, key, nonce, aad, 20, out, 116, text + 1024)).toBe(true);
    }
  });

  test("refuse what is too short to hold a tag", () => {
    for (let index = 0; index < suites.length; index++) {
      for (let len: u32 = 0; len < 16; len++) {
        expect(aeadOpen(suites[index], key, nonce, aad, 0, out, len, out)).toBe(false);
      }
    }
  });

  test("work for more keys than are kept expanded, and after each was forgotten", () => {
    seedRandom(5);
    const keys = heap.alloc(100 * 32);
    fillRandom(keys, 100 * 32);
    for (let round = 0; round < 2; round++) {
      let failures = 0;
      for (let index: u32 = 0; index < 100; index++) {
        const suite = suites[index & 1];
        aeadSeal(suite, keys + index * 32, nonce, aad, 4, text, 40, out);
        if (round == 1) aeadForget(suite, keys + index * 32);
        if (!aeadOpen(suite, keys + index * 32, nonce, aad, 4, out, 56, out)) failures++;
        if (aeadOpen(suite, keys + ((index + 2) % 100) * 32, nonce, aad, 4, out, 56, out)) failures++;
      }
      expect(failures).toBe(0);
    }
  });
});

describe("header-protection masks", () => {
  test("RFC 9001 A.2, A.3 and A.5", () => {
    expect(
      maskOf(
        Suite.AES_128_GCM_SHA256,
        "9f50449e04a0e810283a1e9933adedd2",
        "d1b1c98dd7689fb8ec11d242b123dc9b",
      ),
    ).toBe("437b9aec36");
    expect(
      maskOf(
        Suite.AES_128_GCM_SHA256,
        "c206b8d9b9f0f37644430b490eeaa314",
        "2cd0991cd25b0aac406a5816b6394100",
      ),
    ).toBe("2ec0d8356a");
    expect(
      maskOf(
        Suite.CHACHA20_POLY1305_SHA256,
        "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
        "5e5cd55c41f69080575d7999c25a5bfb",
      ),
    ).toBe("aefefe7d03");
  });

  test("AES-256: FIPS 197 C.3", () => {
    expect(
      maskOf(
        Suite.AES_256_GCM_SHA384,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff",
      ),
    ).toBe("8ea2b7ca51");
  });
});
