/**
 * The receiving half of a WebSocket, both roles: frames in, steps out (RFC 6455 §5 and §6.2, RFC 7692 §6.2).
 *
 *   wsReceiverBegin(receiver, …)             once
 *   wsReceive(receiver, ptr, len)            bytes of the peer, cut anywhere
 *   while ((step = wsPoll(receiver)) != NEED_MORE) …
 *
 * Each poll answers one step; its fields are in the receiver. Payload is unmasked where it lies and reported as slices of the
 * caller's bytes, so the bytes handed over must stay, and may be changed, until NEED_MORE. Only what is cut by the end of the
 * bytes is kept: a header, or the payload of a control frame, at most 125 bytes.
 *
 * Text is checked as it arrives, except when compressed: then the owner inflates and checks with utf8.ts. Lengths are refused at
 * the header, before any payload. Which faults are found where does not depend on how the bytes are cut.
 *
 * After CLOSE and after ERROR nothing more is read: further bytes are dropped. It sends nothing, and knows no time.
 */

import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { SocketFlag } from "../abi/web_socket.ts";
import { closeReasonOffset, readCloseBody } from "./close.ts";
import {
  CONTROL_PAYLOAD_BYTES_MAX,
  FRAME_HEADER_BYTES_MAX,
  LENGTH_PENDING,
  frameHeaderBytes,
  hasExtendedLength,
  hasMaskBit,
  readMaskKey,
  readPayloadLength,
} from "./frame_header.ts";
import { maskBytes } from "./mask.ts";
import { FrameBit, Opcode, firstByteStatus, isControl, opcodeOf } from "./opcode.ts";
import { Utf8State, utf8Advance } from "./utf8.ts";
import { WsStatus, closeCodeOf } from "../abi/ws_status.ts";

export const enum WsStep {
  /** All bytes are consumed. */
  NEED_MORE = 0,
  /** payloadPtr, payloadLen: a slice of a message; dataFlags says which. Empty only at the end of a message. */
  DATA = 1,
  /** payloadPtr, payloadLen: to be answered with a pong of the same payload. */
  PING = 2,
  PONG = 3,
  /** closeCode (CloseCode.NO_STATUS when there was none) and the reason in payloadPtr, payloadLen. */
  CLOSE = 4,
  /** status says why, closeCode what to send. */
  ERROR = 5,
}

const enum State {
  HEADER = 0,
  DATA = 1,
  CONTROL = 2,
  /** After CLOSE or ERROR. */
  ENDED = 3,
}

/** In messageFlags beside SocketFlag: a data message has begun and not ended. */
const MESSAGE_OPEN: u8 = 0x80;

/** An incomplete header, or the incomplete payload of a control frame, which is the longer one; never both at once. */
const KEPT_BYTES_MAX: u32 = CONTROL_PAYLOAD_BYTES_MAX;

/**
 * WS_RECEIVER_BYTES is what to allocate: the kept bytes follow the fields.
 *
 *   0       8          16          24                32           40
 *   ┌───────┬──────────┬───────────┬─────────────────┬────────────┬──────────┬───────────────────┐
 *   │ input │ step's   │ payload   │ messageBytesMax │ messageLen │ counts,  │ kept bytes …      │
 *   │ range │ payload  │ Remaining │                 │            │ states   │                   │
 *   └───────┴──────────┴───────────┴─────────────────┴────────────┴──────────┴───────────────────┘
 */
@unmanaged
export class WsReceiver {
  /** Bytes not consumed yet: [inputPtr, inputEnd). */
  inputPtr: usize;
  inputEnd: usize;
  /** Of the last step. */
  payloadPtr: usize;
  payloadLen: u32;
  /** Payload of the current frame that has not been reported. */
  payloadRemaining: u64;
  messageBytesMax: u64;
  /** Payload that the frames of the current message have announced so far; 0 between messages. */
  messageLen: u64;
  fragmentCount: u32;
  fragmentCountMax: u32;
  /** Key for the next payload byte; 0 when the frame is not masked. */
  maskKey: u32;
  utf8State: u32;
  status: i32;
  state: State;
  role: Role;
  closeCode: u16;
  isDeflateAgreed: bool;
  /** First byte of the current frame. */
  firstByte: u8;
  /** SocketFlag of the current message and MESSAGE_OPEN; 0 between messages. */
  messageFlags: u8;
  /** SocketFlag of the last step. */
  dataFlags: u8;
  keptLen: u8;
}

