// The request as a handler sees it: the Fetch `Request`, and what a server adds.
//
// One is made for each request, so the constructor stores a few references and nothing else; header objects,
// query, cookies, streams and signals are made when first asked for and then kept. Nothing here copies what the
// exchange can give on demand.
//
// Differences from Fetch: `json()` demands a JSON content type and refuses poisonous keys, buffered reading is
// bounded, and `clone()` throws, because a body that two readers share has to be kept whole in memory.

import { parseCookies } from "./cookies.ts";
import type { Cookies } from "./cookies.ts";
import type { Exchange, Protocol } from "./exchange.ts";
import { headerLines } from "./field.ts";
import type { HeadersInput } from "./field.ts";
import { HttpError } from "./http_error.ts";
import { parseJson } from "./json_text.ts";
import type { Params } from "./params.ts";
import { parseQuery } from "./query.ts";
import type { Query } from "./query.ts";
import type { Reply } from "./reply.ts";
import { RequestBody } from "./request_body.ts";
import { Status } from "./status.ts";

/** What middlewares leave for those after them. Extend it by declaration merging to type its members. */
export interface RequestState {
  [key: string]: unknown;
}

/** Called with the final reply of a request, errors' replies included, before it is handed to the server. */
export type ReplyHook = (reply: Reply) => void;

/** How a buffered reader may deviate from the route's limit. */
export interface ReadOptions {
  limitBytes?: number;
}

/** How `json()` may deviate. */
export interface JsonOptions extends ReadOptions {
  /** Accept any content type, or none. */
  anyContentType?: boolean;
}

/** What is made on demand. */
class Lazy {
  headers: Headers | null = null;
  url: string | null = null;
  query: Query | null = null;
  searchParams: URLSearchParams | null = null;
  cookies: Cookies | null = null;
  state: RequestState | null = null;
  abort: AbortController | null = null;
  hooks: ReplyHook[] | null = null;
}

const jsonType = /^(?:application\/json|[^\s;/]+\/[^\s;]+\+json)$/;
const utf8Strict = new TextDecoder("utf-8", { fatal: true });
const utf8Lenient = new TextDecoder("utf-8");

/** A request with its params. */
export class HttpyRequest<P = Params> {
  /** The server's side of this request. */
  declare readonly exchange: Exchange;
  /** The path that routes see: decoded once, dot segments removed, `%2F` left as written. */
  declare readonly path: string;
  declare readonly params: P;
  /** The pattern of the route that answers; null when none does. A label of few values, for logs and metrics. */
  declare readonly pattern: string | null;
  declare private readonly origin: string;
  declare private readonly targetAuthority: string | null;
  declare private readonly bodyLimitBytes: number;
  declare private content: RequestBody | null;
  declare private lazy: Lazy | null;

  /** Requests are made by a router. `origin` is path and query as received; `authority` that of an absolute-form target. */
  constructor(
    exchange: Exchange,
    origin: string,
    authority: string | null,
    path: string,
    params: P,
    pattern: string | null,
    bodyLimitBytes: number,
  ) {
    this.exchange = exchange;
    this.path = path;
    this.params = params;
    this.pattern = pattern;
    this.origin = origin;
    this.targetAuthority = authority;
    this.bodyLimitBytes = bodyLimitBytes;
    this.content = null;
    this.lazy = null;
  }

  get method(): string {
    return this.exchange.method;
  }

  /** The host (and port) the client asked for; the empty string when it named none. */
  get host(): string {
    return this.targetAuthority ?? this.exchange.authority;
  }

  /** The absolute URL, normalised as by the URL standard where it can be. */
  get url(): string {
    return (this.made().url ??= absoluteUrl(this.exchange.scheme, this.host, this.origin));
  }

  /** One field's value by lower-case name, without making a `Headers`. */
  header(name: string): string | undefined {
    return this.exchange.header(name);
  }

  /** Every field, as web `Headers`; made when first asked for. */
  get headers(): Headers {
    return (this.made().headers ??= webHeaders(this.exchange));
  }

  /** Query values by name; an array where a name occurs more than once. Throws 400 above 1000 pairs. */
  get query(): Query {
    return (this.made().query ??= parseQuery(this.queryText()));
  }

  get searchParams(): URLSearchParams {
    return (this.made().searchParams ??= new URLSearchParams(this.queryText()));
  }

  get cookies(): Cookies {
    return (this.made().cookies ??= parseCookies(this.exchange.header("cookie") ?? ""));
  }

  /** The peer's address. */
  get ip(): string {
    return this.exchange.remoteAddress;
  }

  get protocol(): Protocol {
    return this.exchange.protocol;
  }

  /** What middlewares leave for those after them. */
  get state(): RequestState {
    return (this.made().state ??= {});
  }

  /** Aborts when the peer goes away before the answer is complete. */
  get signal(): AbortSignal {
    const lazy = this.made();
    if (lazy.abort === null) {
      const controller = (lazy.abort = new AbortController());
      this.exchange.onAbort((reason) => controller.abort(reason));
    }
    return lazy.abort.signal;
  }

  /** The trailers, once the body has been read to its end. Rejects when the body breaks off. */
  get trailers(): Promise<Headers> {
    return this.requestBody()
      .whenComplete()
      .then(() => {
        const trailers = new Headers();
        for (const [name, value] of this.exchange.trailerPairs()) trailers.append(name, value);
        return trailers;
      });
  }

  /** The body as a web stream that reads only as it is pulled; null when the request has none. */
  get body(): ReadableStream<Uint8Array> | null {
    return this.exchange.hasBody ? this.requestBody().stream() : null;
  }

  get bodyUsed(): boolean {
    return this.content !== null && this.content.used;
  }

