/**
 * Content that the host lays out in frames itself: what is framed here never passes through linear memory. RFC 9113 §6.1.
 *
 * Only the headers of the DATA frames are written, one behind the other; the host puts a piece of content behind each. It
 * polls before and after, so that nothing can come between them.
 *
 * Invariant: content is framed this way only while no stream has anything queued. Streams that compete for a connection or
 * wait for a window go through their queues, so that schedule.ts decides who sends and deadlines.ts sees who is stalled.
 */
import { Counter } from "../abi/counter.ts";
import { FRAMED_CONTENT_BYTES } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { count } from "../session/counters.ts";
import { BodyFraming, Exchange, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { outputCommit, outputDirectRoom, outputPending, outputReserve } from "../session/output.ts";
import { H2Connection } from "./connection.ts";
import { FRAME_HEADER_BYTES, FrameFlag, FrameType, writeFrameHeader } from "./frame.ts";
import { h2CanSendContent } from "./send.ts";
import { H2Stream } from "./stream.ts";
import { spend } from "./transmit.ts";

/** Headers of one call: enough for every write that the host makes at once. */
const HEADER_COUNT_MAX: u32 = 64;

/**
 * Frames up to `len` bytes of content. Answers how many, in frames of FRAMED_CONTENT_BYTES of which only the last may hold less,
 * or INVALID_ARGUMENT when content has to go through `h2SendBody` now.
 */
export function h2FrameBody(exchange: Exchange, len: u64): i32 {
  const stream = changetype<H2Stream>(exchange);
  if (!h2CanSendContent(stream)) return Status.INVALID_STATE;
  if (stream.framing == BodyFraming.LENGTH && len > stream.sendRemaining)
    return Status.BODY_LONGER_THAN_DECLARED;
  // An answer without content: what is sent of it goes nowhere, or is refused.
  if (hasFlag(stream, ExchangeFlag.HEAD_ONLY) || stream.tunnel != 0) return Status.INVALID_ARGUMENT;
  if (stream.framing == BodyFraming.NONE && !hasFlag(stream, ExchangeFlag.TUNNEL))
    return Status.INVALID_ARGUMENT;
  const connection = changetype<H2Connection>(stream.connection);
  if (stream.output.length != 0 || connection.readyMask != 0) return Status.INVALID_ARGUMENT;
  if (outputPending(connection) != 0) return Status.INVALID_ARGUMENT;
  const credit = min(stream.sendWindow, connection.sendWindow);
  const most =
    min(HEADER_COUNT_MAX, outputDirectRoom(connection) / FRAME_HEADER_BYTES) * FRAMED_CONTENT_BYTES;
  if (credit <= 0 || most == 0) return Status.INVALID_ARGUMENT;
  const framed = <u32>min<u64>(min<u64>(len, <u64>credit), most);
  writeHeaders(connection, stream, framed);
  if (stream.framing == BodyFraming.LENGTH) stream.sendRemaining -= framed;
  count(Counter.BYTES_SENT, framed);
  return <i32>framed;
}

function writeHeaders(connection: H2Connection, stream: H2Stream, len: u32): void {
  let left = len;
  while (left != 0) {
    const n = min(left, FRAMED_CONTENT_BYTES);
    const dest = outputReserve(connection, connection.output, FRAME_HEADER_BYTES);
    writeFrameHeader(dest, n, FrameType.DATA, FrameFlag.NONE, stream.streamId);
    outputCommit(FRAME_HEADER_BYTES);
    spend(connection, stream, n);
    left -= n;
  }
}
