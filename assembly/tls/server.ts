/**
 * The server's side of the handshake: one function per message that it expects, and one per answer of the host (RFC 8446 §2).
 *
 *     ClientHello → [HelloRetryRequest → ClientHello] → KEY_EXCHANGE → ServerHello, EncryptedExtensions
 *       PSK: Finished          else: [CertificateRequest], Certificate → SIGN → CertificateVerify, Finished
 *     [Certificate, CertificateVerify → VERIFY,] Finished → NewSessionTicket
 *
 * Which message comes when is the table's (handshake_state.ts). Each function is given the message with its header, and answers
 * a status; a negative one ends the session.
 */
import { Status } from "../abi/status.ts";
import { randomFill } from "../crypto/drbg.ts";
import { HASH_LENGTH_MAX } from "../crypto/hash.ts";
import { SHARED_SECRET_BYTES_MAX, serverShareBytes } from "./algorithm.ts";
import { sendCertificateRequest, sendCertificates, takeCertificates } from "./certificate.ts";
import { sendCertificateVerify, wantSignature } from "./certificate_verify.ts";
import { ClientAuth } from "./config.ts";
import { draftSend } from "./draft.ts";
import { sendEncryptedExtensions } from "./encrypted_extensions.ts";
import { checkFinished, sendFinished } from "./finished.ts";
import {
  Direction,
  EarlyData,
  HandshakeFlag,
  RANDOM_BYTES,
  Secret,
  TlsSession,
  hashOfSession,
  logSecret,
  publishSecret,
  runningSecretOf,
  secretOf,
  transcriptOf,
} from "./handshake.ts";
import { Level, State } from "./handshake_state.ts";
import { MESSAGE_HEADER_BYTES } from "./handshake_type.ts";
import { deriveSecret } from "./key_schedule.ts";
import { KeyExchange, sharePtr, shareLen, wantSecret } from "./key_share.ts";
import { sendTickets } from "./new_session_ticket.ts";
import { checkCertificates, wantVerification } from "./peer_certificate.ts";
import {
  deriveApplicationSecrets,
  deriveHandshakeSecrets,
  deriveResumptionSecret,
  publishApplicationSecret,
} from "./secrets.ts";
import { draftRetryRequest, draftServerHello } from "./server_hello.ts";
import { isRetryNeeded, negotiate } from "./server_negotiate.ts";
import { TlsStatus } from "./tls_status.ts";
import {
  transcriptDecide,
  transcriptDigest,
  transcriptReplaceByHash,
  transcriptUpdate,
} from "./transcript.ts";

const random: usize = memory.data(RANDOM_BYTES, 16);
const digest: usize = memory.data(HASH_LENGTH_MAX, 16);

export function serverOnClientHello(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = negotiate(session, ptr, len, 0, 0);
  if (status < 0) return status;
  const handshake = session.handshake;
  transcriptDecide(transcriptOf(handshake), hashOfSession(session));
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  if (!isRetryNeeded) return wantServerShare(session);
  // RFC 8446 §4.1.4. State is kept, so no cookie is needed; addresses are QUIC's to validate.
  handshake.flags = (handshake.flags | HandshakeFlag.RETRIED) & ~HandshakeFlag.PSK_SELECTED;
  handshake.retryGroup = session.group;
  session.isResumed = false;
  transcriptReplaceByHash(transcriptOf(handshake));
  draftRetryRequest(session.suite, session.group);
  session.state = State.SERVER_WAIT_SECOND_CLIENT_HELLO;
  return draftSend(session, Level.INITIAL);
}

export function serverOnSecondClientHello(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const status = negotiate(session, ptr, len, session.suite, handshake.retryGroup);
  if (status < 0) return status;
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  return wantServerShare(session);
}

