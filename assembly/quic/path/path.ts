/**
 * One path between this side and an address of the peer, RFC 9000 §8 and §9: whether it is validated, how much may be sent on it
 * before it is, and the challenges under way in both directions.
 *
 *               pathValidate              three challenges unanswered
 *      IDLE ─────────────────▶ VALIDATING ───────────────────────────▶ FAILED
 *       ▲                      │        ▲                                │
 *       └──── PATH_RESPONSE ───┘        └────────── pathValidate ────────┘
 *
 * Being validated is a thing apart: a path that was is challenged again when the peer seems to have left it (§9.3.3), and stays
 * validated until that fails.
 *
 * Challenges go out once per period, each with data of its own (§8.2.1); a response counts whichever path it comes by (§8.2.3), so
 * ask every path. Responses are sent once, on the path that the challenge came by (§8.2.2); those that a flood of challenges
 * leaves over are dropped (CVE-2023-49295). Both frames want a datagram of 1200 bytes. A challenge that went in a smaller one, for
 * lack of budget, proves the address and not the size, and others follow (§8.2.1).
 *
 * Invariant: before validation no more than three times what was received is sent (§8.1), as long as the caller asks
 * `amplificationBudget` before every datagram and counts each.
 */
import { randomFill } from "../../crypto/drbg.ts";
import { INITIAL_RTT_MS } from "../recovery/rtt.ts";
import { ADDRESS_BYTES, Address } from "./address.ts";

/** RFC 9000 §8.1. */
const AMPLIFICATION_FACTOR: u64 = 3;
/** LIMITS: what a peer can have this side answer at a time. */
export const PATH_RESPONSES_MAX: u32 = 4;
/** One per period until the validation is given up. */
export const PATH_CHALLENGES_MAX: u32 = 3;
/** RFC 9000 §8.2.4: given up after three times the larger of the present PTO and that of a path without any sample. */
const ABANDON_PERIODS: f64 = 3;
/** RFC 9002 §6.2.2: SRTT + 4 × RTTVAR before the first sample. */
const INITIAL_PTO_MS: f64 = 3 * INITIAL_RTT_MS;

export const enum PathValidation {
  IDLE = 0,
  VALIDATING = 1,
  /** No response came. */
  FAILED = 2,
}

/** What a PATH_RESPONSE did. */
export const enum PathProof {
  /** It answers no challenge of this path that is still waited for. */
  NONE = 0,
  /** The address is proven; challenges go on until the size is too. */
  ADDRESS = 1,
  /** Address and size of 1200 bytes are proven. */
  COMPLETE = 2,
}

/**
 *   0        40            72             96       116     120     144
 *   ┌────────┬─────────────┬──────────────┬────────┬───────┬───────┐
 *   │ counts │ 4 responses │ 3 challenges │ remote │ local │ state │
 *   └────────┴─────────────┴──────────────┴────────┴───────┴───────┘
 */
@unmanaged
export class Path {
  /** Bytes of all datagrams that came from the address, and of those sent to it. */
  receivedBytes: u64;
  sentBytes: u64;
  /** When `pathOnTimeout` is due; Infinity when it is not. */
  deadlineMs: f64;
  /** When the validation under way is given up. */
  abandonAtMs: f64;
  /** Between two challenges. */
  periodMs: f64;
  response0: u64;
  response1: u64;
  response2: u64;
  response3: u64;
  challenge0: u64;
  challenge1: u64;
  challenge2: u64;
  /** An Address. */
  remote0: u32;
  remote4: u32;
  remote8: u32;
  remote12: u32;
  remote16: u32;
  /** Which socket of the host's the path begins at. */
  local: u32;
  /** PathValidation. */
  validation: u32;
  challengeCount: u32;
  /** Bit n: challenge n went in a datagram of 1200 bytes or more. */
  expanded: u32;
  responseCount: u32;
  isValidated: bool;
  /** A challenge is to be sent now. */
  owesChallenge: bool;
  /** Whether the slot of paths.ts that this is holds a path. */
  isOpen: bool;
}

export const PATH_BYTES: u32 = (<u32>offsetof<Path>() + 7) & ~7;

const RESPONSES: usize = offsetof<Path>("response0");
const CHALLENGES: usize = offsetof<Path>("challenge0");
const random: usize = memory.data(8, 8);

/** A path to `remote`. A client's to its server is validated from the start: only servers must be held back (RFC 9000 §8.1). */
export function pathOpen(path: Path, remote: Address, local: u32, isValidated: bool): void {
  memory.fill(changetype<usize>(path), 0, PATH_BYTES);
  memory.copy(changetype<usize>(pathRemote(path)), changetype<usize>(remote), ADDRESS_BYTES);
  path.local = local;
  path.isValidated = isValidated;
  path.isOpen = true;
  path.deadlineMs = Infinity;
}

/** The peer's address; as long-lived as the path. */
// @ts-ignore: decorator
@inline
export function pathRemote(path: Path): Address {
  return changetype<Address>(changetype<usize>(path) + offsetof<Path>("remote0"));
}

