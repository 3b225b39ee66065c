/**
 * Statuses of certificates, -640 … -659 of the one list that begins in abi/status.ts: why a chain is not trusted. Which alert each
 * is on the wire says tls/tls_status.ts. Numbers are never renumbered.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum X509Status {
  /** Not DER, or not of the form of RFC 5280 §4.1. */
  MALFORMED = -640,
  /** A key or a signature of a kind that is not known here, or too weak. */
  ALGORITHM = -641,
  NOT_YET_VALID = -642,
  EXPIRED = -643,
  /** No path leads to a trust anchor. */
  UNKNOWN_ISSUER = -644,
  NAME_MISMATCH = -645,
  /** extKeyUsage or keyUsage speaks against what the certificate is used for. */
  PURPOSE = -646,
  NOT_A_CA = -647,
  PATH_TOO_LONG = -648,
  NAME_CONSTRAINT = -649,
  SIGNATURE = -650,
  /** A critical extension that is not known here. */
  CRITICAL_EXTENSION = -651,
}
