// The routes of a router and what surrounds them, across mounting.
//
// A space holds its own routes and those of every space mounted in it, however deep, so finding a route never
// leaves one table. Each space also keeps a territory per mounted router: where no route matches, the deepest
// territory covering the path answers, through the middlewares, error handlers and `notFound` of its routers.
//
// Invariant: a new route is told to the spaces above first, so a conflict anywhere leaves it in none.

import { compose } from "./chain.ts";
import { otherMethodsReply, statusReply } from "./failure.ts";
import type { Handler } from "./handler.ts";
import { nested, Surroundings } from "./layer.ts";
import type { Layer } from "./layer.ts";
import { ASTERISK, joinPatterns, parsePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";
import { Route, RouteTable } from "./route.ts";
import type { Match, Run } from "./route.ts";
import type { RouterOptions } from "./router_options.ts";
import { parseScope, scopeCovers } from "./scope.ts";
import type { Scope } from "./scope.ts";
import { Status } from "./status.ts";
import { readTarget } from "./target.ts";

/** The paths that one router answers for when no route matches. */
interface Territory {
  readonly layers: readonly Layer[];
  /** Null: every path. */
  readonly scope: Scope | null;
  run: Run | null;
}

/** Routes, surroundings and mounted spaces of one router. */
export class RouteSpace {
  readonly surroundings = new Surroundings();
  readonly #table: RouteTable;
  readonly #isStrict: boolean;
  readonly #territories: Territory[];
  readonly #parents: Array<{ space: RouteSpace; prefix: string }> = [];
  #opensWebSockets = false;
  #opensWebTransport = false;

  constructor(options: Required<RouterOptions>) {
    this.#table = new RouteTable(options.maxParamLength);
    this.#isStrict = options.strict;
    this.#territories = [{ layers: this.#ownLayers(), scope: null, run: null }];
  }

  /** In order of registration. */
  get routes(): readonly Route[] {
    return this.#table.routes;
  }

  /** Whether a route here or in a mounted space opens WebSockets. */
  get opensWebSockets(): boolean {
    return this.#opensWebSockets;
  }

  /** One of the routes opens WebSockets. */
  openWebSockets(): void {
    this.#opensWebSockets = true;
    for (const { space } of this.#parents) space.openWebSockets();
  }

  get opensWebTransport(): boolean {
    return this.#opensWebTransport;
  }

  /** One of the routes opens WebTransport sessions. */
  openWebTransport(): void {
    this.#opensWebTransport = true;
    for (const { space } of this.#parents) space.openWebTransport();
  }

  /** Adds a route; throws a PatternError when its place is taken here or above. */
  add(method: string, pattern: Pattern, handlers: readonly Handler[]): void {
    this.#insert(new Route(method, pattern, handlers, this.#ownLayers()));
  }

  /** Puts another space at a prefix; what is added to it later is found as well. */
  mount(prefix: string, space: RouteSpace): void {
    if (space === this || this.#isWithin(space)) {
      throw new TypeError(`mount "${prefix}": a router cannot be mounted in itself`);
    }
    for (const route of space.routes) this.#adopt(route, prefix);
    for (const territory of space.#territories) this.#adoptTerritory(territory.layers, prefix);
    space.#parents.push({ space: this, prefix });
    if (space.opensWebSockets) this.openWebSockets();
    if (space.opensWebTransport) this.openWebTransport();
  }

  /** The route of a path that matches literally as it was received; the hot path. */
  findStatic(method: string, target: string): Route | undefined {
    return this.#table.findStatic(method, target);
  }

  /** The route of a treated path. */
  find(method: string, path: string): Match | null {
    const match = this.#table.find(method, path);
    return match !== null || this.#isStrict ? match : this.#table.find(method, otherSlash(path));
  }

  /** What answers a path that has no route. */
  missRun(path: string): Run {
    let deepest = this.#territories[0]!;
    for (const territory of this.#territories) {
      if (territory.scope === null || !scopeCovers(territory.scope, path)) continue;
      if (territory.scope.segments.length > (deepest.scope?.segments.length ?? 0)) deepest = territory;
    }
    return (deepest.run ??= compose(deepest.layers, null, [this.#missHandler(deepest.layers)], "No route"));
  }

  /** Drops every composed chain, here and above, after surroundings changed. */
  forgetChains(): void {
    for (const route of this.#table.routes) route.run = null;
    for (const territory of this.#territories) territory.run = null;
    for (const { space } of this.#parents) space.forgetChains();
  }

  #missHandler(layers: readonly Layer[]): Handler {
    return (request, next) => {
      const { problem } = readTarget(request.method, request.exchange.target);
      if (problem !== null) return statusReply(Status.BAD_REQUEST, `Bad request target: ${problem}`);
      const methods = this.#methodsAt(request.path);
      if (methods.length > 0) return otherMethodsReply(request.method, methods);
      const nearest = layers.findLast((layer) => layer.surroundings.notFound !== null);
      if (nearest !== undefined) return nearest.surroundings.notFound!(request, next);
      return statusReply(Status.NOT_FOUND);
    };
  }

  #methodsAt(path: string): string[] {
    if (path.includes("//")) return [];
    const methods = this.#table.methodsAt(path);
    if (path === ASTERISK) return [...methods, "OPTIONS"];
    return this.#isStrict ? methods : [...methods, ...this.#table.methodsAt(otherSlash(path))];
  }

  #insert(route: Route): void {
    for (const { space, prefix } of this.#parents) space.#adopt(route, prefix);
    this.#table.add(route);
  }

  #adopt(route: Route, prefix: string): void {
    const pattern = parsePattern(joinPatterns(prefix, route.pattern.source));
    this.#insert(
      new Route(route.method, pattern, route.handlers, nested(this.surroundings, prefix, route.layers)),
    );
  }

  #adoptTerritory(inner: readonly Layer[], prefix: string): void {
    const layers = nested(this.surroundings, prefix, inner);
    const innermost = layers[layers.length - 1];
    if (innermost === undefined) return;
    this.#territories.push({ layers, scope: parseScope(innermost.prefix), run: null });
    for (const parent of this.#parents) parent.space.#adoptTerritory(layers, parent.prefix);
  }

  #isWithin(space: RouteSpace): boolean {
    return this.#parents.some((parent) => parent.space === space || parent.space.#isWithin(space));
  }

  #ownLayers(): Layer[] {
    return [{ surroundings: this.surroundings, prefix: "" }];
  }
}

/** The same path with its trailing slash added or taken away. */
function otherSlash(path: string): string {
  if (path === "/") return path;
  return path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
}
