/**
 * TLS 1.3 (RFC 8446) for QUIC (RFC 9001), both roles, without I/O: bytes of CRYPTO frames go in and come out, and so do secrets.
 *
 * The contract. A connection makes a session of a config (config.ts), gives it its transport parameters, and starts it:
 *
 *     tlsOpen(role, config) → session or 0        tlsSetTransportParameters(session, ptr, len)
 *     tlsSetServerName or tlsSetServerAddress, then tlsSetResumption (client only, before tlsStart)
 *     tlsSetTime(session, unixMs)                 before tlsStart and before each call below that takes bytes
 *     tlsStart(session)
 *
 * then, whenever CRYPTO bytes of a level are there in order:
 *
 *     tlsReceive(session, level, ptr, len) → status, negative once and for all when the handshake has failed
 *
 * and after each call that returned, the connection looks, in this order, at
 *
 *     session.status            negative: close with tlsErrorCode(status) (tls_status.ts); nothing else is to be done
 *     tlsPollSecret(session)    until false: `polledLevel`, `polledDirection`, `polledSuite`, `polledSecret`, `polledSecretLen` are the next
 *                               keys to install. The bytes are valid until the next call; a copy or derived keys are the caller's
 *     outputOf(session, level)  a ByteQueue per level: bytes to send in CRYPTO frames of that level, to be read out
 *     session.wantedKind        not NONE: the host has to be asked. The question is [wantedPtr, wantedPtr + wantedLen), valid until it is
 *                               answered (formats: key_share.ts, certificate_verify.ts, peer_certificate.ts). Answer, at once or later, with
 *                               tlsKeyExchangeDone, tlsSignDone, tlsVerifyDone or tlsWantedFailed, then look again from the top.
 *                               Until then what arrives is held
 *     session.earlyData, isComplete, isResumed, alpnPtr/Len, remoteParametersPtr/Len, serverNamePtr/Len, peerCertificatesPtr/Len
 *     tlsReadTicket, tlsReadKeyLog                 what the host keeps or writes down
 *
 * `isComplete` is the "handshake complete" of RFC 9001 §4.1.1; "confirmed" is the connection's (HANDSHAKE_DONE). The transport
 * parameters of the peer are there as soon as its ClientHello or EncryptedExtensions was read, but authenticated only when
 * complete. A client that offers early data finds the remembered ones in `rememberedParametersPtr/Len` after tlsStart.
 *
 * Invariant: a session that has failed holds no question and takes nothing more. `tlsFree` gives everything back at any time.
 */
import { Status } from "../abi/status.ts";
import { ByteQueue, byteQueueClear, byteQueueRead } from "../core/byte_queue.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { hashLength } from "../crypto/hash.ts";
import { clientOnKeyExchange, clientOnSignature, clientStart } from "./client.ts";
import { clientTakeResumption } from "./client_psk.ts";
import { TlsConfig, tlsConfigHold, tlsConfigRelease } from "./config.ts";
import {
  SESSION_BYTES,
  TlsRole,
  TlsSession,
  Wanted,
  copyToBlock,
  exporterSecretOf,
  fail,
  freeBlock,
  handshakeCreate,
  handshakeFree,
  hashOfSession,
  keyLogOf,
  nextSecret,
  outputOf,
  secretOf,
  ticketsOf,
  transcriptOf,
  wantNothing,
} from "./handshake.ts";
import { LEVEL_COUNT, Level, State } from "./handshake_state.ts";
import { exporterValue } from "./key_schedule.ts";
import { verificationStatus } from "./peer_certificate.ts";
import { hold, readHeld, readMessages, settle } from "./receive.ts";
import { serverOnKeyExchange, serverOnSignature } from "./server.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptStart } from "./transcript.ts";

/** RFC 6066 §3 and DNS: a name of at most 253 bytes. */
const SERVER_NAME_BYTES_MAX: u32 = 255;

export let polledLevel: u32 = 0;
export let polledDirection: u32 = 0;
export let polledSuite: u32 = 0;
export let polledSecret: usize = 0;
export let polledSecretLen: u32 = 0;

