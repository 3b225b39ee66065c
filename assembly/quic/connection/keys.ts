/**
 * The keys of a connection: installed as TLS makes them, dropped when their time is over (RFC 9001 §4.9), and updated (§6).
 *
 * 1-RTT keys are one block. The next keys to read with are derived before they are needed, so that a packet of a new phase costs
 * what one of the old costs (§6.3); the previous ones stay for packets that were overtaken.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { Suite, suiteHash } from "../../crypto/aead.ts";
import { hashLength } from "../../crypto/hash.ts";
import { nowMs } from "../../session/deadline.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { Direction } from "../../tls/handshake.ts";
import { Level } from "../../tls/handshake_state.ts";
import {
  PACKET_KEYS_BYTES,
  PacketKeys,
  packetKeysDerive,
  packetKeysExist,
  packetKeysForget,
  packetKeysUpdate,
  secretUpdate,
} from "../protection/packet_keys.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import {
  recoveryDiscardSpace,
  recoveryHasSpace,
  recoveryNextNumber,
  recoveryOnHandshakeKeys,
  recoveryOpenSpace,
} from "../recovery/recovery.ts";
import { rttOf, spaceOf } from "../recovery/recovery_state.ts";
import { probeTimeoutMs } from "../recovery/rtt.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isServer,
  oneRttOf,
  QuicConnection,
  QuicFlag,
  recoveryOf,
} from "./connection.ts";
import { HandshakeKeys, handshakeKeys, handshakeStateFree } from "./handshake_state.ts";
import { ONE_RTT_BYTES, READ_SECRET, ReadKey, readKeys, WRITE_SECRET, writeKeys } from "./one_rtt_keys.ts";

/** RFC 9001 §6.5: how long the previous keys are kept. */
const PREVIOUS_PTOS: f64 = 3;

/** Takes a secret of TLS. False when the memory is full. */
export function keysInstall(
  connection: QuicConnection,
  level: u32,
  direction: u32,
  suite: Suite,
  secret: usize,
): bool {
  const recovery = recoveryOf(connection);
  if (level == Level.HANDSHAKE) {
    const index = direction == Direction.READ ? HandshakeKeys.HANDSHAKE_READ : HandshakeKeys.HANDSHAKE_WRITE;
    packetKeysDerive(handshakeKeys(handshakeOf(connection), index), suite, connection.version, secret);
    if (!recoveryHasSpace(recovery, SpaceId.HANDSHAKE) && !recoveryOpenSpace(recovery, SpaceId.HANDSHAKE))
      return false;
    if (direction == Direction.WRITE) recoveryOnHandshakeKeys(recovery, nowMs);
    return true;
  }
  if (!recoveryHasSpace(recovery, SpaceId.APPLICATION) && !recoveryOpenSpace(recovery, SpaceId.APPLICATION))
    return false;
  if (level == Level.EARLY) {
    packetKeysDerive(
      handshakeKeys(handshakeOf(connection), HandshakeKeys.EARLY),
      suite,
      connection.version,
      secret,
    );
    return true;
  }
  return installOneRtt(connection, direction, suite, secret);
}

function installOneRtt(connection: QuicConnection, direction: u32, suite: Suite, secret: usize): bool {
  if (connection.keys == 0) {
    const ptr = slabAllocate(ONE_RTT_BYTES);
    if (ptr == 0) return false;
    memory.fill(ptr, 0, ONE_RTT_BYTES);
    connection.keys = ptr;
    oneRttOf(connection).suite = suite;
    oneRttOf(connection).readFrom = i64.MAX_VALUE;
  }
  const keys = oneRttOf(connection);
  const ptr = connection.keys;
  const len = hashLength(suiteHash(suite));
  if (direction == Direction.WRITE) {
    packetKeysDerive(writeKeys(keys), suite, connection.version, secret);
    memory.copy(ptr + WRITE_SECRET, secret, len);
    keys.hasWrite = true;
    // RFC 9001 §4.9.3: a client has no use for 0-RTT keys any more.
    if (!isServer(connection))
      packetKeysForget(handshakeKeys(handshakeOf(connection), HandshakeKeys.EARLY), false);
    return true;
  }
  packetKeysDerive(readKeys(keys, ReadKey.PRESENT), suite, connection.version, secret);
  memory.copy(ptr + READ_SECRET, secret, len);
  deriveNext(connection);
  keys.hasRead = true;
  return true;
}

function deriveNext(connection: QuicConnection): void {
  const keys = oneRttOf(connection);
  secretUpdate(keys.suite, connection.version, connection.keys + READ_SECRET);
  packetKeysUpdate(
    readKeys(keys, ReadKey.NEXT),
    readKeys(keys, ReadKey.PRESENT),
    connection.keys + READ_SECRET,
  );
}

/** RFC 9001 §4.9.1: Initial keys are gone with the first Handshake packet, sent by a client or received by a server. */
export function keysDiscardInitial(connection: QuicConnection): void {
  if (connection.handshake == 0) return;
  const state = handshakeOf(connection);
  packetKeysForget(handshakeKeys(state, HandshakeKeys.INITIAL_READ), false);
  packetKeysForget(handshakeKeys(state, HandshakeKeys.INITIAL_WRITE), false);
  recoveryDiscardSpace(recoveryOf(connection), SpaceId.INITIAL, nowMs);
}

/** RFC 9001 §4.9.2: everything of the handshake goes once it is confirmed. */
export function keysDiscardHandshake(connection: QuicConnection): void {
  if (connection.handshake == 0) return;
  recoveryDiscardSpace(recoveryOf(connection), SpaceId.INITIAL, nowMs);
  recoveryDiscardSpace(recoveryOf(connection), SpaceId.HANDSHAKE, nowMs);
  handshakeStateFree(handshakeOf(connection));
  connection.handshake = 0;
}

