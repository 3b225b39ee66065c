/**
 * The sending half of a WebSocket, both roles: frames around what the host hands over, and the control frames that the engine
 * itself sends. RFC 6455 §5, §6.1.
 *
 * A message that fits goes out whole, in one frame: its header is written into the room in front of its payload, so that header
 * and payload are one piece. A longer one is begun (`socketBeginMessage`) and its payload handed over in parts; until that is
 * complete no other frame may be sent, so a pong or a close frame waits.
 *
 * A client masks (§5.3) where the payload lies, with a key from the instance's generator, which a peer cannot predict.
 */

import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { FRAME_HEADER_ROOM, MessageKind } from "../abi/web_socket.ts";
import { randomFill } from "../crypto/drbg.ts";
import { Exchange } from "../session/exchange.ts";
import { carrierAwaitRoom, carrierRoom, carrierSend } from "../session/tunnel.ts";
import {
  CONTROL_PAYLOAD_BYTES_MAX,
  FRAME_HEADER_BYTES_MAX,
  writeFrameHeader,
  writeMaskedFrameHeader,
} from "./frame_header.ts";
import { maskBytes } from "./mask.ts";
import { FrameBit, Opcode } from "./opcode.ts";
import {
  hasPendingPong,
  pendingPongClear,
  pendingPongLen,
  pendingPongPtr,
  pendingPongSet,
} from "./pending_pong.ts";
import { exchangeOfSocket, pendingOf, receiverOf, Socket, socketOf, SocketState } from "./socket.ts";

/** A control frame that fits beside what waits; a pong that finds less room waits, and only the latest does. */
const CONTROL_ROOM: u32 = 8192;
const CONTROL_FRAME_BYTES: u32 = FRAME_HEADER_BYTES_MAX + CONTROL_PAYLOAD_BYTES_MAX;
/** Most that a header with a key takes, for the lengths of whole messages. */
const controlFrame: usize = memory.data(<u32>FRAME_HEADER_ROOM + CONTROL_FRAME_BYTES, 16);
const maskKey: usize = memory.data(4, 4);

/**
 * Sends a whole message whose payload lies at [ptr, ptr + len), with FRAME_HEADER_ROOM writable bytes in front of it; a client's
 * payload is masked there. Status.OK, or WOULD_BLOCK, after which WRITABLE follows.
 */
export function socketSendMessage(exchange: Exchange, kind: u32, ptr: usize, len: u32): i32 {
  const socket = socketOf(exchange);
  const status = canBeginMessage(socket, kind);
  if (status != Status.OK) return status;
  if (socket.sendRemaining != 0 || carrierRoom(exchange) < len + FRAME_HEADER_BYTES_MAX) {
    return waitForRoom(socket, exchange);
  }
  return sendFrame(socket, exchange, firstByteOf(kind), ptr, len) ? Status.OK : Status.MEMORY_FULL;
}

/** Writes an unmasked header in front of the payload at `ptr`. Answers its length. */
export function socketEncodeMessage(kind: u32, ptr: usize, len: u32): u32 {
  const headerLen = lengthOfHeader(len);
  writeFrameHeader(ptr - headerLen, firstByteOf(kind), len);
  return headerLen;
}

/** Sends the header of a message of `len` bytes; its payload follows. Status.OK, or WOULD_BLOCK, after which WRITABLE follows. */
export function socketBeginMessage(exchange: Exchange, kind: u32, len: u64): i32 {
  const socket = socketOf(exchange);
  const status = canBeginMessage(socket, kind);
  if (status != Status.OK) return status;
  if (socket.sendRemaining != 0 || carrierRoom(exchange) < FRAME_HEADER_BYTES_MAX) {
    return waitForRoom(socket, exchange);
  }
  let headerLen: u32 = 0;
  if (receiverOf(socket).role == Role.CLIENT) {
    socket.sendMaskKey = nextMaskKey();
    headerLen = writeMaskedFrameHeader(controlFrame, firstByteOf(kind), len, socket.sendMaskKey);
  } else {
    headerLen = writeFrameHeader(controlFrame, firstByteOf(kind), len);
  }
  if (!carrierSend(exchange, controlFrame, headerLen)) return Status.MEMORY_FULL;
  socket.sendRemaining = len;
  return Status.OK;
}

/** Payload of the message begun last. Answers how much was taken; after less than `len` WRITABLE follows. */
export function socketSendPayload(exchange: Exchange, ptr: usize, len: u32): i32 {
  const socket = socketOf(exchange);
  if (socket.state == SocketState.ENDED || <u64>len > socket.sendRemaining) return Status.INVALID_STATE;
  const taken = min(len, carrierRoom(exchange));
  if (taken != 0) {
    if (receiverOf(socket).role == Role.CLIENT) {
      socket.sendMaskKey = maskBytes(ptr, taken, socket.sendMaskKey);
    }
    if (!carrierSend(exchange, ptr, taken)) return Status.MEMORY_FULL;
    socket.sendRemaining -= taken;
    if (socket.sendRemaining == 0) sendPending(socket);
  }
  if (taken < len) waitForRoom(socket, exchange);
  return taken;
}

/** The host's own socket writes the payload of the message begun last, right behind what is polled. */
export function socketSkipPayload(exchange: Exchange): void {
  socketOf(exchange).sendRemaining = 0;
}

