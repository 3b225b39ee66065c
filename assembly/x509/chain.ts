/**
 * Whether a peer's certificates lead to a trust anchor, RFC 5280 §6: a path is searched, and every rule checked but the
 * signatures, which only the host can verify.
 *
 * `chainBegin`, `chainAdd` for each certificate as the peer sent them, the leaf first, then `chainFind`. What it found is the list
 * of signatures to verify: certificate 0 … chainLength() - 1, each by the key of its issuer. The path is chosen before any
 * signature is looked at, by names and key identifiers; a signature that then does not hold refuses the chain.
 *
 * A leaf that is itself a trust anchor needs no signature (a development certificate that its user trusts). Revocation is not
 * checked. Search is bounded: at most PATH_MAX certificates on a path and TRY_COUNT_MAX issuers tried in all.
 */
import { Status } from "../abi/status.ts";
import { Certificate, readCertificate } from "./certificate.ts";
import { Has, KeyUsage, readCertificateExtensions } from "./extensions.ts";
import { checkNameConstraints, isCertificateOf } from "./names.ts";
import { SignatureScheme, isSchemeOfIssuer, schemeOfAlgorithm } from "./signature_algorithm.ts";
import { KeyKind, keyKindOf } from "./spki.ts";
import { checkValidity } from "./time.ts";
import { TrustAnchor, trustAnchorDer } from "./trust_anchor.ts";
import { X509Status } from "./x509_status.ts";

/** What the leaf's key is used for, as a bit of Certificate.has. */
export const enum Purpose {
  SERVER = Has.SERVER_AUTH,
  CLIENT = Has.CLIENT_AUTH,
}

const SENT_MAX: u32 = 16;
const PATH_MAX: u32 = 10;
const TRY_COUNT_MAX: u32 = 32;

const RECORD_BYTES: u32 = offsetof<Certificate>();
const sent: usize = memory.data(SENT_MAX * RECORD_BYTES, 8);
const anchor = changetype<Certificate>(memory.data(RECORD_BYTES, 8));
/** Indices into `sent` of the path, the leaf first. */
const path: usize = memory.data(PATH_MAX * 4, 4);
let sentCount: u32 = 0;
let sentStatus: i32 = Status.OK;
let usedMask: u32 = 0;
let pathLength: u32 = 0;
let signatureCount: u32 = 0;
let triesLeft: u32 = 0;
let purposeBit: u32 = 0;
let nowMs: f64 = 0;
/** The most telling reason why no path was found. */
let reason: i32 = Status.OK;

export function chainBegin(): void {
  sentCount = 0;
  sentStatus = Status.OK;
}

/** The next certificate that the peer sent. One that cannot be read is passed over, unless it is the leaf. */
export function chainAdd(ptr: usize, len: u32): void {
  if (sentCount == SENT_MAX) return;
  const certificate = sentAt(sentCount);
  let status: i32 = readCertificate(certificate, ptr, len) ? Status.OK : X509Status.MALFORMED;
  if (status == Status.OK) status = readCertificateExtensions(certificate);
  if (status < 0 && sentCount == 0 && sentStatus == Status.OK) sentStatus = status;
  if (status == Status.OK && sentStatus == Status.OK) sentCount++;
}

/**
 * Finds a path from the leaf to one of the anchors at `anchors`. The leaf must be for `purpose` and, unless `nameLen` is 0, for
 * the name or address.
 */
export function chainFind(
  anchors: usize,
  purpose: Purpose,
  name: usize,
  nameLen: u32,
  isAddress: bool,
  unixMs: f64,
): i32 {
  signatureCount = 0;
  if (sentStatus < 0) return sentStatus;
  if (sentCount == 0) return X509Status.MALFORMED;
  purposeBit = purpose;
  nowMs = unixMs;
  const leaf = sentAt(0);
  const status = checkLeafUse(leaf);
  if (status < 0) return status;
  if (nameLen != 0 && !isCertificateOf(leaf, name, nameLen, isAddress)) return X509Status.NAME_MISMATCH;
  if (isAnchor(leaf, anchors)) return Status.OK;
  store<u32>(path, 0);
  pathLength = 1;
  usedMask = 1;
  triesLeft = TRY_COUNT_MAX;
  reason = X509Status.UNKNOWN_ISSUER;
  return extend(anchors) ? Status.OK : reason;
}

/** How many signatures there are to verify on the path that was found. */
export function chainLength(): u32 {
  return signatureCount;
}

/** A certificate of the path, the leaf being 0. */
export function chainCertificate(index: u32): Certificate {
  return sentAt(load<u32>(path + (index << 2)));
}

/** Whose key signed the certificate `index`. */
export function chainIssuer(index: u32): Certificate {
  return index + 1 < pathLength ? chainCertificate(index + 1) : anchor;
}

