/**
 * How a connection begins to speak HTTP/2: ALPN, prior knowledge, or an upgrade. RFC 9113 §3.2, §3.3, §3.4; RFC 7540 §3.2 for
 * the upgrade, which RFC 9113 no longer describes and clients still use.
 *
 * A server's first frame is queued when the client's preface has arrived, so that it leaves with the first answers; only
 * an upgrade is answered before that.
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { Protocol, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { hpackDecoderInitialize } from "../hpack/decoder.ts";
import { hpackEncoderInitialize } from "../hpack/encoder.ts";
import { TABLE_SIZE_DEFAULT } from "../http/dynamic_table.ts";
import { preface, PREFACE_BYTES } from "../http/preface.ts";
import { Connection, connectionCreate, connectionReplace } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { setReadDeadline } from "../session/deadline.ts";
import { limitOf, limitU32 } from "../session/limits.ts";
import { budgetInitialize } from "./budget.ts";
import {
  decoderOf,
  encoderOf,
  H2_CONNECTION_BYTES,
  H2Connection,
  H2Flag,
  ReceiveState,
} from "./connection.ts";
import { commit, reserve } from "./control_output.ts";
import { DeadlineKind, setDeadline } from "./deadline_slots.ts";
import { creditConnection } from "./flow_control.ts";
import { FRAME_SIZE_DEFAULT } from "./frame.ts";
import { settle } from "./lifecycle.ts";
import { INITIAL_WINDOW_DEFAULT } from "./settings.ts";
import { queueSettings } from "./settings_output.ts";

/** The peer's limit of concurrent streams until it says one: §6.5.2 knows none, and recommends no less than 100. */
const REMOTE_STREAM_COUNT_FIRST: u32 = 100;

/** What of the connection's window is used before the preface of a client that upgraded. */
const UPGRADE_WINDOW_BYTES: u32 = 16384;

/** Opens a connection on a transport that has chosen HTTP/2. 0 when a pool is full. */
export function h2Open(role: Role, openFlags: u32): usize {
  const ptr = connectionCreate(H2_CONNECTION_BYTES, Protocol.HTTP_2, role, openFlags);
  if (ptr == 0) return 0;
  const connection = changetype<H2Connection>(ptr);
  initialize(connection);
  if (role == Role.SERVER) {
    setReadDeadline(connection, limitOf(Limit.HEAD_TIMEOUT_MS), Status.HEAD_TIMEOUT);
    return ptr;
  }
  memory.copy(reserve(connection, PREFACE_BYTES), preface, PREFACE_BYTES);
  commit(connection, PREFACE_BYTES);
  connection.receiveState = ReceiveState.FRAME;
  begin(connection);
  return ptr;
}

/** Takes over a connection whose first bytes were the preface. Answers its new address, 0 when the memory is full. */
export function h2TakeOver(connection: Connection): usize {
  const ptr = replaceConnection(connection);
  if (ptr != 0) prefaceReceived(changetype<H2Connection>(ptr));
  return ptr;
}

/** Puts an HTTP/2 connection in the place of one that has not sent anything. 0 when the memory is full. */
export function replaceConnection(connection: Connection): usize {
  const ptr = connectionReplace(connection, H2_CONNECTION_BYTES, Protocol.HTTP_2);
  if (ptr != 0) initialize(changetype<H2Connection>(ptr));
  return ptr;
}

/**
 * The server's preface of an upgraded connection, whose client sends its own later. Until that has come the connection uses some of
 * its window only: there are clients that keep what follows the 101 in a small buffer while they change over (curl before 8:
 * 32 KiB).
 */
export function beginUpgraded(connection: H2Connection): void {
  connection.sendWindow = UPGRADE_WINDOW_BYTES;
  begin(connection);
}

/** The client's preface has arrived; its SETTINGS follow. */
export function prefaceReceived(connection: H2Connection): void {
  connection.receiveState = ReceiveState.FRAME;
  if (connection.settingsPending == 0) begin(connection);
  else creditConnection(connection, INITIAL_WINDOW_DEFAULT - UPGRADE_WINDOW_BYTES);
}

function begin(connection: H2Connection): void {
  queueSettings(connection);
  setDeadline(connection, DeadlineKind.PING, limitOf(Limit.PING_INTERVAL_MS));
  settle(connection);
}

function initialize(connection: H2Connection): void {
  count(Counter.CONNECTIONS_H2);
  const isServer = connection.role == Role.SERVER;
  connection.nextLocalId = isServer ? 2 : 1;
  connection.remoteInitialWindow = INITIAL_WINDOW_DEFAULT;
  connection.remoteFrameSize = FRAME_SIZE_DEFAULT;
  connection.remoteStreamCount = REMOTE_STREAM_COUNT_FIRST;
  connection.sendWindow = INITIAL_WINDOW_DEFAULT;
  connection.recvWindow = INITIAL_WINDOW_DEFAULT;
  connection.windowTarget = limitU32(Limit.CONNECTION_WINDOW_BYTES);
  connection.streamWindowTarget = limitU32(Limit.STREAM_WINDOW_BYTES);
  // §6.5.2: a client that says nothing takes pushes.
  connection.h2Flags = isServer ? H2Flag.PUSH_ALLOWED : H2Flag.NONE;
  budgetInitialize(connection);
  hpackDecoderInitialize(decoderOf(connection), TABLE_SIZE_DEFAULT);
  hpackEncoderInitialize(encoderOf(connection));
}
