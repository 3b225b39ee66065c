/**
 * Which certificate answers which name, RFC 6066 §3 and RFC 9525 §6.3: an exact name before a wildcard before the default, and
 * among those that fit the first whose key can sign with a scheme that the client takes.
 *
 * A wildcard is the whole leftmost label and stands for exactly one. Names compare without regard to case.
 */
import { equalIgnoringCase, isWildcardOf } from "../x509/dns_name.ts";
import { TlsCertificate, TlsConfig, certificateScheme } from "./config.ts";
import { ExtensionType } from "./extension.ts";
import { list16Has } from "./client_hello.ts";

const enum Fit {
  NONE = 0,
  DEFAULT = 1,
  WILDCARD = 2,
  EXACT = 3,
}

/** The scheme that goes with what `chooseCertificate` answered. */
export let chosenScheme: u32 = 0;

/**
 * The best certificate for a name (`len` 0: none was given) by the signature_algorithms of the message that was read last.
 * 0 when no certificate has a common scheme, or there is none.
 */
export function chooseCertificate(config: TlsConfig, name: usize, len: u32): usize {
  let best: usize = 0;
  let bestFit: Fit = Fit.NONE;
  for (let at = config.certificates; at != 0; at = changetype<TlsCertificate>(at).next) {
    const certificate = changetype<TlsCertificate>(at);
    const fit = fitOf(certificate, name, len);
    if (fit <= bestFit) continue;
    const scheme = commonScheme(certificate);
    if (scheme == 0) continue;
    best = at;
    bestFit = fit;
    chosenScheme = scheme;
  }
  return best;
}

/** The first of the certificate's schemes that the peer takes; 0 for none. */
export function commonScheme(certificate: TlsCertificate): u32 {
  for (let index: u32 = 0; index < certificate.schemeCount; index++) {
    const scheme = certificateScheme(certificate, index);
    if (list16Has(ExtensionType.SIGNATURE_ALGORITHMS, scheme)) return scheme;
  }
  return 0;
}

function fitOf(certificate: TlsCertificate, name: usize, len: u32): Fit {
  let fit: Fit = Fit.DEFAULT;
  const end = certificate.names + certificate.namesLen;
  for (let at = certificate.names; at < end; at += 1 + <u32>load<u8>(at)) {
    const ownLen: u32 = load<u8>(at);
    if (equalIgnoringCase(at + 1, ownLen, name, len)) return Fit.EXACT;
    if (isWildcardOf(at + 1, ownLen, name, len)) fit = Fit.WILDCARD;
  }
  return fit;
}
