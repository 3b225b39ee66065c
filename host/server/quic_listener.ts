// HTTP/3: the endpoint of QUIC behind a listener of the server, on the same port number as TCP (RFC 9114 §3.1).

import { QuicConfigFlag, QuicOption } from "../engine/index.ts";
import { checked } from "../engine/engine_error.ts";
import { Endpoint } from "../quic/endpoint.ts";
import { type QlogTarget, withQlog } from "../quic/qlog.ts";
import type { PreferredAddress } from "../quic/preferred_address.ts";
import { listenOnPreferred } from "../quic/preferred_socket.ts";
import { addCredentials, makeConfig } from "../quic/quic_config.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import type { DatagramSink, DatagramSocket } from "../transport/datagrams.ts";
import type { BoundAddress, ListenTarget, TlsOptions } from "../transport/transport.ts";
import type { EngineHost } from "./engine_host.ts";
import type { RequestHandler } from "./server.ts";

/** What `http3` may say. */
export interface Http3Options {
  /** Takes safe requests before the handshake is complete (0-RTT); others are answered 425. Default false. */
  readonly earlyData?: boolean;
  /** Has every client prove its address first (Retry). Default: only under load. */
  readonly retry?: boolean;
  /** 32 bytes that processes on one port share, and the number of this one among them. */
  readonly secret?: Uint8Array;
  readonly process?: number;
  /**
   * Keeps a qlog of every connection: a folder for the files, or a function that is called with the name of each trace and answers
   * what it is written to. It says when what was sent and how long, and nothing of what.
   */
  readonly qlog?: QlogTarget;
  /** The version of QUIC that connections go over to where the client speaks it (RFC 9368). Default: the one that it begins with. */
  readonly preferredVersion?: 1 | 2;
  /**
   * Where clients are to go once their handshake is confirmed (RFC 9000 §9.6), beside the listener's own address, on which all
   * begin. It is bound too. For one listener alone.
   */
  readonly preferredAddress?: PreferredAddress;
}

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
  const { qlog } = options;
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
    { alpn: ["h3"], earlyData: options.earlyData === true, ...(qlog === undefined ? {} : { qlog }) },
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
