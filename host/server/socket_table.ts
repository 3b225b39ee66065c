// The WebSockets of one engine instance by their handles, and what the engine tells of them.

import type { SocketEvents, SocketPayload } from "../engine/index.ts";
import type { ServerSocket } from "./server_socket.ts";

const INDEX_MASK = 0xfffff;

export class SocketTable implements SocketEvents {
  readonly #socketAt: (ServerSocket | undefined)[] = [];

  /** A WebSocket has been opened on its session. */
  add(socket: ServerSocket): void {
    this.#socketAt[socket.handle & INDEX_MASK] = socket;
    socket.session.addWebSocket(socket);
  }

  /** It is over. */
  delete(socket: ServerSocket): void {
    const index = socket.handle & INDEX_MASK;
    if (this.#socketAt[index] === socket) this.#socketAt[index] = undefined;
    socket.session.deleteWebSocket(socket);
  }

  /** One that is not over; an event may name one that is. */
  find(handle: number): ServerSocket | undefined {
    const socket = this.#socketAt[handle & INDEX_MASK];
    return socket !== undefined && socket.handle === handle ? socket : undefined;
  }

  socketData(handle: number, flags: number, payload: SocketPayload, missing: number): void {
    this.find(handle)?.dataArrived(flags, payload, missing);
  }

  socketPing(handle: number, payload: SocketPayload): void {
    this.find(handle)?.pinged(payload);
  }

  socketPong(handle: number, payload: SocketPayload): void {
    this.find(handle)?.ponged(payload);
  }

  socketClose(handle: number, flags: number, code: number, reason: string, status: number): void {
    this.find(handle)?.closeArrived(flags, code, reason, status);
  }

  socketOpen(): void {
    // The server never opens a connection.
  }
}
