/**
 * The paths of a connection, RFC 9000 §9: the one it sends on, the one it falls back to, and one that is probed.
 *
 * A peer's packet from another address opens a path; whether the connection moves there is decided by whoever reads the packet
 * (§9.2, §9.3). When it does, the path it leaves stays as the one to fall back to, if that was validated: an attacker who sends
 * on copies of packets from elsewhere must not be able to break a connection (§9.3.2). There are three slots and no more, so a
 * peer, or whoever claims many addresses, displaces only what is being probed. Slots are numbers that `remote_ids.ts` takes as the
 * names of paths; before a slot holds another path, its connection ID has to be released.
 */
import { Address, addressIs } from "./address.ts";
import { PATH_BYTES, Path, PathProof, pathOnResponse, pathOnTimeout, pathOpen, pathRemote } from "./path.ts";

const SLOT_COUNT: u32 = 3;
/** Where there is no path. */
export const NO_PATH: u32 = u32.MAX_VALUE;

/** Its fields, then SLOT_COUNT paths. */
@unmanaged
export class Paths {
  /** The slot that everything but probes is sent on. */
  current: u32;
  /** The last validated path before it, or NO_PATH. */
  fallback: u32;
}

const SLOTS_AT: usize = offsetof<Paths>();
export const PATHS_BYTES: u32 = <u32>SLOTS_AT + SLOT_COUNT * PATH_BYTES;

/** The connection's first path, in slot 0. */
export function pathsOpen(paths: Paths, remote: Address, local: u32, isValidated: bool): void {
  memory.fill(changetype<usize>(paths), 0, PATHS_BYTES);
  paths.fallback = NO_PATH;
  pathOpen(pathAt(paths, 0), remote, local, isValidated);
}

// @ts-ignore: decorator
@inline
export function pathAt(paths: Paths, slot: u32): Path {
  return changetype<Path>(changetype<usize>(paths) + SLOTS_AT + slot * PATH_BYTES);
}

// @ts-ignore: decorator
@inline
export function currentPath(paths: Paths): Path {
  return pathAt(paths, paths.current);
}

/** The slot of the path between `local` and `remote`; NO_PATH when there is none. */
export function pathsFind(paths: Paths, remote: Address, local: u32): u32 {
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    const path = pathAt(paths, slot);
    if (path.isOpen && path.local == local && addressIs(pathRemote(path), remote)) return slot;
  }
  return NO_PATH;
}

/** The slot that a new path would get: a free one, or else that of what is being probed, which has to be closed first. */
export function pathsSlot(paths: Paths): u32 {
  let probed: u32 = NO_PATH;
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    if (!pathAt(paths, slot).isOpen) return slot;
    if (slot != paths.current && slot != paths.fallback) probed = slot;
  }
  return probed;
}

/** Forgets a path that is not the current one. Its connection ID is the caller's to release. */
export function pathsClose(paths: Paths, slot: u32): void {
  assert(slot != paths.current, "the connection sends there");
  pathAt(paths, slot).isOpen = false;
  if (paths.fallback == slot) paths.fallback = NO_PATH;
}

/** Sends on `slot` from now on. The path before stays to fall back to, if it was validated. */
export function pathsMove(paths: Paths, slot: u32): void {
  const before = paths.current;
  if (slot == before) return;
  paths.current = slot;
  if (pathAt(paths, before).isValidated) paths.fallback = before;
  else if (paths.fallback == slot) paths.fallback = NO_PATH;
}

/**
 * The current path has failed: sends on the one before again, and closes the failed one. False when there is none: the connection
 * has no viable path.
 */
export function pathsFallBack(paths: Paths): bool {
  const slot = paths.fallback;
  if (slot == NO_PATH || !pathAt(paths, slot).isValidated) return false;
  const failed = paths.current;
  paths.current = slot;
  paths.fallback = NO_PATH;
  pathAt(paths, failed).isOpen = false;
  return true;
}

/** PATH_RESPONSE has come, by any path. Answers the slot whose challenge it answers, whose `PathProof` is in `pathProof`. */
export function pathsOnResponse(paths: Paths, data: u64, nowMs: f64): u32 {
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    const path = pathAt(paths, slot);
    if (!path.isOpen) continue;
    pathProof = pathOnResponse(path, data, nowMs);
    if (pathProof != PathProof.NONE) return slot;
  }
  return NO_PATH;
}

export let pathProof: PathProof = PathProof.NONE;

/** When `pathsOnTimeout` is due; Infinity when it is not. */
export function pathsDeadlineMs(paths: Paths): f64 {
  let earliestMs: f64 = Infinity;
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    const path = pathAt(paths, slot);
    if (path.isOpen) earliestMs = min(earliestMs, path.deadlineMs);
  }
  return earliestMs;
}

/**
 * Answers a slot whose validation has failed just now, to be closed or fallen back from; call again until it answers NO_PATH.
 */
export function pathsOnTimeout(paths: Paths, nowMs: f64): u32 {
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    const path = pathAt(paths, slot);
    if (path.isOpen && pathOnTimeout(path, nowMs)) return slot;
  }
  return NO_PATH;
}

/** A slot that owes a challenge, the current one first; NO_PATH when none does. */
export function pathsOwingChallenge(paths: Paths): u32 {
  if (currentPath(paths).owesChallenge) return paths.current;
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    if (pathAt(paths, slot).isOpen && pathAt(paths, slot).owesChallenge) return slot;
  }
  return NO_PATH;
}

/** A slot by which a response waits to be sent; NO_PATH when none does. */
export function pathsOwingResponse(paths: Paths): u32 {
  for (let slot: u32 = 0; slot < SLOT_COUNT; slot++) {
    if (pathAt(paths, slot).isOpen && pathAt(paths, slot).responseCount != 0) return slot;
  }
  return NO_PATH;
}
