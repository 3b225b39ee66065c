/**
 * The version that a connection goes on in, RFC 9368 §2.3 and RFC 9369 §4: a server that has read what the client speaks may go over to
 * the version that it prefers, and a client follows the first genuine Initial in another version than its own.
 *
 * Initial keys of any version follow from the same destination, so they are made again whenever the version changes. What the client
 * still sends in the version that it began with is opened with keys made for that packet alone.
 */
import { EarlyData } from "../../tls/handshake.ts";
import { connectionIdBytes } from "../wire/connection_id.ts";
import { initialKeysDerive } from "../protection/initial_secrets.ts";
import { packetKeysExist, packetKeysForget } from "../protection/packet_keys.ts";
import { packetVersion } from "../wire/packet_header.ts";
import { AvailableVersion } from "../wire/transport_parameter.ts";
import { isSupportedVersion, Version } from "../wire/version.ts";
import { QuicConfig } from "./config.ts";
import { handshakeOf, hasBit, isServer, QuicConnection, QuicFlag, tlsOf } from "./connection.ts";
import { HandshakeKeys, handshakeKeys, originalDestinationOf, retrySourceOf } from "./handshake_state.ts";

/** Initial keys of both directions, for a destination of the client. */
export function deriveInitialKeys(connection: QuicConnection, destination: usize, len: u32): void {
  const state = handshakeOf(connection);
  const read = handshakeKeys(state, HandshakeKeys.INITIAL_READ);
  const write = handshakeKeys(state, HandshakeKeys.INITIAL_WRITE);
  packetKeysForget(read, false);
  packetKeysForget(write, false);
  if (isServer(connection)) initialKeysDerive(connection.version, destination, len, read, write);
  else initialKeysDerive(connection.version, destination, len, write, read);
}

/**
 * A server has read which versions the client speaks (bits of AvailableVersion): it goes over to the one that it prefers. Not where it
 * takes early data, which are in the client's first version.
 */
export function versionChoose(connection: QuicConnection, available: u32): void {
  const preferred = changetype<QuicConfig>(connection.config).preferredVersion;
  if (preferred == 0 || preferred == connection.version) return;
  const bit: u32 = preferred == Version.V2 ? AvailableVersion.V2 : AvailableVersion.V1;
  if ((available & bit) != 0 && tlsOf(connection).earlyData != EarlyData.ACCEPTED)
    setVersion(connection, preferred);
}

/**
 * An Initial in another version than the connection's, whose header was read last: whether it may be one of it. Then it is opened with
 * that version's keys; `versionRestore` takes that back.
 */
export function versionTake(connection: QuicConnection): bool {
  if (connection.handshake == 0 || !isSupportedVersion(packetVersion)) return false;
  const state = handshakeOf(connection);
  if (!packetKeysExist(handshakeKeys(state, HandshakeKeys.INITIAL_READ))) return false;
  // A server that has gone over, or a client whose server has not chosen yet.
  const mayBe = isServer(connection)
    ? connection.version == changetype<QuicConfig>(connection.config).preferredVersion
    : !packetKeysExist(handshakeKeys(state, HandshakeKeys.HANDSHAKE_READ));
  if (mayBe) setVersion(connection, packetVersion);
  return mayBe;
}

/** The packet has not changed the version. */
export function versionRestore(connection: QuicConnection, version: u32): void {
  if (connection.version != version) setVersion(connection, version);
}

function setVersion(connection: QuicConnection, version: u32): void {
  const state = handshakeOf(connection);
  const destination = hasBit(connection, QuicFlag.RETRIED)
    ? retrySourceOf(state)
    : originalDestinationOf(state);
  connection.version = version;
  deriveInitialKeys(connection, connectionIdBytes(destination), destination.len);
}
