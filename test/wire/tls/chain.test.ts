// Whom the client trusts: chains as right and as wrong as they come, each through a whole handshake, so that the alert is seen too.

import { beforeAll, describe, expect, test } from "vitest";
import type { CertificateTemplate } from "./identities.ts";
import { clientAuth, der, extension, keyPair, makeCertificate, oid, serverAuth } from "./identities.ts";
import { Config } from "./config.ts";
import { Room } from "./room.ts";
import { Role, Session, converse } from "./session.ts";

const BAD_CERTIFICATE = 42;
const UNSUPPORTED_CERTIFICATE = 43;
const CERTIFICATE_EXPIRED = 45;
const UNKNOWN_CA = 48;

const keyCertSign = 0x04;
const digitalSignature = 0x80;

let room: Room;

beforeAll(async () => {
  room = await Room.create();
});

const rootKey = keyPair("p384", "root");
const root: CertificateTemplate = { subject: "root", key: rootKey, isCa: true, keyUsage: keyCertSign };
const middle: CertificateTemplate = {
  subject: "middle",
  key: keyPair("rsa", "middle"),
  issuer: root,
  isCa: true,
  keyUsage: keyCertSign,
};
const leaf: CertificateTemplate = {
  subject: "",
  key: keyPair("p256", "leaf"),
  issuer: middle,
  isCa: false,
  keyUsage: digitalSignature,
  purposes: [serverAuth],
  names: { dns: ["www.example.test", "*.wild.test"], ip: [[127, 0, 0, 1]] },
};

interface Options {
  readonly name?: string;
  readonly address?: readonly number[];
  readonly roots?: readonly Buffer[];
  readonly atMs?: number;
}

/** The alert that the client ends with; 0 when it trusts the chain. */
function alertFor(chain: readonly Uint8Array[], options: Options = {}): number {
  const {
    name = "www.example.test",
    address,
    roots = [makeCertificate(root)],
    atMs = 1_800_000_000_000,
  } = options;
  const clients = new Config(room, { roots, flags: 0 });
  const servers = new Config(room, { certificates: [{ key: leaf.key.privateKey, chain }] });
  const client = new Session(clients, Role.CLIENT);
  const server = new Session(servers, Role.SERVER);
  client.setTime(atMs);
  if (address !== undefined) client.setServerAddress(address);
  else if (name !== "") client.setServerName(name);
  client.start();
  converse(client, server);
  const alert = client.isComplete ? 0 : client.alert;
  for (const session of [client, server]) session.free();
  for (const config of [clients, servers]) config.release();
  return alert;
}

/** The chain of leaf and intermediate, with changes. */
function chainOf(
  leafChange: Partial<CertificateTemplate> = {},
  middleChange: Partial<CertificateTemplate> = {},
) {
  const issuer = { ...middle, ...middleChange };
  return [makeCertificate({ ...leaf, issuer, ...leafChange }), makeCertificate(issuer)];
}

describe("a chain is trusted", () => {
  test("through an intermediate, in any order, among others", () => {
    const before = room.bytesInUse;
    const [end, between] = chainOf() as [Buffer, Buffer];
    const other = makeCertificate({ ...root, subject: "other", key: keyPair("ed25519", "other") });
    expect(alertFor([end, between])).toBe(0);
    expect(alertFor([end, other, between, makeCertificate(root)])).toBe(0);
    expect(alertFor([end, Buffer.from("no certificate"), between])).toBe(0);
    expect(room.bytesInUse).toBe(before);
  });

  test("when the leaf is trusted itself", () => {
    const own = makeCertificate({ ...leaf, issuer: { subject: "", key: leaf.key } });
    expect(alertFor([own], { roots: [own] })).toBe(0);
    expect(alertFor([own], { roots: [own], name: "other.test" })).toBe(BAD_CERTIFICATE);
    expect(alertFor([own])).toBe(UNKNOWN_CA);
  });

  test.each(["p256", "p384", "ed25519", "rsa"] as const)("when its issuer signs with %s", (kind) => {
    expect(alertFor(chainOf({}, { key: keyPair(kind, "issuer") }))).toBe(0);
  });

  test("through a second path when the first breaks a rule", () => {
    const barred = makeCertificate({ ...middle, pathLength: 0, excluded: { dns: ["example.test"] } });
    const [end, between] = chainOf() as [Buffer, Buffer];
    expect(alertFor([end, barred, between])).toBe(0);
    expect(alertFor([end, barred])).toBe(BAD_CERTIFICATE);
  });
});

