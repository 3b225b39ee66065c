/**
 * Between TLS and QUIC, RFC 9001 §4: CRYPTO bytes to TLS and back, keys as they come, and what the host is asked and told.
 *
 * `handshakeAdvance` is called after everything that lets TLS go on: bytes of the peer, and answers of the host.
 */
import { ConnectedFlag, QuicConfigFlag } from "../../abi/quic.ts";
import { EventFlag, EventKind } from "../../abi/event.ts";
import { Status } from "../../abi/status.ts";
import { byteQueueRead } from "../../core/byte_queue.ts";
import { slabAllocate } from "../../core/slab.ts";
import { clockUnixMs, nowMs } from "../../session/deadline.ts";
import { emitConnectionBytes, emitConnectionEvent } from "../../session/events.ts";
import { scratchRegion, SCRATCH_BYTES } from "../../session/regions.ts";
import { retireBlock } from "../../session/retired.ts";
import { isRememberedAlpn } from "../../tls/client_psk.ts";
import { EarlyData, outputOf, Wanted } from "../../tls/handshake.ts";
import { Level } from "../../tls/handshake_state.ts";
import {
  polledDirection,
  polledLevel,
  polledSecret,
  polledSuite,
  tlsPollSecret,
  tlsReadKeyLog,
  tlsReadTicket,
  tlsReceive,
  tlsSetTime,
} from "../../tls/session.ts";
import { PacketType } from "../wire/packet_type.ts";
import { recoveryOnConfirmed, recoveryOnEarlyDataRejected } from "../recovery/recovery.ts";
import {
  receiveBufferAdvance,
  receiveBufferPeek,
  receiveBufferPeekLength,
} from "../stream/receive_buffer.ts";
import { streamsRejectEarlyData } from "../stream/sent_outcome.ts";
import { QuicConfig } from "./config.ts";
import { cryptoReceive, CRYPTO_STREAM_BYTES, cryptoSend, CryptoStream } from "./crypto_stream.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isServer,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
  streamsOfConnection,
  tlsOf,
} from "./connection.ts";
import { settleFates } from "./fates.ts";
import { cryptoStreamAt } from "./handshake_state.ts";
import { issueIds } from "./ids.ts";
import { keysDiscardHandshake, keysInstall } from "./keys.ts";
import { removeFirstRoute } from "./lifecycle.ts";
import { parametersRemember, parametersTake } from "./parameters.ts";

/** The CRYPTO stream of a packet's level, made when it is first needed. 0 when the memory is full. */
export function cryptoStreamOf(connection: QuicConnection, packetType: PacketType): usize {
  if (packetType == PacketType.ONE_RTT) {
    if (connection.crypto == 0) {
      const ptr = slabAllocate(CRYPTO_STREAM_BYTES);
      if (ptr == 0) return 0;
      memory.fill(ptr, 0, CRYPTO_STREAM_BYTES);
      connection.crypto = ptr;
    }
    return connection.crypto;
  }
  if (connection.handshake == 0) return 0;
  return changetype<usize>(cryptoStreamAt(handshakeOf(connection), packetType == PacketType.INITIAL ? 0 : 1));
}

/** Takes the CRYPTO frame that was read last, which came in a packet of that type. */
export function handshakeReceive(connection: QuicConnection, packetType: PacketType): i32 {
  const ptr = cryptoStreamOf(connection, packetType);
  if (ptr == 0) return Status.MEMORY_FULL;
  const stream = changetype<CryptoStream>(ptr);
  const status = cryptoReceive(stream);
  return status < 0 ? status : feed(connection, stream, levelOfPacket(packetType));
}

function levelOfPacket(packetType: PacketType): Level {
  if (packetType == PacketType.INITIAL) return Level.INITIAL;
  return packetType == PacketType.HANDSHAKE ? Level.HANDSHAKE : Level.APPLICATION;
}

