// Certificates for development: what they say, how long they last, and how the stored one is kept.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { cachedCertificate, developmentCertificate, writeCertificate } from "../../../host/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "httpy-certificate-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

test("a certificate is a P-256 leaf for this machine, valid now and for no more than 13 days", async () => {
  const { cert } = await developmentCertificate();
  const read = new X509Certificate(cert);
  expect(read.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(read.ca).toBe(false);
  expect(read.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  const [from, to] = [Date.parse(read.validFrom), Date.parse(read.validTo)];
  expect(from).toBeLessThan(Date.now());
  expect(to - from).toBeLessThanOrEqual(13 * 86_400_000);
});

test("two certificates have different keys", async () => {
  const [one, other] = await Promise.all([developmentCertificate(), developmentCertificate()]);
  expect(one.key).not.toBe(other.key);
});

test.skipIf(process.platform === "win32")("a written key can be read by its owner only", async () => {
  const inner = join(folder, "made", "on the way");
  await writeCertificate(inner, await developmentCertificate());
  expect(readdirSync(inner).sort()).toEqual(["cert.pem", "key.pem"]);
  expect(statSync(join(inner, "key.pem")).mode & 0o777).toBe(0o600);
  chmodSync(join(inner, "key.pem"), 0o644);
  await writeCertificate(inner, await developmentCertificate());
  expect(statSync(join(inner, "key.pem")).mode & 0o777).toBe(0o600);
});

test("a stored certificate is used again", async () => {
  const first = await cachedCertificate(folder);
  expect(await cachedCertificate(folder)).toEqual(first);
  expect(readFileSync(join(folder, "cert.pem"), "utf8")).toBe(first.cert);
});

test("a stored certificate that soon ends is replaced", async () => {
  const { generate } = await import("selfsigned");
  const old = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    notAfterDate: new Date(Date.now() + 3_600_000),
  });
  await writeCertificate(folder, { key: old.private, cert: old.cert });
  const { cert } = await cachedCertificate(folder);
  expect(cert).not.toBe(old.cert);
  expect(readFileSync(join(folder, "cert.pem"), "utf8")).toBe(cert);
});

test("a stored certificate that is none, or not the key's, is replaced", async () => {
  writeFileSync(join(folder, "cert.pem"), "no certificate");
  writeFileSync(join(folder, "key.pem"), "no key");
  expect((await cachedCertificate(folder)).cert).toContain("BEGIN CERTIFICATE");
  writeFileSync(join(folder, "key.pem"), (await developmentCertificate()).key);
  const { cert, key } = await cachedCertificate(folder);
  expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
});
