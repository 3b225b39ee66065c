// The application that users write: a router that can listen.

import { fromFetch, isLogger, Router } from "../router/index.ts";
import type { RouterOptions } from "../router/index.ts";
import type { ListenOptions } from "./options.ts";
import { Server } from "./server.ts";

/** An application: a router that can listen. `new App()`, routes, then `await app.listen({ port })`. */
export class App extends Router {
  constructor(options: RouterOptions = {}) {
    super(options);
  }

  /** Serves the application; resolves once every listener is bound. A logger given here is the application's from then on. */
  listen(options: ListenOptions = {}): Promise<Server> {
    if (isLogger(options.logger)) this.logger = options.logger;
    return Server.start(this, { logger: this.logger, ...options });
  }
}

/** Anything with a `fetch` handler: Hono, Elysia, h3, or a function of one's own. */
export interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
}

/** Serves a fetch-style application. */
export function serve(app: FetchApp, options: ListenOptions = {}): Promise<Server> {
  const { logger } = options;
  const told = isLogger(logger)
    ? { onUnhandled: (error: unknown) => logger.error({ err: error }, "unhandled error in fetch") }
    : {};
  return Server.start({ handle: fromFetch(app, told) }, options);
}
