/**
 * The bytes of TLS at one encryption level, in CRYPTO frames: RFC 9000 §7.5, §19.6. A stream without flow control, bounded by
 * the limit QUIC_CRYPTO_BYTES instead.
 */
import { Limit } from "../../abi/limit.ts";
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { writeSpan, Writer, writerRoom } from "../../core/writer.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { ReceiveBuffer, receiveBufferClear, receiveBufferInsert } from "../stream/receive_buffer.ts";
import {
  SendBuffer,
  sendBufferAcked,
  sendBufferAppend,
  sendBufferClear,
  sendBufferLost,
  sendBufferNext,
  sendBufferNextLength,
  sendBufferSend,
} from "../stream/send_buffer.ts";
import { cryptoHeaderBytes, cryptoLen, cryptoOffset, cryptoPtr, writeCryptoHeader } from "../wire/crypto.ts";
import { FrameType } from "../wire/frame_type.ts";
import { SentFrame, sentFrameAdd, SentFrameList, sentFrameRoom } from "../wire/sent_frame.ts";

/** Gaps that a flight in fragments may have: Chromium's first one comes in about twenty. */
const GAPS_MOST: u32 = 64;
/** A CRYPTO frame with less content is not begun. */
const LEAST_CONTENT: u32 = 8;

/** A ReceiveBuffer, and behind it a SendBuffer. All bytes zero = empty. */
@unmanaged
export class CryptoStream extends ReceiveBuffer {}

const SEND_OFFSET: usize = (offsetof<ReceiveBuffer>() + 7) & ~7;
export const CRYPTO_STREAM_BYTES: u32 = <u32>(SEND_OFFSET + ((offsetof<SendBuffer>() + 7) & ~7));

// @ts-ignore: decorator
@inline
function outgoingOf(stream: CryptoStream): SendBuffer {
  return changetype<SendBuffer>(changetype<usize>(stream) + SEND_OFFSET);
}

/** Keeps the CRYPTO frame that was read last. */
export function cryptoReceive(stream: CryptoStream): i32 {
  const most = limitU32(Limit.QUIC_CRYPTO_BYTES);
  if (cryptoOffset + cryptoLen > stream.readOffset + most) {
    limitHit(Limit.QUIC_CRYPTO_BYTES);
    return QuicStatus.CRYPTO_BUFFER_EXCEEDED;
  }
  const status = receiveBufferInsert(stream, cryptoOffset, cryptoPtr, cryptoLen, GAPS_MOST);
  if (status != Status.QUIC_STREAM_FRAGMENTS) return status;
  limitHit(Limit.QUIC_CRYPTO_BYTES);
  return QuicStatus.CRYPTO_BUFFER_EXCEEDED;
}

/** Has [ptr, ptr + len) sent. False when the memory is full. */
export function cryptoSend(stream: CryptoStream, ptr: usize, len: u32): bool {
  return sendBufferAppend(outgoingOf(stream), ptr, len) == len;
}

/** Whether bytes wait to be sent, for the first time or again. */
export function cryptoHasFrames(stream: CryptoStream): bool {
  return sendBufferNextLength(outgoingOf(stream), u64.MAX_VALUE) != 0;
}

/** Writes CRYPTO frames as far as they fit. */
export function cryptoWriteFrames(stream: CryptoStream, writer: Writer, list: SentFrameList): void {
  const buffer = outgoingOf(stream);
  while (sentFrameRoom(list) != 0) {
    const waiting = sendBufferNextLength(buffer, u64.MAX_VALUE);
    if (waiting == 0) return;
    const offset = sendBufferNext(buffer);
    const room = writerRoom(writer);
    const header = cryptoHeaderBytes(offset, room);
    if (room < header + LEAST_CONTENT) return;
    const len = <u32>min(waiting, <u64>(room - header));
    sentFrameAdd(list, FrameType.CRYPTO, 0, 0, offset, len);
    writeCryptoHeader(writer, offset, len);
    sendBufferSend(buffer, offset, writeSpan(writer, len), len);
  }
}

export function cryptoOnAcked(stream: CryptoStream, frame: SentFrame): void {
  sendBufferAcked(outgoingOf(stream), frame.offset, frame.length);
}

export function cryptoOnLost(stream: CryptoStream, frame: SentFrame): void {
  sendBufferLost(outgoingOf(stream), frame.offset, frame.length);
}

export function cryptoClear(stream: CryptoStream): void {
  receiveBufferClear(stream);
  sendBufferClear(outgoingOf(stream));
}
