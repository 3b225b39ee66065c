/**
 * ClientHello as a client writes it, RFC 8446 §4.1.2: the counterpart of client_hello.ts.
 *
 * It is written from the session alone, so that after a HelloRetryRequest the same comes out but for what was asked to change:
 * the share, the cookie, no early data (§4.1.2).
 */
import { Status } from "../abi/status.ts";
import { Reader, readU16, readSpan, readerIsExact, readerOpen } from "../core/reader.ts";
import { writeBytes, writeU16, writeU8 } from "../core/writer.ts";
import { clientShareBytes } from "./algorithm.ts";
import { HOST_NAME, LEGACY_VERSION, PSK_DHE_KE, TLS_1_3 } from "./client_hello.ts";
import { writePreSharedKey } from "./client_psk.ts";
import { SUITE_COUNT, configGroup, configSuite } from "./config.ts";
import { draft, draftBegin } from "./draft.ts";
import { ExtensionType, extensionBit } from "./extension.ts";
import { EarlyData, HandshakeFlag, RANDOM_BYTES, TlsSession, randomOf } from "./handshake.ts";
import { HandshakeType } from "./handshake_type.ts";
import { writeSchemes } from "./signature_algorithms.ts";
import { TlsStatus } from "./tls_status.ts";
import { writeTransportParameters } from "./transport_parameters.ts";
import { beginVector, endVector } from "./vector.ts";

const answer = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Drafts the message with the shares that the host answered at [ptr, ptr + len). The binder is still to be filled in. */
export function draftClientHello(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const config = session.config;
  draftBegin(HandshakeType.CLIENT_HELLO);
  writeU16(draft, LEGACY_VERSION);
  writeBytes(draft, randomOf(handshake), RANDOM_BYTES);
  // RFC 9001 §8.4: an empty session id.
  writeU8(draft, 0);
  const suites = beginVector(draft, 2);
  for (let index: u32 = 0; index < SUITE_COUNT; index++) {
    const suite = configSuite(config, index);
    // A config that leaves one suite names it several times.
    if (index == 0 || suite != configSuite(config, index - 1)) writeU16(draft, suite);
  }
  endVector(draft, suites, 2);
  writeU16(draft, 0x0100);
  const extensions = beginVector(draft, 2);
  if (isNameSent(session)) writeServerName(session);
  writeU16(draft, ExtensionType.SUPPORTED_GROUPS);
  writeU16(draft, 2 + (config.groupCount << 1));
  writeU16(draft, config.groupCount << 1);
  for (let index: u32 = 0; index < config.groupCount; index++) writeU16(draft, configGroup(config, index));
  writeSchemes(draft);
  writeU16(draft, ExtensionType.ALPN);
  writeU16(draft, 2 + config.alpnLen);
  writeU16(draft, config.alpnLen);
  writeBytes(draft, config.alpn, config.alpnLen);
  writeU16(draft, ExtensionType.SUPPORTED_VERSIONS);
  writeU16(draft, 3);
  writeU8(draft, 2);
  writeU16(draft, TLS_1_3);
  const status = writeShares(session, ptr, len);
  if (status < 0) return status;
  writeTransportParameters(draft, session);
  writeU16(draft, ExtensionType.PSK_KEY_EXCHANGE_MODES);
  writeU16(draft, 2);
  writeU16(draft, 0x0100 | PSK_DHE_KE);
  if (handshake.cookieLen != 0) {
    writeU16(draft, ExtensionType.COOKIE);
    writeU16(draft, 2 + handshake.cookieLen);
    writeU16(draft, handshake.cookieLen);
    writeBytes(draft, handshake.cookiePtr, handshake.cookieLen);
  }
  if (session.earlyData == EarlyData.OFFERED) {
    writeU16(draft, ExtensionType.EARLY_DATA);
    writeU16(draft, 0);
  }
  if ((handshake.flags & HandshakeFlag.PSK_OFFERED) != 0) writePreSharedKey(session);
  endVector(draft, extensions, 2);
  handshake.sent = sentExtensions(session);
  return Status.OK;
}

/** What answers may answer. */
function sentExtensions(session: TlsSession): u64 {
  const handshake = session.handshake;
  let sent =
    extensionBit(ExtensionType.SUPPORTED_GROUPS) |
    extensionBit(ExtensionType.ALPN) |
    extensionBit(ExtensionType.SUPPORTED_VERSIONS) |
    extensionBit(ExtensionType.KEY_SHARE) |
    extensionBit(ExtensionType.QUIC_TRANSPORT_PARAMETERS);
  if (isNameSent(session)) sent |= extensionBit(ExtensionType.SERVER_NAME);
  if (session.earlyData == EarlyData.OFFERED) sent |= extensionBit(ExtensionType.EARLY_DATA);
  if ((handshake.flags & HandshakeFlag.PSK_OFFERED) != 0) sent |= extensionBit(ExtensionType.PRE_SHARED_KEY);
  return sent;
}

function isNameSent(session: TlsSession): bool {
  return session.serverNameLen != 0 && !session.isServerAddress;
}

function writeServerName(session: TlsSession): void {
  writeU16(draft, ExtensionType.SERVER_NAME);
  writeU16(draft, 5 + session.serverNameLen);
  writeU16(draft, 3 + session.serverNameLen);
  writeU8(draft, HOST_NAME);
  writeU16(draft, session.serverNameLen);
  writeBytes(draft, session.serverNamePtr, session.serverNameLen);
}

/** The host's answer to GENERATE is the list, but for the groups. */
function writeShares(session: TlsSession, ptr: usize, len: u32): i32 {
  const handshake = session.handshake;
  const isRetry = handshake.retryGroup != 0;
  const count: u32 = isRetry ? 1 : session.config.shareCount;
  readerOpen(answer, ptr, len);
  writeU16(draft, ExtensionType.KEY_SHARE);
  const extension = beginVector(draft, 2);
  const shares = beginVector(draft, 2);
  for (let index: u32 = 0; index < count; index++) {
    const group = isRetry ? handshake.retryGroup : configGroup(session.config, index);
    const shareLen = readU16(answer);
    const share = readSpan(answer, shareLen);
    if (shareLen != clientShareBytes(group)) return TlsStatus.INTERNAL;
    writeU16(draft, group);
    writeU16(draft, shareLen);
    writeBytes(draft, share, shareLen);
  }
  endVector(draft, shares, 2);
  endVector(draft, extension, 2);
  return readerIsExact(answer) ? Status.OK : TlsStatus.INTERNAL;
}
