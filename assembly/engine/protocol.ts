/**
 * From a door to the protocol that speaks on a connection. Connections of all protocols have the same doors; what each of them
 * means is decided in the protocols' rooms, and only here is it known which there are.
 *
 * A connection of HTTP/1.1 may become one of HTTP/2 while it receives (RFC 9113 §3.3): its handle stays, its address does not.
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { Protocol, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { H1Connection, ReceiveState } from "../h1/connection.ts";
import { h1HandleTimeout } from "../h1/deadlines.ts";
import { h1Abort, h1Destroy, h1Drain, h1Release, h1TellClose, tellWritable } from "../h1/lifecycle.ts";
import { h1Receive, h1ReceiveEnd } from "../h1/receive.ts";
import { h2Destroy } from "../h2/closing.ts";
import { H2Connection } from "../h2/connection.ts";
import { h2HandleTimeout } from "../h2/deadlines.ts";
import { h2Drain, h2Release } from "../h2/lifecycle.ts";
import { h2Receive, h2ReceiveEnd } from "../h2/receive.ts";
import { h2Open, h2TakeOver } from "../h2/start.ts";
import { h2Poll } from "../h2/transmit.ts";
import { h2TakeUpgrade } from "../h2/upgrade.ts";
import { h3Release } from "../h3/lifecycle.ts";
import { QuicConnection } from "../quic/connection/connection.ts";
import { Connection, connectionCreate, ConnectionFlag } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setReadDeadline } from "../session/deadline.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf, limitU32 } from "../session/limits.ts";
import { outputPending, outputPoll } from "../session/output.ts";
import { isUpgradeOffered } from "../session/upgrade.ts";
import { quicDrain, quicForget, quicTimeout } from "./quic.ts";

/** Opens a connection. Its address, 0 when a pool is full. */
export function protocolOpen(protocol: u32, role: u32, openFlags: u32): usize {
  if (protocol == Protocol.HTTP_2) return h2Open(role, openFlags);
  const ptr = connectionCreate(<u32>offsetof<H1Connection>(), Protocol.HTTP_1, role, openFlags);
  if (ptr == 0) return 0;
  count(Counter.CONNECTIONS_H1);
  if (role == Role.SERVER) {
    setReadDeadline(changetype<Connection>(ptr), limitOf(Limit.HEAD_TIMEOUT_MS), Status.HEAD_TIMEOUT);
  }
  return ptr;
}

/** Takes [ptr, ptr + len); answers how much of it was taken, or a status. */
export function protocolReceive(connection: Connection, ptr: usize, len: u32): i32 {
  if (isQuic(connection)) return Status.INVALID_STATE;
  if (connection.protocol == Protocol.HTTP_2)
    return h2Receive(changetype<H2Connection>(connection), ptr, len);
  const h1 = changetype<H1Connection>(connection);
  const taken = h1Receive(h1, ptr, len);
  if (h1.receiveState != ReceiveState.SWITCHED) return taken;
  const successor = isUpgradeOffered ? h2TakeUpgrade(connection) : h2TakeOver(connection);
  if (successor == 0) {
    h1Abort(h1, Status.MEMORY_FULL);
    return len;
  }
  return taken + h2Receive(changetype<H2Connection>(successor), ptr + taken, len - taken);
}

/** A connection of QUIC, whatever it carries: its bytes go by way of its endpoint. */
// @ts-ignore: decorator
@inline
export function isQuic(connection: Connection): bool {
  return connection.protocol >= <u32>Protocol.QUIC;
}

export function protocolReceiveEnd(connection: Connection): void {
  if (isQuic(connection)) return;
  if (connection.protocol == Protocol.HTTP_2) h2ReceiveEnd(changetype<H2Connection>(connection));
  else h1ReceiveEnd(changetype<H1Connection>(connection));
}

/** Leaves what is to be sent in the transmit region and answers its length. */
export function protocolPoll(connection: Connection): u32 {
  if (isQuic(connection)) return 0;
  if (connection.protocol == Protocol.HTTP_2) return h2Poll(changetype<H2Connection>(connection));
  const len = outputPoll(connection);
  const pending = outputPending(connection);
  if (pending == 0 && (connection.flags & ConnectionFlag.CLOSE_OWED) != 0) {
    h1TellClose(changetype<H1Connection>(connection));
  } else if (connection.firstExchange != 0 && pending <= limitU32(Limit.OUTPUT_BYTES) / 2) {
    const first = changetype<Exchange>(connection.firstExchange);
    if (hasFlag(first, ExchangeFlag.WRITABLE_OWED)) tellWritable(first);
  }
  return len;
}

export function protocolHandleTimeout(connection: Connection): void {
  if (isQuic(connection)) quicTimeout(changetype<QuicConnection>(connection));
  else if (connection.protocol == Protocol.HTTP_2) h2HandleTimeout(changetype<H2Connection>(connection));
  else h1HandleTimeout(changetype<H1Connection>(connection));
}

export function protocolDrain(connection: Connection): void {
  if (isQuic(connection)) quicDrain(changetype<QuicConnection>(connection));
  else if (connection.protocol == Protocol.HTTP_2) h2Drain(changetype<H2Connection>(connection));
  else h1Drain(changetype<H1Connection>(connection));
}

export function protocolDestroy(connection: Connection): void {
  if (isQuic(connection)) quicForget(changetype<QuicConnection>(connection));
  else if (connection.protocol == Protocol.HTTP_2) h2Destroy(changetype<H2Connection>(connection));
  else h1Destroy(changetype<H1Connection>(connection));
}

/** The host holds an exchange of an open connection no longer. */
export function protocolRelease(exchange: Exchange): void {
  if (isH3(exchange)) h3Release(exchange);
  else if (isH2(exchange)) h2Release(exchange);
  else h1Release(exchange);
}

// @ts-ignore: decorator
@inline
export function isH2(exchange: Exchange): bool {
  return changetype<Connection>(exchange.connection).protocol == Protocol.HTTP_2;
}

// @ts-ignore: decorator
@inline
export function isH3(exchange: Exchange): bool {
  return changetype<Connection>(exchange.connection).protocol == Protocol.HTTP_3;
}
