/** From a complete frame to whoever handles its type. DATA is not among them: it is handled as it arrives. */
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { spendControl } from "./budget.ts";
import { H2Connection } from "./connection.ts";
import {
  receiveGoaway,
  receivePing,
  receivePriority,
  receivePriorityUpdate,
  receiveRstStream,
  receiveWindowUpdate,
} from "./control.ts";
import { frameFlags, frameStreamId, FrameType, frameType } from "./frame.ts";
import { connectionError } from "./lifecycle.ts";
import { receiveContinuation, receiveHeaders, receivePushPromise } from "./receive_headers.ts";
import { receiveSettings } from "./settings_exchange.ts";

/** Handles the frame whose header was read; its payload is [ptr, ptr + len). */
export function receiveFrame(connection: H2Connection, ptr: usize, len: u32): void {
  const streamId = frameStreamId;
  switch (frameType) {
    case FrameType.HEADERS:
      return receiveHeaders(connection, ptr, len, frameFlags, streamId);
    case FrameType.CONTINUATION:
      return receiveContinuation(connection, ptr, len, frameFlags, streamId);
    case FrameType.SETTINGS:
      return receiveSettings(connection, ptr, len, frameFlags, streamId);
    case FrameType.PING:
      return receivePing(connection, ptr, len, frameFlags, streamId);
    case FrameType.RST_STREAM:
      return receiveRstStream(connection, ptr, len, streamId);
    case FrameType.PUSH_PROMISE:
      // §8.4: a client cannot push.
      if (connection.role == Role.SERVER) return connectionError(connection, Status.H2_PUSH);
      return receivePushPromise(connection, ptr, len, frameFlags, streamId);
  }
  if (!spendControl(connection)) return connectionError(connection, Status.H2_CONTROL_FLOOD);
  switch (frameType) {
    case FrameType.WINDOW_UPDATE:
      return receiveWindowUpdate(connection, ptr, len, streamId);
    case FrameType.PRIORITY:
      return receivePriority(connection, ptr, len, streamId);
    case FrameType.PRIORITY_UPDATE:
      return receivePriorityUpdate(connection, ptr, len, streamId);
    case FrameType.GOAWAY:
      return receiveGoaway(connection, ptr, len, streamId);
  }
  // §5.5: a frame of an unknown type is ignored.
}
