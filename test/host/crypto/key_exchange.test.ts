// Key exchange by the runtime's cryptography, against Wycheproof's vectors: the right secret, or none at all.

import { existsSync, readFileSync } from "node:fs";
import { createECDH, createPrivateKey } from "node:crypto";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import {
  Group,
  generateShare,
  hasMlKem,
  p256,
  respondToShare,
  x25519,
} from "../../../host/crypto/key_exchange.ts";
import { ConnectionKeys } from "../../../host/crypto/question.ts";

interface Case {
  readonly tcId: number;
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly flags: readonly string[];
}

function casesOf(name: string): Case[] {
  const path = resolve("../shared/data/wycheproof", `${name}_test.json`);
  if (!existsSync(path)) {
    process.stdout.write(`skipped: no ${name} of Wycheproof beside the project\n`);
    return [];
  }
  const { testGroups } = JSON.parse(readFileSync(path, "utf8")) as { testGroups: { tests: Case[] }[] };
  return testGroups.flatMap(({ tests }) => tests);
}

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

/** The secret as hex, or that there is none. */
function attempt(derive: () => Uint8Array): string {
  try {
    return Buffer.from(derive()).toString("hex");
  } catch {
    return "refused";
  }
}

const x25519Pkcs8 = bytes("302e020100300506032b656e04220420");
const zeroSecret = "0".repeat(64);

describe("Wycheproof", () => {
  const x25519Cases = casesOf("x25519");
  test.runIf(x25519Cases.length > 0)("agrees about X25519, and a secret of zeros is refused", () => {
    const wrong = x25519Cases.filter((vector) => {
      const key = Buffer.concat([x25519Pkcs8, bytes(vector.private)]);
      const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
      const got = attempt(() => x25519(privateKey, bytes(vector.public)));
      const isRefused = vector.shared === zeroSecret || vector.result === "invalid";
      return got !== (isRefused ? "refused" : vector.shared);
    });
    expect(wrong).toEqual([]);
  });

  const p256Cases = casesOf("ecdh_secp256r1_ecpoint");
  test.runIf(p256Cases.length > 0)("agrees about P-256, and only whole points of the curve are taken", () => {
    const wrong = p256Cases.filter((vector) => {
      const ecdh = createECDH("prime256v1");
      ecdh.setPrivateKey(bytes(vector.private.padStart(64, "0").slice(-64)));
      const got = attempt(() => p256(ecdh, bytes(vector.public)));
      // RFC 8446 §4.2.8.2 has no compressed points, which these vectors accept.
      const isTaken = vector.result === "valid" && vector.public.length === 130;
      return got !== (isTaken ? vector.shared : "refused");
    });
    expect(wrong).toEqual([]);
  });
});

describe("a share", () => {
  test.each([Group.X25519, Group.SECP256R1, ...(hasMlKem ? [Group.X25519MLKEM768] : [])])(
    "of group %i and its answer come to the same secret",
    (group) => {
      const share = generateShare(group);
      const response = respondToShare(group, share.publicShare);
      expect(Buffer.from(share.derive(response.publicShare))).toEqual(Buffer.from(response.secret));
    },
  );

  test.each([
    [Group.X25519, Buffer.alloc(32)],
    [Group.X25519, Buffer.alloc(31, 1)],
    [Group.SECP256R1, Buffer.alloc(65)],
    [Group.SECP256R1, Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])],
    [Group.SECP256R1, Buffer.concat([Buffer.of(2), Buffer.alloc(32, 1)])],
    [Group.X25519MLKEM768, Buffer.alloc(1216, 0xff)],
    [0x0018, Buffer.alloc(97, 4)],
  ])("of group %i that is no good is refused", (group, share) => {
    expect(() => respondToShare(group, share)).toThrow();
  });
});

describe("a question", () => {
  test("that is cut off, unknown, or about a key that there is not throws", () => {
    const keys = new ConnectionKeys();
    for (const question of [[], [1], [1, 1, 0], [2, 0, 0x1d, 0, 32], [3, 0, 0x1d, 0, 32, 1], [9]]) {
      expect(() => keys.answer(Uint8Array.from(question))).toThrow();
    }
  });

  test("uses a private key once", () => {
    const keys = new ConnectionKeys();
    keys.answer(Uint8Array.of(1, 1, 0, Group.X25519));
    const peer = generateShare(Group.X25519).publicShare;
    const question = Buffer.concat([Buffer.of(2, 0, Group.X25519, 0, 32), peer]);
    expect(keys.answer(question)).toHaveLength(32);
    expect(() => keys.answer(question)).toThrow(RangeError);
  });
});
