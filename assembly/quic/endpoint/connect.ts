/** Opening a connection, in the client's role: RFC 9000 §7, RFC 9001 §4. */
import { clockUnixMs } from "../../session/deadline.ts";
import {
  tlsSetResumption,
  tlsSetServerAddress,
  tlsSetServerName,
  tlsSetTime,
  tlsStart,
} from "../../tls/session.ts";
import {
  clientBegin,
  clientSetToken,
  firstDestination,
  firstDestinationLen,
  makeFirstDestination,
} from "../connection/client.ts";
import { QuicConfig } from "../connection/config.ts";
import { handshakeOf, QuicConnection, tlsOf } from "../connection/connection.ts";
import { markDirty } from "../connection/dirty.ts";
import { handshakeAdvance } from "../connection/handshake.ts";
import { quicConnectionCreate, quicConnectionDestroy } from "../connection/lifecycle.ts";
import { parametersDeclare } from "../connection/parameters.ts";
import { Address } from "../path/address.ts";
import { Endpoint } from "./endpoint_state.ts";

/** Whom to connect to, and what is known of it from before. Spans may be empty. */
@unmanaged
export class Target {
  /** An Address. */
  address: usize;
  local: u32;
  /** A DNS name, or an IP address of 4 or 16 bytes when `isAddress`. */
  name: usize;
  nameLen: u32;
  isAddress: u32;
  resumption: usize;
  resumptionLen: u32;
  token: usize;
  tokenLen: u32;
}

/** Opens a connection and has its first flight ready to be polled. 0 when a pool is full, or the name is none. */
export function endpointConnect(endpoint: Endpoint, config: QuicConfig, target: Target): usize {
  makeFirstDestination();
  const ptr = quicConnectionCreate(
    endpoint,
    config,
    false,
    config.version,
    changetype<Address>(target.address),
    target.local,
    true,
    firstDestination(),
    firstDestinationLen(),
  );
  if (ptr == 0) return 0;
  const connection = changetype<QuicConnection>(ptr);
  if (begin(connection, target)) return ptr;
  quicConnectionDestroy(connection);
  return 0;
}

function begin(connection: QuicConnection, target: Target): bool {
  clientBegin(connection);
  const tls = tlsOf(connection);
  if (target.tokenLen != 0 && !clientSetToken(handshakeOf(connection), target.token, target.tokenLen))
    return false;
  const isNamed =
    target.nameLen == 0 ||
    (target.isAddress != 0
      ? tlsSetServerAddress(tls, target.name, target.nameLen)
      : tlsSetServerName(tls, target.name, target.nameLen));
  if (!isNamed || !parametersDeclare(connection)) return false;
  tlsSetTime(tls, clockUnixMs());
  if (target.resumptionLen != 0) tlsSetResumption(tls, target.resumption, target.resumptionLen);
  if (tlsStart(tls) < 0) return false;
  if (handshakeAdvance(connection) < 0) return false;
  markDirty(connection);
  return true;
}
