/**
 * Doors of WebSockets. A WebSocket's handle is that of the exchange whose handshake opened it; it is stale once SOCKET_CLOSE was
 * told (without ANSWER_OWED) or the host has released the exchange, which cuts a WebSocket that is still open.
 *
 * Pointers lie in the command or the pinned region. A payload to send has FRAME_HEADER_ROOM bytes in front of it that the engine
 * writes to, and is masked where it lies in the client's role: it is to be in the command region.
 */
import { Counter } from "../abi/counter.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { FRAME_HEADER_ROOM, PayloadPath } from "../abi/web_socket.ts";
import { WsStatus } from "../abi/ws_status.ts";
import { h1TunnelShedHead } from "../h1/tunnel.ts";
import { isH2, isH3 } from "../engine/protocol.ts";
import { canExchange } from "../engine/quic.ts";
import { acceptSocket as accept, openSocket as openBy, wishes } from "../engine/web_socket.ts";
import { Connection, connectionOf } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setNow } from "../session/deadline.ts";
import { Exchange, exchangeOf, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { outputPending } from "../session/output.ts";
import { commandRegion, COMMAND_BYTES, isCommandMemory } from "../session/regions.ts";
import { handshakeStatus } from "../ws/server.ts";
import { socketOf, SocketState } from "../ws/socket.ts";
import { socketClose, socketFail } from "../ws/socket_end.ts";
import { socketHold } from "../ws/socket_receive.ts";
import {
  socketBeginMessage,
  socketEncodeMessage,
  socketSendMessage,
  socketSendPayload,
  socketSendPing,
  socketSendPong,
  socketSkipPayload,
} from "../ws/socket_send.ts";

/** Largest length that crosses as f64 without loss. */
const LENGTH_MAX: f64 = 9007199254740991;
const NONCE_BYTES: u32 = 16;

/** Whether a request opens a WebSocket: Status.OK, or a WsStatus that says how to refuse it. */
export function checkHandshake(handle: u32): i32 {
  const exchange = find(handle);
  return exchange == null ? hostError(Status.INVALID_HANDLE) : handshakeStatus(exchange);
}

/**
 * Answers a handshake with these fields and this subprotocol (length 0: none), and opens the WebSocket. `deflate` are the host's
 * wishes (abi/deflate_parameters.ts); numbers below 0 stand for the limits' own. Answers what the extension was agreed to be (0:
 * not used), or a status, after which the request can be answered otherwise. The request's head is not to be read any more once the
 * events told so far were handled.
 */
export function acceptSocket(
  handle: u32,
  fieldsPtr: usize,
  fieldsLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
  deflate: i32,
  messageBytesMax: f64,
  idleTimeoutMs: f64,
  pingIntervalMs: f64,
  now: f64,
): i32 {
  const exchange = find(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(fieldsPtr, fieldsLen) || !isCommandMemory(protocolPtr, protocolLen))
    return hostError(Status.OUT_OF_BOUNDS);
  if (!takeWishes(deflate, messageBytesMax, idleTimeoutMs, pingIntervalMs))
    return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  const agreed = accept(exchange, fieldsPtr, fieldsLen, protocolPtr, protocolLen);
  // What came after the handshake may have ended it already.
  const opened = find(handle);
  if (agreed >= 0 && opened != null && opened.connection != 0 && !isH2(opened) && !isH3(opened)) {
    h1TunnelShedHead(opened);
  }
  return agreed;
}

/**
 * Asks for a WebSocket on a client's connection; `noncePtr` are 16 random bytes. Answers the exchange's handle; SOCKET_OPEN
 * follows, or RESPONSE, or ABORTED. WOULD_BLOCK while the connection cannot take it yet.
 */
export function openSocket(
  connectionHandle: u32,
  targetPtr: usize,
  targetLen: u32,
  fieldsPtr: usize,
  fieldsLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
  noncePtr: usize,
  deflate: i32,
  messageBytesMax: f64,
  idleTimeoutMs: f64,
  pingIntervalMs: f64,
  now: f64,
): i32 {
  const ptr = connectionOf(connectionHandle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (changetype<Connection>(ptr).role != Role.CLIENT) return hostError(Status.INVALID_STATE);
  if (!isCommandMemory(targetPtr, targetLen) || !isCommandMemory(fieldsPtr, fieldsLen))
    return hostError(Status.OUT_OF_BOUNDS);
  if (!isCommandMemory(protocolPtr, protocolLen) || !isCommandMemory(noncePtr, NONCE_BYTES))
    return hostError(Status.OUT_OF_BOUNDS);
  if (!takeWishes(deflate, messageBytesMax, idleTimeoutMs, pingIntervalMs))
    return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  const connection = changetype<Connection>(ptr);
  if (!canExchange(connection)) return hostError(Status.INVALID_STATE);
  return openBy(connection, targetPtr, targetLen, fieldsPtr, fieldsLen, protocolPtr, protocolLen, noncePtr);
}

/** Sends a whole message (MessageKind). Status.OK, or WOULD_BLOCK, with nothing sent, after which WRITABLE follows. */
export function sendMessage(handle: u32, kind: u32, ptr: usize, len: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!isPayload(ptr, len)) return hostError(Status.OUT_OF_BOUNDS);
  return socketSendMessage(exchange, kind, ptr, len);
}

/**
 * Begins a message of `len` bytes whose payload follows, by the path that is answered (PayloadPath). WOULD_BLOCK, after which
 * WRITABLE follows.
 */
export function beginMessage(handle: u32, kind: u32, len: f64): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!(len > 0 && len <= LENGTH_MAX)) return hostError(Status.INVALID_ARGUMENT);
  const status = socketBeginMessage(exchange, kind, <u64>len);
  if (status != Status.OK) return status;
  const connection = changetype<Connection>(exchange.connection);
  // HTTP/2 has frames of its own around it, and a client masks.
  if (isH2(exchange) || isH3(exchange) || connection.role == Role.CLIENT) return PayloadPath.ENGINE;
  if (connection.firstExchange != changetype<usize>(exchange)) return PayloadPath.ENGINE;
  socketSkipPayload(exchange);
  return PayloadPath.SOCKET;
}

