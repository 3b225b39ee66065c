/**
 * Whether the peer is who its certificate says: the chain (x509), and the signature that proves its key (RFC 8446 §4.4.3).
 *
 * Everything that can be decided without public-key cryptography is decided here; the signatures go to the host in one
 * question when CertificateVerify has come. VERIFY questions, numbers in network byte order:
 *
 *     u8 count, (u16 scheme, u16 length, SubjectPublicKeyInfo, u16 length, message, u16 length, signature) × count
 *         → how many of them hold, from the first to the first that does not
 *
 * The first is that of CertificateVerify, then those of the chain from the leaf up.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerLeft, readerOpen } from "../core/reader.ts";
import { slabAllocate } from "../core/slab.ts";
import { Writer, writeBytes, writeU16, writeU8, writerOpen } from "../core/writer.ts";
import { Certificate, readCertificate } from "../x509/certificate.ts";
import { KeyKind, keyKindOf } from "../x509/spki.ts";
import { SignatureScheme } from "./algorithm.ts";
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
import { readVector24 } from "./vector.ts";

/** Lengths and scheme of one signature to verify. */
const CHECK_HEAD_BYTES: u32 = 8;

const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const entry = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const question = changetype<Writer>(memory.data(offsetof<Writer>(), 4));
const leaf = changetype<Certificate>(memory.data(offsetof<Certificate>(), 4));
const signed: usize = memory.data(SIGNED_BYTES_MAX, 16);

/** Reads the leaf of the list that was taken: it must be a certificate with a key that can be used here. */
export function checkLeaf(session: TlsSession): i32 {
  if (!openLeaf(session)) return TlsStatus.CERTIFICATE_INVALID;
  if (keyKindOf(leaf.spkiPtr, leaf.spkiLen) == KeyKind.UNKNOWN) return TlsStatus.CERTIFICATE_UNSUPPORTED;
  return (session.config.flags & ConfigFlag.ANY_CERTIFICATE) != 0 ? Status.OK : TlsStatus.CERTIFICATE_INVALID;
}

/** Reads CertificateVerify and asks the host for every signature that the peer's identity rests on. */
export function wantVerification(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = readCertificateVerify(ptr, len);
  if (status < 0) return status;
  if (!openLeaf(session)) return TlsStatus.CERTIFICATE_INVALID;
  // RFC 8446 §4.2.3: a scheme names its curve too.
  if (!isSchemeOf(verifyScheme, keyKindOf(leaf.spkiPtr, leaf.spkiLen))) return TlsStatus.ILLEGAL_PARAMETER;
  const signer = session.role == TlsRole.CLIENT ? TlsRole.SERVER : TlsRole.CLIENT;
  const signedLen = writeSignedBytes(session, signer, signed);
  const questionLen = 1 + CHECK_HEAD_BYTES + leaf.spkiLen + signedLen + signatureLen;
  const block = slabAllocate(questionLen);
  if (block == 0) return TlsStatus.INTERNAL;
  writerOpen(question, block, questionLen);
  writeU8(question, 1);
  writeCheck(verifyScheme, signed, signedLen, signaturePtr, signatureLen);
  want(session, Wanted.VERIFY, block, questionLen);
  return Status.OK;
}

/** One signature by the key of `leaf`. */
function writeCheck(scheme: u32, ptr: usize, len: u32, signature: usize, signatureBytes: u32): void {
  writeU16(question, scheme);
  writeU16(question, leaf.spkiLen);
  writeBytes(question, leaf.spkiPtr, leaf.spkiLen);
  writeU16(question, len);
  writeBytes(question, ptr, len);
  writeU16(question, signatureBytes);
  writeBytes(question, signature, signatureBytes);
}

/** What the host's answer means: 0 for the peer's own proof, more for its chain. */
export function verificationStatus(session: TlsSession, validCount: u32): i32 {
  const count = <u32>load<u8>(session.wantedPtr);
  if (validCount >= count) return Status.OK;
  return validCount == 0 ? TlsStatus.SIGNATURE_INVALID : TlsStatus.CERTIFICATE_INVALID;
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
