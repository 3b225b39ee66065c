/**
 * Moving between paths, RFC 9000 §9: a peer that comes from elsewhere, this side going elsewhere, and the probes of both. Which paths
 * there are, and how they are validated, is in path/; here connection IDs, recovery and MTU follow.
 */
import { EventFlag, EventKind } from "../../abi/event.ts";
import { Status } from "../../abi/status.ts";
import { nowMs } from "../../session/deadline.ts";
import { emitConnectionEvent } from "../../session/events.ts";
import { remoteIdOfPath, remoteIdsHandOver, remoteIdsRelease, remoteIdsTake } from "../ids/remote_ids.ts";
import { Address, addressHostIs } from "../path/address.ts";
import {
  amplificationBudget,
  Path,
  pathOnChallenge,
  pathOnReceived,
  pathOnSent,
  pathOpen,
  PathProof,
  pathRemote,
  pathTakeChallenge,
  pathTakeResponse,
  pathValidate,
} from "../path/path.ts";
import {
  NO_PATH,
  pathAt,
  pathProof,
  pathsClose,
  pathsFallBack,
  pathsFind,
  pathsMove,
  pathsOnResponse,
  pathsOnTimeout,
  pathsOwingChallenge,
  pathsOwingResponse,
  pathsSlot,
} from "../path/paths.ts";
import { recoveryOnPathChange } from "../recovery/recovery.ts";
import { rttOf } from "../recovery/recovery_state.ts";
import { probeTimeoutMs } from "../recovery/rtt.ts";
import { INITIAL_DATAGRAM_BYTES_MIN } from "../wire/datagram.ts";
import { FrameType } from "../wire/frame_type.ts";
import { PacketType } from "../wire/packet_type.ts";
import { writePathChallenge } from "../wire/path_challenge.ts";
import { writePathResponse } from "../wire/path_response.ts";
import { sentFrameAdd } from "../wire/sent_frame.ts";
import {
  hasBit,
  isServer,
  mtuOf,
  oneRttOf,
  pathOf,
  pathsOf,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
} from "./connection.ts";
import { parametersPreferred, pathMtuOpen } from "./parameters.ts";
import { datagramBegin, frames, packetBegin, packetEnd, packetsSeal, records } from "./send_packet.ts";

/** The slot of the path that the datagram came by; NO_PATH when it is a new one. */
let arrivedSlot: u32 = NO_PATH;
let arrivedAddress: usize = 0;
let arrivedLocal: u32 = 0;
let arrivedLen: u32 = 0;

/** A datagram came from `address`: counts it for the path's budget. */
export function pathArrive(connection: QuicConnection, address: Address, local: u32, len: u32): void {
  const paths = pathsOf(connection);
  arrivedAddress = changetype<usize>(address);
  arrivedLocal = local;
  arrivedLen = len;
  arrivedSlot = pathsFind(paths, address, local);
  if (arrivedSlot != NO_PATH) pathOnReceived(pathAt(paths, arrivedSlot), len);
}

/**
 * A 1-RTT packet of that datagram was genuine. One from elsewhere opens a path, and, unless it only probes or was overtaken, moves
 * the connection there (§9.3). A client's peer does not move (§9); what comes from elsewhere is ignored, and answers false.
 */
export function pathFollow(connection: QuicConnection, isNewest: bool, isProbing: bool): bool {
  const paths = pathsOf(connection);
  if (arrivedSlot == paths.current) return true;
  if (arrivedSlot == NO_PATH) {
    if (!isServer(connection) || !hasBit(connection, QuicFlag.CONFIRMED)) return false;
    arrivedSlot = open(connection, changetype<Address>(arrivedAddress), arrivedLocal, isNewest && !isProbing);
    if (arrivedSlot == NO_PATH) return false;
    pathOnReceived(pathAt(paths, arrivedSlot), arrivedLen);
  }
  if (!isServer(connection) || isProbing || !isNewest) return true;
  const previous = paths.current;
  move(connection, arrivedSlot);
  // §9.3.3: whoever sends copies from elsewhere must not be able to move it for long: the old path is asked too.
  const old = pathAt(paths, previous);
  if (old.isOpen && old.isValidated) pathValidate(old, ptoMs(connection), nowMs);
  return true;
}

function ptoMs(connection: QuicConnection): f64 {
  return probeTimeoutMs(rttOf(recoveryOf(connection)));
}

/**
 * A path to `address` in a slot of its own, with a connection ID of its own, to be validated. NO_PATH when there is no ID; `mayHandOver`: the
 * current path's will do, for the peer has left it.
 */
function open(connection: QuicConnection, address: Address, local: u32, mayHandOver: bool): u32 {
  const paths = pathsOf(connection);
  const ids = remoteIdsOf(connection);
  const slot = pathsSlot(paths);
  leave(connection, slot);
  if (!remoteIdsTake(ids, slot) && !(mayHandOver && remoteIdsHandOver(ids, paths.current, slot)))
    return NO_PATH;
  const path = pathAt(paths, slot);
  pathOpen(path, address, local, false);
  pathValidate(path, ptoMs(connection), nowMs);
  return slot;
}

/** Forgets the path in a slot, if there is one, and retires its connection ID. */
function leave(connection: QuicConnection, slot: u32): void {
  const paths = pathsOf(connection);
  if (!pathAt(paths, slot).isOpen) return;
  if (remoteIdOfPath(remoteIdsOf(connection), slot) != 0) remoteIdsRelease(remoteIdsOf(connection), slot);
  pathsClose(paths, slot);
}

