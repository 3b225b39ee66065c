/**
 * The end of a connection, RFC 9000 §10.2: closed here, closed by the peer, or simply over.
 *
 * Whoever closes builds its CONNECTION_CLOSE at once, while there are keys, and keeps the datagram: everything else is freed, the
 * host is told, and whoever sends on hears the same bytes again, each time after twice as many packets. What remains ends with
 * its handle's last timer.
 */
import { EventKind } from "../../abi/event.ts";
import { CloseFlag } from "../../abi/quic.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Blame, blameOf, Status } from "../../abi/status.ts";
import { Counter } from "../../abi/counter.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { count } from "../../session/counters.ts";
import { nowMs } from "../../session/deadline.ts";
import { emitQuicClosed } from "../../session/events.ts";
import { tlsErrorCode } from "../../tls/tls_status.ts";
import { amplificationBudget, pathOnSent } from "../path/path.ts";
import { packetKeysExist } from "../protection/packet_keys.ts";
import { recoveryHasSpace } from "../recovery/recovery.ts";
import { rttOf } from "../recovery/recovery_state.ts";
import { probeTimeoutMs } from "../recovery/rtt.ts";
import {
  connectionCloseCode,
  connectionCloseIsApplication,
  connectionCloseReasonLen,
  connectionCloseReasonPtr,
  writeApplicationClose,
  writeConnectionClose,
} from "../wire/connection_close.ts";
import { INITIAL_DATAGRAM_BYTES_MIN } from "../wire/datagram.ts";
import { TransportError, transportErrorOf } from "../wire/error_code.ts";
import { PacketType } from "../wire/packet_type.ts";
import {
  clearBit,
  handshakeOf,
  hasBit,
  isLive,
  isServer,
  oneRttOf,
  pathOf,
  pathsOf,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
} from "./connection.ts";
import { HandshakeKeys, handshakeKeys } from "./handshake_state.ts";
import {
  datagramBegin,
  datagramHasInitial,
  frames,
  packetBegin,
  packetEnd,
  packetsSeal,
  spaceOfPacket,
} from "./send_packet.ts";
import { markDirty } from "./dirty.ts";

/** RFC 9000 §10.2: both periods SHOULD last this long. */
const PERIOD_PTOS: f64 = 3;
const REASON_BYTES_MAX: u32 = 256;
/** A datagram that every path takes. */
const DATAGRAM_BYTES: u32 = 1200;
const datagram: usize = memory.data(DATAGRAM_BYTES, 16);

/** The application closes, with its code and a reason of up to REASON_BYTES_MAX bytes. */
export function closeByApplication(
  connection: QuicConnection,
  code: u64,
  reason: usize,
  reasonLen: u32,
): void {
  if (!isLive(connection)) return;
  connection.closeFlags = CloseFlag.APPLICATION;
  connection.closeCode = code;
  connection.closeStatus = Status.OK;
  keepReason(connection, reason, min(reasonLen, REASON_BYTES_MAX));
  closeNow(connection);
}

/** This side closes with the error code of `status`; `frameType` is that of the frame at fault, 0 if none is. */
export function closeWith(connection: QuicConnection, status: i32, frameType: u32): void {
  if (!isLive(connection)) return;
  const isTls = status <= -600 && status >= -699;
  connection.closeFlags = 0;
  connection.closeCode = isTls ? tlsErrorCode(status) : transportErrorOf(status);
  connection.closeFrameType = frameType;
  connection.closeStatus = status;
  if (blameOf(status) == Blame.PEER) count(Counter.PEER_ERRORS);
  closeNow(connection);
}

function closeNow(connection: QuicConnection): void {
  const periodMs = PERIOD_PTOS * probeTimeoutMs(rttOf(recoveryOf(connection)));
  const len = buildClose(connection);
  connection.closeDatagram = len != 0 ? slabAllocate(len) : 0;
  if (connection.closeDatagram != 0) {
    memory.copy(connection.closeDatagram, datagram, len);
    connection.closeDatagramLen = len;
    setBit(connection, QuicFlag.CLOSE_OWED);
  }
  connection.closeAnswerAt = 1;
  end(connection, Phase.CLOSING, periodMs);
  markDirty(connection);
}

/** The peer's CONNECTION_CLOSE was read: nothing more is sent (§10.2.2). */
export function closeOnFrame(connection: QuicConnection): void {
  connection.closeFlags = CloseFlag.REMOTE | (connectionCloseIsApplication ? CloseFlag.APPLICATION : 0);
  connection.closeCode = connectionCloseCode;
  const isError = connectionCloseIsApplication || connectionCloseCode != TransportError.NO_ERROR;
  connection.closeStatus = isError ? <i32>QuicStatus.CLOSED_BY_PEER : <i32>Status.OK;
  keepReason(connection, connectionCloseReasonPtr, min(connectionCloseReasonLen, REASON_BYTES_MAX));
  end(connection, Phase.DRAINING, PERIOD_PTOS * probeTimeoutMs(rttOf(recoveryOf(connection))));
}

