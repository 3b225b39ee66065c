/**
 * What the peer tells in SETTINGS, and what follows from it. RFC 9113 §6.5, RFC 8441 §3, RFC 9218 §2.1. What this side tells:
 * settings_output.ts.
 */
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { hpackEncoderLimit } from "../hpack/encoder.ts";
import { encoderOf, H2Connection, H2Flag } from "./connection.ts";
import { queueSettingsAck } from "./control_output.ts";
import { changeInitialWindow } from "./flow_control.ts";
import { FrameFlag } from "./frame.ts";
import { connectionError } from "./lifecycle.ts";
import { checkSettings, readSetting, Setting, SETTING_BYTES, settingId, settingValue } from "./settings.ts";

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
  else if (!queueSettingsAck(connection)) connectionError(connection, Status.H2_REPLY_FLOOD);
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