function feed(connection: QuicConnection, stream: CryptoStream, level: Level): i32 {
  const tls = tlsOf(connection);
  tlsSetTime(tls, clockUnixMs());
  let len = receiveBufferPeekLength(stream);
  let hasFed = false;
  while (len != 0) {
    hasFed = true;
    const status = tlsReceive(tls, level, receiveBufferPeek(stream), len);
    if (status < 0) break;
    receiveBufferAdvance(stream, stream.readOffset + len);
    len = receiveBufferPeekLength(stream);
  }
  return hasFed ? handshakeAdvance(connection) : <i32>Status.OK;
}

/** Looks at everything that TLS may have to say. A negative status ends the connection. */
export function handshakeAdvance(connection: QuicConnection): i32 {
  const tls = tlsOf(connection);
  // What was said before a failure is sent all the same: a peer reads the alert only with the right keys.
  let status = takeSecrets(connection);
  if (status == Status.OK) status = takeOutput(connection);
  if (tls.status < 0) return tls.status;
  if (status < 0) return status;
  if (hasBit(connection, QuicFlag.EARLY_OFFERED) && tls.earlyData == EarlyData.REJECTED) {
    clearBit(connection, QuicFlag.EARLY_OFFERED);
    recoveryOnEarlyDataRejected(recoveryOf(connection), nowMs);
    settleFates(connection);
    streamsRejectEarlyData(streamsOfConnection(connection));
    // The limits of this connection are told again: they are all that counts now.
    clearBit(connection, QuicFlag.PARAMETERS_TAKEN);
  }
  if (tls.remoteParametersPtr != 0 && !hasBit(connection, QuicFlag.PARAMETERS_TAKEN)) {
    status = parametersTake(connection);
    if (status < 0) return status;
  }
  if (tls.wantedKind == Wanted.NONE) {
    clearBit(connection, QuicFlag.QUESTION_TOLD);
  } else if (!hasBit(connection, QuicFlag.QUESTION_TOLD)) {
    setBit(connection, QuicFlag.QUESTION_TOLD);
    emitConnectionBytes(
      EventKind.QUIC_QUESTION,
      0,
      connection,
      tls.wantedKind,
      <u32>tls.wantedPtr,
      tls.wantedLen,
      0,
    );
  }
  if (!isServer(connection) && tls.earlyData == EarlyData.OFFERED && tls.rememberedParametersLen != 0)
    offerEarly(connection);
  tellKeyLog(connection);
  if (tls.isComplete && connection.phase == Phase.HANDSHAKE) onComplete(connection);
  tellTickets(connection);
  return Status.OK;
}

/** RFC 9001 §4.6: 0-RTT goes by what is remembered of the server. */
function offerEarly(connection: QuicConnection): void {
  if (hasBit(connection, QuicFlag.EARLY_OFFERED)) return;
  setBit(connection, QuicFlag.EARLY_OFFERED);
  const tls = tlsOf(connection);
  parametersRemember(connection, tls.rememberedParametersPtr, tls.rememberedParametersLen);
}

function takeSecrets(connection: QuicConnection): i32 {
  while (tlsPollSecret(tlsOf(connection))) {
    if (!keysInstall(connection, polledLevel, polledDirection, polledSuite, polledSecret))
      return Status.MEMORY_FULL;
  }
  return Status.OK;
}

function takeOutput(connection: QuicConnection): i32 {
  for (let level: u32 = 0; level <= <u32>Level.APPLICATION; level++) {
    const queue = outputOf(tlsOf(connection), level);
    while (queue.length != 0) {
      const type =
        level == Level.INITIAL
          ? PacketType.INITIAL
          : level == Level.HANDSHAKE
            ? PacketType.HANDSHAKE
            : PacketType.ONE_RTT;
      const stream = cryptoStreamOf(connection, type);
      if (stream == 0) return Status.MEMORY_FULL;
      const len = byteQueueRead(queue, scratchRegion, SCRATCH_BYTES);
      if (!cryptoSend(changetype<CryptoStream>(stream), scratchRegion, len)) return Status.MEMORY_FULL;
    }
  }
  return Status.OK;
}

