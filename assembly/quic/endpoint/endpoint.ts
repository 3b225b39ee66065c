/** Endpoints: the table that gives them handles, and their beginning and end. */
import { Limit } from "../../abi/limit.ts";
import { byteQueueClear } from "../../core/byte_queue.ts";
import {
  HANDLE_SLOT_BYTES,
  handleAt,
  handleCreate,
  handleFree,
  handleIndexEnd,
  handleResolve,
  HandleTable,
  handleTableInitialize,
} from "../../core/handle_table.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { bucketOpen } from "../../core/token_bucket.ts";
import { Connection, connectionAt, connectionIndexEnd } from "../../session/connection.ts";
import { nowMs } from "../../session/deadline.ts";
import { limitOf } from "../../session/limits.ts";
import { Protocol } from "../../abi/message.ts";
import { QuicConfig, quicConfigHold, quicConfigRelease } from "../connection/config.ts";
import { QuicConnection } from "../connection/connection.ts";
import { identityOpen } from "../connection/identity.ts";
import { quicConnectionDestroy } from "../connection/lifecycle.ts";
import { Endpoint, ENDPOINT_BYTES, repliesOf, resetsOf } from "./endpoint_state.ts";

/** Endpoints of one instance: a host has one for each port it serves, and one for its clients. */
const ENDPOINT_COUNT: u32 = 256;
const table = changetype<HandleTable>(memory.data(offsetof<HandleTable>(), 8));
const slots: usize = memory.data((ENDPOINT_COUNT + 1) * HANDLE_SLOT_BYTES, 8);

export function endpointsInitialize(): void {
  handleTableInitialize(table, slots, ENDPOINT_COUNT);
}

/** An endpoint that takes no connections yet. 0 when there are too many, or the memory is full. */
export function endpointCreate(): usize {
  identityOpen();
  const ptr = slabAllocate(ENDPOINT_BYTES);
  if (ptr == 0) return 0;
  const handle = handleCreate(table, ptr);
  if (handle == 0) {
    slabFree(ptr);
    return 0;
  }
  memory.fill(ptr, 0, ENDPOINT_BYTES);
  const endpoint = changetype<Endpoint>(ptr);
  endpoint.handle = handle;
  bucketOpen(resetsOf(endpoint), limitOf(Limit.QUIC_RESET_BURST), nowMs);
  return ptr;
}

/** The endpoint's address, or 0 when the handle is stale. */
export function endpointOf(handle: u32): usize {
  return handleResolve(table, handle);
}

/** For walking all endpoints: indexes 1 … endpointIndexEnd() - 1. */
export function endpointIndexEnd(): u32 {
  return handleIndexEnd(table);
}

export function endpointAt(index: u32): usize {
  return handleAt(table, index);
}

/** New connections are made of `config` from now on. */
export function endpointListen(endpoint: Endpoint, config: QuicConfig): void {
  quicConfigHold(config);
  if (endpoint.config != 0) quicConfigRelease(changetype<QuicConfig>(endpoint.config));
  endpoint.config = changetype<usize>(config);
}

/** Frees the endpoint and, without a word to anybody, its connections. */
export function endpointDestroy(endpoint: Endpoint): void {
  for (let index: u32 = 1; index < connectionIndexEnd() && endpoint.connectionCount != 0; index++) {
    const ptr = connectionAt(index);
    if (ptr == 0 || changetype<Connection>(ptr).protocol < <u32>Protocol.QUIC) continue;
    const connection = changetype<QuicConnection>(ptr);
    if (connection.endpoint == changetype<usize>(endpoint)) quicConnectionDestroy(connection);
  }
  if (endpoint.config != 0) quicConfigRelease(changetype<QuicConfig>(endpoint.config));
  byteQueueClear(repliesOf(endpoint));
  handleFree(table, endpoint.handle);
  slabFree(changetype<usize>(endpoint));
}
