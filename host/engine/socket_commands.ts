// The commands on WebSockets: arguments written into the command region, then one door.
//
// A payload to send has room in front of it, where the engine writes the frame's header (FRAME_HEADER_ROOM).

import { Layout } from "../../assembly/abi/layout.ts";
import { Status } from "../../assembly/abi/status.ts";
import { FRAME_HEADER_ROOM, MessageKind } from "../../assembly/abi/web_socket.ts";
import type { Doors } from "./doors.ts";
import { type FieldPairs, tryWriteFields } from "./field_writer.ts";
import type { EngineMemory } from "./memory.ts";
import type { SocketPayload } from "./socket_payload.ts";

/** What is agreed on when a WebSocket is opened; what is below 0 stands for the engine's limit. */
export interface SocketTerms {
  /** The subprotocol (as a client: those that are offered, as a list); the empty string for none. */
  readonly protocol: string;
  /** Wishes (as a client: the offer) for permessage-deflate (assembly/abi/deflate_parameters.ts); 0 for none. */
  readonly deflate: number;
  readonly messageBytesMax: number;
  readonly idleTimeoutMs: number;
  readonly pingIntervalMs: number;
}

const NONCE_BYTES = 16;
/** Up to so many bytes a loop is faster than a call into the runtime. */
const SHORT_BYTES = 64;

export class SocketCommands {
  readonly #doors: Doors;
  readonly #memory: EngineMemory;
  readonly #commandPtr: number;
  readonly #commandEnd: number;
  readonly #payloadPtr: number;
  /** The longest payload of `send`, and the longest part of `sendPayload`. */
  readonly payloadMost: number;

  constructor(doors: Doors, memory: EngineMemory, layout: Uint32Array) {
    this.#doors = doors;
    this.#memory = memory;
    this.#commandPtr = layout[Layout.COMMAND_PTR] as number;
    this.#commandEnd = this.#commandPtr + (layout[Layout.COMMAND_LEN] as number);
    this.#payloadPtr = this.#commandPtr + FRAME_HEADER_ROOM;
    this.payloadMost = this.#commandEnd - this.#payloadPtr;
  }

  /** Opens the WebSocket that a request asked for. Answers the extension's parameters, or a status. */
  accept(exchange: number, fields: FieldPairs, terms: SocketTerms, now: number): number {
    const fieldsEnd = tryWriteFields(this.#memory, fields, this.#commandPtr, this.#commandEnd);
    if (fieldsEnd < 0) return fieldsEnd;
    const protocolLen = this.#writeText(terms.protocol, fieldsEnd);
    if (protocolLen < 0) return protocolLen;
    return this.#doors.acceptSocket(
      exchange,
      this.#commandPtr,
      fieldsEnd - this.#commandPtr,
      fieldsEnd,
      protocolLen,
      terms.deflate,
      terms.messageBytesMax,
      terms.idleTimeoutMs,
      terms.pingIntervalMs,
      now,
    );
  }

  /** Asks for a WebSocket on a client's connection. Answers its handle, or a status. */
  open(connection: number, target: string, fields: FieldPairs, terms: SocketTerms, now: number): number {
    const fieldsEnd = tryWriteFields(this.#memory, fields, this.#commandPtr, this.#commandEnd);
    if (fieldsEnd < 0) return fieldsEnd;
    const targetLen = this.#writeText(target, fieldsEnd);
    if (targetLen < 0) return targetLen;
    const protocolPtr = fieldsEnd + targetLen;
    const protocolLen = this.#writeText(terms.protocol, protocolPtr);
    if (protocolLen < 0) return protocolLen;
    const noncePtr = protocolPtr + protocolLen;
    if (noncePtr + NONCE_BYTES > this.#commandEnd) return Status.OUT_OF_BOUNDS;
    crypto.getRandomValues(this.#memory.bytes.subarray(noncePtr, noncePtr + NONCE_BYTES));
    return this.#doors.openSocket(
      connection,
      fieldsEnd,
      targetLen,
      this.#commandPtr,
      fieldsEnd - this.#commandPtr,
      protocolPtr,
      protocolLen,
      noncePtr,
      terms.deflate,
      terms.messageBytesMax,
      terms.idleTimeoutMs,
      terms.pingIntervalMs,
      now,
    );
  }

  /** Sends a text, of which 3 bytes per code unit fit `payloadMost`. Status.OK, WOULD_BLOCK, or another status. */
  sendText(socket: number, text: string): number {
    const len = this.#memory.writeUtf8(text, this.#payloadPtr);
    return this.#doors.sendMessage(socket, MessageKind.TEXT, this.#payloadPtr, len);
  }

  /** Sends a message whose payload fits `payloadMost`. Status.OK, WOULD_BLOCK, or another status. */
  sendBytes(socket: number, kind: number, bytes: Uint8Array): number {
    const len = bytes.length;
    const ptr = this.#payloadPtr;
    const memory = this.#memory.bytes;
    if (len > SHORT_BYTES) memory.set(bytes, ptr);
    else for (let at = 0; at < len; at++) memory[ptr + at] = bytes[at] as number;
    return this.#doors.sendMessage(socket, kind, ptr, len);
  }

  /** A server's frame around a payload that fits `payloadMost`, as bytes that the host may write to many sockets. */
  encode(kind: number, bytes: Uint8Array): Uint8Array {
    this.#memory.bytes.set(bytes, this.#payloadPtr);
    const headerLen = this.#doors.encodeMessage(kind, this.#payloadPtr, bytes.length);
    return this.#memory.bytes.slice(this.#payloadPtr - headerLen, this.#payloadPtr + bytes.length);
  }

  /** Offers payload of a message that was begun; answers how much was taken, or a status. */
  sendPayload(socket: number, bytes: Uint8Array): number {
    const len = Math.min(bytes.length, this.payloadMost);
    this.#memory.bytes.set(len === bytes.length ? bytes : bytes.subarray(0, len), this.#payloadPtr);
    return this.#doors.sendPayload(socket, this.#payloadPtr, len);
  }

  ping(socket: number, bytes: Uint8Array): number {
    if (bytes.length > this.payloadMost) return Status.INVALID_ARGUMENT;
    this.#memory.bytes.set(bytes, this.#payloadPtr);
    return this.#doors.sendPing(socket, this.#payloadPtr, bytes.length);
  }

  /** Answers a ping with its own payload. */
  pong(socket: number, payload: SocketPayload): number {
    payload.copyTo(this.#memory.bytes, this.#payloadPtr);
    return this.#doors.sendPong(socket, this.#payloadPtr, payload.length);
  }

  close(socket: number, code: number, reason: string, now: number): number {
    const len = this.#writeText(reason, this.#commandPtr);
    return len < 0 ? len : this.#doors.closeSocket(socket, code, this.#commandPtr, len, now);
  }

  #writeText(text: string, ptr: number): number {
    return text.length * 3 > this.#commandEnd - ptr
      ? Status.OUT_OF_BOUNDS
      : this.#memory.writeUtf8(text, ptr);
  }
}
