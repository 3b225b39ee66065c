/**
 * What a connection sends next: which packets go into a datagram, and what into each. RFC 9000 §12.2, §13, §14; RFC 9002 §7.
 *
 * `connectionSend` is called until it answers 0. It never waits: what the congestion window, the pacer, the peer's address or the
 * peer's credit hold back is left for the next call, and deadlines.ts knows when that is.
 */
import { Counter } from "../../abi/counter.ts";
import { Status } from "../../abi/status.ts";
import { writerRoom } from "../../core/writer.ts";
import { count } from "../../session/counters.ts";
import { clockUnixMs, nowMs } from "../../session/deadline.ts";
import { mtuOnProbeSent, mtuProbeSize } from "../path/mtu.ts";
import { amplificationBudget, Path, pathOnSent, pathRemote } from "../path/path.ts";
import { pathAt } from "../path/paths.ts";
import { packetKeysExist } from "../protection/packet_keys.ts";
import {
  receivedHasNews,
  receivedLargest,
  ReceivedPackets,
  receivedWriteAck,
} from "../recovery/received_packets.ts";
import {
  recoveryHasSpace,
  recoveryOnIdle,
  recoveryPingIsDue,
  recoveryProbePacket,
  recoveryReceived,
  recoverySendAtMs,
  recoverySetAmplificationBlocked,
} from "../recovery/recovery.ts";
import { SentPacket } from "../recovery/sent_packet.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import { streamsHasFrames, streamsWriteFrames } from "../stream/write_frames.ts";
import { NEW_TOKEN_BYTES, sealNewToken } from "../token/address_token.ts";
import { INITIAL_DATAGRAM_BYTES_MIN } from "../wire/datagram.ts";
import { FrameType } from "../wire/frame_type.ts";
import { writeHandshakeDone } from "../wire/handshake_done.ts";
import { writeNewToken } from "../wire/new_token.ts";
import { PacketType } from "../wire/packet_type.ts";
import { writePing } from "../wire/ping.ts";
import { sentFrameAdd, sentFrameRoom } from "../wire/sent_frame.ts";
import { closeSend, closeWith } from "./close.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isLive,
  isServer,
  mtuOf,
  oneRttOf,
  pathOf,
  pathsOf,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
  streamsOfConnection,
} from "./connection.ts";
import { cryptoHasFrames, CryptoStream, cryptoWriteFrames } from "./crypto_stream.ts";
import { repeatPacket } from "./fates.ts";
import { HandshakeKeys, handshakeKeys } from "./handshake_state.ts";
import { cryptoStreamOf } from "./handshake.ts";
import { idsHaveFrames, idsWriteFrames } from "./ids.ts";
import { idleRestart } from "./idle.ts";
import { keysBeforeSending, keysDiscardInitial } from "./keys.ts";
import { addressTokenKeys } from "./identity.ts";
import { pathsSend, pathsSentOn } from "./migration.ts";
import { ACK_EXPONENT } from "./parameters.ts";
import {
  datagramBegin,
  datagramHasInitial,
  datagramIsEliciting,
  datagramLength,
  frames,
  packetBegin,
  packetEnd,
  packetIsMtuProbe,
  packetsSeal,
  records,
  spaceOfPacket,
} from "./send_packet.ts";

/** Where the datagram that `connectionSend` built goes: an Address, valid until the next call. */
export let sentAddress: usize = 0;
const token: usize = memory.data(128, 8);

/** Room for a header, an ACK and a little more. */
const LEAST_DATAGRAM_BYTES: u32 = 100;

/** Whether the datagram may carry what counts for congestion control; and when it may, if it may not yet. */
let mayElicit: bool = false;
let hasAsked: bool = false;
let datagramMost: u32 = 0;

/** The host's number of the socket that it leaves by. */
export let sentLocal: u32 = 0;

function setSentTo(path: Path): void {
  sentAddress = changetype<usize>(pathRemote(path));
  sentLocal = path.local;
}

/** Builds the next datagram at `dest`. Answers its length; 0 when there is nothing to send now. */
export function connectionSend(connection: QuicConnection, dest: usize, capacity: u32): u32 {
  setSentTo(pathOf(connection));
  connection.paceAtMs = Infinity;
  if (connection.phase >= <u32>Phase.CLOSING) return closeSend(connection, dest, capacity);
  const probed = pathsSend(connection, dest, capacity);
  if (probed != 0) {
    setSentTo(pathAt(pathsOf(connection), pathsSentOn));
    return account(connection, probed);
  }
  const probe = sendMtuProbe(connection, dest, capacity);
  if (probe != 0) return probe;
  return sendOnMainPath(connection, dest, min(capacity, mtuOf(connection).size));
}

