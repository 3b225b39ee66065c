// The ring of a recorder: the calls of each connection, in bounded memory.
//
// Invariant: the bytes that are kept never exceed `maxBytes`, but for what a setup takes. Connections that are closed go first, the
// oldest before the others; then the oldest that is open is dropped, and said to be incomplete.

import type { RecordedCall, RecordedConnection } from "./recording.ts";

/** What a call costs beside its bytes, roughly: its numbers and its place in a list. */
const CALL_BYTES = 128;

/** What is kept of one connection. */
export interface Kept {
  readonly connection: number;
  readonly isQuic: boolean;
  readonly setupCount: number;
  readonly exchanges: number[];
  readonly streams: number[];
  calls: RecordedCall[];
  byteLength: number;
  isWhole: boolean;
  isClosed: boolean;
  dateMs: number;
}

export class KeptCalls {
  readonly #maxBytes: number;
  /** In the order in which they were opened; handles of closed connections may come again. */
  readonly #kept = new Set<Kept>();
  readonly #open = new Map<number, Kept>();
  readonly #ofExchange = new Map<number, Kept>();
  readonly #ofStream = new Map<number, Kept>();
  readonly setup: RecordedCall[] = [];
  #byteLength = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** A new connection, in the place of one that had its handle before. */
  begin(connection: number, isQuic: boolean): Kept {
    const setupCount = isQuic ? this.setup.length : 0;
    const lists = { exchanges: [], streams: [], calls: [] };
    const state = { byteLength: 0, isWhole: true, isClosed: false, dateMs: 0 };
    const kept: Kept = { connection, isQuic, setupCount, ...lists, ...state };
    const before = this.#open.get(connection);
    if (before !== undefined) this.leave(before);
    this.#kept.add(kept);
    this.#open.set(connection, kept);
    return kept;
  }

  /** Whose handle that is. */
  of(kind: "connection" | "exchange" | "stream", handle: number): Kept | undefined {
    if (kind === "connection") return this.#open.get(handle);
    return (kind === "exchange" ? this.#ofExchange : this.#ofStream).get(handle);
  }

  /** Learns whose an exchange or a stream is. */
  learn(kind: "exchange" | "stream", handle: number, kept: Kept): void {
    const owners = kind === "exchange" ? this.#ofExchange : this.#ofStream;
    if (!kept.isWhole || owners.get(handle) === kept) return;
    owners.set(handle, kept);
    (kind === "exchange" ? kept.exchanges : kept.streams).push(handle);
  }

  /** Nothing more will come of the connection: its handles are another's, or nobody's. */
  leave(kept: Kept): void {
    kept.isClosed = true;
    if (this.#open.get(kept.connection) === kept) this.#open.delete(kept.connection);
    this.#forget(kept);
  }

  keepSetup(call: RecordedCall): void {
    this.setup.push(call);
    this.#byteLength += CALL_BYTES + call[2].length;
    this.#makeRoom();
  }

  keep(kept: Kept, call: RecordedCall): void {
    if (!kept.isWhole) return;
    const byteLength = CALL_BYTES + call[2].length;
    kept.calls.push(call);
    kept.byteLength += byteLength;
    this.#byteLength += byteLength;
    this.#makeRoom();
  }

  toLines(): RecordedConnection[] {
    return [...this.#kept].map(({ connection, exchanges, streams, setupCount, calls, isWhole }) => ({
      connection,
      exchanges,
      streams,
      setupCount,
      calls,
      isWhole,
    }));
  }

  #makeRoom(): void {
    while (this.#byteLength > this.#maxBytes) {
      let oldest: Kept | undefined;
      for (const kept of this.#kept) {
        if (kept.isClosed) {
          oldest = kept;
          break;
        }
        if (kept.isWhole) oldest ??= kept;
      }
      if (oldest === undefined) return;
      this.#drop(oldest);
    }
  }

  #drop(kept: Kept): void {
    this.#byteLength -= kept.byteLength;
    this.#forget(kept);
    kept.byteLength = 0;
    kept.calls = [];
    kept.exchanges.length = 0;
    kept.streams.length = 0;
    kept.isWhole = false;
    if (!kept.isClosed) return;
    this.#kept.delete(kept);
    if (this.#open.get(kept.connection) === kept) this.#open.delete(kept.connection);
  }

  #forget({ exchanges, streams }: Kept): void {
    for (const [owners, handles] of [
      [this.#ofExchange, exchanges],
      [this.#ofStream, streams],
    ] as const) {
      for (const handle of handles) {
        const owner = owners.get(handle);
        if (owner?.exchanges === exchanges) owners.delete(handle);
      }
    }
  }
}
