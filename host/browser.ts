// `httpy` in a browser, a worker or a service worker: the router, the bare engine, and the server over message ports.
//
// There are no sockets, so `app.listen` needs a transport: PortTransport, or one of your own, over WebTransport for instance.
// A service worker needs none: `addEventListener("fetch", (event) => event.respondWith(app.fetch(event.request)))`.

export { App, serve } from "./server/app.ts";
export type { FetchApp } from "./server/app.ts";
export type { ListenerOptions, ListenOptions } from "./server/options.ts";
export { Server } from "./server/server.ts";
export type { RequestHandler } from "./server/request_handler.ts";
export type { CloseOptions, CloseReport } from "./server/server.ts";
export { PortSocket, PortTransport } from "./transport/port_transport.ts";
export type { PipePort } from "./transport/port_transport.ts";
export type {
  BoundAddress,
  Listener,
  ListenTarget,
  Socket,
  SocketSink,
  TlsOptions,
  Transport,
} from "./transport/transport.ts";
export {
  Engine,
  EngineError,
  loadModule,
  OpenFlag,
  Protocol,
  Role,
  SendFlag,
  Status,
  statusText,
} from "./engine/index.ts";
export type { EngineOptions, EventSink, ReceivedHead } from "./engine/index.ts";
export type { LimitName, LimitOptions } from "./engine/index.ts";
export * from "./router/index.ts";
