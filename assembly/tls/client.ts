/**
 * The client's side of the handshake: one function per message that it expects, and one per answer of the host (RFC 8446 §2).
 *
 *     KEY_EXCHANGE → ClientHello → [HelloRetryRequest → KEY_EXCHANGE → ClientHello] → ServerHello → KEY_EXCHANGE
 *     EncryptedExtensions, [CertificateRequest,] Certificate, CertificateVerify → VERIFY → Finished
 *       [Certificate → SIGN → CertificateVerify,] Finished
 *
 * Which message comes when is the table's (handshake_state.ts). Each function is given the message with its header, and answers
 * a status; a negative one ends the session.
 */
import { Status } from "../abi/status.ts";
import { randomFill } from "../crypto/drbg.ts";
import { Suite, suiteHash } from "../crypto/aead.ts";
import { HASH_LENGTH_MAX } from "../crypto/hash.ts";
import { SHARED_SECRET_BYTES_MAX, serverShareBytes } from "./algorithm.ts";
import { acceptAlpn } from "./alpn.ts";
import { readCertificateRequest, sendCertificates, takeCertificates } from "./certificate.ts";
import { sendCertificateVerify, wantSignature } from "./certificate_verify.ts";
import { draftClientHello } from "./client_hello_writer.ts";
import { fillBinder, isRememberedAlpn } from "./client_psk.ts";
import { SUITE_COUNT, TlsCertificate, configGroup, configHasGroup, configSuite } from "./config.ts";
import { draftEnd, draftSend } from "./draft.ts";
import { readEncryptedExtensions } from "./encrypted_extensions.ts";
import { ExtensionType, extensionIsPresent } from "./extension.ts";
import { checkFinished, sendFinished } from "./finished.ts";
import {
  Direction,
  EarlyData,
  HandshakeFlag,
  RANDOM_BYTES,
  Secret,
  TlsSession,
  copyToBlock,
  hashOfSession,
  logSecret,
  publishSecret,
  randomOf,
  runningSecretOf,
  secretOf,
  transcriptOf,
} from "./handshake.ts";
import { Level, State } from "./handshake_state.ts";
import { MESSAGE_HEADER_BYTES } from "./handshake_type.ts";
import { deriveSecret } from "./key_schedule.ts";
import { KeyExchange, wantSecret, wantShares } from "./key_share.ts";
import { checkCertificates, wantVerification } from "./peer_certificate.ts";
import {
  deriveApplicationSecrets,
  deriveHandshakeSecrets,
  deriveResumptionSecret,
  publishApplicationSecret,
} from "./secrets.ts";
import {
  helloCookieLen,
  helloCookiePtr,
  helloGroup,
  helloIsRetry,
  helloPskIndex,
  helloShareLen,
  helloSharePtr,
  helloSuite,
  readServerHello,
} from "./server_hello.ts";
import { chooseCertificate, chosenScheme } from "./server_name.ts";
import { TlsStatus } from "./tls_status.ts";
import { takeTransportParameters } from "./transport_parameters.ts";
import {
  transcriptDecide,
  transcriptDigestWith,
  transcriptReplaceByHash,
  transcriptUpdate,
} from "./transcript.ts";

/** A larger cookie would not fit a ClientHello that anybody reads. */
const COOKIE_BYTES_MAX: u32 = 4096;

const digest: usize = memory.data(HASH_LENGTH_MAX, 16);

export function clientStart(session: TlsSession): i32 {
  randomFill(randomOf(session.handshake), RANDOM_BYTES);
  return wantShares(session, session.config, 0);
}

/** KEY_EXCHANGE is answered: shares for a ClientHello, or the secret with the server's. */
export function clientOnKeyExchange(session: TlsSession, ptr: usize, len: u32): i32 {
  if (load<u8>(session.wantedPtr) == KeyExchange.GENERATE) return sendClientHello(session, ptr, len);
  if (len == 0 || len > SHARED_SECRET_BYTES_MAX) return TlsStatus.INTERNAL;
  deriveHandshakeSecrets(session, ptr, len);
  session.state = State.CLIENT_WAIT_ENCRYPTED_EXTENSIONS;
  return Status.OK;
}

