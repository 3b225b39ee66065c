/**
 * What a frame said, as one number, and the same frame written anew: reading what was written must say the same.
 *
 * Spans count by their content, so a frame says the same wherever it lies. Whatever a span names has to lie in what is read.
 */

import { sipHash13 } from "../../../../assembly/core/hash.ts";
import { writeBytes, writeU8, Writer } from "../../../../assembly/core/writer.ts";
import {
  ackCe,
  ackDelay,
  ackEct0,
  ackEct1,
  ackLargest,
  ackNextRange,
  ackRangeLargest,
  ackRangeSmallest,
} from "../../../../assembly/quic/wire/ack.ts";
import {
  connectionCloseCode,
  connectionCloseFrameType,
  connectionCloseReasonLen,
  connectionCloseReasonPtr,
  writeApplicationClose,
  writeConnectionClose,
} from "../../../../assembly/quic/wire/connection_close.ts";
import {
  cryptoLen,
  cryptoOffset,
  cryptoPtr,
  writeCryptoHeader,
} from "../../../../assembly/quic/wire/crypto.ts";
import { dataBlockedLimit, writeDataBlocked } from "../../../../assembly/quic/wire/data_blocked.ts";
import {
  datagramLen,
  datagramPtr,
  writeDatagramHeader,
} from "../../../../assembly/quic/wire/datagram_frame.ts";
import { FrameType } from "../../../../assembly/quic/wire/frame_type.ts";
import { maxDataLimit, writeMaxData } from "../../../../assembly/quic/wire/max_data.ts";
import {
  maxStreamDataId,
  maxStreamDataLimit,
  writeMaxStreamData,
} from "../../../../assembly/quic/wire/max_stream_data.ts";
import { maxStreamsLimit, writeMaxStreams } from "../../../../assembly/quic/wire/max_streams.ts";
import {
  newConnectionIdLen,
  newConnectionIdPtr,
  newConnectionIdRetirePriorTo,
  newConnectionIdSequence,
  newConnectionIdTokenPtr,
  RESET_TOKEN_BYTES,
  writeNewConnectionId,
} from "../../../../assembly/quic/wire/new_connection_id.ts";
import { newTokenLen, newTokenPtr, writeNewToken } from "../../../../assembly/quic/wire/new_token.ts";
import { pathChallengeData, writePathChallenge } from "../../../../assembly/quic/wire/path_challenge.ts";
import { pathResponseData, writePathResponse } from "../../../../assembly/quic/wire/path_response.ts";
import {
  resetStreamCode,
  resetStreamFinalSize,
  resetStreamId,
  writeResetStream,
} from "../../../../assembly/quic/wire/reset_stream.ts";
import {
  retireConnectionIdSequence,
  writeRetireConnectionId,
} from "../../../../assembly/quic/wire/retire_connection_id.ts";
import {
  stopSendingCode,
  stopSendingId,
  writeStopSending,
} from "../../../../assembly/quic/wire/stop_sending.ts";
import {
  streamDataBlockedId,
  streamDataBlockedLimit,
  writeStreamDataBlocked,
} from "../../../../assembly/quic/wire/stream_data_blocked.ts";
import {
  streamFrameFin,
  streamFrameId,
  streamFrameLen,
  streamFrameOffset,
  streamFramePtr,
  writeStreamHeader,
} from "../../../../assembly/quic/wire/stream.ts";
import { streamsBlockedLimit, writeStreamsBlocked } from "../../../../assembly/quic/wire/streams_blocked.ts";

/** What was folded since `foldStart`. */
export let digest: u64 = 0;
/** A span reached out of what was read, or the ranges of an ACK are out of order. */
export let isFoldFaulty: bool = false;
let spanStart: usize = 0;
let spanEnd: usize = 0;

/** Begins a digest of what is read in [ptr, ptr + len). */
export function foldStart(ptr: usize, len: u32): void {
  digest = 0xcbf29ce484222325;
  isFoldFaulty = false;
  spanStart = ptr;
  spanEnd = ptr + len;
}

export function fold(value: u64): void {
  digest = rotl((digest ^ value) * 0x9e3779b97f4a7c15, 23);
}

export function foldSpan(ptr: usize, len: u32): void {
  fold(len);
  if (len == 0) return;
  if (ptr < spanStart || ptr > spanEnd || len > <u32>(spanEnd - ptr)) isFoldFaulty = true;
  else fold(sipHash13(ptr, len));
}

/** Whether `writeFrame` knows the type. An ACK's ranges are for whoever has them to write. */
export function isWritable(type: i32): bool {
  return type != FrameType.ACK && type != FrameType.ACK_ECN && type != FrameType.PADDING;
}

