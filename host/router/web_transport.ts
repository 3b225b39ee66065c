// WebTransport as users write it: what `app.webtransport` takes, and what its handler is given, after the browser's API.
//
// A route of WebTransport is an ordinary route of CONNECT, so middlewares surround the request for a session as they do any other.
// Its handler refuses what asks for no session, or may not; and answers with a reply that tells the server to open one. What happens
// on it then is told by the server, outside of the chain.

import { HttpError } from "./http_error.ts";
import { Reply } from "./reply.ts";
import type { HeadersInput } from "./field.ts";
import { headerLines } from "./field.ts";
import { isOriginAllowed } from "./origin.ts";
import type { HttpyRequest } from "./request.ts";
import { toReply } from "./result.ts";

/** How a session was closed. */
export interface WebTransportCloseInfo {
  /** 0 … 4294967295, by the application; 0 where the peer gave none. */
  closeCode?: number;
  /** At most 1024 bytes of it are sent. */
  reason?: string;
}

/** A stream both ways. Cancelling and aborting take a WebTransportError, whose `streamErrorCode` the peer is told. */
export interface WebTransportBidirectionalStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Datagrams of a session: whole, in any order, or not at all. */
export interface WebTransportDatagrams {
  /** Those of the peer. Of those that wait to be read, the oldest are dropped first. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Those that are too large, and those for which there is no room, are dropped. */
  readonly writable: WritableStream<Uint8Array>;
  /** Bytes of the largest that the path carries as far as is known; 0 when the peer takes none. */
  readonly maxDatagramSize: number;
  /** How many may wait to be read. Default: the limit quicDatagramCount. */
  incomingHighWaterMark: number;
}

/** A session of WebTransport, in the shape of the browser's `WebTransport`. */
export interface WebTransportSession<Data = unknown> {
  /** What `upgrade` gave, or the handler put there. */
  data: Data;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Resolved: handlers are given sessions that are open. */
  readonly ready: Promise<void>;
  /** Resolves when either side has closed the session; rejects with a WebTransportError when it was cut. */
  readonly closed: Promise<WebTransportCloseInfo>;
  /** Resolves when the session should come to an end: the peer asks for it, or the server closes. */
  readonly draining: Promise<void>;
  readonly datagrams: WebTransportDatagrams;
  /** Streams that the peer opens. Their number is bounded by the limits quicBidiStreamCount and quicUniStreamCount. */
  readonly incomingBidirectionalStreams: ReadableStream<WebTransportBidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  /** Waits while the peer allows no more. */
  createBidirectionalStream(): Promise<WebTransportBidirectionalStream>;
  createUnidirectionalStream(): Promise<WritableStream<Uint8Array>>;
  /** Closes the session and cuts its streams. */
  close(info?: WebTransportCloseInfo): void;
}

/** What `upgrade` may give to accept: nothing, or how. To refuse it gives a reply, or throws an HttpError. */
export interface WebTransportAcceptance<Data> {
  /** Becomes `session.data`. */
  data?: Data;
  /** Further fields of the answer. */
  headers?: HeadersInput;
}

type Later<T> = T | Promise<T>;

/** Is called for each session. When it throws, or rejects, that is logged and the session closed. */
export type WebTransportHandler<Data = unknown> = (session: WebTransportSession<Data>) => Later<void>;

/** Terms of a route of WebTransport. */
export interface WebTransportOptions<Params = unknown, Data = unknown> {
  upgrade?(
    request: HttpyRequest<Params>,
  ): Later<WebTransportAcceptance<Data> | Reply | Response | undefined | void>;
  /** As those of WebSockets: pages of the request's own host may always, and clients that are no browsers. */
  origins?: "*" | readonly string[] | ((origin: string, request: HttpyRequest<Params>) => boolean);
  /** How often the peer is asked whether it is there, so that a silent session does not end. 0 for never. Default 15,000. */
  keepAliveMs?: number;
}

/** A route of WebTransport as a server sees it; made once. */
export interface WebTransportRoute {
  readonly handler: WebTransportHandler<never>;
  readonly keepAliveMs: number;
  /** Tells what a handler threw. */
  report(error: unknown): void;
}

/** The reply that opens a session. */
export class WebTransportReply extends Reply {
  readonly route: WebTransportRoute;
  readonly data: unknown;

  constructor(route: WebTransportRoute, data: unknown) {
    super(200);
    this.route = route;
    this.data = data;
  }
}

const KEEP_ALIVE_MS = 15_000;
const MOST_MS = 86_400_000;
const OPTIONS = ["upgrade", "origins", "keepAliveMs"];

/** The handler of a route of WebTransport. `report` is told what handlers threw. */
export function webTransportHandler(
  path: string,
  handler: WebTransportHandler<never>,
  options: WebTransportOptions<never, never>,
  report: (error: unknown) => void,
): (request: HttpyRequest<never>) => Later<Reply> {
  const route = { handler, keepAliveMs: checkedKeepAlive(path, handler, options), report };
  return (request) => {
    if (request.protocol !== "h3" || request.header("upgrade") !== "webtransport") {
      // RFC 9220 §3: a protocol that is not known here.
      return Reply.text("this is a WebTransport session, over HTTP/3 only\n", 501);
    }
    if (!isOriginAllowed(options.origins, request)) {
      throw new HttpError(403, "the origin may not open this session");
    }
    const decision = options.upgrade?.(request);
    return decision instanceof Promise
      ? decision.then((settled) => decided(path, route, request, settled))
      : decided(path, route, request, decision);
  };
}

function checkedKeepAlive(
  path: string,
  handler: unknown,
  options: WebTransportOptions<never, never>,
): number {
  if (typeof handler !== "function")
    throw new TypeError(`webtransport ${path}: the handler is ${typeof handler}, not a function`);
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`webtransport ${path}: "${unknown}" is unknown; there are ${OPTIONS.join(", ")}`);
  if (options.upgrade !== undefined && typeof options.upgrade !== "function")
    throw new TypeError(`webtransport ${path}: upgrade is ${typeof options.upgrade}, not a function`);
  const keepAliveMs = options.keepAliveMs ?? KEEP_ALIVE_MS;
  if (!Number.isInteger(keepAliveMs) || keepAliveMs < 0 || keepAliveMs > MOST_MS)
    throw new RangeError(
      `webtransport ${path}: keepAliveMs is ${String(keepAliveMs)}; it must be a whole number from 0 to ${MOST_MS}`,
    );
  return keepAliveMs;
}

function decided(
  path: string,
  route: WebTransportRoute,
  request: HttpyRequest<never>,
  decision: WebTransportAcceptance<unknown> | Reply | Response | undefined | void,
): Reply {
  const isRefusal =
    decision instanceof Reply || (typeof Response === "function" && decision instanceof Response);
  if (isRefusal) return toReply(decision, `WEBTRANSPORT ${path}`);
  if (decision !== undefined && (typeof decision !== "object" || (decision as unknown) === null)) {
    throw new TypeError(
      `WEBTRANSPORT ${path}: upgrade gave a ${typeof decision}; it must give nothing, an object or a reply`,
    );
  }
  const acceptance = decision as WebTransportAcceptance<unknown> | undefined;
  const reply = new WebTransportReply(route, acceptance?.data);
  // Draft 02, which browsers speak, wants its name in the answer.
  if (request.header("sec-webtransport-http3-draft02") === "1")
    reply.append("sec-webtransport-http3-draft", "draft02");
  const headers = acceptance?.headers;
  if (headers !== undefined) for (const [name, value] of headerLines(headers)) reply.append(name, value);
  return reply;
}
