/**
 * The names of a certificate: whether one of them is the peer's (RFC 9525 §6), and whether an issuer may vouch for them all
 * (nameConstraints, RFC 5280 §4.2.1.10).
 *
 * Only subjectAltName counts; the common name does not. DNS names, addresses and directory names are understood. Where a
 * constraint is on another form of name and the certificate has a name of that form, it is refused.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Certificate } from "./certificate.ts";
import { Tag, derIs, derNext, derRead } from "./der.ts";
import { equalIgnoringCase, isWildcardOf, isWithin } from "./dns_name.ts";
import { X509Status } from "./x509_status.ts";

/** Tags of GeneralName (§4.2.1.6). */
const DNS_NAME: u32 = Tag.CONTEXT_2;
const IP_ADDRESS: u32 = Tag.CONTEXT_7;
const DIRECTORY_NAME: u32 = Tag.CONTEXT_CONSTRUCTED_4;
/** Names times subtrees: a certificate of 64 KiB could ask for a hundred million comparisons. */
const COMPARISON_COUNT_MAX: u32 = 65536;

const names = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const name = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const constraints = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const permitted = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const excluded = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const trees = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const tree = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const base = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const directory = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const parts = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const baseParts = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
let baseTag: u32 = 0;
let comparisonsLeft: u32 = 0;

/** Whether the certificate is for this DNS name, or this address of 4 or 16 bytes. */
export function isCertificateOf(certificate: Certificate, ptr: usize, len: u32, isAddress: bool): bool {
  readerOpen(names, certificate.namesPtr, certificate.namesLen);
  while (readerLeft(names) != 0) {
    const tag = derNext(names, name);
    if (names.failed != 0) return false;
    const nameLen = readerLeft(name);
    if (isAddress) {
      if (tag == IP_ADDRESS && nameLen == len && memory.compare(name.at, ptr, len) == 0) return true;
    } else if (tag == DNS_NAME) {
      if (equalIgnoringCase(name.at, nameLen, ptr, len) || isWildcardOf(name.at, nameLen, ptr, len))
        return true;
    }
  }
  return false;
}

/** Whether `issuer` may vouch for every name of `certificate`. */
export function checkNameConstraints(issuer: Certificate, certificate: Certificate): i32 {
  if (issuer.constraintsLen == 0) return Status.OK;
  readerOpen(constraints, issuer.constraintsPtr, issuer.constraintsLen);
  openTrees(Tag.CONTEXT_CONSTRUCTED_0, permitted);
  openTrees(Tag.CONTEXT_CONSTRUCTED_1, excluded);
  if (!readerIsExact(constraints)) return X509Status.MALFORMED;
  comparisonsLeft = COMPARISON_COUNT_MAX;
  // §4.2.1.10: the subject counts as a directory name, unless it is empty.
  readerOpen(names, certificate.subjectPtr, certificate.subjectLen);
  derRead(names, Tag.SEQUENCE, name);
  if (readerLeft(name) != 0) {
    const status = checkName(DIRECTORY_NAME, certificate.subjectPtr, certificate.subjectLen);
    if (status < 0) return status;
  }
  readerOpen(names, certificate.namesPtr, certificate.namesLen);
  while (readerLeft(names) != 0) {
    const tag = derNext(names, name);
    if (names.failed != 0) return X509Status.MALFORMED;
    const status = checkName(tag, name.at, readerLeft(name));
    if (status < 0) return status;
  }
  return Status.OK;
}

function openTrees(tag: Tag, inside: Reader): void {
  readerOpen(inside, 0, 0);
  if (derIs(constraints, tag)) derNext(constraints, inside);
}

function checkName(tag: u32, ptr: usize, len: u32): i32 {
  let isAnyPermitted = false;
  let isPermitted = false;
  readerOpen(trees, permitted.at, readerLeft(permitted));
  while (readerLeft(trees) != 0) {
    if (!nextTree()) return X509Status.MALFORMED;
    if (baseTag != tag) continue;
    isAnyPermitted = true;
    if (isOf(tag, ptr, len)) isPermitted = true;
  }
  if (isAnyPermitted && !isPermitted) return X509Status.NAME_CONSTRAINT;
  readerOpen(trees, excluded.at, readerLeft(excluded));
  while (readerLeft(trees) != 0) {
    if (!nextTree()) return X509Status.MALFORMED;
    if (baseTag != tag) continue;
    if (isOf(tag, ptr, len) || !isUnderstood(tag)) return X509Status.NAME_CONSTRAINT;
    // A wildcard covers names that may be excluded.
    if (tag == DNS_NAME && isWildcardOf(ptr, len, base.at, readerLeft(base)))
      return X509Status.NAME_CONSTRAINT;
  }
  return Status.OK;
}

/** Opens `base` on the next subtree's. §4.2.1.10: minimum is zero and maximum absent, so nothing follows. */
function nextTree(): bool {
  if (comparisonsLeft == 0) return false;
  comparisonsLeft--;
  derRead(trees, Tag.SEQUENCE, tree);
  baseTag = derNext(tree, base);
  return trees.failed == 0 && readerIsExact(tree);
}

function isUnderstood(tag: u32): bool {
  return tag == DNS_NAME || tag == IP_ADDRESS || tag == DIRECTORY_NAME;
}

/** Whether a name lies in the subtree of `base`. */
function isOf(tag: u32, ptr: usize, len: u32): bool {
  const baseLen = readerLeft(base);
  if (tag == DNS_NAME) return isWithin(ptr, len, base.at, baseLen);
  if (tag == IP_ADDRESS) return baseLen == 2 * len && isInNetwork(ptr, len);
  return tag == DIRECTORY_NAME && isBelow(ptr, len);
}

/** An address, and a network followed by its mask. */
function isInNetwork(ptr: usize, len: u32): bool {
  for (let index: u32 = 0; index < len; index++) {
    const mask = load<u8>(base.at + len + index);
    if ((load<u8>(ptr + index) & mask) != (load<u8>(base.at + index) & mask)) return false;
  }
  return true;
}

/** Whether a directory name begins with all of the base's parts, which compare as bytes. */
function isBelow(ptr: usize, len: u32): bool {
  readerOpen(directory, ptr, len);
  derRead(directory, Tag.SEQUENCE, parts);
  readerOpen(directory, base.at, readerLeft(base));
  derRead(directory, Tag.SEQUENCE, baseParts);
  if (directory.failed != 0 || readerLeft(baseParts) > readerLeft(parts)) return false;
  return memory.compare(baseParts.at, parts.at, readerLeft(baseParts)) == 0;
}
