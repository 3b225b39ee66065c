// From a reply that opens a WebSocket to the socket: the engine's answer to the handshake, and the first call of a handler.

import { EngineError } from "../engine/engine_error.ts";
import { Deflate, Status } from "../engine/index.ts";
import type { CompressionOptions, WebSocketReply } from "../router/index.ts";
import type { ExchangeHost, ServerExchange } from "./server_exchange.ts";
import { ServerSocket, type SocketHost } from "./server_socket.ts";
import { SocketCompression } from "./socket_compression.ts";
import type { SocketTable } from "./socket_table.ts";
import { zlib } from "./platform.ts";

/** Window bits below this zlib cannot keep to when it compresses. */
const LEAST_SERVER_BITS = 9;

/** An instance on which WebSockets are opened. */
export interface SocketOpener extends ExchangeHost, SocketHost {
  readonly sockets: SocketTable;
}

/** Answers the handshake and opens the socket. An EngineError says why it cannot be; then the request is still to be answered. */
export function openServerSocket(host: SocketOpener, exchange: ServerExchange, reply: WebSocketReply): void {
  const { session } = exchange;
  const { route, protocol } = reply;
  const isMultiplexed = exchange.protocol === "h2" || exchange.protocol === "h3";
  const { maxMessageBytes, idleTimeoutMs, pingIntervalMs } = route.options;
  const agreed = host.engine.sockets.accept(
    exchange.handle,
    [...(reply.headers ?? [])].filter(([name]) => !OWN_FIELDS.has(name)),
    {
      protocol,
      deflate: route.compression === null || zlib === null ? Deflate.NONE : wishesOf(route.compression),
      messageBytesMax: maxMessageBytes ?? -1,
      idleTimeoutMs: idleTimeoutMs ?? -1,
      pingIntervalMs: pingIntervalMs ?? -1,
    },
    host.now(),
  );
  if (agreed < 0) {
    const isProtocol = agreed === Status.INVALID_ARGUMENT && protocol !== "";
    throw new EngineError(
      agreed,
      isProtocol ? `subprotocol ${protocol} was not offered` : "opening a WebSocket",
    );
  }
  const compression =
    route.compression === null || agreed === Number(Deflate.NONE)
      ? null
      : new SocketCompression(agreed, true, route.compression, maxMessageBytes ?? host.messageBytesMax);
  const socket = new ServerSocket(host, session, exchange.handle, route, {
    protocol,
    data: reply.data,
    compression,
  });
  session.isMultiplexed = isMultiplexed;
  host.finished(exchange);
  host.sockets.add(socket);
  session.scheduleFlush();
  socket.opened();
}

/** Fields that the engine writes itself. */
const OWN_FIELDS = new Set([
  "connection",
  "upgrade",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "content-length",
  "transfer-encoding",
]);

function wishesOf(compression: Required<CompressionOptions>): number {
  let wishes: number = Deflate.ON | (LEAST_SERVER_BITS << Deflate.LEAST_SERVER_WINDOW_SHIFT);
  if (!compression.serverContextTakeover) wishes |= Deflate.SERVER_NO_CONTEXT_TAKEOVER;
  if (!compression.clientContextTakeover) wishes |= Deflate.CLIENT_NO_CONTEXT_TAKEOVER;
  wishes |= compression.serverMaxWindowBits << Deflate.SERVER_WINDOW_SHIFT;
  wishes |= compression.clientMaxWindowBits << Deflate.CLIENT_WINDOW_SHIFT;
  return wishes;
}
