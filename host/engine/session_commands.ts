// The commands on sessions of WebTransport: arguments written into the command region, then one door. Their streams are read and
// written as raw streams of QUIC are (quic_commands.ts).

import { Layout } from "../../assembly/abi/layout.ts";
import { Status } from "../../assembly/abi/status.ts";
import { FRAME_HEADER_ROOM } from "../../assembly/abi/web_socket.ts";
import type { Doors } from "./doors.ts";
import { type FieldPairs, tryWriteFields } from "./field_writer.ts";
import type { EngineMemory } from "./memory.ts";

/** What may be said of why a session is closed (draft-ietf-webtrans-http3 §6). */
export const SESSION_REASON_BYTES = 1024;

/** Commands on sessions of WebTransport; a session's handle is that of its exchange. Each answers a handle, 0, or a status. */
export class SessionCommands {
  readonly #doors: Doors;
  readonly #memory: EngineMemory;
  readonly #commandPtr: number;
  readonly #commandEnd: number;

  constructor(doors: Doors, memory: EngineMemory, layout: Uint32Array) {
    this.#doors = doors;
    this.#memory = memory;
    this.#commandPtr = layout[Layout.COMMAND_PTR] as number;
    this.#commandEnd = this.#commandPtr + (layout[Layout.COMMAND_LEN] as number);
  }

  /** Opens the session that a request asked for; a status says why not, and the request can then be answered otherwise. */
  accept(exchange: number, fields: FieldPairs, now: number): number {
    const end = tryWriteFields(this.#memory, fields, this.#commandPtr, this.#commandEnd);
    if (end < 0) return end;
    return this.#doors.acceptSession(exchange, this.#commandPtr, end - this.#commandPtr, now);
  }

  /** A stream's handle, or WOULD_BLOCK: `openable` follows. */
  openStream(session: number, isUnidirectional: boolean, now: number): number {
    return this.#doors.openSessionStream(session, isUnidirectional ? 1 : 0, now);
  }

  /** WOULD_BLOCK when too many wait to be sent, INVALID_ARGUMENT when it is too large or the peer takes none. */
  sendDatagram(session: number, bytes: Uint8Array, now: number): number {
    const ptr = this.#commandPtr + FRAME_HEADER_ROOM;
    if (bytes.length > this.#commandEnd - ptr) return Status.INVALID_ARGUMENT;
    this.#memory.bytes.set(bytes, ptr);
    return this.#doors.sendSessionDatagram(session, ptr, bytes.length, now);
  }

  /** Closes it; of the reason, SESSION_REASON_BYTES are the most. */
  close(session: number, code: number, reason: string, now: number): number {
    if (reason.length > SESSION_REASON_BYTES) return Status.INVALID_ARGUMENT;
    const len = this.#memory.writeUtf8(reason, this.#commandPtr);
    return this.#doors.endSession(session, 1, code, this.#commandPtr, len, now);
  }

  /** Asks the peer to bring the session to an end. */
  drain(session: number, now: number): number {
    return this.#doors.endSession(session, 0, 0, this.#commandPtr, 0, now);
  }
}
