/**
 * The memory of a session: what lives as long as its connection (TlsSession), and what only the handshake needs (Handshake).
 *
 * The second is wiped and given back when the handshake is over and its secrets have been taken. Here are also the few acts
 * that every step shares: to fail, to send a message, to hand out a secret, to ask the host for something.
 */
import { Status } from "../abi/status.ts";
import { ByteQueue, byteQueueWrite } from "../core/byte_queue.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { Suite, suiteHash } from "../crypto/aead.ts";
import { HASH_LENGTH_MAX, HashId, hashLength } from "../crypto/hash.ts";
import { ConfigFlag, TlsCertificate, TlsConfig } from "./config.ts";
import { State, LEVEL_COUNT, Level } from "./handshake_state.ts";
import { writeKeyLogLine } from "./key_log.ts";
import { TlsStatus } from "./tls_status.ts";
import { TRANSCRIPT_BYTES, Transcript } from "./transcript.ts";

export const enum TlsRole {
  CLIENT = 0,
  SERVER = 1,
}

/** What the host is wanted for. */
export const enum Wanted {
  NONE = 0,
  KEY_EXCHANGE = 1,
  SIGN = 2,
  VERIFY = 3,
}

export const enum EarlyData {
  NONE = 0,
  OFFERED = 1,
  ACCEPTED = 2,
  REJECTED = 3,
}

export const enum Direction {
  READ = 0,
  WRITE = 1,
}

export const RANDOM_BYTES: u32 = 32;

/** One slab block, followed by the queues and the two secrets that outlive the handshake. */
@unmanaged
export class TlsSession {
  role: u32;
  state: u32;
  config: TlsConfig;
  /** 0 once the handshake is over and its secrets have been taken. */
  handshake: Handshake;
  /** Why it failed; OK as long as it has not. */
  status: i32;
  suite: u32;
  group: u32;
  /** Whether both Finished have been seen (RFC 9001 §4.1.1). */
  isComplete: bool;
  /** Whether a PSK replaced the certificates. */
  isResumed: bool;
  earlyData: u32;
  wantedKind: u32;
  wantedPtr: usize;
  wantedLen: u32;
  /** Wall-clock time in milliseconds since 1970: told before each call. */
  nowMs: f64;
  /** The protocol that was chosen; points into the config. */
  alpnPtr: usize;
  alpnLen: u32;
  /** The server's name as the client asked for it. */
  serverNamePtr: usize;
  serverNameLen: u32;
  /** Whether that is an address, by which a certificate is checked but which is never sent. */
  isServerAddress: bool;
  localParametersPtr: usize;
  localParametersLen: u32;
  remoteParametersPtr: usize;
  remoteParametersLen: u32;
  /** The certificate list of the peer, RFC 8446 §4.4.2, without its length. */
  peerCertificatesPtr: usize;
  peerCertificatesLen: u32;
  /** Bytes of an unfinished message, or that wait for the host's answer. */
  inputPtr: usize;
  inputLen: u32;
  inputLevel: u32;
  ticketsReceived: u32;
  /** What the client remembers of the server's transport parameters, for 0-RTT; as long as the handshake's memory. */
  rememberedParametersPtr: usize;
  rememberedParametersLen: u32;
}

const OUTPUTS: u32 = (offsetof<TlsSession>() + 7) & ~7;
const KEY_LOG: u32 = OUTPUTS + LEVEL_COUNT * offsetof<ByteQueue>();
const TICKETS: u32 = KEY_LOG + offsetof<ByteQueue>();
const EXPORTER: u32 = TICKETS + offsetof<ByteQueue>();
const RESUMPTION: u32 = EXPORTER + HASH_LENGTH_MAX;
export const SESSION_BYTES: u32 = RESUMPTION + HASH_LENGTH_MAX;

/** Secrets that protect packets, by their place in the handshake's memory. */
export const enum Secret {
  CLIENT_EARLY = 0,
  CLIENT_HANDSHAKE = 1,
  SERVER_HANDSHAKE = 2,
  CLIENT_APPLICATION = 3,
  SERVER_APPLICATION = 4,
  COUNT = 5,
}

export const enum HandshakeFlag {
  /** A HelloRetryRequest was sent or received. */
  RETRIED = 1,
  PSK_OFFERED = 2,
  PSK_SELECTED = 4,
  CERTIFICATE_REQUESTED = 8,
}

/** One slab block, followed by its secrets. */
@unmanaged
export class Handshake {
  /** Extensions sent, that answers may answer. */
  sent: u64;
  flags: u32;
  /** Groups that shares were sent of, one bit each by the config's order. */
  sharedGroups: u32;
  /** The group a HelloRetryRequest asked for. */
  retryGroup: u32;
  /** The chain to send, 0 for none, and the scheme to sign with. */
  certificate: TlsCertificate;
  scheme: u32;
  pskLen: u32;
  pskIndex: u32;
  /** The suite of the PSK. */
  pskSuite: u32;
  cookiePtr: usize;
  cookieLen: u32;
  /** What the client remembers of an earlier session (see resumption.ts). */
  resumptionPtr: usize;
  resumptionLen: u32;
  secretsPublished: u32;
  secretsTaken: u32;
}

const SECRET_QUEUE: u32 = (offsetof<Handshake>() + 7) & ~7;
const SECRET_QUEUE_BYTES: u32 = 16;
const RANDOM: u32 = SECRET_QUEUE + SECRET_QUEUE_BYTES;
const RUNNING: u32 = RANDOM + RANDOM_BYTES;
const PSK: u32 = RUNNING + HASH_LENGTH_MAX;
const SECRETS: u32 = PSK + HASH_LENGTH_MAX;
const TRANSCRIPT: u32 = SECRETS + Secret.COUNT * HASH_LENGTH_MAX;
const HANDSHAKE_BYTES: u32 = TRANSCRIPT + TRANSCRIPT_BYTES;

