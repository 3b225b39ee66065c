/**
 * Certificate and CertificateRequest, RFC 8446 §4.4.2 and §4.3.2, as either side reads and writes them.
 *
 * The peer's list is kept as it came, for the chain's check, for CertificateVerify and for the host; it is read here only as
 * far as its structure. Whether a chain is to be trusted is decided in peer_certificate.ts.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { writeU24, writeU8 } from "../core/writer.ts";
import { TlsCertificate } from "./config.ts";
import { draft, draftBegin, draftLength, draftPtr, draftSend } from "./draft.ts";
import { Carrier, ExtensionType, extensionIsPresent, readExtensions } from "./extension.ts";
import { TlsSession, copyToBlock, freeBlock, send, transcriptOf } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType, MESSAGE_HEADER_BYTES, writeMessageHeader } from "./handshake_type.ts";
import { isList16 } from "./client_hello.ts";
import { writeSchemes } from "./signature_algorithms.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptUpdate } from "./transcript.ts";
import { beginVector, endVector, readVector24, readVector8 } from "./vector.ts";

/** A chain of more is no chain that anybody issues. */
const CERTIFICATE_COUNT_MAX: u32 = 16;

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const context = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const entry = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Reads the peer's list and keeps it. Answers how many certificates there are. */
export function takeCertificates(session: TlsSession, ptr: usize, len: u32): i32 {
  readerOpen(message, ptr, len);
  readVector8(message, context);
  readVector24(message, list);
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  if (readerLeft(context) != 0) return TlsStatus.ILLEGAL_PARAMETER;
  const listPtr = list.at;
  const listLen = readerLeft(list);
  let count: u32 = 0;
  while (readerLeft(list) != 0) {
    if (count == CERTIFICATE_COUNT_MAX) return TlsStatus.CERTIFICATE_INVALID;
    readVector24(list, entry);
    if (list.failed != 0 || readerLeft(entry) == 0) return TlsStatus.DECODE;
    // Neither status_request nor signed_certificate_timestamp was sent, so nothing may be answered here.
    const status = readExtensions(list, Carrier.CERTIFICATE, 0);
    if (status < 0) return status;
    count++;
  }
  if (count == 0) return 0;
  const copy = copyToBlock(listPtr, listLen);
  if (copy == 0) return TlsStatus.INTERNAL;
  freeBlock(session.peerCertificatesPtr);
  session.peerCertificatesPtr = copy;
  session.peerCertificatesLen = listLen;
  return count;
}

/** Sends a chain, or with 0 the empty list by which a client says that it has none. */
export function sendCertificates(session: TlsSession, certificate: TlsCertificate): i32 {
  const listLen = changetype<usize>(certificate) != 0 ? certificate.listLen : 0;
  draftBegin(HandshakeType.CERTIFICATE);
  // certificate_request_context is empty in every handshake (RFC 8446 §4.4.2).
  writeU8(draft, 0);
  writeU24(draft, listLen);
  // The list is not drafted: it goes straight from the config to the queue.
  const headLen = draftLength();
  writeMessageHeader(draftPtr(), HandshakeType.CERTIFICATE, headLen - MESSAGE_HEADER_BYTES + listLen);
  transcriptUpdate(transcriptOf(session.handshake), draftPtr(), headLen);
  const status = send(session, Level.HANDSHAKE, draftPtr(), headLen);
  if (status < 0 || listLen == 0) return status;
  transcriptUpdate(transcriptOf(session.handshake), certificate.list, listLen);
  return send(session, Level.HANDSHAKE, certificate.list, listLen);
}

/** Reads a request for a certificate. What it asks for is among the extensions afterwards. */
export function readCertificateRequest(ptr: usize, len: u32): i32 {
  readerOpen(message, ptr, len);
  readVector8(message, context);
  const status = readExtensions(message, Carrier.CERTIFICATE_REQUEST, 0);
  if (status < 0) return status;
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  if (readerLeft(context) != 0) return TlsStatus.ILLEGAL_PARAMETER;
  if (!extensionIsPresent(ExtensionType.SIGNATURE_ALGORITHMS)) return TlsStatus.EXTENSION_MISSING;
  if (!isList16(ExtensionType.SIGNATURE_ALGORITHMS)) return TlsStatus.DECODE;
  return isList16(ExtensionType.SIGNATURE_ALGORITHMS_CERT) ? Status.OK : TlsStatus.DECODE;
}

export function sendCertificateRequest(session: TlsSession): i32 {
  draftBegin(HandshakeType.CERTIFICATE_REQUEST);
  writeU8(draft, 0);
  const extensions = beginVector(draft, 2);
  writeSchemes(draft);
  endVector(draft, extensions, 2);
  return draftSend(session, Level.HANDSHAKE);
}