/** A session of `config`, which it holds. 0 when the slab is full. */
export function tlsOpen(role: TlsRole, config: TlsConfig): usize {
  const ptr = slabAllocate(SESSION_BYTES);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, SESSION_BYTES);
  const session = changetype<TlsSession>(ptr);
  if (!handshakeCreate(session)) {
    slabFree(ptr);
    return 0;
  }
  session.role = role;
  session.state = role == TlsRole.SERVER ? State.SERVER_WAIT_CLIENT_HELLO : State.CLIENT_START;
  session.config = config;
  tlsConfigHold(config);
  transcriptStart(transcriptOf(session.handshake));
  return ptr;
}

/** Gives back everything, and wipes what was secret. */
export function tlsFree(session: TlsSession): void {
  wantNothing(session);
  handshakeFree(session);
  for (let level: u32 = 0; level < LEVEL_COUNT; level++) byteQueueClear(outputOf(session, level));
  byteQueueClear(keyLogOf(session));
  byteQueueClear(ticketsOf(session));
  freeBlock(session.serverNamePtr);
  freeBlock(session.localParametersPtr);
  freeBlock(session.remoteParametersPtr);
  freeBlock(session.peerCertificatesPtr);
  freeBlock(session.inputPtr);
  tlsConfigRelease(session.config);
  memory.fill(changetype<usize>(session), 0, SESSION_BYTES);
  slabFree(changetype<usize>(session));
}

/** The wall clock, in milliseconds since 1970: for the life of tickets and certificates. */
export function tlsSetTime(session: TlsSession, unixMs: f64): void {
  session.nowMs = unixMs;
}

/** Our transport parameters, as they go on the wire. Before tlsStart, or a server's first bytes. */
export function tlsSetTransportParameters(session: TlsSession, ptr: usize, len: u32): bool {
  const copy = copyToBlock(ptr, len);
  if (copy == 0) return false;
  freeBlock(session.localParametersPtr);
  session.localParametersPtr = copy;
  session.localParametersLen = len;
  return true;
}

/** The DNS name that a client asks for and checks the certificate by. */
export function tlsSetServerName(session: TlsSession, ptr: usize, len: u32): bool {
  if (len == 0 || len > SERVER_NAME_BYTES_MAX) return false;
  const copy = copyToBlock(ptr, len);
  if (copy == 0) return false;
  freeBlock(session.serverNamePtr);
  session.serverNamePtr = copy;
  session.serverNameLen = len;
  return true;
}

/** The same with an address of 4 or 16 bytes, which is not sent (RFC 6066 §3) but must be in the certificate. */
export function tlsSetServerAddress(session: TlsSession, ptr: usize, len: u32): bool {
  if ((len != 4 && len != 16) || !tlsSetServerName(session, ptr, len)) return false;
  session.isServerAddress = true;
  return true;
}

/** What tlsReadTicket once gave. False when it does not fit this session, which then runs without. */
export function tlsSetResumption(session: TlsSession, ptr: usize, len: u32): bool {
  if (session.state != State.CLIENT_START) return false;
  return clientTakeResumption(session, ptr, len);
}

/** A client asks its first question; a server has nothing to do. */
export function tlsStart(session: TlsSession): i32 {
  if (session.role == TlsRole.SERVER) return Status.OK;
  return settle(session, clientStart(session));
}

/** Takes the next bytes of a level. Answers the session's status. */
export function tlsReceive(session: TlsSession, level: Level, ptr: usize, len: u32): i32 {
  if (session.status < 0) return session.status;
  if (len == 0) return Status.OK;
  if (session.inputLen != 0 || session.wantedKind != Wanted.NONE) {
    // RFC 9001 §4.1.3: what is left of one level cannot be completed by another.
    if (session.inputLen != 0 && session.inputLevel != level)
      return fail(session, TlsStatus.UNEXPECTED_MESSAGE);
    session.inputLevel = level;
    const status = hold(session, ptr, len);
    return status < 0 ? fail(session, status) : readHeld(session);
  }
  session.inputLevel = level;
  const taken = readMessages(session, ptr, len);
  if (session.status < 0) return session.status;
  const status = hold(session, ptr + taken, len - taken);
  return status < 0 ? fail(session, status) : Status.OK;
}

/** The host's answer to KEY_EXCHANGE. */
export function tlsKeyExchangeDone(session: TlsSession, ptr: usize, len: u32): i32 {
  if (session.wantedKind != Wanted.KEY_EXCHANGE) return Status.INVALID_STATE;
  const question = openAnswer(session);
  const status =
    session.role == TlsRole.SERVER
      ? serverOnKeyExchange(session, ptr, len)
      : clientOnKeyExchange(session, ptr, len);
  return closeAnswer(session, question, status);
}

