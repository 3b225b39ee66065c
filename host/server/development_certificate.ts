// Certificates for development: a self-signed P-256 leaf for localhost, made by `selfsigned`.
//
// The library is loaded when a certificate is first made, since a server with a certificate of its own never needs it and
// should not wait for it. Nothing is stored unless asked: `cachedCertificate` keeps one below the user's cache folder, never
// in the project, so that a browser's exception outlives a restart.
//
// Invariant: a certificate is valid for no more than 13 days, is no authority, and speaks for this machine only. So it can be
// trusted by its hash (the WebTransport rule: ECDSA, at most 14 days) and a leaked key opens nothing else.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Key and certificate in PEM, as the option `tls` takes them. */
export interface DevelopmentCertificate {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 13;
/** A clock that is a little behind still finds a new certificate valid; counts into the 13 days. */
const BACKDATED_MS = 3_600_000;
/** A stored certificate is replaced when it has less than this left. */
const LEAST_LEFT_MS = DAY_MS;
/** subjectAltName, by RFC 5280 §4.2.1.6: 2 is a DNS name, 7 an address. */
const NAMES = [
  { type: 2, value: "localhost" },
  { type: 7, ip: "127.0.0.1" },
  { type: 7, ip: "::1" },
] as const;

/** A new certificate for localhost, 127.0.0.1 and ::1. */
export async function developmentCertificate(): Promise<DevelopmentCertificate> {
  const { generate } = await import("selfsigned");
  const notBeforeDate = new Date(Date.now() - BACKDATED_MS);
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate: new Date(notBeforeDate.getTime() + VALID_DAYS * DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [...NAMES] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** Writes `cert.pem` and `key.pem` to a folder, which is made; the key can be read by this user only. */
export async function writeCertificate(folder: string, certificate: DevelopmentCertificate): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(join(folder, "key.pem"), certificate.key, 0o600);
  await replaceFile(join(folder, "cert.pem"), certificate.cert, 0o644);
}

/** The certificate stored in a folder; a new one, stored there, when there is none or it soon ends. */
export async function cachedCertificate(folder: string = cacheFolder()): Promise<DevelopmentCertificate> {
  const stored = await readCertificate(folder);
  if (stored !== null) return stored;
  const made = await developmentCertificate();
  await writeCertificate(folder, made);
  return made;
}

async function readCertificate(folder: string): Promise<DevelopmentCertificate | null> {
  try {
    // Loaded here alone: what only a stored certificate needs should not slow the start of every server.
    const { createPrivateKey, X509Certificate } = await import("node:crypto");
    const [key, cert] = await Promise.all(
      ["key.pem", "cert.pem"].map((name) => readFile(join(folder, name), "utf8")),
    );
    const read = new X509Certificate(cert!);
    // The two files are replaced one after the other: a process between them leaves a pair that does not match.
    const isPair = read.checkPrivateKey(createPrivateKey(key!));
    const isLasting = Date.parse(read.validTo) - Date.now() > LEAST_LEFT_MS;
    return isPair && isLasting ? { key: key!, cert: cert! } : null;
  } catch {
    // Not there, or not readable as a certificate: either way a new one takes its place.
    return null;
  }
}

/** Where programs of this user keep what can be made again. */
function cacheFolder(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === "win32" && LOCALAPPDATA) return join(LOCALAPPDATA, "httpy");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "httpy");
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "httpy");
}

/** Readers see the old file or the new one, and a key is never readable by others, not even for a moment. */
async function replaceFile(file: string, contents: string, mode: number): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  await writeFile(beside, contents, { mode });
  await rename(beside, file);
}
