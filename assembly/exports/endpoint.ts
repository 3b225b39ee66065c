/**
 * Doors of QUIC endpoints and their configurations. Datagrams go in and out in batches (abi/quic.ts); `now` is milliseconds of the
 * host's monotonic clock. Pointers lie in the command or the pinned region.
 */
import { Counter } from "../abi/counter.ts";
import { Status } from "../abi/status.ts";
import {
  HANDLE_SLOT_BYTES,
  handleCreate,
  handleFree,
  handleResolve,
  HandleTable,
  handleTableInitialize,
} from "../core/handle_table.ts";
import { quicPollBatch, quicReceiveBatch } from "../engine/quic.ts";
import {
  preferredAddressOf,
  QuicConfig,
  quicConfigCreate,
  quicConfigOption,
  quicConfigRelease,
} from "../quic/connection/config.ts";
import { identityDerive } from "../quic/connection/identity.ts";
import { endpointCreate, endpointDestroy, endpointListen, endpointOf } from "../quic/endpoint/endpoint.ts";
import { Endpoint } from "../quic/endpoint/endpoint_state.ts";
import { PREFERRED_ADDRESS_BYTES } from "../quic/wire/transport_parameter.ts";
import { ENDPOINT_SECRET_BYTES } from "../quic/token/endpoint_secret.ts";
import { count } from "../session/counters.ts";
import { setNow } from "../session/deadline.ts";
import { isCommandMemory, RECEIVE_BYTES, receiveRegion } from "../session/regions.ts";
import { freeRetired } from "../session/retired.ts";
import {
  GROUP_COUNT_MAX,
  SCHEME_COUNT_MAX,
  TICKET_KEY_BYTES,
  tlsConfigAddCertificate,
  tlsConfigAddRoot,
  tlsConfigRotateTicketKey,
  tlsConfigSetAlpn,
  tlsConfigSetGroups,
} from "../tls/config.ts";
import { isInitialized } from "./instance.ts";

const CONFIG_COUNT: u32 = 256;
const configs = changetype<HandleTable>(memory.data(offsetof<HandleTable>(), 8));
const configSlots: usize = memory.data((CONFIG_COUNT + 1) * HANDLE_SLOT_BYTES, 8);
let areConfigsReady: bool = false;

/** Makes a configuration with the defaults. Answers its handle, CONNECTIONS_FULL or MEMORY_FULL. */
export function createQuicConfig(): i32 {
  if (!isInitialized()) return Status.NOT_INITIALIZED;
  if (!areConfigsReady) handleTableInitialize(configs, configSlots, CONFIG_COUNT);
  areConfigsReady = true;
  const ptr = quicConfigCreate();
  if (ptr == 0) return Status.MEMORY_FULL;
  const handle = handleCreate(configs, ptr);
  if (handle != 0) return handle;
  quicConfigRelease(changetype<QuicConfig>(ptr));
  return Status.CONNECTIONS_FULL;
}

/** The configuration behind a handle, 0 when it is stale. */
export function configOf(handle: u32): usize {
  return areConfigsReady ? handleResolve(configs, handle) : 0;
}

/** Gives the configuration up; it lives on for as long as endpoints and connections use it. */
export function releaseQuicConfig(config: u32): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  handleFree(configs, config);
  quicConfigRelease(changetype<QuicConfig>(ptr));
  return Status.OK;
}

/** Sets a number of the configuration (QuicOption). */
export function setQuicOption(config: u32, option: u32, value: u32): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const status = quicConfigOption(changetype<QuicConfig>(ptr), option, value);
  return status < 0 ? hostError(status) : status;
}

/** Application protocols in the order of preference: each name with a byte that says its length, RFC 7301 §3.1. */
export function setQuicAlpn(config: u32, at: usize, len: u32): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  return answer(tlsConfigSetAlpn(changetype<QuicConfig>(ptr).tls, at, len));
}

/** Groups of the key exchange in the order of preference, `count` of u16; a client sends shares of the first `shareCount`. */
export function setQuicGroups(config: u32, at: usize, groupCount: u32, shareCount: u32): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (groupCount > GROUP_COUNT_MAX || !isCommandMemory(at, 2 * groupCount))
    return hostError(Status.OUT_OF_BOUNDS);
  return answer(tlsConfigSetGroups(changetype<QuicConfig>(ptr).tls, at, groupCount, shareCount));
}

/**
 * Adds a certificate chain. `keyId` is the host's name for its private key; [at, at + namesLen) are the DNS names, each with a length
 * of one byte, then come `chainLen` bytes of certificates in DER, each with a length of three, then `schemeCount` of u16.
 */
