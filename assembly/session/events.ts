/**
 * Writing events (abi/event.ts). The choke point through which everything passes that the host is told.
 *
 * Room in the ring is asked for before work is begun (`hasEventRoom`), so that an event, once due, can always be written:
 * a door that finds too little room stops at a record boundary and is called again after the host has caught up.
 */
import { EventFlag, EventKind, EventLane } from "../abi/event.ts";
import { ringFree, ringPush } from "../core/ring.ts";
import { Connection, ConnectionFlag } from "./connection.ts";
import { Exchange, ExchangeFlag, hasFlag } from "./exchange.ts";

/**
 * The most events that one step of any state machine writes before it asks again, besides those for the exchanges that end
 * with a connection.
 */
const STEP_EVENTS: u32 = 16;

/** Whether one more step can be taken; `exchangeCount` exchanges may have to be told that they ended. */
// @ts-ignore: decorator
@inline
export function hasEventRoom(exchangeCount: u32): bool {
  return ringFree() >= STEP_EVENTS + 2 * exchangeCount;
}

/** Tells an exchange's event, unless the host has released the exchange: its handle is stale by then. */
export function emitExchangeEvent(
  kind: EventKind,
  flags: EventFlag,
  exchange: Exchange,
  a: u32,
  b: u32,
): void {
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) return;
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, exchange.handle, EventLane.EXCHANGE << 2);
  store<u32>(record, changetype<Connection>(exchange.connection).handle, EventLane.CONNECTION << 2);
  store<u32>(record, a, EventLane.A << 2);
  store<u32>(record, b, EventLane.B << 2);
}

/** Tells an event of a tunnel that the engine reads; its exchange is not released. */
export function emitTunnelEvent(
  kind: EventKind,
  flags: u32,
  exchange: Exchange,
  a: u32,
  b: u32,
  c: u32,
  d: u32,
): void {
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, exchange.handle, EventLane.EXCHANGE << 2);
  store<u32>(record, changetype<Connection>(exchange.connection).handle, EventLane.CONNECTION << 2);
  store<u32>(record, a, EventLane.A << 2);
  store<u32>(record, b, EventLane.B << 2);
  store<u32>(record, c, EventLane.C << 2);
  store<u32>(record, d, EventLane.D << 2);
}

/** Tells a connection's event, unless it was given up (CLOSE with ABORT was told). */
export function emitConnectionEvent(kind: EventKind, flags: EventFlag, connection: Connection, a: u32): void {
  if (connection.flags & ConnectionFlag.ABORTED) return;
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, connection.handle, EventLane.CONNECTION << 2);
  store<u32>(record, a, EventLane.A << 2);
}

/** Tells a connection's event that points at bytes: [a, b) and [c, d) as address and length, or whatever its kind says. */
export function emitConnectionBytes(
  kind: EventKind,
  flags: u32,
  connection: Connection,
  a: u32,
  b: u32,
  c: u32,
  d: u32,
): void {
  if (connection.flags & ConnectionFlag.ABORTED) return;
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, connection.handle, EventLane.CONNECTION << 2);
  store<u32>(record, a, EventLane.A << 2);
  store<u32>(record, b, EventLane.B << 2);
  store<u32>(record, c, EventLane.C << 2);
  store<u32>(record, d, EventLane.D << 2);
}

/** Tells that a QUIC connection is over: its code, the reason at [reason, reason + reasonLen), and the engine's status. */
export function emitQuicClosed(
  kind: EventKind,
  flags: u32,
  connection: Connection,
  code: u64,
  reason: u32,
  reasonLen: u32,
  status: i32,
): void {
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, connection.handle, EventLane.CONNECTION << 2);
  store<u64>(record, code, EventLane.A << 2);
  store<u32>(record, reason, EventLane.C << 2);
  store<u32>(record, reasonLen, EventLane.D << 2);
  store<i32>(record, status, EventLane.E << 2);
}

/** Tells news of a raw stream of QUIC. */
export function emitStreamEvent(
  kind: EventKind,
  flags: u32,
  connection: Connection,
  stream: u32,
  id: u64,
  code: u64,
): void {
  const record = ringPush();
  assert(record != 0, "hasEventRoom was not asked");
  if (record == 0) return;
  store<u32>(record, kind | (flags << 16), EventLane.KIND << 2);
  store<u32>(record, stream, EventLane.EXCHANGE << 2);
  store<u32>(record, connection.handle, EventLane.CONNECTION << 2);
  store<u64>(record, id, EventLane.A << 2);
  store<u64>(record, code, EventLane.C << 2);
}
