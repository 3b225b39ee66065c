/**
 * Transport parameters of a connection: what this side declares, and what it takes from the peer's. RFC 9000 §7.3, §7.4.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicConfigFlag } from "../../abi/quic.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { Writer, writerOpen } from "../../core/writer.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { limitOf, limitU32 } from "../../session/limits.ts";
import { tlsSetTransportParameters } from "../../tls/session.ts";
import { LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { REMOTE_ID_COUNT, remoteIdsSetInitialToken } from "../ids/remote_ids.ts";
import { localIdAt, localIdBytes, localIdsSetLimit } from "../ids/local_ids.ts";

import { addressIsIpv4 } from "../path/address.ts";
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
  TRANSPORT_PARAMETERS_BYTES,
  TransportParameters,
  transportParametersDefault,
} from "../wire/transport_parameter.ts";
import {
  readTransportParameters,
  writeReservedParameter,
  writeTransportParameters,
} from "../wire/transport_parameters.ts";
import { resetToken } from "../token/reset_token.ts";
import { QuicConfig } from "./config.ts";
import { resetKey } from "./identity.ts";
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

const parameters = changetype<TransportParameters>(memory.data(TRANSPORT_PARAMETERS_BYTES, 16));
const WIRE_BYTES_MAX: u32 = 512;
const wire: usize = memory.data(WIRE_BYTES_MAX, 8);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const seed: usize = memory.data(4, 4);

/** How late this side's acknowledgements may be. */
/** RFC 9000 §18.2: what this side declares by saying nothing. */
export const ACK_EXPONENT: u32 = 3;
export const MAX_ACK_DELAY_MS: f64 = 25;

/** Gives TLS what this side declares. False when the memory is full. */
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
  }
  writerOpen(writer, wire, WIRE_BYTES_MAX);
  writeTransportParameters(writer, parameters, isServer(connection));
  randomFill(seed, 4);
  writeReservedParameter(writer, load<u32>(seed));
  if (writer.failed != 0) return false;
  return tlsSetTransportParameters(tlsOf(connection), wire, <u32>(writer.at - wire));
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
  if (
    parameterIsPresent(parameters, Parameter.VERSION_INFORMATION) &&
    parameters.chosenVersion != connection.version
  )
    return QuicStatus.VERSION_NEGOTIATION;
  // RFC 9368 §4: who has changed the version says so, where nobody on the way could have.
  const isChanged =
    !isServer(connection) && connection.version != changetype<QuicConfig>(connection.config).version;
  if (isChanged && !parameterIsPresent(parameters, Parameter.VERSION_INFORMATION))
    return QuicStatus.VERSION_NEGOTIATION;
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
  return Status.OK;
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
