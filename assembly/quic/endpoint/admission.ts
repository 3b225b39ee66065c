/**
 * Who becomes a connection: a client's first Initial, RFC 9000 §5.2.2, §8.1.
 *
 * Nothing is kept for a client before it is admitted. Above QUIC_HALF_OPEN_COUNT handshakes whose clients have not shown that they are
 * where they say, each has to prove it by a Retry first; above QUIC_HANDSHAKE_COUNT none is admitted.
 */
import { EventKind } from "../../abi/event.ts";
import { Limit } from "../../abi/limit.ts";
import { RetryPolicy } from "../../abi/quic.ts";
import { clockUnixMs } from "../../session/deadline.ts";
import { emitConnectionBytes } from "../../session/events.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { tlsSetTime, tlsStart } from "../../tls/session.ts";
import { QuicConfig } from "../connection/config.ts";
import { handshakeOf, QuicConnection, QuicFlag, setBit, tlsOf } from "../connection/connection.ts";
import { originalDestinationOf, retrySourceOf } from "../connection/handshake_state.ts";
import { addressTokenKeys, routes, tokenFilter } from "../connection/identity.ts";
import { quicConnectionCreate, quicConnectionDestroy } from "../connection/lifecycle.ts";
import { deriveInitialKeys } from "../connection/version.ts";
import { RouteInsert, routeInsert } from "../ids/route_table.ts";
import { Address } from "../path/address.ts";
import {
  AddressToken,
  openAddressToken,
  retryOriginalId,
  retryOriginalIdLen,
} from "../token/address_token.ts";
import { connectionIdSet, FIRST_DESTINATION_LENGTH_MIN } from "../wire/connection_id.ts";
import { INITIAL_DATAGRAM_BYTES_MIN } from "../wire/datagram.ts";
import { TransportError } from "../wire/error_code.ts";
import {
  packetDestinationLen,
  packetDestinationPtr,
  packetSourceLen,
  packetSourcePtr,
  packetTokenLen,
  packetTokenPtr,
  packetVersion,
} from "../wire/packet_header.ts";
import { Endpoint } from "./endpoint_state.ts";
import { initialIsGenuine, replyRefusal, replyRetry } from "./reply.ts";

/** The Initial at `ptr` whose header was read last, in a datagram of `len` bytes. Answers the new connection, or 0. */
export function admit(endpoint: Endpoint, address: Address, local: u32, ptr: usize, len: u32): usize {
  if (endpoint.config == 0 || len < INITIAL_DATAGRAM_BYTES_MIN) return 0;
  if (packetDestinationLen < FIRST_DESTINATION_LENGTH_MIN) return 0;
  const config = changetype<QuicConfig>(endpoint.config);
  const proof = openAddressToken(
    addressTokenKeys,
    tokenFilter,
    address,
    packetDestinationPtr,
    packetDestinationLen,
    packetTokenPtr,
    packetTokenLen,
    clockUnixMs(),
  );
  if (proof < 0) {
    if (initialIsGenuine(ptr)) replyRefusal(endpoint, address, local, TransportError.INVALID_TOKEN);
    return 0;
  }
  if (endpoint.isDraining) {
    replyRefusal(endpoint, address, local, TransportError.CONNECTION_REFUSED);
    return 0;
  }
  if (endpoint.halfOpenCount >= limitU32(Limit.QUIC_HANDSHAKE_COUNT)) {
    limitHit(Limit.QUIC_HANDSHAKE_COUNT);
    return 0;
  }
  const isBusy = endpoint.halfOpenCount >= limitU32(Limit.QUIC_HALF_OPEN_COUNT);
  if (proof == AddressToken.ABSENT && (isBusy || config.retry == RetryPolicy.ALWAYS)) {
    if (isBusy) limitHit(Limit.QUIC_HALF_OPEN_COUNT);
    replyRetry(endpoint, address, local);
    return 0;
  }
  return open(endpoint, config, address, local, proof);
}

function open(endpoint: Endpoint, config: QuicConfig, address: Address, local: u32, proof: i32): usize {
  const ptr = quicConnectionCreate(
    endpoint,
    config,
    true,
    packetVersion,
    address,
    local,
    proof != AddressToken.ABSENT,
    packetSourcePtr,
    packetSourceLen,
  );
  if (ptr == 0) {
    replyRefusal(endpoint, address, local, TransportError.CONNECTION_REFUSED);
    return 0;
  }
  const connection = changetype<QuicConnection>(ptr);
  const state = handshakeOf(connection);
  if (proof == AddressToken.RETRY) {
    setBit(connection, QuicFlag.RETRIED);
    connectionIdSet(originalDestinationOf(state), retryOriginalId, retryOriginalIdLen);
    connectionIdSet(retrySourceOf(state), packetDestinationPtr, packetDestinationLen);
  } else {
    connectionIdSet(originalDestinationOf(state), packetDestinationPtr, packetDestinationLen);
  }
  const routed = routeInsert(routes, packetDestinationPtr, packetDestinationLen, connection.handle);
  if (routed != RouteInsert.ADDED) {
    quicConnectionDestroy(connection);
    return 0;
  }
  deriveInitialKeys(connection, packetDestinationPtr, packetDestinationLen);
  tlsSetTime(tlsOf(connection), clockUnixMs());
  tlsStart(tlsOf(connection));
  setBit(connection, QuicFlag.HALF_OPEN);
  endpoint.halfOpenCount++;
  emitConnectionBytes(
    EventKind.QUIC_ACCEPTED,
    0,
    connection,
    endpoint.handle,
    <u32>changetype<usize>(address),
    0,
    0,
  );
  return ptr;
}
