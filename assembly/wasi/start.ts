/**
 * Starting the engine inside of a WASI module.
 *
 * The module has a heap, for handlers; the engine lives in one block of it that is never freed, so neither can reach into
 * the other's memory. Limits that a small server does not need are lowered, since their tables are paid for at the start.
 */
import { Layout } from "../abi/layout.ts";
import { Limit } from "../abi/limit.ts";
import { initialize, layout, setDate } from "../exports/instance.ts";
import { regionsWithin } from "../session/regions.ts";
import { Host } from "./host.ts";

/** What a server of many connections has; 256 connections use a tenth of the memory. */
export const SERVER_BYTES: u32 = 64 * 1024 * 1024;
export const SERVER_CONNECTION_COUNT: u32 = 4096;
export const SERVER_EXCHANGE_COUNT: u32 = 16384;
const DATE_INTERVAL_MS: f64 = 1000;

let host: Host | null = null;
let dateDueMs: f64 = 0;

/** Starts the engine with this world around it, in so much memory; false when it cannot. */
export function startEngine(world: Host, byteCount: u32, connectionCount: u32, exchangeCount: u32): bool {
  host = world;
  regionsWithin(heap.alloc(byteCount), byteCount);
  const table = layout();
  const limits = lane(table, Layout.LIMIT_PTR);
  store<f64>(limits + Limit.CONNECTION_COUNT * sizeof<f64>(), connectionCount);
  store<f64>(limits + Limit.EXCHANGE_COUNT * sizeof<f64>(), exchangeCount);
  world.entropy(lane(table, Layout.ENTROPY_PTR), lane(table, Layout.ENTROPY_LEN));
  const now = world.now();
  if (initialize(now) != 0) return false;
  dateDueMs = now;
  refreshDate(now);
  return true;
}

/** The monotonic clock, after `startEngine`. */
export function currentTime(): f64 {
  return host!.now();
}

/** Tells the engine the date once a second. */
export function refreshDate(now: f64): void {
  if (now < dateDueMs) return;
  dateDueMs = now + DATE_INTERVAL_MS;
  setDate(host!.wallClock());
}

function lane(table: usize, index: Layout): u32 {
  return load<u32>(table + index * sizeof<u32>());
}
