/**
 * Datagrams out: those of the endpoint itself, then of its connections in turn, a burst of each, into one batch (abi/quic.ts).
 */
import { ADDRESS_BYTES, DatagramRecord } from "../../abi/quic.ts";
import { QuicConnection } from "../connection/connection.ts";
import { deadlinesArm } from "../connection/deadlines.ts";
import { dirtyClear, markDirty } from "../connection/dirty.ts";
import { isTraceOver, isTracing, traceServed } from "../../session/trace.ts";
import { connectionSend, sentAddress, sentLocal } from "../connection/send.ts";
import { Endpoint } from "./endpoint_state.ts";
import { repliesPoll } from "./reply.ts";

/** Datagrams of a connection before it is another one's turn. */
const BURST: u32 = 16;
/** The largest datagram that is ever sent. */
const DATAGRAM_BYTES_MAX: u32 = 1500;
const RECORD_BYTES_MAX: u32 = DatagramRecord.PAYLOAD + DATAGRAM_BYTES_MAX + DatagramRecord.ALIGNMENT;

/** Fills [dest, dest + capacity) with records. Answers how many bytes; to be called again until it answers 0. */
export function endpointPoll(endpoint: Endpoint, dest: usize, capacity: u32): u32 {
  let used: u32 = 0;
  for (let bytes = repliesPoll(endpoint, dest, capacity); bytes != 0;) {
    used += bytes;
    bytes = repliesPoll(endpoint, dest + used, capacity - used);
  }
  if (used != 0 && isTracing()) return used;
  while (endpoint.dirtyHead != 0 && !isTraceOver()) {
    const connection = changetype<QuicConnection>(endpoint.dirtyHead);
    traceServed(connection.handle);
    let burst: u32 = 0;
    let len: u32 = 0;
    do {
      if (capacity - used < RECORD_BYTES_MAX) return used;
      const record = dest + used;
      len = connectionSend(connection, record + DatagramRecord.PAYLOAD, DATAGRAM_BYTES_MAX);
      if (len != 0) used += finish(record, len);
      burst++;
    } while (len != 0 && burst < BURST);
    dirtyClear(connection);
    if (len != 0) markDirty(connection);
    else deadlinesArm(connection);
  }
  return used;
}

function finish(record: usize, len: u32): u32 {
  memory.fill(record, 0, DatagramRecord.PAYLOAD);
  store<u16>(record, <u16>len, DatagramRecord.LENGTH);
  memory.copy(record + DatagramRecord.ADDRESS, sentAddress, ADDRESS_BYTES);
  store<u32>(record, sentLocal, DatagramRecord.LOCAL);
  const bytes = DatagramRecord.PAYLOAD + len;
  return (bytes + DatagramRecord.ALIGNMENT - 1) & ~(DatagramRecord.ALIGNMENT - 1);
}
