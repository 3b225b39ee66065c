/** Making connections, taking them apart once they are over, and freeing what is left. */
import { Counter } from "../../abi/counter.ts";
import { Limit } from "../../abi/limit.ts";
import { Protocol, Role } from "../../abi/message.ts";
import { QuicConfigFlag } from "../../abi/quic.ts";
import { slabFree } from "../../core/slab.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { Connection, connectionCreate, connectionDestroy } from "../../session/connection.ts";
import { count } from "../../session/counters.ts";
import { nowMs } from "../../session/deadline.ts";
import { limitOf, limitU32 } from "../../session/limits.ts";
import { TlsRole } from "../../tls/handshake.ts";
import { tlsFree, tlsOpen } from "../../tls/session.ts";
import { Endpoint } from "../endpoint/endpoint_state.ts";
import { localIdsOpen } from "../ids/local_ids.ts";
import { remoteIdsOpen } from "../ids/remote_ids.ts";
import { routeRemove } from "../ids/route_table.ts";
import { Address } from "../path/address.ts";
import { BASE_DATAGRAM_SIZE } from "../path/mtu.ts";
import { pathsOpen } from "../path/paths.ts";
import { CongestionAlgorithm } from "../recovery/congestion_state.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import { recoveryAllocate, recoveryFree, recoveryOpenSpace } from "../recovery/recovery.ts";
import { streamsDestroy } from "../stream/stream_table.ts";
import { countsOf, streamsCreate } from "../stream/streams.ts";
import { connectionIdBytes } from "../wire/connection_id.ts";
import { UDP_PAYLOAD_SIZE_DEFAULT } from "../wire/transport_parameter.ts";
import { closeFree } from "./close.ts";
import { QuicConfig, quicConfigHold, quicConfigRelease } from "./config.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isServer,
  localIdsOf,
  pathsOf,
  QUIC_CONNECTION_BYTES,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
  setBit,
  streamsOfConnection,
  tlsOf,
} from "./connection.ts";
import { cryptoClear, CryptoStream } from "./crypto_stream.ts";
import { dirtyClear } from "./dirty.ts";
import { glitchesStart } from "./glitches.ts";
import {
  handshakeStateCreate,
  handshakeStateFree,
  originalDestinationOf,
  retrySourceOf,
} from "./handshake_state.ts";
import { routes } from "./identity.ts";
import { makeId, removeRoutes } from "./ids.ts";
import { keysFree } from "./keys.ts";
import { ACK_EXPONENT, pathMtuOpen } from "./parameters.ts";
import { undecryptableClear } from "./undecryptable.ts";

const seed: usize = memory.data(8, 8);
/** The slot of paths.ts that a connection begins on. */
const FIRST_PATH: u32 = 0;

/**
 * A connection of `endpoint` with the peer at `remote`, which sends to `destination` until it hears of another. `isValidated`: the
 * peer's address is known to be its own. 0 when a pool is full.
 */
