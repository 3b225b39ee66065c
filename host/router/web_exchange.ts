// The web's `Request` and `Response` at the router's door: answering without a server.
//
// `Router.fetch` is `handle` between these two. A web request has no peer, so its address is empty, informational
// responses are dropped, push is refused and trailers are left out; all else is as over a connection.

import type { Exchange, HeaderPairs, Protocol } from "./exchange.ts";
import type { Reply, ReplyBody } from "./reply.ts";
import { Status } from "./status.ts";

const nullBodyStatuses = new Set<number>([Status.NO_CONTENT, Status.RESET_CONTENT, Status.NOT_MODIFIED]);
const encoder = new TextEncoder();

/** A web request as an exchange. */
export class WebExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly protocol: Protocol = "http/1.1";
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly #request: Request;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;

  constructor(request: Request) {
    const url = new URL(request.url);
    this.#request = request;
    this.method = request.method;
    this.target = url.pathname + url.search;
    this.scheme = url.protocol === "https:" ? "https" : "http";
    this.authority = url.host;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  headerPairs(): HeaderPairs {
    return [...this.#request.headers];
  }

  get hasBody(): boolean {
    return this.#request.body !== null;
  }

  get contentLength(): number {
    const length = this.#request.headers.get("content-length");
    return length !== null && /^[0-9]{1,15}$/.test(length) ? Number(length) : -1;
  }

  async read(): Promise<Uint8Array | null> {
    const body = this.#request.body as ReadableStream<Uint8Array> | null;
    if (body === null) return null;
    this.#reader ??= body.getReader();
    const { done, value } = await this.#reader.read();
    return done ? null : value;
  }

  trailerPairs(): HeaderPairs {
    return [];
  }

  onAbort(callback: (reason: Error) => void): void {
    const signal = this.#request.signal;
    const tell = (): void => callback(signal.reason as Error);
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  }

  sendInformational(): void {}

  push(): boolean {
    return false;
  }
}

/** A reply as a web response. */
export function toResponse(reply: Reply): Response {
  const headers = new Headers();
  if (reply.contentType !== null) headers.set("content-type", reply.contentType);
  if (reply.headers !== null) for (const [name, value] of reply.headers) headers.append(name, value);
  const body = nullBodyStatuses.has(reply.status) ? null : webBody(reply.body);
  return new Response(body, { status: reply.status, headers });
}

function webBody(body: ReplyBody): string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null {
  if (body === null || typeof body === "string" || body instanceof ReadableStream) return body;
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return streamOf(body);
}

/** An async iterable as a web stream that reads only as it is pulled. */
function streamOf(chunks: AsyncIterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(typeof next.value === "string" ? encoder.encode(next.value) : next.value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