function move(connection: QuicConnection, slot: u32): void {
  const paths = pathsOf(connection);
  const from = pathRemote(pathOf(connection));
  const to = pathRemote(pathAt(paths, slot));
  // §9.4: another port of the same host is a NAT that forgot, and the path is the same.
  const isSameHost = addressHostIs(from, to);
  pathsMove(paths, slot);
  onPathChanged(connection, isSameHost);
  if (pathOf(connection).isValidated) tellPath(connection);
}

function onPathChanged(connection: QuicConnection, isSameHost: bool): void {
  remoteIdsOf(connection).primaryPath = pathsOf(connection).current;
  if (isSameHost) return;
  pathMtuOpen(connection);
  recoveryOnPathChange(recoveryOf(connection), mtuOf(connection).size, nowMs);
}

/** PATH_CHALLENGE in a packet of the datagram that arrived. */
export function onPathChallenge(connection: QuicConnection, data: u64): void {
  // A challenge by a path that is not known yet opens it: §9.2, a peer that probes before it moves.
  if (arrivedSlot == NO_PATH && !pathFollow(connection, false, true)) return;
  pathOnChallenge(pathAt(pathsOf(connection), arrivedSlot), data);
}

export function onPathResponse(connection: QuicConnection, data: u64): void {
  const paths = pathsOf(connection);
  const slot = pathsOnResponse(paths, data, nowMs);
  if (slot == NO_PATH || pathProof == PathProof.NONE) return;
  if (slot == paths.current) tellPath(connection);
  else if (!isServer(connection)) move(connection, slot);
}

/** The path that packets are sent on has been proven, or one that was is used from now on. */
function tellPath(connection: QuicConnection): void {
  const remote = pathRemote(pathOf(connection));
  emitConnectionEvent(EventKind.QUIC_PATH, EventFlag.NONE, connection, <u32>changetype<usize>(remote));
}

/** A client goes to another socket of its host's: the path from there is validated, then used. RFC 9000 §9.2. */
export function migrate(connection: QuicConnection, local: u32): i32 {
  const isReady = hasBit(connection, QuicFlag.CONFIRMED) && !isServer(connection);
  if (!isReady || hasBit(connection, QuicFlag.NO_MIGRATION)) return Status.INVALID_STATE;
  const remote = pathRemote(pathOf(connection));
  return open(connection, remote, local, false) == NO_PATH ? <i32>Status.WOULD_BLOCK : <i32>Status.OK;
}

/** A client whose handshake is confirmed goes where the server would rather have it, once that is proven. RFC 9000 §9.6.1. */
export function migrateToPreferred(connection: QuicConnection): void {
  const path = pathOf(connection);
  const address = parametersPreferred(connection, pathRemote(path));
  if (address != 0) open(connection, changetype<Address>(address), path.local, false);
}

/** Validations that nobody answered. */
export function pathsHandleTimeout(connection: QuicConnection): void {
  const paths = pathsOf(connection);
  for (let slot = pathsOnTimeout(paths, nowMs); slot != NO_PATH; slot = pathsOnTimeout(paths, nowMs)) {
    if (slot != paths.current) {
      leave(connection, slot);
      continue;
    }
    const failed = pathRemote(pathAt(paths, slot));
    const ids = remoteIdsOf(connection);
    if (!pathsFallBack(paths)) {
      // §8.2.4: nothing else is left, so it is asked again, until the idle timeout; unproven, it is still sent little.
      pathValidate(pathAt(paths, slot), ptoMs(connection), nowMs);
      continue;
    }
    if (remoteIdOfPath(ids, slot) != 0) remoteIdsRelease(ids, slot);
    onPathChanged(connection, addressHostIs(failed, pathRemote(pathOf(connection))));
  }
}

/** The slot by which `pathsSend` wants its datagram sent. */
export let pathsSentOn: u32 = 0;

/** A datagram with the challenge or the response that a path owes, of 1200 bytes where the budget allows (§8.2.1). 0: none. */
export function pathsSend(connection: QuicConnection, dest: usize, capacity: u32): u32 {
  if (connection.keys == 0 || !oneRttOf(connection).hasWrite) return 0;
  const paths = pathsOf(connection);
  let slot = pathsOwingResponse(paths);
  if (slot == NO_PATH) slot = pathsOwingChallenge(paths);
  if (slot == NO_PATH) return 0;
  const path: Path = pathAt(paths, slot);
  // §8.1 holds a server back; a client that goes elsewhere has to speak first.
  const budget: u32 = isServer(connection) ? amplificationBudget(path) : u32.MAX_VALUE;
  const size = min(min(capacity, INITIAL_DATAGRAM_BYTES_MIN), budget);
  datagramBegin(dest, size);
  if (!packetBegin(connection, PacketType.ONE_RTT, slot)) return 0;
  if (path.responseCount != 0) {
    sentFrameAdd(records, FrameType.PATH_RESPONSE, 0, 0, 0, 0);
    writePathResponse(frames, pathTakeResponse(path));
  }
  if (path.owesChallenge) {
    sentFrameAdd(records, FrameType.PATH_CHALLENGE, 0, 0, 0, 0);
    writePathChallenge(frames, pathTakeChallenge(path, size >= INITIAL_DATAGRAM_BYTES_MIN, nowMs));
  }
  if (!packetEnd()) return 0;
  const len = packetsSeal(connection, size, 0);
  pathOnSent(path, len);
  pathsSentOn = slot;
  return len;
}
