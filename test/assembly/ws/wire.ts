/** Wire bytes written as hex, and what a receiver makes of them written as text. */

import { Role } from "../../../assembly/abi/message.ts";
import { SocketFlag } from "../../../assembly/abi/web_socket.ts";
import {
  WS_RECEIVER_BYTES,
  WsReceiver,
  WsStep,
  wsPoll,
  wsReceive,
  wsReceiverBegin,
} from "../../../assembly/ws/receiver.ts";

/** Spaces are for the reader. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(" ", "");
  const bytes = new Uint8Array(digits.length >> 1);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = <u8>parseInt(digits.substr(index << 1, 2), 16);
  }
  return bytes;
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  memory.copy(joined.dataStart, a.dataStart, a.length);
  memory.copy(joined.dataStart + a.length, b.dataStart, b.length);
  return joined;
}

function hexOf(ptr: usize, len: u32): string {
  let text = "";
  for (let index: u32 = 0; index < len; index++) {
    const byte: u32 = load<u8>(ptr + index);
    text += (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return text;
}

/** A long payload shows by its length and a checksum. */
function payloadText(ptr: usize, len: u32): string {
  if (len <= 64) return hexOf(ptr, len);
  let sum: u32 = 1;
  for (let index: u32 = 0; index < len; index++) sum = sum * 31 + load<u8>(ptr + index);
  return len.toString() + "#" + sum.toString();
}

const MESSAGE_BYTES_MAX: u32 = 1 << 20;

/** A receiver and the log of what it reported, messages put together from their slices. */
export class Peer {
  receiver: WsReceiver = changetype<WsReceiver>(heap.alloc(WS_RECEIVER_BYTES));
  message: usize = heap.alloc(MESSAGE_BYTES_MAX);
  messageLen: u32 = 0;
  isMessageOpen: bool = false;
  kind: string = "";
  log: string = "";
  dataStepCount: i32 = 0;

  free(): void {
    heap.free(changetype<usize>(this.receiver));
    heap.free(this.message);
  }

  begin(role: Role, isDeflateAgreed: bool, messageBytesMax: u64, fragmentCountMax: u32): void {
    // Garbage must not matter: the slab does not zero its blocks.
    memory.fill(changetype<usize>(this.receiver), 0xa5, WS_RECEIVER_BYTES);
    wsReceiverBegin(this.receiver, role, isDeflateAgreed, messageBytesMax, fragmentCountMax);
    this.messageLen = 0;
    this.isMessageOpen = false;
    this.log = "";
    this.dataStepCount = 0;
  }

  /** Hands over a copy, since the receiver unmasks in place. */
  receive(ptr: usize, len: u32): void {
    const copy = heap.alloc(max(len, 1));
    memory.copy(copy, ptr, len);
    wsReceive(this.receiver, copy, len);
    while (true) {
      const step = wsPoll(this.receiver);
      if (step == WsStep.NEED_MORE) break;
      this.take(step);
    }
    // What the receiver keeps must not lie in the caller's bytes.
    memory.fill(copy, 0x5a, len);
    heap.free(copy);
  }

  private take(step: WsStep): void {
    const receiver = this.receiver;
    const payload = step == WsStep.ERROR ? "" : payloadText(receiver.payloadPtr, receiver.payloadLen);
    switch (step) {
      case WsStep.DATA:
        this.takeData(receiver.dataFlags);
        break;
      case WsStep.PING:
        this.log += "ping(" + payload + ") ";
        break;
      case WsStep.PONG:
        this.log += "pong(" + payload + ") ";
        break;
      case WsStep.CLOSE:
        this.log += "close(" + receiver.closeCode.toString() + "," + payload + ") ";
        break;
      case WsStep.ERROR:
        this.log += "error(" + receiver.status.toString() + "," + receiver.closeCode.toString() + ") ";
        break;
      default:
        this.log += "unknown-step ";
    }
  }

  private takeData(flags: u32): void {
    this.dataStepCount++;
    const isFirst = (flags & SocketFlag.FIRST) != 0;
    if (isFirst == this.isMessageOpen) this.log += "misplaced-first ";
    let kind = (flags & SocketFlag.BINARY) != 0 ? "binary" : "text";
    if ((flags & SocketFlag.COMPRESSED) != 0) kind = "compressed-" + kind;
    if (isFirst) {
      this.kind = kind;
      this.messageLen = 0;
      this.isMessageOpen = true;
    } else if (kind != this.kind) this.log += "changed-kind ";
    memory.copy(this.message + this.messageLen, this.receiver.payloadPtr, this.receiver.payloadLen);
    this.messageLen += this.receiver.payloadLen;
    if ((flags & SocketFlag.LAST) == 0) return;
    this.isMessageOpen = false;
    this.log += kind + "(" + payloadText(this.message, this.messageLen) + ") ";
  }
}

const peer = new Peer();

/** What a receiver of this role reports for the bytes in two pieces, cut at `cut`. */
export function logOfSplit(role: Role, isDeflateAgreed: bool, bytes: Uint8Array, cut: u32): string {
  peer.begin(role, isDeflateAgreed, 65536, 8);
  peer.receive(bytes.dataStart, cut);
  peer.receive(bytes.dataStart + cut, bytes.length - cut);
  return peer.log.trimEnd();
}

/** The same, byte by byte. */
export function logOfBytes(role: Role, isDeflateAgreed: bool, bytes: Uint8Array): string {
  peer.begin(role, isDeflateAgreed, 65536, 8);
  for (let index = 0; index < bytes.length; index++) peer.receive(bytes.dataStart + index, 1);
  return peer.log.trimEnd();
}