export function quicConnectionCreate(
  endpoint: Endpoint,
  config: QuicConfig,
  isServerRole: bool,
  version: u32,
  remote: Address,
  local: u32,
  isValidated: bool,
  destination: usize,
  destinationLen: u32,
): usize {
  const role = isServerRole ? Role.SERVER : Role.CLIENT;
  const ptr = connectionCreate(QUIC_CONNECTION_BYTES, Protocol.QUIC, role, 0);
  if (ptr == 0) return 0;
  const connection = changetype<QuicConnection>(ptr);
  connection.endpoint = changetype<usize>(endpoint);
  connection.config = changetype<usize>(config);
  quicConfigHold(config);
  endpoint.connectionCount++;
  connection.version = version;
  if (isServerRole) setBit(connection, QuicFlag.SERVER);
  pathsOpen(pathsOf(connection), remote, local, isValidated);
  connection.udpPayloadMost = <u32>UDP_PAYLOAD_SIZE_DEFAULT;
  connection.ackExponent = ACK_EXPONENT;
  pathMtuOpen(connection);
  remoteIdsOpen(remoteIdsOf(connection), destination, destinationLen, FIRST_PATH);
  connection.idleTimeoutMs = limitOf(Limit.QUIC_IDLE_TIMEOUT_MS);
  connection.idleAtMs = nowMs + connection.idleTimeoutMs;
  connection.handshakeByMs = nowMs + limitOf(Limit.QUIC_HANDSHAKE_TIMEOUT_MS);
  connection.paceAtMs = Infinity;
  connection.applicationAtMs = Infinity;
  connection.closeAtMs = Infinity;
  glitchesStart(connection);
  randomFill(seed, 8);
  // RFC 9000 §17.4: one connection in sixteen at least does not spin.
  if ((config.flags & QuicConfigFlag.SPIN) != 0 && (load<u8>(seed) & 15) != 0)
    setBit(connection, QuicFlag.CAN_SPIN);
  const algorithm = <CongestionAlgorithm>config.congestion;
  connection.recovery = recoveryAllocate(isServerRole, algorithm, BASE_DATAGRAM_SIZE, load<u64>(seed), nowMs);
  connection.streams = streamsCreate(isServerRole, nowMs);
  connection.handshake = handshakeStateCreate();
  connection.tls = tlsOpen(isServerRole ? TlsRole.SERVER : TlsRole.CLIENT, config.tls);
  const isWhole =
    connection.recovery != 0 && connection.streams != 0 && connection.handshake != 0 && connection.tls != 0;
  if (isWhole && recoveryOpenSpace(recoveryOf(connection), SpaceId.INITIAL)) {
    const id = makeId(connection.handle);
    if (id != 0) {
      localIdsOpen(localIdsOf(connection), id, nowMs);
      limitStreams(connection, config);
      count(Counter.CONNECTIONS_QUIC);
      return ptr;
    }
  }
  count(Counter.POOL_REFUSALS);
  quicConnectionDestroy(connection);
  return 0;
}

function limitStreams(connection: QuicConnection, config: QuicConfig): void {
  const bidi = countsOf(streamsOfConnection(connection), false);
  const uni = countsOf(streamsOfConnection(connection), true);
  if (config.bidiStreams != 0)
    bidi.remoteLimit = min(config.bidiStreams, limitU32(Limit.QUIC_BIDI_STREAM_COUNT));
  if (config.uniStreams != 0) uni.remoteLimit = min(config.uniStreams, limitU32(Limit.QUIC_UNI_STREAM_COUNT));
  bidi.remoteMost = bidi.remoteLimit;
  uni.remoteMost = uni.remoteLimit;
}

/** It is closed and the host knows: frees all that only a live connection needs. */
export function connectionStrip(connection: QuicConnection): void {
  halfOpenEnd(connection);
  clearBit(connection, QuicFlag.STRIP_OWED);
  undecryptableClear(connection);
  if (connection.tls != 0) tlsFree(tlsOf(connection));
  if (connection.streams != 0) streamsDestroy(streamsOfConnection(connection));
  if (connection.recovery != 0) recoveryFree(recoveryOf(connection));
  if (connection.crypto != 0) {
    cryptoClear(changetype<CryptoStream>(connection.crypto));
    slabFree(connection.crypto);
  }
  if (connection.handshake != 0) {
    removeFirstRoute(connection);
    handshakeStateFree(handshakeOf(connection));
  }
  keysFree(connection);
  connection.tls = 0;
  connection.streams = 0;
  connection.recovery = 0;
  connection.crypto = 0;
  connection.handshake = 0;
}

/** A server's connection is found by the destination of the first Initial too, until the handshake is over. */
export function removeFirstRoute(connection: QuicConnection): void {
  if (!isServer(connection) || connection.handshake == 0) return;
  const state = handshakeOf(connection);
  const first = hasBit(connection, QuicFlag.RETRIED) ? retrySourceOf(state) : originalDestinationOf(state);
  if (first.len != 0) routeRemove(routes, connectionIdBytes(first), first.len);
  first.len = 0;
}

/** The client has shown that it is there, or is gone: it counts no more among the half-open. */
export function halfOpenEnd(connection: QuicConnection): void {
  if (!hasBit(connection, QuicFlag.HALF_OPEN)) return;
  clearBit(connection, QuicFlag.HALF_OPEN);
  changetype<Endpoint>(connection.endpoint).halfOpenCount--;
}

/** Frees everything. The handle is stale afterwards. */
export function quicConnectionDestroy(connection: QuicConnection): void {
  connectionStrip(connection);
  closeFree(connection);
  dirtyClear(connection);
  removeRoutes(connection);
  changetype<Endpoint>(connection.endpoint).connectionCount--;
  quicConfigRelease(changetype<QuicConfig>(connection.config));
  connectionDestroy(changetype<Connection>(connection));
}
