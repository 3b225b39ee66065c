/**
 * What became of packets: each record of an acknowledged or lost one goes back to the room that wrote its frame (RFC 9000 §13.3).
 */
import { PacketLogFlag } from "../../abi/quic.ts";
import { sentFrameAt, SentFrame, SentFrameList } from "../wire/sent_frame.ts";
import { count } from "../../session/counters.ts";
import { Counter } from "../../abi/counter.ts";
import { nowMs } from "../../session/deadline.ts";
import { mtuOnAcked, mtuOnLost, mtuOnProbeAcked, mtuOnProbeLost, PathMtu } from "../path/mtu.ts";
import { congestionSetDatagramSize } from "../recovery/congestion.ts";
import { receivedOnAckAcked } from "../recovery/received_packets.ts";
import {
  recoveryHasSpace,
  recoveryReceived,
  recoveryTakeAcked,
  recoveryTakeLost,
} from "../recovery/recovery.ts";
import { congestionOf } from "../recovery/recovery_state.ts";
import {
  PacketFlag,
  SentPacket,
  sentPacketFrames,
  sentPacketFree,
  sentPacketIs,
} from "../recovery/sent_packet.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import { streamsOnFrameAcked, streamsOnFrameLost } from "../stream/sent_outcome.ts";
import { FrameType } from "../wire/frame_type.ts";
import { cryptoOnAcked, cryptoOnLost, CryptoStream } from "./crypto_stream.ts";
import {
  handshakeOf,
  mtuOf,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
  streamsOfConnection,
} from "./connection.ts";
import { cryptoStreamAt } from "./handshake_state.ts";
import { onIdFrameAcked, onIdFrameLost } from "./ids.ts";
import { logPacket } from "./packet_log.ts";

const frames = changetype<SentFrameList>(memory.data(offsetof<SentFrameList>(), 8));

/** Hands out everything that the recovery has decided. */
export function settleFates(connection: QuicConnection): void {
  const recovery = recoveryOf(connection);
  for (let ptr = recoveryTakeAcked(recovery); ptr != 0; ptr = recoveryTakeAcked(recovery)) {
    const packet = changetype<SentPacket>(ptr);
    settlePacket(connection, packet, true);
    if (packet.path == recovery.path) onSizeFate(connection, packet, true);
    sentPacketFree(ptr);
  }
  for (let ptr = recoveryTakeLost(recovery); ptr != 0; ptr = recoveryTakeLost(recovery)) {
    const packet = changetype<SentPacket>(ptr);
    settlePacket(connection, packet, false);
    if (packet.path == recovery.path) onSizeFate(connection, packet, false);
    connection.lostCount++;
    const flags = PacketLogFlag.LOST | ((<u32>packet.space) << PacketLogFlag.SPACE_SHIFT);
    logPacket(connection, flags | (packet.flags & PacketFlag.EARLY), packet.number, packet.size, 0, 0);
    count(Counter.QUIC_PACKETS_LOST);
    sentPacketFree(ptr);
  }
}

/** What the fate of a packet says of the sizes that its path carries. */
function onSizeFate(connection: QuicConnection, packet: SentPacket, isAcked: bool): void {
  const mtu: PathMtu = mtuOf(connection);
  const before = mtu.size;
  const isProbe = sentPacketIs(packet, PacketFlag.MTU_PROBE);
  if (isProbe && isAcked) mtuOnProbeAcked(mtu);
  else if (isProbe) mtuOnProbeLost(mtu);
  else if (isAcked) mtuOnAcked(mtu, packet.size);
  else mtuOnLost(mtu, packet.size, packet.sentAtMs, nowMs);
  if (mtu.size != before) congestionSetDatagramSize(congestionOf(recoveryOf(connection)), mtu.size);
}

/** Sends again what an open packet carried, while its own fate stays open: RFC 9002 §6.2.4. */
export function repeatPacket(connection: QuicConnection, packet: SentPacket): void {
  settlePacket(connection, packet, false);
}

function settlePacket(connection: QuicConnection, packet: SentPacket, isAcked: bool): void {
  sentPacketFrames(packet, frames);
  const space: u32 = packet.space;
  for (let index: u32 = 0; index < frames.count; index++) {
    const frame = sentFrameAt(frames, index);
    if (isAcked) onAcked(connection, space, frame);
    else onLost(connection, space, frame);
  }
}

function onAcked(connection: QuicConnection, space: u32, frame: SentFrame): void {
  switch (<u32>frame.kind) {
    case FrameType.ACK: {
      const recovery = recoveryOf(connection);
      if (recoveryHasSpace(recovery, space))
        receivedOnAckAcked(recoveryReceived(recovery, space), frame.offset);
      return;
    }
    case FrameType.CRYPTO: {
      const crypto = cryptoAt(connection, space);
      if (crypto != 0) cryptoOnAcked(changetype<CryptoStream>(crypto), frame);
      return;
    }
    case FrameType.NEW_CONNECTION_ID:
    case FrameType.RETIRE_CONNECTION_ID:
      onIdFrameAcked(connection, frame);
      return;
    case FrameType.PING:
    case FrameType.HANDSHAKE_DONE:
    case FrameType.NEW_TOKEN:
    case FrameType.PATH_CHALLENGE:
    case FrameType.PATH_RESPONSE:
      return;
  }
  streamsOnFrameAcked(streamsOfConnection(connection), frame);
}

function onLost(connection: QuicConnection, space: u32, frame: SentFrame): void {
  switch (<u32>frame.kind) {
    case FrameType.CRYPTO: {
      const crypto = cryptoAt(connection, space);
      if (crypto != 0) cryptoOnLost(changetype<CryptoStream>(crypto), frame);
      return;
    }
    case FrameType.HANDSHAKE_DONE:
      setBit(connection, QuicFlag.HANDSHAKE_DONE_OWED);
      return;
    case FrameType.NEW_TOKEN:
      setBit(connection, QuicFlag.NEW_TOKEN_OWED);
      return;
    case FrameType.NEW_CONNECTION_ID:
    case FrameType.RETIRE_CONNECTION_ID:
      onIdFrameLost(connection, frame);
      return;
    // RFC 9000 §13.3: acknowledgements, probes and challenges are made anew where they are still wanted.
    case FrameType.ACK:
    case FrameType.PING:
    case FrameType.PATH_CHALLENGE:
    case FrameType.PATH_RESPONSE:
      return;
  }
  streamsOnFrameLost(streamsOfConnection(connection), frame);
}

function cryptoAt(connection: QuicConnection, space: u32): usize {
  if (space == SpaceId.APPLICATION) return connection.crypto;
  if (connection.handshake == 0) return 0;
  return changetype<usize>(cryptoStreamAt(handshakeOf(connection), space));
}
