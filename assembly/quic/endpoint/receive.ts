/**
 * Datagrams in: each is led to its connection by the connection ID of its first packet, RFC 9000 §5.2, or else may begin one, or is
 * answered without one.
 */
import { Counter } from "../../abi/counter.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { connectionOf } from "../../session/connection.ts";
import { count } from "../../session/counters.ts";
import { traceServed } from "../../session/trace.ts";
import { QuicConnection } from "../connection/connection.ts";
import { idGenerator, routes } from "../connection/identity.ts";
import { connectionReceive } from "../connection/receive.ts";
import { idProcess, LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { routeFind } from "../ids/route_table.ts";
import { Address } from "../path/address.ts";
import { INITIAL_DATAGRAM_BYTES_MIN } from "../wire/datagram.ts";
import {
  packetDestinationLen,
  packetDestinationPtr,
  packetType,
  readPacketHeader,
} from "../wire/packet_header.ts";
import { PacketType } from "../wire/packet_type.ts";
import { admit } from "./admission.ts";
import { Endpoint } from "./endpoint_state.ts";
import { replyReset, replyVersions } from "./reply.ts";

/** Takes a datagram from `address`; it is decrypted where it lies. */
export function endpointReceive(
  endpoint: Endpoint,
  address: Address,
  local: u32,
  ptr: usize,
  len: u32,
  ecn: u32,
): void {
  count(Counter.QUIC_DATAGRAMS_RECEIVED);
  count(Counter.BYTES_RECEIVED, len);
  // CVE-2026-11352: an empty datagram is one too, and says nothing.
  if (len == 0) return;
  const status = readPacketHeader(ptr, len, LOCAL_ID_BYTES, true);
  if (status == QuicStatus.PACKET_VERSION) {
    if (endpoint.config != 0 && len >= INITIAL_DATAGRAM_BYTES_MIN) replyVersions(endpoint, address, local);
    return;
  }
  if (status == QuicStatus.PACKET_TRUNCATED || status == QuicStatus.PACKET_FIXED_BIT) return;
  const type = packetType;
  const handle = routeFind(routes, packetDestinationPtr, packetDestinationLen);
  let ptrOfConnection = handle != 0 ? connectionOf(handle) : 0;
  if (ptrOfConnection == 0) {
    if (status != Status.OK) return;
    if (type == PacketType.ONE_RTT) {
      if (endpoint.config != 0 && idProcess(idGenerator, packetDestinationPtr) == idGenerator.process)
        replyReset(endpoint, address, local, len);
      return;
    }
    if (type != PacketType.INITIAL) return;
    ptrOfConnection = admit(endpoint, address, local, ptr, len);
    if (ptrOfConnection == 0) return;
  }
  const connection = changetype<QuicConnection>(ptrOfConnection);
  traceServed(connection.handle);
  if (connection.endpoint != changetype<usize>(endpoint)) return;
  connectionReceive(connection, address, local, ptr, len, ecn);
}
