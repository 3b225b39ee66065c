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
export type { RequestHandler } from "./server/request_handler.ts";
export type { CloseOptions, CloseReport } from "./server/server.ts";
export { EngineError } from "./engine/engine_error.ts";
export { loadModule, readRecording, replay } from "./engine/index.ts";
export type { LimitName, LimitOptions, RecordedConnection, Recording, ReplayReport } from "./engine/index.ts";
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
export { WebTransportError } from "./web_transport/web_transport_error.ts";
export { WebSocketClient } from "./client/web_socket_client.ts";
export { WebSocketCloseEvent, WebSocketErrorEvent } from "./client/web_socket_events.ts";
export type { WebSocketClientOptions } from "./client/web_socket_client.ts";
export { WebTransport } from "./client/web_transport.ts";
export type { WebTransportClientOptions } from "./client/web_transport.ts";
export { HttpClient } from "./client/http_client.ts";
export { HttpClientError } from "./client/http_client_error.ts";
export type { HttpClientErrorCode } from "./client/http_client_error.ts";
export type { HttpClientOptions, TlsClientOptions } from "./client/client_options.ts";
export type { ClientRequestInit } from "./client/client_request.ts";
export type { ClientResponse } from "./client/client_response.ts";
export type { RequestContent, RequestTrailers } from "./client/request_body.ts";
export type {
  CarriedBody,
  CarriedContent,
  CarriedExchange,
  CarriedRequest,
  CarriedResponse,
  Carrier,
  CarrierOwner,
  Dialer,
  DialTarget,
  ExchangeSink,
  FieldLines,
  ProtocolName,
} from "./client/dialer.ts";
export { connectQuic, listenQuic, QuicConnectionError, QuicStreamError } from "./quic/index.ts";
export type {
  CipherName,
  CongestionControl,
  ConnectQuicOptions,
  GroupName,
  ListenQuicOptions,
  QuicClient,
  QuicCloseInfo,
  QuicConnection,
  QuicEnd,
  QuicListener,
  QuicOptions,
  QuicStats,
  QuicStream,
  StreamConnection,
} from "./quic/index.ts";
