// An exchange in memory: what a server would hand to the router, without a server.
//
// It counts what the router asks of it, so tests can tell what a route costs, and lets a test play the peer:
// deliver a body in chunks, break it off, go away.

import type { Exchange, HeaderPairs, Protocol } from "../../../host/router/exchange.ts";

export interface MemoryRequest {
  method?: string;
  target?: string;
  headers?: HeaderPairs;
  /** Chunks of the body; null when the request has none. */
  body?: ReadonlyArray<Uint8Array | string> | null;
  /** As announced; the sum of the chunks unless given, -1 for unknown. */
  contentLength?: number;
  trailers?: HeaderPairs;
  authority?: string;
  scheme?: "http" | "https";
  protocol?: Protocol;
  /** What `read()` rejects with after the chunks. */
  breakOff?: Error & { code?: string };
}

export class MemoryExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly protocol: Protocol;
  readonly remoteAddress = "192.0.2.7";
  readonly remotePort = 50000;
  readonly hasBody: boolean;
  readonly contentLength: number;
  /** Calls of `read()` and `headerPairs()`. */
  readCount = 0;
  headerPairsCount = 0;
  readonly informational: Array<{ status: number; headers: HeaderPairs }> = [];
  readonly pushed: Array<{ path: string; headers: HeaderPairs }> = [];
  readonly #headers: HeaderPairs;
  readonly #chunks: Uint8Array[];
  readonly #trailers: HeaderPairs;
  readonly #breakOff: Error | null;
  readonly #onAbort: Array<(reason: Error) => void> = [];
  #isComplete = false;
  #gone: Error | null = null;

  constructor(request: MemoryRequest = {}) {
    this.method = request.method ?? "GET";
    this.target = request.target ?? "/";
    this.scheme = request.scheme ?? "http";
    this.authority = request.authority ?? "example.test";
    this.protocol = request.protocol ?? "http/1.1";
    this.hasBody = request.body !== undefined && request.body !== null;
    this.#chunks = (request.body ?? []).map((chunk) =>
      typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk,
    );
    const sum = this.#chunks.reduce((length, chunk) => length + chunk.byteLength, 0);
    this.contentLength = request.contentLength ?? (this.hasBody ? sum : -1);
    this.#headers = request.headers ?? [];
    this.#trailers = request.trailers ?? [];
    this.#breakOff = request.breakOff ?? null;
  }

  header(name: string): string | undefined {
    const values = this.#headers.filter((line) => line[0] === name).map((line) => line[1]);
    return values.length === 0 ? undefined : values.join(name === "cookie" ? "; " : ", ");
  }

  headerPairs(): HeaderPairs {
    this.headerPairsCount++;
    return this.#headers;
  }

  async read(): Promise<Uint8Array | null> {
    this.readCount++;
    await Promise.resolve();
    if (this.#gone !== null) throw this.#gone;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return chunk;
    if (this.#breakOff !== null) throw this.#breakOff;
    this.#isComplete = true;
    return null;
  }

  trailerPairs(): HeaderPairs {
    return this.#isComplete ? this.#trailers : [];
  }

  onAbort(callback: (reason: Error) => void): void {
    if (this.#gone !== null) callback(this.#gone);
    else this.#onAbort.push(callback);
  }

  sendInformational(status: number, headers: HeaderPairs): void {
    this.informational.push({ status, headers });
  }

  push(path: string, headers: HeaderPairs): boolean {
    if (this.protocol !== "h2") return false;
    this.pushed.push({ path, headers });
    return true;
  }

  /** The peer goes away. */
  abort(reason: Error = Object.assign(new Error("peer went away"), { code: "PEER_GONE" })): void {
    this.#gone = reason;
    for (const callback of this.#onAbort.splice(0)) callback(reason);
  }
}
