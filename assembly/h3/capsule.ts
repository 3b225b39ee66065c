/**
 * The capsule protocol, RFC 9297 §3, on the content of a session's request: a type and a length, then a payload, in whatever pieces.
 *
 *   Capsule {
 *     Capsule Type (i),
 *     Capsule Length (i),
 *     Capsule Value (..),
 *   }
 *
 * Capsules of an unknown type are passed over (§3.2). Those that mean something are kept until they are complete.
 */
import { EventKind } from "../abi/event.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { streamSendWhole } from "../quic/stream/application.ts";
import { markDirty } from "../session/dirty.ts";
import { emitTunnelEvent, hasEventRoom } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { scratchRegion } from "../session/regions.ts";
import { retireBlock } from "../session/retired.ts";
import { spendControl } from "./budget.ts";
import { H3Connection, transportOf } from "./connection.ts";
import { frameHeaderPush, FrameType } from "./frame.ts";
import { streamError } from "./lifecycle.ts";
import { h3SendBody } from "./send.ts";
import { sessionClosed } from "./session.ts";
import { endSession } from "./session_end.ts";
import { hasSession, SessionEnd, sessionOf, WebTransportSession } from "./session_state.ts";
import { connectionOfStream, H3Exchange, H3Stream, keepPayload, quicOf, streamOf } from "./stream.ts";
import { watchStreams } from "./watch.ts";

export const enum CapsuleType {
  /** RFC 9297 §3.5: an HTTP datagram. */
  DATAGRAM = 0x00,
  CLOSE_SESSION = 0x2843,
  DRAIN_SESSION = 0x78ae,
}

/** draft-ietf-webtrans-http3 §6: a code, then at most so many bytes of a reason. */
const CODE_BYTES: u32 = 4;
const REASON_BYTES_MAX: u32 = 1024;
const WORD_BYTES: u32 = sizeof<usize>();
/** What marks a variable-length integer of two bytes, and of four. */
const SHORT: u32 = 0x4000;
const LONG: u32 = 0x80000000;

/** Reads [ptr, ptr + len). Answers how much of it was taken: fewer than `len` only for want of room for events. */
export function receiveCapsules(h3: H3Connection, stream: H3Stream, ptr: usize, len: u32): u32 {
  const exchange = changetype<H3Exchange>(stream.exchange);
  const session = sessionOf(exchange);
  let at: u32 = 0;
  while (at < len && hasEventRoom(transportOf(h3).openExchangeCount)) {
    let status: i32 = Status.OK;
    if (session.isOver == <u8>SessionEnd.LOCAL) return len;
    if (session.isOver != <u8>SessionEnd.NONE) {
      // §6 of the draft: nothing follows the capsule that closes.
      status = H3Status.CAPSULE;
    } else if (!session.isInPayload) {
      if (!frameHeaderPush(session, load<u8>(ptr + at++))) continue;
      status = begin(h3, stream, session);
    } else {
      const part = <u32>min<u64>(len - at, session.left);
      if (session.isKept && !keepPayload(stream, ptr + at, part)) status = Status.MEMORY_FULL;
      at += part;
      session.left -= part;
    }
    if (status != Status.OK) {
      streamError(stream, status);
      break;
    }
    if (session.left != 0) continue;
    session.isInPayload = 0;
    if (session.isKept) complete(h3, stream, exchange);
  }
  return at;
}

/** A capsule begins. CAPSULE when it cannot be as long as it says (RFC 9297 §3.3). */
function begin(h3: H3Connection, stream: H3Stream, session: WebTransportSession): i32 {
  session.left = session.length;
  session.isInPayload = 1;
  session.isKept = 0;
  const isClose = session.type == CapsuleType.CLOSE_SESSION;
  const isDrain = session.type == CapsuleType.DRAIN_SESSION;
  if (isClose && session.length - CODE_BYTES > REASON_BYTES_MAX) return H3Status.CAPSULE;
  if (isDrain && session.length != 0) return H3Status.CAPSULE;
  if (!isClose) spendControl(h3);
  if (!isClose && !isDrain && session.type != CapsuleType.DATAGRAM) return Status.OK;
  if (session.length > limitU32(Limit.CAPSULE_BYTES)) {
    limitHit(Limit.CAPSULE_BYTES);
    return Status.OK;
  }
  session.isKept = 1;
  // The first word of the block is overwritten when it is retired.
  return keepPayload(stream, ptrOf(session), WORD_BYTES) ? <i32>Status.OK : <i32>Status.MEMORY_FULL;
}

/** A capsule is complete that means something. */
function complete(h3: H3Connection, stream: H3Stream, exchange: H3Exchange): void {
  const block = stream.block;
  const ptr = block + WORD_BYTES;
  const len = stream.blockLen - WORD_BYTES;
  stream.block = 0;
  stream.blockLen = 0;
  const type = sessionOf(exchange).type;
  if (type == CapsuleType.CLOSE_SESSION) {
    sessionClosed(h3, exchange, bswap<u32>(load<u32>(ptr)), ptr + CODE_BYTES, len - CODE_BYTES);
  } else {
    const kind = type == CapsuleType.DATAGRAM ? EventKind.SESSION_DATAGRAM : EventKind.SESSION_DRAIN;
    emitTunnelEvent(kind, 0, exchange, <u32>ptr, len, 0, 0);
  }
  retireBlock(block);
}

/**
 * Asks the peer to bring the session to an end; or closes it, with a code and a reason of at most REASON_BYTES_MAX bytes, and its stream
 * with it.
 */
export function h3EndSession(exchange: Exchange, isClose: bool, code: u32, reason: usize, len: u32): i32 {
  const own = changetype<H3Exchange>(exchange);
  if (len > REASON_BYTES_MAX) return Status.INVALID_ARGUMENT;
  if (!hasSession(own)) return Status.INVALID_STATE;
  const stream = streamOf(exchange);
  const h3 = connectionOfStream(stream);
  // All three integers in the same length, whatever they are: DATA's length, the capsule's type and length.
  const start = scratchRegion;
  const payloadLen: u32 = isClose ? CODE_BYTES + len : 0;
  store<u8>(start, <u8>FrameType.DATA);
  store<u16>(start, bswap(<u16>(SHORT | (payloadLen + 6))), 1);
  store<u32>(start, bswap<u32>(LONG | (isClose ? CapsuleType.CLOSE_SESSION : CapsuleType.DRAIN_SESSION)), 3);
  store<u16>(start, bswap(<u16>(SHORT | payloadLen)), 7);
  store<u32>(start, bswap(code), 9);
  memory.copy(start + 9 + CODE_BYTES, reason, len);
  if (isClose) endSession(h3, own);
  // What does not leave in time is cut by the deadline of output that stalls (CVE-2026-21435).
  const isSent = streamSendWhole(quicOf(stream), start, payloadLen + 9, false);
  if (!isSent) streamError(stream, Status.MEMORY_FULL);
  else if (isClose) h3SendBody(exchange, 0, 0, SendFlag.END);
  watchStreams(h3);
  markDirty(transportOf(h3));
  return isSent ? <i32>Status.OK : <i32>Status.MEMORY_FULL;
}

// @ts-ignore: decorator
@inline
function ptrOf(session: WebTransportSession): usize {
  return changetype<usize>(session);
}
