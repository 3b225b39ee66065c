// Serving raw QUIC.

import { QuicOption, RetryPolicy } from "../engine/index.ts";
import { checked } from "../engine/engine_error.ts";
import { resolveLimits } from "../engine/limits.ts";
import { loadModule, moduleFrom } from "../engine/module.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import { Endpoint } from "./endpoint.ts";
import { type PreferredAddress, preferredAddressProblem } from "./preferred_address.ts";
import { listenOnPreferred } from "./preferred_socket.ts";
import {
  addCredentials,
  makeConfig,
  optionError,
  type QuicOptions,
  type ServerCredentials,
} from "./quic_config.ts";
import type { QuicConnection } from "./quic_connection.ts";
import { QuicHost } from "./quic_host.ts";

/** What `listenQuic` takes. */
export interface ListenQuicOptions extends QuicOptions, ServerCredentials {
  /** UDP port, 0 for any free one. Default 0. */
  readonly port?: number;
  /** Address to bind. Default: every address. */
  readonly host?: string;
  readonly reusePort?: boolean;
  /** Has every client prove its address by a Retry first. Default: only under load. */
  readonly retry?: boolean;
  /** 32 bytes that processes on one port share, and the number of this one. Default: random. */
  readonly secret?: Uint8Array;
  readonly process?: number;
  /** The version that connections go over to where the client speaks it (RFC 9368). Default: the one that it begins with. */
  readonly preferredVersion?: 1 | 2;
  /** Where clients are to go once their handshake is confirmed (RFC 9000 §9.6). It is bound too. */
  readonly preferredAddress?: PreferredAddress;
}

/** A listener for raw QUIC. */
export interface QuicListener {
  readonly host: string;
  readonly port: number;
  readonly connectionCount: number;
  /** The engine's counters by name. */
  counters(): Map<string, number>;
  /** Refuses new connections, waits for those there are until the deadline, then ends them. */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

const MIB = 1024 * 1024;
const DEFAULT_MEMORY_MIB = 256;
const CLOSE_POLL_MS = 10;

/** Listens; `onConnection` is called with each connection whose handshake is complete. */
export async function listenQuic(
  options: ListenQuicOptions,
  onConnection: (connection: QuicConnection) => void | Promise<void>,
): Promise<QuicListener> {
  const { preferredAddress: preferred } = options;
  const problem = preferred === undefined ? null : preferredAddressProblem(preferred);
  if (problem !== null) optionError(problem.name, problem.value, problem.allowed);
  const module = await (options.module === undefined ? loadModule() : moduleFrom(options.module));
  const host = new QuicHost({
    module,
    limits: resolveLimits(options.limits),
    memoryBytes: (options.memoryMiB ?? DEFAULT_MEMORY_MIB) * MIB,
    ...(options.qlog === undefined ? {} : { qlog: { target: options.qlog, role: "server" } }),
  });
  try {
    const { quic } = host;
    if (options.secret !== undefined)
      checked(quic.setSecret(options.secret, options.process ?? 0), "setting the secret");
    const config = makeConfig(quic, options, 0);
    const keys = addCredentials(quic, config, options);
    const { preferredVersion } = options;
    if (preferredVersion !== undefined && quic.setOption(config, QuicOption.VERSION, preferredVersion) < 0)
      optionError("preferredVersion", preferredVersion, "1 or 2");
    if (options.retry === true) quic.setOption(config, QuicOption.RETRY, RetryPolicy.ALWAYS);
    const endpoint = new Endpoint(host, keys);
    checked(quic.listen(endpoint.handle, config), "listening");
    const { keyLog } = options;
    host.add(endpoint, {
      onConnection: (connection) => void onConnection(connection),
      ...(keyLog === undefined ? {} : { onKeyLog: keyLog }),
    });
    const socket = await bindDatagrams(options, endpoint);
    endpoint.addSocket(socket);
    if (preferred !== undefined) await listenOnPreferred(quic, config, endpoint, preferred);
    return {
      host: socket.host,
      port: socket.port,
      get connectionCount() {
        return host.connectionCount;
      },
      counters: () => host.engine.counters(),
      close: async ({ deadlineMs = 0 } = {}) => {
        quic.drainEndpoint(endpoint.handle);
        const deadline = performance.now() + deadlineMs;
        while (host.connectionCount > 0 && performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
        }
        for (const connection of host.connectionsOf(endpoint)) void connection.close();
        endpoint.flush();
        await host.remove(endpoint);
        host.stop();
      },
    };
  } catch (error) {
    host.stop();
    throw error;
  }
}
