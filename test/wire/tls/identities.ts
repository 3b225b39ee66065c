// Certificates for tests, written in DER here and signed by node:crypto, so that each may be as right or as wrong as a test needs.

import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { SignatureScheme, schemesOfKey, signWith } from "../../../host/crypto/signature.ts";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type KeyKind = "p256" | "p384" | "ed25519" | "rsa";

const pairs = new Map<string, KeyPair>();

/** A key pair of this kind; the same `label` gives the same pair, since RSA keys take their time. */
export function keyPair(kind: KeyKind, label = ""): KeyPair {
  const name = kind + label;
  let pair = pairs.get(name);
  if (pair === undefined) {
    pair = makePair(kind);
    pairs.set(name, pair);
  }
  return pair;
}

function makePair(kind: KeyKind): KeyPair {
  switch (kind) {
    case "p256":
      return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    case "p384":
      return generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    case "ed25519":
      return generateKeyPairSync("ed25519");
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

export function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Uint8Array.of(tag, 0x81, length), content]);
  return Buffer.concat([Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

const sequence = (...contents: Uint8Array[]): Buffer => der(0x30, ...contents);
const text = (value: string): Buffer => Buffer.from(value, "latin1");

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Uint8Array.from(bytes));
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, text(commonName)))));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049. */
function timeOf(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? der(0x17, text(digits.slice(2))) : der(0x18, text(digits));
}

const signatureOids: Readonly<Record<number, Buffer>> = {
  [SignatureScheme.ECDSA_SECP256R1_SHA256]: sequence(oid("1.2.840.10045.4.3.2")),
  [SignatureScheme.ECDSA_SECP384R1_SHA384]: sequence(oid("1.2.840.10045.4.3.3")),
  [SignatureScheme.ED25519]: sequence(oid("1.3.101.112")),
  [SignatureScheme.RSA_PKCS1_SHA256]: sequence(oid("1.2.840.113549.1.1.11"), der(0x05)),
};

export interface GeneralNames {
  readonly dns?: readonly string[];
  /** Bytes of addresses; with a mask behind in name constraints. */
  readonly ip?: readonly number[][];
}

export interface CertificateTemplate {
  readonly subject: string;
  readonly key: KeyPair;
  /** Itself when absent. */
  readonly issuer?: { readonly subject: string; readonly key: KeyPair };
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly isCa?: boolean;
  readonly pathLength?: number;
  readonly names?: GeneralNames;
  /** Bits of keyUsage, the first being 0x80. */
  readonly keyUsage?: number;
  readonly purposes?: readonly string[];
  readonly permitted?: GeneralNames;
  readonly excluded?: GeneralNames;
  /** Extensions as they are, for what nothing here makes. */
  readonly extensions?: readonly Buffer[];
  readonly serial?: number;
}

export const serverAuth = "1.3.6.1.5.5.7.3.1";
export const clientAuth = "1.3.6.1.5.5.7.3.2";

export function extension(id: string, isCritical: boolean, value: Uint8Array): Buffer {
  const critical = isCritical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return sequence(oid(id), ...critical, der(0x04, value));
}

function generalNames({ dns = [], ip = [] }: GeneralNames): Buffer[] {
  return [
    ...dns.map((name) => der(0x82, text(name))),
    ...ip.map((bytes) => der(0x87, Uint8Array.from(bytes))),
  ];
}

function extensionsOf(template: CertificateTemplate): Buffer[] {
  const made: Buffer[] = [];
  if (template.isCa !== undefined) {
    const parts = template.isCa ? [der(0x01, Uint8Array.of(0xff))] : [];
    if (template.pathLength !== undefined) parts.push(der(0x02, Uint8Array.of(template.pathLength)));
    made.push(extension("2.5.29.19", true, sequence(...parts)));
  }
  if (template.keyUsage !== undefined) {
    made.push(extension("2.5.29.15", true, der(0x03, Uint8Array.of(0, template.keyUsage))));
  }
  if (template.purposes !== undefined) {
    made.push(extension("2.5.29.37", false, sequence(...template.purposes.map(oid))));
  }
  if (template.names !== undefined) {
    made.push(extension("2.5.29.17", false, sequence(...generalNames(template.names))));
  }
  if (template.permitted !== undefined || template.excluded !== undefined) {
    const trees = (names: GeneralNames): Buffer[] => generalNames(names).map((name) => sequence(name));
    const parts: Buffer[] = [];
    if (template.permitted !== undefined) parts.push(der(0xa0, ...trees(template.permitted)));
    if (template.excluded !== undefined) parts.push(der(0xa1, ...trees(template.excluded)));
    made.push(extension("2.5.29.30", true, sequence(...parts)));
  }
  return [...made, ...(template.extensions ?? [])];
}

/** A certificate as the template says, signed by its issuer's key. */
export function makeCertificate(template: CertificateTemplate): Buffer {
  const issuer = template.issuer ?? template;
  const scheme = certificateScheme(issuer.key.privateKey);
  const algorithm = signatureOids[scheme] as Buffer;
  const extensions = extensionsOf(template);
  const tbs = sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(template.serial ?? 1)),
    algorithm,
    nameOf(issuer.subject),
    sequence(
      timeOf(template.notBefore ?? new Date("2026-01-01")),
      timeOf(template.notAfter ?? new Date("2050-06-01")),
    ),
    nameOf(template.subject),
    template.key.publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const signature = signWith(issuer.key.privateKey, scheme, tbs);
  return sequence(tbs, algorithm, der(0x03, Uint8Array.of(0), signature));
}

function certificateScheme(key: KeyObject): SignatureScheme {
  if (key.asymmetricKeyType === "rsa") return SignatureScheme.RSA_PKCS1_SHA256;
  return schemesOfKey(key)[0]!;
}

/** A leaf for `names` with its own key, self-signed: for tests that do not look at chains. */
export function selfSigned(
  kind: KeyKind,
  ...names: string[]
): { key: KeyObject; chain: Buffer[]; names: string[] } {
  const key = keyPair(kind, names.join());
  const chain = [makeCertificate({ subject: names[0] ?? "test", key, names: { dns: names } })];
  return { key: key.privateKey, chain, names };
}
