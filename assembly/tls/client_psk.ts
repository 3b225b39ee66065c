/**
 * pre_shared_key as a client writes it, RFC 8446 §4.2.11: one ticket of an earlier session, and its binder.
 *
 * The record that the host gives (resumption.ts) is used only where it fits: the same server name, not expired, a protocol that is
 * still offered. One that does not fit is dropped without a word, and the handshake runs with certificates.
 */
import { Reader, readerLeft } from "../core/reader.ts";
import { equalBytes } from "../core/scan.ts";
import { writeBytes, writeSpan, writeU16, writeU32, writeU8 } from "../core/writer.ts";
import { Suite, suiteHash } from "../crypto/aead.ts";
import { HASH_LENGTH_MAX, hashLength } from "../crypto/hash.ts";
import { ConfigFlag, TlsConfig } from "./config.ts";
import { draft, draftPtr } from "./draft.ts";
import { ExtensionType } from "./extension.ts";
import {
  EarlyData,
  Handshake,
  HandshakeFlag,
  TlsSession,
  copyToBlock,
  pskOf,
  runningSecretOf,
  transcriptOf,
} from "./handshake.ts";
import { binderMac, earlySecret } from "./key_schedule.ts";
import {
  resumptionAgeAdd,
  resumptionAlpn,
  resumptionHasEarlyData,
  resumptionLifetimeS,
  resumptionName,
  resumptionParameters,
  resumptionPskSpan,
  resumptionRead,
  resumptionReceivedMs,
  resumptionSuite,
  resumptionTicket,
} from "./resumption.ts";
import { transcriptDigestWith } from "./transcript.ts";

/** Length of the list, and of one binder. */
const BINDERS_HEAD_BYTES: u32 = 3;

const digest: usize = memory.data(HASH_LENGTH_MAX, 16);
let bindersPtr: usize = 0;

/** Takes the record where it fits. False when it is not one, or the slab is full; the handshake goes on without. */
export function clientTakeResumption(session: TlsSession, ptr: usize, len: u32): bool {
  if (!resumptionRead(ptr, len)) return false;
  const ageMs = session.nowMs - resumptionReceivedMs;
  if (!(ageMs >= 0 && ageMs < <f64>resumptionLifetimeS * 1000)) return false;
  if (readerLeft(resumptionName) != session.serverNameLen) return false;
  if (!equalBytes(resumptionName.at, session.serverNamePtr, session.serverNameLen)) return false;
  const handshake = session.handshake;
  handshake.resumptionPtr = copyToBlock(ptr, len);
  if (handshake.resumptionPtr == 0) return false;
  handshake.resumptionLen = len;
  resumptionRead(handshake.resumptionPtr, len);
  handshake.flags |= HandshakeFlag.PSK_OFFERED;
  handshake.pskSuite = resumptionSuite;
  handshake.pskLen = readerLeft(resumptionPskSpan);
  memory.copy(pskOf(handshake), resumptionPskSpan.at, handshake.pskLen);
  const isWanted = (session.config.flags & ConfigFlag.EARLY_DATA) != 0;
  if (isWanted && resumptionHasEarlyData && offersProtocol(session.config, resumptionAlpn)) {
    session.earlyData = EarlyData.OFFERED;
    session.rememberedParametersPtr = resumptionParameters.at;
    session.rememberedParametersLen = readerLeft(resumptionParameters);
  }
  return true;
}

/** RFC 8446 §4.2.10: accepted early data speaks the protocol of the earlier session. */
export function isRememberedAlpn(session: TlsSession, ptr: usize, len: u32): bool {
  const handshake = session.handshake;
  if (!resumptionRead(handshake.resumptionPtr, handshake.resumptionLen)) return false;
  return readerLeft(resumptionAlpn) == len && equalBytes(resumptionAlpn.at, ptr, len);
}

/** Writes the extension, the binder still empty. It must be the last. */
export function writePreSharedKey(session: TlsSession): void {
  const handshake = session.handshake;
  resumptionRead(handshake.resumptionPtr, handshake.resumptionLen);
  const ticketLen = readerLeft(resumptionTicket);
  const binderLen = binderLength(handshake);
  writeU16(draft, ExtensionType.PRE_SHARED_KEY);
  writeU16(draft, 2 + 2 + ticketLen + 4 + BINDERS_HEAD_BYTES + binderLen);
  writeU16(draft, 2 + ticketLen + 4);
  writeU16(draft, ticketLen);
  writeBytes(draft, resumptionTicket.at, ticketLen);
  // RFC 8446 §4.2.11.1: the age in milliseconds, hidden by the server's number.
  writeU32(draft, <u32>(<u64>(session.nowMs - resumptionReceivedMs)) + resumptionAgeAdd);
  bindersPtr = draft.at;
  writeU16(draft, 1 + binderLen);
  writeU8(draft, binderLen);
  writeSpan(draft, binderLen);
}

/** Fills in the binder of a ClientHello whose lengths are all written. */
export function fillBinder(session: TlsSession): void {
  if (draft.failed != 0) return;
  const handshake = session.handshake;
  const hash = suiteHash(<Suite>handshake.pskSuite);
  const running = runningSecretOf(handshake);
  transcriptDigestWith(transcriptOf(handshake), hash, draftPtr(), <u32>(bindersPtr - draftPtr()), digest);
  earlySecret(hash, pskOf(handshake), handshake.pskLen, running);
  binderMac(hash, running, digest, bindersPtr + BINDERS_HEAD_BYTES);
}

function binderLength(handshake: Handshake): u32 {
  return hashLength(suiteHash(<Suite>handshake.pskSuite));
}

function offersProtocol(config: TlsConfig, name: Reader): bool {
  const end = config.alpn + config.alpnLen;
  for (let at = config.alpn; at < end; at += 1 + <u32>load<u8>(at)) {
    const len: u32 = load<u8>(at);
    if (len == readerLeft(name) && equalBytes(at + 1, name.at, len)) return true;
  }
  return false;
}
