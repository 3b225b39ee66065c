// Topics: who gets what is published, over all connections of a server.

import type { WebSocketSendable } from "../router/index.ts";
import type { ServerSocket } from "./server_socket.ts";

export class Topics {
  readonly #subscribers = new Map<string, Set<ServerSocket>>();

  subscribe(socket: ServerSocket, topic: string): void {
    const own = (socket.topics ??= new Set());
    if (own.has(topic)) return;
    own.add(topic);
    const all = this.#subscribers.get(topic);
    if (all === undefined) this.#subscribers.set(topic, new Set([socket]));
    else all.add(socket);
  }

  unsubscribe(socket: ServerSocket, topic: string): void {
    if (socket.topics?.delete(topic) !== true) return;
    const all = this.#subscribers.get(topic);
    all?.delete(socket);
    if (all?.size === 0) this.#subscribers.delete(topic);
  }

  /** The socket is closed. */
  leave(socket: ServerSocket): void {
    if (socket.topics === null) return;
    for (const topic of [...socket.topics]) this.unsubscribe(socket, topic);
  }

  /** Subscribers of a topic. */
  count(topic: string): number {
    return this.#subscribers.get(topic)?.size ?? 0;
  }

  /** Sends a message to every subscriber but `from`; answers how many there are. */
  publish(
    topic: string,
    message: WebSocketSendable,
    compress: boolean | undefined,
    from: ServerSocket | null,
  ): number {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return 0;
    let count = 0;
    const options = compress === undefined ? undefined : { compress };
    for (const socket of subscribers) {
      if (socket === from) continue;
      socket.send(message, options);
      count++;
    }
    return count;
  }
}
