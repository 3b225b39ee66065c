/**
 * pre_shared_key as a server reads it, RFC 8446 §4.2.11: which ticket it takes, whether its binder is good, and whether early
 * data may come with it (§4.2.10, §8).
 *
 * A ticket that does not open, has expired, or is of another name or suite is passed over, and the handshake goes on with
 * certificates. A binder that is wrong for the ticket that was taken ends the handshake.
 */
import { Status } from "../abi/status.ts";
import { equalConstantTime } from "../core/constant_time.ts";
import { Reader, readU32, readerIsExact, readerLeft } from "../core/reader.ts";
import { equalBytes } from "../core/scan.ts";
import { Suite, suiteHash } from "../crypto/aead.ts";
import { HASH_LENGTH_MAX, hashLength } from "../crypto/hash.ts";
import { nameLen, namePtr, offersPskWithKeyExchange, offersSuite } from "./client_hello.ts";
import {
  ClientAuth,
  ConfigFlag,
  EARLY_CONTEXT_BYTES,
  SUITE_COUNT,
  TlsConfig,
  configEarlyContext,
  configSuite,
} from "./config.ts";
import { ExtensionType, extensionIsPresent, extensionOpen } from "./extension.ts";
import { EarlyData, HandshakeFlag, TlsSession, pskOf, runningSecretOf, transcriptOf } from "./handshake.ts";
import { binderMac, earlySecret } from "./key_schedule.ts";
import { FRESHNESS_WINDOW_MS, replayIsFirst } from "./replay.ts";
import {
  TicketFlag,
  openTicket,
  ticketAlpn,
  ticketEarlyContext,
  ticketIdentity,
  ticketName,
  ticketPsk,
  ticketState,
  wipeTicket,
} from "./ticket.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptDigestWith } from "./transcript.ts";
import { readVector16, readVector8 } from "./vector.ts";

/** Each ticket costs a try to open it. Honest clients send one or two. */
const TRIED_MAX: u32 = 4;
const BINDER_BYTES_MIN: u32 = 32;

const identities = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const binders = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const item = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const digest: usize = memory.data(HASH_LENGTH_MAX, 16);
const mac: usize = memory.data(HASH_LENGTH_MAX, 16);

/** Where the binders begin: what they cover ends there. */
let bindersPtr: usize = 0;
/** The ticket that was taken. */
let takenIdentity: u64 = 0;
let takenIsFresh: bool = false;

/**
 * Chooses a PSK of the ClientHello at [ptr, ptr + len), header included, and sets the session's suite by it. `retrySuite` is the
 * one that a HelloRetryRequest has settled, or 0. Changes nothing when there is none to choose.
 */
export function choosePsk(session: TlsSession, ptr: usize, len: u32, retrySuite: u32): i32 {
  const handshake = session.handshake;
  // RFC 8446 §4.1.2: the second ClientHello MUST NOT ask for early data again.
  if (retrySuite != 0 && extensionIsPresent(ExtensionType.EARLY_DATA)) return TlsStatus.ILLEGAL_PARAMETER;
  if (!extensionIsPresent(ExtensionType.PRE_SHARED_KEY)) {
    // RFC 8446 §4.2.10: early data is keyed by a PSK.
    return extensionIsPresent(ExtensionType.EARLY_DATA) ? TlsStatus.EXTENSION_MISSING : Status.OK;
  }
  // RFC 8446 §4.2.9: a PSK goes with its modes.
  if (!extensionIsPresent(ExtensionType.PSK_KEY_EXCHANGE_MODES)) return TlsStatus.EXTENSION_MISSING;
  const modes = offersPskWithKeyExchange();
  if (modes < 0) return modes;
  const status = readOffer();
  if (status < 0) return status;
  if (extensionIsPresent(ExtensionType.EARLY_DATA)) session.earlyData = EarlyData.REJECTED;
  // A client's certificate is not remembered by tickets, so who asks for one asks each time.
  if (modes == 0 || session.config.clientAuth != ClientAuth.NONE) return Status.OK;
  let index: u32 = 0;
  while (readerLeft(identities) != 0 && index < TRIED_MAX) {
    readVector16(identities, item);
    const obfuscatedAge = readU32(identities);
    if (isUsable(session, item.at, readerLeft(item), retrySuite)) {
      takenIdentity = ticketIdentity(item.at, readerLeft(item));
      const ageMs = session.nowMs - ticketState.issuedMs;
      const claimedMs = <f64>(obfuscatedAge - ticketState.ageAdd);
      takenIsFresh = Math.abs(ageMs - claimedMs) <= FRESHNESS_WINDOW_MS;
      session.suite = ticketState.suite;
      handshake.flags |= HandshakeFlag.PSK_SELECTED;
      handshake.pskIndex = index;
      handshake.pskLen = hashLength(suiteHash(<Suite>ticketState.suite));
      memory.copy(pskOf(handshake), ticketPsk(), handshake.pskLen);
      return checkBinder(session, index, ptr, len);
    }
    index++;
  }
  wipeTicket();
  return Status.OK;
}

