/**
 * Transport parameters of a connection: what this side declares, and what it takes from the peer's. RFC 9000 §7.3, §7.4.
 */
import { Limit } from "../../abi/limit.ts";
import { AddressFamily, QuicConfigFlag } from "../../abi/quic.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { Writer, writerOpen } from "../../core/writer.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { limitOf, limitU32 } from "../../session/limits.ts";
import { tlsSetTransportParameters } from "../../tls/session.ts";
import { LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { REMOTE_ID_COUNT, remoteIdsAddPreferred, remoteIdsSetInitialToken } from "../ids/remote_ids.ts";
import { localIdAt, localIdBytes, localIdsAddPreferred, localIdsSetLimit } from "../ids/local_ids.ts";

import { Address, ADDRESS_BYTES, addressIsIpv4, addressSet } from "../path/address.ts";
import { mtuOpen } from "../path/mtu.ts";
import { pathRemote } from "../path/path.ts";
import { recoverySetMaxAckDelay } from "../recovery/recovery.ts";
import { countsOf } from "../stream/streams.ts";
import { streamsSetRemoteLimits } from "../stream/remote_limits.ts";
import { connectionIdBytes, connectionIdIs, connectionIdSet, ConnectionId } from "../wire/connection_id.ts";
import {
  AvailableVersion,
  Parameter,
  parameterId,
  parameterIsPresent,
  parameterResetToken,
  parameterSet,
  PREFERRED_ADDRESS_BYTES,
  preferredAddress,
  preferredResetToken,
  TRANSPORT_PARAMETERS_BYTES,
  TransportParameters,
  transportParametersDefault,
} from "../wire/transport_parameter.ts";
import {
  readTransportParameters,
  writeReservedParameter,
  writeTransportParameters,
} from "../wire/transport_parameters.ts";
import { Version } from "../wire/version.ts";
import { resetToken } from "../token/reset_token.ts";
import { preferredAddressOf, QuicConfig } from "./config.ts";
import { resetKey } from "./identity.ts";
import { makeId } from "./ids.ts";
import {
  handshakeOf,
  hasBit,
  isServer,
  localIdsOf,
  mtuOf,
  pathOf,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
  setBit,
  streamsOfConnection,
  tlsOf,
} from "./connection.ts";
import { originalDestinationOf, peerSourceOf, retrySourceOf } from "./handshake_state.ts";
import { versionChoose } from "./version.ts";

const parameters = changetype<TransportParameters>(memory.data(TRANSPORT_PARAMETERS_BYTES, 16));
const WIRE_BYTES_MAX: u32 = 512;
const wire: usize = memory.data(WIRE_BYTES_MAX, 8);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const seed: usize = memory.data(4, 4);

/** RFC 9000 §18.2: what this side declares by saying nothing. */
export const ACK_EXPONENT: u32 = 3;
export const MAX_ACK_DELAY_MS: f64 = 25;

/** Gives TLS what this side declares: a server once it knows the version, before TLS writes it. False when the memory is full. */
export function parametersDeclare(connection: QuicConnection): bool {
  const config = changetype<QuicConfig>(connection.config);
  const set = streamsOfConnection(connection);
  transportParametersDefault(parameters);
  parameters.maxIdleTimeoutMs = <u64>limitOf(Limit.QUIC_IDLE_TIMEOUT_MS);
  parameters.maxUdpPayloadSize = limitU32(Limit.QUIC_UDP_PAYLOAD_BYTES);
  parameters.initialMaxData = set.receiveMost;
  parameters.initialMaxStreamDataBidiLocal = set.streamWindow;
  parameters.initialMaxStreamDataBidiRemote = set.streamWindow;
  parameters.initialMaxStreamDataUni = set.streamWindow;
  parameters.initialMaxStreamsBidi = countsOf(set, false).remoteMost;
  parameters.initialMaxStreamsUni = countsOf(set, true).remoteMost;
  parameters.activeConnectionIdLimit = REMOTE_ID_COUNT;
  parameters.maxDatagramFrameSize = config.datagramBytes;
  set.datagramAllowed = config.datagramBytes;
  parameterSet(parameters, Parameter.GREASE_QUIC_BIT);
  parameterSet(parameters, Parameter.VERSION_INFORMATION);
  parameters.chosenVersion = connection.version;
  parameters.availableVersions = AvailableVersion.V1 | AvailableVersion.V2;
  if (config.flags & QuicConfigFlag.NO_MIGRATION)
    parameterSet(parameters, Parameter.DISABLE_ACTIVE_MIGRATION);
  const first = localIdBytes(localIdAt(localIdsOf(connection), 0));
  connectionIdSet(parameterId(parameters, Parameter.INITIAL_SOURCE_CONNECTION_ID), first, LOCAL_ID_BYTES);
  if (isServer(connection)) {
    const state = handshakeOf(connection);
    copyId(Parameter.ORIGINAL_DESTINATION_CONNECTION_ID, originalDestinationOf(state));
    if (hasBit(connection, QuicFlag.RETRIED)) {
      parameterSet(parameters, Parameter.RETRY_SOURCE_CONNECTION_ID);
      copyId(Parameter.RETRY_SOURCE_CONNECTION_ID, retrySourceOf(state));
    }
    parameterSet(parameters, Parameter.STATELESS_RESET_TOKEN);
    resetToken(resetKey, first, LOCAL_ID_BYTES, parameterResetToken(parameters));
    if (config.preferred0 | config.preferred8 | config.preferred16) preferAddress(connection, config);
  }
  writerOpen(writer, wire, WIRE_BYTES_MAX);
  writeTransportParameters(writer, parameters, isServer(connection));
  randomFill(seed, 4);
  writeReservedParameter(writer, load<u32>(seed));
  if (writer.failed != 0) return false;
  return tlsSetTransportParameters(tlsOf(connection), wire, <u32>(writer.at - wire));
}

/** RFC 9000 §9.6: tells of the address to come to, and of the ID to use there. Without room for an ID it is not told. */
function preferAddress(connection: QuicConnection, config: QuicConfig): void {
  const id = makeId(connection.handle);
  if (id == 0) return;
  localIdsAddPreferred(localIdsOf(connection), id);
  parameterSet(parameters, Parameter.PREFERRED_ADDRESS);
  memory.copy(preferredAddress(parameters), preferredAddressOf(config), PREFERRED_ADDRESS_BYTES);
  connectionIdSet(parameterId(parameters, Parameter.PREFERRED_ADDRESS), id, LOCAL_ID_BYTES);
  resetToken(resetKey, id, LOCAL_ID_BYTES, preferredResetToken(parameters));
}

const preferred = changetype<Address>(memory.data(ADDRESS_BYTES, 8));

/**
 * The server's preferred address of the family of `current`, its ID among the spare ones; 0 where there is none. Once, after the
 * handshake is confirmed (RFC 9000 §9.6.1).
 */
export function parametersPreferred(connection: QuicConnection, current: Address): usize {
  const tls = tlsOf(connection);
  const len = tls.remoteParametersLen;
  if (readTransportParameters(parameters, tls.remoteParametersPtr, len, true) < 0) return 0;
  if (!parameterIsPresent(parameters, Parameter.PREFERRED_ADDRESS)) return 0;
  const isIpv4 = current.family == AddressFamily.IPV4;
  const at = preferredAddress(parameters) + (isIpv4 ? 0 : 6);
  const portAt = at + (isIpv4 ? 4 : 16);
  if (load<u16>(portAt) == 0) return 0;
  addressSet(preferred, isIpv4 ? AddressFamily.IPV4 : AddressFamily.IPV6, at, bswap<u16>(load<u16>(portAt)));
  const id = parameterId(parameters, Parameter.PREFERRED_ADDRESS);
  const token = preferredResetToken(parameters);
  if (remoteIdsAddPreferred(remoteIdsOf(connection), connectionIdBytes(id), id.len, token) < 0) return 0;
  return changetype<usize>(preferred);
}

function copyId(parameter: Parameter, id: ConnectionId): void {
  connectionIdSet(parameterId(parameters, parameter), connectionIdBytes(id), id.len);
}

function isSame(parameter: Parameter, id: ConnectionId): bool {
  return connectionIdIs(parameterId(parameters, parameter), connectionIdBytes(id), id.len);
}

/** Takes what the peer declared, once TLS has read it. */
export function parametersTake(connection: QuicConnection): i32 {
  const tls = tlsOf(connection);
  setBit(connection, QuicFlag.PARAMETERS_TAKEN);
  const status = readTransportParameters(
    parameters,
    tls.remoteParametersPtr,
    tls.remoteParametersLen,
    !isServer(connection),
  );
  if (status < 0) return status;
  if (!idsMatch(connection)) return QuicStatus.PARAMETER_CONNECTION_ID;
  if (!versionHolds(connection)) return QuicStatus.VERSION_NEGOTIATION;
  const local = limitOf(Limit.QUIC_IDLE_TIMEOUT_MS);
  const remote = <f64>parameters.maxIdleTimeoutMs;
  // RFC 9000 §10.1: the lesser of both; 0 says that one has none.
  connection.idleTimeoutMs = remote == 0 ? local : min(local, remote);
  connection.ackExponent = parameters.ackDelayExponent;
  connection.udpPayloadMost = <u32>min(parameters.maxUdpPayloadSize, 65527);
  pathMtuOpen(connection);
  recoverySetMaxAckDelay(recoveryOf(connection), <f64>parameters.maxAckDelayMs);
  if (parameterIsPresent(parameters, Parameter.GREASE_QUIC_BIT))
    setBit(connection, QuicFlag.PEER_TAKES_GREASE);
  if (parameterIsPresent(parameters, Parameter.DISABLE_ACTIVE_MIGRATION))
    setBit(connection, QuicFlag.NO_MIGRATION);
  if (parameterIsPresent(parameters, Parameter.STATELESS_RESET_TOKEN))
    remoteIdsSetInitialToken(remoteIdsOf(connection), parameterResetToken(parameters));
  localIdsSetLimit(localIdsOf(connection), parameters.activeConnectionIdLimit);
  takeLimits(connection);
  if (!isServer(connection)) return Status.OK;
  versionChoose(connection, parameters.availableVersions);
  return parametersDeclare(connection) ? Status.OK : Status.MEMORY_FULL;
}

/** RFC 9368 §4: whether the peer speaks of the version as it came about, where nobody on the way could have changed that. */
function versionHolds(connection: QuicConnection): bool {
  const version = connection.version;
  const isInformed = parameterIsPresent(parameters, Parameter.VERSION_INFORMATION);
  if (isInformed && parameters.chosenVersion != version) return false;
  if (isServer(connection)) return true;
  const config = changetype<QuicConfig>(connection.config);
  if (version != config.version) return isInformed;
  if (!config.isNegotiated) return true;
  // The version that was asked for first would have been taken if the server spoke it. One that says nothing speaks version 1 (§8).
  const available = isInformed ? parameters.availableVersions : <u32>AvailableVersion.V1;
  return available == <u32>(version == Version.V1 ? AvailableVersion.V1 : AvailableVersion.V2);
}

/** Sizes are looked for anew, as on a new path. */
export function pathMtuOpen(connection: QuicConnection): void {
  const most = min(connection.udpPayloadMost, changetype<QuicConfig>(connection.config).mtuMost);
  mtuOpen(mtuOf(connection), most, addressIsIpv4(pathRemote(pathOf(connection))));
}

/** What a client remembers of the server's parameters, for the data that it sends before it knows them: RFC 9000 §7.4.1. */
export function parametersRemember(connection: QuicConnection, ptr: usize, len: u32): void {
  if (readTransportParameters(parameters, ptr, len, true) == Status.OK) takeLimits(connection);
}

function takeLimits(connection: QuicConnection): void {
  streamsSetRemoteLimits(
    streamsOfConnection(connection),
    parameters.initialMaxData,
    parameters.initialMaxStreamDataBidiLocal,
    parameters.initialMaxStreamDataBidiRemote,
    parameters.initialMaxStreamDataUni,
    parameters.initialMaxStreamsBidi,
    parameters.initialMaxStreamsUni,
    parameters.maxDatagramFrameSize,
  );
}

/** RFC 9000 §7.3: the IDs that the peer declares are those that were used. */
function idsMatch(connection: QuicConnection): bool {
  const state = handshakeOf(connection);
  if (!isSame(Parameter.INITIAL_SOURCE_CONNECTION_ID, peerSourceOf(state))) return false;
  if (isServer(connection)) return true;
  if (!isSame(Parameter.ORIGINAL_DESTINATION_CONNECTION_ID, originalDestinationOf(state))) return false;
  const hasRetry = parameterIsPresent(parameters, Parameter.RETRY_SOURCE_CONNECTION_ID);
  if (hasRetry != state.hasRetrySource) return false;
  return !hasRetry || isSame(Parameter.RETRY_SOURCE_CONNECTION_ID, retrySourceOf(state));
}
