/**
 * What only a client does before its first answer: it makes up a destination, takes a Retry once, and hears of versions. RFC 9000
 * §6, §7.2, §8.1.2, §17.2.5.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { equalConstantTime } from "../../core/constant_time.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { AEAD_TAG_BYTES } from "../../crypto/aead.ts";
import { nowMs } from "../../session/deadline.ts";
import { remoteIdsReplaceInitial } from "../ids/remote_ids.ts";
import { retryTagWrite } from "../protection/retry_integrity.ts";
import { recoveryOnRetry } from "../recovery/recovery.ts";
import { connectionIdBytes, connectionIdIs, connectionIdSet } from "../wire/connection_id.ts";
import {
  packetSourceLen,
  packetSourcePtr,
  packetTokenLen,
  packetTokenPtr,
  packetVersion,
} from "../wire/packet_header.ts";
import { isSupportedVersion } from "../wire/version.ts";
import { closeSilently } from "./close.ts";
import { QuicConfig } from "./config.ts";
import {
  handshakeOf,
  hasBit,
  isServer,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
  setBit,
} from "./connection.ts";
import { settleFates } from "./fates.ts";
import { HandshakeState, originalDestinationOf, retrySourceOf } from "./handshake_state.ts";
import { deriveInitialKeys } from "./version.ts";

/** RFC 9000 §7.2: at least eight bytes that nobody can guess; other stacks take eight too. */
const FIRST_DESTINATION_BYTES: u32 = 8;
const made: usize = memory.data(FIRST_DESTINATION_BYTES, 8);
const tag: usize = memory.data(AEAD_TAG_BYTES, 16);

/** Makes up where the first Initial goes to. */
export function makeFirstDestination(): void {
  randomFill(made, FIRST_DESTINATION_BYTES);
}

/** The keys that follow from it. */
export function clientBegin(connection: QuicConnection): void {
  const state = handshakeOf(connection);
  connectionIdSet(originalDestinationOf(state), made, FIRST_DESTINATION_BYTES);
  deriveInitialKeys(connection, made, FIRST_DESTINATION_BYTES);
}

/** Address of what `makeFirstDestination` made up, FIRST_DESTINATION_BYTES. */
export function firstDestination(): usize {
  return made;
}

export function firstDestinationLen(): u32 {
  return FIRST_DESTINATION_BYTES;
}

/** Keeps the token that Initials carry. */
export function clientSetToken(state: HandshakeState, ptr: usize, len: u32): bool {
  const block = slabAllocate(len);
  if (block == 0) return false;
  memory.copy(block, ptr, len);
  if (state.tokenPtr != 0) slabFree(state.tokenPtr);
  state.tokenPtr = block;
  state.tokenLen = len;
  return true;
}

/** A Retry at [ptr, ptr + len), whose header was read last. Whether it was taken: once, before anything else came. */
export function clientOnRetry(connection: QuicConnection, ptr: usize, len: u32): bool {
  if (isServer(connection) || connection.handshake == 0) return false;
  if (hasBit(connection, QuicFlag.HAS_PROCESSED) || hasBit(connection, QuicFlag.RETRIED)) return false;
  if (packetVersion != connection.version) return false;
  const state = handshakeOf(connection);
  const original = originalDestinationOf(state);
  // RFC 9000 §17.2.5.2: its source must not be the destination of the Initial.
  if (connectionIdIs(original, packetSourcePtr, packetSourceLen)) return false;
  const signedLen = len - AEAD_TAG_BYTES;
  if (!retryTagWrite(packetVersion, connectionIdBytes(original), original.len, ptr, signedLen, tag))
    return false;
  if (!equalConstantTime(tag, ptr + signedLen, AEAD_TAG_BYTES)) return false;
  if (!clientSetToken(state, packetTokenPtr, packetTokenLen)) return false;
  setBit(connection, QuicFlag.RETRIED);
  state.hasRetrySource = true;
  connectionIdSet(retrySourceOf(state), packetSourcePtr, packetSourceLen);
  remoteIdsReplaceInitial(remoteIdsOf(connection), packetSourcePtr, packetSourceLen);
  deriveInitialKeys(connection, packetSourcePtr, packetSourceLen);
  recoveryOnRetry(recoveryOf(connection), nowMs);
  settleFates(connection);
  return true;
}

/**
 * The Version Negotiation packet that was read last, RFC 9000 §6.2: the version is not spoken there. Where the other one is, the host
 * may connect again, but once (RFC 9368 §2.1).
 */
export function clientOnVersionNegotiation(connection: QuicConnection): void {
  if (isServer(connection) || hasBit(connection, QuicFlag.HAS_PROCESSED)) return;
  let status = QuicStatus.VERSION_NEGOTIATION;
  for (let at: u32 = 0; at < packetTokenLen; at += 4) {
    const version = bswap<u32>(load<u32>(packetTokenPtr + at));
    // A server that speaks this version would not have sent it: somebody else has.
    if (version == connection.version) return;
    if (isSupportedVersion(version) && !changetype<QuicConfig>(connection.config).isNegotiated)
      status = QuicStatus.VERSION_OFFERED;
  }
  closeSilently(connection, status);
}
