/**
 * Doors of the instance: layout, start, time, entropy.
 *
 * The order of calls: instantiate; grow memory to its final size; `layout()`; write limits and entropy; `initialize(now)`.
 * Then connections are opened, and after each batch of calls the host reads the events, polls what is to be sent, and sets
 * its one timer to `pollDeadline()`. Times are milliseconds of the host's monotonic clock, except in `setDate`.
 */
import { Layout } from "../abi/layout.ts";
import { Limit } from "../abi/limit.ts";
import { Counter } from "../abi/counter.ts";
import { Status } from "../abi/status.ts";
import { hashInitialize } from "../core/hash.ts";
import { slabBytesInUse } from "../core/slab.ts";
import { timerExpire, timerInitialize, TimerNode, timerPollDeadline } from "../core/timer_wheel.ts";
import { drbgSeed, randomFill } from "../crypto/drbg.ts";
import { HashId } from "../crypto/hash.ts";
import { hkdfExpandAscii } from "../crypto/hkdf.ts";
import { charactersInitialize } from "../http/characters.ts";
import { dateSet } from "../http/date.ts";
import { fieldNameInitialize } from "../http/field_name_lookup.ts";
import { carrierInitialize } from "../engine/carrier.ts";
import { quicInitialize } from "../engine/quic.ts";
import { protocolHandleTimeout } from "../engine/protocol.ts";
import { hpackInitialize } from "../hpack/decoder.ts";
import { identityDerive, identityInitialize, routeCount } from "../quic/connection/identity.ts";
import { endpointsInitialize } from "../quic/endpoint/endpoint.ts";
import { routeTableBytes } from "../quic/ids/route_table.ts";
import { rawInitialize } from "../quic/raw/raw.ts";
import { ENDPOINT_SECRET_BYTES } from "../quic/token/endpoint_secret.ts";
import { qpackInitialize } from "../qpack/decoder.ts";
import { Connection, connectionsInitialize } from "../session/connection.ts";
import { counterSet, countersReset } from "../session/counters.ts";
import { clockReset, clockSetUnix, nowMs, setNow } from "../session/deadline.ts";
import { hasEventRoom } from "../session/events.ts";
import { exchangesInitialize } from "../session/exchange.ts";
import { limitsTake, limitsReset, limitU32 } from "../session/limits.ts";
import { outputReset } from "../session/output.ts";
import { freeRetired, retiredReset } from "../session/retired.ts";
import { isTraceOver, traceServed } from "../session/trace.ts";
import { TimerOwner } from "../session/tunnel_block.ts";
import { exchangeOfSocket, Socket } from "../ws/socket.ts";
import { socketHandleTimeout } from "../ws/socket_deadlines.ts";
import { entropyRegion, layoutTable, regionsClaim, regionsLay } from "../session/regions.ts";

/** The key of the hash tables. */
const HASH_KEY_BYTES: u32 = 16;
const hashKey: usize = memory.data(HASH_KEY_BYTES, 16);

const identitySecret: usize = memory.data(ENDPOINT_SECRET_BYTES, 16);

let laid: bool = false;
let initialized: bool = false;

/** Address of the layout table (abi/layout.ts). The first call fills it, and the limits with their defaults. */
export function layout(): usize {
  if (!laid) {
    laid = true;
    limitsReset();
    regionsLay();
  }
  return layoutTable();
}

/**
 * Starts the instance with the limits and the entropy that the host has written, in all the memory there is.
 * INVALID_ARGUMENT when a limit is out of its range, MEMORY_FULL when the memory is too small for them, INVALID_STATE when
 * called again or before `layout`.
 */
