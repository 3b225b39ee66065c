/**
 * The connection IDs that the peer has issued: which path sends to which of them, which are spare, and which are given up.
 * RFC 9000 §5.1, §9.5, §10.3, §19.15.
 *
 *              received             taken by a path
 *     (free) ───────────▶ SPARE ─────────────────────▶ USED by one path
 *        ▲                  │     Retire Prior To       │   or the path is left
 *        └──────────────────┴──── RETIRE_CONNECTION_ID ─┘   (retired_ids.ts)
 *
 * Number 0 is the destination of the handshake, which changes with a Retry and with the server's first packet. Every path has an
 * ID of its own, so that nobody can follow a connection from path to path. A peer whose IDs have no bytes has that one, on every
 * path.
 *
 * A stateless reset counts only against tokens of IDs in use, and all of those are compared, in constant time.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { equalConstantTime } from "../../core/constant_time.ts";
import { equalBytes } from "../../core/scan.ts";
import { ConnectionId, connectionIdIs, connectionIdSet } from "../wire/connection_id.ts";
import { RESET_TOKEN_BYTES } from "../wire/new_connection_id.ts";
import { RETIRED_IDS_BYTES, RetiredIds, retiredIdsAdd } from "./retired_ids.ts";

/** The active_connection_id_limit that this side declares. */
export const REMOTE_ID_COUNT: u32 = 4;

export const enum RemoteIdState {
  FREE = 0,
  SPARE = 1,
  USED = 2,
}

/**
 *   0          8              32      48      52     56         60    64
 *   ┌──────────┬──────────────┬───────┬───────┬──────┬──────────┬─────┐
 *   │ sequence │ ConnectionId │ token │ state │ path │ hasToken │     │
 *   └──────────┴──────────────┴───────┴───────┴──────┴──────────┴─────┘
 */
@unmanaged
export class RemoteId {
  sequence: u64;
  id0: u64;
  id8: u64;
  id16: u64;
  token0: u64;
  token8: u64;
  /** RemoteIdState. */
  state: u32;
  /** The caller's number of the path that uses the ID. */
  path: u32;
  /** The handshake's ID has a token only if the server gave one in its parameters. */
  hasToken: u32;
}

const REMOTE_ID_STRIDE: u32 = 64;
/** Numbers behind the highest that are remembered as received; honest peers do not reorder that far. */
const WINDOW: u64 = 64;

/** Its fields, then RetiredIds and REMOTE_ID_COUNT IDs. */
@unmanaged
export class RemoteIds {
  /** The highest number received so far. */
  highest: u64;
  /** Bit n: number `highest` - n was received. */
  received: u64;
  /** The highest Retire Prior To so far. */
  retirePriorTo: u64;
  /** The peer's IDs have no bytes. */
  isZeroLength: u32;
  /** The caller's number of the path that it sends on: first to get another ID when IDs are retired. */
  primaryPath: u32;
}

const RETIRED_AT: usize = (offsetof<RemoteIds>() + 7) & ~7;
const IDS_AT: usize = RETIRED_AT + RETIRED_IDS_BYTES;
export const REMOTE_IDS_BYTES: u32 = <u32>IDS_AT + REMOTE_ID_COUNT * REMOTE_ID_STRIDE;

/** The connection begins with [ptr, ptr + len), len ≤ 20, as number 0, used by `path`. */
export function remoteIdsOpen(ids: RemoteIds, ptr: usize, len: u32, path: u32): void {
  memory.fill(changetype<usize>(ids), 0, REMOTE_IDS_BYTES);
  ids.received = 1;
  const id = remoteIdAt(ids, 0);
  id.state = RemoteIdState.USED;
  id.path = path;
  ids.primaryPath = path;
  remoteIdsReplaceInitial(ids, ptr, len);
}

/** RFC 9000 §7.2: a Retry, and the server's first packet, change the destination that a client has made up. */
export function remoteIdsReplaceInitial(ids: RemoteIds, ptr: usize, len: u32): void {
  const id = remoteIdAt(ids, 0);
  assert(id.state == RemoteIdState.USED && id.sequence == 0, "the handshake is over");
  connectionIdSet(remoteIdOf(id), ptr, len);
  ids.isZeroLength = u32(len == 0);
}

/** The stateless_reset_token of the server's parameters, which belongs to number 0. */
export function remoteIdsSetInitialToken(ids: RemoteIds, token: usize): void {
  const id = findSequence(ids, 0);
  if (id != 0) setToken(changetype<RemoteId>(id), token);
}