/** With early data its secret is due now: packets under it may lie in the same datagram. */
function wantServerShare(session: TlsSession): i32 {
  const handshake = session.handshake;
  if (session.earlyData == EarlyData.ACCEPTED) {
    transcriptDigest(transcriptOf(handshake), digest);
    const secret = secretOf(handshake, Secret.CLIENT_EARLY);
    deriveSecret(hashOfSession(session), runningSecretOf(handshake), "c e traffic", digest, secret);
    logSecret(session, "CLIENT_EARLY_TRAFFIC_SECRET", secret);
    publishSecret(session, Secret.CLIENT_EARLY, Level.EARLY, Direction.READ);
  }
  return wantSecret(session, KeyExchange.RESPOND, session.group, sharePtr, shareLen);
}

/** KEY_EXCHANGE is answered: u16 length, public share, then the shared secret. */
export function serverOnKeyExchange(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  if (len < 2) return TlsStatus.INTERNAL;
  const shareBytes = <u32>bswap<u16>(load<u16>(ptr));
  if (shareBytes != serverShareBytes(session.group) || len <= 2 + shareBytes) return TlsStatus.INTERNAL;
  const secretLen = len - 2 - shareBytes;
  if (secretLen > SHARED_SECRET_BYTES_MAX) return TlsStatus.INTERNAL;
  const isPsk = (handshake.flags & HandshakeFlag.PSK_SELECTED) != 0;
  randomFill(random, RANDOM_BYTES);
  const pskIndex = isPsk ? <i32>handshake.pskIndex : -1;
  draftServerHello(random, session.suite, session.group, ptr + 2, shareBytes, pskIndex);
  let status = draftSend(session, Level.INITIAL);
  if (status < 0) return status;
  deriveHandshakeSecrets(session, ptr + 2 + shareBytes, secretLen);
  status = sendEncryptedExtensions(session);
  if (status < 0) return status;
  if (isPsk) return sendServerFinished(session);
  if (session.config.clientAuth != ClientAuth.NONE) {
    handshake.flags |= HandshakeFlag.CERTIFICATE_REQUESTED;
    status = sendCertificateRequest(session);
    if (status < 0) return status;
  }
  status = sendCertificates(session, handshake.certificate);
  return status < 0 ? status : wantSignature(session);
}

export function serverOnSignature(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = sendCertificateVerify(session, ptr, len);
  return status < 0 ? status : sendServerFinished(session);
}

function sendServerFinished(session: TlsSession): i32 {
  const status = sendFinished(session, Secret.SERVER_HANDSHAKE);
  if (status < 0) return status;
  deriveApplicationSecrets(session);
  publishApplicationSecret(session, Direction.WRITE);
  const isRequested = (session.handshake.flags & HandshakeFlag.CERTIFICATE_REQUESTED) != 0;
  session.state = isRequested ? State.SERVER_WAIT_CERTIFICATE : State.SERVER_WAIT_FINISHED;
  return Status.OK;
}

export function serverOnCertificate(session: TlsSession, ptr: usize, len: u32): i32 {
  const count = takeCertificates(session, ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (count < 0) return count;
  transcriptUpdate(transcriptOf(session.handshake), ptr, len);
  if (count == 0) {
    session.state = State.SERVER_WAIT_FINISHED;
    const isRequired = session.config.clientAuth == ClientAuth.REQUIRED;
    return isRequired ? TlsStatus.CERTIFICATE_REQUIRED : Status.OK;
  }
  session.state = State.SERVER_WAIT_CERTIFICATE_VERIFY;
  return checkCertificates(session);
}

export function serverOnCertificateVerify(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = wantVerification(session, ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (status < 0) return status;
  transcriptUpdate(transcriptOf(session.handshake), ptr, len);
  session.state = State.SERVER_WAIT_FINISHED;
  return Status.OK;
}

export function serverOnFinished(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = checkFinished(
    session,
    Secret.CLIENT_HANDSHAKE,
    ptr + MESSAGE_HEADER_BYTES,
    len - MESSAGE_HEADER_BYTES,
  );
  if (status < 0) return status;
  transcriptUpdate(transcriptOf(session.handshake), ptr, len);
  publishApplicationSecret(session, Direction.READ);
  deriveResumptionSecret(session);
  session.state = State.SERVER_CONNECTED;
  session.isComplete = true;
  return sendTickets(session);
}
