// From a reply that opens a WebTransport session to the session: the engine's answer to the request, and the call of the handler.

import { EngineError } from "../engine/engine_error.ts";
import { Status } from "../engine/index.ts";
import type { WebTransportHandler, WebTransportReply } from "../router/index.ts";
import { WebTransportError } from "../web_transport/web_transport_error.ts";
import type { ExchangeHost, ServerExchange } from "./server_exchange.ts";
import { ServerWebTransport, type WebTransportHost } from "./server_web_transport.ts";

/** Fields that the engine writes itself. */
const OWN_FIELDS = new Set(["content-length", "transfer-encoding", "connection", "upgrade"]);

/** An instance on which WebTransport sessions are opened. */
export interface SessionOpener extends ExchangeHost, WebTransportHost {}

/** Accepts the request and opens the session. An EngineError says why it cannot be; then the request is still to be answered. */
export function openServerSession(
  host: SessionOpener,
  exchange: ServerExchange,
  reply: WebTransportReply,
): void {
  const { session: connection, handle } = exchange;
  const fields = [...(reply.headers ?? [])].filter(([name]) => !OWN_FIELDS.has(name));
  const status = host.engine.webTransport.accept(handle, fields, host.now());
  connection.scheduleFlush();
  // The engine has refused it, as the connection has as many as it may: ABORTED follows.
  if (status === Status.EXCHANGES_FULL) return;
  if (status < 0) throw new EngineError(status, "opening a WebTransport session");
  const { route } = reply;
  const session = new ServerWebTransport(host, connection, handle, {
    keepAliveMs: route.keepAliveMs,
    data: reply.data,
  });
  host.finished(exchange);
  const fail = (error: unknown): void => {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    // A handler that reads until the session is cut hears of that by its error, and has not failed.
    const isCut = session.isOver && error instanceof WebTransportError && error.source === "session";
    if (!isCut) route.report(error);
    session.close({ reason: "the handler failed" });
  };
  try {
    const result = (route.handler as WebTransportHandler)(session);
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}
