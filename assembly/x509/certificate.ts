/**
 * A certificate, RFC 5280 §4.1: its DER walked once, and where each part lies.
 *
 * Decides only whether the certificate is well formed. What its extensions allow is read by extensions.ts, whether it may be
 * trusted is decided by chain.ts. Spans point into the bytes that were given, and live as long as they do.
 */
import { Reader, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Tag, derIs, derNext, derRead, derSkip } from "./der.ts";

/** One span per part, each address 0 and length 0 when the part is absent. */
@unmanaged
export class Certificate {
  ptr: usize;
  len: u32;
  /** What the issuer signed, tag and length included. */
  tbsPtr: usize;
  tbsLen: u32;
  /** The names, tag and length included, so that they compare as bytes. */
  issuerPtr: usize;
  issuerLen: u32;
  subjectPtr: usize;
  subjectLen: u32;
  /** notBefore and notAfter, tag and length included. */
  validityPtr: usize;
  validityLen: u32;
  /** SubjectPublicKeyInfo, tag and length included. */
  spkiPtr: usize;
  spkiLen: u32;
  /** The algorithm of the signature, tag and length included. */
  algorithmPtr: usize;
  algorithmLen: u32;
  signaturePtr: usize;
  signatureLen: u32;
  /** The content of the SEQUENCE of extensions. */
  extensionsPtr: usize;
  extensionsLen: u32;
  /** What extensions.ts reads: bits of Has, then values and spans that count where the extension is present. */
  has: u32;
  pathLength: u32;
  keyUsage: u32;
  /** The GeneralNames of subjectAltName. */
  namesPtr: usize;
  namesLen: u32;
  /** The content of nameConstraints. */
  constraintsPtr: usize;
  constraintsLen: u32;
  subjectKeyPtr: usize;
  subjectKeyLen: u32;
  authorityKeyPtr: usize;
  authorityKeyLen: u32;
}

const whole = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const outer = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const tbs = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const part = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Walks [ptr, ptr + len), which must be one certificate and nothing more, of version 3. */
export function readCertificate(certificate: Certificate, ptr: usize, len: u32): bool {
  memory.fill(changetype<usize>(certificate), 0, offsetof<Certificate>());
  certificate.ptr = ptr;
  certificate.len = len;
  readerOpen(whole, ptr, len);
  derRead(whole, Tag.SEQUENCE, outer);
  if (!readerIsExact(whole)) return false;
  certificate.tbsPtr = outer.at;
  derRead(outer, Tag.SEQUENCE, tbs);
  certificate.tbsLen = <u32>(outer.at - certificate.tbsPtr);
  certificate.algorithmPtr = outer.at;
  derSkip(outer, Tag.SEQUENCE);
  certificate.algorithmLen = <u32>(outer.at - certificate.algorithmPtr);
  derRead(outer, Tag.BIT_STRING, part);
  // The first byte counts unused bits: a signature is whole bytes.
  const unusedBits = readU8(part);
  certificate.signaturePtr = part.at;
  certificate.signatureLen = readerLeft(part);
  if (unusedBits != 0 || part.failed != 0 || !readerIsExact(outer)) return false;
  return readTbs(certificate);
}

/** RFC 5280 §4.1.2. */
function readTbs(certificate: Certificate): bool {
  // Only version 3 has extensions, and without them nothing says what a key may do.
  derRead(tbs, Tag.CONTEXT_CONSTRUCTED_0, part);
  derRead(part, Tag.INTEGER, inner);
  if (!readerIsExact(part) || readerLeft(inner) != 1 || load<u8>(inner.at) != 2) return false;
  derSkip(tbs, Tag.INTEGER);
  const algorithm = tbs.at;
  derSkip(tbs, Tag.SEQUENCE);
  // §4.1.1.2: this field MUST contain the same algorithm identifier as the one outside.
  const algorithmLen = <u32>(tbs.at - algorithm);
  if (tbs.failed != 0 || algorithmLen != certificate.algorithmLen) return false;
  if (memory.compare(algorithm, certificate.algorithmPtr, algorithmLen) != 0) return false;
  certificate.issuerPtr = tbs.at;
  derSkip(tbs, Tag.SEQUENCE);
  certificate.issuerLen = <u32>(tbs.at - certificate.issuerPtr);
  certificate.validityPtr = tbs.at;
  derSkip(tbs, Tag.SEQUENCE);
  certificate.validityLen = <u32>(tbs.at - certificate.validityPtr);
  certificate.subjectPtr = tbs.at;
  derSkip(tbs, Tag.SEQUENCE);
  certificate.subjectLen = <u32>(tbs.at - certificate.subjectPtr);
  certificate.spkiPtr = tbs.at;
  derSkip(tbs, Tag.SEQUENCE);
  certificate.spkiLen = <u32>(tbs.at - certificate.spkiPtr);
  if (tbs.failed != 0) return false;
  // issuerUniqueID and subjectUniqueID, which nobody uses.
  if (derIs(tbs, Tag.CONTEXT_1)) derNext(tbs, part);
  if (derIs(tbs, Tag.CONTEXT_2)) derNext(tbs, part);
  if (derIs(tbs, Tag.CONTEXT_CONSTRUCTED_3)) {
    derRead(tbs, Tag.CONTEXT_CONSTRUCTED_3, part);
    derRead(part, Tag.SEQUENCE, inner);
    if (!readerIsExact(part)) return false;
    certificate.extensionsPtr = inner.at;
    certificate.extensionsLen = readerLeft(inner);
  }
  return readerIsExact(tbs);
}