describe("a name", () => {
  test.each([
    ["www.example.test", 0],
    ["WWW.example.TEST", 0],
    ["a.wild.test", 0],
    ["wild.test", BAD_CERTIFICATE],
    ["a.b.wild.test", BAD_CERTIFICATE],
    ["example.test", BAD_CERTIFICATE],
    ["xwww.example.test", BAD_CERTIFICATE],
    ["127.0.0.1", BAD_CERTIFICATE],
    ["", BAD_CERTIFICATE],
  ])("%s ends with %i", (name, alert) => {
    expect(alertFor(chainOf(), { name })).toBe(alert);
  });

  test.each([
    [[127, 0, 0, 1], 0],
    [[127, 0, 0, 2], BAD_CERTIFICATE],
    [Array.from({ length: 16 }, () => 0), BAD_CERTIFICATE],
  ])("%j is an address and ends with %i", (address, alert) => {
    expect(alertFor(chainOf(), { address })).toBe(alert);
  });

  test("counts only in subjectAltName, and no wildcard covers a whole domain", () => {
    const { names: _names, ...nameless } = leaf;
    const named = makeCertificate({ ...nameless, subject: "www.example.test" });
    expect(alertFor([named, makeCertificate(middle)])).toBe(BAD_CERTIFICATE);
    expect(alertFor(chainOf({ names: { dns: ["*.test"] } }), { name: "a.test" })).toBe(BAD_CERTIFICATE);
    expect(alertFor(chainOf({ names: { dns: ["w*.example.test"] } }))).toBe(BAD_CERTIFICATE);
  });
});

describe("a chain is refused", () => {
  const now = 1_800_000_000_000;
  const before = new Date(now - 1000);
  const after = new Date(now + 1000);

  test.each<[string, Partial<CertificateTemplate>, Partial<CertificateTemplate>, number]>([
    ["leaf expired", { notAfter: before }, {}, CERTIFICATE_EXPIRED],
    ["leaf not yet valid", { notBefore: after }, {}, CERTIFICATE_EXPIRED],
    ["intermediate expired", {}, { notAfter: before }, CERTIFICATE_EXPIRED],
    ["purpose of a client", { purposes: [clientAuth] }, {}, UNSUPPORTED_CERTIFICATE],
    ["issuer's purpose of a client", {}, { purposes: [clientAuth] }, UNSUPPORTED_CERTIFICATE],
    ["key that may not sign", { keyUsage: 0x20 }, {}, UNSUPPORTED_CERTIFICATE],
    ["issuer that may not issue", {}, { keyUsage: digitalSignature }, BAD_CERTIFICATE],
    ["issuer that is no authority", {}, { isCa: false }, BAD_CERTIFICATE],
    [
      "unknown critical extension",
      { extensions: [extension("1.2.3.4", true, der(0x05))] },
      {},
      UNSUPPORTED_CERTIFICATE,
    ],
    [
      "extension twice",
      { extensions: [extension("2.5.29.37", false, der(0x30, oid(serverAuth)))] },
      {},
      BAD_CERTIFICATE,
    ],
    ["issuer of another name", { issuer: { subject: "nobody", key: middle.key } }, {}, UNKNOWN_CA],
    [
      "signature by another key",
      { issuer: { subject: "middle", key: keyPair("rsa", "impostor") } },
      {},
      BAD_CERTIFICATE,
    ],
    [
      "algorithm of another kind of key",
      { issuer: { subject: "middle", key: keyPair("p256", "impostor") } },
      {},
      UNSUPPORTED_CERTIFICATE,
    ],
  ])("%s", (_name, leafChange, middleChange, alert) => {
    expect(alertFor(chainOf(leafChange, middleChange))).toBe(alert);
  });

  test("unless what is odd is harmless", () => {
    expect(alertFor(chainOf({ extensions: [extension("1.2.3.4", false, der(0x05))] }))).toBe(0);
    expect(alertFor(chainOf({ purposes: ["2.5.29.37.0"] }))).toBe(0);
    expect(alertFor(chainOf({}, { purposes: [serverAuth, clientAuth] }))).toBe(0);
  });

  test("without roots, and to a root that is no authority", () => {
    expect(alertFor(chainOf(), { roots: [] })).toBe(UNKNOWN_CA);
    const weak = makeCertificate({ ...root, isCa: false });
    expect(alertFor(chainOf(), { roots: [weak] })).toBe(BAD_CERTIFICATE);
  });

  test("longer than an issuer allows, or than is looked at", () => {
    const build = (count: number, firstLength: number | undefined): Buffer[] => {
      let issuer: CertificateTemplate = root;
      const made: Buffer[] = [];
      for (let index = 0; index < count; index++) {
        const limit = index === 0 && firstLength !== undefined ? { pathLength: firstLength } : {};
        issuer = {
          ...middle,
          subject: `middle ${index}`,
          key: keyPair("p256", `middle ${index}`),
          issuer,
          ...limit,
        };
        made.unshift(makeCertificate(issuer));
      }
      return [makeCertificate({ ...leaf, issuer }), ...made];
    };
    expect(alertFor(build(3, undefined))).toBe(0);
    expect(alertFor(build(3, 2))).toBe(0);
    expect(alertFor(build(3, 1))).toBe(BAD_CERTIFICATE);
    expect(alertFor(build(9, undefined))).toBe(0);
    expect(alertFor(build(10, undefined))).toBe(BAD_CERTIFICATE);
  });
});

