// The WebTransport sessions of one engine instance by their handles, their streams by theirs, and what the engine tells of both.

import { StreamNews, type SessionEvents } from "../engine/index.ts";
import type { StreamEnds } from "../quic/stream_ends.ts";
import type { ServerWebTransport } from "./server_web_transport.ts";
import type { Session } from "./session.ts";

export class SessionTable implements SessionEvents {
  readonly #sessions = new Map<number, ServerWebTransport>();
  readonly #streams = new Map<number, { owner: ServerWebTransport; ends: StreamEnds }>();

  add(session: ServerWebTransport): void {
    this.#sessions.set(session.handle, session);
  }

  /** It is over, and so are its streams. */
  delete(session: ServerWebTransport, streams: Iterable<number>): void {
    this.#sessions.delete(session.handle);
    for (const stream of streams) this.#streams.delete(stream);
  }

  addStream(handle: number, owner: ServerWebTransport, ends: StreamEnds): void {
    this.#streams.set(handle, { owner, ends });
  }

  /** One that is not over. */
  find(handle: number): ServerWebTransport | undefined {
    return this.#sessions.get(handle);
  }

  /** Those of one connection. */
  on(connection: Session): ServerWebTransport[] {
    return [...this.#sessions.values()].filter(({ session }) => session === connection);
  }

  /** The connection is gone. */
  lose(connection: Session): void {
    for (const session of this.on(connection)) {
      connection.host.release(session.handle);
      session.aborted();
    }
  }

  sessionDatagram(handle: number, bytes: Uint8Array): void {
    this.find(handle)?.datagrams.arrived(bytes);
  }

  sessionStream(handle: number, stream: number, id: number): void {
    const owner = this.find(handle);
    if (owner !== undefined) this.addStream(stream, owner, owner.streamArrived(stream, id));
  }

  sessionDrain(handle: number): void {
    this.find(handle)?.drainArrived();
  }

  sessionClose(handle: number, code: number, reason: string): void {
    this.find(handle)?.closeArrived(code, reason);
  }

  /** News of a stream (StreamNews). */
  streamNews(handle: number, news: number, code: bigint): void {
    const stream = this.#streams.get(handle);
    if (stream === undefined) return;
    stream.ends.receive(news, code);
    if ((news & StreamNews.CLOSED) === 0) return;
    this.#streams.delete(handle);
    stream.owner.streamEnded(handle);
  }

  /** Streams can be opened again on this connection. */
  openable(connection: number): void {
    for (const session of this.#sessions.values())
      if (session.session.handle === connection) session.openable();
  }
}
