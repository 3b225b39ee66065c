// What surrounds routes: the middlewares, error handlers and not-found handler of one router.
//
// A route reached through mounted routers has one layer for each, outermost first. Composition (chain.ts) reads
// them; a router writes its own and drops the chains that were composed before.

import type { ErrorClass, ErrorHandler, Handler } from "./handler.ts";
import { joinPatterns } from "./pattern.ts";

/** A middleware and the path it is limited to; null when it surrounds the whole router. */
export interface Use {
  readonly scope: string | null;
  readonly handler: Handler;
}

/** The surroundings of one router. */
export class Surroundings {
  readonly uses: Use[] = [];
  notFound: Handler | null = null;
  readonly #byClass = new Map<unknown, ErrorHandler<never>>();
  #forAll: ErrorHandler<never> | null = null;

  get handlesErrors(): boolean {
    return this.#forAll !== null || this.#byClass.size > 0;
  }

  /** Sets the handler of a class of errors, or of all; throws when it is set already. */
  addErrorHandler(errorClass: ErrorClass<unknown> | null, handler: ErrorHandler<never>): void {
    const isTaken = errorClass === null ? this.#forAll !== null : this.#byClass.has(errorClass);
    if (isTaken)
      throw new TypeError(`onError: a handler for ${errorClass?.name ?? "all errors"} is already set`);
    if (errorClass === null) this.#forAll = handler;
    else this.#byClass.set(errorClass, handler);
  }

  /** The handler of the most specific class that this error belongs to, or the one for all, or null. */
  errorHandlerFor(error: unknown): ErrorHandler<never> | null {
    if (this.#byClass.size > 0 && typeof error === "object" && error !== null) {
      let prototype = Object.getPrototypeOf(error) as { constructor?: unknown } | null;
      while (prototype !== null) {
        const handler = this.#byClass.get(prototype.constructor);
        if (handler !== undefined) return handler;
        prototype = Object.getPrototypeOf(prototype) as { constructor?: unknown } | null;
      }
    }
    return this.#forAll;
  }
}

/** Surroundings at the prefix where their router is mounted. */
export interface Layer {
  readonly surroundings: Surroundings;
  /** Full prefix, seen from the router that composes; empty for its own. */
  readonly prefix: string;
}

/** Layers seen from a router that mounts theirs at `prefix`. */
export function nested(outer: Surroundings, prefix: string, layers: readonly Layer[]): Layer[] {
  const inner = layers.map((layer) => ({
    surroundings: layer.surroundings,
    prefix: layer.prefix === "" ? prefix : joinPatterns(prefix, layer.prefix),
  }));
  return [{ surroundings: outer, prefix: "" }, ...inner];
}
