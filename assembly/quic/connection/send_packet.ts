/**
 * Packets on their way out: a datagram is laid out first, packet after packet, and sealed when it is known what each of them holds,
 * so that padding goes into the last one (RFC 9000 §14.1) and not behind it.
 *
 *   packetBegin    header and an open sent packet; the caller writes frames into `frames` and records into `records`
 *   packetEnd      keeps it, or takes it back when nothing was written
 *   packetsSeal    pads, seals and hands everything to the recovery; answers the length of the datagram
 *
 * At most one packet per encryption level: three.
 */
import { PacketLogFlag } from "../../abi/quic.ts";
import { Writer, writerOpen } from "../../core/writer.ts";
import { AEAD_TAG_BYTES } from "../../crypto/aead.ts";
import { nowMs } from "../../session/deadline.ts";
import { remoteIdOf, remoteIdOfPath, RemoteId } from "../ids/remote_ids.ts";
import { LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { localIdAt, localIdBytes } from "../ids/local_ids.ts";
import { PacketKeys } from "../protection/packet_keys.ts";
import { payloadBytesMin, protectPacket } from "../protection/packet_protection.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import { recoveryNextNumber, recoveryOnSent } from "../recovery/recovery.ts";
import { spaceOf } from "../recovery/recovery_state.ts";
import { PacketFlag, sentPacketFree, sentPacketOpen } from "../recovery/sent_packet.ts";
import { connectionIdBytes } from "../wire/connection_id.ts";
import { isAckEliciting, isInFlight } from "../wire/frame_type.ts";
import {
  longHeaderBytes,
  LONG_PAYLOAD_LENGTH_MAX,
  writeLongHeader,
  writeLongLength,
  writeShortHeader,
} from "../wire/packet_header.ts";
import { packetNumberLength } from "../wire/packet_number.ts";
import { PacketType } from "../wire/packet_type.ts";
import { sentFrameAt, SentFrameList } from "../wire/sent_frame.ts";
import {
  handshakeOf,
  hasBit,
  localIdsOf,
  oneRttOf,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
} from "./connection.ts";
import { HandshakeKeys, handshakeKeys } from "./handshake_state.ts";
import { writeKeys } from "./one_rtt_keys.ts";
import { logPacket } from "./packet_log.ts";

/** A packet that was laid out. */
@unmanaged
class PlannedPacket {
  keys: usize;
  start: usize;
  headerLen: u32;
  numberLen: u32;
  number: u64;
  payloadLen: u32;
  /** Where a long header's Length is. */
  lengthAt: usize;
  space: u32;
  sent: usize;
  frameCount: u32;
  /** PacketFlag. */
  flags: u32;
}

const PLANNED_MAX: u32 = 3;
const PLANNED_BYTES: u32 = (<u32>offsetof<PlannedPacket>() + 7) & ~7;
const planned: usize = memory.data(PLANNED_MAX * PLANNED_BYTES, 8);
let plannedCount: u32 = 0;

/** Where frames of the open packet go, and the records of them. */
export const frames = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
export const records = changetype<SentFrameList>(memory.data(offsetof<SentFrameList>(), 8));

let at: usize = 0;
let end: usize = 0;
let datagramStart: usize = 0;

// @ts-ignore: decorator
@inline
function plannedAt(index: u32): PlannedPacket {
  return changetype<PlannedPacket>(planned + index * PLANNED_BYTES);
}

/** Begins a datagram of at most `capacity` bytes at `dest`. */
export function datagramBegin(dest: usize, capacity: u32): void {
  plannedCount = 0;
  datagramStart = dest;
  at = dest;
  end = dest + capacity;
}

/** Bytes that the datagram has so far. */
export function datagramLength(): u32 {
  return <u32>(at - datagramStart);
}

export function spaceOfPacket(type: PacketType): SpaceId {
  if (type == PacketType.INITIAL) return SpaceId.INITIAL;
  return type == PacketType.HANDSHAKE ? SpaceId.HANDSHAKE : SpaceId.APPLICATION;
}

function keysOf(connection: QuicConnection, type: PacketType): PacketKeys {
  if (type == PacketType.ONE_RTT) return writeKeys(oneRttOf(connection));
  const state = handshakeOf(connection);
  if (type == PacketType.INITIAL) return handshakeKeys(state, HandshakeKeys.INITIAL_WRITE);
  return handshakeKeys(
    state,
    type == PacketType.HANDSHAKE ? HandshakeKeys.HANDSHAKE_WRITE : HandshakeKeys.EARLY,
  );
}

/**
 * Opens a packet of that type on `path`. False when the rest of the datagram is too small for one, when the path has no ID to send
 * to, or when the memory is full.
 */
export function packetBegin(connection: QuicConnection, type: PacketType, path: u32): bool {
  const space = spaceOfPacket(type);
  const recovery = recoveryOf(connection);
  const remote = remoteIdOfPath(remoteIdsOf(connection), path);
  if (remote == 0) return false;
  const id = remoteIdOf(changetype<RemoteId>(remote));
  const number = recoveryNextNumber(recovery, space);
  const numberLen = packetNumberLength(number, <i64>spaceOf(recovery, space).ackedEnd - 1);
  const isLong = type != PacketType.ONE_RTT;
  const state = handshakeOf(connection);
  const tokenLen = type == PacketType.INITIAL ? state.tokenLen : 0;
  const headerBytes = isLong
    ? longHeaderBytes(type, id.len, LOCAL_ID_BYTES, tokenLen, numberLen)
    : 1 + id.len + numberLen;
  const room = <u32>(end - at);
  if (room < headerBytes + AEAD_TAG_BYTES + payloadBytesMin(numberLen) + 1) return false;
  const sent = sentPacketOpen(records);
  if (sent == 0) return false;
  const plan = plannedAt(plannedCount);
  plan.sent = sent;
  plan.start = at;
  plan.space = space;
  plan.number = number;
  plan.numberLen = numberLen;
  plan.headerLen = headerBytes;
  plan.flags = type == PacketType.ZERO_RTT ? PacketFlag.EARLY : 0;
  plan.keys = changetype<usize>(keysOf(connection, type));
  plan.lengthAt = 0;
  writerOpen(frames, at, headerBytes);
  if (isLong) {
    plan.lengthAt = writeLongHeader(
      frames,
      type,
      connection.version,
      connectionIdBytes(id),
      id.len,
      localIdBytes(localIdAt(localIdsOf(connection), 0)),
      LOCAL_ID_BYTES,
      state.tokenPtr,
      tokenLen,
      number,
      numberLen,
    );
  } else {
    const isSpinning = hasBit(connection, QuicFlag.SPINNING);
    const phase = oneRttOf(connection).writePhase;
    writeShortHeader(frames, connectionIdBytes(id), id.len, isSpinning, phase, number, numberLen);
  }
  const payloadMost = min(room - headerBytes - AEAD_TAG_BYTES, LONG_PAYLOAD_LENGTH_MAX - 64);
  writerOpen(frames, at + headerBytes, payloadMost);
  return true;
}

/** Marks the open packet as a probe for the MTU. */
export function packetIsMtuProbe(): void {
  plannedAt(plannedCount).flags |= PacketFlag.MTU_PROBE;
}

/** Keeps the open packet. False, and it is gone, when it has no frames. */
export function packetEnd(): bool {
  const plan = plannedAt(plannedCount);
  const payload = plan.start + plan.headerLen;
  const len = <u32>(frames.at - payload);
  if (len == 0) {
    sentPacketFree(plan.sent);
    return false;
  }
  for (let index: u32 = 0; index < records.count; index++) {
    const kind: u32 = sentFrameAt(records, index).kind;
    if (isAckEliciting(kind)) plan.flags |= PacketFlag.ACK_ELICITING;
    if (isInFlight(kind)) plan.flags |= PacketFlag.IN_FLIGHT;
  }
  plan.frameCount = records.count;
  plan.payloadLen = len;
  pad(plan, max(len, payloadBytesMin(plan.numberLen)));
  plannedCount++;
  return true;
}

/** Fills the packet's payload up with PADDING; it is the last one. RFC 9002 §2: such a packet counts as in flight. */
function pad(plan: PlannedPacket, len: u32): void {
  const payload = plan.start + plan.headerLen;
  if (len > plan.payloadLen) {
    memory.fill(payload + plan.payloadLen, 0, len - plan.payloadLen);
    plan.payloadLen = len;
    plan.flags |= PacketFlag.IN_FLIGHT;
  }
  at = payload + len + AEAD_TAG_BYTES;
}

/** Whether any packet of the datagram is to be acknowledged. */
export function datagramIsEliciting(): bool {
  for (let index: u32 = 0; index < plannedCount; index++) {
    if (plannedAt(index).flags & PacketFlag.ACK_ELICITING) return true;
  }
  return false;
}

/** Whether the datagram has an Initial packet: it is padded by a client always, by a server if it is to be acknowledged. */
export function datagramHasInitial(): bool {
  return plannedCount != 0 && plannedAt(0).space == SpaceId.INITIAL;
}

/** Seals what was laid out, padded to `least` bytes if it is shorter and there is room. Answers the datagram's length. */
export function packetsSeal(connection: QuicConnection, least: u32, extraFlags: u32): u32 {
  if (plannedCount == 0) return 0;
  const last = plannedAt(plannedCount - 1);
  const length = datagramLength();
  const wanted = min(least, <u32>(end - datagramStart));
  if (length < wanted) pad(last, last.payloadLen + (wanted - length));
  const recovery = recoveryOf(connection);
  for (let index: u32 = 0; index < plannedCount; index++) {
    const plan = plannedAt(index);
    const flags = (plan.space << PacketLogFlag.SPACE_SHIFT) | (plan.flags & PacketFlag.EARLY);
    logPacket(connection, flags, plan.number, 0, plan.start + plan.headerLen, plan.payloadLen);
    if (plan.lengthAt != 0) writeLongLength(plan.lengthAt, plan.numberLen + plan.payloadLen + AEAD_TAG_BYTES);
    const size = protectPacket(
      changetype<PacketKeys>(plan.keys),
      plan.start,
      plan.headerLen,
      plan.numberLen,
      plan.number,
      plan.payloadLen,
    );
    const space = <SpaceId>plan.space;
    recoveryOnSent(recovery, space, plan.sent, plan.frameCount, size, plan.flags | extraFlags, nowMs);
  }
  return datagramLength();
}
