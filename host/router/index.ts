// The public face of the router room.

export { parseCookies, setCookie } from "./cookies.ts";
export type { CookieOptions, Cookies } from "./cookies.ts";
export { EventStream, formatEvent } from "./event_stream.ts";
export type { EventSourceInput, ServerSentEvent } from "./event_stream.ts";
export type { Exchange, HeaderPairs, Protocol } from "./exchange.ts";
export type { HeadersInput } from "./field.ts";
export type { ErrorClass, ErrorHandler, Handler, HandlerResult, Next } from "./handler.ts";
export { HttpError } from "./http_error.ts";
export type { HttpErrorOptions } from "./http_error.ts";
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
