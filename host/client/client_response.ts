// A response of HttpClient: the standard Response, with what a constructor of that cannot say.

import type { ReadableByteStreamController, UnderlyingByteSource } from "node:stream/web";
import type { ContentSource } from "./content_decoding.ts";
import type { FieldLines, ProtocolName } from "./dialer.ts";

/** What a response is made of. */
export interface ResponseParts {
  readonly url: string;
  readonly isRedirected: boolean;
  readonly protocol: ProtocolName;
  readonly status: number;
  readonly headers: Headers;
  /** Null: no content. */
  readonly content: ContentSource | null;
  readonly trailers: () => FieldLines;
  /** Ends reading: its reason is what the body then rejects with. */
  readonly signal: AbortSignal | null;
}

/** Statuses that cannot have a body (Fetch). */
const BODILESS = new Set([101, 103, 204, 205, 304]);

/** What `HttpClient.fetch` gives: a `Response` with what only this client knows, such as trailers and protocol. */
export class ClientResponse extends Response {
  /** What brought it. */
  readonly protocol: ProtocolName;
  /** The trailer section, once the body was read to its end. Rejects as the body does. */
  readonly trailers: Promise<Headers>;
  declare readonly url: string;
  declare readonly redirected: boolean;

  /** Throws a RangeError for a status that Response does not know. */
  constructor(parts: ResponseParts) {
    const { content, status, headers } = parts;
    let settle: Settle = { resolve: () => undefined, reject: () => undefined };
    const trailers = new Promise<Headers>((resolve, reject) => (settle = { resolve, reject }));
    // Whoever wants them asks; nobody has to.
    trailers.catch(() => undefined);
    super(content === null || BODILESS.has(status) ? null : bodyOf(content, parts, settle), {
      status,
      headers,
    });
    if (this.body === null) settle.resolve(new Headers());
    // The constructor of Response leaves these to whoever fetched.
    Object.defineProperties(this, {
      url: { value: parts.url, enumerable: true },
      redirected: { value: parts.isRedirected, enumerable: true },
    });
    this.protocol = parts.protocol;
    this.trailers = trailers;
  }
}

interface Settle {
  resolve(trailers: Headers): void;
  reject(error: unknown): void;
}

function bodyOf(content: ContentSource, parts: ResponseParts, settle: Settle): ReadableStream<Uint8Array> {
  const { signal, trailers } = parts;
  let onAbort: (() => void) | null = null;
  const leave = (): void => {
    if (onAbort !== null) signal?.removeEventListener("abort", onAbort);
  };
  const source: UnderlyingByteSource = {
    type: "bytes",
    start(controller: ReadableByteStreamController) {
      if (signal === null) return;
      onAbort = () => {
        settle.reject(signal.reason);
        controller.error(signal.reason);
        content.cancel();
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller: ReadableByteStreamController) {
      try {
        let chunk = await content.read();
        while (chunk !== null && chunk.length === 0) chunk = await content.read();
        if (signal?.aborted === true) return;
        if (chunk !== null) {
          controller.enqueue(owned(chunk));
          return;
        }
        leave();
        settle.resolve(new Headers(trailers() as [string, string][]));
        controller.close();
        controller.byobRequest?.respond(0);
      } catch (error) {
        leave();
        settle.reject(error);
        if (signal?.aborted !== true) throw error;
      }
    },
    cancel(reason) {
      leave();
      settle.reject(reason ?? new DOMException("the body was cancelled", "AbortError"));
      content.cancel();
    },
  };
  return new ReadableStream(source as object);
}

/** A stream of bytes takes the memory away: none that others see is given to it. */
function owned(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const isWhole = chunk.byteLength === chunk.buffer.byteLength && chunk.constructor === Uint8Array;
  return isWhole ? (chunk as Uint8Array<ArrayBuffer>) : new Uint8Array(chunk);
}
