// What a session of WebTransport needs of its connection, whichever role that has.

import type { Engine } from "../engine/index.ts";
import type { SessionTable } from "./session_table.ts";

export interface SessionLink {
  readonly engine: Engine;
  /** Where events of the engine find the session and its streams. */
  readonly table: SessionTable;
  /** The engine's handle of the connection. */
  readonly connection: number;
  /** The engine is lost: nothing may be asked of it. */
  readonly isFailed: boolean;
  now(): number;
  /** Calls into the engine. What it throws may be a trap, which is not the caller's business. */
  trapped<T>(call: () => T): T;
  /** Sends what there is once the code that is running has finished. */
  flushLater(): void;
  /** Gives the session's exchange back to the engine. */
  release(session: number): void;
}