export const WS_RECEIVER_BYTES: u32 = offsetof<WsReceiver>() + KEPT_BYTES_MAX;

/**
 * Sets the receiver to the start of a connection. `role` is the engine's own. No message is longer than `messageBytesMax`
 * (below 2^60); a compressed one may be so long inflated, which its owner has to see to. Empty frames count as fragments.
 */
export function wsReceiverBegin(
  receiver: WsReceiver,
  role: Role,
  isDeflateAgreed: bool,
  messageBytesMax: u64,
  fragmentCountMax: u32,
): void {
  memory.fill(changetype<usize>(receiver), 0, offsetof<WsReceiver>());
  receiver.role = role;
  receiver.isDeflateAgreed = isDeflateAgreed;
  receiver.messageBytesMax = messageBytesMax;
  receiver.fragmentCountMax = fragmentCountMax;
}

/** Hands over bytes of the peer. Those of the call before must be consumed: `wsPoll` has answered NEED_MORE. */
export function wsReceive(receiver: WsReceiver, ptr: usize, len: u32): void {
  assert(receiver.inputPtr == receiver.inputEnd);
  receiver.inputPtr = ptr;
  receiver.inputEnd = ptr + len;
}

/** Gives back what is not consumed; the owner hands it over again. */
export function wsReceiverStop(receiver: WsReceiver): void {
  receiver.inputPtr = 0;
  receiver.inputEnd = 0;
}

/** Whether the payload of the last control frame lies in the receiver itself. */
export function isWsReceiverKept(receiver: WsReceiver): bool {
  const kept = keptPtr(receiver);
  return receiver.payloadPtr >= kept && receiver.payloadPtr <= kept + KEPT_BYTES_MAX;
}

/** The next step. Its pointers are valid until the next call on this receiver, and while the bytes handed over stay. */
export function wsPoll(receiver: WsReceiver): WsStep {
  while (true) {
    switch (receiver.state) {
      case State.HEADER: {
        const headerLen = receiveHeader(receiver);
        if (headerLen < 0) return refuse(receiver, headerLen);
        if (headerLen == 0) return WsStep.NEED_MORE;
        break;
      }
      case State.DATA: {
        const available = receiver.inputEnd - receiver.inputPtr;
        if (available == 0 && receiver.payloadRemaining != 0) return WsStep.NEED_MORE;
        const status = receiveData(receiver, available);
        if (status != Status.OK) return refuse(receiver, status);
        // An empty fragment inside a message says nothing.
        if (receiver.payloadLen != 0 || (receiver.dataFlags & SocketFlag.LAST) != 0) return WsStep.DATA;
        break;
      }
      case State.CONTROL:
        return receiveControl(receiver);
      default:
        receiver.inputPtr = receiver.inputEnd;
        return WsStep.NEED_MORE;
    }
  }
}

/** Whether a CLOSE or an ERROR was reported. A transport that ends before has ended unexpectedly. */
export function isWsReceiverEnded(receiver: WsReceiver): bool {
  return receiver.state == State.ENDED;
}

function refuse(receiver: WsReceiver, status: i32): WsStep {
  receiver.state = State.ENDED;
  receiver.status = status;
  receiver.closeCode = <u16>closeCodeOf(status);
  return WsStep.ERROR;
}

// @ts-ignore: decorator
@inline
function keptPtr(receiver: WsReceiver): usize {
  return changetype<usize>(receiver) + offsetof<WsReceiver>();
}

