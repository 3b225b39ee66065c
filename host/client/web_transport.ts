// A client of WebTransport over HTTP/3 that follows the browser's `WebTransport` (https://www.w3.org/TR/webtransport/).
//
// What differs: a session has a connection of its own; chunks are Uint8Arrays; datagrams for which there is no room are dropped, as on
// the way they might be. What a browser has no say in can be chosen: fields of the request, TLS, and how long things may take.

import type {
  WebTransportBidirectionalStream,
  WebTransportCloseInfo,
  WebTransportDatagrams,
} from "../router/index.ts";
import { ClientSession, type SessionOptions } from "./client_session.ts";
import { describe, known, TLS_NAMES, whole, type TlsClientOptions } from "./client_options.ts";

/** What the second argument of `new WebTransport` takes. */
export interface WebTransportClientOptions {
  /** As those of `HttpClient`: `ca`, `rejectUnauthorized` and the others. */
  readonly tls?: TlsClientOptions;
  /** Further fields of the request, `origin` among them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long opening the session may take. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How often a silent server is asked whether it is there. 0 for never. Default 15,000. */
  readonly keepAliveMs?: number;
}

const LABEL = "WebTransport option";
const NAMES: readonly (keyof WebTransportClientOptions)[] = [
  "tls",
  "headers",
  "connectTimeoutMs",
  "keepAliveMs",
];
/** What the request says itself. */
const OWN_FIELDS = new Set(["host", "upgrade", "connection", "content-length", "transfer-encoding"]);
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const DAY_MS = 86_400_000;

/** A session with a server, after the browser's class of this name. */
export class WebTransport {
  readonly url: string;
  readonly #session: ClientSession;

  /** Begins to connect. Throws a SyntaxError for a URL that cannot be one, TypeError or RangeError for an option. */
  constructor(url: string | URL, options: WebTransportClientOptions = {}) {
    const target = targetOf(url);
    this.url = target.href;
    this.#session = new ClientSession(target, resolve(options));
  }

  /** Resolves when the session is open; rejects with a WebTransportError when it is not to be had. */
  get ready(): Promise<void> {
    return this.#session.ready;
  }

  /** Resolves when either side has closed the session; rejects with a WebTransportError when it was cut, or never open. */
  get closed(): Promise<WebTransportCloseInfo> {
    return this.#session.closed;
  }

  /** Resolves when the server asks to bring the session to an end, or it has ended. */
  get draining(): Promise<void> {
    return this.#session.draining;
  }

  get datagrams(): WebTransportDatagrams {
    return this.#session.datagrams;
  }

  /** Streams that the server opens. */
  get incomingBidirectionalStreams(): ReadableStream<WebTransportBidirectionalStream> {
    return this.#session.incomingBidirectionalStreams;
  }

  get incomingUnidirectionalStreams(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#session.incomingUnidirectionalStreams;
  }

  /** Waits until the session is open, and while the server allows no more. Rejects with a WebTransportError when it is over. */
  createBidirectionalStream(): Promise<WebTransportBidirectionalStream> {
    return this.#session.createBidirectionalStream();
  }

  createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return this.#session.createUnidirectionalStream();
  }

  /** Closes the session and cuts its streams. Of the reason at most 1024 bytes are sent. */
  close(info: WebTransportCloseInfo = {}): void {
    this.#session.close(info);
  }
}

function targetOf(url: string | URL): URL {
  const target = new URL(url);
  if (target.protocol !== "https:") {
    throw new DOMException(`${target.protocol} is no scheme of WebTransport, which is https:`, "SyntaxError");
  }
  if (target.hash !== "") throw new DOMException("a WebTransport's URL has no fragment", "SyntaxError");
  return target;
}

function resolve(options: WebTransportClientOptions): SessionOptions {
  known(LABEL, options, NAMES);
  const { tls = {}, headers = {} } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, keepAliveMs = KEEP_ALIVE_MS } = options;
  known(`${LABEL} tls:`, tls, TLS_NAMES);
  return {
    tls,
    fields: fieldsOf(headers),
    connectTimeoutMs: whole("connectTimeoutMs", connectTimeoutMs, 1, DAY_MS, LABEL),
    keepAliveMs: whole("keepAliveMs", keepAliveMs, 0, DAY_MS, LABEL),
  };
}

function fieldsOf(headers: unknown): [string, string][] {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw new TypeError(`${LABEL} headers is ${describe(headers)}; it must be an object of names and values`);
  }
  return Object.entries(headers as Record<string, unknown>).map(([name, value]) => {
    const lower = name.toLowerCase();
    if (OWN_FIELDS.has(lower))
      throw new TypeError(`${LABEL} headers names ${lower}, which is the session's own`);
    if (typeof value !== "string")
      throw new TypeError(`${LABEL} headers: ${lower} is ${describe(value)}; it must be a string`);
    return [lower, value];
  });
}
