/**
 * From the doors of QUIC to endpoints and connections, and from connections to what they carry: streams of the host's own, or
 * HTTP/3.
 *
 * A batch of datagrams is received whole, each as far as its frames; then every connection that it concerned is settled once: its
 * application looks at its streams, or hears that the connection is over. Sending settles first, too, for time may have passed.
 */
import { DatagramRecord } from "../abi/quic.ts";
import { transmitRegion, TRANSMIT_BYTES } from "../session/regions.ts";
import { hasEventRoom } from "../session/events.ts";
import { outputSpill } from "../session/output.ts";
import { closeTell } from "../quic/connection/close.ts";
import { hasBit, isLive, QuicConnection, QuicFlag } from "../quic/connection/connection.ts";
import { quicConnectionDestroy } from "../quic/connection/lifecycle.ts";
import { Endpoint } from "../quic/endpoint/endpoint_state.ts";
import { endpointPoll } from "../quic/endpoint/poll.ts";
import { endpointReceive } from "../quic/endpoint/receive.ts";
import { Address, addressIsValid } from "../quic/path/address.ts";
import { rawClose, rawRun } from "../quic/raw/raw.ts";

/** Exchanges whose end one datagram may bring, besides the events of a step. */
const EXCHANGES_PER_DATAGRAM: u32 = 64;

/**
 * Takes the batch of datagrams in [ptr, ptr + len). Answers the bytes taken: fewer than `len` when the event ring is full, for the host
 * to read it and call again with the rest; -1 when a record is not whole, or has an address that is none.
 */
export function quicReceiveBatch(endpoint: Endpoint, ptr: usize, len: u32): i32 {
  let at: u32 = 0;
  while (at < len) {
    if (!hasEventRoom(EXCHANGES_PER_DATAGRAM)) break;
    if (len - at < <u32>DatagramRecord.PAYLOAD) return -1;
    const record = ptr + at;
    const size: u32 = load<u16>(record, DatagramRecord.LENGTH);
    const address = changetype<Address>(record + DatagramRecord.ADDRESS);
    if (size > len - at - DatagramRecord.PAYLOAD || !addressIsValid(address)) return -1;
    const ecn: u32 = load<u8>(record, DatagramRecord.ECN) & 3;
    const local = load<u32>(record, DatagramRecord.LOCAL);
    endpointReceive(endpoint, address, local, record + DatagramRecord.PAYLOAD, size, ecn);
    at = min(
      len,
      at + ((DatagramRecord.PAYLOAD + size + DatagramRecord.ALIGNMENT - 1) & ~(DatagramRecord.ALIGNMENT - 1)),
    );
  }
  quicSettle(endpoint);
  return at;
}

/** Fills the transmit region with datagrams to send; answers its bytes, 0 when there are no more. */
export function quicPollBatch(endpoint: Endpoint): u32 {
  quicSettle(endpoint);
  outputSpill();
  return endpointPoll(endpoint, transmitRegion, TRANSMIT_BYTES);
}

/** Every connection with news gives them to its application. */
export function quicSettle(endpoint: Endpoint): void {
  let ptr = endpoint.dirtyHead;
  while (ptr != 0) {
    const connection = changetype<QuicConnection>(ptr);
    ptr = connection.dirtyNext;
    settle(connection);
  }
}

function settle(connection: QuicConnection): void {
  if (connection.streams != 0 && !hasBit(connection, QuicFlag.CLOSE_TOLD)) rawRun(connection);
  if (isLive(connection)) return;
  if (!hasBit(connection, QuicFlag.CLOSE_TOLD)) {
    if (!hasEventRoom(connection.openExchangeCount)) return;
    rawClose(connection);
    closeTell(connection);
    return;
  }
  if (hasBit(connection, QuicFlag.IS_DONE)) quicConnectionDestroy(connection);
}
