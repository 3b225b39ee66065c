// Certificates and keys in PEM for QUIC's TLS: chains go to the engine in DER, private keys stay here under a number.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { schemesOfKey } from "../crypto/signature.ts";

export interface KeyPair {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
}

/** A chain with its private key and the names it is chosen by. */
export interface Credential {
  readonly key: KeyObject;
  readonly chain: readonly Uint8Array[];
  readonly names: readonly string[];
  readonly schemes: readonly number[];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, as DER. Throws a TypeError when there are none. */
export function certificatesOf(pem: string | Uint8Array): Uint8Array[] {
  const text = typeof pem === "string" ? pem : new TextDecoder().decode(pem);
  const found = [...text.matchAll(CERTIFICATE)].map(([block]) => new X509Certificate(block).raw);
  if (found.length === 0) throw new TypeError("the certificate is not PEM: it has no BEGIN CERTIFICATE");
  return found;
}

/** Reads a key and its chain. `names`: the server names it is for; those of the certificate when left out. */
export function readCredential(
  pair: KeyPair,
  passphrase: string | undefined,
  names?: readonly string[],
): Credential {
  const key = createPrivateKey({
    key: typeof pair.key === "string" ? pair.key : Buffer.from(pair.key),
    format: "pem",
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  const chain = certificatesOf(pair.cert);
  const leaf = new X509Certificate(chain[0] as Uint8Array);
  if (!leaf.checkPrivateKey(key)) throw new TypeError("the private key is not the certificate's");
  const schemes = schemesOfKey(key);
  if (schemes.length === 0) {
    throw new TypeError(`TLS 1.3 has no signature for a key of type ${key.asymmetricKeyType ?? "unknown"}`);
  }
  return { key, chain, names: names ?? dnsNamesOf(leaf), schemes };
}

function dnsNamesOf(leaf: X509Certificate): string[] {
  const names = leaf.subjectAltName?.split(", ") ?? [];
  return names.filter((name) => name.startsWith("DNS:")).map((name) => name.slice(4).toLowerCase());
}
