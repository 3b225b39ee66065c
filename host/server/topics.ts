// Topics: who gets what is published, over all connections of a server.
//
// Where a socket is a connection of its own and has caught up, a published message is bytes that are encoded once and written to
// every socket, once for all that a turn publishes; to others it is sent as any message is.

import { MessageKind } from "../engine/index.ts";
import type { SendOptions, WebSocketSendable } from "../router/index.ts";
import type { Session } from "./session.ts";
import { SharedFrames } from "./shared_frames.ts";
import { bytesOf } from "./socket_output.ts";

/** Longer messages are written one by one: joining them would cost more than it saves. */
const SHARED_BYTES_MOST = 16384;

/** A WebSocket that gets what is published. */
export interface Subscriber {
  readonly session: Session;
  /** Topics that it is subscribed to; null before the first. */
  topics: Set<string> | null;
  /** It takes frames that are shared with others: a connection of its own, open, with nothing that waits. */
  readonly takesShared: boolean;
  send(message: WebSocketSendable, options?: SendOptions): boolean;
}

export class Topics {
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  subscribe(socket: Subscriber, topic: string): void {
    const own = (socket.topics ??= new Set());
    if (own.has(topic)) return;
    own.add(topic);
    const all = this.#subscribers.get(topic);
    if (all === undefined) this.#subscribers.set(topic, new Set([socket]));
    else all.add(socket);
  }

  unsubscribe(socket: Subscriber, topic: string): void {
    if (socket.topics?.delete(topic) !== true) return;
    const all = this.#subscribers.get(topic);
    all?.delete(socket);
    if (all?.size === 0) this.#subscribers.delete(topic);
  }

  /** The socket is closed. */
  leave(socket: Subscriber): void {
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
    from: Subscriber | null,
  ): number {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return 0;
    const options = compress === undefined ? undefined : { compress };
    const bytes = bytesOf(message);
    const kind = typeof message === "string" ? MessageKind.TEXT : MessageKind.BINARY;
    let count = 0;
    let first: SharedFrames | null = null;
    for (const socket of subscribers) {
      if (socket === from) continue;
      count++;
      if (bytes.length <= SHARED_BYTES_MOST && compress !== true && socket.takesShared) {
        first ??= new SharedFrames(null, socket.session.host.engine.sockets.encode(kind, bytes));
        socket.session.share(first);
      } else {
        socket.send(message, options);
      }
    }
    return count;
  }
}
