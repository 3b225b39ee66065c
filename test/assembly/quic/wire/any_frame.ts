/** Reads the next frame, whatever it is: the loop of a connection without the connection. */

import { Status } from "../../../../assembly/abi/status.ts";
import { Reader } from "../../../../assembly/core/reader.ts";
import {
  ackNextRange,
  ackRangeLargest,
  ackRangeSmallest,
  readAck,
} from "../../../../assembly/quic/wire/ack.ts";
import { readConnectionClose } from "../../../../assembly/quic/wire/connection_close.ts";
import { readCrypto } from "../../../../assembly/quic/wire/crypto.ts";
import { readDataBlocked } from "../../../../assembly/quic/wire/data_blocked.ts";
import { readDatagram } from "../../../../assembly/quic/wire/datagram_frame.ts";
import { FrameType, readFrameType } from "../../../../assembly/quic/wire/frame_type.ts";
import { readMaxData } from "../../../../assembly/quic/wire/max_data.ts";
import { readMaxStreamData } from "../../../../assembly/quic/wire/max_stream_data.ts";
import { readMaxStreams } from "../../../../assembly/quic/wire/max_streams.ts";
import { readNewConnectionId } from "../../../../assembly/quic/wire/new_connection_id.ts";
import { readNewToken } from "../../../../assembly/quic/wire/new_token.ts";
import { PacketType } from "../../../../assembly/quic/wire/packet_type.ts";
import { readPadding } from "../../../../assembly/quic/wire/padding.ts";
import { readPathChallenge } from "../../../../assembly/quic/wire/path_challenge.ts";
import { readPathResponse } from "../../../../assembly/quic/wire/path_response.ts";
import { readResetStream } from "../../../../assembly/quic/wire/reset_stream.ts";
import { readRetireConnectionId } from "../../../../assembly/quic/wire/retire_connection_id.ts";
import { readStopSending } from "../../../../assembly/quic/wire/stop_sending.ts";
import { readStream } from "../../../../assembly/quic/wire/stream.ts";
import { readStreamDataBlocked } from "../../../../assembly/quic/wire/stream_data_blocked.ts";
import { readStreamsBlocked } from "../../../../assembly/quic/wire/streams_blocked.ts";

/** Type of the frame that was read last. */
export let anyFrameType: i32 = 0;

export function readAnyFrame(reader: Reader, packetType: PacketType, isFromServer: bool): i32 {
  const type = readFrameType(reader, packetType, isFromServer);
  anyFrameType = type;
  if (type < 0) return type;
  if (type >= FrameType.STREAM && type < FrameType.MAX_DATA) return readStream(reader, type);
  switch (type) {
    case FrameType.PADDING:
      readPadding(reader);
      return Status.OK;
    case FrameType.ACK:
    case FrameType.ACK_ECN:
      return readAck(reader, type);
    case FrameType.RESET_STREAM:
      return readResetStream(reader);
    case FrameType.STOP_SENDING:
      return readStopSending(reader);
    case FrameType.CRYPTO:
      return readCrypto(reader);
    case FrameType.NEW_TOKEN:
      return readNewToken(reader);
    case FrameType.MAX_DATA:
      return readMaxData(reader);
    case FrameType.MAX_STREAM_DATA:
      return readMaxStreamData(reader);
    case FrameType.MAX_STREAMS_BIDI:
    case FrameType.MAX_STREAMS_UNI:
      return readMaxStreams(reader);
    case FrameType.DATA_BLOCKED:
      return readDataBlocked(reader);
    case FrameType.STREAM_DATA_BLOCKED:
      return readStreamDataBlocked(reader);
    case FrameType.STREAMS_BLOCKED_BIDI:
    case FrameType.STREAMS_BLOCKED_UNI:
      return readStreamsBlocked(reader);
    case FrameType.NEW_CONNECTION_ID:
      return readNewConnectionId(reader);
    case FrameType.RETIRE_CONNECTION_ID:
      return readRetireConnectionId(reader);
    case FrameType.PATH_CHALLENGE:
      return readPathChallenge(reader);
    case FrameType.PATH_RESPONSE:
      return readPathResponse(reader);
    case FrameType.CONNECTION_CLOSE:
    case FrameType.CONNECTION_CLOSE_APPLICATION:
      return readConnectionClose(reader, type);
    case FrameType.DATAGRAM:
    case FrameType.DATAGRAM_WITH_LENGTH:
      return readDatagram(reader, type);
  }
  return Status.OK;
}

/** Walks the ranges of the ACK that was read last; answers how many, or -1 when they are not in order and apart. */
export function walkAckRanges(): i32 {
  let count = 0;
  let previous: i64 = i64.MAX_VALUE;
  while (ackNextRange()) {
    if (ackRangeSmallest < 0 || ackRangeSmallest > ackRangeLargest || ackRangeLargest >= previous - 1)
      return -1;
    previous = ackRangeSmallest;
    count++;
  }
  return count;
}
