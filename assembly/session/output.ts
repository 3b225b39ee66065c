/**
 * Output: from the protocol rooms to `pollTransmit`.
 *
 * What a connection has to send waits in its byte queue. As a short cut, the connection that the host is busy with writes
 * straight into the transmit region (it is then its owner), so that the usual small answer is written once and copied out
 * once. The owner's bytes come before those in its queue; they move into the queue when another connection needs the
 * region before the host has polled.
 *
 * Invariant: while the owner has bytes in its queue, nothing more is written to the region.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Counter } from "../abi/counter.ts";
import { Status } from "../abi/status.ts";
import {
  byteQueueClear,
  byteQueueMove,
  byteQueueRead,
  byteQueueWrite,
  ByteQueue,
} from "../core/byte_queue.ts";
import { Connection, ConnectionFlag } from "./connection.ts";
import { count } from "./counters.ts";
import { emitConnectionEvent } from "./events.ts";
import { scratchRegion, SCRATCH_BYTES, transmitRegion, TRANSMIT_BYTES } from "./regions.ts";

/** A queue that is empty between calls. */
const spilled: usize = memory.data(offsetof<ByteQueue>(), 8);

let owner: usize = 0;
let ownedLen: u32 = 0;
/** The queue that a reservation will go to; 0 when it was made in the region. */
let reservedQueue: usize = 0;

export function outputReset(): void {
  owner = 0;
  ownedLen = 0;
}

/** Bytes that wait for `pollTransmit`. */
export function outputPending(connection: Connection): u32 {
  return connection.output.length + (owner == changetype<usize>(connection) ? ownedLen : 0);
}

/**
 * Room for `len` bytes (at most SCRATCH_BYTES) that will follow what `queue` holds; `queue` is the connection's own or that
 * of an exchange which waits. Never fails; `outputCommit` may.
 */
export function outputReserve(connection: Connection, queue: ByteQueue, len: u32): usize {
  assert(len <= SCRATCH_BYTES);
  if (canWriteDirectly(connection, queue, len)) {
    reservedQueue = 0;
    owner = changetype<usize>(connection);
    return transmitRegion + ownedLen;
  }
  reservedQueue = changetype<usize>(queue);
  return scratchRegion;
}

/** Bytes that could be written straight into the transmit region now. */
export function outputDirectRoom(connection: Connection): u32 {
  return canWriteDirectly(connection, connection.output, 0) ? TRANSMIT_BYTES - ownedLen : 0;
}

/** Makes the first `len` reserved bytes output. False when the memory is full; then nothing was added. */
export function outputCommit(len: u32): bool {
  if (reservedQueue == 0) {
    ownedLen += len;
    return true;
  }
  return byteQueueWrite(changetype<ByteQueue>(reservedQueue), scratchRegion, len);
}

/** Appends bytes. False when the memory is full; then nothing was added. */
export function outputWrite(connection: Connection, queue: ByteQueue, src: usize, len: u32): bool {
  if (canWriteDirectly(connection, queue, len)) {
    owner = changetype<usize>(connection);
    memory.copy(transmitRegion + ownedLen, src, len);
    ownedLen += len;
    return true;
  }
  return byteQueueWrite(queue, src, len);
}

/** Gathers what a connection has to send into the transmit region, as far as it fits, and answers its length. */
export function outputPoll(connection: Connection): u32 {
  let len: u32 = 0;
  if (owner == changetype<usize>(connection)) {
    len = ownedLen;
    owner = 0;
    ownedLen = 0;
  } else {
    outputSpill();
  }
  // What is missing from it would be read as what follows.
  if (connection.flags & ConnectionFlag.ABORTED) {
    byteQueueClear(connection.output);
    return 0;
  }
  if (connection.output.length != 0) {
    len += byteQueueRead(connection.output, transmitRegion + len, TRANSMIT_BYTES - len);
  }
  if (len != 0) count(Counter.BYTES_SENT, len);
  return len;
}

/** Frees the transmit region for another connection. An owner whose bytes find no memory loses its connection. */
export function outputSpill(): void {
  if (owner == 0) return;
  const connection = changetype<Connection>(owner);
  const len = ownedLen;
  owner = 0;
  ownedLen = 0;
  if (len == 0 || spillTo(connection.output, len)) return;
  if ((connection.flags & ConnectionFlag.ABORTED) == 0) {
    count(Counter.POOL_REFUSALS);
    emitConnectionEvent(EventKind.CLOSE, EventFlag.ABORT, connection, Status.MEMORY_FULL);
    connection.flags = (connection.flags | ConnectionFlag.ABORTED) & ~ConnectionFlag.CLOSE_OWED;
  }
}

/** Puts the region's bytes in front of what the queue holds. False when the memory is full. */
function spillTo(queue: ByteQueue, len: u32): bool {
  if (queue.length == 0) return byteQueueWrite(queue, transmitRegion, len);
  const front = changetype<ByteQueue>(spilled);
  if (!byteQueueWrite(front, transmitRegion, len)) return false;
  byteQueueMove(front, queue);
  byteQueueMove(queue, front);
  return true;
}

/** Forgets a connection that goes away. */
export function outputDrop(connection: Connection): void {
  if (owner == changetype<usize>(connection)) {
    owner = 0;
    ownedLen = 0;
  }
}

// @ts-ignore: decorator
@inline
function canWriteDirectly(connection: Connection, queue: ByteQueue, len: u32): bool {
  return (
    (owner == 0 || owner == changetype<usize>(connection)) &&
    changetype<usize>(queue) == changetype<usize>(connection.output) &&
    queue.length == 0 &&
    len <= TRANSMIT_BYTES - ownedLen &&
    (connection.flags & ConnectionFlag.TRANSMIT_BLOCKED) == 0
  );
}