/** A datagram of `len` bytes came from the address, whatever was in it that belongs to this connection. */
// @ts-ignore: decorator
@inline
export function pathOnReceived(path: Path, len: u32): void {
  path.receivedBytes += len;
}

// @ts-ignore: decorator
@inline
export function pathOnSent(path: Path, len: u32): void {
  path.sentBytes += len;
}

/** Bytes that may be sent now, RFC 9000 §8.1; u32.MAX_VALUE when there is no bound. */
export function amplificationBudget(path: Path): u32 {
  if (path.isValidated) return u32.MAX_VALUE;
  // 2^64 bytes take centuries: none of these overflows.
  const most = path.receivedBytes * AMPLIFICATION_FACTOR;
  return most > path.sentBytes ? <u32>min<u64>(most - path.sentBytes, u32.MAX_VALUE) : 0;
}

/** The peer has shown that it receives here by other means: a Handshake packet, a token (RFC 9000 §8.1). */
export function pathSetValidated(path: Path): void {
  path.isValidated = true;
}

/** Begins a validation, or begins it anew. `ptoMs` is the connection's PTO. */
export function pathValidate(path: Path, ptoMs: f64, nowMs: f64): void {
  path.validation = PathValidation.VALIDATING;
  path.periodMs = max(ptoMs, INITIAL_PTO_MS);
  path.abandonAtMs = nowMs + ABANDON_PERIODS * path.periodMs;
  path.deadlineMs = path.abandonAtMs;
  path.challengeCount = 0;
  path.expanded = 0;
  path.owesChallenge = true;
}

/**
 * The data of the challenge that is owed, which goes into a packet now. `isExpanded`: that datagram will have 1200 bytes or more.
 */
export function pathTakeChallenge(path: Path, isExpanded: bool, nowMs: f64): u64 {
  randomFill(random, sizeof<u64>());
  const data = load<u64>(random);
  const index = path.challengeCount;
  assert(path.owesChallenge && index < PATH_CHALLENGES_MAX, "no challenge is owed");
  store<u64>(challengeAt(path, index), data);
  path.challengeCount = index + 1;
  if (isExpanded) path.expanded |= 1 << index;
  path.owesChallenge = false;
  path.deadlineMs = min(nowMs + path.periodMs, path.abandonAtMs);
  return data;
}

/** PATH_RESPONSE with this data has come, on whichever path. */
export function pathOnResponse(path: Path, data: u64, nowMs: f64): PathProof {
  if (path.validation != PathValidation.VALIDATING) return PathProof.NONE;
  for (let index: u32 = 0; index < path.challengeCount; index++) {
    if (load<u64>(challengeAt(path, index)) != data) continue;
    path.isValidated = true;
    if ((path.expanded & (1 << index)) != 0) {
      endValidation(path, PathValidation.IDLE);
      return PathProof.COMPLETE;
    }
    // The address holds: now there is budget for the size.
    pathValidate(path, path.periodMs, nowMs);
    return PathProof.ADDRESS;
  }
  return PathProof.NONE;
}

/**
 * What is due at `deadlineMs`: another challenge, or the end of a validation that nobody answered; then the path counts as
 * validated no more, and the answer is true.
 */
export function pathOnTimeout(path: Path, nowMs: f64): bool {
  if (nowMs < path.deadlineMs) return false;
  if (nowMs < path.abandonAtMs) {
    path.owesChallenge = path.challengeCount < PATH_CHALLENGES_MAX;
    path.deadlineMs = path.abandonAtMs;
    return false;
  }
  endValidation(path, PathValidation.FAILED);
  path.isValidated = false;
  return true;
}

/** PATH_CHALLENGE came by this path. False when it is dropped, for too many wait for their response. */
export function pathOnChallenge(path: Path, data: u64): bool {
  const count = path.responseCount;
  if (count >= PATH_RESPONSES_MAX) return false;
  store<u64>(responseAt(path, count), data);
  path.responseCount = count + 1;
  return true;
}

/** The data of the oldest response that waits, which goes into a packet now. There is one: `responseCount`. */
export function pathTakeResponse(path: Path): u64 {
  assert(path.responseCount != 0, "no response waits");
  const data = path.response0;
  const left = path.responseCount - 1;
  memory.copy(responseAt(path, 0), responseAt(path, 1), left * sizeof<u64>());
  path.responseCount = left;
  return data;
}

function endValidation(path: Path, validation: PathValidation): void {
  path.validation = validation;
  path.deadlineMs = Infinity;
  path.challengeCount = 0;
  path.owesChallenge = false;
}

// @ts-ignore: decorator
@inline
function challengeAt(path: Path, index: u32): usize {
  return changetype<usize>(path) + CHALLENGES + index * sizeof<u64>();
}

// @ts-ignore: decorator
@inline
function responseAt(path: Path, index: u32): usize {
  return changetype<usize>(path) + RESPONSES + index * sizeof<u64>();
}