/** The host's answer to SIGN. */
export function tlsSignDone(session: TlsSession, ptr: usize, len: u32): i32 {
  if (session.wantedKind != Wanted.SIGN) return Status.INVALID_STATE;
  const question = openAnswer(session);
  const status =
    session.role == TlsRole.SERVER
      ? serverOnSignature(session, ptr, len)
      : clientOnSignature(session, ptr, len);
  return closeAnswer(session, question, status);
}

/** The host's answer to VERIFY: how many of the signatures hold, from the first to the first that does not. */
export function tlsVerifyDone(session: TlsSession, validCount: u32): i32 {
  if (session.wantedKind != Wanted.VERIFY) return Status.INVALID_STATE;
  const question = openAnswer(session);
  return closeAnswer(session, question, verificationStatus(session, validCount));
}

/** The host cannot answer: the peer's share is no point of its group, a key is gone, or a signature does not hold. */
export function tlsWantedFailed(session: TlsSession): i32 {
  switch (session.wantedKind) {
    case Wanted.NONE:
      return Status.INVALID_STATE;
    case Wanted.VERIFY:
      return tlsVerifyDone(session, 0);
    case Wanted.KEY_EXCHANGE:
      return settle(session, TlsStatus.KEY_SHARE_INVALID);
  }
  return settle(session, TlsStatus.INTERNAL);
}

/** Takes the next secret to install into the `polled…` variables. False when there is none. */
export function tlsPollSecret(session: TlsSession): bool {
  const handshake = session.handshake;
  if (changetype<usize>(handshake) == 0) return false;
  const next = nextSecret(handshake);
  if (next < 0) {
    if (session.isComplete) endHandshake(session);
    return false;
  }
  polledLevel = (next >> 1) & 3;
  polledDirection = next & 1;
  polledSuite = session.suite;
  polledSecret = secretOf(handshake, next >> 8);
  polledSecretLen = hashLength(hashOfSession(session));
  return true;
}

/** Copies what has to be kept to resume this session to `dest`: the next record's length, 0 when there is none or no room. */
export function tlsReadTicket(session: TlsSession, dest: usize, capacity: u32): u32 {
  const queue = ticketsOf(session);
  if (queue.length == 0 || capacity < 2) return 0;
  byteQueueRead(queue, dest, 2);
  const len: u32 = load<u16>(dest);
  if (len > capacity) {
    byteQueueClear(queue);
    return 0;
  }
  return byteQueueRead(queue, dest, len);
}

/** Copies lines for a key log to `dest`, as many bytes as there are and fit. */
export function tlsReadKeyLog(session: TlsSession, dest: usize, capacity: u32): u32 {
  const queue: ByteQueue = keyLogOf(session);
  return byteQueueRead(queue, dest, capacity);
}

/** Keying material for an application, RFC 8446 §7.5. False before the handshake is complete, or when too long. */
export function tlsExport(
  session: TlsSession,
  label: usize,
  labelLen: u32,
  context: usize,
  contextLen: u32,
  dest: usize,
  len: u32,
): bool {
  if (!session.isComplete) return false;
  const secret = exporterSecretOf(session);
  return exporterValue(hashOfSession(session), secret, label, labelLen, context, contextLen, dest, len);
}

/** Wipes what only the handshake needed. */
function endHandshake(session: TlsSession): void {
  handshakeFree(session);
  freeBlock(session.localParametersPtr);
  session.localParametersPtr = 0;
  session.localParametersLen = 0;
  session.rememberedParametersPtr = 0;
  session.rememberedParametersLen = 0;
}

/** While a step looks at the answer its question is still there, but a new one may be asked. */
function openAnswer(session: TlsSession): usize {
  session.wantedKind = Wanted.NONE;
  return session.wantedPtr;
}

function closeAnswer(session: TlsSession, question: usize, status: i32): i32 {
  if (session.wantedPtr == question) {
    session.wantedPtr = 0;
    session.wantedLen = 0;
  }
  freeBlock(question);
  if (status < 0) return settle(session, status);
  return readHeld(session);
}
