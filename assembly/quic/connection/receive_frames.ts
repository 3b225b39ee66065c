/**
 * The frames of a packet that is genuine: read, checked against the packet they stand in, and given to whom they concern.
 * RFC 9000 §12.4, §13, §19.
 */
import { EventKind } from "../../abi/event.ts";
import { Status } from "../../abi/status.ts";
import { Reader, readerLeft, readerOpen } from "../../core/reader.ts";
import { nowMs } from "../../session/deadline.ts";
import { emitConnectionBytes } from "../../session/events.ts";
import { recoveryOnAck } from "../recovery/acknowledgement.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import {
  isWholeInPacket,
  streamsOnDatagram,
  streamsOnMaxData,
  streamsOnMaxStreamData,
  streamsOnMaxStreams,
  streamsOnResetStream,
  streamsOnStopSending,
  streamsOnStream,
  streamsOnStreamDataBlocked,
  streamsOnStreamsBlocked,
} from "../stream/receive_frames.ts";
import { readAck } from "../wire/ack.ts";
import { readConnectionClose } from "../wire/connection_close.ts";
import { readCrypto } from "../wire/crypto.ts";
import { readDataBlocked } from "../wire/data_blocked.ts";
import { datagramFrameLen, datagramLen, datagramPtr, readDatagram } from "../wire/datagram_frame.ts";
import { FrameType, isAckEliciting, isProbing, readFrameType } from "../wire/frame_type.ts";
import { maxDataLimit, readMaxData } from "../wire/max_data.ts";
import { maxStreamDataId, maxStreamDataLimit, readMaxStreamData } from "../wire/max_stream_data.ts";
import { maxStreamsLimit, readMaxStreams } from "../wire/max_streams.ts";
import { readNewConnectionId } from "../wire/new_connection_id.ts";
import { newTokenLen, newTokenPtr, readNewToken } from "../wire/new_token.ts";
import { PacketType } from "../wire/packet_type.ts";
import { readPadding } from "../wire/padding.ts";
import { pathChallengeData, readPathChallenge } from "../wire/path_challenge.ts";
import { pathResponseData, readPathResponse } from "../wire/path_response.ts";
import {
  readResetStream,
  resetStreamCode,
  resetStreamFinalSize,
  resetStreamId,
} from "../wire/reset_stream.ts";
import { readRetireConnectionId } from "../wire/retire_connection_id.ts";
import { readStopSending, stopSendingCode, stopSendingId } from "../wire/stop_sending.ts";
import {
  readStream,
  streamFrameFin,
  streamFrameId,
  streamFrameLen,
  streamFrameOffset,
  streamFramePtr,
} from "../wire/stream.ts";
import { readStreamDataBlocked, streamDataBlockedId } from "../wire/stream_data_blocked.ts";
import { readStreamsBlocked, streamsBlockedLimit } from "../wire/streams_blocked.ts";
import { closeOnFrame } from "./close.ts";
import { isLive, isServer, QuicConnection, recoveryOf, streamsOfConnection } from "./connection.ts";
import { settleFates } from "./fates.ts";
import { glitch } from "./glitches.ts";
import { handshakeConfirm, handshakeReceive } from "./handshake.ts";
import { onNewConnectionId, onRetireConnectionId } from "./ids.ts";
import { migrateToPreferred, onPathChallenge, onPathResponse } from "./migration.ts";

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** What the frames of the packet that was read last were: to be acknowledged; all of them probing (RFC 9000 §9.1). */
export let areFramesEliciting: bool = false;
export let areFramesProbing: bool = false;
/** Type of the frame that was read last: for the field of CONNECTION_CLOSE. */
export let lastFrameType: u32 = 0;
/** The packet has challenged its path: one response is owed for it, not one for each of a hundred frames (CVE-2023-49295). */
let hasChallenged: bool = false;

type Reading = (connection: QuicConnection) => void;

let readBy: Reading = (_connection: QuicConnection): void => {};
let isReadInPlace: bool = true;

/** Puts in place who reads a stream that came whole, such as a short request, where it lies in the packet. */
export function wholeStreamsReadBy(reading: Reading): void {
  readBy = reading;
}

/** Whether packets lie where they stay until the host's next call, as those of a batch do. */
export function setReadInPlace(isAllowed: bool): void {
  isReadInPlace = isAllowed;
}

/** Reads [ptr, ptr + len). A negative status ends the connection. */
export function receiveFrames(connection: QuicConnection, packetType: PacketType, ptr: usize, len: u32): i32 {
  areFramesEliciting = false;
  areFramesProbing = true;
  hasChallenged = false;
  readerOpen(reader, ptr, len);
  const isFromServer = !isServer(connection);
  while (readerLeft(reader) != 0) {
    const type = readFrameType(reader, packetType, isFromServer);
    if (type < 0) return type;
    lastFrameType = type;
    if (isAckEliciting(type)) areFramesEliciting = true;
    if (!isProbing(type)) areFramesProbing = false;
    const status = receiveFrame(connection, packetType, type);
    if (status < 0) return status;
    // Closed by the peer, or by TLS: what follows concerns nobody.
    if (!isLive(connection)) break;
  }
  return Status.OK;
}

