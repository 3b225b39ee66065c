// Signatures by the runtime's cryptography, against Wycheproof's vectors: what must hold holds, and nothing else does.

import { existsSync, readFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { countValidSignatures } from "../../../host/crypto/question.ts";
import { SignatureScheme, isSignedBy, schemesOfKey, signWith } from "../../../host/crypto/signature.ts";

interface Group {
  readonly publicKeyDer: string;
  readonly tests: readonly {
    readonly tcId: number;
    readonly msg: string;
    readonly sig: string;
    readonly result: "valid" | "invalid" | "acceptable";
  }[];
}

function groupsOf(name: string): Group[] {
  const path = resolve("../shared/data/wycheproof", `${name}_test.json`);
  if (!existsSync(path)) {
    process.stdout.write(`skipped: no ${name} of Wycheproof beside the project\n`);
    return [];
  }
  return (JSON.parse(readFileSync(path, "utf8")) as { testGroups: Group[] }).testGroups;
}

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

describe("Wycheproof", () => {
  test.each([
    ["ecdsa_secp256r1_sha256", SignatureScheme.ECDSA_SECP256R1_SHA256],
    ["ed25519", SignatureScheme.ED25519],
    ["rsa_pss_2048_sha256_mgf1_32", SignatureScheme.RSA_PSS_RSAE_SHA256],
    ["rsa_signature_2048_sha256", SignatureScheme.RSA_PKCS1_SHA256],
  ])("agrees about %s", (name, scheme) => {
    const wrong: number[] = [];
    for (const { publicKeyDer, tests } of groupsOf(name)) {
      for (const { tcId, msg, sig, result } of tests) {
        const holds = isSignedBy(bytes(publicKeyDer), scheme, bytes(msg), bytes(sig));
        // What is "acceptable" is an encoding that a careful verifier may refuse.
        if (result !== "acceptable" && holds !== (result === "valid")) wrong.push(tcId);
      }
    }
    expect(wrong).toEqual([]);
  });
});

const content = Buffer.from("content");
const keys = {
  p256: generateKeyPairSync("ec", { namedCurve: "prime256v1" }),
  p384: generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  ed25519: generateKeyPairSync("ed25519"),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};

describe("a key", () => {
  test.each(Object.entries(keys))(
    "of %s signs with each of its schemes, and no other verifies",
    (_name, pair) => {
      const spki = pair.publicKey.export({ format: "der", type: "spki" });
      const schemes = schemesOfKey(pair.privateKey);
      expect(schemes.length).toBeGreaterThan(0);
      for (const scheme of schemes) {
        const signature = signWith(pair.privateKey, scheme, content);
        expect(isSignedBy(spki, scheme, content, signature)).toBe(true);
        expect(isSignedBy(spki, scheme, Buffer.from("other"), signature)).toBe(false);
        expect(isSignedBy(spki, 0x0203, content, signature)).toBe(false);
      }
    },
  );

  test("does not sign with a scheme of another kind", () => {
    expect(() => signWith(keys.p256.privateKey, SignatureScheme.ED25519, content)).toThrow(RangeError);
    expect(() => signWith(keys.rsa.privateKey, 0x0203, content)).toThrow(RangeError);
  });

  test("that TLS 1.3 has no use for has no schemes", () => {
    const { privateKey } = generateKeyPairSync("x25519");
    expect(schemesOfKey(privateKey)).toEqual([]);
    expect(schemesOfKey(generateKeyPairSync("ec", { namedCurve: "secp521r1" }).privateKey)).toEqual([]);
  });

  test("that is no key verifies nothing", () => {
    expect(isSignedBy(Buffer.from("key"), SignatureScheme.ED25519, content, content)).toBe(false);
  });
});

test("signatures are counted up to the first that does not hold", () => {
  const spki = keys.ed25519.publicKey.export({ format: "der", type: "spki" });
  const good = signWith(keys.ed25519.privateKey, SignatureScheme.ED25519, content);
  const framed = (value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.of(value.length >> 8, value.length & 255), value]);
  const check = (signature: Uint8Array): Buffer =>
    Buffer.concat([Buffer.of(0x08, 0x07), framed(spki), framed(content), framed(signature)]);
  const ask = (...signatures: Uint8Array[]): number =>
    countValidSignatures(Buffer.concat([Buffer.of(signatures.length), ...signatures.map(check)]));
  expect(ask(good, good, good)).toBe(3);
  expect(ask(good, content, good)).toBe(1);
  expect(ask(content)).toBe(0);
  expect(ask()).toBe(0);
});