/** The ID of the server's preferred_address, RFC 9000 §5.1.1: number 1, which no frame brings. */
export function remoteIdsAddPreferred(ids: RemoteIds, ptr: usize, len: u32, token: usize): i32 {
  return remoteIdsOnNew(ids, 1, 0, ptr, len, token);
}

/**
 * NEW_CONNECTION_ID, RFC 9000 §19.15, as `readNewConnectionId` found it: 1 ≤ len ≤ 20. Paths that lost their ID have got another
 * one when this answers OK, as far as there are any.
 */
export function remoteIdsOnNew(
  ids: RemoteIds,
  sequence: u64,
  retirePriorTo: u64,
  ptr: usize,
  len: u32,
  token: usize,
): i32 {
  // MUST be a PROTOCOL_VIOLATION.
  if (ids.isZeroLength != 0) return QuicStatus.CONNECTION_ID_UNEXPECTED;
  // MUST be a FRAME_ENCODING_ERROR. The frame's reader has seen to it; this room does not rely on that.
  if (retirePriorTo > sequence) return QuicStatus.RETIRE_PRIOR_TO;
  const conflict = conflictOf(ids, sequence, ptr, len, token);
  if (conflict != Status.OK) return conflict;
  const isNew = markReceived(ids, sequence);
  orphanCount = 0;
  // §5.1.2: retired before the new one is added.
  if (retirePriorTo > ids.retirePriorTo) {
    ids.retirePriorTo = retirePriorTo;
    if (!retireBelow(ids, retirePriorTo)) return QuicStatus.CONNECTION_ID_BACKLOG;
  }
  if (isNew) {
    if (sequence < ids.retirePriorTo) {
      // It was overtaken by the frame that retires it, and MUST be retired at once.
      if (!retiredIdsAdd(retiredIdsOf(ids), sequence)) return QuicStatus.CONNECTION_ID_BACKLOG;
    } else if (!add(ids, sequence, ptr, len, token)) {
      return QuicStatus.CONNECTION_ID_COUNT;
    }
  }
  return serveOrphans(ids) ? Status.OK : QuicStatus.CONNECTION_ID_NONE;
}

/** The ID that `path` sends to; 0 when it has none, and can send nothing. */
export function remoteIdOfPath(ids: RemoteIds, path: u32): usize {
  if (ids.isZeroLength != 0) return changetype<usize>(remoteIdAt(ids, 0));
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state == RemoteIdState.USED && id.path == path) return changetype<usize>(id);
  }
  return 0;
}

/** IDs that no path has used. */
export function remoteIdsSpare(ids: RemoteIds): u32 {
  let spare: u32 = 0;
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    if (remoteIdAt(ids, index).state == RemoteIdState.SPARE) spare++;
  }
  return spare;
}

/** Gives `path`, which has none, a fresh ID: the lowest number. False when there is none. */
export function remoteIdsTake(ids: RemoteIds, path: u32): bool {
  if (ids.isZeroLength != 0) return true;
  let lowest: usize = 0;
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state != RemoteIdState.SPARE) continue;
    if (lowest == 0 || id.sequence < changetype<RemoteId>(lowest).sequence) lowest = changetype<usize>(id);
  }
  if (lowest == 0) return false;
  changetype<RemoteId>(lowest).state = RemoteIdState.USED;
  changetype<RemoteId>(lowest).path = path;
  return true;
}

/**
 * Gives the ID of path `from` to path `to`: RFC 9000 §9.5 lets an endpoint go on with it when the peer's address has changed without
 * the peer's doing, and there is no other. False when `from` has none.
 */
export function remoteIdsHandOver(ids: RemoteIds, from: u32, to: u32): bool {
  const ptr = remoteIdOfPath(ids, from);
  if (ptr == 0) return false;
  if (ids.isZeroLength == 0) changetype<RemoteId>(ptr).path = to;
  return true;
}

/** `path` is left for good: its ID is retired. OK, or CONNECTION_ID_BACKLOG when the peer acknowledges nothing. */
export function remoteIdsRelease(ids: RemoteIds, path: u32): i32 {
  const found = remoteIdOfPath(ids, path);
  if (found == 0 || ids.isZeroLength != 0) return Status.OK;
  return retire(ids, changetype<RemoteId>(found)) ? Status.OK : QuicStatus.CONNECTION_ID_BACKLOG;
}

/** RFC 9000 §10.3.1: whether the 16 bytes at `token` are those of an ID in use. Takes as long whichever it is. */
export function remoteIdsHasToken(ids: RemoteIds, token: usize): bool {
  let isKnown: u32 = 0;
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    const counts = u32(id.state == RemoteIdState.USED) & id.hasToken;
    isKnown |= u32(equalConstantTime(tokenOf(id), token, RESET_TOKEN_BYTES)) & counts;
  }
  return isKnown != 0;
}