/** RFC 9001 §4.1.1; a server's handshake is confirmed at the same time (§4.1.2). */
function onComplete(connection: QuicConnection): void {
  const tls = tlsOf(connection);
  connection.phase = Phase.ESTABLISHED;
  connection.handshakeByMs = Infinity;
  let flags: u32 = 0;
  if (tls.isResumed) flags |= ConnectedFlag.RESUMED;
  if (tls.earlyData == EarlyData.ACCEPTED) flags |= ConnectedFlag.EARLY_ACCEPTED;
  if (choseHttp3(connection)) flags |= ConnectedFlag.HTTP3;
  setBit(connection, QuicFlag.CONNECT_TOLD);
  emitConnectionBytes(
    EventKind.QUIC_CONNECTED,
    flags,
    connection,
    <u32>tls.alpnPtr,
    tls.alpnLen,
    <u32>tls.serverNamePtr,
    tls.serverNameLen,
  );
  issueIds(connection);
  if (!isServer(connection)) return;
  setBit(connection, QuicFlag.HANDSHAKE_DONE_OWED);
  setBit(connection, QuicFlag.NEW_TOKEN_OWED);
  handshakeConfirm(connection);
}

/** "h3" of ALPN, RFC 9114 §3.1. */
const H3_LENGTH: u32 = 2;
const h3Alpn: usize = memory.data<u8>([0x68, 0x33]);

/**
 * Whether the connection is to carry HTTP/3: its configuration says so, and ALPN has chosen it, or the ticket by which early data goes
 * out before ALPN has.
 */
export function choseHttp3(connection: QuicConnection): bool {
  const tls = tlsOf(connection);
  if ((changetype<QuicConfig>(connection.config).flags & QuicConfigFlag.HTTP3) == 0) return false;
  if (tls.alpnLen == 0) return tls.earlyData == EarlyData.OFFERED && isRememberedAlpn(tls, h3Alpn, H3_LENGTH);
  return tls.alpnLen == H3_LENGTH && load<u16>(tls.alpnPtr) == load<u16>(h3Alpn);
}

/** A client learns it by HANDSHAKE_DONE. Whether it is news. */
export function handshakeConfirm(connection: QuicConnection): bool {
  if (hasBit(connection, QuicFlag.CONFIRMED)) return false;
  setBit(connection, QuicFlag.CONFIRMED);
  recoveryOnConfirmed(recoveryOf(connection), nowMs);
  removeFirstRoute(connection);
  keysDiscardHandshake(connection);
  emitConnectionEvent(EventKind.QUIC_CONFIRMED, EventFlag.NONE, connection, 0);
  return true;
}

/** RFC 8446 §4.6.1. */
function tellTickets(connection: QuicConnection): void {
  tellScratch(
    connection,
    EventKind.QUIC_TICKET,
    tlsReadTicket(tlsOf(connection), scratchRegion, SCRATCH_BYTES),
  );
}

function tellKeyLog(connection: QuicConnection): void {
  tellScratch(
    connection,
    EventKind.QUIC_KEY_LOG,
    tlsReadKeyLog(tlsOf(connection), scratchRegion, SCRATCH_BYTES),
  );
}

/** Tells what lies in the scratch region: a copy, for HTTP/3 writes there too before the host reads events. Left out without memory. */
function tellScratch(connection: QuicConnection, kind: EventKind, len: u32): void {
  if (len == 0) return;
  const block = slabAllocate(len + sizeof<usize>());
  if (block == 0) return;
  const at = block + sizeof<usize>();
  memory.copy(at, scratchRegion, len);
  emitConnectionBytes(kind, 0, connection, <u32>at, len, 0, 0);
  retireBlock(block);
}
