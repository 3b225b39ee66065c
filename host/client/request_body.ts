// The content of a request: bytes that are there, or chunks that are pulled from a stream as the connection takes them.
//
// An attempt that came to nothing is made again from the start. Bytes are there again; of a stream, what was pulled is kept up
// to a bound, beyond which it cannot be sent twice.
//
// Invariant: a stream is told of its end at most once, and never after it has ended by itself.

import { ReplySource } from "../server/reply_source.ts";
import type { CarriedBody, CarriedContent, FieldLines } from "./dialer.ts";
import { HttpClientError } from "./http_client_error.ts";

/** Bodies of `fetch`, and async iterables. */
export type RequestContent =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>
  | AsyncIterable<string | Uint8Array>;

/** Trailer fields, asked for once the content has ended. */
export type RequestTrailers = () => FieldLines | Promise<FieldLines>;

/** Of a stream, this much is kept so that it can be sent again. */
const REPLAY_BYTES = 65536;
const encoder = new TextEncoder();

export class RequestBody implements CarriedBody {
  /** The content where it is there as a whole; null for a stream. */
  readonly bytes: Uint8Array | null;
  /** In bytes, -1 when it is not known. */
  readonly contentLength: number;
  readonly trailers: RequestTrailers | null;
  readonly #source: ReplySource | null;
  /** What was pulled; null once it is too much to be kept. */
  #kept: Uint8Array[] | null = [];
  #keptBytes = 0;
  #pulling: Promise<Uint8Array | null> | null = null;
  #hasEnded = false;

  constructor(
    content: Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<string | Uint8Array>,
    contentLength: number,
    trailers: RequestTrailers | null,
  ) {
    this.bytes = content instanceof Uint8Array ? content : null;
    this.contentLength = content instanceof Uint8Array ? content.length : contentLength;
    this.trailers = trailers;
    this.#source = content instanceof Uint8Array ? null : new ReplySource(content);
  }

  /** The content from its start, for one attempt; null when some of what was sent before is not there any more. */
  begin(): BodyPass | null {
    if (this.bytes !== null) return new BodyPass(this, [this.bytes]);
    return this.#kept === null ? null : new BodyPass(this, this.#kept);
  }

  /** Takes the next chunk from the stream, null at the end. A pass that is behind an abandoned one shares its call. */
  pull(): Promise<Uint8Array | null> {
    return (this.#pulling ??= this.#pullOnce().finally(() => (this.#pulling = null)));
  }

  /** Nobody reads on. */
  cancel(reason: Error): void {
    this.#hasEnded = true;
    this.#source?.cancel(reason);
  }

  async #pullOnce(): Promise<Uint8Array | null> {
    if (this.#hasEnded || this.#source === null) return null;
    let chunk: Uint8Array | null;
    try {
      chunk = await this.#source.next();
    } catch (cause) {
      throw new HttpClientError("ERR_HTTPY_CLIENT_REQUEST_BODY", { cause });
    }
    if (chunk === null) {
      this.#hasEnded = true;
      return null;
    }
    this.#keptBytes += chunk.length;
    this.#kept?.push(chunk);
    // Whoever is behind goes on with the list that it has.
    if (this.#keptBytes > REPLAY_BYTES) this.#kept = null;
    return chunk;
  }
}

/** A body on its way over one connection. */
class BodyPass implements CarriedContent {
  readonly #body: RequestBody;
  readonly #kept: readonly Uint8Array[];
  #next = 0;

  constructor(body: RequestBody, kept: readonly Uint8Array[]) {
    this.#body = body;
    this.#kept = kept;
  }

  /** The next chunk, null at the end. Rejects with an HttpClientError when the stream fails. */
  async next(): Promise<Uint8Array | null> {
    const chunk = this.#kept[this.#next] ?? (await this.#body.pull());
    if (chunk !== null) this.#next++;
    return chunk;
  }
}

/** A body as it is sent, and the media type that it has where nobody says another (Fetch, "extract a body"). */
export async function extractBody(
  content: RequestContent,
  contentLength: number,
  trailers: RequestTrailers | null,
): Promise<{ body: RequestBody; type: string | null }> {
  if (typeof content === "string") {
    const body = new RequestBody(encoder.encode(content), -1, trailers);
    return { body, type: "text/plain;charset=UTF-8" };
  }
  if (content instanceof ArrayBuffer) {
    return { body: new RequestBody(new Uint8Array(content.slice(0)), -1, trailers), type: null };
  }
  if (ArrayBuffer.isView(content)) {
    const view = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    return { body: new RequestBody(view.slice(), -1, trailers), type: null };
  }
  if (content instanceof URLSearchParams || content instanceof Blob || content instanceof FormData) {
    // The runtime knows how to write these.
    const written = new Response(content);
    const type = written.headers.get("content-type");
    return { body: new RequestBody(new Uint8Array(await written.arrayBuffer()), -1, trailers), type };
  }
  return { body: new RequestBody(content, contentLength, trailers), type: null };
}

/** Whether a body is pulled, so that `duplex` has to be given. */
export function isStreamed(content: RequestContent): boolean {
  if (content instanceof ReadableStream) return true;
  return (
    typeof content === "object" &&
    typeof (content as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function"
  );
}
