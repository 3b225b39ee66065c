// HTTP/3: the endpoint of QUIC behind a listener of the server, on the same port number as TCP (RFC 9114 §3.1).

import { QuicConfigFlag, QuicOption } from "../engine/index.ts";
import { checked } from "../engine/engine_error.ts";
import { Endpoint } from "../quic/endpoint.ts";
import { withQlog } from "../quic/qlog.ts";
import { listenOnPreferred } from "../quic/preferred_socket.ts";
import { addCredentials, makeConfig } from "../quic/quic_config.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import type { DatagramSink, DatagramSocket } from "../transport/datagrams.ts";
import type { BoundAddress, ListenTarget, TlsOptions } from "../transport/transport.ts";
import type { EngineHost } from "./engine_host.ts";
import type { Http3Options } from "./http3_options.ts";
import type { RequestHandler } from "./request_handler.ts";

/** One UDP port of the server. */
export interface QuicListener {
  readonly port: number;
  /** Refuses new connections. */
  drain(): void;
  stop(): Promise<void>;
}

/**
 * Binds UDP where the TCP listener is, and serves HTTP/3 by the instance. Rejects when the port cannot be bound, or the certificate is
 * none for TLS 1.3.
 */
export async function listenHttp3(
  host: EngineHost,
  address: BoundAddress,
  target: ListenTarget & { readonly tls: TlsOptions },
  options: Http3Options,
  handler: RequestHandler,
): Promise<QuicListener> {
  // The endpoint comes later: there is none for a port that is another's.
  let sink: DatagramSink | null = null;
  const socket = await bindDatagrams(
    {
      host: address.host,
      port: address.port,
      ipv6Only: target.ipv6Only,
      reusePort: target.reusePort,
    },
    {
      onDatagram: (payload, from, port) => sink?.onDatagram(payload, from, port),
      onClose: (error) => sink?.onClose(error),
    },
  );
  try {
    const endpoint = await serveHttp3(host, socket, target, options, handler);
    sink = endpoint;
    return listenerOf(host, endpoint, socket.port);
  } catch (error) {
    await socket.close();
    throw error;
  }
}

/** Makes the endpoint of a socket, and of the preferred address. */
async function serveHttp3(
  host: EngineHost,
  socket: DatagramSocket,
  target: ListenTarget & { readonly tls: TlsOptions },
  options: Http3Options,
  handler: RequestHandler,
): Promise<Endpoint> {
  const { quic } = host.engine;
  if (options.secret !== undefined)
    checked(quic.setSecret(options.secret, options.process ?? 0), "setting the secret of http3");
  const flags =
    QuicConfigFlag.HTTP3 |
    (handler.opensWebSockets === true ? QuicConfigFlag.CONNECT_PROTOCOL : 0) |
    (handler.opensWebTransport === true ? QuicConfigFlag.WEBTRANSPORT : 0);
  const { qlog, congestion = "cubic" } = options;
  if (qlog !== undefined) {
    const log = {
      target: qlog,
      role: "server",
      stats: (handle: number) => quic.stats(handle),
      now: () => host.now(),
    } as const;
    host.endpoints.tellAlso((events) => withQlog(events, log));
  }
  const config = makeConfig(
    quic,
    {
      alpn: ["h3"],
      congestion,
      earlyData: options.earlyData === true,
      ...(qlog === undefined ? {} : { qlog }),
    },
    flags,
  );
  const keys = addCredentials(quic, config, target);
  if (options.preferredVersion !== undefined)
    checked(quic.setOption(config, QuicOption.VERSION, options.preferredVersion), "preferring a version");
  if (options.retry === true) checked(quic.setOption(config, QuicOption.RETRY, 1), "asking for a Retry");
  const endpoint = new Endpoint(host, keys);
  endpoint.addSocket(socket);
  if (options.preferredAddress !== undefined)
    await listenOnPreferred(quic, config, endpoint, options.preferredAddress);
  checked(quic.listen(endpoint.handle, config), "listening by QUIC");
  host.endpoints.add(endpoint);
  return endpoint;
}

function listenerOf(host: EngineHost, endpoint: Endpoint, port: number): QuicListener {
  const { quic } = host.engine;
  return {
    port,
    drain: () => {
      if (!host.isFailed) quic.drainEndpoint(endpoint.handle);
    },
    stop: async () => {
      // What the connections end with is said before the port is free.
      if (!host.isFailed) endpoint.flush();
      host.endpoints.remove(endpoint);
      await endpoint.close();
    },
  };
}
