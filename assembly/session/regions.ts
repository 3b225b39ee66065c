/**
 * How linear memory is divided: static data, the regions shared with the host, handle tables, and the slab over the rest.
 *
 *     0        __heap_base                                                                         end - SLACK   end
 *     +--------+-------+-----------+----------+---------+--------+----------------+----------------+-------------+
 *     | static | ring  | receive + | transmit | command | pinned | scratch, handle | slab pages    | slack       |
 *     |        |       | slack     |          |         |        | tables          |               |             |
 *     +--------+-------+-----------+----------+---------+--------+----------------+----------------+-------------+
 *
 * The host has grown memory to its final size before `initialize`; nothing moves afterwards. Scans may load up to SLACK
 * bytes past what they were given, which is why the last bytes of memory belong to nobody. Where the host is part of the
 * same module (assembly/wasi/) and has a heap, the engine lives in one block of it instead (`regionsWithin`).
 */
import { ABI_VERSION, Layout } from "../abi/layout.ts";
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { HANDLE_SLOT_BYTES } from "../core/handle_table.ts";
import { ringByteLength, ringInitialize, RING_RECORD_SIZE } from "../core/ring.ts";
import { slabInitialize } from "../core/slab.ts";
import { drbgKeyPtr } from "../crypto/drbg.ts";
import { countersPtr } from "./counters.ts";
import { limitHitsPtr, limitsPtr, limitU32 } from "./limits.ts";
import { tracePtr } from "./trace.ts";

/** What one read from a socket can bring: all of it fits one slab block with its header, where input may have to wait. */
export const RECEIVE_BYTES: u32 = 65536 - 64;
/** What one write to a socket can take: a batch of small answers, or a large piece of one. */
export const TRANSMIT_BYTES: u32 = 262144;
/** Field blocks and bodies of one command. */
export const COMMAND_BYTES: u32 = 262144;
export const PINNED_BYTES: u32 = 65536;
/** The largest head that can be sent. */
export const SCRATCH_BYTES: u32 = 65536;
/** Events of one batch: enough for every event that a full receive region can cause in HTTP/1.1 at default limits. */
const EVENT_CAPACITY: u32 = 8192;
const SLACK: u32 = 64;
const ENTROPY_BYTES: u32 = 32;
const PAGE_BYTES: usize = 65536;
/** Below this the slab could not even hold one connection with a full head. */
const SLAB_LEAST_BYTES: usize = 4 * 65536;

const table: usize = memory.data(Layout.COUNT * sizeof<u32>(), 16);
const entropy: usize = memory.data(ENTROPY_BYTES, 16);

/** The block to live in; 0 for all of memory behind static data. */
let blockBase: usize = 0;
let blockEnd: usize = 0;
let ringBase: usize = 0;
export let receiveRegion: usize = 0;
export let transmitRegion: usize = 0;
export let commandRegion: usize = 0;
export let pinnedRegion: usize = 0;
/** The engine's own: where a head is written that cannot go straight to the transmit region. */
export let scratchRegion: usize = 0;
let commandEnd: usize = 0;
let tablesBase: usize = 0;

/** Keeps the engine within [base, base + len). To be called before `regionsLay`, by a host that shares the module. */
export function regionsWithin(base: usize, len: usize): void {
  blockBase = base;
  blockEnd = base + len;
}

