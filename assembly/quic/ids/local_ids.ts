/**
 * The connection IDs that this side has issued to its peer, RFC 9000 §5.1: which of them the peer may use, and which it still
 * has to be told of.
 *
 *                  issue               sent              acknowledged
 *      (free) ───────────────▶ OWED ─────────▶ SENT ───────────────▶ KNOWN
 *         ▲                      ▲    lost      │                      │
 *         │                      └──────────────┘                      │
 *         └────────────── RETIRE_CONNECTION_ID, from any ──────────────┘
 *
 * Number 0 is the ID of the handshake, number 1 the one of a preferred address where there is one; the peer knows both. The caller
 * makes IDs (id_generator.ts) and keeps the routes (route_table.ts):
 *
 *     while (localIdsMissing(ids, nowMs) > 0) { idGenerate(…); routeInsert(…); localIdsIssue(…); }
 *
 * The token of each ID follows from its bytes (token/reset_token.ts), so it is not kept. A peer that retires IDs without end
 * gets new ones at a limited rate.
 *
 * Invariant: never more IDs than the peer's active_connection_id_limit are in use.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { TokenBucket, bucketLevel, bucketOpen, bucketTake } from "../../core/token_bucket.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { LOCAL_ID_BYTES } from "./id_generator.ts";

/** IDs of one connection at a time: one in use, one to move to, and two on the way. */
export const LOCAL_ID_COUNT: u32 = 4;

export const enum LocalIdState {
  FREE = 0,
  /** NEW_CONNECTION_ID has to be sent, or sent again. */
  OWED = 1,
  SENT = 2,
  /** The peer has it. */
  KNOWN = 3,
}

/**
 *   0          8       16      20     24
 *   ┌──────────┬───────┬───────┬──────┐
 *   │ sequence │ bytes │ state │      │
 *   └──────────┴───────┴───────┴──────┘
 */
@unmanaged
export class LocalId {
  sequence: u64;
  /** The LOCAL_ID_BYTES bytes, in their order in memory. */
  bytes: u64;
  /** LocalIdState. */
  state: u32;
}

const LOCAL_ID_STRIDE: u32 = 24;

/** Its fields, then a TokenBucket and LOCAL_ID_COUNT IDs. */
@unmanaged
export class LocalIds {
  /** The number that the next ID gets. */
  nextSequence: u64;
  /** Numbers from here on have never left in a packet. */
  sentEnd: u64;
  /** IDs that may be active at a time: the peer's limit, and LOCAL_ID_COUNT. */
  countMost: u32;
  /** IDs that the peer did not retire. */
  count: u32;
  /** The Retire Prior To that the peer is told. */
  retirePriorTo: u64;
}

const BUCKET_AT: usize = offsetof<LocalIds>();
const IDS_AT: usize = BUCKET_AT + offsetof<TokenBucket>();
export const LOCAL_IDS_BYTES: u32 = <u32>IDS_AT + LOCAL_ID_COUNT * LOCAL_ID_STRIDE;

/** The LOCAL_ID_BYTES bytes of the ID that `localIdsOnRetire` took away: their route is the caller's to remove. */
export const retiredLocalId: usize = memory.data(LOCAL_ID_BYTES, 8);
/** Whether it took one away. */
export let isLocalIdRetired: bool = false;

/** The connection begins with the ID at `ptr` as number 0. Until the peer's limit is known there is no other. */
export function localIdsOpen(ids: LocalIds, ptr: usize, nowMs: f64): void {
  memory.fill(changetype<usize>(ids), 0, LOCAL_IDS_BYTES);
  bucketOpen(bucketOf(ids), limitOf(Limit.QUIC_ID_REISSUE_BURST), nowMs);
  ids.countMost = 1;
  add(ids, ptr, LocalIdState.KNOWN);
}

/** The ID that goes with a preferred address, RFC 9000 §5.1.1: number 1, before any other. The parameters tell the peer. */
export function localIdsAddPreferred(ids: LocalIds, ptr: usize): void {
  assert(ids.nextSequence == 1, "the preferred address has number 1");
  add(ids, ptr, LocalIdState.KNOWN);
}

/** Takes the peer's active_connection_id_limit, which is 2 or more. */
export function localIdsSetLimit(ids: LocalIds, activeConnectionIdLimit: u64): void {
  ids.countMost = <u32>min<u64>(activeConnectionIdLimit, LOCAL_ID_COUNT);
}

/** How many IDs may be issued now. */
export function localIdsMissing(ids: LocalIds, nowMs: f64): u32 {
  if (ids.count >= ids.countMost) return 0;
  const missing = ids.countMost - ids.count;
  return min(missing, bucketLevel(bucketOf(ids), burst(), perSecond(), nowMs));
}

/** Issues the ID at `ptr`. `localIdsMissing` has said that there is room. */
export function localIdsIssue(ids: LocalIds, ptr: usize, nowMs: f64): void {
  bucketTake(bucketOf(ids), burst(), perSecond(), nowMs);
  // Counted once per drought, not at every look.
  if (bucketLevel(bucketOf(ids), burst(), perSecond(), nowMs) == 0) limitHit(Limit.QUIC_ID_REISSUE_BURST);
  add(ids, ptr, LocalIdState.OWED);
}

