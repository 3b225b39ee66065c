/**
 * Connections: what all versions of HTTP share of them, and the table that gives them handles.
 *
 * A protocol room extends `Connection` with its own fields and allocates it with `connectionCreate`. A connection lives
 * from `openConnection` until the host says that its socket is gone (`closeConnection`); before that it may be through
 * with its peer (LINGERING) and only wait for the end.
 *
 *     OPEN ── drain or last exchange ──▶ DRAINING ── output written ──▶ LINGERING ── closeConnection ──▶ freed
 *       └──────── error: answer queued ──▶ FAILED ─────────┘
 */
import { Protocol, Role } from "../abi/message.ts";
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { byteQueueClear, byteQueueMove, ByteQueue } from "../core/byte_queue.ts";
import {
  handleAt,
  handleCreate,
  handleFree,
  handleIndexEnd,
  handleMove,
  handleResolve,
  HandleTable,
  handleTableInitialize,
} from "../core/handle_table.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { timerDisarm, TimerNode } from "../core/timer_wheel.ts";
import { count } from "./counters.ts";
import { limitHit, limitU32 } from "./limits.ts";
import { connectionSlots } from "./regions.ts";

export const enum ConnectionState {
  OPEN = 0,
  /** No further exchange is accepted; those that are open finish. */
  DRAINING = 1,
  /** The peer broke the protocol: nothing more is read; the answer to it waits for those before it. */
  FAILED = 2,
  /** CLOSE was told: what still arrives is thrown away. */
  LINGERING = 3,
}

export const enum ConnectionFlag {
  NONE = 0,
  /** The host was told to stop reading. */
  READ_PAUSED = 1,
  /** The host said that its socket takes nothing for now. */
  TRANSMIT_BLOCKED = 2,
  /** The peer ended its side. */
  PEER_ENDED = 4,
  /** CLOSE was told with ABORT: nothing more will be told of this connection. */
  ABORTED = 8,
  /** CLOSE is owed as soon as the output has been polled. */
  CLOSE_OWED = 16,
  /** Input is being read from the input block, or waits there for room in the event ring until the next `handleTimeout`. */
  RESUME_OWED = 32,
}

/**
 * All bytes zero besides what `connectionCreate` sets. The timer node comes first so that the wheel's node is the
 * connection's address; `deadlineMs` there is the armed one, which may be earlier than the real ones below.
 */
@unmanaged
export class Connection extends TimerNode {
  handle: u32;
  protocol: u32;
  role: u32;
  openFlags: u32;
  state: u32;
  flags: u32;
  /** Status that the connection ends with; 0 while nothing is wrong. */
  endStatus: i32;
  /** Real deadlines, 0 when there is none: what the peer has to send by when, and what it has to take by when. */
  readDeadlineMs: f64;
  writeDeadlineMs: f64;
  /** Status raised when the read deadline passes. */
  readDeadlineStatus: i32;
  /** Output waiting to be polled. */
  output: ByteQueue;
  /** Open exchanges in the order in which they began; 0 when none. */
  firstExchange: usize;
  lastExchange: usize;
  openExchangeCount: u32;
  /** Exchanges begun so far. */
  exchangeOrdinal: u32;
  /** What speaks on a transport that knows no HTTP itself (QUIC); 0 when nothing does. */
  application: usize;
}

const table: HandleTable = changetype<HandleTable>(memory.data(offsetof<HandleTable>(), 8));

export function connectionsInitialize(): void {
  handleTableInitialize(table, connectionSlots(), limitU32(Limit.CONNECTION_COUNT));
}

/**
 * Allocates and registers a connection of `structBytes`, zeroed. 0 when the table or the memory is full; the pool that was
 * full is counted.
 */
export function connectionCreate(structBytes: u32, protocol: Protocol, role: Role, openFlags: u32): usize {
  const ptr = slabAllocate(structBytes + <u32>offsetof<ByteQueue>());
  if (ptr == 0) {
    count(Counter.POOL_REFUSALS);
    return 0;
  }
  const handle = handleCreate(table, ptr);
  if (handle == 0) {
    slabFree(ptr);
    limitHit(Limit.CONNECTION_COUNT);
    count(Counter.POOL_REFUSALS);
    return 0;
  }
  memory.fill(ptr, 0, structBytes + offsetof<ByteQueue>());
  const connection = changetype<Connection>(ptr);
  connection.handle = handle;
  connection.protocol = protocol;
  connection.role = role;
  connection.openFlags = openFlags;
  connection.output = changetype<ByteQueue>(ptr + structBytes);
  count(Counter.CONNECTIONS_OPEN);
  return ptr;
}

/**
 * Puts a connection of another protocol in the place of one, behind the same handle: what they share is taken over, the rest
 * is zero. The old one's room has freed what it holds. 0 when the memory is full; then nothing has changed.
 */
export function connectionReplace(connection: Connection, structBytes: u32, protocol: Protocol): usize {
  const ptr = slabAllocate(structBytes + <u32>offsetof<ByteQueue>());
  if (ptr == 0) return 0;
  timerDisarm(connection);
  memory.fill(ptr, 0, structBytes + offsetof<ByteQueue>());
  memory.copy(ptr, changetype<usize>(connection), offsetof<Connection>());
  const successor = changetype<Connection>(ptr);
  successor.protocol = protocol;
  successor.output = changetype<ByteQueue>(ptr + structBytes);
  byteQueueMove(successor.output, connection.output);
  handleMove(table, connection.handle, ptr);
  slabFree(changetype<usize>(connection));
  return ptr;
}

/** Frees a connection whose protocol room has freed what it holds. */
export function connectionDestroy(connection: Connection): void {
  timerDisarm(connection);
  byteQueueClear(connection.output);
  handleFree(table, connection.handle);
  slabFree(changetype<usize>(connection));
  count(Counter.CONNECTIONS_OPEN, -1);
}

/** The connection's address, or 0 when the handle is stale. */
// @ts-ignore: decorator
@inline
export function connectionOf(handle: u32): usize {
  return handleResolve(table, handle);
}

export function connectionOpenCount(): u32 {
  return table.count;
}

/** For walking all connections: indexes 1 … connectionIndexEnd() - 1. */
export function connectionIndexEnd(): u32 {
  return handleIndexEnd(table);
}

/** The connection at an index, 0 where there is none. */
export function connectionAt(index: u32): usize {
  return handleAt(table, index);
}
