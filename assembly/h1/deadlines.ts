/** What happens when a deadline of an HTTP/1.1 connection passes. The deadlines are in session/deadline.ts. */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Limit } from "../abi/limit.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { ConnectionFlag } from "../session/connection.ts";
import { deadlineDue } from "../session/deadline.ts";
import { emitConnectionEvent } from "../session/events.ts";
import { Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitHit, limitOf } from "../session/limits.ts";
import { outputPending } from "../session/output.ts";
import { H1Connection } from "./connection.ts";
import { fail, h1Abort, h1Close } from "./lifecycle.ts";
import { beginBodyWindow } from "./reading.ts";
import { resume } from "./receive.ts";

const MS_PER_S: f64 = 1000;

/** The connection's timer node has expired. */
export function h1HandleTimeout(connection: H1Connection): void {
  if (connection.flags & ConnectionFlag.RESUME_OWED) resume(connection);
  const status = deadlineDue(connection);
  switch (status) {
    case Status.HEAD_TIMEOUT:
      limitHit(Limit.HEAD_TIMEOUT_MS);
      // Who has not sent a byte is not owed an answer.
      if (connection.headBegun) fail(connection, status);
      else h1Close(connection, status);
      break;
    case Status.BODY_TIMEOUT:
      handleBodyWindow(connection);
      break;
    case Status.IDLE_TIMEOUT:
      limitHit(Limit.IDLE_TIMEOUT_MS);
      h1Close(connection, status);
      break;
    case Status.WRITE_TIMEOUT:
      limitHit(Limit.WRITE_TIMEOUT_MS);
      h1Abort(connection, status);
      break;
    case Status.LINGER_TIMEOUT:
      // While the socket still writes, the write deadline decides; lingering begins anew once it is done.
      if (connection.flags & ConnectionFlag.TRANSMIT_BLOCKED) break;
      limitHit(Limit.LINGER_TIMEOUT_MS);
      h1Abort(connection, status);
      break;
  }
  if (outputPending(connection) != 0) {
    // Not told of a connection that was given up just now.
    emitConnectionEvent(EventKind.TRANSMIT, EventFlag.NONE, connection, 0);
  }
}

/** A window is over: the next one begins when enough arrived. */
function handleBodyWindow(connection: H1Connection): void {
  const least = (limitOf(Limit.BODY_RATE_BYTES_PER_S) * limitOf(Limit.BODY_WINDOW_MS)) / MS_PER_S;
  // A client whose request is still on its way has no answer to wait for.
  const sending = connection.role == Role.CLIENT && !isRequestSent(connection);
  if (sending || (connection.windowBytes != 0 && <f64>connection.windowBytes >= least)) {
    beginBodyWindow(connection);
    return;
  }
  limitHit(connection.windowBytes == 0 ? Limit.BODY_WINDOW_MS : Limit.BODY_RATE_BYTES_PER_S);
  fail(connection, Status.BODY_TIMEOUT);
}

function isRequestSent(connection: H1Connection): bool {
  const exchange = connection.receiving;
  return exchange == 0 || hasFlag(changetype<Exchange>(exchange), ExchangeFlag.SENT);
}
