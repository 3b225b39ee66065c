/**
 * Doors of exchanges: the commands that answer a request (server role) or make one (client role).
 *
 * Pointers lie in the command or the pinned region. A command that answers a negative status has changed nothing, except
 * MEMORY_FULL within a content that was partly written: the host closes that connection.
 */
import { Counter } from "../abi/counter.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { h1OpenExchange } from "../h1/client.ts";
import { H1Connection } from "../h1/connection.ts";
import { h1Release } from "../h1/lifecycle.ts";
import {
  h1FrameBody,
  h1ReadBody,
  h1Respond,
  h1SendBody,
  h1SendHead,
  h1SendInformational,
  h1SendTrailers,
} from "../h1/send.ts";
import { Connection, connectionOf } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setNow } from "../session/deadline.ts";
import { Exchange, exchangeDestroy, ExchangeFlag, exchangeOf, hasFlag } from "../session/exchange.ts";
import { isCommandMemory } from "../session/regions.ts";

/** Largest length that crosses as f64 without loss. */
const LENGTH_MAX: f64 = 9007199254740991;

/**
 * Opens an exchange on a client connection and sends the head of its request; `contentLength` is -1 when it is not known.
 * Answers the exchange's handle, or WOULD_BLOCK while another one is open.
 */
export function openExchange(
  connectionHandle: u32,
  methodPtr: usize,
  methodLen: u32,
  targetPtr: usize,
  targetLen: u32,
  fieldsPtr: usize,
  fieldsLen: u32,
  contentLength: f64,
  flags: u32,
  now: f64,
): i32 {
  const ptr = connectionOf(connectionHandle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (changetype<Connection>(ptr).role != Role.CLIENT) return hostError(Status.INVALID_STATE);
  if (!isCommandMemory(methodPtr, methodLen) || !isCommandMemory(targetPtr, targetLen))
    return hostError(Status.OUT_OF_BOUNDS);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (!isLength(contentLength)) return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  return h1OpenExchange(
    changetype<H1Connection>(ptr),
    methodPtr,
    methodLen,
    targetPtr,
    targetLen,
    fieldsPtr,
    fieldsLen,
    <i64>contentLength,
    flags,
  );
}

/** Sends an interim response (1xx other than 101). */
export function sendInformational(handle: u32, statusCode: u32, fieldsPtr: usize, fieldsLen: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  return h1SendInformational(exchange, statusCode, fieldsPtr, fieldsLen);
}

/** Sends the head of the final response (SendFlag); `contentLength` is -1 when it is not known. */
export function sendHead(
  handle: u32,
  statusCode: u32,
  fieldsPtr: usize,
  fieldsLen: u32,
  contentLength: f64,
  flags: u32,
): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (!isLength(contentLength)) return hostError(Status.INVALID_ARGUMENT);
  return h1SendHead(exchange, statusCode, fieldsPtr, fieldsLen, <i64>contentLength, flags);
}

/**
 * Sends content. Answers how much of it was taken; after less than `len` the event WRITABLE says when to offer the rest.
 * With SendFlag.END the message is complete once all was taken.
 */
export function sendBody(handle: u32, bodyPtr: usize, bodyLen: u32, flags: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(bodyPtr, bodyLen)) return hostError(Status.OUT_OF_BOUNDS);
  return h1SendBody(exchange, bodyPtr, bodyLen, flags);
}

/** A whole response in one call. Answers how much of the content was taken, as `sendBody` does. */
export function respond(
  handle: u32,
  statusCode: u32,
  fieldsPtr: usize,
  fieldsLen: u32,
  bodyPtr: usize,
  bodyLen: u32,
  flags: u32,
): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(fieldsPtr, fieldsLen) || !isCommandMemory(bodyPtr, bodyLen))
    return hostError(Status.OUT_OF_BOUNDS);
  return h1Respond(exchange, statusCode, fieldsPtr, fieldsLen, bodyPtr, bodyLen, flags);
}

/**
 * Frames `len` bytes of content that the host writes to its socket itself: it polls what is to be sent, writes that, and then
 * the content, before any other call on the connection. WOULD_BLOCK, followed by WRITABLE, while it is not this exchange's turn.
 */
export function frameBody(handle: u32, len: f64): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!(len > 0 && len <= LENGTH_MAX)) return hostError(Status.INVALID_ARGUMENT);
  return h1FrameBody(exchange, <u64>len);
}

/** Sends trailers and ends the message. */
export function sendTrailers(handle: u32, fieldsPtr: usize, fieldsLen: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  return h1SendTrailers(exchange, fieldsPtr, fieldsLen);
}

/** The host wants content, and has consumed `consumed` further bytes of what it was told. */
export function readBody(handle: u32, consumed: u32, now: f64): i32 {
  const exchange = open(handle);
  if (exchange == null) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  return h1ReadBody(exchange, consumed);
}

/**
 * The host holds the exchange no longer: it is freed as soon as it is complete. The handle is stale from here on. An
 * exchange that the host leaves incomplete (a request without its answer; as a client, a response that is not there yet) is
 * reset, which in HTTP/1.1 ends its connection: CLOSE with ABORT follows.
 */
export function releaseExchange(handle: u32): i32 {
  const ptr = exchangeOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const exchange = changetype<Exchange>(ptr);
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) return hostError(Status.INVALID_HANDLE);
  if (exchange.connection == 0) exchangeDestroy(exchange);
  else h1Release(exchange);
  return Status.OK;
}

/** An exchange that can still be acted on: live, not released, its connection there. */
// @ts-ignore: decorator
@inline
function open(handle: u32): Exchange | null {
  const ptr = exchangeOf(handle);
  if (ptr == 0) return null;
  const exchange = changetype<Exchange>(ptr);
  return exchange.connection == 0 || hasFlag(exchange, ExchangeFlag.RELEASED) ? null : exchange;
}

function isLength(length: f64): bool {
  return length >= -1 && length <= LENGTH_MAX && length == floor(length);
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
