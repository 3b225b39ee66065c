// Composition: a route's layers, middlewares and handler become one function, once, at first use.
//
// From the inside out: the handler, the route's own middlewares, then for each layer its middlewares and around
// them its error handlers. An error passes outward through the middlewares as an exception, so `try` around
// `next()` works as anywhere, until the nearest error handlers take it.
//
// Invariant: while nothing gives a promise, neither does the chain. A middleware costs one closure per request,
// a handler none.

import type { ErrorHandler, Handler, HandlerResult, Next } from "./handler.ts";
import type { Layer, Surroundings } from "./layer.ts";
import { joinPatterns } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";
import type { Reply } from "./reply.ts";
import type { HttpyRequest } from "./request.ts";
import { isPromise, toReply } from "./result.ts";
import type { Run } from "./route.ts";
import { parseScope, scopeCoverage, scopeCovers } from "./scope.ts";
import type { Scope } from "./scope.ts";

/**
 * Composes a chain. `pattern` is the route's, by which path-scoped middlewares are chosen; null when any path may
 * come. `handlers` are middlewares with the handler last; `label` names the route in errors.
 */
export function compose(
  layers: readonly Layer[],
  pattern: Pattern | null,
  handlers: readonly Handler[],
  label: string,
): Run {
  let run = answering(handlers.at(-1)!, label);
  for (let i = handlers.length - 2; i >= 0; i--) run = around(handlers[i]!, run, label);
  for (let i = layers.length - 1; i >= 0; i--) run = surrounded(layers[i]!, pattern, run, label);
  return run;
}

function surrounded(layer: Layer, pattern: Pattern | null, inner: Run, label: string): Run {
  const { surroundings, prefix } = layer;
  let run = inner;
  for (const { scope: source, handler } of surroundings.uses.toReversed()) {
    const scope = source === null ? null : parseScope(joinPatterns(prefix, source));
    const coverage = scope === null ? "all" : pattern === null ? "some" : scopeCoverage(scope, pattern);
    if (coverage === "none") continue;
    const wrapped = around(handler, run, label);
    run = scope === null || coverage === "all" ? wrapped : where(scope, wrapped, run);
  }
  return surroundings.handlesErrors ? catching(surroundings, run) : run;
}

function answering(handler: Handler, label: string): Run {
  const nothingNext: Next = () => {
    throw new Error(`${label}: next() was called by the last handler, after which nothing comes`);
  };
  return (request) => {
    const result = handler(request, nothingNext);
    return isPromise(result) ? waitFor(result, label) : toReply(result, label);
  };
}

async function waitFor(result: PromiseLike<HandlerResult>, label: string): Promise<Reply> {
  return toReply(await result, label);
}

function where(scope: Scope, covered: Run, uncovered: Run): Run {
  return (request) => (scopeCovers(scope, request.path) ? covered(request) : uncovered(request));
}

function around(middleware: Handler, inner: Run, label: string): Run {
  return (request) => {
    let called = false;
    let reply: Reply | Promise<Reply> | null = null;
    const next: Next = () => {
      if (called) throw new Error(`${label}: a middleware called next() twice`);
      called = true;
      reply = inner(request);
      // A middleware that does not wait for it must not turn a later failure into an unhandled rejection.
      if (reply instanceof Promise) reply.catch(ignore);
      return reply;
    };
    const result = middleware(request, next);
    if (isPromise(result)) return result === reply ? reply : settled(result, () => reply, label);
    return result === undefined ? replyOf(reply, label) : toReply(result, label);
  };
}

async function settled(
  result: PromiseLike<HandlerResult>,
  inner: () => Reply | Promise<Reply> | null,
  label: string,
): Promise<Reply> {
  const value = await result;
  return value === undefined ? replyOf(inner(), label) : toReply(value, label);
}

/** The reply from further in, for a middleware that gives none itself. */
function replyOf(reply: Reply | Promise<Reply> | null, label: string): Reply | Promise<Reply> {
  if (reply !== null) return reply;
  throw new Error(`${label}: a middleware neither called next() nor gave an answer`);
}

function catching(surroundings: Surroundings, inner: Run): Run {
  return (request) => {
    let reply: Reply | Promise<Reply>;
    try {
      reply = inner(request);
    } catch (error) {
      return handled(surroundings, error, request);
    }
    return reply instanceof Promise
      ? reply.catch((error: unknown) => handled(surroundings, error, request))
      : reply;
  };
}

function handled(surroundings: Surroundings, error: unknown, request: HttpyRequest): Reply | Promise<Reply> {
  const handler = surroundings.errorHandlerFor(error) as ErrorHandler<unknown> | null;
  if (handler === null) throw error;
  const result = handler(asObject(error), request);
  return isPromise(result) ? waitFor(result, "onError") : toReply(result, "onError");
}

/** Error handlers are promised an object; a thrown primitive becomes the message and cause of one. */
function asObject(error: unknown): object {
  if (typeof error === "object" && error !== null) return error;
  return new Error(typeof error === "string" ? error : `A value of type ${typeof error} was thrown`, {
    cause: error,
  });
}

function ignore(): void {}
