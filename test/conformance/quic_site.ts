// What the suites of QUIC serve and fetch: files, the certificates of their server, and how what arrived is compared.

import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyPair, makeCertificate } from "../wire/tls/identities.ts";

export const SMALL = "small";
export const LARGE = "large";
const LARGE_BYTES = 1_000_000;
const LONG_CHAIN = 9;

/** Files, certificates and their hashes, below a folder of their own. */
export interface Site {
  readonly folder: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly chain: string;
  readonly longChain: string;
  readonly key: string;
  readonly ca: string;
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g) as string[];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** A root, `count - 1` authorities below it, each the next one's issuer, and a leaf for localhost. */
function makeChain(count: number): { chain: string; root: Uint8Array } {
  const authorities = Array.from({ length: count }, (_, index) => ({
    subject: `authority ${count} ${index}`,
    key: keyPair("p256", `authority${index}`),
  }));
  const common = {
    isCa: true,
    keyUsage: 0x06,
    notBefore: new Date("2026-01-01"),
    notAfter: new Date("2040-01-01"),
  };
  const certificates = authorities.map((authority, index) =>
    makeCertificate({
      ...authority,
      ...common,
      serial: 10 + index,
      issuer: authorities[Math.max(0, index - 1)]!,
    }),
  );
  const leaf = makeCertificate({
    subject: "localhost",
    key: keyPair("p256", "leaf"),
    issuer: authorities[count - 1]!,
    names: { dns: ["localhost"] },
    notBefore: new Date("2026-01-01"),
    notAfter: new Date("2040-01-01"),
    serial: 99,
    keyUsage: 0x80,
    purposes: ["1.3.6.1.5.5.7.3.1"],
    isCa: false,
  });
  const [first, ...rest] = certificates;
  return { chain: [leaf, ...rest.reverse()].map(pem).join(""), root: first! };
}

export function makeSite(): Site {
  const folder = mkdtempSync(join(tmpdir(), "hq-"));
  const files = new Map([
    [SMALL, randomBytes(100)],
    [LARGE, randomBytes(LARGE_BYTES)],
  ]);
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const short = makeChain(1);
  const long = makeChain(LONG_CHAIN);
  return {
    folder,
    files,
    chain: write("chain.pem", short.chain),
    longChain: write("long.pem", long.chain),
    key: write(
      "key.pem",
      keyPair("p256", "leaf").privateKey.export({ format: "pem", type: "pkcs8" }) as string,
    ),
    ca: write("ca.pem", pem(short.root) + pem(long.root)),
  };
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function assertEqual(name: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${name} is ${String(found)}, not ${String(wanted)}`);
}

export const many = (count: number, path: string): string[] => Array.from({ length: count }, () => path);

/** A UDP port that was free a moment ago, for a peer that cannot choose one. */
export async function freePort(host: string): Promise<number> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.bind(0, host);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}