export function handshakeCreate(session: TlsSession): bool {
  const ptr = slabAllocate(HANDSHAKE_BYTES);
  if (ptr == 0) return false;
  memory.fill(ptr, 0, HANDSHAKE_BYTES);
  session.handshake = changetype<Handshake>(ptr);
  return true;
}

export function handshakeFree(session: TlsSession): void {
  const ptr = changetype<usize>(session.handshake);
  if (ptr == 0) return;
  freeBlock(session.handshake.cookiePtr);
  freeBlock(session.handshake.resumptionPtr);
  memory.fill(ptr, 0, HANDSHAKE_BYTES);
  slabFree(ptr);
  session.handshake = changetype<Handshake>(0);
}

/** Gives a block back, unless it is 0. */
export function freeBlock(ptr: usize): void {
  if (ptr != 0) slabFree(ptr);
}

/** A block with a copy of [ptr, ptr + len); 0 when the slab is full. */
export function copyToBlock(ptr: usize, len: u32): usize {
  const block = slabAllocate(len);
  if (block != 0) memory.copy(block, ptr, len);
  return block;
}

/** The bytes that wait to be sent at `level`. */
// @ts-ignore: decorator
@inline
export function outputOf(session: TlsSession, level: u32): ByteQueue {
  return changetype<ByteQueue>(changetype<usize>(session) + OUTPUTS + level * offsetof<ByteQueue>());
}

// @ts-ignore: decorator
@inline
export function keyLogOf(session: TlsSession): ByteQueue {
  return changetype<ByteQueue>(changetype<usize>(session) + KEY_LOG);
}

// @ts-ignore: decorator
@inline
export function ticketsOf(session: TlsSession): ByteQueue {
  return changetype<ByteQueue>(changetype<usize>(session) + TICKETS);
}

// @ts-ignore: decorator
@inline
export function exporterSecretOf(session: TlsSession): usize {
  return changetype<usize>(session) + EXPORTER;
}

// @ts-ignore: decorator
@inline
export function resumptionSecretOf(session: TlsSession): usize {
  return changetype<usize>(session) + RESUMPTION;
}

/** The hash of the session's suite. */
// @ts-ignore: decorator
@inline
export function hashOfSession(session: TlsSession): HashId {
  return suiteHash(<Suite>session.suite);
}

/** The client's random. */
// @ts-ignore: decorator
@inline
export function randomOf(handshake: Handshake): usize {
  return changetype<usize>(handshake) + RANDOM;
}

/** The secret that the schedule has come to: early, handshake, then master. */
// @ts-ignore: decorator
@inline
export function runningSecretOf(handshake: Handshake): usize {
  return changetype<usize>(handshake) + RUNNING;
}

// @ts-ignore: decorator
@inline
export function pskOf(handshake: Handshake): usize {
  return changetype<usize>(handshake) + PSK;
}

// @ts-ignore: decorator
@inline
export function secretOf(handshake: Handshake, secret: u32): usize {
  return changetype<usize>(handshake) + SECRETS + secret * HASH_LENGTH_MAX;
}

// @ts-ignore: decorator
@inline
export function transcriptOf(handshake: Handshake): Transcript {
  return changetype<Transcript>(changetype<usize>(handshake) + TRANSCRIPT);
}

/** Ends the handshake. Answers `status`. */
export function fail(session: TlsSession, status: i32): i32 {
  session.status = status;
  session.state = State.FAILED;
  session.wantedKind = Wanted.NONE;
  return status;
}

/** Queues bytes to be sent at `level`. */
export function send(session: TlsSession, level: Level, ptr: usize, len: u32): i32 {
  return byteQueueWrite(outputOf(session, level), ptr, len) ? Status.OK : TlsStatus.INTERNAL;
}

/** Hands a secret out, to be taken in this order. */
export function publishSecret(session: TlsSession, secret: Secret, level: Level, direction: Direction): void {
  const handshake = session.handshake;
  const at = changetype<usize>(handshake) + SECRET_QUEUE + (handshake.secretsPublished << 1);
  store<u8>(at, secret);
  store<u8>(at, ((<u32>level) << 1) | direction, 1);
  handshake.secretsPublished++;
}

/** Place, level and direction of the next secret: secret << 8 | level << 1 | direction, or -1. */
export function nextSecret(handshake: Handshake): i32 {
  if (handshake.secretsTaken == handshake.secretsPublished) return -1;
  const at = changetype<usize>(handshake) + SECRET_QUEUE + (handshake.secretsTaken << 1);
  handshake.secretsTaken++;
  return ((<i32>load<u8>(at)) << 8) | load<u8>(at, 1);
}

/** Writes a secret down for a key log, where the config wants one. */
export function logSecret(session: TlsSession, label: string, secret: usize): void {
  if ((session.config.flags & ConfigFlag.KEY_LOG) == 0) return;
  const len = hashLength(hashOfSession(session));
  writeKeyLogLine(keyLogOf(session), label, randomOf(session.handshake), secret, len);
}

/** Asks the host. The block is the session's from here on. */
export function want(session: TlsSession, kind: Wanted, ptr: usize, len: u32): void {
  session.wantedKind = kind;
  session.wantedPtr = ptr;
  session.wantedLen = len;
}

/** Drops the question that was answered. */
export function wantNothing(session: TlsSession): void {
  session.wantedKind = Wanted.NONE;
  freeBlock(session.wantedPtr);
  session.wantedPtr = 0;
  session.wantedLen = 0;
}
