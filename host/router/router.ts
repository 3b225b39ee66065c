// The router: what users write routes and middlewares with, and the way from an exchange to a reply.
//
// `handle` is what a server calls for every request. It never throws and never rejects, and it answers without a
// promise when middlewares and handler do. A static path takes one map look-up; anything else is treated
// (target.ts) and walks the radix tree. Chains are composed at first use and kept.
//
// Middlewares surround every route of their router, registered before or after them, and misses too: the 404,
// the 405, the automatic OPTIONS and the 400 of a malformed target run through them. An error handler answers
// for its router from outside of the middlewares; a header that every answer shall carry is set by
// `request.onReply`.

import { compose } from "./chain.ts";
import type { Exchange } from "./exchange.ts";
import { declarationOf } from "./decorators.ts";
import type { ControllerClass } from "./decorators.ts";
import { httpErrorReply, unknownErrorReply, withoutBody } from "./failure.ts";
import { mountedFetch } from "./fetch_app.ts";
import type { FetchApp } from "./fetch_app.ts";
import type { ErrorClass, ErrorHandler, Handler } from "./handler.ts";
import { HttpError } from "./http_error.ts";
import type { Logger } from "./logger.ts";
import { NO_PARAMS } from "./params.ts";
import type { ParamsOf } from "./params.ts";
import { ASTERISK, joinPatterns, parsePattern, parsePrefix, PatternError } from "./pattern.ts";
import type { Reply } from "./reply.ts";
import { HttpyRequest } from "./request.ts";
import { ANY_METHOD } from "./route.ts";
import type { Match, Route, Run } from "./route.ts";
import { RouteSpace } from "./route_space.ts";
import { checkedOptions } from "./router_options.ts";
import type { RouterOptions } from "./router_options.ts";
import { parseScope } from "./scope.ts";
import { plainPathEnd, readTarget } from "./target.ts";
import { webTransportHandler, type WebTransportHandler, type WebTransportOptions } from "./web_transport.ts";
import type { WebSocketOptions } from "./web_socket.ts";
import { webSocketHandler } from "./web_socket_handshake.ts";
import { toResponse, WebExchange } from "./web_exchange.ts";

/** A handler of a route whose params are known from prefix and pattern. */
export type RouteHandler<Prefix extends string, Path extends string> = Handler<ParamsOf<`${Prefix}${Path}`>>;

/** One or more middlewares and a handler, the handler last. */
export type RouteHandlers<Prefix extends string, Path extends string> = [
  first: RouteHandler<Prefix, Path>,
  ...rest: Array<RouteHandler<Prefix, Path>>,
];

const methodToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const usualMethods = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
]);

/** A route as `routes()` lists it. */
export interface RouteListing {
  /** `ALL` for a route of every method. */
  readonly method: string;
  readonly pattern: string;
}

/** Routes and middlewares. `Prefix` is the pattern before it, from which groups infer params. */
export class Router<Prefix extends string = ""> {
  readonly #options: Required<RouterOptions>;
  readonly #space: RouteSpace;

  /** Where errors that answer 500 are logged unless `onUnhandled` takes them. */
  logger: Logger;

  constructor(options: RouterOptions = {}) {
    this.#options = checkedOptions(options);
    this.logger = this.#options.logger;
    this.#space = new RouteSpace(this.#options);
  }

