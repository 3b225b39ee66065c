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
import {
  protocolDestroy,
  protocolDrain,
  protocolOpen,
  protocolPoll,
  protocolReceive,
  protocolReceiveEnd,
} from "../engine/protocol.ts";
import { Connection, ConnectionFlag, connectionOf, ConnectionState } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { clearWriteDeadline, setNow, setReadDeadline, setWriteDeadline } from "../session/deadline.ts";
import { hasEventRoom } from "../session/events.ts";
import { limitOf } from "../session/limits.ts";
import { outputSpill } from "../session/output.ts";
import { receiveRegion, RECEIVE_BYTES } from "../session/regions.ts";
import { isInitialized } from "./instance.ts";

/** Opens a connection (Protocol, Role, OpenFlag). Answers its handle, CONNECTIONS_FULL or MEMORY_FULL. */
export function openConnection(protocol: u32, role: u32, openFlags: u32, now: f64): i32 {
  if (!isInitialized()) return Status.NOT_INITIALIZED;
  const isKnown = protocol == Protocol.HTTP_1 || protocol == Protocol.HTTP_2;
  if (!isKnown || role > <u32>Role.CLIENT) return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  const ptr = protocolOpen(protocol, role, openFlags);
  return ptr == 0 ? Status.CONNECTIONS_FULL : <i32>changetype<Connection>(ptr).handle;
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
  const taken = protocolReceive(changetype<Connection>(ptr), receiveRegion + offset, len);
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
  protocolReceiveEnd(changetype<Connection>(ptr));
  return Status.OK;
}

/**
 * Leaves what the connection has to send in the transmit region and answers its length; 0 when there is nothing. The bytes are
 * valid until the next call. To be called again until it answers 0, unless the socket takes no more.
 */
export function pollTransmit(handle: u32): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  return protocolPoll(changetype<Connection>(ptr));
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
  protocolDrain(changetype<Connection>(ptr));
  return Status.OK;
}

/** The socket is gone. Frees the connection; its exchanges stay until they are released, without further events. */
export function closeConnection(handle: u32): i32 {
  const ptr = connectionOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  protocolDestroy(changetype<Connection>(ptr));
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
