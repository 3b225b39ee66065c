/**
 * Which connection a datagram is for: a hash table of the whole endpoint, from connection ID to handle (RFC 9000 §5.2).
 *
 * Open addressing with linear probing in a region that the caller gives, twice as many slots as IDs, so a search looks at two or
 * three. The hash is keyed: clients choose the first ID of their connection, and must not be able to make searches long. Removing
 * moves later entries back instead of leaving marks, so a table that was full once is as fast as a new one.
 *
 * Invariant: from the slot that an ID hashes to, no free slot comes before the ID's own; entryCount ≤ entryMost < slots.
 */
import { hashBytes } from "../../core/hash.ts";
import { ConnectionId, connectionIdIs, connectionIdSet } from "../wire/connection_id.ts";

/** What `routeInsert` did. */
export const enum RouteInsert {
  ADDED = 0,
  /** The ID leads to a connection already: nothing has changed. */
  TAKEN = 1,
  /** As many IDs as the table holds. */
  FULL = 2,
}


@unmanaged
export class RouteTable {
  slots: usize;
  slotMask: u32;
  entryCount: u32;
  entryMost: u32;
}

/**
 *   0        4      8              32
 *   ┌────────┬──────┬──────────────┐
 *   │ handle │ hash │ ConnectionId │    handle 0: free
 *   └────────┴──────┴──────────────┘
 */
@unmanaged
class Route {
  handle: i32;
  hash: u32;
}

const ID_AT: usize = offsetof<Route>();
const ROUTE_BYTES: u32 = <u32>(ID_AT + offsetof<ConnectionId>());
const SLOTS_LEAST: u32 = 16;

/** Bytes of the region for a table of `entryMost` IDs, at most 2^24. */
export function routeTableBytes(entryMost: u32): u32 {
  return slotCount(entryMost) * ROUTE_BYTES;
}

/** Lays an empty table over the `routeTableBytes(entryMost)` bytes at `region`, aligned to 4. */
export function routeTableOpen(table: RouteTable, region: usize, entryMost: u32): void {
  const slots = slotCount(entryMost);
  table.slots = region;
  table.slotMask = slots - 1;
  table.entryCount = 0;
  table.entryMost = entryMost;
  memory.fill(region, 0, slots * ROUTE_BYTES);
}

/** Leads the ID at `ptr`, of 0 … 20 bytes, to `handle`, which is not 0. */
export function routeInsert(table: RouteTable, ptr: usize, len: u32, handle: i32): RouteInsert {
  const hash = hashBytes(ptr, len);
  const index = search(table, hash, ptr, len);
  if (routeAt(table, index).handle != 0) return RouteInsert.TAKEN;
  if (table.entryCount >= table.entryMost) return RouteInsert.FULL;
  const route = routeAt(table, index);
  route.handle = handle;
  route.hash = hash;
  connectionIdSet(idOf(route), ptr, len);
  table.entryCount++;
  return RouteInsert.ADDED;
}

/** The handle that the ID leads to; 0 when it leads nowhere. */
export function routeFind(table: RouteTable, ptr: usize, len: u32): i32 {
  return routeAt(table, search(table, hashBytes(ptr, len), ptr, len)).handle;
}

/** Forgets the ID. False when it was not there. */
export function routeRemove(table: RouteTable, ptr: usize, len: u32): bool {
  let gap = search(table, hashBytes(ptr, len), ptr, len);
  if (routeAt(table, gap).handle == 0) return false;
  const mask = table.slotMask;
  for (let index = (gap + 1) & mask; routeAt(table, index).handle != 0; index = (index + 1) & mask) {
    // An entry may move into the gap unless it would then lie before the slot it hashes to.
    const distance = (index - routeAt(table, index).hash) & mask;
    if (distance < ((index - gap) & mask)) continue;
    memory.copy(
      changetype<usize>(routeAt(table, gap)),
      changetype<usize>(routeAt(table, index)),
      ROUTE_BYTES,
    );
    gap = index;
  }
  routeAt(table, gap).handle = 0;
  table.entryCount--;
  return true;
}

/** The slot of the ID, or the free one where it would be. */
function search(table: RouteTable, hash: u32, ptr: usize, len: u32): u32 {
  let index = hash & table.slotMask;
  while (true) {
    const route = routeAt(table, index);
    if (route.handle == 0) return index;
    if (route.hash == hash && connectionIdIs(idOf(route), ptr, len)) return index;
    index = (index + 1) & table.slotMask;
  }
}

/** A power of two, twice the entries at least. */
function slotCount(entryMost: u32): u32 {
  return (<u32>1) << (32 - clz<u32>(max(entryMost * 2, SLOTS_LEAST) - 1));
}

// @ts-ignore: decorator
@inline
function routeAt(table: RouteTable, index: u32): Route {
  return changetype<Route>(table.slots + index * ROUTE_BYTES);
}

// @ts-ignore: decorator
@inline
function idOf(route: Route): ConnectionId {
  return changetype<ConnectionId>(changetype<usize>(route) + ID_AT);
}
