/**
 * A connection that HTTP/1.1 hands over with its first request, RFC 7540 §3.2: 101, this side's settings, and the request as
 * stream 1, half-closed by the client. The client's preface follows.
 */
import { EventFlag, EventKind } from "../abi/event.ts";
import { FieldLane, Method, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { writeAscii } from "../http/ascii.ts";
import { Connection } from "../session/connection.ts";
import { clearReadDeadline } from "../session/deadline.ts";
import { emitExchangeEvent } from "../session/events.ts";
import { ExchangeFlag } from "../session/exchange.ts";
import {
  staysBehind,
  upgradeAuthorityLen,
  upgradeAuthorityPtr,
  upgradeHead,
  upgradeHeadLen,
  upgradeMethod,
  upgradeMethodLen,
  upgradeRecordCount,
  upgradeRecords,
  upgradeSettings,
  upgradeSettingsLen,
  upgradeTaken,
  upgradeTargetLen,
  upgradeTargetPtr,
} from "../session/upgrade.ts";
import { H2Connection } from "./connection.ts";
import { commit, reserve } from "./control_output.ts";
import { connectionError } from "./lifecycle.ts";
import { applySettings } from "./settings_exchange.ts";
import { beginUpgraded, replaceConnection } from "./start.ts";
import { H2Stream } from "./stream.ts";
import { StreamState } from "./stream_state.ts";
import { streamCreate } from "./streams.ts";

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
const SWITCHING: string = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";

/** Takes over a connection whose first request was offered. Answers its new address, 0 when the memory is full. */
export function h2TakeUpgrade(old: Connection): usize {
  upgradeTaken();
  const ptr = replaceConnection(old);
  if (ptr == 0) return 0;
  const connection = changetype<H2Connection>(ptr);
  const dest = reserve(connection, SWITCHING.length);
  commit(connection, writeAscii(dest, SWITCHING));
  beginUpgraded(connection);
  const status = applySettings(connection, upgradeSettings, upgradeSettingsLen);
  if (status != Status.OK) connectionError(connection, status);
  else if (!beginFirst(connection)) connectionError(connection, Status.MEMORY_FULL);
  return ptr;
}

function beginFirst(connection: H2Connection): bool {
  let count: u32 = 0;
  for (let i: u32 = 0; i < upgradeRecordCount; i++) {
    if (!staysBehind(upgradeRecords + i * RECORD_BYTES)) count++;
  }
  const ptr = streamCreate(connection, 1, StreamState.HALF_CLOSED_REMOTE, false, count, upgradeHeadLen);
  if (ptr == 0) return false;
  connection.lastRemoteId = 1;
  const stream = changetype<H2Stream>(ptr);
  memory.copy(stream.bytesPtr, upgradeHead, upgradeHeadLen);
  let dest = stream.fieldsPtr;
  for (let i: u32 = 0; i < upgradeRecordCount; i++) {
    const record = upgradeRecords + i * RECORD_BYTES;
    if (staysBehind(record)) continue;
    memory.copy(dest, record, RECORD_BYTES);
    dest += RECORD_BYTES;
  }
  const moved = stream.bytesPtr - upgradeHead;
  stream.methodPtr = stream.bytesPtr;
  stream.methodLen = upgradeMethodLen;
  stream.targetPtr = upgradeTargetPtr + moved;
  stream.targetLen = upgradeTargetLen;
  stream.authorityPtr = upgradeAuthorityPtr + moved;
  stream.authorityLen = upgradeAuthorityLen;
  stream.kind = upgradeMethod | (Version.HTTP_2 << 8);
  stream.flags |= ExchangeFlag.RECEIVED;
  if (upgradeMethod == Method.HEAD) stream.flags |= ExchangeFlag.HEAD_ONLY;
  clearReadDeadline(connection);
  emitExchangeEvent(EventKind.REQUEST, EventFlag.NONE, stream, <u32>ptr, 0);
  return true;
}
