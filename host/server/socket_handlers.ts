// Calls of a route's handlers for one WebSocket. What they throw is told to `error`, or logged; a trap of the engine passes through.

import type { WebSocketRoute } from "../router/index.ts";

/** A WebSocket whose handlers are called. */
export interface RoutedSocket {
  readonly route: WebSocketRoute;
}

/** Handlers differ in their arguments; what each is given is decided by who calls. */
type Handler = (ws: unknown, ...rest: unknown[]) => unknown;
type Handlers = Readonly<Record<string, Handler | undefined>>;

/** Calls a handler, if the route has it. Answers its promise where it gave one. */
export function callHandler(
  socket: RoutedSocket,
  name: "open" | "message" | "drain" | "ping" | "pong" | "close",
  a?: unknown,
  b?: unknown,
): Promise<unknown> | null {
  const handlers = socket.route.options as unknown as Handlers;
  const handler = handlers[name];
  if (handler === undefined) return null;
  try {
    const result = handler.call(handlers, socket, a, b);
    return result instanceof Promise ? result : null;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    tellHandlerError(socket, error);
    return null;
  }
}

/** Tells an error of a handler or of the peer to the route's `error`, and where there is none, or it fails, to the log. */
export function tellHandlerError(socket: RoutedSocket, error: unknown): void {
  const handlers = socket.route.options as unknown as Handlers;
  const told = handlers["error"];
  if (told === undefined) {
    socket.route.report(error);
    return;
  }
  try {
    told.call(handlers, socket, error instanceof Error ? error : new Error(String(error), { cause: error }));
  } catch (thrown) {
    socket.route.report(thrown);
  }
}

/** What the peer did wrong is told to `error` only: it is no news for a log. */
export function tellPeerError(socket: RoutedSocket, error: Error | null): void {
  if (error !== null && socket.route.options.error !== undefined) tellHandlerError(socket, error);
}