export function addQuicCertificate(
  config: u32,
  keyId: u32,
  at: usize,
  namesLen: u32,
  chainLen: u32,
  schemeCount: u32,
): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (schemeCount > SCHEME_COUNT_MAX) return hostError(Status.INVALID_ARGUMENT);
  const isInside = isCommandMemory(at, namesLen) && isCommandMemory(at + namesLen, chainLen);
  if (!isInside || !isCommandMemory(at + namesLen + chainLen, 2 * schemeCount))
    return hostError(Status.OUT_OF_BOUNDS);
  const chain = at + namesLen;
  const tls = changetype<QuicConfig>(ptr).tls;
  return answer(
    tlsConfigAddCertificate(tls, keyId, at, namesLen, chain, chainLen, chain + chainLen, schemeCount),
  );
}

/** A server's preferred_address: the 24 bytes of addresses and ports at `at`, as RFC 9000 §18.2 has them; all zero for none. */
export function setQuicPreferredAddress(config: u32, at: usize): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, PREFERRED_ADDRESS_BYTES)) return hostError(Status.OUT_OF_BOUNDS);
  memory.copy(preferredAddressOf(changetype<QuicConfig>(ptr)), at, PREFERRED_ADDRESS_BYTES);
  return Status.OK;
}

/** Adds a trusted root: a certificate in DER. */
export function addQuicRoot(config: u32, at: usize, len: u32): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  return answer(tlsConfigAddRoot(changetype<QuicConfig>(ptr).tls, at, len));
}

/** The key that tickets are sealed with from now on: a name of 16 bytes and a key of 32. Those before it still open. */
export function rotateQuicTicketKey(config: u32, at: usize): i32 {
  const ptr = configOf(config);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, TICKET_KEY_BYTES)) return hostError(Status.OUT_OF_BOUNDS);
  tlsConfigRotateTicketKey(changetype<QuicConfig>(ptr).tls, at);
  return Status.OK;
}

/**
 * The secret of 32 bytes that connection IDs, address tokens and stateless resets follow from, shared by processes on one port, of
 * which this is number `process` (0 … 255). To be told before endpoints are opened; without it, it is random.
 */
export function setQuicSecret(at: usize, process: u32): i32 {
  if (!isInitialized()) return Status.NOT_INITIALIZED;
  if (!isCommandMemory(at, ENDPOINT_SECRET_BYTES)) return hostError(Status.OUT_OF_BOUNDS);
  if (process > 255) return hostError(Status.INVALID_ARGUMENT);
  identityDerive(at, process);
  return Status.OK;
}

/** Opens an endpoint. Answers its handle or MEMORY_FULL. */
export function openEndpoint(now: f64): i32 {
  if (!isInitialized()) return Status.NOT_INITIALIZED;
  setNow(now);
  const ptr = endpointCreate();
  return ptr == 0 ? Status.MEMORY_FULL : <i32>changetype<Endpoint>(ptr).handle;
}

/** The endpoint takes new connections with this configuration from now on. */
export function listenEndpoint(endpoint: u32, config: u32): i32 {
  const ptr = endpointOf(endpoint);
  const configPtr = configOf(config);
  if (ptr == 0 || configPtr == 0) return hostError(Status.INVALID_HANDLE);
  endpointListen(changetype<Endpoint>(ptr), changetype<QuicConfig>(configPtr));
  return Status.OK;
}

/** The endpoint refuses new connections from now on; those that there are go on. */
export function drainEndpoint(endpoint: u32): i32 {
  const ptr = endpointOf(endpoint);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  changetype<Endpoint>(ptr).isDraining = 1;
  return Status.OK;
}

/** Frees the endpoint and, without a word to their peers, its connections; no event tells of them. */
export function closeEndpoint(endpoint: u32): i32 {
  const ptr = endpointOf(endpoint);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  endpointDestroy(changetype<Endpoint>(ptr));
  return Status.OK;
}

/** How many connections the endpoint has. */
export function endpointConnections(endpoint: u32): i32 {
  const ptr = endpointOf(endpoint);
  return ptr == 0 ? hostError(Status.INVALID_HANDLE) : <i32>changetype<Endpoint>(ptr).connectionCount;
}

/**
 * Takes the batch of datagrams in the first `len` bytes of the receive region. Answers how many bytes were taken: fewer only when the
 * event ring has no more room. OUT_OF_BOUNDS when a record is not whole, INVALID_ARGUMENT when `len` is more than the region has.
 */
export function receiveDatagrams(endpoint: u32, offset: u32, len: u32, now: f64): i32 {
  const ptr = endpointOf(endpoint);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (offset > RECEIVE_BYTES || len > RECEIVE_BYTES - offset) return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  freeRetired();
  const taken = quicReceiveBatch(changetype<Endpoint>(ptr), receiveRegion + offset, len);
  return taken < 0 ? hostError(Status.OUT_OF_BOUNDS) : taken;
}

/** Leaves datagrams to send in the transmit region and answers its bytes; to be called until it answers 0. Events may follow. */
export function pollDatagrams(endpoint: u32, now: f64): i32 {
  const ptr = endpointOf(endpoint);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  return quicPollBatch(changetype<Endpoint>(ptr));
}

function answer(isTaken: bool): i32 {
  return isTaken ? <i32>Status.OK : hostError(Status.INVALID_ARGUMENT);
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