function sendOnMainPath(connection: QuicConnection, dest: usize, capacity: u32): u32 {
  const budget = amplificationBudget(pathOf(connection));
  // RFC 9000 §8.1: at most three times what came. In the handshake less than a full datagram is of no use, as Initials are padded.
  const least = connection.handshake != 0 ? INITIAL_DATAGRAM_BYTES_MIN : LEAST_DATAGRAM_BYTES;
  const isBlocked = budget < least;
  recoverySetAmplificationBlocked(recoveryOf(connection), isBlocked, nowMs);
  if (isBlocked) return 0;
  datagramMost = min(capacity, budget);
  hasAsked = false;
  datagramBegin(dest, datagramMost);
  let hasHandshake = false;
  if (connection.handshake != 0) {
    addPacket(connection, PacketType.INITIAL);
    hasHandshake = addPacket(connection, PacketType.HANDSHAKE);
  }
  if (connection.keys != 0 && oneRttOf(connection).hasWrite) {
    addPacket(connection, PacketType.ONE_RTT);
    if (!isLive(connection)) return closeSend(connection, dest, capacity);
  } else if (!isServer(connection) && connection.handshake != 0) {
    addPacket(connection, PacketType.ZERO_RTT);
  }
  if (datagramLength() == 0) return 0;
  const isElicitingDatagram = datagramIsEliciting();
  const isPadded = datagramHasInitial() && (!isServer(connection) || isElicitingDatagram);
  const len = packetsSeal(connection, isPadded ? INITIAL_DATAGRAM_BYTES_MIN : 0, 0);
  pathOnSent(pathOf(connection), len);
  if (isElicitingDatagram && !hasBit(connection, QuicFlag.HAS_ELICITED)) {
    setBit(connection, QuicFlag.HAS_ELICITED);
    idleRestart(connection);
  }
  // RFC 9001 §4.9.1.
  if (hasHandshake && !isServer(connection)) keysDiscardInitial(connection);
  return account(connection, len);
}

function account(connection: QuicConnection, len: u32): u32 {
  connection.datagramsSent++;
  connection.bytesSent += len;
  count(Counter.QUIC_DATAGRAMS_SENT);
  count(Counter.BYTES_SENT, len);
  return len;
}

function hasKeys(connection: QuicConnection, type: PacketType): bool {
  if (type == PacketType.ONE_RTT) return true;
  const index =
    type == PacketType.INITIAL
      ? HandshakeKeys.INITIAL_WRITE
      : type == PacketType.HANDSHAKE
        ? HandshakeKeys.HANDSHAKE_WRITE
        : HandshakeKeys.EARLY;
  return packetKeysExist(handshakeKeys(handshakeOf(connection), index));
}

/** Asks for room in the congestion window, once for a datagram, and only when there is something that needs it. */
function mayBeEliciting(connection: QuicConnection): bool {
  if (hasAsked) return mayElicit;
  hasAsked = true;
  const atMs = recoverySendAtMs(recoveryOf(connection), datagramMost, nowMs);
  mayElicit = atMs <= nowMs;
  if (!mayElicit && atMs != Infinity) connection.paceAtMs = atMs;
  return mayElicit;
}

/** Adds a packet of that type if there is anything for it. */
function addPacket(connection: QuicConnection, type: PacketType): bool {
  if (!hasKeys(connection, type)) return false;
  const space = spaceOfPacket(type);
  const recovery = recoveryOf(connection);
  if (!recoveryHasSpace(recovery, space)) return false;
  const received = recoveryReceived(recovery, space);
  const isProbe = recovery.probeCount != 0 && <SpaceId>recovery.probeSpace == space;
  const wants = isProbe || hasContent(connection, type);
  const may = wants && (isProbe || mayBeEliciting(connection));
  const canAck = type != PacketType.ZERO_RTT;
  if (!wants && type == PacketType.ONE_RTT) recoveryOnIdle(recovery);
  if (!may && !(canAck && received.ackDueMs <= nowMs)) return false;
  if (type == PacketType.ONE_RTT) {
    const status = keysBeforeSending(connection);
    if (status < 0) {
      closeWith(connection, status, 0);
      return false;
    }
  }
  if (!packetBegin(connection, type, pathsOf(connection).current)) return false;
  if (canAck && receivedHasNews(received)) writeAck(received);
  if (isProbe) repeatOldest(connection, space);
  if (may) writeContent(connection, type);
  if (isProbe) {
    if (!hasElicitingRecord()) ping();
    recovery.probeCount--;
  } else if (frames.at != 0 && recoveryPingIsDue(recovery, space) && records.count != 0) {
    ping();
  }
  return packetEnd();
}

function writeAck(received: ReceivedPackets): void {
  const largest = receivedLargest(received);
  if (receivedWriteAck(received, frames, ACK_EXPONENT, nowMs))
    sentFrameAdd(records, FrameType.ACK, 0, 0, largest, 0);
}

