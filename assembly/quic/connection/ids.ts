/**
 * The connection IDs of a connection and the routes that lead to it: who has issued which is local_ids.ts' and remote_ids.ts'
 * business; here IDs are made, routed, and told to the peer. RFC 9000 §5.1.
 */
import { Status } from "../../abi/status.ts";
import { Writer, writerRoom } from "../../core/writer.ts";
import { nowMs } from "../../session/deadline.ts";
import { LOCAL_ID_BYTES, idGenerate } from "../ids/id_generator.ts";
import {
  isLocalIdRetired,
  LOCAL_ID_COUNT,
  LocalId,
  localIdAt,
  localIdBytes,
  LocalIdState,
  localIdsIssue,
  localIdsMissing,
  localIdsOnAcked,
  localIdsOnLost,
  localIdsOnRetire,
  localIdsOnSent,
  localIdsOwed,
  retiredLocalId,
} from "../ids/local_ids.ts";
import { remoteIdsOnNew, retiredIdsOf } from "../ids/remote_ids.ts";
import {
  NO_SEQUENCE,
  retiredIdsOnAcked,
  retiredIdsOnLost,
  retiredIdsOwed,
  retiredIdsOnSent,
} from "../ids/retired_ids.ts";
import { RouteInsert, routeInsert, routeRemove } from "../ids/route_table.ts";
import { resetToken } from "../token/reset_token.ts";
import { FrameType } from "../wire/frame_type.ts";
import {
  newConnectionIdLen,
  newConnectionIdPtr,
  newConnectionIdRetirePriorTo,
  newConnectionIdSequence,
  newConnectionIdTokenPtr,
  RESET_TOKEN_BYTES,
  writeNewConnectionId,
} from "../wire/new_connection_id.ts";
import { packetDestinationLen, packetDestinationPtr } from "../wire/packet_header.ts";
import { retireConnectionIdSequence, writeRetireConnectionId } from "../wire/retire_connection_id.ts";
import { SentFrame, sentFrameAdd, SentFrameList } from "../wire/sent_frame.ts";
import { QuicConnection, localIdsOf, remoteIdsOf } from "./connection.ts";
import { idGenerator, resetKey, routes } from "./identity.ts";

/** Type, two numbers of up to eight bytes, a length, an ID and a token. */
const NEW_CONNECTION_ID_BYTES: u32 = 1 + 8 + 8 + 1 + LOCAL_ID_BYTES + RESET_TOKEN_BYTES;
const RETIRE_CONNECTION_ID_BYTES: u32 = 1 + 8;

const fresh: usize = memory.data(LOCAL_ID_BYTES, 8);
const token: usize = memory.data(RESET_TOKEN_BYTES, 8);

/** Makes an ID that leads to `handle` and answers its address; 0 when the table is full. Valid until the next call. */
export function makeId(handle: u32): usize {
  // One ID in 2^56 that exists already: another try each, and not for ever.
  for (let tries = 0; tries < 4; tries++) {
    idGenerate(idGenerator, fresh);
    const outcome = routeInsert(routes, fresh, LOCAL_ID_BYTES, handle);
    if (outcome == RouteInsert.ADDED) return fresh;
    if (outcome == RouteInsert.FULL) return 0;
  }
  return 0;
}

/** Issues as many IDs as the peer takes. */
export function issueIds(connection: QuicConnection): void {
  const ids = localIdsOf(connection);
  for (let missing = localIdsMissing(ids, nowMs); missing > 0; missing--) {
    const id = makeId(connection.handle);
    if (id == 0) return;
    localIdsIssue(ids, id, nowMs);
  }
}

/** The NEW_CONNECTION_ID frame that was read last. */
export function onNewConnectionId(connection: QuicConnection): i32 {
  return remoteIdsOnNew(
    remoteIdsOf(connection),
    newConnectionIdSequence,
    newConnectionIdRetirePriorTo,
    newConnectionIdPtr,
    newConnectionIdLen,
    newConnectionIdTokenPtr,
  );
}

/** The RETIRE_CONNECTION_ID frame that was read last, in the packet whose header was. */
export function onRetireConnectionId(connection: QuicConnection): i32 {
  const ids = localIdsOf(connection);
  const status = localIdsOnRetire(
    ids,
    retireConnectionIdSequence,
    packetDestinationPtr,
    packetDestinationLen,
  );
  if (status < 0) return status;
  if (isLocalIdRetired) routeRemove(routes, retiredLocalId, LOCAL_ID_BYTES);
  issueIds(connection);
  return Status.OK;
}

export function idsHaveFrames(connection: QuicConnection): bool {
  return (
    localIdsOwed(localIdsOf(connection)) != 0 ||
    retiredIdsOwed(retiredIdsOf(remoteIdsOf(connection))) != NO_SEQUENCE
  );
}

/** Writes what fits of the frames owed. */
export function idsWriteFrames(connection: QuicConnection, writer: Writer, list: SentFrameList): void {
  const ids = localIdsOf(connection);
  for (let ptr = localIdsOwed(ids); ptr != 0; ptr = localIdsOwed(ids)) {
    const id = changetype<LocalId>(ptr);
    if (writerRoom(writer) < NEW_CONNECTION_ID_BYTES) return;
    if (!sentFrameAdd(list, FrameType.NEW_CONNECTION_ID, 0, 0, id.sequence, 0)) return;
    resetToken(resetKey, localIdBytes(id), LOCAL_ID_BYTES, token);
    const prior = min(ids.retirePriorTo, id.sequence);
    writeNewConnectionId(writer, id.sequence, prior, localIdBytes(id), LOCAL_ID_BYTES, token);
    localIdsOnSent(ids, id.sequence);
  }
  const retired = retiredIdsOf(remoteIdsOf(connection));
  for (let sequence = retiredIdsOwed(retired); sequence != NO_SEQUENCE; sequence = retiredIdsOwed(retired)) {
    if (writerRoom(writer) < RETIRE_CONNECTION_ID_BYTES) return;
    if (!sentFrameAdd(list, FrameType.RETIRE_CONNECTION_ID, 0, 0, sequence, 0)) return;
    writeRetireConnectionId(writer, sequence);
    retiredIdsOnSent(retired, sequence);
  }
}

export function onIdFrameAcked(connection: QuicConnection, frame: SentFrame): void {
  if (<u32>frame.kind == FrameType.NEW_CONNECTION_ID) localIdsOnAcked(localIdsOf(connection), frame.offset);
  else retiredIdsOnAcked(retiredIdsOf(remoteIdsOf(connection)), frame.offset);
}

export function onIdFrameLost(connection: QuicConnection, frame: SentFrame): void {
  if (<u32>frame.kind == FrameType.NEW_CONNECTION_ID) localIdsOnLost(localIdsOf(connection), frame.offset);
  else retiredIdsOnLost(retiredIdsOf(remoteIdsOf(connection)), frame.offset);
}

/** Takes away every route to the connection. */
export function removeRoutes(connection: QuicConnection): void {
  const ids = localIdsOf(connection);
  for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
    const id = localIdAt(ids, index);
    if (id.state != LocalIdState.FREE) routeRemove(routes, localIdBytes(id), LOCAL_ID_BYTES);
  }
}