/** Those whose RETIRE_CONNECTION_ID is not acknowledged. */
// @ts-ignore: decorator
@inline
export function retiredIdsOf(ids: RemoteIds): RetiredIds {
  return changetype<RetiredIds>(changetype<usize>(ids) + RETIRED_AT);
}

/** The bytes of an ID, as a packet's header wants them. */
// @ts-ignore: decorator
@inline
export function remoteIdOf(id: RemoteId): ConnectionId {
  return changetype<ConnectionId>(changetype<usize>(id) + offsetof<RemoteId>("id0"));
}

// @ts-ignore: decorator
@inline
function remoteIdAt(ids: RemoteIds, index: u32): RemoteId {
  return changetype<RemoteId>(changetype<usize>(ids) + IDS_AT + index * REMOTE_ID_STRIDE);
}

// @ts-ignore: decorator
@inline
function tokenOf(id: RemoteId): usize {
  return changetype<usize>(id) + offsetof<RemoteId>("token0");
}

function setToken(id: RemoteId, token: usize): void {
  memory.copy(tokenOf(id), token, RESET_TOKEN_BYTES);
  id.hasToken = 1;
}

/** A number, an ID and a token belong together for good; anything else MAY be a PROTOCOL_VIOLATION. */
function conflictOf(ids: RemoteIds, sequence: u64, ptr: usize, len: u32, token: usize): i32 {
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state == RemoteIdState.FREE) continue;
    const isSame = connectionIdIs(remoteIdOf(id), ptr, len);
    if (isSame != (id.sequence == sequence)) return QuicStatus.CONNECTION_ID_CONFLICT;
    if (!isSame || id.hasToken == 0) continue;
    if (!equalBytes(tokenOf(id), token, RESET_TOKEN_BYTES)) return QuicStatus.CONNECTION_ID_CONFLICT;
  }
  return Status.OK;
}

/** False when the number has come before, or lies so far back that it must have. */
function markReceived(ids: RemoteIds, sequence: u64): bool {
  if (sequence > ids.highest) {
    const ahead = sequence - ids.highest;
    ids.received = ahead < WINDOW ? (ids.received << ahead) | 1 : 1;
    ids.highest = sequence;
    return true;
  }
  const behind = ids.highest - sequence;
  if (behind >= WINDOW) return false;
  const bit = (<u64>1) << behind;
  if ((ids.received & bit) != 0) return false;
  ids.received |= bit;
  return true;
}

function add(ids: RemoteIds, sequence: u64, ptr: usize, len: u32, token: usize): bool {
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state != RemoteIdState.FREE) continue;
    id.sequence = sequence;
    id.state = RemoteIdState.SPARE;
    connectionIdSet(remoteIdOf(id), ptr, len);
    setToken(id, token);
    return true;
  }
  return false;
}

/** Paths whose IDs the present frame has retired. */
const orphans: usize = memory.data(REMOTE_ID_COUNT * sizeof<u32>(), 4);
let orphanCount: u32 = 0;

/** Retires every ID below `sequence`. False when there is no room to remember that. */
function retireBelow(ids: RemoteIds, sequence: u64): bool {
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state == RemoteIdState.FREE || id.sequence >= sequence) continue;
    if (id.state == RemoteIdState.USED) store<u32>(orphans + (orphanCount++ << 2), id.path);
    if (!retire(ids, id)) return false;
  }
  return true;
}

/** False when a path lost its ID and no path has one now. */
function serveOrphans(ids: RemoteIds): bool {
  if (orphanCount == 0) return true;
  for (let index: u32 = 0; index < orphanCount; index++) {
    if (load<u32>(orphans + (index << 2)) == ids.primaryPath) remoteIdsTake(ids, ids.primaryPath);
  }
  for (let index: u32 = 0; index < orphanCount; index++) {
    const path = load<u32>(orphans + (index << 2));
    if (path != ids.primaryPath) remoteIdsTake(ids, path);
  }
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    if (remoteIdAt(ids, index).state == RemoteIdState.USED) return true;
  }
  return false;
}

function retire(ids: RemoteIds, id: RemoteId): bool {
  if (!retiredIdsAdd(retiredIdsOf(ids), id.sequence)) return false;
  id.state = RemoteIdState.FREE;
  return true;
}

/** The ID with this number; 0 when there is none, or no more. */
function findSequence(ids: RemoteIds, sequence: u64): usize {
  for (let index: u32 = 0; index < REMOTE_ID_COUNT; index++) {
    const id = remoteIdAt(ids, index);
    if (id.state != RemoteIdState.FREE && id.sequence == sequence) return changetype<usize>(id);
  }
  return 0;
}
