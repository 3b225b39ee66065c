/**
 * Whether the peer is who its certificate says: the chain (x509/chain.ts), and the signature that proves its key (RFC 8446
 * §4.4.3).
 *
 * Everything that can be decided without public-key cryptography is decided here, when the list comes; the signatures go to the
 * host in one question when CertificateVerify has come. VERIFY questions, numbers in network byte order:
 *
 *     u8 count, (u16 scheme, u16 length, SubjectPublicKeyInfo, u16 length, message, u16 length, signature) × count
 *         → how many of them hold, from the first to the first that does not
 *
 * The first is that of CertificateVerify, then those of the chain from the leaf up. In those ECDSA's scheme names only the hash.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerLeft, readerOpen } from "../core/reader.ts";
import { SLAB_MAX, slabAllocate } from "../core/slab.ts";
import { Writer, writeBytes, writeU16, writeU8, writerOpen } from "../core/writer.ts";
import { Certificate, readCertificate } from "../x509/certificate.ts";
import {
  Purpose,
  chainAdd,
  chainBegin,
  chainCertificate,
  chainFind,
  chainIssuer,
  chainLength,
  chainScheme,
} from "../x509/chain.ts";
import { SignatureScheme } from "../x509/signature_algorithm.ts";
import { KeyKind, keyKindOf } from "../x509/spki.ts";
import { X509Status } from "../x509/x509_status.ts";
import {
  SIGNED_BYTES_MAX,
  readCertificateVerify,
  signatureLen,
  signaturePtr,
  verifyScheme,
  writeSignedBytes,
} from "./certificate_verify.ts";
import { ConfigFlag } from "./config.ts";
import { TlsRole, TlsSession, Wanted, want } from "./handshake.ts";
import { TlsStatus } from "./tls_status.ts";
import { readVector16, readVector24 } from "./vector.ts";

/** Lengths and scheme of one signature to verify. */
const CHECK_HEAD_BYTES: u32 = 8;

const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const entry = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const question = changetype<Writer>(memory.data(offsetof<Writer>(), 4));
const leaf = changetype<Certificate>(memory.data(offsetof<Certificate>(), 8));
const signed: usize = memory.data(SIGNED_BYTES_MAX, 16);

/** Checks the list that was taken, all but its signatures. */
export function checkCertificates(session: TlsSession): i32 {
  if (!openLeaf(session)) return X509Status.MALFORMED;
  if (keyKindOf(leaf.spkiPtr, leaf.spkiLen) == KeyKind.UNKNOWN) return X509Status.ALGORITHM;
  return findChain(session);
}

/** Reads CertificateVerify and asks the host for every signature that the peer's identity rests on. */
export function wantVerification(session: TlsSession, ptr: usize, len: u32): i32 {
  let status = readCertificateVerify(ptr, len);
  if (status < 0) return status;
  if (!openLeaf(session)) return X509Status.MALFORMED;
  // RFC 8446 §4.2.3: a scheme names its curve too.
  if (!isSchemeOf(verifyScheme, keyKindOf(leaf.spkiPtr, leaf.spkiLen))) return TlsStatus.ILLEGAL_PARAMETER;
  const signer = session.role == TlsRole.CLIENT ? TlsRole.SERVER : TlsRole.CLIENT;
  const signedLen = writeSignedBytes(session, signer, signed);
  // The chain is found again rather than kept: other sessions have been here since.
  status = findChain(session);
  if (status < 0) return status;
  const chainCount = isChainChecked(session) ? chainLength() : 0;
  let questionLen: u32 = 1 + CHECK_HEAD_BYTES + leaf.spkiLen + signedLen + signatureLen;
  for (let index: u32 = 0; index < chainCount; index++) {
    const certificate = chainCertificate(index);
    questionLen +=
      CHECK_HEAD_BYTES + chainIssuer(index).spkiLen + certificate.tbsLen + certificate.signatureLen;
  }
  if (questionLen > SLAB_MAX) return TlsStatus.CERTIFICATE_INVALID;
  const block = slabAllocate(questionLen);
  if (block == 0) return TlsStatus.INTERNAL;
  writerOpen(question, block, questionLen);
  writeU8(question, 1 + chainCount);
  writeCheck(verifyScheme, leaf, signed, signedLen, signaturePtr, signatureLen);
  for (let index: u32 = 0; index < chainCount; index++) {
    const certificate = chainCertificate(index);
    writeCheck(
      chainScheme(index),
      chainIssuer(index),
      certificate.tbsPtr,
      certificate.tbsLen,
      certificate.signaturePtr,
      certificate.signatureLen,
    );
  }
  want(session, Wanted.VERIFY, block, questionLen);
  return Status.OK;
}

