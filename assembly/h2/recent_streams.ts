/**
 * How streams were closed of which nothing else is left.
 *
 * RFC 9113 §5.1 answers a late frame by how its stream was closed, and §5.1.1 refuses identifiers that were passed over.
 * The last RECENT_COUNT closed streams are remembered; of older ones it is only known that they are older, and late
 * frames on them are dropped, since ending a connection for a stream that may have been reset would be wrong.
 *
 *     recent   +-----------------------------+----------------------------+
 *              | identifier, u32 × the count | StreamState, u8 × the count |
 *              +-----------------------------+----------------------------+
 */
import { Role } from "../abi/message.ts";
import { H2Connection, RECENT_COUNT, recentOf } from "./connection.ts";
import { StreamState } from "./stream_state.ts";

const STATES_OFFSET: u32 = RECENT_COUNT * sizeof<u32>();

/** Remembers a stream that closes in `state`; a state remembered before is replaced. */
export function rememberClosed(connection: H2Connection, streamId: u32, state: u32): void {
  const recent = recentOf(connection);
  let index = indexOf(recent, streamId);
  if (index < 0) {
    index = <i32>(connection.recentNext++ % RECENT_COUNT);
    const old = load<u32>(recent + index * sizeof<u32>());
    if (old > connection.forgottenId) connection.forgottenId = old;
    store<u32>(recent + index * sizeof<u32>(), streamId);
  }
  store<u8>(recent + STATES_OFFSET + index, <u8>state);
}

/** The state of a stream that is not in the table: closed in one way or another, or IDLE. */
export function absentState(connection: H2Connection, streamId: u32): u32 {
  if (isRemoteId(connection, streamId)) {
    if (streamId > connection.lastRemoteId) return StreamState.IDLE;
  } else if (streamId >= connection.nextLocalId) {
    return StreamState.IDLE;
  }
  return closedState(connection, streamId);
}

/** RFC 9113 §5.1.1: clients begin streams with odd identifiers, servers with even ones. */
export function isRemoteId(connection: H2Connection, streamId: u32): bool {
  return ((streamId & 1) != 0) == (connection.role == Role.SERVER);
}

/** The state of a stream that was opened or passed over; IDLE for the latter. */
function closedState(connection: H2Connection, streamId: u32): u32 {
  const recent = recentOf(connection);
  const index = indexOf(recent, streamId);
  if (index >= 0) return load<u8>(recent + STATES_OFFSET + index);
  return streamId <= connection.forgottenId ? StreamState.RESET_LOCAL : StreamState.IDLE;
}

function indexOf(recent: usize, streamId: u32): i32 {
  for (let i: u32 = 0; i < RECENT_COUNT; i++) {
    if (load<u32>(recent + i * sizeof<u32>()) == streamId) return i;
  }
  return -1;
}
