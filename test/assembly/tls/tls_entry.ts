/**
 * Doors through which the tests of TLS drive the room (test/wire/tls/room.ts): the engine's own module has none of them, since
 * QUIC stands between. The room's functions are exported as they are; what is a field is read through a small door.
 */
import { drbgSeed } from "../../../assembly/crypto/drbg.ts";
import { byteQueueRead } from "../../../assembly/core/byte_queue.ts";
import { slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";
import { TlsConfig, configEarlyContext } from "../../../assembly/tls/config.ts";
import { TlsSession, outputOf } from "../../../assembly/tls/handshake.ts";
import { stepOf, levelOf } from "../../../assembly/tls/handshake_state.ts";
import { deriveSecret } from "../../../assembly/tls/key_schedule.ts";
import { replayReset } from "../../../assembly/tls/replay.ts";
import {
  TRANSCRIPT_BYTES,
  Transcript,
  transcriptDecide,
  transcriptDigest,
  transcriptStart,
  transcriptUpdate,
} from "../../../assembly/tls/transcript.ts";
import { alertOf, tlsErrorCode } from "../../../assembly/tls/tls_status.ts";

export {
  tlsConfigAddCertificate,
  tlsConfigAddRoot,
  tlsConfigCreate,
  tlsConfigOnly,
  tlsConfigPrefer,
  tlsConfigRelease,
  tlsConfigRotateTicketKey,
  tlsConfigSetAlpn,
  tlsConfigSetGroups,
} from "../../../assembly/tls/config";
export { earlySecret, finishedMac, handshakeSecret, masterSecret } from "../../../assembly/tls/key_schedule";
export {
  polledDirection,
  polledLevel,
  polledSecret,
  polledSecretLen,
  polledSuite,
  tlsExport,
  tlsFree,
  tlsKeyExchangeDone,
  tlsOpen,
  tlsPollSecret,
  tlsReadKeyLog,
  tlsReadTicket,
  tlsReceive,
  tlsSetResumption,
  tlsSetServerAddress,
  tlsSetServerName,
  tlsSetTime,
  tlsSetTransportParameters,
  tlsSignDone,
  tlsStart,
  tlsVerifyDone,
  tlsWantedFailed,
} from "../../../assembly/tls/session";

const BUFFER_BYTES: u32 = 131072;
const buffer: usize = memory.data(BUFFER_BYTES, 16);
const transcript = changetype<Transcript>(memory.data(TRANSCRIPT_BYTES, 16));
const SLAB_BYTES: u32 = 1 << 23;
let slabBase: usize = 0;

/** Starts afresh; with `slabBytes` small, memory is soon full. */
export function initialize(seed: u32, slabBytes: u32): void {
  if (slabBase == 0) slabBase = heap.alloc(SLAB_BYTES);
  slabInitialize(slabBase, slabBase + min(slabBytes, SLAB_BYTES));
  replayReset();
  store<u32>(buffer, seed);
  drbgSeed(buffer, 4);
}

export function bufferPtr(): usize {
  return buffer;
}

export function bytesInUse(): u32 {
  return slabBytesInUse();
}

export function configure(config: TlsConfig, flags: u32, clientAuth: u32, ticketCount: u32): void {
  config.flags = flags;
  config.clientAuth = clientAuth;
  config.ticketCount = ticketCount;
}

export function setEarlyContext(config: TlsConfig, byte: u8): void {
  store<u8>(configEarlyContext(config), byte);
}

export function readOutput(session: TlsSession, level: u32, dest: usize, max: u32): u32 {
  return byteQueueRead(outputOf(session, level), dest, max);
}

export function statusOf(session: TlsSession): i32 {
  return session.status;
}

export function stateOf(session: TlsSession): u32 {
  return session.state;
}

/** Puts a session into a state that its messages have not led to. */
export function forceState(session: TlsSession, state: u32): void {
  session.state = state;
}

export function suiteOf(session: TlsSession): u32 {
  return session.suite;
}

export function groupOf(session: TlsSession): u32 {
  return session.group;
}

export function isComplete(session: TlsSession): bool {
  return session.isComplete;
}

export function isResumed(session: TlsSession): bool {
  return session.isResumed;
}

export function earlyDataOf(session: TlsSession): u32 {
  return session.earlyData;
}

export function wantedKind(session: TlsSession): u32 {
  return session.wantedKind;
}

export function wantedPtr(session: TlsSession): usize {
  return session.wantedPtr;
}

export function wantedLen(session: TlsSession): u32 {
  return session.wantedLen;
}

/** What a session holds of its peer and its choices: pointer and length by `which`. */
export function spanPtr(session: TlsSession, which: u32): usize {
  switch (which) {
    case 0:
      return session.alpnPtr;
    case 1:
      return session.remoteParametersPtr;
    case 2:
      return session.serverNamePtr;
    case 3:
      return session.peerCertificatesPtr;
  }
  return session.rememberedParametersPtr;
}

export function spanLen(session: TlsSession, which: u32): u32 {
  switch (which) {
    case 0:
      return session.alpnLen;
    case 1:
      return session.remoteParametersLen;
    case 2:
      return session.serverNameLen;
    case 3:
      return session.peerCertificatesLen;
  }
  return session.rememberedParametersLen;
}

export function step(state: u32, type: u32): u32 {
  return stepOf(state, type);
}

export function level(state: u32): u32 {
  return levelOf(state);
}

export function alert(status: i32): u32 {
  return alertOf(status);
}

export function errorCode(status: i32): u32 {
  return tlsErrorCode(status);
}

/** The transcript hash of whole messages. */
export function hashMessages(hash: u32, ptr: usize, len: u32, dest: usize): void {
  transcriptStart(transcript);
  transcriptUpdate(transcript, ptr, len >> 1);
  transcriptDecide(transcript, hash);
  transcriptUpdate(transcript, ptr + (len >> 1), len - (len >> 1));
  transcriptDigest(transcript, dest);
}

/** Derive-Secret with the label of this number (test/wire/tls/rfc8448.test.ts). */
export function derive(hash: u32, secret: usize, label: u32, transcriptHash: usize, dest: usize): void {
  switch (label) {
    case 0:
      return deriveSecret(hash, secret, "derived", transcriptHash, dest);
    case 1:
      return deriveSecret(hash, secret, "c hs traffic", transcriptHash, dest);
    case 2:
      return deriveSecret(hash, secret, "s hs traffic", transcriptHash, dest);
    case 3:
      return deriveSecret(hash, secret, "c ap traffic", transcriptHash, dest);
    case 4:
      return deriveSecret(hash, secret, "s ap traffic", transcriptHash, dest);
    case 5:
      return deriveSecret(hash, secret, "exp master", transcriptHash, dest);
  }
  deriveSecret(hash, secret, "res master", transcriptHash, dest);
}