/** Sends a ping of the host. */
export function socketSendPing(exchange: Exchange, ptr: usize, len: u32): i32 {
  const socket = socketOf(exchange);
  if (socket.state != SocketState.OPEN) return Status.INVALID_STATE;
  if (len > CONTROL_PAYLOAD_BYTES_MAX) return Status.INVALID_ARGUMENT;
  if (!hasControlRoom(socket)) return waitForRoom(socket, exchange);
  return sendControl(socket, Opcode.PING, ptr, len) ? Status.OK : Status.MEMORY_FULL;
}

/** Answers a ping, at once or when there is room; then only the latest is answered (§5.5.3). */
export function socketSendPong(exchange: Exchange, ptr: usize, len: u32): i32 {
  const socket = socketOf(exchange);
  const isOpen = socket.state == SocketState.OPEN || socket.state == SocketState.ANSWERING;
  if (!isOpen || socket.isClosePending) return Status.INVALID_STATE;
  if (len > CONTROL_PAYLOAD_BYTES_MAX) return Status.INVALID_ARGUMENT;
  if (hasControlRoom(socket) && sendControl(socket, Opcode.PONG, ptr, len)) {
    pendingPongClear(pendingOf(socket));
    return Status.OK;
  }
  pendingPongSet(pendingOf(socket), ptr, len);
  carrierAwaitRoom(exchange);
  return Status.OK;
}

/**
 * Sends a close frame with the body [ptr, ptr + len), or keeps it until the message under way is complete. A pong that waits is
 * forgotten: nothing may follow the close frame (§5.5.1).
 */
export function sendClose(socket: Socket, ptr: usize, len: u32): void {
  const pending = pendingOf(socket);
  pendingPongClear(pending);
  if (socket.sendRemaining == 0 && sendControl(socket, Opcode.CLOSE, ptr, len)) return;
  pendingPongSet(pending, ptr, len);
  socket.isClosePending = true;
}

/** Sends the control frame that waits, if it can be sent now. */
export function sendPending(socket: Socket): void {
  const pending = pendingOf(socket);
  if (!hasPendingPong(pending) || socket.state == SocketState.ENDED || !hasControlRoom(socket)) return;
  const opcode = socket.isClosePending ? Opcode.CLOSE : Opcode.PONG;
  if (!sendControl(socket, opcode, pendingPongPtr(pending), pendingPongLen(pending))) return;
  pendingPongClear(pending);
  socket.isClosePending = false;
}

/** Status of a message that would begin now. */
function canBeginMessage(socket: Socket, kind: u32): i32 {
  const isOpen = socket.state == SocketState.OPEN || socket.state == SocketState.ANSWERING;
  if (!isOpen || socket.isClosePending) return Status.INVALID_STATE;
  const isCompressed = (kind & MessageKind.COMPRESSED) != 0;
  return isCompressed && !receiverOf(socket).isDeflateAgreed ? Status.INVALID_ARGUMENT : Status.OK;
}

/** WRITABLE is owed. */
function waitForRoom(socket: Socket, exchange: Exchange): i32 {
  socket.isWritableOwed = true;
  carrierAwaitRoom(exchange);
  return Status.WOULD_BLOCK;
}

// @ts-ignore: decorator
@inline
function firstByteOf(kind: u32): u32 {
  const opcode: u32 = (kind & MessageKind.BINARY) != 0 ? Opcode.BINARY : Opcode.TEXT;
  return opcode | FrameBit.FIN | ((kind & MessageKind.COMPRESSED) != 0 ? FrameBit.RSV1 : 0);
}

function hasControlRoom(socket: Socket): bool {
  return socket.sendRemaining == 0 && carrierRoom(exchangeOfSocket(socket)) >= CONTROL_ROOM;
}

function sendControl(socket: Socket, opcode: Opcode, ptr: usize, len: u32): bool {
  const payload = controlFrame + <u32>FRAME_HEADER_ROOM;
  memory.copy(payload, ptr, len);
  return sendFrame(socket, exchangeOfSocket(socket), opcode | FrameBit.FIN, payload, len);
}

// @ts-ignore: decorator
@inline
function lengthOfHeader(len: u32): u32 {
  return len <= CONTROL_PAYLOAD_BYTES_MAX ? 2 : len <= 0xffff ? 4 : 10;
}

/** One frame around the payload at `ptr`, whose header takes the bytes in front of it. */
function sendFrame(socket: Socket, exchange: Exchange, firstByte: u32, ptr: usize, len: u32): bool {
  const isMasked = receiverOf(socket).role == Role.CLIENT;
  const headerLen = lengthOfHeader(len) + (isMasked ? 4 : 0);
  const frame = ptr - headerLen;
  if (isMasked) {
    const key = nextMaskKey();
    writeMaskedFrameHeader(frame, firstByte, len, key);
    maskBytes(ptr, len, key);
  } else {
    writeFrameHeader(frame, firstByte, len);
  }
  return carrierSend(exchange, frame, headerLen + len);
}

/** §5.3: "the masking key needs to be unpredictable". */
function nextMaskKey(): u32 {
  randomFill(maskKey, sizeof<u32>());
  return load<u32>(maskKey);
}
