/**
 * What this side tells in SETTINGS. RFC 9113 §6.5, RFC 8441 §3, RFC 9218 §2.1.
 */
import { Limit } from "../abi/limit.ts";
import { OpenFlag, Role } from "../abi/message.ts";
import { limitOf, limitU32 } from "../session/limits.ts";
import { H2Connection } from "./connection.ts";
import { commit, queueWindowUpdate, reserve } from "./control_output.ts";
import { DeadlineKind, setDeadline } from "./deadline_slots.ts";
import { FRAME_HEADER_BYTES, FrameType, writeFrameHeader } from "./frame.ts";
import { INITIAL_WINDOW_DEFAULT, Setting, SETTING_BYTES, writeSetting } from "./settings.ts";

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
