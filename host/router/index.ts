// The public face of the router room.

export { parseCookies, setCookie } from "./cookies.ts";
export type { CookieOptions, Cookies } from "./cookies.ts";
export { all, controller, del, get, head, on, options, patch, post, put, use } from "./decorators.ts";
export type { ControllerClass, RouteDecorator } from "./decorators.ts";
export { EventStream, formatEvent } from "./event_stream.ts";
export type { EventSourceInput, ServerSentEvent } from "./event_stream.ts";
export type { Exchange, HeaderPairs, Protocol } from "./exchange.ts";
export { fromFetch } from "./fetch_app.ts";
export type { FetchApp, FromFetchOptions } from "./fetch_app.ts";
export type { HeadersInput } from "./field.ts";
export type { ErrorClass, ErrorHandler, Handler, HandlerResult, Next } from "./handler.ts";
export { HttpError } from "./http_error.ts";
export type { HttpErrorOptions } from "./http_error.ts";
export { consoleLogger, isLogger, silentLogger } from "./logger.ts";
export type { Logger, LogLevel } from "./logger.ts";
export { accessLog, bodyLimit } from "./middleware.ts";
export type { AccessLogOptions } from "./middleware.ts";
export type { Params, ParamsOf } from "./params.ts";
export { PatternError } from "./pattern.ts";
export type { Query } from "./query.ts";
export { Reply, reply, sse } from "./reply.ts";
export type { ReplyBody, ReplyInit } from "./reply.ts";
export { ReplyHeaders } from "./reply_headers.ts";
export { HttpyRequest } from "./request.ts";
export type { JsonOptions, ReadOptions, ReplyHook, RequestState } from "./request.ts";
export { Router } from "./router.ts";
export type { RouteHandler, RouteHandlers, RouteListing } from "./router.ts";
export type { RouterOptions, UnhandledHook } from "./router_options.ts";
export { Status, statusPhrase } from "./status.ts";
export { WebTransportReply } from "./web_transport.ts";
export type {
  WebTransportAcceptance,
  WebTransportBidirectionalStream,
  WebTransportCloseInfo,
  WebTransportDatagrams,
  WebTransportHandler,
  WebTransportOptions,
  WebTransportRoute,
  WebTransportSession,
} from "./web_transport.ts";
export { WebSocketReply } from "./web_socket.ts";
export type {
  CompressionOptions,
  SendOptions,
  WebSocketAcceptance,
  WebSocketConnection,
  WebSocketMessage,
  WebSocketOptions,
  WebSocketRoute,
  WebSocketSendable,
} from "./web_socket.ts";
