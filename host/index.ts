// `httpy`: the server, the router and what applications need of both.

export { App, serve } from "./server/app.ts";
export type { FetchApp } from "./server/app.ts";
export type { ListenerOptions, ListenOptions } from "./server/options.ts";
export {
  cachedCertificate,
  developmentCertificate,
  writeCertificate,
} from "./server/development_certificate.ts";
export type { DevelopmentCertificate } from "./server/development_certificate.ts";
export { closeOnSignals } from "./server/shutdown.ts";
export type { SignalOptions } from "./server/shutdown.ts";
export { Server } from "./server/server.ts";
export type { CloseOptions, CloseReport, RequestHandler } from "./server/server.ts";
export { EngineError } from "./engine/engine_error.ts";
export type { LimitName, LimitOptions } from "./engine/index.ts";
export type {
  BoundAddress,
  Listener,
  ListenTarget,
  Socket,
  SocketSink,
  TlsOptions,
  Transport,
} from "./transport/transport.ts";
export * from "./router/index.ts";
export { WebSocketClient } from "./client/web_socket_client.ts";
export { WebSocketCloseEvent, WebSocketErrorEvent } from "./client/web_socket_events.ts";
export type { WebSocketClientOptions } from "./client/web_socket_client.ts";
