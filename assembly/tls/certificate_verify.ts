/**
 * CertificateVerify, RFC 8446 §4.4.3: a signature over the transcript by the key of the certificate.
 *
 * What is signed is made here; the host signs and verifies. SIGN questions, numbers in network byte order:
 *
 *     u32 keyId, u16 scheme, the bytes to be signed → the signature (DER for ECDSA)
 */
import { Status } from "../abi/status.ts";
import { Reader, readU16, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { slabAllocate } from "../core/slab.ts";
import { writeBytes, writeU16 } from "../core/writer.ts";
import { HASH_LENGTH_MAX, hashLength } from "../crypto/hash.ts";
import { isHandshakeScheme } from "./algorithm.ts";
import { draft, draftBegin, draftSend } from "./draft.ts";
import { TlsRole, TlsSession, Wanted, hashOfSession, transcriptOf, want } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType } from "./handshake_type.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptDigest } from "./transcript.ts";
import { readVector16 } from "./vector.ts";

const PADDING_BYTES: u32 = 64;
const SERVER_CONTEXT = "TLS 1.3, server CertificateVerify";
const CLIENT_CONTEXT = "TLS 1.3, client CertificateVerify";
const CONTEXT_BYTES: u32 = 33;
export const SIGNED_BYTES_MAX: u32 = PADDING_BYTES + CONTEXT_BYTES + 1 + HASH_LENGTH_MAX;

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const signature = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

export let verifyScheme: u32 = 0;
export let signaturePtr: usize = 0;
export let signatureLen: u32 = 0;

/** Writes what `signer` signs at this point of the transcript to `dest`. Answers its length. */
export function writeSignedBytes(session: TlsSession, signer: TlsRole, dest: usize): u32 {
  memory.fill(dest, 0x20, PADDING_BYTES);
  const context = signer == TlsRole.SERVER ? SERVER_CONTEXT : CLIENT_CONTEXT;
  for (let index: u32 = 0; index < CONTEXT_BYTES; index++) {
    store<u8>(dest + PADDING_BYTES + index, load<u8>(changetype<usize>(context) + (index << 1)));
  }
  store<u8>(dest + PADDING_BYTES + CONTEXT_BYTES, 0);
  transcriptDigest(transcriptOf(session.handshake), dest + PADDING_BYTES + CONTEXT_BYTES + 1);
  return PADDING_BYTES + CONTEXT_BYTES + 1 + hashLength(hashOfSession(session));
}

/** Asks the host to sign with the key of the handshake's certificate. */
export function wantSignature(session: TlsSession): i32 {
  const ptr = slabAllocate(6 + SIGNED_BYTES_MAX);
  if (ptr == 0) return TlsStatus.INTERNAL;
  store<u32>(ptr, bswap<u32>(session.handshake.certificate.keyId));
  store<u16>(ptr, bswap<u16>(<u16>session.handshake.scheme), 4);
  const len = writeSignedBytes(session, <TlsRole>session.role, ptr + 6);
  want(session, Wanted.SIGN, ptr, 6 + len);
  return Status.OK;
}

export function sendCertificateVerify(session: TlsSession, ptr: usize, len: u32): i32 {
  draftBegin(HandshakeType.CERTIFICATE_VERIFY);
  writeU16(draft, session.handshake.scheme);
  writeU16(draft, len);
  writeBytes(draft, ptr, len);
  return draftSend(session, Level.HANDSHAKE);
}

/** Reads the message; the scheme must be one that was offered (§4.4.3). */
export function readCertificateVerify(ptr: usize, len: u32): i32 {
  readerOpen(message, ptr, len);
  verifyScheme = readU16(message);
  readVector16(message, signature);
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  signaturePtr = signature.at;
  signatureLen = readerLeft(signature);
  return isHandshakeScheme(verifyScheme) ? Status.OK : TlsStatus.ILLEGAL_PARAMETER;
}