/** Consumes a header and begins its frame: its length, 0 when it is incomplete, or a status. */
function receiveHeader(receiver: WsReceiver): i32 {
  const inputPtr = receiver.inputPtr;
  const available = <u32>(receiver.inputEnd - inputPtr);
  if (available == 0) return 0;
  const keptLen: u32 = receiver.keptLen;
  if (keptLen == 0) {
    const headerLen = beginFrame(receiver, inputPtr, available);
    if (headerLen == 0) keep(receiver, available);
    else if (headerLen > 0) receiver.inputPtr = inputPtr + headerLen;
    return headerLen;
  }
  const kept = keptPtr(receiver);
  const part = min(available, FRAME_HEADER_BYTES_MAX - keptLen);
  memory.copy(kept + keptLen, inputPtr, part);
  const headerLen = beginFrame(receiver, kept, keptLen + part);
  if (headerLen == 0) {
    keep(receiver, part);
  } else if (headerLen > 0) {
    receiver.inputPtr = inputPtr + (headerLen - keptLen);
    receiver.keptLen = 0;
  }
  return headerLen;
}

/** Moves the next `len` bytes of the input behind the kept ones. */
function keep(receiver: WsReceiver, len: u32): void {
  memory.copy(keptPtr(receiver) + receiver.keptLen, receiver.inputPtr, len);
  receiver.inputPtr += len;
  receiver.keptLen += <u8>len;
}

/**
 * Begins the frame whose header is at `ptr`, of which `len` ≥ 1 bytes are there: the header's length, 0 when it is incomplete,
 * or a status. Nothing is changed unless the header is complete, so it may be called again with more.
 */
function beginFrame(receiver: WsReceiver, ptr: usize, len: u32): i32 {
  const firstByte: u32 = load<u8>(ptr);
  const isMessageOpen = receiver.messageFlags != 0;
  const status = firstByteStatus(firstByte, isMessageOpen, receiver.isDeflateAgreed);
  if (status != Status.OK) return status;
  if (len < 2) return 0;

  const secondByte: u32 = load<u8>(ptr, 1);
  const isMasked = hasMaskBit(secondByte);
  // §5.1: a server MUST close upon a frame that is not masked, a client upon one that is.
  if (isMasked != (receiver.role == Role.SERVER)) return isMasked ? WsStatus.MASKED : WsStatus.NOT_MASKED;
  if (isControl(firstByte) && hasExtendedLength(secondByte)) return WsStatus.CONTROL_TOO_LONG;
  const payloadLen = readPayloadLength(ptr, len);
  if (payloadLen == LENGTH_PENDING) return 0;
  if (payloadLen < 0) return <i32>payloadLen;
  if (!isControl(firstByte)) {
    const limitStatus = fragmentStatus(receiver, firstByte, payloadLen);
    if (limitStatus != Status.OK) return limitStatus;
  }
  const headerLen = frameHeaderBytes(secondByte);
  if (len < headerLen) return 0;

  receiver.firstByte = <u8>firstByte;
  receiver.payloadRemaining = payloadLen;
  receiver.maskKey = isMasked ? readMaskKey(ptr, headerLen) : 0;
  if (isControl(firstByte)) {
    receiver.state = State.CONTROL;
  } else {
    receiver.state = State.DATA;
    if (!isMessageOpen) beginMessage(receiver, firstByte);
    receiver.messageLen += payloadLen;
    receiver.fragmentCount++;
  }
  return headerLen;
}

function beginMessage(receiver: WsReceiver, firstByte: u32): void {
  let flags: u32 = MESSAGE_OPEN | SocketFlag.FIRST;
  if ((firstByte & FrameBit.RSV1) != 0) flags |= SocketFlag.COMPRESSED;
  if (opcodeOf(firstByte) == Opcode.BINARY) flags |= SocketFlag.BINARY;
  receiver.messageFlags = <u8>flags;
}

/** A text that ends is whole, so utf8State is ACCEPT again by itself. */
function endMessage(receiver: WsReceiver): void {
  receiver.messageFlags = 0;
  receiver.messageLen = 0;
  receiver.fragmentCount = 0;
}

/** Whether the message has room for one more frame of this length. */
function fragmentStatus(receiver: WsReceiver, firstByte: u32, payloadLen: u64): i32 {
  const isMessageOpen = receiver.messageFlags != 0;
  const isCompressed =
    (isMessageOpen ? receiver.messageFlags & SocketFlag.COMPRESSED : firstByte & FrameBit.RSV1) != 0;
  const most = isCompressed ? compressedBytesMax(receiver.messageBytesMax) : receiver.messageBytesMax;
  // messageLen is at most `most`, so this cannot wrap.
  if (payloadLen > most - receiver.messageLen) return WsStatus.MESSAGE_TOO_LARGE;
  return receiver.fragmentCount < receiver.fragmentCountMax ? Status.OK : WsStatus.TOO_MANY_FRAGMENTS;
}