function sendClientHello(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  let status = draftClientHello(session, ptr, len);
  if (status < 0) return status;
  if (!draftEnd()) return TlsStatus.INTERNAL;
  if ((handshake.flags & HandshakeFlag.PSK_OFFERED) != 0) fillBinder(session);
  status = draftSend(session, Level.INITIAL);
  if (status < 0) return status;
  session.state = State.CLIENT_WAIT_SERVER_HELLO;
  if (session.earlyData != EarlyData.OFFERED) return Status.OK;
  // The suite of early data is the ticket's (RFC 8446 §4.2.10). It is not settled for the handshake.
  session.suite = handshake.pskSuite;
  const hash = suiteHash(<Suite>handshake.pskSuite);
  transcriptDigestWith(transcriptOf(handshake), hash, ptr, 0, digest);
  const secret = secretOf(handshake, Secret.CLIENT_EARLY);
  deriveSecret(hash, runningSecretOf(handshake), "c e traffic", digest, secret);
  logSecret(session, "CLIENT_EARLY_TRAFFIC_SECRET", secret);
  publishSecret(session, Secret.CLIENT_EARLY, Level.EARLY, Direction.WRITE);
  return Status.OK;
}

export function clientOnServerHello(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const status = readServerHello(ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES, handshake.sent);
  if (status < 0) return status;
  const isRetried = (handshake.flags & HandshakeFlag.RETRIED) != 0;
  // RFC 8446 §4.1.4: a second HelloRetryRequest is an unexpected message.
  if (isRetried && helloIsRetry) return TlsStatus.UNEXPECTED_MESSAGE;
  if (!offersSuite(session, helloSuite)) return TlsStatus.ILLEGAL_PARAMETER;
  // §4.1.4: the suite of a HelloRetryRequest stays.
  if (isRetried && helloSuite != session.suite) return TlsStatus.ILLEGAL_PARAMETER;
  session.suite = helloSuite;
  transcriptDecide(transcriptOf(handshake), hashOfSession(session));
  if (helloIsRetry) return onRetryRequest(session, ptr, len);
  if (!isShared(session, helloGroup)) return TlsStatus.ILLEGAL_PARAMETER;
  if (helloShareLen != serverShareBytes(helloGroup)) return TlsStatus.KEY_SHARE_INVALID;
  session.group = helloGroup;
  if (helloPskIndex >= 0) {
    // §4.2.11: one identity was offered, and its hash must be the suite's.
    if (helloPskIndex != 0) return TlsStatus.ILLEGAL_PARAMETER;
    if (suiteHash(<Suite>handshake.pskSuite) != hashOfSession(session)) return TlsStatus.ILLEGAL_PARAMETER;
    handshake.flags |= HandshakeFlag.PSK_SELECTED;
    session.isResumed = true;
  }
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  return wantSecret(session, KeyExchange.DERIVE, helloGroup, helloSharePtr, helloShareLen);
}

/** RFC 8446 §4.1.4. */
function onRetryRequest(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  // A request that would change nothing is an illegal one.
  if (helloGroup == 0 && helloCookieLen == 0) return TlsStatus.ILLEGAL_PARAMETER;
  if (helloGroup != 0) {
    // §4.2.8: it must be a group that was offered, and not one that a share was sent of.
    if (!configHasGroup(session.config, helloGroup)) return TlsStatus.ILLEGAL_PARAMETER;
    if (isShared(session, helloGroup)) return TlsStatus.ILLEGAL_PARAMETER;
  }
  if (helloCookieLen > COOKIE_BYTES_MAX) return TlsStatus.ILLEGAL_PARAMETER;
  if (helloCookieLen != 0) {
    handshake.cookiePtr = copyToBlock(helloCookiePtr, helloCookieLen);
    if (handshake.cookiePtr == 0) return TlsStatus.INTERNAL;
    handshake.cookieLen = helloCookieLen;
  }
  handshake.flags |= HandshakeFlag.RETRIED;
  if (session.earlyData == EarlyData.OFFERED) session.earlyData = EarlyData.REJECTED;
  // §4.1.4: a PSK of another hash cannot be offered again.
  if (suiteHash(<Suite>handshake.pskSuite) != hashOfSession(session)) {
    handshake.flags &= ~HandshakeFlag.PSK_OFFERED;
  }
  transcriptReplaceByHash(transcriptOf(handshake));
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  // Asked only for a cookie, the client sends the same groups again.
  handshake.retryGroup = helloGroup;
  return wantShares(session, session.config, helloGroup);
}