function ping(): void {
  if (writerRoom(frames) == 0 || !sentFrameAdd(records, FrameType.PING, 0, 0, 0, 0)) return;
  writePing(frames);
}

/** Whether anything but an ACK was written: all frames with a record are ack-eliciting. */
function hasElicitingRecord(): bool {
  return records.count > 1 || (records.count == 1 && <u32>load<u16>(records.base) != FrameType.ACK);
}

/**
 * RFC 9002 §6.2.4: a probe repeats what has waited longest for its acknowledgement. Before anything new, for that may never end,
 * and what waits may be what the peer needs to answer at all, as a connection ID for another path.
 */
function repeatOldest(connection: QuicConnection, space: SpaceId): void {
  const packet = recoveryProbePacket(recoveryOf(connection), space);
  if (packet != 0) repeatPacket(connection, changetype<SentPacket>(packet));
}

function cryptoWaits(connection: QuicConnection, type: PacketType): bool {
  if (type == PacketType.ONE_RTT && connection.crypto == 0) return false;
  return cryptoHasFrames(changetype<CryptoStream>(cryptoStreamOf(connection, type)));
}

const OWED: u32 = QuicFlag.HANDSHAKE_DONE_OWED | QuicFlag.NEW_TOKEN_OWED | QuicFlag.PING_OWED;

function hasContent(connection: QuicConnection, type: PacketType): bool {
  if (type != PacketType.ZERO_RTT && cryptoWaits(connection, type)) return true;
  if (type == PacketType.ZERO_RTT) return streamsHasFrames(streamsOfConnection(connection));
  if (type != PacketType.ONE_RTT) return false;
  return (
    (connection.bits & OWED) != 0 ||
    streamsHasFrames(streamsOfConnection(connection)) ||
    idsHaveFrames(connection)
  );
}

function writeContent(connection: QuicConnection, type: PacketType): void {
  if (type == PacketType.ONE_RTT) writeControl(connection);
  if (type != PacketType.ZERO_RTT && cryptoWaits(connection, type)) {
    cryptoWriteFrames(changetype<CryptoStream>(cryptoStreamOf(connection, type)), frames, records);
  }
  if (type == PacketType.ONE_RTT || type == PacketType.ZERO_RTT) {
    streamsWriteFrames(streamsOfConnection(connection), frames, records);
  }
}

/** The connection's own frames, which come before content. */
function writeControl(connection: QuicConnection): void {
  if (
    hasBit(connection, QuicFlag.HANDSHAKE_DONE_OWED) &&
    sentFrameAdd(records, FrameType.HANDSHAKE_DONE, 0, 0, 0, 0)
  ) {
    writeHandshakeDone(frames);
    clearBit(connection, QuicFlag.HANDSHAKE_DONE_OWED);
  }
  idsWriteFrames(connection, frames, records);
  if (hasBit(connection, QuicFlag.NEW_TOKEN_OWED)) writeToken(connection);
  if (hasBit(connection, QuicFlag.PING_OWED)) {
    clearBit(connection, QuicFlag.PING_OWED);
    ping();
  }
}

/** RFC 9000 §8.1.3. */
function writeToken(connection: QuicConnection): void {
  if (writerRoom(frames) < NEW_TOKEN_BYTES + 3 || sentFrameRoom(records) == 0) return;
  clearBit(connection, QuicFlag.NEW_TOKEN_OWED);
  const len = sealNewToken(addressTokenKeys, pathRemote(pathOf(connection)), clockUnixMs(), token);
  sentFrameAdd(records, FrameType.NEW_TOKEN, 0, 0, 0, 0);
  writeNewToken(frames, token, len);
}

/** RFC 8899: a PING padded to a size that the path may or may not take. It comes before what is to be sent, for that fills the window. */
function sendMtuProbe(connection: QuicConnection, dest: usize, capacity: u32): u32 {
  if (!hasBit(connection, QuicFlag.CONFIRMED) || connection.keys == 0) return 0;
  if (!pathOf(connection).isValidated) return 0;
  const size = mtuProbeSize(mtuOf(connection), nowMs);
  if (size == 0 || size > capacity) return 0;
  datagramMost = size;
  hasAsked = false;
  if (!mayBeEliciting(connection)) return 0;
  if (keysBeforeSending(connection) != Status.OK) return 0;
  datagramBegin(dest, size);
  if (!packetBegin(connection, PacketType.ONE_RTT, pathsOf(connection).current)) return 0;
  ping();
  packetIsMtuProbe();
  packetEnd();
  const len = packetsSeal(connection, size, 0);
  mtuOnProbeSent(mtuOf(connection), size);
  pathOnSent(pathOf(connection), len);
  return account(connection, len);
}