/** Lays the regions whose place does not depend on limits and fills the layout table. */
export function regionsLay(): void {
  ringBase = align(blockBase == 0 ? __heap_base : blockBase);
  receiveRegion = align(ringBase + ringByteLength(EVENT_CAPACITY));
  transmitRegion = align(receiveRegion + RECEIVE_BYTES + SLACK);
  commandRegion = transmitRegion + TRANSMIT_BYTES;
  pinnedRegion = commandRegion + COMMAND_BYTES;
  commandEnd = pinnedRegion + PINNED_BYTES;
  scratchRegion = commandEnd;
  tablesBase = scratchRegion + SCRATCH_BYTES;

  lane(Layout.ABI_VERSION, ABI_VERSION);
  lane(Layout.RECEIVE_PTR, receiveRegion);
  lane(Layout.RECEIVE_LEN, RECEIVE_BYTES);
  lane(Layout.TRANSMIT_PTR, transmitRegion);
  lane(Layout.TRANSMIT_LEN, TRANSMIT_BYTES);
  lane(Layout.COMMAND_PTR, commandRegion);
  lane(Layout.COMMAND_LEN, COMMAND_BYTES);
  lane(Layout.PINNED_PTR, pinnedRegion);
  lane(Layout.PINNED_LEN, PINNED_BYTES);
  lane(Layout.EVENT_PTR, ringBase + RING_RECORD_SIZE);
  lane(Layout.EVENT_CAPACITY, EVENT_CAPACITY);
  lane(Layout.EVENT_WRITE_PTR, ringBase);
  lane(Layout.EVENT_READ_PTR, ringBase + sizeof<u32>());
  lane(Layout.LIMIT_PTR, limitsPtr());
  lane(Layout.LIMIT_COUNT, Limit.COUNT);
  lane(Layout.COUNTER_PTR, countersPtr());
  lane(Layout.COUNTER_COUNT, Counter.COUNT);
  lane(Layout.LIMIT_HIT_PTR, limitHitsPtr());
  lane(Layout.ENTROPY_PTR, entropy);
  lane(Layout.ENTROPY_LEN, ENTROPY_BYTES);
  lane(Layout.TRACE_PTR, tracePtr());
  lane(Layout.RANDOM_PTR, drbgKeyPtr());
}

/** Address of the layout table. */
export function layoutTable(): usize {
  return table;
}

export function entropyRegion(): usize {
  return entropy;
}

/** Places ring, handle tables, `routeBytes` for QUIC's routes and slab in the memory there is. False when it is too small for the limits. */
export function regionsClaim(routeBytes: u32): bool {
  const memoryEnd = (blockEnd == 0 ? <usize>memory.size() * PAGE_BYTES : blockEnd) - SLACK;
  const slabBase = align(routeBuckets() + routeBytes);
  if (slabBase + SLAB_LEAST_BYTES > memoryEnd) return false;
  ringInitialize(ringBase, EVENT_CAPACITY);
  slabInitialize(slabBase, memoryEnd);
  return true;
}

/** Slots of the connection table: CONNECTION_COUNT + 1. */
export function connectionSlots(): usize {
  return tablesBase;
}

/** Slots of the exchange table: EXCHANGE_COUNT + 1. */
export function exchangeSlots(): usize {
  return align(tablesBase + (<usize>limitU32(Limit.CONNECTION_COUNT) + 1) * HANDLE_SLOT_BYTES);
}

/** Slots of the table of raw streams: EXCHANGE_COUNT + 1. */
export function streamSlots(): usize {
  return align(exchangeSlots() + (<usize>limitU32(Limit.EXCHANGE_COUNT) + 1) * HANDLE_SLOT_BYTES);
}

/** The table of QUIC's connection IDs, of a size that its room knows. */
export function routeBuckets(): usize {
  return align(streamSlots() + (<usize>limitU32(Limit.EXCHANGE_COUNT) + 1) * HANDLE_SLOT_BYTES);
}

/** Whether [ptr, ptr + len) lies within the command or the pinned region: what a command may point at. */
// @ts-ignore: decorator
@inline
export function isCommandMemory(ptr: usize, len: u32): bool {
  // The two regions are adjacent.
  return ptr >= commandRegion && ptr <= commandEnd && len <= <u32>(commandEnd - ptr);
}

function lane(index: Layout, value: usize): void {
  store<u32>(table + index * sizeof<u32>(), <u32>value);
}

function align(address: usize): usize {
  return (address + 63) & ~63;
}