/** Tries every issuer of the path's last certificate, the anchors first. */
function extend(anchors: usize): bool {
  const last = chainCertificate(pathLength - 1);
  for (let at = anchors; at != 0; at = changetype<TrustAnchor>(at).next) {
    if (!readAnchor(changetype<TrustAnchor>(at), last)) continue;
    if (triesLeft == 0) return false;
    triesLeft--;
    const status = checkIssuer(anchor);
    if (status == Status.OK) {
      signatureCount = pathLength;
      return true;
    }
    reason = status;
  }
  if (pathLength == PATH_MAX) {
    reason = X509Status.PATH_TOO_LONG;
    return false;
  }
  for (let index: u32 = 1; index < sentCount; index++) {
    const issuer = sentAt(index);
    if ((usedMask & (1 << index)) != 0 || !isNamedBy(issuer, last)) continue;
    if (triesLeft == 0) return false;
    triesLeft--;
    let status = checkIssuer(issuer);
    if (status == Status.OK) status = checkValidity(issuer, nowMs);
    if (status < 0) {
      reason = status;
      continue;
    }
    store<u32>(path + (pathLength << 2), index);
    pathLength++;
    usedMask |= 1 << index;
    if (extend(anchors)) return true;
    usedMask &= ~(1 << index);
    pathLength--;
  }
  return false;
}

/** Reads an anchor into `anchor`, if its name is that of the issuer. */
function readAnchor(trusted: TrustAnchor, certificate: Certificate): bool {
  if (!readCertificate(anchor, trustAnchorDer(trusted), trusted.len)) return false;
  if (readCertificateExtensions(anchor) < 0) return false;
  return isNamedBy(anchor, certificate);
}

/** §6.1.3 (a) (4), and the identifiers of §4.2.1.1 and §4.2.1.2 where both are given. */
function isNamedBy(issuer: Certificate, certificate: Certificate): bool {
  if (issuer.subjectLen != certificate.issuerLen) return false;
  if (memory.compare(issuer.subjectPtr, certificate.issuerPtr, issuer.subjectLen) != 0) return false;
  const keyLen = certificate.authorityKeyLen;
  if (keyLen == 0 || issuer.subjectKeyLen == 0) return true;
  if (keyLen != issuer.subjectKeyLen) return false;
  return memory.compare(certificate.authorityKeyPtr, issuer.subjectKeyPtr, keyLen) == 0;
}

/** Whether `issuer` may issue the path as it is so far: §6.1.4 (k) to (n), (g). */
function checkIssuer(issuer: Certificate): i32 {
  if ((issuer.has & Has.IS_CA) == 0) return X509Status.NOT_A_CA;
  if ((issuer.has & Has.KEY_USAGE) != 0 && (issuer.keyUsage & KeyUsage.KEY_CERT_SIGN) == 0) {
    return X509Status.NOT_A_CA;
  }
  if ((issuer.has & Has.PURPOSES) != 0 && (issuer.has & purposeBit) == 0) return X509Status.PURPOSE;
  const last = chainCertificate(pathLength - 1);
  const kind = keyKindOf(issuer.spkiPtr, issuer.spkiLen);
  if (kind == KeyKind.UNKNOWN) return X509Status.ALGORITHM;
  const scheme = schemeOfAlgorithm(last.algorithmPtr, last.algorithmLen);
  if (!isSchemeOfIssuer(scheme, kind)) return X509Status.ALGORITHM;
  let intermediateCount: u32 = 0;
  for (let index: u32 = 0; index < pathLength; index++) {
    const below = chainCertificate(index);
    // §6.1.3 (b), §6.1.4 (l): a self-issued certificate counts only as the last of its path.
    if (index != 0 && isSelfIssued(below)) continue;
    if (index != 0) intermediateCount++;
    const status = checkNameConstraints(issuer, below);
    if (status < 0) return status;
  }
  const isLimited = (issuer.has & Has.PATH_LENGTH) != 0;
  return isLimited && intermediateCount > issuer.pathLength ? X509Status.PATH_TOO_LONG : Status.OK;
}

/** §4.2.1.3, §4.2.1.12: what the leaf's key may be used for, and when. */
function checkLeafUse(leaf: Certificate): i32 {
  if (keyKindOf(leaf.spkiPtr, leaf.spkiLen) == KeyKind.UNKNOWN) return X509Status.ALGORITHM;
  const status = checkValidity(leaf, nowMs);
  if (status < 0) return status;
  if ((leaf.has & Has.PURPOSES) != 0 && (leaf.has & purposeBit) == 0) return X509Status.PURPOSE;
  const isSigning = (leaf.keyUsage & KeyUsage.DIGITAL_SIGNATURE) != 0;
  return (leaf.has & Has.KEY_USAGE) == 0 || isSigning ? Status.OK : X509Status.PURPOSE;
}

function isAnchor(leaf: Certificate, anchors: usize): bool {
  for (let at = anchors; at != 0; at = changetype<TrustAnchor>(at).next) {
    const trusted = changetype<TrustAnchor>(at);
    if (trusted.len == leaf.len && memory.compare(trustAnchorDer(trusted), leaf.ptr, leaf.len) == 0)
      return true;
  }
  return false;
}

function isSelfIssued(certificate: Certificate): bool {
  if (certificate.issuerLen != certificate.subjectLen) return false;
  return memory.compare(certificate.issuerPtr, certificate.subjectPtr, certificate.subjectLen) == 0;
}

/** The scheme that a certificate of the path is signed with. */
export function chainScheme(index: u32): SignatureScheme {
  const certificate = chainCertificate(index);
  return schemeOfAlgorithm(certificate.algorithmPtr, certificate.algorithmLen);
}

// @ts-ignore: decorator
@inline
function sentAt(index: u32): Certificate {
  return changetype<Certificate>(sent + index * RECORD_BYTES);
}
