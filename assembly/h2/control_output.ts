/**
 * Frames that are sent without a host asking: they go to the connection's output, in front of all content (transmit.ts).
 * When there is no memory for one, the connection has no way on.
 */
import { Status } from "../abi/status.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { spendReply } from "./budget.ts";
import { h2Abort } from "./closing.ts";
import { H2Connection } from "./connection.ts";
import { GOAWAY_BYTES_MAX, writeGoaway } from "./goaway.ts";
import { PING_BYTES, writePing } from "./ping.ts";
import { RST_STREAM_BYTES, writeRstStream } from "./rst_stream.ts";
import { writeSettingsAck } from "./settings.ts";
import { WINDOW_UPDATE_BYTES, writeWindowUpdate } from "./window_update.ts";

/** Room for one frame; `commit` makes it output. */
// @ts-ignore: decorator
@inline
export function reserve(connection: H2Connection, len: u32): usize {
  return outputReserve(connection, connection.output, len);
}

export function commit(connection: H2Connection, len: u32): void {
  if (!outputCommit(len)) h2Abort(connection, Status.MEMORY_FULL);
}

export function queuePing(connection: H2Connection, data: u64): void {
  writePing(reserve(connection, PING_BYTES), data, false);
  commit(connection, PING_BYTES);
}

/** False when the peer has asked for more answers than it may. */
export function queuePingAck(connection: H2Connection, data: u64): bool {
  if (!spendReply(connection)) return false;
  writePing(reserve(connection, PING_BYTES), data, true);
  commit(connection, PING_BYTES);
  return true;
}

/** False when the peer has asked for more answers than it may. */
export function queueSettingsAck(connection: H2Connection): bool {
  if (!spendReply(connection)) return false;
  const dest = reserve(connection, PING_BYTES);
  commit(connection, <u32>(writeSettingsAck(dest) - dest));
  return true;
}

export function queueWindowUpdate(connection: H2Connection, streamId: u32, increment: u32): void {
  writeWindowUpdate(reserve(connection, WINDOW_UPDATE_BYTES), streamId, increment);
  commit(connection, WINDOW_UPDATE_BYTES);
}

export function queueGoaway(connection: H2Connection, lastStreamId: u32, code: u32, text: string): void {
  const dest = reserve(connection, GOAWAY_BYTES_MAX);
  commit(connection, <u32>(writeGoaway(dest, lastStreamId, code, text) - dest));
}

export function queueRstStream(connection: H2Connection, streamId: u32, code: u32): void {
  writeRstStream(reserve(connection, RST_STREAM_BYTES), streamId, code);
  commit(connection, RST_STREAM_BYTES);
}