/** Folds the frame that was read last. */
export function foldFrame(type: i32): void {
  const isStream = type >= FrameType.STREAM && type < FrameType.MAX_DATA;
  switch (isStream ? FrameType.STREAM : type) {
    case FrameType.ACK:
    case FrameType.ACK_ECN:
      return foldAck();
    case FrameType.RESET_STREAM:
      fold(resetStreamId);
      fold(resetStreamCode);
      return fold(resetStreamFinalSize);
    case FrameType.STOP_SENDING:
      fold(stopSendingId);
      return fold(stopSendingCode);
    case FrameType.CRYPTO:
      fold(cryptoOffset);
      return foldSpan(cryptoPtr, cryptoLen);
    case FrameType.NEW_TOKEN:
      return foldSpan(newTokenPtr, newTokenLen);
    case FrameType.STREAM:
      fold(streamFrameId);
      fold(streamFrameOffset);
      fold(u64(streamFrameFin));
      return foldSpan(streamFramePtr, streamFrameLen);
    case FrameType.MAX_DATA:
      return fold(maxDataLimit);
    case FrameType.MAX_STREAM_DATA:
      fold(maxStreamDataId);
      return fold(maxStreamDataLimit);
    case FrameType.MAX_STREAMS_BIDI:
    case FrameType.MAX_STREAMS_UNI:
      return fold(maxStreamsLimit);
    case FrameType.DATA_BLOCKED:
      return fold(dataBlockedLimit);
    case FrameType.STREAM_DATA_BLOCKED:
      fold(streamDataBlockedId);
      return fold(streamDataBlockedLimit);
    case FrameType.STREAMS_BLOCKED_BIDI:
    case FrameType.STREAMS_BLOCKED_UNI:
      return fold(streamsBlockedLimit);
    case FrameType.NEW_CONNECTION_ID:
      fold(newConnectionIdSequence);
      fold(newConnectionIdRetirePriorTo);
      foldSpan(newConnectionIdPtr, newConnectionIdLen);
      return foldSpan(newConnectionIdTokenPtr, RESET_TOKEN_BYTES);
    case FrameType.RETIRE_CONNECTION_ID:
      return fold(retireConnectionIdSequence);
    case FrameType.PATH_CHALLENGE:
      return fold(pathChallengeData);
    case FrameType.PATH_RESPONSE:
      return fold(pathResponseData);
    case FrameType.CONNECTION_CLOSE:
    case FrameType.CONNECTION_CLOSE_APPLICATION:
      fold(connectionCloseCode);
      fold(connectionCloseFrameType);
      return foldSpan(connectionCloseReasonPtr, connectionCloseReasonLen);
    case FrameType.DATAGRAM:
    case FrameType.DATAGRAM_WITH_LENGTH:
      return foldSpan(datagramPtr, datagramLen);
  }
}

function foldAck(): void {
  fold(ackLargest);
  fold(ackDelay);
  fold(ackEct0);
  fold(ackEct1);
  fold(ackCe);
  let previous: i64 = i64.MAX_VALUE;
  while (ackNextRange()) {
    fold(ackRangeLargest);
    fold(ackRangeSmallest);
    const isApart = ackRangeLargest < previous - 1;
    if (!isApart || ackRangeSmallest < 0 || ackRangeSmallest > ackRangeLargest) isFoldFaulty = true;
    previous = ackRangeSmallest;
  }
}

/** Writes the frame that was read last, if `isWritable`. */
export function writeFrame(writer: Writer, type: i32): void {
  if (type >= FrameType.STREAM && type < FrameType.MAX_DATA) {
    writeStreamHeader(writer, streamFrameId, streamFrameOffset, streamFrameLen, streamFrameFin, true);
    return writeBytes(writer, streamFramePtr, streamFrameLen);
  }
  switch (type) {
    case FrameType.RESET_STREAM:
      return writeResetStream(writer, resetStreamId, resetStreamCode, resetStreamFinalSize);
    case FrameType.STOP_SENDING:
      return writeStopSending(writer, stopSendingId, stopSendingCode);
    case FrameType.CRYPTO:
      writeCryptoHeader(writer, cryptoOffset, cryptoLen);
      return writeBytes(writer, cryptoPtr, cryptoLen);
    case FrameType.NEW_TOKEN:
      return writeNewToken(writer, newTokenPtr, newTokenLen);
    case FrameType.MAX_DATA:
      return writeMaxData(writer, maxDataLimit);
    case FrameType.MAX_STREAM_DATA:
      return writeMaxStreamData(writer, maxStreamDataId, maxStreamDataLimit);
    case FrameType.MAX_STREAMS_BIDI:
    case FrameType.MAX_STREAMS_UNI:
      return writeMaxStreams(writer, type == FrameType.MAX_STREAMS_UNI, maxStreamsLimit);
    case FrameType.DATA_BLOCKED:
      return writeDataBlocked(writer, dataBlockedLimit);
    case FrameType.STREAM_DATA_BLOCKED:
      return writeStreamDataBlocked(writer, streamDataBlockedId, streamDataBlockedLimit);
    case FrameType.STREAMS_BLOCKED_BIDI:
    case FrameType.STREAMS_BLOCKED_UNI:
      return writeStreamsBlocked(writer, type == FrameType.STREAMS_BLOCKED_UNI, streamsBlockedLimit);
    case FrameType.NEW_CONNECTION_ID:
      return writeNewConnectionId(
        writer,
        newConnectionIdSequence,
        newConnectionIdRetirePriorTo,
        newConnectionIdPtr,
        newConnectionIdLen,
        newConnectionIdTokenPtr,
      );
    case FrameType.RETIRE_CONNECTION_ID:
      return writeRetireConnectionId(writer, retireConnectionIdSequence);
    case FrameType.PATH_CHALLENGE:
      return writePathChallenge(writer, pathChallengeData);
    case FrameType.PATH_RESPONSE:
      return writePathResponse(writer, pathResponseData);
    case FrameType.CONNECTION_CLOSE:
      return writeConnectionClose(
        writer,
        connectionCloseCode,
        connectionCloseFrameType,
        connectionCloseReasonPtr,
        connectionCloseReasonLen,
      );
    case FrameType.CONNECTION_CLOSE_APPLICATION:
      return writeApplicationClose(
        writer,
        connectionCloseCode,
        connectionCloseReasonPtr,
        connectionCloseReasonLen,
      );
    case FrameType.DATAGRAM:
    case FrameType.DATAGRAM_WITH_LENGTH:
      writeDatagramHeader(writer, datagramLen, true);
      return writeBytes(writer, datagramPtr, datagramLen);
  }
  // PING and HANDSHAKE_DONE are their type.
  writeU8(writer, type);
}
