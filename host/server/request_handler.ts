// What a server asks of whoever answers its requests: the router, or anything with its door.

import type { Exchange, Reply } from "../router/index.ts";

/** What answers requests: the router, or anything with its door. */
export interface RequestHandler {
  handle(exchange: Exchange): Reply | Promise<Reply>;
  /** Whether some of the answers open WebSockets. Default: none does. */
  readonly opensWebSockets?: boolean;
  /** Whether some open WebTransport sessions. Default: none does. */
  readonly opensWebTransport?: boolean;
}
