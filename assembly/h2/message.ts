/** The two moments of a message on a stream: received as a whole, sent as a whole. */
import { EventFlag, EventKind } from "../abi/event.ts";
import { Role } from "../abi/message.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { tunnelEnd } from "../session/tunnel.ts";
import { H2Connection } from "./connection.ts";
import { watchBody } from "./deadline_slots.ts";
import { updateWindows } from "./flow_control.ts";
import { releaseHeld } from "./held_content.ts";
import { finishStream } from "./lifecycle.ts";
import { H2Stream } from "./stream.ts";
import { isClosed, nextState, StreamInput } from "./stream_state.ts";

/** The peer's message is complete, by `input`. The host is told unless its last content said so. */
export function messageReceived(connection: H2Connection, stream: H2Stream, input: StreamInput): void {
  stream.state = nextState(stream.state, input);
  const isTunnel = stream.tunnel != 0;
  if (!isTunnel && !hasFlag(stream, ExchangeFlag.RECEIVED) && !hasFlag(stream, ExchangeFlag.DISCARD)) {
    emitExchangeEvent(EventKind.END, EventFlag.NONE, stream, 0, 0);
  }
  stream.flags |= ExchangeFlag.RECEIVED;
  if (isClosed(stream.state)) finishStream(connection, stream);
  else if (isTunnel) tunnelEnd(stream);
}

/** The host has said all of its message: in the server's role nobody will read what of the request is still to come. */
export function messageEnded(connection: H2Connection, stream: H2Stream): void {
  stream.isEndQueued = 1;
  if (hasFlag(stream, ExchangeFlag.RECEIVED) || connection.role == Role.CLIENT) return;
  if (hasFlag(stream, ExchangeFlag.TUNNEL) && !hasFlag(stream, ExchangeFlag.RELEASED)) return;
  stream.flags |= ExchangeFlag.DISCARD;
  releaseHeld(connection, stream);
  updateWindows(connection, stream);
}

/** The last frame of this side's message is output, by `input`. */
export function messageSent(connection: H2Connection, stream: H2Stream, input: StreamInput): void {
  stream.state = nextState(stream.state, input);
  stream.flags |= ExchangeFlag.SENT;
  stream.stalledSinceMs = 0;
  // A client waits for the answer from here.
  if (connection.role == Role.CLIENT) watchBody(connection, stream);
  if (isClosed(stream.state)) finishStream(connection, stream);
}
