/**
 * Doors of exchanges: the commands that answer a request (server role) or make one (client role).
 *
 * Pointers lie in the command or the pinned region. A command that answers a negative status has changed nothing, except
 * MEMORY_FULL within a content that was partly written: the host closes that connection.
 */
import { Counter } from "../abi/counter.ts";
import { Protocol, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { h1OpenExchange } from "../h1/client.ts";
import { H1Connection } from "../h1/connection.ts";
import {
  h1FrameBody,
  h1ReadBody,
  h1Respond,
  h1SendBody,
  h1SendHead,
  h1SendInformational,
  h1SendTrailers,
} from "../h1/send.ts";
import { isH2, isH3, protocolRelease } from "../engine/protocol.ts";
import { canExchange } from "../engine/quic.ts";
import { h2OpenExchange } from "../h2/client.ts";
import { H2Connection } from "../h2/connection.ts";
import { h2FrameBody } from "../h2/framed_content.ts";
import { h2Push } from "../h2/push.ts";
import {
  h2ReadBody,
  h2Respond,
  h2SendBody,
  h2SendHead,
  h2SendInformational,
  h2SendTrailers,
} from "../h2/send.ts";
import { h3OpenExchange } from "../h3/client.ts";
import {
  h3ReadBody,
  h3Respond,
  h3SendBody,
  h3SendHead,
  h3SendInformational,
  h3SendTrailers,
} from "../h3/send.ts";
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
  if (!canExchange(changetype<Connection>(ptr))) return hostError(Status.INVALID_STATE);
  const protocol = changetype<Connection>(ptr).protocol;
  if (protocol == Protocol.HTTP_3) {
    return h3OpenExchange(
      changetype<Connection>(ptr),
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
  if (protocol == Protocol.HTTP_2) {
    return h2OpenExchange(
      changetype<H2Connection>(ptr),
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
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (isH3(exchange)) return h3SendInformational(exchange, statusCode, fieldsPtr, fieldsLen);
  return isH2(exchange)
    ? h2SendInformational(exchange, statusCode, fieldsPtr, fieldsLen)
    : h1SendInformational(exchange, statusCode, fieldsPtr, fieldsLen);
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
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (!isLength(contentLength)) return hostError(Status.INVALID_ARGUMENT);
  if (isH3(exchange))
    return h3SendHead(exchange, statusCode, fieldsPtr, fieldsLen, <i64>contentLength, flags);
  return isH2(exchange)
    ? h2SendHead(exchange, statusCode, fieldsPtr, fieldsLen, <i64>contentLength, flags)
    : h1SendHead(exchange, statusCode, fieldsPtr, fieldsLen, <i64>contentLength, flags);
}

/**
 * Sends content. Answers how much of it was taken; after less than `len` the event WRITABLE says when to offer the rest.
 * With SendFlag.END the message is complete once all was taken.
 */
export function sendBody(handle: u32, bodyPtr: usize, bodyLen: u32, flags: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(bodyPtr, bodyLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (isH3(exchange)) return h3SendBody(exchange, bodyPtr, bodyLen, flags);
  return isH2(exchange)
    ? h2SendBody(exchange, bodyPtr, bodyLen, flags)
    : h1SendBody(exchange, bodyPtr, bodyLen, flags);
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
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(fieldsPtr, fieldsLen) || !isCommandMemory(bodyPtr, bodyLen))
    return hostError(Status.OUT_OF_BOUNDS);
  if (isH3(exchange)) return h3Respond(exchange, statusCode, fieldsPtr, fieldsLen, bodyPtr, bodyLen, flags);
  return isH2(exchange)
    ? h2Respond(exchange, statusCode, fieldsPtr, fieldsLen, bodyPtr, bodyLen, flags)
    : h1Respond(exchange, statusCode, fieldsPtr, fieldsLen, bodyPtr, bodyLen, flags);
}

/**
 * Frames content that the host writes to its socket itself, before any other call on the connection.
 *
 * HTTP/1.1: OK, for all of `len`. The host polls what is to be sent, writes that, and then the content. WOULD_BLOCK, followed by
 * WRITABLE, while it is not this exchange's turn.
 *
 * HTTP/2, after everything else was polled: how many bytes were framed. What is polled then falls into equal parts, each to be
 * followed by FRAMED_CONTENT_BYTES of the content, or what is left of it. INVALID_ARGUMENT while the content has to go through
 * `sendBody`: other streams have something to send, or the peer's window is closed.
 */
export function frameBody(handle: u32, len: f64): i32 {
  const exchange = open(handle);
  if (exchange == null) return notOpen(handle);
  if (!(len > 0 && len <= LENGTH_MAX)) return hostError(Status.INVALID_ARGUMENT);
  // Content of HTTP/3 is framed in packets: it goes through `sendBody`.
  if (isH3(exchange)) return Status.INVALID_ARGUMENT;
  return isH2(exchange) ? h2FrameBody(exchange, <u64>len) : h1FrameBody(exchange, <u64>len);
}

/** Sends trailers and ends the message. */
export function sendTrailers(handle: u32, fieldsPtr: usize, fieldsLen: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(fieldsPtr, fieldsLen)) return hostError(Status.OUT_OF_BOUNDS);
  if (isH3(exchange)) return h3SendTrailers(exchange, fieldsPtr, fieldsLen);
  return isH2(exchange)
    ? h2SendTrailers(exchange, fieldsPtr, fieldsLen)
    : h1SendTrailers(exchange, fieldsPtr, fieldsLen);
}

/** The host wants content, and has consumed `consumed` further bytes of what it was told. */
export function readBody(handle: u32, consumed: u32, now: f64): i32 {
  const exchange = open(handle);
  if (exchange == null) return notOpen(handle);
  setNow(now);
  if (isH3(exchange)) return h3ReadBody(exchange, consumed);
  return isH2(exchange) ? h2ReadBody(exchange, consumed) : h1ReadBody(exchange, consumed);
}

/**
 * Promises `GET path` to the client of an exchange that is not yet answered (RFC 9113 §8.4). Answers the promised exchange's
 * handle, for which REQUEST is told with MessageFlag.PUSHED, or 0 where the client takes no push or enough are under way.
 */
export function push(handle: u32, pathPtr: usize, pathLen: u32, fieldsPtr: usize, fieldsLen: u32): i32 {
  const exchange = open(handle);
  if (exchange == null) return notOpen(handle);
  if (!isCommandMemory(pathPtr, pathLen) || !isCommandMemory(fieldsPtr, fieldsLen))
    return hostError(Status.OUT_OF_BOUNDS);
  return isH2(exchange) ? h2Push(exchange, pathPtr, pathLen, fieldsPtr, fieldsLen) : 0;
}

/**
 * The host holds the exchange no longer: it is freed as soon as it is complete. The handle is stale from here on. An
 * exchange that the host leaves incomplete (a request without its answer; as a client, a response that is not there yet) is
 * reset, which in HTTP/1.1 ends its connection: CLOSE with ABORT follows. An exchange that was cut is to be released when
 * its handler has ended: until then it counts.
 */
export function releaseExchange(handle: u32): i32 {
  const ptr = exchangeOf(handle);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const exchange = changetype<Exchange>(ptr);
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) return hostError(Status.INVALID_HANDLE);
  if (exchange.connection == 0) exchangeDestroy(exchange);
  else protocolRelease(exchange);
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

/** Why `open` gave nothing. That the connection has gone the host hears only when it reads its events: until then it is not at fault. */
function notOpen(handle: u32): i32 {
  const ptr = exchangeOf(handle);
  const isCut = ptr != 0 && !hasFlag(changetype<Exchange>(ptr), ExchangeFlag.RELEASED);
  return isCut ? <i32>Status.INVALID_HANDLE : hostError(Status.INVALID_HANDLE);
}

function isLength(length: f64): bool {
  return length >= -1 && length <= LENGTH_MAX && length == floor(length);
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
