/**
 * The extensions of a certificate, RFC 5280 §4.2: what the holder of the key may do.
 *
 * Reads the values that chain.ts decides by, and refuses what makes a certificate unusable at once: an extension twice, one that
 * is malformed, and a critical one that is not understood (§4.2).
 */
import { Status } from "../abi/status.ts";
import { Reader, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Certificate } from "./certificate.ts";
import { Tag, derIs, derNext, derRead } from "./der.ts";
import { Oid, oidOf } from "./oid.ts";
import { X509Status } from "./x509_status.ts";

/** Bits of `Certificate.has`. */
export const enum Has {
  IS_CA = 1,
  PATH_LENGTH = 2,
  KEY_USAGE = 4,
  PURPOSES = 8,
  SERVER_AUTH = 16,
  CLIENT_AUTH = 32,
}

/** Bits of keyUsage, as they lie in its first byte (§4.2.1.3). */
export const enum KeyUsage {
  DIGITAL_SIGNATURE = 0x80,
  KEY_CERT_SIGN = 0x04,
}

const TRUE: u32 = 0xff;

const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const entry = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const part = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const value = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Reads the extensions of a certificate that was read, into its record. */
export function readCertificateExtensions(certificate: Certificate): i32 {
  let seen: u32 = 0;
  readerOpen(list, certificate.extensionsPtr, certificate.extensionsLen);
  while (readerLeft(list) != 0) {
    derRead(list, Tag.SEQUENCE, entry);
    derRead(entry, Tag.OBJECT_IDENTIFIER, part);
    if (entry.failed != 0) return X509Status.MALFORMED;
    const oid = oidOf(part);
    let isCritical = false;
    if (derIs(entry, Tag.BOOLEAN)) {
      derRead(entry, Tag.BOOLEAN, part);
      isCritical = readU8(part) == TRUE;
      if (!readerIsExact(part) || !isCritical) return X509Status.MALFORMED;
    }
    derRead(entry, Tag.OCTET_STRING, value);
    if (!readerIsExact(entry)) return X509Status.MALFORMED;
    if (oid != Oid.UNKNOWN) {
      const bit: u32 = 1 << (<u32>oid);
      if ((seen & bit) != 0) return X509Status.MALFORMED;
      seen |= bit;
    }
    const status = readExtension(certificate, oid, isCritical);
    if (status < 0) return status;
  }
  return list.failed != 0 ? X509Status.MALFORMED : Status.OK;
}

function readExtension(certificate: Certificate, oid: Oid, isCritical: bool): i32 {
  switch (oid) {
    case Oid.BASIC_CONSTRAINTS:
      return readBasicConstraints(certificate);
    case Oid.KEY_USAGE:
      return readKeyUsage(certificate);
    case Oid.EXTENDED_KEY_USAGE:
      return readPurposes(certificate);
    case Oid.SUBJECT_ALT_NAME:
      derRead(value, Tag.SEQUENCE, inner);
      certificate.namesPtr = inner.at;
      certificate.namesLen = readerLeft(inner);
      // §4.2.1.6: at least one name.
      return readerIsExact(value) && readerLeft(inner) != 0 ? Status.OK : X509Status.MALFORMED;
    case Oid.NAME_CONSTRAINTS:
      derRead(value, Tag.SEQUENCE, inner);
      certificate.constraintsPtr = inner.at;
      certificate.constraintsLen = readerLeft(inner);
      return readerIsExact(value) && readerLeft(inner) != 0 ? Status.OK : X509Status.MALFORMED;
    case Oid.SUBJECT_KEY_IDENTIFIER:
      derRead(value, Tag.OCTET_STRING, inner);
      certificate.subjectKeyPtr = inner.at;
      certificate.subjectKeyLen = readerLeft(inner);
      return readerIsExact(value) ? Status.OK : X509Status.MALFORMED;
    case Oid.AUTHORITY_KEY_IDENTIFIER:
      return readAuthorityKey(certificate);
    // No policy is asked for, so none can be missing (§6.1.1 (e), (f), (g)).
    case Oid.CERTIFICATE_POLICIES:
    case Oid.POLICY_MAPPINGS:
    case Oid.INHIBIT_ANY_POLICY:
      return Status.OK;
  }
  return isCritical ? X509Status.CRITICAL_EXTENSION : Status.OK;
}

/** §4.2.1.9. */
function readBasicConstraints(certificate: Certificate): i32 {
  derRead(value, Tag.SEQUENCE, inner);
  if (derIs(inner, Tag.BOOLEAN)) {
    derRead(inner, Tag.BOOLEAN, part);
    if (readU8(part) != TRUE || !readerIsExact(part)) return X509Status.MALFORMED;
    certificate.has |= Has.IS_CA;
  }
  if (derIs(inner, Tag.INTEGER)) {
    derRead(inner, Tag.INTEGER, part);
    const len = readerLeft(part);
    const first = readU8(part);
    if (part.failed != 0 || first > 0x7f || (certificate.has & Has.IS_CA) == 0) return X509Status.MALFORMED;
    certificate.has |= Has.PATH_LENGTH;
    // A longer number is more than any path here has.
    certificate.pathLength = len == 1 ? first : u8.MAX_VALUE;
  }
  return readerIsExact(inner) && readerIsExact(value) ? Status.OK : X509Status.MALFORMED;
}

/** §4.2.1.3. */
function readKeyUsage(certificate: Certificate): i32 {
  derRead(value, Tag.BIT_STRING, inner);
  const unusedBits = readU8(inner);
  certificate.keyUsage = readU8(inner);
  certificate.has |= Has.KEY_USAGE;
  return inner.failed == 0 && unusedBits < 8 && readerIsExact(value) ? Status.OK : X509Status.MALFORMED;
}

/** §4.2.1.12. */
function readPurposes(certificate: Certificate): i32 {
  derRead(value, Tag.SEQUENCE, inner);
  if (!readerIsExact(value) || readerLeft(inner) == 0) return X509Status.MALFORMED;
  certificate.has |= Has.PURPOSES;
  while (readerLeft(inner) != 0) {
    derRead(inner, Tag.OBJECT_IDENTIFIER, part);
    if (inner.failed != 0) return X509Status.MALFORMED;
    const oid = oidOf(part);
    if (oid == Oid.SERVER_AUTH || oid == Oid.ANY_PURPOSE) certificate.has |= Has.SERVER_AUTH;
    if (oid == Oid.CLIENT_AUTH || oid == Oid.ANY_PURPOSE) certificate.has |= Has.CLIENT_AUTH;
  }
  return Status.OK;
}

/** §4.2.1.1: the identifier of the issuer's key, where it is given. */
function readAuthorityKey(certificate: Certificate): i32 {
  derRead(value, Tag.SEQUENCE, inner);
  if (!readerIsExact(value)) return X509Status.MALFORMED;
  if (derIs(inner, Tag.CONTEXT_0)) {
    derNext(inner, part);
    certificate.authorityKeyPtr = part.at;
    certificate.authorityKeyLen = readerLeft(part);
  }
  return inner.failed != 0 ? X509Status.MALFORMED : Status.OK;
}