/** Which keys open a 1-RTT packet of that key phase and number, RFC 9001 §6.3, §6.4. */
export function keysForPhase(connection: QuicConnection, phase: u32, packetNumber: i64): ReadKey {
  const keys = oneRttOf(connection);
  if (phase == keys.readPhase) return ReadKey.PRESENT;
  const hasPrevious = packetKeysExist(readKeys(keys, ReadKey.PREVIOUS)) && nowMs < keys.previousUntilMs;
  // A phase that no packet of has come yet has no lowest number: then the other phase is that of what came before.
  return hasPrevious && packetNumber < keys.readFrom ? ReadKey.PREVIOUS : ReadKey.NEXT;
}

/** A 1-RTT packet was genuine under `which` keys. Rotates when it is the first of a new phase. */
export function keysOnOpened(connection: QuicConnection, which: ReadKey, packetNumber: i64): i32 {
  const keys = oneRttOf(connection);
  if (which == ReadKey.PRESENT) {
    if (packetNumber < keys.readFrom) keys.readFrom = packetNumber;
    return Status.OK;
  }
  if (which == ReadKey.PREVIOUS) return Status.OK;
  const isAnswer = keys.readPhase != keys.writePhase;
  // RFC 9001 §6.2: the peer has to hear of the first update before a second one, so something was sent in the present phase.
  const hasAnswered = recoveryNextNumber(recoveryOf(connection), SpaceId.APPLICATION) > keys.writeFrom;
  if (!isAnswer && keys.updateCount != 0 && !hasAnswered) return QuicStatus.KEY_UPDATE;
  const rtt = rttOf(recoveryOf(connection));
  packetKeysForget(readKeys(keys, ReadKey.PREVIOUS), true);
  memory.copy(
    changetype<usize>(readKeys(keys, ReadKey.PREVIOUS)),
    changetype<usize>(readKeys(keys, ReadKey.PRESENT)),
    PACKET_KEYS_BYTES,
  );
  memory.copy(
    changetype<usize>(readKeys(keys, ReadKey.PRESENT)),
    changetype<usize>(readKeys(keys, ReadKey.NEXT)),
    PACKET_KEYS_BYTES,
  );
  keys.previousUntilMs = nowMs + PREVIOUS_PTOS * probeTimeoutMs(rtt);
  keys.readPhase ^= 1;
  keys.readFrom = packetNumber;
  deriveNext(connection);
  if (!isAnswer) updateWrite(connection);
  return Status.OK;
}

/** RFC 9001 §6.1: a packet of the present phase was acknowledged. */
function isWritePhaseAcked(connection: QuicConnection): bool {
  return spaceOf(recoveryOf(connection), SpaceId.APPLICATION).ackedEnd > oneRttOf(connection).writeFrom;
}

function updateWrite(connection: QuicConnection): void {
  const keys = oneRttOf(connection);
  const write = writeKeys(keys);
  secretUpdate(keys.suite, connection.version, connection.keys + WRITE_SECRET);
  const next = changetype<PacketKeys>(scratchKeys);
  packetKeysUpdate(next, write, connection.keys + WRITE_SECRET);
  packetKeysForget(write, true);
  memory.copy(changetype<usize>(write), scratchKeys, PACKET_KEYS_BYTES);
  memory.fill(scratchKeys, 0, PACKET_KEYS_BYTES);
  keys.writePhase ^= 1;
  keys.writeFrom = recoveryNextNumber(recoveryOf(connection), SpaceId.APPLICATION);
  keys.updateCount++;
}

const scratchKeys: usize = memory.data(PACKET_KEYS_BYTES, 16);

/**
 * Before a 1-RTT packet is sent: updates the keys when it is time, or when it was asked for, and may be done (RFC 9001 §6.1:
 * confirmed, and a packet of the present phase acknowledged). AEAD_LIMIT when the keys may seal no more.
 */
export function keysBeforeSending(connection: QuicConnection): i32 {
  const keys = oneRttOf(connection);
  const spentAt = limitOf(Limit.QUIC_SEALED_PACKETS);
  const isOld = <f64>writeKeys(keys).sealed >= min(limitOf(Limit.QUIC_KEY_UPDATE_PACKETS), spentAt);
  if (!isOld && !hasBit(connection, QuicFlag.KEY_UPDATE_WANTED)) return Status.OK;
  const isSettled = keys.readPhase == keys.writePhase && hasBit(connection, QuicFlag.CONFIRMED);
  if (isSettled && isWritePhaseAcked(connection)) {
    clearBit(connection, QuicFlag.KEY_UPDATE_WANTED);
    updateWrite(connection);
  }
  if (<f64>writeKeys(keys).sealed < spentAt) return Status.OK;
  limitHit(Limit.QUIC_SEALED_PACKETS);
  return QuicStatus.AEAD_LIMIT;
}

/** Wipes and frees the 1-RTT keys. */
export function keysFree(connection: QuicConnection): void {
  if (connection.keys == 0) return;
  const keys = oneRttOf(connection);
  packetKeysForget(writeKeys(keys), false);
  packetKeysForget(readKeys(keys, ReadKey.NEXT), true);
  packetKeysForget(readKeys(keys, ReadKey.PREVIOUS), true);
  packetKeysForget(readKeys(keys, ReadKey.PRESENT), false);
  memory.fill(connection.keys, 0, ONE_RTT_BYTES);
  slabFree(connection.keys);
  connection.keys = 0;
}
