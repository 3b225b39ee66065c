/**
 * How exchanges and connections of HTTP/1.1 end. The choke point through which every end passes.
 *
 * An exchange is finished when its message was received and its answer sent; then the next one may send. A connection
 * closes when its last exchange is finished (persistence, drain, the peer's end), or when it failed: then the exchanges that
 * were complete are still answered, the error response comes after them, and only then is CLOSE told (RFC 9112 §9.6).
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Blame, blameOf, Status } from "../abi/status.ts";
import { byteQueueClear, byteQueueMove } from "../core/byte_queue.ts";
import { Connection, connectionDestroy, ConnectionFlag, ConnectionState } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { clearReadDeadline, clearWriteDeadline, setReadDeadline } from "../session/deadline.ts";
import { emitConnectionEvent, emitExchangeEvent } from "../session/events.ts";
import { Exchange, exchangeDestroy, exchangeDetach, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf, limitU32 } from "../session/limits.ts";
import { outputDrop, outputPending } from "../session/output.ts";
import { tunnelWritable } from "../session/tunnel.ts";
import { H1Connection, ReceiveState } from "./connection.ts";
import { writeErrorResponse } from "./error_response.ts";
import { inputRetire } from "./input.ts";
import { isInputHeld, updateReading } from "./reading.ts";

/** The message being received is complete. */
export function messageReceived(connection: H1Connection): void {
  const exchange = changetype<Exchange>(connection.receiving);
  connection.receiving = 0;
  exchange.flags |= ExchangeFlag.RECEIVED;
  clearReadDeadline(connection);
  connection.receiveState = nextReceiveState(connection, exchange);
  if (hasFlag(exchange, ExchangeFlag.SENT)) finish(exchange);
}

function nextReceiveState(connection: H1Connection, exchange: Exchange): u32 {
  if (hasFlag(exchange, ExchangeFlag.UNDECIDED)) return ReceiveState.HELD;
  if (hasFlag(exchange, ExchangeFlag.LAST) || connection.state != ConnectionState.OPEN)
    return ReceiveState.IGNORE;
  if (connection.openExchangeCount >= limitU32(Limit.PIPELINED_COUNT)) {
    // An exchange that is answered already ends with this call.
    if (!hasFlag(exchange, ExchangeFlag.SENT)) limitHit(Limit.PIPELINED_COUNT);
    return ReceiveState.HELD;
  }
  return ReceiveState.HEAD;
}

/**
 * The answer of an exchange (in the client role: the request) is written. True when that let input go on that was held back: who
 * is not reading already calls `resume` (receive.ts).
 */
export function messageSent(exchange: Exchange): bool {
  exchange.flags |= ExchangeFlag.SENT;
  const connection = changetype<H1Connection>(exchange.connection);
  if (hasFlag(exchange, ExchangeFlag.RECEIVED)) {
    return finish(exchange);
  }
  if (connection.role == Role.SERVER || hasFlag(exchange, ExchangeFlag.TUNNEL)) {
    // Nobody will read what is still to come.
    exchange.flags |= ExchangeFlag.DISCARD;
    exchange.unconsumedBytes = 0;
    if (hasFlag(exchange, ExchangeFlag.LAST)) abandonContent(connection);
    else updateReading(connection);
  }
  return false;
}

/** Gives up on the rest of the content being received; the connection closes after the exchange's answer. */
export function abandonContent(connection: H1Connection): void {
  const exchange = changetype<Exchange>(connection.receiving);
  connection.receiving = 0;
  connection.receiveState = ReceiveState.IGNORE;
  clearReadDeadline(connection);
  exchange.flags |= ExchangeFlag.RECEIVED | ExchangeFlag.LAST;
  updateReading(connection);
  if (hasFlag(exchange, ExchangeFlag.SENT)) finish(exchange);
}

