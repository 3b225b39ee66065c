/**
 * Packets in: a datagram is taken apart, each packet opened, its frames read, and what has to be acknowledged noted. RFC 9000 §5.2,
 * §12.2, §13.1; RFC 9001 §5.5 to §5.7.
 *
 * What cannot be opened is dropped without a word. A peer's error ends the connection by closeWith, never otherwise.
 */
import { Counter } from "../../abi/counter.ts";
import { Limit } from "../../abi/limit.ts";
import { PacketLogFlag } from "../../abi/quic.ts";
import { isPacketDiscard, QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { count } from "../../session/counters.ts";
import { nowMs } from "../../session/deadline.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { slabFree } from "../../core/slab.ts";
import { LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { remoteIdsReplaceInitial } from "../ids/remote_ids.ts";
import { Address } from "../path/address.ts";
import { pathSetValidated } from "../path/path.ts";
import { PacketKeys, packetKeysExist } from "../protection/packet_keys.ts";
import {
  unprotectedKeyPhase,
  unprotectedNumber,
  unprotectedPayloadLen,
  unprotectedPayloadPtr,
  unprotectHeader,
  unprotectPayload,
} from "../protection/packet_protection.ts";
import { Ecn, receivedAdd, receivedIsDuplicate, receivedLargest } from "../recovery/received_packets.ts";
import { recoveryHasSpace, recoveryReceived } from "../recovery/recovery.ts";
import { streamsSettle } from "../stream/receive_frames.ts";
import { isStatelessReset } from "../token/stateless_reset.ts";
import { connectionIdSet } from "../wire/connection_id.ts";
import { datagramHasMore, datagramNext, datagramOpen, DatagramReader } from "../wire/datagram.ts";
import {
  packetLength,
  packetNumberOffset,
  packetSourceLen,
  packetSourcePtr,
  packetType,
  packetVersion,
  readPacketHeader,
} from "../wire/packet_header.ts";
import { PacketType, SPIN_BIT } from "../wire/packet_type.ts";
import { clientOnRetry, clientOnVersionNegotiation } from "./client.ts";
import { closeOnDatagram, closeSilently, closeWith } from "./close.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isLive,
  isServer,
  oneRttOf,
  pathOf,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  remoteIdsOf,
  setBit,
  streamsOfConnection,
} from "./connection.ts";
import { markDirty } from "./dirty.ts";
import { HandshakeKeys, handshakeKeys, peerSourceOf } from "./handshake_state.ts";
import { idleRestart } from "./idle.ts";
import { halfOpenEnd } from "./lifecycle.ts";
import { keysDiscardInitial, keysForPhase, keysOnOpened } from "./keys.ts";
import { ReadKey, readKeys } from "./one_rtt_keys.ts";
import { pathArrive, pathFollow } from "./migration.ts";
import { logPacket } from "./packet_log.ts";
import { MAX_ACK_DELAY_MS } from "./parameters.ts";
import {
  areFramesEliciting,
  areFramesProbing,
  lastFrameType,
  receiveFrames,
  setReadInPlace,
} from "./receive_frames.ts";
import { spaceOfPacket } from "./send_packet.ts";
import { undecryptableAdd, undecryptableBytes, undecryptableTake, WaitingPacket } from "./undecryptable.ts";
import { versionRestore, versionTake } from "./version.ts";

const datagram = changetype<DatagramReader>(memory.data(offsetof<DatagramReader>(), 8));

/** Takes a datagram of [ptr, ptr + len) from `address`, which is for this connection. It is decrypted where it lies. */
export function connectionReceive(
  connection: QuicConnection,
  address: Address,
  local: u32,
  ptr: usize,
  len: u32,
  ecn: u32,
): void {
  connection.datagramsReceived++;
  connection.bytesReceived += len;
  if (!isLive(connection)) return closeOnDatagram(connection);
  markDirty(connection);
  pathArrive(connection, address, local, len);
  // The token of a reset lies where decryption would change it.
  const isReset =
    !isServer(connection) || hasBit(connection, QuicFlag.CONFIRMED)
      ? isStatelessReset(remoteIdsOf(connection), ptr, len)
      : false;
  let wasOpened = false;
  datagramOpen(datagram, ptr, len, LOCAL_ID_BYTES, isServer(connection), true);
  while (datagramHasMore(datagram) && isLive(connection)) {
    if (datagramNext(datagram) != Status.OK) continue;
    if (receivePacket(connection, datagram.packetAt, packetLength, ecn)) wasOpened = true;
  }
  if (isReset && !wasOpened && isLive(connection)) closeSilently(connection, QuicStatus.STATELESS_RESET);
  else if (wasOpened && isLive(connection) && connection.waitingHead != 0) retryWaiting(connection);
}

/** Looks again at packets whose keys may have come: after other packets, and after the host has answered TLS. */
export function retryWaiting(connection: QuicConnection): void {
  let block = undecryptableTake(connection);
  setReadInPlace(false);
  while (block != 0) {
    const packet = changetype<WaitingPacket>(block);
    const next = packet.next;
    if (isLive(connection)) {
      const ptr = undecryptableBytes(block);
      if (readPacketHeader(ptr, packet.len, LOCAL_ID_BYTES, true) == Status.OK)
        receivePacket(connection, ptr, packet.len, packet.ecn);
    }
    slabFree(block);
    block = next;
  }
  setReadInPlace(true);
}

/** The packet at `ptr`, whose header was read last. Whether it was genuine. */
function receivePacket(connection: QuicConnection, ptr: usize, len: u32, ecn: u32): bool {
  const type = packetType;
  if (type == PacketType.VERSION_NEGOTIATION) {
    clientOnVersionNegotiation(connection);
    return false;
  }
  if (type == PacketType.RETRY) return clientOnRetry(connection, ptr, len);
  if (type == PacketType.ONE_RTT) return receiveOneRtt(connection, ptr, len, ecn);
  const version = connection.version;
  if (packetVersion != version && !(type == PacketType.INITIAL && versionTake(connection))) return false;
  if (connection.handshake == 0) return false;
  // A client has no 0-RTT to read.
  if (type == PacketType.ZERO_RTT && !isServer(connection)) return false;
  const state = handshakeOf(connection);
  const index =
    type == PacketType.INITIAL
      ? HandshakeKeys.INITIAL_READ
      : type == PacketType.HANDSHAKE
        ? HandshakeKeys.HANDSHAKE_READ
        : HandshakeKeys.EARLY;
  const keys = handshakeKeys(state, index);
  if (!packetKeysExist(keys)) {
    // Initial keys were there from the start: they are gone for good.
    if (type != PacketType.INITIAL) undecryptableAdd(connection, ptr, len, ecn);
    return false;
  }
  const source = packetSourcePtr;
  const sourceLen = packetSourceLen;
  const isOpen = openHeader(connection, keys, type, ptr, len);
  const status = isOpen
    ? unprotectPayload(keys, ptr, len, packetNumberOffset)
    : <i32>QuicStatus.PACKET_TOO_SHORT;
  if (isServer(connection) || isPacketDiscard(status)) versionRestore(connection, version);
  if (isPacketDiscard(status)) {
    return isOpen ? onForged(connection) : false;
  }
  if (status < 0) return fail(connection, status);
  if (!hasBit(connection, QuicFlag.HAS_PROCESSED)) onFirstPacket(connection, source, sourceLen);
  // RFC 9000 §8.1: a Handshake packet proves that the client has seen what was sent to its address.
  if (type == PacketType.HANDSHAKE && isServer(connection)) {
    pathSetValidated(pathOf(connection));
    keysDiscardInitial(connection);
    halfOpenEnd(connection);
  }
  return process(connection, type, ecn);
}

/** RFC 9000 §7.2: the first packet says where this side has to send to from now on. */
function onFirstPacket(connection: QuicConnection, source: usize, sourceLen: u32): void {
  setBit(connection, QuicFlag.HAS_PROCESSED);
  connectionIdSet(peerSourceOf(handshakeOf(connection)), source, sourceLen);
  if (!isServer(connection)) remoteIdsReplaceInitial(remoteIdsOf(connection), source, sourceLen);
}

function receiveOneRtt(connection: QuicConnection, ptr: usize, len: u32, ecn: u32): bool {
  // RFC 9001 §5.7: not before the handshake is complete, though a server has keys to send with.
  if (connection.keys == 0 || !oneRttOf(connection).hasRead || connection.phase != Phase.ESTABLISHED) {
    undecryptableAdd(connection, ptr, len, ecn);
    return false;
  }
  const keys = oneRttOf(connection);
  const present = readKeys(keys, ReadKey.PRESENT);
  if (!openHeader(connection, present, PacketType.ONE_RTT, ptr, len)) return false;
  const which = keysForPhase(connection, unprotectedKeyPhase, unprotectedNumber);
  const opening = readKeys(keys, which);
  const status = unprotectPayload(opening, ptr, len, packetNumberOffset);
  if (isPacketDiscard(status)) return onForged(connection);
  if (status < 0) return fail(connection, status);
  const rotated = keysOnOpened(connection, which, unprotectedNumber);
  if (rotated < 0) return fail(connection, rotated);
  if (hasBit(connection, QuicFlag.CAN_SPIN)) spin(connection, load<u8>(ptr));
  return process(connection, PacketType.ONE_RTT, ecn);
}

/** RFC 9000 §17.4: a server reflects, a client turns. */
function spin(connection: QuicConnection, firstByte: u32): void {
  const largest = receivedLargest(
    recoveryReceived(recoveryOf(connection), spaceOfPacket(PacketType.ONE_RTT)),
  );
  if (unprotectedNumber <= largest) return;
  const isSet = (firstByte & SPIN_BIT) != 0;
  if (isSet == isServer(connection)) setBit(connection, QuicFlag.SPINNING);
  else clearBit(connection, QuicFlag.SPINNING);
}

/** Unmasks the header. False when the packet is dropped. */
function openHeader(
  connection: QuicConnection,
  keys: PacketKeys,
  type: PacketType,
  ptr: usize,
  len: u32,
): bool {
  const recovery = recoveryOf(connection);
  const space = spaceOfPacket(type);
  if (!recoveryHasSpace(recovery, space)) return false;
  const largest = receivedLargest(recoveryReceived(recovery, space));
  return unprotectHeader(keys, ptr, len, packetNumberOffset, largest) == Status.OK;
}

/** RFC 9001 §6.6. */
function onForged(connection: QuicConnection): bool {
  connection.forgedCount++;
  if (<f64>connection.forgedCount >= limitOf(Limit.QUIC_FORGED_PACKETS)) {
    limitHit(Limit.QUIC_FORGED_PACKETS);
    fail(connection, QuicStatus.AEAD_LIMIT);
  }
  return false;
}

function fail(connection: QuicConnection, status: i32): bool {
  closeWith(connection, status, 0);
  return true;
}

/** A genuine packet: its frames, once. */
function process(connection: QuicConnection, type: PacketType, ecn: u32): bool {
  const recovery = recoveryOf(connection);
  const space = spaceOfPacket(type);
  if (!recoveryHasSpace(recovery, space)) return true;
  const received = recoveryReceived(recovery, space);
  const number = unprotectedNumber;
  const early: u32 = type == PacketType.ZERO_RTT ? PacketLogFlag.EARLY : 0;
  const flags = PacketLogFlag.RECEIVED | (space << PacketLogFlag.SPACE_SHIFT) | early;
  logPacket(connection, flags, number, 0, unprotectedPayloadPtr, unprotectedPayloadLen);
  if (receivedIsDuplicate(received, number)) return true;
  const isNewest = number > receivedLargest(received);
  connection.idleAtMs = Infinity;
  clearBit(connection, QuicFlag.HAS_ELICITED);
  const status = receiveFrames(connection, type, unprotectedPayloadPtr, unprotectedPayloadLen);
  if (status < 0) {
    if (isLive(connection)) closeWith(connection, status, lastFrameType);
    return true;
  }
  if (!isLive(connection)) return true;
  idleRestart(connection);
  if (type == PacketType.ONE_RTT) pathFollow(connection, isNewest, areFramesProbing);
  // The space may be gone with the handshake.
  if (recoveryHasSpace(recovery, space)) {
    const delayMs = type == PacketType.ONE_RTT || type == PacketType.ZERO_RTT ? MAX_ACK_DELAY_MS : 0;
    receivedAdd(received, number, areFramesEliciting, <Ecn>ecn, delayMs, nowMs);
  }
  count(Counter.QUIC_PACKETS_RECEIVED);
  const settled = streamsSettle(streamsOfConnection(connection));
  if (settled < 0) closeWith(connection, settled, 0);
  return true;
}
