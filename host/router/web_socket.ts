// WebSockets as users write them: what `app.ws` takes, and what its handlers are given.
//
// A route of WebSockets is an ordinary route of GET, and of CONNECT (RFC 8441), so middlewares surround the handshake as they do
// any request. Its handler (web_socket_handshake.ts) answers with the reply that tells the server to open the socket.

import type { HeadersInput } from "./field.ts";
import { Reply } from "./reply.ts";
import type { HttpyRequest } from "./request.ts";

/** A message as it arrives: text is a string, anything else bytes that belong to whoever gets them. */
export type WebSocketMessage = string | Uint8Array;

/** What can be sent: text as a string, anything else as a binary message. */
export type WebSocketSendable = string | ArrayBuffer | ArrayBufferView;

/** How one message is sent. */
export interface SendOptions {
  /** Overrides the route's threshold, where compression was agreed. */
  readonly compress?: boolean;
}

/** One WebSocket, as the handlers of its route see it. */
export interface WebSocketConnection<Data = unknown> extends AsyncIterable<WebSocketMessage> {
  /** What `upgrade` gave, or the handlers put there. */
  data: Data;
  /** The subprotocol that was chosen; the empty string when none was. */
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Neither side has closed. */
  readonly isOpen: boolean;
  /** Bytes of messages that have not left for the network. */
  readonly bufferedAmount: number;
  /**
   * Sends a message. False: the peer is slower than what is sent to it; wait for `drain` before sending more. Bytes are not copied
   * where they are many: they must not be changed afterwards. On a WebSocket that is closed it does nothing.
   */
  send(message: WebSocketSendable, options?: SendOptions): boolean;
  /** Sends a ping; its payload has at most 125 bytes. */
  ping(payload?: string | Uint8Array): void;
  /** Closes with a code (1000, 1001 … 1014 as far as they may be sent, or 3000 to 4999) and a reason of at most 123 bytes. */
  close(code?: number, reason?: string): void;
  /** Cuts the connection at once. */
  terminate(): void;
  /** Gets what is published to the topic from now on. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  isSubscribed(topic: string): boolean;
  /** Sends a message to every other subscriber of the topic; answers how many there are. */
  publish(topic: string, message: WebSocketSendable, options?: SendOptions): number;
  /** The next message, or null when there will be none. For routes without a `message` handler; so is `for await`. */
  receive(): Promise<WebSocketMessage | null>;
}

/** What `upgrade` may give to accept: nothing, or how. To refuse it gives a reply, or throws an HttpError. */
export interface WebSocketAcceptance<Data> {
  /** One of the subprotocols that the client offered. */
  protocol?: string;
  /** Becomes `ws.data`. */
  data?: Data;
  /** Further fields of the answer. */
  headers?: HeadersInput;
}

type Later<T> = T | Promise<T>;

/** Handlers and terms of a route of WebSockets. Handlers that throw, or reject, are told to `error`. */
export interface WebSocketOptions<Params = unknown, Data = unknown> {
  upgrade?(
    request: HttpyRequest<Params>,
  ): Later<WebSocketAcceptance<Data> | Reply | Response | undefined | void>;
  open?(ws: WebSocketConnection<Data>): Later<void>;
  message?(ws: WebSocketConnection<Data>, message: WebSocketMessage): Later<void>;
  /** What waited for a slow peer has left. */
  drain?(ws: WebSocketConnection<Data>): Later<void>;
  ping?(ws: WebSocketConnection<Data>, payload: Uint8Array): Later<void>;
  pong?(ws: WebSocketConnection<Data>, payload: Uint8Array): Later<void>;
  /** The end, however it came; 1006 when the peer sent no close frame, 1005 when that had no code. Told once. */
  close?(ws: WebSocketConnection<Data>, code: number, reason: string): Later<void>;
  /** A handler failed, or the peer broke the protocol. Without it, what a handler threw is logged. */
  error?(ws: WebSocketConnection<Data>, error: Error): void;
  /** Subprotocols, most wanted first: the first that the client offers is chosen unless `upgrade` chooses. */
  protocols?: readonly string[];
  /**
   * Origins whose pages may connect, beside that of the request's own host; `*` for all. Clients that are no browsers send none
   * and may always. A function decides alone.
   */
  origins?: "*" | readonly string[] | ((origin: string, request: HttpyRequest<Params>) => boolean);
  /** Longest message in bytes, inflated. Default: the limit webSocketMessageBytes, 1 MiB. */
  maxMessageBytes?: number;
  /** Bytes that may wait for a slow peer before its connection is cut. Default 64 MiB. */
  maxBufferedBytes?: number;
  /** Silence in milliseconds, without even a pong, after which the WebSocket is closed; 0 for never. Default: the limit's, never. */
  idleTimeoutMs?: number;
  /** Silence after which the peer is pinged; 0 for never. Default: the limit webSocketPingIntervalMs, 30 s. */
  pingIntervalMs?: number;
  /** Compresses messages where the client offers it (permessage-deflate). Default false. */
  compression?: boolean | CompressionOptions;
}

/** Terms of permessage-deflate, RFC 7692 §7.1. */
export interface CompressionOptions {
  /** Messages below this many bytes are sent as they are. Default 1024. */
  threshold?: number;
  /** Effort from 0 to 9 of node:zlib. Default: zlib's own. */
  level?: number;
  /** Memory of a compressor, 1 to 9. Default 8. */
  memLevel?: number;
  /** Keep the window from message to message: better compression, for up to 256 KiB of memory per WebSocket. Default false. */
  serverContextTakeover?: boolean;
  /** Let the client do so, for up to 32 KiB of memory per WebSocket. Default false. */
  clientContextTakeover?: boolean;
  /** Largest window of either side, 9 to 15 (8 to 15 for the client). Default 15. */
  serverMaxWindowBits?: number;
  clientMaxWindowBits?: number;
}

/** A route of WebSockets as a server sees it; made once. */
export interface WebSocketRoute {
  readonly options: WebSocketOptions<never, never>;
  readonly compression: Required<CompressionOptions> | null;
  readonly maxBufferedBytes: number;
  /** Tells what a handler threw and nobody took. */
  report(error: unknown): void;
}

/** The reply that opens a WebSocket. */
export class WebSocketReply extends Reply {
  readonly route: WebSocketRoute;
  readonly protocol: string;
  readonly data: unknown;

  constructor(route: WebSocketRoute, protocol: string, data: unknown) {
    super(101);
    this.route = route;
    this.protocol = protocol;
    this.data = data;
  }
}