/** Both directions are complete, and every exchange before this one is finished. True when input that was held back may go on. */
function finish(exchange: Exchange): bool {
  const connection = changetype<H1Connection>(exchange.connection);
  if (connection.firstExchange != changetype<usize>(exchange)) return false;
  let done = exchange;
  while (true) {
    const isLast = hasFlag(done, ExchangeFlag.LAST);
    exchangeDetach(done);
    if (hasFlag(done, ExchangeFlag.RELEASED)) exchangeDestroy(done);
    // Its answer said so: what comes after it, an error response too, would be read by nobody.
    if (isLast) {
      h1Close(connection, connection.endStatus);
      return false;
    }
    if (connection.firstExchange == 0) break;
    done = changetype<Exchange>(connection.firstExchange);
    byteQueueMove(connection.output, done.output);
    if (hasFlag(done, ExchangeFlag.WRITABLE_OWED)) tellWritable(done);
    if (!hasFlag(done, ExchangeFlag.SENT) || !hasFlag(done, ExchangeFlag.RECEIVED)) break;
  }
  settle(connection);
  if (connection.receiveState != ReceiveState.HELD || !mayReadOn(connection)) return false;
  connection.receiveState = ReceiveState.HEAD;
  return true;
}

/** What a connection does once none of its exchanges is open. */
function settle(connection: H1Connection): void {
  if (connection.firstExchange != 0) return;
  switch (connection.state) {
    case ConnectionState.FAILED:
      if (!connection.answerBegun && connection.role == Role.SERVER) {
        writeErrorResponse(connection, connection.endStatus);
      }
      h1Close(connection, connection.endStatus);
      break;
    case ConnectionState.DRAINING:
      h1Close(connection, Status.OK);
      break;
    case ConnectionState.OPEN:
      if (connection.flags & ConnectionFlag.PEER_ENDED) {
        if (!isInputHeld(connection)) h1Close(connection, Status.OK);
      } else if (!connection.headBegun) {
        setReadDeadline(connection, limitOf(Limit.IDLE_TIMEOUT_MS), Status.IDLE_TIMEOUT);
      }
      break;
  }
}

/** Whether the next message may be read: there is room for its exchange, and none asks for what follows it as a tunnel. */
export function mayReadOn(connection: H1Connection): bool {
  if (connection.state != ConnectionState.OPEN) return false;
  const newest = connection.lastExchange;
  if (newest == 0) return true;
  if (hasFlag(changetype<Exchange>(newest), ExchangeFlag.UNDECIDED)) return false;
  return connection.openExchangeCount < limitU32(Limit.PIPELINED_COUNT);
}

export function tellWritable(exchange: Exchange): void {
  exchange.flags &= ~ExchangeFlag.WRITABLE_OWED;
  if (exchange.tunnel != 0) return tunnelWritable(exchange);
  emitExchangeEvent(EventKind.WRITABLE, EventFlag.NONE, exchange, 0, 0);
}

/** The connection cannot go on: the peer broke the protocol or a deadline, or memory is full. */
export function fail(connection: H1Connection, status: i32): void {
  if (connection.state == ConnectionState.FAILED || connection.state == ConnectionState.LINGERING) return;
  connection.state = ConnectionState.FAILED;
  connection.endStatus = status;
  connection.receiveState = ReceiveState.IGNORE;
  inputRetire(connection);
  clearReadDeadline(connection);
  if (blameOf(status) == Blame.PEER) count(Counter.PEER_ERRORS);
  else if (status == Status.MEMORY_FULL) count(Counter.POOL_REFUSALS);
  if (connection.receiving != 0) {
    failReceiving(connection, changetype<Exchange>(connection.receiving), status);
  }
  updateReading(connection);
  settle(connection);
}

/** The exchange in whose message the error was. */
function failReceiving(connection: H1Connection, exchange: Exchange, status: i32): void {
  connection.receiving = 0;
  const isFirst = connection.firstExchange == changetype<usize>(exchange);
  if (hasFlag(exchange, ExchangeFlag.SENT) && connection.role == Role.SERVER) {
    // It was answered; only the rest of its content is wrong. The answer stays, whoever comes before it.
    connection.answerBegun = 1;
    exchange.flags |= ExchangeFlag.RECEIVED;
    finish(exchange);
    return;
  }
  // An answer that is half on its way cannot be taken back, nor completed.
  if (isFirst && hasFlag(exchange, ExchangeFlag.HEAD_SENT)) connection.answerBegun = 1;
  abortExchange(exchange, status);
}

