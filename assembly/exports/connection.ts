/**
 * Doors of connections: open, bytes in, bytes out, the ends of both sides.
 *
 * Each door checks the handle, calls the protocol's room and answers a count or a status. `now` is milliseconds of the host's
 * monotonic clock.
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { Protocol, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { H1Connection } from "../h1/connection.ts";
import { h1Drain, h1Destroy, h1TellClose, tellWritable } from "../h1/lifecycle.ts";
import { h1Receive, h1ReceiveEnd } from "../h1/receive.ts";
import {
  Connection,
  connectionCreate,
  ConnectionFlag,
  connectionOf,
  ConnectionState,
} from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { clearWriteDeadline, setNow, setReadDeadline, setWriteDeadline } from "../session/deadline.ts";
import { hasEventRoom } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf, limitU32 } from "../session/limits.ts";
import { outputPending, outputPoll, outputSpill } from "../session/output.ts";
import { receiveRegion, RECEIVE_BYTES } from "../session/regions.ts";
import { isInitialized } from "./instance.ts";

/** Opens a connection (Protocol, Role, OpenFlag). Answers its handle, CONNECTIONS_FULL or MEMORY_FULL. */
export function openConnection(protocol: u32, role: u32, openFlags: u32, now: f64): i32 {
  if (!isInitialized()) return Status.NOT_INITIALIZED;
  if (protocol != Protocol.HTTP_1 || role > <u32>Role.CLIENT) return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  const ptr = connectionCreate(<u32>offsetof<H1Connection>(), Protocol.HTTP_1, role, openFlags);
  if (ptr == 0) return Status.CONNECTIONS_FULL;
  const connection = changetype<Connection>(ptr);
  count(Counter.CONNECTIONS_H1);
  if (role == Role.SERVER) {
    setReadDeadline(connection, limitOf(Limit.HEAD_TIMEOUT_MS), Status.HEAD_TIMEOUT);
  }
  return connection.handle;
}

/**
 * Takes bytes that lie in the receive region from `offset` on. Answers how many were taken: fewer than `len` only when the
 * event ring has no more room, in which case the host reads the events and calls again with the rest. WOULD_BLOCK, with
 * nothing taken, when the host has read so much in spite of READ_PAUSE that it cannot be kept: to be offered again after
 * READ_RESUME.
 */
export function receive(handle: u32, offset: u32, len: u32, now: f64): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (offset > RECEIVE_BYTES || len > RECEIVE_BYTES - offset) return hostError(Status.OUT_OF_BOUNDS);
  setNow(now);
  // Nothing more is told of it, so nothing more is read.
  if (changetype<Connection>(ptr).flags & ConnectionFlag.ABORTED) return len;
  claimTransmit(ptr);
  const taken = h1Receive(changetype<H1Connection>(ptr), receiveRegion + offset, len);
  if (taken > 0) count(Counter.BYTES_RECEIVED, taken);
  return taken;
}

/**
 * The peer has ended its side; nothing more will be received. WOULD_BLOCK when the event ring has no room for what that
 * means: the host reads the events and calls again.
 */
export function receiveEnd(handle: u32, now: f64): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  // Each exchange may be told that the peer ended and that it was cut.
  if (!hasEventRoom(changetype<Connection>(ptr).openExchangeCount)) return Status.WOULD_BLOCK;
  h1ReceiveEnd(changetype<H1Connection>(ptr));
  return Status.OK;
}

/**
 * Leaves what the connection has to send in the transmit region and answers its length; 0 when there is nothing. The bytes are
 * valid until the next call. To be called again until it answers 0, unless the socket takes no more.
 */
export function pollTransmit(handle: u32): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const connection = changetype<Connection>(ptr);
  const len = outputPoll(connection);
  const pending = outputPending(connection);
  if (pending == 0 && (connection.flags & ConnectionFlag.CLOSE_OWED) != 0) {
    h1TellClose(changetype<H1Connection>(ptr));
  } else if (connection.firstExchange != 0 && pending <= limitU32(Limit.OUTPUT_BYTES) / 2) {
    const first = changetype<Exchange>(connection.firstExchange);
    if (hasFlag(first, ExchangeFlag.WRITABLE_OWED)) tellWritable(first);
  }
  return len;
}

/** The socket takes nothing for now: the peer has WRITE_TIMEOUT_MS to read on. */
export function transmitBlocked(handle: u32, now: f64): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const connection = changetype<Connection>(ptr);
  // Told again, the deadline stays: only a socket that took everything begins a new one.
  if (connection.flags & ConnectionFlag.TRANSMIT_BLOCKED) return Status.OK;
  connection.flags |= ConnectionFlag.TRANSMIT_BLOCKED;
  setWriteDeadline(connection, limitOf(Limit.WRITE_TIMEOUT_MS));
  return Status.OK;
}

/** The socket takes bytes again. */
export function transmitDrained(handle: u32, now: f64): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const connection = changetype<Connection>(ptr);
  connection.flags &= ~ConnectionFlag.TRANSMIT_BLOCKED;
  clearWriteDeadline(connection);
  // The peer has everything only now: what is left of the time to end its side begins here.
  const isTold =
    connection.state == ConnectionState.LINGERING && !(connection.flags & ConnectionFlag.CLOSE_OWED);
  if (isTold) setReadDeadline(connection, limitOf(Limit.LINGER_TIMEOUT_MS), Status.LINGER_TIMEOUT);
  return Status.OK;
}

/** Lets the exchanges that are open finish, begins none, and closes. An idle connection closes at once. */
export function drainConnection(handle: u32, now: f64): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  h1Drain(changetype<H1Connection>(ptr));
  return Status.OK;
}

/** The socket is gone. Frees the connection; its exchanges stay until they are released, without further events. */
export function closeConnection(handle: u32): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  h1Destroy(changetype<H1Connection>(ptr));
  return Status.OK;
}

let transmitClaimant: usize = 0;

/** The connection that receives is the one that will answer: it gets the transmit region. */
// @ts-ignore: decorator
@inline
function claimTransmit(ptr: usize): void {
  if (transmitClaimant != ptr) {
    outputSpill();
    transmitClaimant = ptr;
  }
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
