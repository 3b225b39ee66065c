/**
 * Doors of WebTransport sessions. A session's handle is that of the exchange whose CONNECT opened it; it is to be released once
 * SESSION_CLOSE or ABORTED was told, or the host has closed it. Its streams are read and written by the doors of raw streams
 * (exports/quic.ts). Pointers lie in the command or the pinned region.
 */
import { Counter } from "../abi/counter.ts";
import { Status } from "../abi/status.ts";
import { FRAME_HEADER_ROOM } from "../abi/web_socket.ts";
import { isH3 } from "../engine/protocol.ts";
import { h3EndSession } from "../h3/capsule.ts";
import { h3SendDatagram } from "../h3/http_datagram.ts";
import { h3AcceptSession } from "../h3/session.ts";
import { h3OpenSessionStream } from "../h3/session_stream.ts";
import { count } from "../session/counters.ts";
import { setNow } from "../session/deadline.ts";
import { Exchange, exchangeOf } from "../session/exchange.ts";
import { isCommandMemory } from "../session/regions.ts";

/** Answers an extended CONNECT with 200 and these fields, and opens the session. A status says why not. */
export function acceptSession(handle: u32, at: usize, len: u32, now: f64): i32 {
  const checked = check(handle, at, len, now);
  return checked != Status.OK ? checked : h3AcceptSession(found, at, len);
}

/** Opens a stream of the session. Answers its handle, or WOULD_BLOCK, and QUIC_OPENABLE follows. */
export function openSessionStream(handle: u32, isUnidirectional: u32, now: f64): i32 {
  const checked = check(handle, 0, 0, now);
  if (checked != Status.OK) return checked;
  return h3OpenSessionStream(found, isUnidirectional != 0);
}

/**
 * Sends a datagram, which has FRAME_HEADER_ROOM bytes in front of it that the engine writes to. WOULD_BLOCK when too many wait,
 * INVALID_ARGUMENT when it is too large or the peer takes none.
 */
export function sendSessionDatagram(handle: u32, at: usize, len: u32, now: f64): i32 {
  const checked = check(handle, at - FRAME_HEADER_ROOM, len + FRAME_HEADER_ROOM, now);
  return checked != Status.OK ? checked : h3SendDatagram(found, at, len);
}

/** Closes the session with a code and a reason of at most 1024 bytes; or, when `isClose` is 0, asks the peer to do so. */
export function endSession(handle: u32, isClose: u32, code: u32, at: usize, len: u32, now: f64): i32 {
  const checked = check(handle, at, len, now);
  if (checked != Status.OK) return checked;
  return h3EndSession(found, isClose != 0, code, at, len);
}

/** What `check` found. */
let found: Exchange = changetype<Exchange>(0);

/** Whether the handle is that of an exchange of HTTP/3 that is open, and [at, at + len) is the host's to give. */
function check(handle: u32, at: usize, len: u32, now: f64): i32 {
  const ptr = exchangeOf(handle);
  let status: i32 = Status.OK;
  if (len != 0 && !isCommandMemory(at, len)) status = Status.OUT_OF_BOUNDS;
  found = changetype<Exchange>(ptr);
  if (ptr == 0 || found.connection == 0 || !isH3(found)) status = Status.INVALID_HANDLE;
  if (status != Status.OK) count(Counter.HOST_ERRORS);
  else setNow(now);
  return status;
}
