/**
 * The algorithm that a certificate is signed with, RFC 5280 §4.1.1.2, as a signature scheme of TLS (RFC 8446 §4.2.3).
 *
 * In a certificate ECDSA's scheme names only the hash; the curve is the key's. Parameters that differ from what the RFCs
 * prescribe (RFC 4055, RFC 5758, RFC 8410) make an algorithm unknown, and SHA-1 is not known at all.
 */
import { Reader, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Tag, derRead } from "./der.ts";
import { Oid, oidOf } from "./oid.ts";
import { KeyKind } from "./spki.ts";

/** RFC 8446 §4.2.3. Those of PKCS #1 appear in certificates only. */
export const enum SignatureScheme {
  NONE = 0,
  RSA_PKCS1_SHA256 = 0x0401,
  RSA_PKCS1_SHA384 = 0x0501,
  RSA_PKCS1_SHA512 = 0x0601,
  ECDSA_SECP256R1_SHA256 = 0x0403,
  ECDSA_SECP384R1_SHA384 = 0x0503,
  RSA_PSS_RSAE_SHA256 = 0x0804,
  RSA_PSS_RSAE_SHA384 = 0x0805,
  RSA_PSS_RSAE_SHA512 = 0x0806,
  ED25519 = 0x0807,
}

const NULL_TAG: u8 = 0x05;

const whole = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const algorithm = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const identifier = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const parameters = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const field = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const nested = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** The scheme of the AlgorithmIdentifier in [ptr, ptr + len); NONE when it is not known. */
export function schemeOfAlgorithm(ptr: usize, len: u32): SignatureScheme {
  readerOpen(whole, ptr, len);
  derRead(whole, Tag.SEQUENCE, algorithm);
  derRead(algorithm, Tag.OBJECT_IDENTIFIER, identifier);
  if (algorithm.failed != 0) return SignatureScheme.NONE;
  const oid = oidOf(identifier);
  switch (oid) {
    case Oid.SHA256_WITH_RSA:
      return isNullOrAbsent(algorithm) ? SignatureScheme.RSA_PKCS1_SHA256 : SignatureScheme.NONE;
    case Oid.SHA384_WITH_RSA:
      return isNullOrAbsent(algorithm) ? SignatureScheme.RSA_PKCS1_SHA384 : SignatureScheme.NONE;
    case Oid.SHA512_WITH_RSA:
      return isNullOrAbsent(algorithm) ? SignatureScheme.RSA_PKCS1_SHA512 : SignatureScheme.NONE;
    case Oid.ECDSA_WITH_SHA256:
      return readerLeft(algorithm) == 0 ? SignatureScheme.ECDSA_SECP256R1_SHA256 : SignatureScheme.NONE;
    case Oid.ECDSA_WITH_SHA384:
      return readerLeft(algorithm) == 0 ? SignatureScheme.ECDSA_SECP384R1_SHA384 : SignatureScheme.NONE;
    case Oid.ED25519:
      return readerLeft(algorithm) == 0 ? SignatureScheme.ED25519 : SignatureScheme.NONE;
    case Oid.RSA_PSS:
      return pssScheme();
  }
  return SignatureScheme.NONE;
}

/** Whether a key of `kind` can have made a signature of `scheme` in a certificate. */
export function isSchemeOfIssuer(scheme: SignatureScheme, kind: KeyKind): bool {
  switch (scheme) {
    case SignatureScheme.NONE:
      return false;
    case SignatureScheme.ECDSA_SECP256R1_SHA256:
    case SignatureScheme.ECDSA_SECP384R1_SHA384:
      return kind == KeyKind.P256 || kind == KeyKind.P384;
    case SignatureScheme.ED25519:
      return kind == KeyKind.ED25519;
  }
  return kind == KeyKind.RSA;
}

function isNullOrAbsent(reader: Reader): bool {
  if (readerLeft(reader) == 0) return true;
  return readerLeft(reader) == 2 && load<u8>(reader.at) == NULL_TAG && load<u8>(reader.at, 1) == 0;
}

/** RFC 4055 §3.1: hash, MGF1 with the same hash, and a salt as long as the digest. */
function pssScheme(): SignatureScheme {
  derRead(algorithm, Tag.SEQUENCE, parameters);
  if (!readerIsExact(algorithm)) return SignatureScheme.NONE;
  derRead(parameters, Tag.CONTEXT_CONSTRUCTED_0, field);
  derRead(field, Tag.SEQUENCE, nested);
  const hash = hashIn(nested);
  derRead(parameters, Tag.CONTEXT_CONSTRUCTED_1, field);
  derRead(field, Tag.SEQUENCE, nested);
  derRead(nested, Tag.OBJECT_IDENTIFIER, identifier);
  if (nested.failed != 0 || oidOf(identifier) != Oid.MGF1) return SignatureScheme.NONE;
  derRead(nested, Tag.SEQUENCE, inner);
  if (hashIn(inner) != hash) return SignatureScheme.NONE;
  derRead(parameters, Tag.CONTEXT_CONSTRUCTED_2, field);
  derRead(field, Tag.INTEGER, nested);
  const saltLen = readU8(nested);
  if (!readerIsExact(nested) || !readerIsExact(parameters)) return SignatureScheme.NONE;
  if (hash == Oid.SHA256 && saltLen == 32) return SignatureScheme.RSA_PSS_RSAE_SHA256;
  if (hash == Oid.SHA384 && saltLen == 48) return SignatureScheme.RSA_PSS_RSAE_SHA384;
  if (hash == Oid.SHA512 && saltLen == 64) return SignatureScheme.RSA_PSS_RSAE_SHA512;
  return SignatureScheme.NONE;
}

function hashIn(reader: Reader): Oid {
  derRead(reader, Tag.OBJECT_IDENTIFIER, identifier);
  if (reader.failed != 0 || !isNullOrAbsent(reader)) return Oid.UNKNOWN;
  return oidOf(identifier);
}
