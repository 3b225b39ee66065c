// One route of a router, and the table that finds it.
//
// A static path is found in a map per method, before anything is parsed; the rest by the radix tree. A route for
// every method (`all`) and GET standing in for HEAD are fallbacks at the same path, so `all("/a")` outranks
// `get("/:x")`: the path decides before the method. A leaf without the wanted method is passed over, so that
// `DELETE /users/me` reaches `DELETE /users/:id` although `GET /users/me` exists.

import type { Handler } from "./handler.ts";
import type { Layer } from "./layer.ts";
import { makeParams, NO_PARAMS } from "./params.ts";
import type { Params } from "./params.ts";
import { ASTERISK, PatternError } from "./pattern.ts";
import type { Pattern, Segment } from "./pattern.ts";
import { RadixTree } from "./radix_tree.ts";
import type { Captures } from "./radix_tree.ts";
import type { HttpyRequest } from "./request.ts";
import type { Reply } from "./reply.ts";

/** Answers a request: middlewares, handler and conversion in one function. */
export type Run = (request: HttpyRequest) => Reply | Promise<Reply>;

/** The method of a route that answers every method. */
export const ANY_METHOD = "*";

/** A route as a router knows it; a route of a mounted router is one more of these in the router above. */
export class Route {
  readonly method: string;
  readonly pattern: Pattern;
  /** Per-route middlewares, then the handler. */
  readonly handlers: readonly Handler[];
  /** The routers it came through, outermost first, and the prefix of each. */
  readonly layers: readonly Layer[];
  /** The composed chain; null until first used, and after a router of its layers changed. */
  run: Run | null = null;

  constructor(method: string, pattern: Pattern, handlers: readonly Handler[], layers: readonly Layer[]) {
    this.method = method;
    this.pattern = pattern;
    this.handlers = handlers;
    this.layers = layers;
  }

  /** `GET /users/:id`, for messages. */
  get label(): string {
    return `${this.method === ANY_METHOD ? "ALL" : this.method} ${this.pattern.source}`;
  }
}

/** A route and the params its path gave. */
export class Match {
  readonly route: Route;
  readonly params: Params;

  constructor(route: Route, params: Params) {
    this.route = route;
    this.params = params;
  }
}

/** Routes at one path shape, by method. */
class Leaf {
  readonly routes = new Map<string, Route>();
}

/** The routes of one router, those of mounted routers included. */
export class RouteTable {
  readonly #byStaticPath = new Map<string, Map<string, Route>>();
  readonly #staticGets = new Map<string, Route>();
  readonly #tree: RadixTree<Leaf>;
  readonly #asterisk = new Leaf();
  readonly #captures: Captures = [];
  /** In order of registration. */
  readonly routes: Route[] = [];

  constructor(maxParamLength: number) {
    this.#tree = new RadixTree(maxParamLength);
    this.#byStaticPath.set("GET", this.#staticGets);
  }

  /** Adds a route; throws a PatternError when its place is taken. Then nothing was added. */
  add(route: Route): void {
    const leaves = shapesOf(route.pattern).map((shape) => this.#leafOf(route.pattern, shape));
    for (const leaf of leaves) {
      const holder = leaf.routes.get(route.method);
      if (holder === undefined) continue;
      const place = this.routes.indexOf(holder) + 1;
      const problem = `is already taken by ${holder.label}, registered as number ${place}; cannot add ${route.label}`;
      throw new PatternError(route.pattern.source, 0, problem);
    }
    for (const leaf of leaves) leaf.routes.set(route.method, route);
    for (const shape of shapesOf(route.pattern)) this.#addStatic(route, shape);
    this.routes.push(route);
  }

  /** The route of a path that matches literally as it was received. */
  findStatic(method: string, path: string): Route | undefined {
    if (method === "GET") return this.#staticGets.get(path);
    return this.#byStaticPath.get(method)?.get(path);
  }

  /** The route that answers this method at this treated path. */
  find(method: string, path: string): Match | null {
    if (path === ASTERISK) {
      const route = routeFor(this.#asterisk, method);
      return route === undefined ? null : new Match(route, NO_PARAMS);
    }
    const route = this.#tree.find(path, this.#captures, routeFor, method);
    if (route === undefined) return null;
    const names = route.pattern.names;
    if (names.length === 0) return new Match(route, NO_PARAMS);
    return new Match(route, makeParams(names, capturedCount(route.pattern, path), path, this.#captures));
  }

  /** The methods that some route answers at this path, sorted; those of every route for `*`. */
  methodsAt(path: string): string[] {
    const methods = new Set<string>();
    if (path === ASTERISK) {
      for (const route of this.routes) methods.add(route.method);
    } else {
      const collect = (leaf: Leaf): undefined => {
        for (const method of leaf.routes.keys()) methods.add(method);
      };
      this.#tree.find(path, [], collect, "");
    }
    methods.delete(ANY_METHOD);
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].sort();
  }

  #leafOf(pattern: Pattern, shape: readonly Segment[]): Leaf {
    return pattern.source === ASTERISK ? this.#asterisk : this.#tree.leafOf(shape, () => new Leaf());
  }

  #addStatic(route: Route, shape: readonly Segment[]): void {
    if (route.method === ANY_METHOD || route.pattern.names.length > 0 || shape.length === 0) return;
    let paths = this.#byStaticPath.get(route.method);
    if (paths === undefined) this.#byStaticPath.set(route.method, (paths = new Map<string, Route>()));
    paths.set(route.pattern.source, route);
  }
}

function routeFor(leaf: Leaf, method: string): Route | undefined {
  const own = leaf.routes.get(method);
  if (own !== undefined) return own;
  if (method === "HEAD") {
    const get = leaf.routes.get("GET");
    if (get !== undefined) return get;
  }
  return leaf.routes.get(ANY_METHOD);
}

/** The shapes of a pattern: one, or two when its last segment is optional. */
function shapesOf(pattern: Pattern): ReadonlyArray<readonly Segment[]> {
  const last = pattern.segments.at(-1);
  if (last === undefined || last.kind !== "param" || !last.optional) return [pattern.segments];
  const without = pattern.segments.slice(0, -1);
  return [without.length === 0 ? [{ kind: "static", text: "" }] : without, pattern.segments];
}

/** How many of a pattern's names the matched path gave: all, or one fewer where an optional segment is absent. */
function capturedCount(pattern: Pattern, path: string): number {
  const last = pattern.segments.at(-1)!;
  if (last.kind !== "param" || !last.optional) return pattern.names.length;
  let slashes = 0;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) slashes++;
  const isPresent = slashes === pattern.segments.length && !path.endsWith("/");
  return isPresent ? pattern.names.length : pattern.names.length - 1;
}