/**
 * The peer is to retire every ID but the newest, RFC 9000 §5.1.2, of which it is told again; it gets others for those that it retires.
 * So the peer's limit is never passed. False when the peer has retired the newest itself.
 */
export function localIdsRetireOlder(ids: LocalIds): bool {
  const found = find(ids, ids.nextSequence - 1);
  if (found == 0) return false;
  ids.retirePriorTo = ids.nextSequence - 1;
  changetype<LocalId>(found).state = LocalIdState.OWED;
  return true;
}

/** The LocalId to write into NEW_CONNECTION_ID next, the lowest number first; 0 when none is owed. */
export function localIdsOwed(ids: LocalIds): usize {
  let owed: usize = 0;
  for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
    const id = localIdAt(ids, index);
    if (id.state != LocalIdState.OWED) continue;
    if (owed == 0 || id.sequence < changetype<LocalId>(owed).sequence) owed = changetype<usize>(id);
  }
  return owed;
}

/** NEW_CONNECTION_ID with this number was written into a packet. */
export function localIdsOnSent(ids: LocalIds, sequence: u64): void {
  ids.sentEnd = max(ids.sentEnd, sequence + 1);
  move(ids, sequence, LocalIdState.OWED, LocalIdState.SENT);
}

export function localIdsOnAcked(ids: LocalIds, sequence: u64): void {
  // One that was thought lost and is owed again may be acknowledged late.
  move(ids, sequence, LocalIdState.SENT, LocalIdState.KNOWN);
  move(ids, sequence, LocalIdState.OWED, LocalIdState.KNOWN);
}

export function localIdsOnLost(ids: LocalIds, sequence: u64): void {
  move(ids, sequence, LocalIdState.SENT, LocalIdState.OWED);
}

/**
 * RETIRE_CONNECTION_ID, RFC 9000 §19.16, in a packet whose destination was [ptr, ptr + len). OK, with what was taken away in
 * `retiredLocalId`; a repeated frame takes nothing.
 */
export function localIdsOnRetire(ids: LocalIds, sequence: u64, ptr: usize, len: u32): i32 {
  isLocalIdRetired = false;
  // A number greater than any sent MUST be a PROTOCOL_VIOLATION.
  if (sequence >= ids.sentEnd) return QuicStatus.CONNECTION_ID_UNSENT;
  const found = find(ids, sequence);
  if (found == 0) return Status.OK;
  const id = changetype<LocalId>(found);
  // It MUST NOT be the one that the packet came to, which MAY be a PROTOCOL_VIOLATION.
  if (len == LOCAL_ID_BYTES && load<u64>(ptr) == id.bytes) return QuicStatus.CONNECTION_ID_IN_USE;
  store<u64>(retiredLocalId, id.bytes);
  isLocalIdRetired = true;
  id.state = LocalIdState.FREE;
  ids.count--;
  return Status.OK;
}

/** The ID at `index` < LOCAL_ID_COUNT, whose state may be FREE: for whoever removes all routes of a connection. */
// @ts-ignore: decorator
@inline
export function localIdAt(ids: LocalIds, index: u32): LocalId {
  return changetype<LocalId>(changetype<usize>(ids) + IDS_AT + index * LOCAL_ID_STRIDE);
}

/** Address of the ID's LOCAL_ID_BYTES. */
// @ts-ignore: decorator
@inline
export function localIdBytes(id: LocalId): usize {
  return changetype<usize>(id) + offsetof<LocalId>("bytes");
}

/** The number of the ID [ptr, ptr + len), -1 when it is none that the peer may use. */
export function localIdsSequence(ids: LocalIds, ptr: usize, len: u32): i64 {
  if (len != LOCAL_ID_BYTES) return -1;
  for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
    const id = localIdAt(ids, index);
    if (id.state != LocalIdState.FREE && id.bytes == load<u64>(ptr)) return id.sequence;
  }
  return -1;
}

function add(ids: LocalIds, ptr: usize, state: LocalIdState): void {
  for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
    const id = localIdAt(ids, index);
    if (id.state != LocalIdState.FREE) continue;
    id.sequence = ids.nextSequence++;
    id.bytes = load<u64>(ptr);
    id.state = state;
    ids.count++;
    if (state == LocalIdState.KNOWN) ids.sentEnd = ids.nextSequence;
    return;
  }
  assert(false, "no ID was missing");
}

function find(ids: LocalIds, sequence: u64): usize {
  for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
    const id = localIdAt(ids, index);
    if (id.state != LocalIdState.FREE && id.sequence == sequence) return changetype<usize>(id);
  }
  return 0;
}

function move(ids: LocalIds, sequence: u64, from: LocalIdState, to: LocalIdState): void {
  const found = find(ids, sequence);
  if (found != 0 && changetype<LocalId>(found).state == from) changetype<LocalId>(found).state = to;
}

// @ts-ignore: decorator
@inline
function bucketOf(ids: LocalIds): TokenBucket {
  return changetype<TokenBucket>(changetype<usize>(ids) + BUCKET_AT);
}

// @ts-ignore: decorator
@inline
function burst(): f64 {
  return limitOf(Limit.QUIC_ID_REISSUE_BURST);
}

// @ts-ignore: decorator
@inline
function perSecond(): f64 {
  return limitOf(Limit.QUIC_ID_REISSUE_RATE_PER_S);
}