/** Settles early data, once the protocol is chosen. Must follow `choosePsk` before another ticket is opened. */
export function decideEarlyData(session: TlsSession, isRetryNeeded: bool): void {
  const handshake = session.handshake;
  if (session.earlyData == EarlyData.REJECTED && !isRetryNeeded && isEarlyDataAcceptable(session)) {
    session.earlyData = EarlyData.ACCEPTED;
  }
  if ((handshake.flags & HandshakeFlag.PSK_SELECTED) != 0) wipeTicket();
}

function isEarlyDataAcceptable(session: TlsSession): bool {
  const config = session.config;
  const flags = session.handshake.flags;
  if ((config.flags & ConfigFlag.EARLY_DATA) == 0 || (ticketState.flags & TicketFlag.EARLY_DATA) == 0)
    return false;
  if ((flags & HandshakeFlag.PSK_SELECTED) == 0 || (flags & HandshakeFlag.RETRIED) != 0) return false;
  // RFC 8446 §4.2.10: only the first PSK, and the same protocol as before.
  if (session.handshake.pskIndex != 0 || ticketState.alpnLen != session.alpnLen) return false;
  if (!equalBytes(ticketAlpn(), session.alpnPtr, session.alpnLen)) return false;
  if (!equalBytes(ticketEarlyContext(), configEarlyContext(config), EARLY_CONTEXT_BYTES)) return false;
  return takenIsFresh && replayIsFirst(takenIdentity, session.nowMs);
}

/** Opens `identities` and `binders`: as many of the one as of the other, none of them empty. */
function readOffer(): i32 {
  const reader = extensionOpen(ExtensionType.PRE_SHARED_KEY);
  readVector16(reader, identities);
  bindersPtr = reader.at;
  readVector16(reader, binders);
  if (!readerIsExact(reader)) return TlsStatus.DECODE;
  const start = identities.at;
  const bindersStart = binders.at;
  let count: u32 = 0;
  while (readerLeft(identities) != 0) {
    readVector16(identities, item);
    readU32(identities);
    if (identities.failed != 0 || readerLeft(item) == 0) return TlsStatus.DECODE;
    count++;
  }
  let binderCount: u32 = 0;
  while (readerLeft(binders) != 0) {
    readVector8(binders, item);
    if (binders.failed != 0 || readerLeft(item) < BINDER_BYTES_MIN) return TlsStatus.DECODE;
    binderCount++;
  }
  if (count == 0 || binderCount == 0) return TlsStatus.DECODE;
  identities.at = start;
  binders.at = bindersStart;
  return count == binderCount ? Status.OK : TlsStatus.ILLEGAL_PARAMETER;
}

/** Whether a ticket is ours, alive, and of this server name and a suite that fits. */
function isUsable(session: TlsSession, ptr: usize, len: u32, retrySuite: u32): bool {
  if (!openTicket(session.config, ptr, len)) return false;
  const ageMs = session.nowMs - ticketState.issuedMs;
  if (!(ageMs >= 0 && ageMs <= <f64>ticketState.lifetimeS * 1000)) return false;
  if (ticketState.nameLen != nameLen || !equalBytes(ticketName(), namePtr, nameLen)) return false;
  const suite = ticketState.suite;
  if (retrySuite != 0 && retrySuite != suite) return false;
  return hasSuite(session.config, suite) && offersSuite(suite);
}

function hasSuite(config: TlsConfig, suite: u32): bool {
  for (let index: u32 = 0; index < SUITE_COUNT; index++) {
    if (configSuite(config, index) == suite) return true;
  }
  return false;
}

/** RFC 8446 §4.2.11.2: the binder of the PSK that was taken, over the ClientHello up to the binders. */
function checkBinder(session: TlsSession, index: u32, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const hash = suiteHash(<Suite>session.suite);
  const running = runningSecretOf(handshake);
  for (let at: u32 = 0; at <= index; at++) readVector8(binders, item);
  const coveredLen = <u32>(bindersPtr - ptr);
  if (coveredLen > len || readerLeft(item) != hashLength(hash)) return TlsStatus.FINISHED_INVALID;
  transcriptDigestWith(transcriptOf(handshake), hash, ptr, coveredLen, digest);
  earlySecret(hash, pskOf(handshake), handshake.pskLen, running);
  binderMac(hash, running, digest, mac);
  return equalConstantTime(item.at, mac, hashLength(hash)) ? Status.OK : TlsStatus.FINISHED_INVALID;
}
