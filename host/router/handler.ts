// The shapes of what users give to a router.
//
// A handler and a middleware are the same kind of function: the last of a route answers, those before it may
// call `next()` for the reply of what follows. Either may be synchronous; then so is the whole answer.

import type { HttpyRequest } from "./request.ts";
import type { Params } from "./params.ts";
import type { Reply } from "./reply.ts";

/**
 * What a handler may give: text, bytes, a value to be sent as JSON, null or nothing for 204, a stream or async
 * iterable, a web `Response`, or a `Reply`. A symbol, a bigint or a function is refused when it is answered.
 */
export type HandlerResult = string | number | boolean | object | null | undefined | void;

/** The reply of everything further in: at once when all of that is synchronous. May be called once. */
export type Next = () => Reply | Promise<Reply>;

/** A handler or a middleware. */
export type Handler<P = Params> = (
  request: HttpyRequest<P>,
  next: Next,
) => HandlerResult | Promise<HandlerResult>;

/** Answers an error. What it throws answers 500. */
export type ErrorHandler<E = Error> = (
  error: E,
  request: HttpyRequest,
) => HandlerResult | Promise<HandlerResult>;

/** A class of errors, for `onError`. */
export type ErrorClass<E> = abstract new (...args: never[]) => E;