/** What a message of `messageBytes` may take when it does not compress: zlib's bound for any level, window and memory. */
function compressedBytesMax(messageBytes: u64): u64 {
  return messageBytes + ((messageBytes + 7) >> 3) + ((messageBytes + 63) >> 6) + 11;
}

/** Reports what is there of the frame's payload, `available` bytes or fewer. */
function receiveData(receiver: WsReceiver, available: usize): i32 {
  const payloadPtr = receiver.inputPtr;
  const payloadLen = <u32>min(<u64>available, receiver.payloadRemaining);
  receiver.maskKey = maskBytes(payloadPtr, payloadLen, receiver.maskKey);
  receiver.inputPtr = payloadPtr + payloadLen;
  receiver.payloadRemaining -= payloadLen;

  const messageFlags: u32 = receiver.messageFlags;
  const isFrameComplete = receiver.payloadRemaining == 0;
  const isLast = isFrameComplete && (receiver.firstByte & FrameBit.FIN) != 0;
  if ((messageFlags & (SocketFlag.COMPRESSED | SocketFlag.BINARY)) == 0) {
    const utf8State = utf8Advance(receiver.utf8State, payloadPtr, payloadLen);
    // §8.1: at the first byte that is wrong, and where the text ends inside a character.
    if (utf8State == Utf8State.REJECT) return WsStatus.TEXT_INVALID;
    if (isLast && utf8State != Utf8State.ACCEPT) return WsStatus.TEXT_INVALID;
    receiver.utf8State = utf8State;
  }
  receiver.payloadPtr = payloadPtr;
  receiver.payloadLen = payloadLen;
  receiver.dataFlags = <u8>(
    ((messageFlags & ~(<u32>MESSAGE_OPEN)) | (isLast ? SocketFlag.LAST : SocketFlag.NONE))
  );
  if (isFrameComplete) receiver.state = State.HEADER;
  if (isLast) endMessage(receiver);
  // FIRST stays until a slice has carried it.
  else if (payloadLen != 0) receiver.messageFlags = <u8>(messageFlags & ~(<u32>SocketFlag.FIRST));
  return Status.OK;
}

/** Reports a control frame once its payload is there in one piece. */
function receiveControl(receiver: WsReceiver): WsStep {
  const payloadLen = <u32>receiver.payloadRemaining;
  const keptLen: u32 = receiver.keptLen;
  const available = <u32>(receiver.inputEnd - receiver.inputPtr);
  const missing = payloadLen - keptLen;
  let payloadPtr = receiver.inputPtr;
  if (keptLen == 0 && available >= missing) {
    receiver.inputPtr += missing;
  } else {
    keep(receiver, min(available, missing));
    if (available < missing) return WsStep.NEED_MORE;
    payloadPtr = keptPtr(receiver);
    receiver.keptLen = 0;
  }
  maskBytes(payloadPtr, payloadLen, receiver.maskKey);
  receiver.payloadPtr = payloadPtr;
  receiver.payloadLen = payloadLen;
  receiver.state = State.HEADER;
  const opcode = opcodeOf(receiver.firstByte);
  if (opcode == Opcode.PING) return WsStep.PING;
  if (opcode == Opcode.PONG) return WsStep.PONG;
  return receiveClose(receiver);
}

function receiveClose(receiver: WsReceiver): WsStep {
  const code = readCloseBody(receiver.payloadPtr, receiver.payloadLen);
  if (code < 0) return refuse(receiver, code);
  const reasonOffset = closeReasonOffset(receiver.payloadLen);
  receiver.payloadPtr += reasonOffset;
  receiver.payloadLen -= reasonOffset;
  receiver.closeCode = <u16>code;
  receiver.state = State.ENDED;
  return WsStep.CLOSE;
}