/** Nothing is said to the peer: it is gone, it never was one, or it said that it knows nothing (§10.1, §10.3). */
export function closeSilently(connection: QuicConnection, status: i32): void {
  if (!isLive(connection)) return;
  connection.closeFlags = status == QuicStatus.STATELESS_RESET ? CloseFlag.REMOTE : 0;
  connection.closeCode = transportErrorOf(status);
  connection.closeStatus = status;
  end(connection, Phase.DRAINING, 0);
}

function end(connection: QuicConnection, phase: Phase, periodMs: f64): void {
  connection.phase = phase;
  connection.closeAtMs = nowMs + periodMs;
  if (periodMs == 0) setBit(connection, QuicFlag.IS_DONE);
  connection.endStatus = connection.closeStatus;
  markDirty(connection);
}

/** The host is told, once, when the application has looked at what came before (assembly/engine/quic.ts). */
export function closeTell(connection: QuicConnection): void {
  if (hasBit(connection, QuicFlag.CLOSE_TOLD)) return;
  setBit(connection, QuicFlag.CLOSE_TOLD);
  emitQuicClosed(
    EventKind.QUIC_CLOSED,
    connection.closeFlags,
    connection,
    connection.closeCode,
    <u32>connection.closeReason,
    connection.closeReasonLen,
    connection.closeStatus,
  );
  // The host reads events in order: what arrived before the end is still there when it hears of that.
  setBit(connection, QuicFlag.STRIP_OWED);
}

function keepReason(connection: QuicConnection, ptr: usize, len: u32): void {
  if (len == 0) return;
  const block = slabAllocate(len);
  if (block == 0) return;
  memory.copy(block, ptr, len);
  connection.closeReason = block;
  connection.closeReasonLen = len;
}

/** RFC 9000 §10.2.3: in every packet that the peer may have keys for. */
function buildClose(connection: QuicConnection): u32 {
  const budget = amplificationBudget(pathOf(connection));
  datagramBegin(datagram, min(DATAGRAM_BYTES, budget));
  if (connection.handshake != 0) {
    addClose(connection, PacketType.INITIAL);
    addClose(connection, PacketType.HANDSHAKE);
  }
  if (connection.keys != 0 && oneRttOf(connection).hasWrite) addClose(connection, PacketType.ONE_RTT);
  const isPadded = datagramHasInitial() && !isServer(connection);
  return packetsSeal(connection, isPadded ? INITIAL_DATAGRAM_BYTES_MIN : 0, 0);
}

function addClose(connection: QuicConnection, type: PacketType): void {
  if (type != PacketType.ONE_RTT) {
    const index = type == PacketType.INITIAL ? HandshakeKeys.INITIAL_WRITE : HandshakeKeys.HANDSHAKE_WRITE;
    if (!packetKeysExist(handshakeKeys(handshakeOf(connection), index))) return;
  }
  if (!recoveryHasSpace(recoveryOf(connection), spaceOfPacket(type))) return;
  if (!packetBegin(connection, type, pathsOf(connection).current)) return;
  if (!(connection.closeFlags & CloseFlag.APPLICATION)) {
    writeConnectionClose(
      frames,
      connection.closeCode,
      connection.closeFrameType,
      connection.closeReason,
      connection.closeReasonLen,
    );
  } else if (type == PacketType.ONE_RTT) {
    writeApplicationClose(frames, connection.closeCode, connection.closeReason, connection.closeReasonLen);
  } else {
    // RFC 9000 §10.2.3: what the application says is not shown before the peer is known.
    writeConnectionClose(frames, TransportError.APPLICATION_ERROR, 0, 0, 0);
  }
  packetEnd();
}

/** The closing datagram, when it is due. */
export function closeSend(connection: QuicConnection, dest: usize, capacity: u32): u32 {
  const len = connection.closeDatagramLen;
  if (!hasBit(connection, QuicFlag.CLOSE_OWED) || len > capacity) return 0;
  clearBit(connection, QuicFlag.CLOSE_OWED);
  if (len > amplificationBudget(pathOf(connection))) return 0;
  memory.copy(dest, connection.closeDatagram, len);
  pathOnSent(pathOf(connection), len);
  count(Counter.QUIC_DATAGRAMS_SENT);
  return len;
}

/** A datagram arrived for a connection that is over. RFC 9000 §10.2.1: answered, at a rate that falls. */
export function closeOnDatagram(connection: QuicConnection): void {
  if (connection.phase != Phase.CLOSING) return;
  connection.closeHeard++;
  if (connection.closeHeard < connection.closeAnswerAt) return;
  connection.closeAnswerAt *= 2;
  connection.closeHeard = 0;
  setBit(connection, QuicFlag.CLOSE_OWED);
  markDirty(connection);
}

/** Frees what closing kept. */
export function closeFree(connection: QuicConnection): void {
  if (connection.closeReason != 0) slabFree(connection.closeReason);
  if (connection.closeDatagram != 0) slabFree(connection.closeDatagram);
  connection.closeReason = 0;
  connection.closeDatagram = 0;
}