/** What the host's answer means: 0 for the peer's own proof, more for its chain. */
export function verificationStatus(session: TlsSession, validCount: u32): i32 {
  const count = <u32>load<u8>(session.wantedPtr);
  if (validCount >= count) return Status.OK;
  return validCount == 0 ? TlsStatus.SIGNATURE_INVALID : X509Status.SIGNATURE;
}

// @ts-ignore: decorator
@inline
function isChainChecked(session: TlsSession): bool {
  return (session.config.flags & ConfigFlag.ANY_CERTIFICATE) == 0;
}

/** Finds the path from the peer's leaf to a root of the config. */
function findChain(session: TlsSession): i32 {
  if (!isChainChecked(session)) return Status.OK;
  chainBegin();
  readerOpen(list, session.peerCertificatesPtr, session.peerCertificatesLen);
  while (readerLeft(list) != 0) {
    readVector24(list, entry);
    chainAdd(entry.at, readerLeft(entry));
    readVector16(list, entry);
  }
  const roots = session.config.roots;
  const nowMs = session.nowMs;
  if (session.role == TlsRole.SERVER) return chainFind(roots, Purpose.CLIENT, 0, 0, false, nowMs);
  // Without a name there is nobody that the server could be.
  if (session.serverNameLen == 0) return X509Status.NAME_MISMATCH;
  return chainFind(
    roots,
    Purpose.SERVER,
    session.serverNamePtr,
    session.serverNameLen,
    session.isServerAddress,
    nowMs,
  );
}

/** One signature by the key of `signer`. */
function writeCheck(
  scheme: u32,
  signer: Certificate,
  ptr: usize,
  len: u32,
  signature: usize,
  signatureBytes: u32,
): void {
  writeU16(question, scheme);
  writeU16(question, signer.spkiLen);
  writeBytes(question, signer.spkiPtr, signer.spkiLen);
  writeU16(question, len);
  writeBytes(question, ptr, len);
  writeU16(question, signatureBytes);
  writeBytes(question, signature, signatureBytes);
}

function openLeaf(session: TlsSession): bool {
  readerOpen(list, session.peerCertificatesPtr, session.peerCertificatesLen);
  readVector24(list, entry);
  return readCertificate(leaf, entry.at, readerLeft(entry));
}

function isSchemeOf(scheme: u32, kind: KeyKind): bool {
  switch (kind) {
    case KeyKind.RSA:
      return isRsaPss(scheme);
    case KeyKind.P256:
      return scheme == SignatureScheme.ECDSA_SECP256R1_SHA256;
    case KeyKind.P384:
      return scheme == SignatureScheme.ECDSA_SECP384R1_SHA384;
    case KeyKind.ED25519:
      return scheme == SignatureScheme.ED25519;
  }
  return false;
}

function isRsaPss(scheme: u32): bool {
  switch (scheme) {
    case SignatureScheme.RSA_PSS_RSAE_SHA256:
    case SignatureScheme.RSA_PSS_RSAE_SHA384:
    case SignatureScheme.RSA_PSS_RSAE_SHA512:
      return true;
  }
  return false;
}
