/**
 * What both sides tell each other in SETTINGS, and what follows from it. RFC 9113 §6.5, RFC 8441 §3, RFC 9218 §2.1.
 */
import { Limit } from "../abi/limit.ts";
import { OpenFlag, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { hpackEncoderLimit } from "../hpack/encoder.ts";
import { limitOf, limitU32 } from "../session/limits.ts";
import { encoderOf, H2Connection, H2Flag } from "./connection.ts";
import { commit, queueSettingsAck, queueWindowUpdate, reserve } from "./control_output.ts";
import { DeadlineKind, setDeadline } from "./deadlines.ts";
import { changeInitialWindow } from "./flow_control.ts";
import { FrameFlag, FrameType, FRAME_HEADER_BYTES, writeFrameHeader } from "./frame.ts";
import { connectionError } from "./lifecycle.ts";
import {
  checkSettings,
  INITIAL_WINDOW_DEFAULT,
  readSetting,
  Setting,
  SETTING_BYTES,
  settingId,
  settingValue,
  writeSetting,
} from "./settings.ts";

const SETTINGS_COUNT_MAX: u32 = 6;

/** Queues this side's settings and the credit that raises the connection's window to its start. */
export function queueSettings(connection: H2Connection): void {
  const dest = reserve(connection, FRAME_HEADER_BYTES + SETTINGS_COUNT_MAX * SETTING_BYTES);
  const payload = dest + FRAME_HEADER_BYTES;
  let at = payload;
  if (connection.role == Role.SERVER) {
    at = writeSetting(at, Setting.MAX_CONCURRENT_STREAMS, limitU32(Limit.STREAM_COUNT));
    if (connection.openFlags & OpenFlag.EXTENDED_CONNECT)
      at = writeSetting(at, Setting.ENABLE_CONNECT_PROTOCOL, 1);
    at = writeSetting(at, Setting.NO_RFC7540_PRIORITIES, 1);
  } else {
    const canPush = (connection.openFlags & OpenFlag.PUSH) != 0;
    at = writeSetting(at, Setting.ENABLE_PUSH, canPush ? 1 : 0);
    if (canPush) at = writeSetting(at, Setting.MAX_CONCURRENT_STREAMS, limitU32(Limit.PUSH_COUNT));
  }
  at = writeSetting(at, Setting.INITIAL_WINDOW_SIZE, connection.streamWindowTarget);
  at = writeSetting(at, Setting.MAX_HEADER_LIST_SIZE, limitU32(Limit.HEADER_LIST_BYTES));
  writeFrameHeader(dest, <u32>(at - payload), FrameType.SETTINGS, 0, 0);
  commit(connection, <u32>(at - dest));
  connection.settingsPending++;
  setDeadline(connection, DeadlineKind.SETTINGS, limitOf(Limit.SETTINGS_TIMEOUT_MS));
  const more = connection.windowTarget - INITIAL_WINDOW_DEFAULT;
  connection.recvWindow = connection.windowTarget;
  if (more != 0) queueWindowUpdate(connection, 0, more);
}

/** A SETTINGS frame arrived. */
export function receiveSettings(
  connection: H2Connection,
  ptr: usize,
  len: u32,
  flags: u32,
  streamId: u32,
): void {
  const status = checkSettings(len, flags, streamId);
  if (status != Status.OK) return connectionError(connection, status);
  if (flags & FrameFlag.ACK) {
    if (connection.settingsPending == 0) return;
    connection.settingsPending--;
    if (connection.settingsPending == 0) connection.settingsDeadlineMs = 0;
    return;
  }
  const applied = applySettings(connection, ptr, len);
  if (applied != Status.OK) connectionError(connection, applied);
  else queueSettingsAck(connection);
}

/** Applies entries in their order, §6.5.3. Status.OK, or why the connection ends. */
export function applySettings(connection: H2Connection, ptr: usize, len: u32): i32 {
  for (let at = ptr; at < ptr + len; at += SETTING_BYTES) {
    const status = readSetting(at);
    if (status != Status.OK) return status;
    switch (settingId) {
      case Setting.HEADER_TABLE_SIZE:
        hpackEncoderLimit(encoderOf(connection), settingValue);
        break;
      case Setting.ENABLE_PUSH:
        // §6.5.2: only a client may allow it.
        if (connection.role == Role.CLIENT && settingValue != 0) return Status.H2_SETTING;
        if (settingValue != 0) connection.h2Flags |= H2Flag.PUSH_ALLOWED;
        else connection.h2Flags &= ~H2Flag.PUSH_ALLOWED;
        break;
      case Setting.MAX_CONCURRENT_STREAMS:
        connection.remoteStreamCount = settingValue;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (!changeInitialWindow(connection, settingValue)) return Status.H2_WINDOW_OVERFLOW;
        break;
      case Setting.ENABLE_CONNECT_PROTOCOL:
        if (settingValue != 0) connection.h2Flags |= H2Flag.EXTENDED_CONNECT;
        break;
      case Setting.MAX_FRAME_SIZE:
        connection.remoteFrameSize = settingValue;
        break;
    }
  }
  return Status.OK;
}
