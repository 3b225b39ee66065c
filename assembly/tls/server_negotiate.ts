/**
 * What a server makes of a ClientHello, RFC 8446 §4.1.1: suite, PSK, group, protocol and certificate, in this order of need.
 *
 * Decides and stores; sends nothing. Missing and malformed extensions are refused here (§9.2), what is merely not common is
 * refused with the alert of what is missing.
 */
import { Status } from "../abi/status.ts";
import { chooseAlpn } from "./alpn.ts";
import {
  clientRandom,
  isList16,
  list16Has,
  nameLen,
  namePtr,
  offersSuite,
  readClientHello,
  readServerName,
} from "./client_hello.ts";
import { SUITE_COUNT, TlsCertificate, configGroup, configSuite } from "./config.ts";
import { ExtensionType, extensionIsPresent } from "./extension.ts";
import { HandshakeFlag, RANDOM_BYTES, TlsSession, copyToBlock, freeBlock, randomOf } from "./handshake.ts";
import { MESSAGE_HEADER_BYTES } from "./handshake_type.ts";
import { findClientShare, isClientShareLength, readClientShares, shareGroup, shareLen } from "./key_share.ts";
import { chooseCertificate, chosenScheme } from "./server_name.ts";
import { choosePsk, decideEarlyData } from "./server_psk.ts";
import { takeTransportParameters } from "./transport_parameters.ts";
import { TlsStatus } from "./tls_status.ts";

/** Whether the client has to try again with another share. Then `session.group` is the group that is asked for. */
export let isRetryNeeded: bool = false;

/**
 * Reads a ClientHello, header included, and settles what it can. `retrySuite` and `retryGroup` are what a HelloRetryRequest has
 * settled, or 0. Afterwards the share, if there is one, is in key_share.ts.
 */
export function negotiate(session: TlsSession, ptr: usize, len: u32, retrySuite: u32, retryGroup: u32): i32 {
  let status = readClientHello(ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
  if (status < 0) return status;
  status = checkLists();
  if (status < 0) return status;
  status = readServerName();
  if (status < 0) return status;
  status = keepName(session);
  if (status < 0) return status;
  status = takeTransportParameters(session);
  if (status < 0) return status;
  memory.copy(randomOf(session.handshake), clientRandom, RANDOM_BYTES);
  status = chooseSuite(session, retrySuite);
  if (status < 0) return status;
  status = choosePsk(session, ptr, len, retrySuite);
  if (status < 0) return status;
  status = chooseAlpn(session);
  if (status < 0) return status;
  status = chooseGroup(session, retryGroup);
  if (status < 0) return status;
  decideEarlyData(session, isRetryNeeded);
  if ((session.handshake.flags & HandshakeFlag.PSK_SELECTED) != 0) {
    session.isResumed = true;
    return Status.OK;
  }
  return chooseChain(session);
}

/** RFC 8446 §9.2: supported_groups and key_share go together, and every handshake here has both. */
function checkLists(): i32 {
  if (!extensionIsPresent(ExtensionType.SUPPORTED_GROUPS)) return TlsStatus.EXTENSION_MISSING;
  if (!extensionIsPresent(ExtensionType.KEY_SHARE)) return TlsStatus.EXTENSION_MISSING;
  if (!isList16(ExtensionType.SUPPORTED_GROUPS)) return TlsStatus.DECODE;
  if (!isList16(ExtensionType.SIGNATURE_ALGORITHMS)) return TlsStatus.DECODE;
  return isList16(ExtensionType.SIGNATURE_ALGORITHMS_CERT) ? Status.OK : TlsStatus.DECODE;
}

function keepName(session: TlsSession): i32 {
  freeBlock(session.serverNamePtr);
  session.serverNamePtr = 0;
  session.serverNameLen = 0;
  if (nameLen == 0) return Status.OK;
  session.serverNamePtr = copyToBlock(namePtr, nameLen);
  if (session.serverNamePtr == 0) return TlsStatus.INTERNAL;
  session.serverNameLen = nameLen;
  return Status.OK;
}

/** The first of ours that the client offers; after a HelloRetryRequest the same again (§4.1.4). */
function chooseSuite(session: TlsSession, retrySuite: u32): i32 {
  if (retrySuite != 0) {
    session.suite = retrySuite;
    return offersSuite(retrySuite) ? Status.OK : TlsStatus.ILLEGAL_PARAMETER;
  }
  for (let index: u32 = 0; index < SUITE_COUNT; index++) {
    const suite = configSuite(session.config, index);
    if (!offersSuite(suite)) continue;
    session.suite = suite;
    return Status.OK;
  }
  return TlsStatus.NO_CIPHER_SUITE;
}

/** The first of our groups that there is a share of; else the first that the client supports, and it is asked again. */
function chooseGroup(session: TlsSession, retryGroup: u32): i32 {
  isRetryNeeded = false;
  const config = session.config;
  const shareCount = readClientShares();
  if (shareCount < 0) return shareCount;
  if (retryGroup != 0) {
    // §4.2.8: after a HelloRetryRequest exactly one share, of the group that was asked for.
    if (shareCount != 1 || !findClientShare(retryGroup)) return TlsStatus.ILLEGAL_PARAMETER;
    return takeShare(session);
  }
  for (let index: u32 = 0; index < config.groupCount; index++) {
    const group = configGroup(config, index);
    // §4.2.8: a share of a group that is not in supported_groups is an error; one that nobody asks for is not looked at.
    if (findClientShare(group)) {
      if (!list16Has(ExtensionType.SUPPORTED_GROUPS, group)) return TlsStatus.ILLEGAL_PARAMETER;
      return takeShare(session);
    }
  }
  for (let index: u32 = 0; index < config.groupCount; index++) {
    const group = configGroup(config, index);
    if (!list16Has(ExtensionType.SUPPORTED_GROUPS, group)) continue;
    session.group = group;
    isRetryNeeded = true;
    return Status.OK;
  }
  return TlsStatus.NO_GROUP;
}

function takeShare(session: TlsSession): i32 {
  session.group = shareGroup;
  return isClientShareLength(shareGroup, shareLen) ? Status.OK : TlsStatus.KEY_SHARE_INVALID;
}

function chooseChain(session: TlsSession): i32 {
  // RFC 8446 §4.2.3: without a PSK a client MUST say which signatures it takes.
  if (!extensionIsPresent(ExtensionType.SIGNATURE_ALGORITHMS)) return TlsStatus.EXTENSION_MISSING;
  const chosen = chooseCertificate(session.config, session.serverNamePtr, session.serverNameLen);
  if (chosen == 0) return TlsStatus.NO_SIGNATURE_SCHEME;
  session.handshake.certificate = changetype<TlsCertificate>(chosen);
  session.handshake.scheme = chosenScheme;
  return Status.OK;
}