function receiveFrame(connection: QuicConnection, packetType: PacketType, type: u32): i32 {
  if (type >= <u32>FrameType.STREAM && type < <u32>FrameType.MAX_DATA) return receiveStream(connection, type);
  const set = streamsOfConnection(connection);
  let status: i32 = 0;
  switch (type) {
    case FrameType.PADDING:
      readPadding(reader);
      return Status.OK;
    case FrameType.PING:
      return glitch(connection);
    case FrameType.ACK:
    case FrameType.ACK_ECN:
      return receiveAck(connection, packetType, type);
    case FrameType.CRYPTO:
      status = readCrypto(reader);
      return status < 0 ? status : handshakeReceive(connection, packetType);
    case FrameType.RESET_STREAM:
      status = readResetStream(reader);
      if (status == Status.OK)
        status = streamsOnResetStream(set, resetStreamId, resetStreamCode, resetStreamFinalSize);
      return status < 0 ? status : glitch(connection);
    case FrameType.STOP_SENDING:
      status = readStopSending(reader);
      if (status == Status.OK) status = streamsOnStopSending(set, stopSendingId, stopSendingCode);
      return status < 0 ? status : glitch(connection);
    case FrameType.MAX_DATA:
      status = readMaxData(reader);
      if (status < 0) return status;
      if (maxDataLimit <= set.sendMost) status = glitch(connection);
      streamsOnMaxData(set, maxDataLimit);
      return status;
    case FrameType.MAX_STREAM_DATA:
      status = readMaxStreamData(reader);
      return status < 0 ? status : streamsOnMaxStreamData(set, maxStreamDataId, maxStreamDataLimit);
    case FrameType.MAX_STREAMS_BIDI:
    case FrameType.MAX_STREAMS_UNI:
      status = readMaxStreams(reader);
      return status < 0
        ? status
        : streamsOnMaxStreams(set, type == FrameType.MAX_STREAMS_UNI, maxStreamsLimit);
    case FrameType.DATA_BLOCKED:
      status = readDataBlocked(reader);
      return status < 0 ? status : glitch(connection);
    case FrameType.STREAM_DATA_BLOCKED:
      status = readStreamDataBlocked(reader);
      if (status == Status.OK) status = streamsOnStreamDataBlocked(set, streamDataBlockedId);
      return status < 0 ? status : glitch(connection);
    case FrameType.STREAMS_BLOCKED_BIDI:
    case FrameType.STREAMS_BLOCKED_UNI:
      status = readStreamsBlocked(reader);
      if (status == Status.OK) status = streamsOnStreamsBlocked(streamsBlockedLimit);
      return status < 0 ? status : glitch(connection);
    case FrameType.NEW_CONNECTION_ID:
      status = readNewConnectionId(reader);
      return status < 0 ? status : onNewConnectionId(connection);
    case FrameType.RETIRE_CONNECTION_ID:
      status = readRetireConnectionId(reader);
      return status < 0 ? status : onRetireConnectionId(connection);
    case FrameType.NEW_TOKEN:
      status = readNewToken(reader);
      if (status == Status.OK)
        emitConnectionBytes(EventKind.QUIC_TOKEN, 0, connection, <u32>newTokenPtr, newTokenLen, 0, 0);
      return status < 0 ? status : glitch(connection);
    case FrameType.PATH_CHALLENGE:
      status = readPathChallenge(reader);
      if (status < 0) return status;
      // RFC 9000 §8.2.1: more than one SHOULD NOT be in a packet.
      if (!hasChallenged) onPathChallenge(connection, pathChallengeData);
      hasChallenged = true;
      return glitch(connection);
    case FrameType.PATH_RESPONSE:
      status = readPathResponse(reader);
      if (status < 0) return status;
      onPathResponse(connection, pathResponseData);
      return glitch(connection);
    case FrameType.HANDSHAKE_DONE:
      if (handshakeConfirm(connection)) migrateToPreferred(connection);
      return Status.OK;
    case FrameType.CONNECTION_CLOSE:
    case FrameType.CONNECTION_CLOSE_APPLICATION:
      status = readConnectionClose(reader, type);
      if (status == Status.OK) closeOnFrame(connection);
      return status;
  }
  status = readDatagram(reader, type);
  return status < 0 ? status : streamsOnDatagram(set, datagramPtr, datagramLen, datagramFrameLen);
}

function receiveStream(connection: QuicConnection, type: u32): i32 {
  const status = readStream(reader, type);
  if (status < 0) return status;
  // Empty frames that end nothing, CVE-2019-9518's sibling.
  if (streamFrameLen == 0 && !streamFrameFin) {
    const flood = glitch(connection);
    if (flood < 0) return flood;
  }
  const set = streamsOfConnection(connection);
  const taken = streamsOnStream(
    set,
    streamFrameId,
    streamFrameOffset,
    streamFramePtr,
    streamFrameLen,
    streamFrameFin,
  );
  if (taken == Status.OK && isReadInPlace && isWholeInPacket(set)) readBy(connection);
  return taken;
}

function receiveAck(connection: QuicConnection, packetType: PacketType, type: u32): i32 {
  let status = readAck(reader, type);
  if (status < 0) return status;
  const isApplication = packetType == PacketType.ONE_RTT;
  const space = isApplication
    ? SpaceId.APPLICATION
    : packetType == PacketType.INITIAL
      ? SpaceId.INITIAL
      : SpaceId.HANDSHAKE;
  // RFC 9000 §18.2: below 1-RTT the exponent is the default.
  const exponent = isApplication ? connection.ackExponent : 3;
  const recovery = recoveryOf(connection);
  const before = recovery.ackedHead;
  status = recoveryOnAck(recovery, space, type, exponent, nowMs);
  if (status < 0) return status;
  const isUseless = before == 0 && recovery.ackedHead == 0;
  settleFates(connection);
  return isUseless ? glitch(connection) : <i32>Status.OK;
}
