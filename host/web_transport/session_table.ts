// The WebTransport sessions of one engine instance by their handles, their streams by theirs, and what the engine tells of both.

import { StreamNews, type SessionEvents } from "../engine/index.ts";
import type { StreamEnds } from "../quic/stream_ends.ts";

/** What a session is told. */
export interface ToldSession {
  readonly handle: number;
  /** The engine's handle of the connection. */
  readonly connection: number;
  readonly datagrams: { arrived(bytes: Uint8Array): void };
  streamArrived(handle: number, id: number): StreamEnds;
  /** A stream is over; its handle is stale. */
  streamEnded(handle: number): void;
  openable(): void;
  drainArrived(): void;
  closeArrived(closeCode: number, reason: string): void;
  /** The exchange of the session was cut, and is given back. */
  aborted(): void;
  /** The connection is gone. */
  lost(): void;
  /** This side wants the end. */
  drain(): void;
}

export class SessionTable implements SessionEvents {
  readonly #sessions = new Map<number, ToldSession>();
  readonly #streams = new Map<number, { owner: ToldSession; ends: StreamEnds }>();

  add(session: ToldSession): void {
    this.#sessions.set(session.handle, session);
  }

  /** It is over, and so are its streams. */
  delete(session: ToldSession, streams: Iterable<number>): void {
    this.#sessions.delete(session.handle);
    for (const stream of streams) this.#streams.delete(stream);
  }

  addStream(handle: number, owner: ToldSession, ends: StreamEnds): void {
    this.#streams.set(handle, { owner, ends });
  }

  /** One that is not over. */
  find(handle: number): ToldSession | undefined {
    return this.#sessions.get(handle);
  }

  /** Those of one connection, by its handle. */
  on(connection: number): ToldSession[] {
    return [...this.#sessions.values()].filter((session) => session.connection === connection);
  }

  /** The connection is gone. */
  lose(connection: number): void {
    for (const session of this.on(connection)) session.lost();
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
    for (const session of this.on(connection)) session.openable();
  }
}