export function initialize(now: f64): i32 {
  if (!laid || initialized) return Status.INVALID_STATE;
  if (!limitsTake()) return Status.INVALID_ARGUMENT;
  if (!regionsClaim(routeTableBytes(routeCount()))) return Status.MEMORY_FULL;
  fieldNameInitialize();
  charactersInitialize();
  hpackInitialize();
  qpackInitialize();
  countersReset();
  timerInitialize(now);
  clockReset(now);
  connectionsInitialize();
  exchangesInitialize();
  endpointsInitialize();
  rawInitialize();
  quicInitialize();
  identityInitialize();
  outputReset();
  carrierInitialize();
  retiredReset();
  dateSet(0);
  initialized = true;
  keyHashTables();
  takeEntropy();
  deriveIdentity();
  return Status.OK;
}

/** Whether `initialize` has succeeded. */
export function isInitialized(): bool {
  return initialized;
}

/** Takes further entropy from its region. */
export function addEntropy(): i32 {
  if (!initialized) return Status.NOT_INITIALIZED;
  takeEntropy();
  return Status.OK;
}

/**
 * Tells the wall-clock time for the date field: milliseconds since 1970, UTC. To be called once a second, which also brings
 * the gauges among the counters up to date.
 */
export function setDate(epochMs: f64): i32 {
  // 9999-12-31T23:59:59.999Z, the last date that IMF-fixdate can write; NaN fails too.
  if (!(epochMs >= 0 && epochMs <= 253402300799999)) return Status.INVALID_ARGUMENT;
  dateSet(epochMs);
  clockSetUnix(epochMs);
  counterSet(Counter.MEMORY_BYTES_IN_USE, slabBytesInUse());
  return Status.OK;
}

/** When `handleTimeout` is to be called next; Infinity when nothing waits for time. May be in the past. */
export function pollDeadline(): f64 {
  return timerPollDeadline();
}

/**
 * Acts on every deadline that has passed. When the event ring fills up it stops, and `pollDeadline` stays in the past until
 * it is called again, as while the host traces, which is told of one connection at a call.
 */
export function handleTimeout(now: f64): i32 {
  if (!initialized) return Status.NOT_INITIALIZED;
  setNow(now);
  freeRetired();
  // As many events as a connection can cause at once: one that stops for want of room would be due again at once.
  const exchangeCount =
    max(limitU32(Limit.PIPELINED_COUNT), limitU32(Limit.STREAM_COUNT) + limitU32(Limit.PUSH_COUNT)) + 1;
  traceServed(0);
  while (hasEventRoom(exchangeCount) && !isTraceOver()) {
    const ptr = timerExpire(nowMs);
    if (ptr == 0) break;
    if (changetype<TimerNode>(ptr).owner == TimerOwner.TUNNEL) {
      const socket = changetype<Socket>(ptr);
      traceServed(changetype<Connection>(exchangeOfSocket(socket).connection).handle);
      socketHandleTimeout(socket);
    } else {
      traceServed(changetype<Connection>(ptr).handle);
      protocolHandleTimeout(changetype<Connection>(ptr));
    }
  }
  counterSet(Counter.MEMORY_BYTES_IN_USE, slabBytesInUse());
  return Status.OK;
}

/**
 * Keys the hash tables, once: what they hold was hashed under that key. It is derived under a label of its own, so that what a
 * peer might learn of it from the tables says nothing about random bytes.
 */
function keyHashTables(): void {
  hkdfExpandAscii(HashId.SHA_256, entropyRegion(), "hash tables", 0, 0, hashKey, HASH_KEY_BYTES);
  hashInitialize(load<u64>(hashKey), load<u64>(hashKey, 8));
  memory.fill(hashKey, 0, HASH_KEY_BYTES);
}

/** Keys of QUIC's connection IDs, tokens and resets, until the host names a secret that outlives the instance. */
function deriveIdentity(): void {
  randomFill(identitySecret, ENDPOINT_SECRET_BYTES);
  identityDerive(identitySecret, 0);
  memory.fill(identitySecret, 0, ENDPOINT_SECRET_BYTES);
}

/** Seeds the random generator and wipes the region. */
function takeEntropy(): void {
  const len = load<u32>(layoutTable() + (Layout.ENTROPY_LEN << 2));
  drbgSeed(entropyRegion(), len);
  memory.fill(entropyRegion(), 0, len);
}