export function clientOnEncryptedExtensions(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  let status = readEncryptedExtensions(
    ptr + MESSAGE_HEADER_BYTES,
    len - MESSAGE_HEADER_BYTES,
    handshake.sent,
  );
  if (status < 0) return status;
  status = takeTransportParameters(session);
  if (status < 0) return status;
  status = acceptAlpn(session);
  if (status < 0) return status;
  const isPsk = (handshake.flags & HandshakeFlag.PSK_SELECTED) != 0;
  if (session.earlyData == EarlyData.OFFERED) {
    const isAccepted = extensionIsPresent(ExtensionType.EARLY_DATA);
    // RFC 8446 §4.2.10: only with the PSK, its suite and its protocol.
    if (
      isAccepted &&
      (!isPsk ||
        session.suite != handshake.pskSuite ||
        !isRememberedAlpn(session, session.alpnPtr, session.alpnLen))
    ) {
      return TlsStatus.ILLEGAL_PARAMETER;
    }
    session.earlyData = isAccepted ? EarlyData.ACCEPTED : EarlyData.REJECTED;
  }
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  session.state = isPsk ? State.CLIENT_WAIT_FINISHED : State.CLIENT_WAIT_CERTIFICATE_OR_REQUEST;
  return Status.OK;
}

export function clientOnCertificateRequest(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = readCertificateRequest(ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (status < 0) return status;
  const handshake = session.handshake;
  handshake.flags |= HandshakeFlag.CERTIFICATE_REQUESTED;
  // Without a certificate that the server can check, the client says that it has none.
  handshake.certificate = changetype<TlsCertificate>(chooseCertificate(session.config, 0, 0));
  handshake.scheme = chosenScheme;
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  session.state = State.CLIENT_WAIT_CERTIFICATE;
  return Status.OK;
}

export function clientOnCertificate(session: TlsSession, ptr: usize, len: u32): i32 {
  const count = takeCertificates(session, ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (count < 0) return count;
  // RFC 8446 §4.4.2.4: a server's list that is empty is a decode_error.
  if (count == 0) return TlsStatus.CERTIFICATE_EMPTY;
  transcriptUpdate(transcriptOf(session.handshake), ptr, len);
  session.state = State.CLIENT_WAIT_CERTIFICATE_VERIFY;
  return checkCertificates(session);
}

export function clientOnCertificateVerify(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = wantVerification(session, ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (status < 0) return status;
  transcriptUpdate(transcriptOf(session.handshake), ptr, len);
  session.state = State.CLIENT_WAIT_FINISHED;
  return Status.OK;
}

export function clientOnFinished(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const bodyLen = len - MESSAGE_HEADER_BYTES;
  let status = checkFinished(session, Secret.SERVER_HANDSHAKE, ptr + MESSAGE_HEADER_BYTES, bodyLen);
  if (status < 0) return status;
  transcriptUpdate(transcriptOf(handshake), ptr, len);
  deriveApplicationSecrets(session);
  if ((handshake.flags & HandshakeFlag.CERTIFICATE_REQUESTED) == 0) return sendClientFinished(session);
  status = sendCertificates(session, handshake.certificate);
  if (status < 0) return status;
  if (changetype<usize>(handshake.certificate) == 0) return sendClientFinished(session);
  return wantSignature(session);
}

export function clientOnSignature(session: TlsSession, ptr: usize, len: u32): i32 {
  const status = sendCertificateVerify(session, ptr, len);
  return status < 0 ? status : sendClientFinished(session);
}

function sendClientFinished(session: TlsSession): i32 {
  const status = sendFinished(session, Secret.CLIENT_HANDSHAKE);
  if (status < 0) return status;
  publishApplicationSecret(session, Direction.WRITE);
  publishApplicationSecret(session, Direction.READ);
  deriveResumptionSecret(session);
  session.state = State.CLIENT_CONNECTED;
  session.isComplete = true;
  return Status.OK;
}

function offersSuite(session: TlsSession, suite: u32): bool {
  for (let index: u32 = 0; index < SUITE_COUNT; index++) {
    if (configSuite(session.config, index) == suite) return true;
  }
  return false;
}

/** Whether the ClientHello before had a share of `group`. */
function isShared(session: TlsSession, group: u32): bool {
  const retryGroup = session.handshake.retryGroup;
  if (retryGroup != 0) return group == retryGroup;
  for (let index: u32 = 0; index < session.config.shareCount; index++) {
    if (configGroup(session.config, index) == group) return true;
  }
  return false;
}