/** Payload of the message begun last. Answers how much of it was taken; after less than `len` WRITABLE follows. */
export function sendPayload(handle: u32, ptr: usize, len: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!isPayload(ptr, len)) return hostError(Status.OUT_OF_BOUNDS);
  return socketSendPayload(exchange, ptr, len);
}

/** Sends a ping with a payload of at most 125 bytes. */
export function sendPing(handle: u32, ptr: usize, len: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!isCommandMemory(ptr, len)) return hostError(Status.OUT_OF_BOUNDS);
  return socketSendPing(exchange, ptr, len);
}

/** Answers a ping. When there is no room now, the pong is sent later, unless that of another ping takes its place. */
export function sendPong(handle: u32, ptr: usize, len: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!isCommandMemory(ptr, len)) return hostError(Status.OUT_OF_BOUNDS);
  return socketSendPong(exchange, ptr, len);
}

/**
 * Closes with a code that may be sent (1005: none) and a reason in UTF-8 of at most 123 bytes; or gives the answer that
 * ANSWER_OWED asked for, after which the handle is stale.
 */
export function closeSocket(handle: u32, code: u32, reasonPtr: usize, reasonLen: u32, now: f64): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (!isCommandMemory(reasonPtr, reasonLen)) return hostError(Status.OUT_OF_BOUNDS);
  setNow(now);
  return socketClose(exchange, code, reasonPtr, reasonLen);
}

/**
 * Writes the header of a server's frame in front of a payload, for frames that the host itself sends to many. Answers the header's
 * length, or a status.
 */
export function encodeMessage(kind: u32, ptr: usize, len: u32): i32 {
  return isPayload(ptr, len) ? socketEncodeMessage(kind, ptr, len) : hostError(Status.OUT_OF_BOUNDS);
}

/** Bytes that wait in the engine for the peer to take them. */
export function bufferedBytes(handle: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return 0;
  return exchange.output.length + outputPending(changetype<Connection>(exchange.connection));
}

/** The host cannot take what the peer sent (MESSAGE_TOO_LARGE, TEXT_INVALID, DEFLATE_INVALID): SOCKET_CLOSE follows. */
export function failSocket(handle: u32, status: i32, now: f64): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  if (status > WsStatus.RESERVED_BITS || status < WsStatus.PING_TIMEOUT)
    return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  socketFail(socketOf(exchange), status);
  return Status.OK;
}

/** The host reads no further messages for now (1), or again (0): what arrives meanwhile stops the peer in the end. */
export function holdSocket(handle: u32, isHeld: u32): i32 {
  const exchange = findOpen(handle);
  if (exchange == null) return Status.INVALID_HANDLE;
  socketHold(exchange, isHeld != 0);
  return Status.OK;
}

function takeWishes(deflate: i32, messageBytesMax: f64, idleTimeoutMs: f64, pingIntervalMs: f64): bool {
  if (!isWish(messageBytesMax) || !isWish(idleTimeoutMs) || !isWish(pingIntervalMs)) return false;
  wishes.deflate = deflate;
  wishes.messageBytesMax = messageBytesMax;
  wishes.idleTimeoutMs = idleTimeoutMs;
  wishes.pingIntervalMs = pingIntervalMs;
  return true;
}

function isWish(wish: f64): bool {
  return wish >= -1 && wish <= LENGTH_MAX && wish == floor(wish);
}

/** Whether a payload lies in the command region, with the room in front of it. */
// @ts-ignore: decorator
@inline
function isPayload(ptr: usize, len: u32): bool {
  const first = commandRegion + <u32>FRAME_HEADER_ROOM;
  const end = commandRegion + COMMAND_BYTES;
  return ptr >= first && ptr <= end && len <= <u32>(end - ptr);
}

/** An exchange that can still be acted on. */
// @ts-ignore: decorator
@inline
function find(handle: u32): Exchange | null {
  const ptr = exchangeOf(handle);
  if (ptr == 0) return null;
  const exchange = changetype<Exchange>(ptr);
  return exchange.connection == 0 || hasFlag(exchange, ExchangeFlag.RELEASED) ? null : exchange;
}

/** The same when it is a WebSocket that is not over. */
// @ts-ignore: decorator
@inline
function findOpen(handle: u32): Exchange | null {
  const exchange = find(handle);
  if (exchange == null || exchange.tunnel == 0 || hasFlag(exchange, ExchangeFlag.ABORTED)) return null;
  const state = socketOf(exchange).state;
  return state == SocketState.OPENING || state == SocketState.ENDED ? null : exchange;
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