  /** The chunks of the body as they arrive. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    return this.requestBody().chunks();
  }

  bytes(options: ReadOptions = {}): Promise<Uint8Array> {
    return this.requestBody().bytes(options.limitBytes);
  }

  async arrayBuffer(options: ReadOptions = {}): Promise<ArrayBuffer> {
    const bytes = await this.bytes(options);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }

  async blob(options: ReadOptions = {}): Promise<Blob> {
    return new Blob([await this.arrayBuffer(options)], { type: this.exchange.header("content-type") ?? "" });
  }

  /** The body as UTF-8 text; invalid bytes become U+FFFD. */
  async text(options: ReadOptions = {}): Promise<string> {
    return utf8Lenient.decode(await this.bytes(options));
  }

  /**
   * The body as JSON. Rejects with 415 unless the content type is JSON, 413 above the limit, and 400 when it is
   * malformed, saying where.
   */
  async json<T = unknown>(options: JsonOptions = {}): Promise<T> {
    if (options.anyContentType !== true) demandJson(this.exchange.header("content-type"));
    const bytes = await this.bytes(options);
    let text: string;
    try {
      text = utf8Strict.decode(bytes);
    } catch (cause) {
      throw new HttpError(Status.BAD_REQUEST, "The JSON is not valid UTF-8", { cause });
    }
    return parseJson(text) as T;
  }

  /** The fields of a form, multipart or urlencoded. Rejects with 415, 413 or 400 as `json()` does. */
  async formData(options: ReadOptions = {}): Promise<FormData> {
    const contentType = this.exchange.header("content-type") ?? "";
    const essence = essenceOf(contentType);
    if (essence !== "multipart/form-data" && essence !== "application/x-www-form-urlencoded") {
      throw new HttpError(Status.UNSUPPORTED_MEDIA_TYPE, "The request body is not a form");
    }
    const content = await this.arrayBuffer(options);
    try {
      return await new Response(content, { headers: { "content-type": contentType } }).formData();
    } catch (cause) {
      throw new HttpError(Status.BAD_REQUEST, "The form is malformed", { cause });
    }
  }

  /** Not supported: read the body once and pass on what it gave. */
  clone(): never {
    throw new TypeError("A request cannot be cloned: its body is read once, straight from the connection");
  }

  /** Sends 103 Early Hints (RFC 8297) before the reply. */
  early(headers: HeadersInput): void {
    this.informational(Status.EARLY_HINTS, headers);
  }

  /** Sends an informational response, 100 to 199 without 101, before the reply. */
  informational(status: number, headers: HeadersInput = []): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new RangeError(`informational: status ${String(status)} is not 100 or between 102 and 199`);
    }
    this.exchange.sendInformational(status, headerLines(headers));
  }

  /** Promises `path` to the peer; false where the protocol or the peer has no push. */
  push(path: string, headers: HeadersInput = []): boolean {
    if (!path.startsWith("/")) throw new TypeError(`push: path ${JSON.stringify(path)} must begin with "/"`);
    return this.exchange.push(path, headerLines(headers));
  }

  /** Bounds every way of reading the body from here on; throws 413 when it is announced to be larger. */
  limitBody(limitBytes: number): void {
    if (this.exchange.hasBody) this.requestBody().limit(limitBytes);
  }

  /**
   * Calls back with the final reply, whether a handler, `onError` or `notFound` made it, before it is written.
   * The way to add a header to every answer without making a synchronous route wait.
   */
  onReply(hook: ReplyHook): void {
    const lazy = this.made();
    if (lazy.hooks === null) lazy.hooks = [hook];
    else lazy.hooks.push(hook);
  }

  /** Takes the hooks that wait for the reply; for the router. */
  takeReplyHooks(): readonly ReplyHook[] | null {
    if (this.lazy === null) return null;
    const hooks = this.lazy.hooks;
    this.lazy.hooks = null;
    return hooks;
  }

  private made(): Lazy {
    return (this.lazy ??= new Lazy());
  }

  private requestBody(): RequestBody {
    return (this.content ??= new RequestBody(this.exchange, this.bodyLimitBytes));
  }

  private queryText(): string {
    const question = this.origin.indexOf("?");
    return question < 0 ? "" : this.origin.slice(question + 1);
  }
}

/** The fields of an exchange as web headers. */
export function webHeaders(exchange: Exchange): Headers {
  const headers = new Headers();
  for (const [name, value] of exchange.headerPairs()) if (name !== "cookie") headers.append(name, value);
  // Headers joins lines by ", ", which would spoil cookies (RFC 9113 §8.2.3).
  const cookie = exchange.header("cookie");
  if (cookie !== undefined) headers.set("cookie", cookie);
  return headers;
}

/** The absolute URL of a target; as concatenated where the URL standard refuses it. */
export function absoluteUrl(scheme: string, authority: string, origin: string): string {
  // A client that names no host (HTTP/1.0) still gets a URL that parses.
  const base = `${scheme}://${authority === "" ? "localhost" : authority}`;
  const text = origin.startsWith("/") ? base + origin : `${base}/`;
  return URL.canParse(text) ? new URL(text).href : text;
}

function essenceOf(contentType: string): string {
  const semicolon = contentType.indexOf(";");
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

function demandJson(contentType: string | undefined): void {
  const given = contentType ?? "";
  if (!jsonType.test(essenceOf(given))) {
    throw new HttpError(Status.UNSUPPORTED_MEDIA_TYPE, "The request body is not JSON by its content type");
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(given)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new HttpError(Status.UNSUPPORTED_MEDIA_TYPE, "JSON is UTF-8; another charset is not accepted");
  }
}