  /** Answers GET, and HEAD where no route of its own does. */
  get<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("GET", path, ...handlers);
  }

  head<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("HEAD", path, ...handlers);
  }

  post<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("POST", path, ...handlers);
  }

  put<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("PUT", path, ...handlers);
  }

  patch<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("PATCH", path, ...handlers);
  }

  delete<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("DELETE", path, ...handlers);
  }

  /** Answers OPTIONS in place of the automatic answer; path `*` is `OPTIONS *`. */
  options<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("OPTIONS", path, ...handlers);
  }

  /** Answers CONNECT; path `*` is any authority-form target. */
  connect<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    return this.on("CONNECT", path, ...handlers);
  }

  /** Answers every method that has no route of its own at this path. */
  all<Path extends string>(path: Path, ...handlers: RouteHandlers<Prefix, Path>): this {
    this.#register([ANY_METHOD], path, handlers);
    return this;
  }

  /**
   * Opens WebSockets at this path, over every version of HTTP. Pages of other origins are refused unless allowed. It is a route of
   * GET, and of CONNECT, by which HTTP/2 opens one: middlewares surround the handshake, and a plain GET is answered 426.
   */
  ws<Path extends string, Data = unknown>(
    path: Path,
    options: WebSocketOptions<ParamsOf<`${Prefix}${Path}`>, Data>,
  ): this {
    const report = (error: unknown): void =>
      this.logger.error({ err: error, path }, "a WebSocket handler failed");
    const handler = webSocketHandler(path, options as unknown as WebSocketOptions<never, never>, report);
    this.#register(["GET", "CONNECT"], path, [handler]);
    this.#space.openWebSockets();
    return this;
  }

  /**
   * Opens WebTransport sessions at this path, over HTTP/3. Pages of other origins are refused unless allowed. It is a route of
   * CONNECT: middlewares surround the request for a session. The session outlives the handler, until either side closes it.
   */
  webtransport<Path extends string, Data = unknown>(
    path: Path,
    handler: WebTransportHandler<Data>,
    options: WebTransportOptions<ParamsOf<`${Prefix}${Path}`>, Data> = {},
  ): this {
    const report = (error: unknown): void =>
      this.logger.error({ err: error, path }, "a WebTransport handler failed");
    const terms = options as unknown as WebTransportOptions<never, never>;
    this.#register(["CONNECT"], path, [webTransportHandler(path, handler, terms, report)]);
    this.#space.openWebTransport();
    return this;
  }

  /** Whether some route opens WebTransport sessions: then HTTP/3 announces them. */
  get opensWebTransport(): boolean {
    return this.#space.opensWebTransport;
  }

  /** Whether some route opens WebSockets: then HTTP/2 announces extended CONNECT (RFC 8441 §3). */
  get opensWebSockets(): boolean {
    return this.#space.opensWebSockets;
  }

  /** Answers one or several methods; any method token will do, case matters. */
  on<Path extends string>(
    methods: string | readonly string[],
    path: Path,
    ...handlers: RouteHandlers<Prefix, Path>
  ): this {
    const list = typeof methods === "string" ? [methods] : methods;
    this.#register(list.map(checkedMethod), path, handlers);
    return this;
  }

  /** Surrounds every route with middlewares, or those below a path prefix such as `/admin`. */
  use(...middlewares: [Handler, ...Handler[]]): this;
  use<Path extends string>(path: Path, ...middlewares: RouteHandlers<Prefix, Path>): this;
  use(first: string | Handler<never>, ...rest: Array<Handler<never>>): this {
    const scope = typeof first === "string" ? first : null;
    if (scope !== null) parseScope(scope);
    const given = typeof first === "string" ? rest : [first, ...rest];
    demandHandlers(scope === null ? "use" : `use "${scope}"`, given);
    for (const handler of given) this.#space.surroundings.uses.push({ scope, handler: handler as Handler });
    this.#space.forgetChains();
    return this;
  }

  /** A router at `prefix`, filled by a function or given. */
  group<Path extends string>(
    prefix: Path,
    content: Router<string> | ((group: Router<`${Prefix}${Path}`>) => void),
  ): this {
    if (typeof content !== "function") return this.mount(prefix, content);
    const group = new Router<`${Prefix}${Path}`>(this.#options);
    this.mount(prefix, group);
    content(group);
    return this;
  }

  /**
   * Puts a router at `prefix`; routes added to it later are found as well. Or a fetch-style app, which then
   * answers `prefix` and all below it, seeing its URL without the prefix.
   */
  mount(prefix: string, content: Router<string> | FetchApp): this {
    if (!(content instanceof Router)) {
      const at = parsePrefix(prefix);
      const handler = mountedFetch(content);
      if (at !== "/") this.#register([ANY_METHOD], at, [handler]);
      this.#register([ANY_METHOD], joinPatterns(at, "/*"), [handler]);
      return this;
    }
    this.#space.mount(parsePrefix(prefix), content.#space);
    return this;
  }

  /** Answers errors: of one class, the most specific first, or all those that no class matched. */
  onError(handler: ErrorHandler): this;
  onError<E>(errorClass: ErrorClass<E>, handler: ErrorHandler<E>): this;
  onError(first: ErrorHandler | ErrorClass<unknown>, second?: ErrorHandler<never>): this {
    const [errorClass, handler] =
      second === undefined ? [null, first] : [first as ErrorClass<unknown>, second];
    demandHandlers("onError", [handler]);
    this.#space.surroundings.addErrorHandler(errorClass, handler as ErrorHandler<never>);
    this.#space.forgetChains();
    return this;
  }

  /** Answers paths below this router that no route matches. */
  notFound(handler: Handler): this {
    demandHandlers("notFound", [handler]);
    this.#space.surroundings.notFound = handler;
    return this;
  }

  /** Adds the routes of decorated controllers, given as classes or instances. */
  register(...controllers: ReadonlyArray<object | ControllerClass>): this {
    for (const given of controllers) {
      const { prefix, middlewares, routes } = declarationOf(given);
      const group = new Router<string>(this.#options);
      for (const middleware of middlewares) group.use(middleware);
      for (const { methods, path, handlers } of routes) {
        group.#register(methods.length === 0 ? [ANY_METHOD] : methods.map(checkedMethod), path, handlers);
      }
      this.mount(prefix, group);
    }
    return this;
  }

  /** Every route, those of mounted routers included, in order of registration. */
  routes(): RouteListing[] {
    return this.#space.routes.map(({ method, pattern }) => ({
      method: method === ANY_METHOD ? "ALL" : method,
      pattern: pattern.source,
    }));
  }

  /** Answers one request. Never throws, never rejects; gives no promise where nothing has to be waited for. */
  handle(exchange: Exchange): Reply | Promise<Reply> {
    const target = exchange.target;
    const route = this.#space.findStatic(exchange.method, target);
    if (route === undefined) return this.#handleTreated(exchange, target);
    const limit = this.#options.bodyLimitBytes;
    const request = new HttpyRequest(exchange, target, null, target, NO_PARAMS, route.pattern.source, limit);
    return this.#answer(route.run ?? composed(route), request);
  }

  /** Answers a web request without a server. Bound, so that it may be passed on by itself. */
  readonly fetch = async (request: Request): Promise<Response> =>
    toResponse(await this.handle(new WebExchange(request)));

  #handleTreated(exchange: Exchange, target: string): Reply | Promise<Reply> {
    const method = exchange.method;
    let origin = target;
    let path = target;
    let authority: string | null = null;
    let match: Match | null = null;
    const pathEnd = plainPathEnd(target);
    if (pathEnd >= 0) {
      if (pathEnd < target.length) path = target.slice(0, pathEnd);
      match = this.#space.find(method, path);
    } else {
      const treated = readTarget(method, target);
      ({ origin, path, authority } = treated);
      // An empty segment belongs to no route; a wildcard must not give one out as part of a file name.
      if (treated.problem === null && !path.includes("//")) match = this.#space.find(method, path);
    }
    const limit = this.#options.bodyLimitBytes;
    if (match === null) {
      const request = new HttpyRequest(exchange, origin, authority, path, NO_PARAMS, null, limit);
      return this.#answer(this.#space.missRun(path), request);
    }
    const { route, params } = match;
    const request = new HttpyRequest(exchange, origin, authority, path, params, route.pattern.source, limit);
    return this.#answer(route.run ?? composed(route), request);
  }

  #answer(run: Run, request: HttpyRequest): Reply | Promise<Reply> {
    try {
      const reply = run(request);
      return reply instanceof Promise ? this.#answerLater(reply, request) : this.#finish(reply, request);
    } catch (error) {
      return this.#finish(this.#failed(error, request), request);
    }
  }

  async #answerLater(pending: Promise<Reply>, request: HttpyRequest): Promise<Reply> {
    let reply: Reply;
    try {
      reply = await pending;
    } catch (error) {
      reply = this.#failed(error, request);
    }
    return this.#finish(reply, request);
  }

  #failed(error: unknown, request: HttpyRequest): Reply {
    if (error instanceof HttpError) return httpErrorReply(error);
    this.#reportUnhandled(error, request);
    return unknownErrorReply();
  }

  #finish(reply: Reply, request: HttpyRequest): Reply {
    const hooks = request.takeReplyHooks();
    if (hooks !== null) {
      for (const hook of hooks) {
        try {
          hook(reply);
        } catch (error) {
          this.#reportUnhandled(error, request);
        }
      }
    }
    return request.exchange.method === "HEAD" ? withoutBody(reply) : reply;
  }

  #reportUnhandled(error: unknown, request: HttpyRequest): void {
    const { onUnhandled } = this.#options;
    try {
      if (onUnhandled !== null) onUnhandled(error, request);
      else this.logger.error({ err: error, method: request.method, path: request.path }, "unhandled error");
    } catch {
      // A hook that fails while it reports a failure has nobody left to tell.
    }
  }

  #register(methods: readonly string[], path: string, handlers: ReadonlyArray<Handler<never>>): void {
    const pattern = parsePattern(path);
    demandHandlers(`${methods.join(", ")} ${path}`, handlers);
    for (const method of methods) {
      if (path === ASTERISK && method !== "OPTIONS" && method !== "CONNECT") {
        throw new PatternError(
          path,
          0,
          'stands for no path and is for OPTIONS and CONNECT; write "/*" for every path',
        );
      }
      this.#space.add(method, pattern, handlers as readonly Handler[]);
    }
  }
}

function composed(route: Route): Run {
  return (route.run = compose(route.layers, route.pattern, route.handlers, route.label));
}

function checkedMethod(method: string): string {
  if (!methodToken.test(method)) throw new TypeError(`Method ${JSON.stringify(method)} is not a token`);
  const upper = method.toUpperCase();
  if (method !== upper && usualMethods.has(upper)) {
    throw new TypeError(`Method "${method}": methods are case-sensitive, write "${upper}"`);
  }
  return method;
}

function demandHandlers(place: string, handlers: readonly unknown[]): void {
  if (handlers.length === 0) throw new TypeError(`${place}: a handler is missing`);
  handlers.forEach((handler, index) => {
    if (typeof handler !== "function") {
      throw new TypeError(
        `${place}: handler ${index + 1} of ${handlers.length} is ${typeof handler}, not a function`,
      );
    }
  });
}