describe("name constraints", () => {
  test.each<[string, Partial<CertificateTemplate>, number]>([
    ["permitted domain", { permitted: { dns: ["example.test", "wild.test"] } }, 0],
    ["not all names permitted", { permitted: { dns: ["example.test"] } }, BAD_CERTIFICATE],
    ["another domain permitted", { permitted: { dns: ["other.test"] } }, BAD_CERTIFICATE],
    ["end of a label is no domain", { permitted: { dns: ["ample.test", "wild.test"] } }, BAD_CERTIFICATE],
    ["excluded domain", { excluded: { dns: ["example.test"] } }, BAD_CERTIFICATE],
    ["excluded host under a wildcard", { excluded: { dns: ["a.wild.test"] } }, BAD_CERTIFICATE],
    ["excluded other domain", { excluded: { dns: ["other.test"] } }, 0],
    ["permitted network", { permitted: { ip: [[127, 0, 0, 0, 255, 0, 0, 0]] } }, 0],
    ["another network permitted", { permitted: { ip: [[10, 0, 0, 0, 255, 0, 0, 0]] } }, BAD_CERTIFICATE],
    ["excluded network", { excluded: { ip: [[127, 0, 0, 0, 255, 0, 0, 0]] } }, BAD_CERTIFICATE],
    [
      "malformed",
      { extensions: [extension("2.5.29.30", true, der(0x30, der(0xa0, der(0x30))))] },
      BAD_CERTIFICATE,
    ],
  ])("%s", (_name, change, alert) => {
    expect(alertFor(chainOf({}, change))).toBe(alert);
  });
});

describe("a certificate that is damaged", () => {
  test("at any byte or length is refused without a trap", () => {
    const [end, between] = chainOf() as [Buffer, Buffer];
    for (let at = 0; at < end.length; at += 3) {
      const damaged = Buffer.from(end);
      damaged[at]! ^= 1 << (at % 8);
      expect(alertFor([damaged, between])).toBeGreaterThan(0);
    }
    for (let length = 1; length < end.length; length += 5) {
      expect(alertFor([end.subarray(0, length), between])).toBe(BAD_CERTIFICATE);
    }
  });
});