/** Ends an exchange before its time. */
export function abortExchange(exchange: Exchange, status: i32): void {
  exchange.flags |= ExchangeFlag.ABORTED;
  byteQueueClear(exchange.output);
  emitExchangeEvent(EventKind.ABORTED, EventFlag.NONE, exchange, <u32>status, 0);
  exchangeDetach(exchange);
  if (hasFlag(exchange, ExchangeFlag.RELEASED)) exchangeDestroy(exchange);
}

/**
 * No further exchange: closes at once when none is open, after the last one otherwise. The exchanges that are open say so
 * in their answers where that is still possible.
 */
export function h1Drain(connection: H1Connection): void {
  if (connection.state != ConnectionState.OPEN) return;
  connection.state = ConnectionState.DRAINING;
  const newest = connection.lastExchange;
  const mayBecomeTunnel = newest != 0 && hasFlag(changetype<Exchange>(newest), ExchangeFlag.UNDECIDED);
  if (connection.receiving == 0 && !mayBecomeTunnel) {
    connection.receiveState = ReceiveState.IGNORE;
    inputRetire(connection);
    connection.headBegun = 0;
    clearReadDeadline(connection);
    updateReading(connection);
  }
  settle(connection);
}

/** Nothing more is read; CLOSE is told once the output has been polled. */
export function h1Close(connection: H1Connection, status: i32): void {
  if (connection.state == ConnectionState.LINGERING) return;
  connection.state = ConnectionState.LINGERING;
  connection.endStatus = status;
  connection.receiveState = ReceiveState.IGNORE;
  inputRetire(connection);
  clearReadDeadline(connection);
  abortExchanges(connection, status);
  updateReading(connection);
  if (outputPending(connection) == 0) h1TellClose(connection);
  else connection.flags |= ConnectionFlag.CLOSE_OWED;
}

/** The last output has been polled: the host may end its side. */
export function h1TellClose(connection: H1Connection): void {
  connection.flags &= ~ConnectionFlag.CLOSE_OWED;
  emitConnectionEvent(EventKind.CLOSE, EventFlag.NONE, connection, <u32>connection.endStatus);
  setReadDeadline(connection, limitOf(Limit.LINGER_TIMEOUT_MS), Status.LINGER_TIMEOUT);
}

/** The connection is not worth another byte. */
export function h1Abort(connection: H1Connection, status: i32): void {
  if (connection.flags & ConnectionFlag.ABORTED) return;
  connection.state = ConnectionState.LINGERING;
  connection.receiveState = ReceiveState.IGNORE;
  inputRetire(connection);
  clearReadDeadline(connection);
  clearWriteDeadline(connection);
  abortExchanges(connection, status);
  emitConnectionEvent(EventKind.CLOSE, EventFlag.ABORT, connection, <u32>status);
  connection.flags = (connection.flags | ConnectionFlag.ABORTED) & ~ConnectionFlag.CLOSE_OWED;
}

function abortExchanges(connection: H1Connection, status: i32): void {
  connection.receiving = 0;
  while (connection.firstExchange != 0) {
    abortExchange(changetype<Exchange>(connection.firstExchange), status);
  }
}

/**
 * The host holds the exchange no longer. When something of it is missing that only the host could have sent, or that a
 * client no longer wants, the connection has no way on.
 */
export function h1Release(exchange: Exchange): void {
  const connection = changetype<H1Connection>(exchange.connection);
  exchange.flags |= ExchangeFlag.RELEASED;
  const isWanted = connection.role == Role.CLIENT && !hasFlag(exchange, ExchangeFlag.RECEIVED);
  if (isWanted || !hasFlag(exchange, ExchangeFlag.SENT)) h1Abort(connection, Status.INVALID_STATE);
}

/**
 * The host's socket is gone: frees the connection. Its exchanges stay until the host releases them, as what they have
 * received may still be read; no event is told of them.
 */
export function h1Destroy(connection: H1Connection): void {
  while (connection.firstExchange != 0) {
    const exchange = changetype<Exchange>(connection.firstExchange);
    exchange.flags |= ExchangeFlag.ABORTED;
    exchangeDetach(exchange);
    if (hasFlag(exchange, ExchangeFlag.RELEASED)) exchangeDestroy(exchange);
  }
  inputRetire(connection);
  outputDrop(connection);
  connectionDestroy(changetype<Connection>(connection));
}
