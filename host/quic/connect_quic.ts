// Connecting by raw QUIC.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { QuicConfigFlag, QuicOption, QuicStatus } from "../engine/index.ts";
import { encodeAddress, parseIp } from "../engine/datagram_batch.ts";
import { checked } from "../engine/engine_error.ts";
import { resolveLimits } from "../engine/limits.ts";
import { loadModule, moduleFrom } from "../engine/module.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import { Endpoint } from "./endpoint.ts";
import { addRoots, makeConfig, type QuicOptions, readRuntimeRoots } from "./quic_config.ts";
import type { QuicConnection } from "./quic_connection.ts";
import { QuicConnectionError } from "./quic_error.ts";
import { QuicHost } from "./quic_host.ts";

/** What `connectQuic` takes. */
export interface ConnectQuicOptions extends QuicOptions {
  /** Name or address of the server. Default "localhost". */
  readonly host?: string;
  readonly port: number;
  /** The name to ask for and to find in the certificate. Default: `host`. */
  readonly serverName?: string;
  /** Roots to trust, in PEM. Default: those of the runtime. */
  readonly ca?: string | Uint8Array;
  /** False: any certificate will do. Default true. */
  readonly rejectUnauthorized?: boolean;
  /** The version to begin with: 1, or 2 for RFC 9369. A server that speaks only the other is asked again with that (RFC 9000 §6.2). */
  readonly version?: 1 | 2;
  /** What `onTicket` brought of an earlier connection. */
  readonly ticket?: Uint8Array;
  readonly token?: Uint8Array;
  /** Is given what a later connection resumes with: as secret as a key. */
  readonly onTicket?: (ticket: Uint8Array) => void;
  readonly onToken?: (token: Uint8Array) => void;
}

/** A connection in the client's role. */
export interface QuicClient {
  readonly connection: QuicConnection;
  /** Moves the connection to another local port (RFC 9000 §9.2). Resolves once the new path is asked for. */
  readonly migrate: () => Promise<void>;
  /** Closes the connection, and frees the socket once the peer may have heard of it. */
  readonly close: (info?: { readonly code?: bigint | number; readonly reason?: string }) => Promise<void>;
}

const MIB = 1024 * 1024;
const CLIENT_MEMORY_MIB = 64;
/** A client has few connections: small tables. */
const CLIENT_LIMITS = { connectionCount: 64, exchangeCount: 4096, quicRouteCount: 1024 };
const LINGER_MS = 20;
/** Of QuicOption.VERSION: a Version Negotiation packet has led to it. */
const NEGOTIATED = 4;

/**
 * Opens a connection. Resolves when its handshake is complete, or, with `earlyData` and a ticket that allows it, at once.
 * Rejects with a QuicConnectionError.
 */
export async function connectQuic(options: ConnectQuicOptions): Promise<QuicClient> {
  const { port } = options;
  const name = options.host ?? "localhost";
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new RangeError(`QUIC option port is ${port}; it must be a whole number from 1 to 65535`);
  const address = isIP(name) !== 0 ? name : (await lookup(name)).address;
  const module = await (options.module === undefined ? loadModule() : moduleFrom(options.module));
  const host = new QuicHost({
    module,
    limits: resolveLimits({ ...CLIENT_LIMITS, ...options.limits }),
    memoryBytes: (options.memoryMiB ?? CLIENT_MEMORY_MIB) * MIB,
    ...(options.qlog === undefined ? {} : { qlog: { target: options.qlog, role: "client" } }),
  });
  try {
    const { quic } = host;
    const isUnchecked = options.rejectUnauthorized === false;
    const config = makeConfig(quic, options, isUnchecked ? QuicConfigFlag.ANY_CERTIFICATE : 0);
    const version = options.version ?? 1;
    checked(quic.setOption(config, QuicOption.VERSION, version), "choosing the version");
    if (!isUnchecked)
      addRoots(quic, config, options.ca, options.ca === undefined ? await readRuntimeRoots() : "");
    const endpoint = new Endpoint(host, []);
    const { keyLog, onTicket, onToken } = options;
    host.add(endpoint, {
      ...(keyLog === undefined ? {} : { onKeyLog: keyLog }),
      ...(onTicket === undefined ? {} : { onTicket: (_connection, ticket) => onTicket(ticket) }),
      ...(onToken === undefined ? {} : { onToken: (_connection, token) => onToken(token) }),
    });
    const isIpv6 = address.includes(":");
    const any = isIpv6 ? "::" : "0.0.0.0";
    endpoint.addSocket(await bindDatagrams({ host: any }, endpoint));
    const serverName = options.serverName ?? name;
    const target = {
      address: encodeAddress(address, port),
      serverName: isIP(serverName) !== 0 ? Uint8Array.from(parseIp(serverName)) : serverName,
      ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
      ...(options.token === undefined ? {} : { token: options.token }),
    };
    const connect = (): QuicConnection => {
      const handle = checked(quic.connect(endpoint.handle, config, target, host.now()), "connecting");
      const opened = host.adopt(endpoint, handle, { host: address, port });
      host.readEvents();
      endpoint.flush();
      host.armTimer();
      return opened;
    };
    let connection = connect();
    // Early data are for a server that is known, and so is its version: what was sent cannot be taken back.
    const isEarly = options.earlyData === true && options.ticket !== undefined;
    if (!isEarly && (await isVersionOffered(connection))) {
      checked(quic.setOption(config, QuicOption.VERSION, (3 - version) | NEGOTIATED), "choosing the version");
      connection = connect();
    }
    const free = async () => {
      await host.remove(endpoint);
      host.stop();
    };
    void connection.closed.then(() => setTimeout(() => void free(), LINGER_MS));
    if (!isEarly) await connection.ready;
    return {
      connection,
      migrate: async () => {
        await connection.confirmed;
        const local = endpoint.sockets.length;
        endpoint.addSocket(await bindDatagrams({ host: any }, endpoint.sinkFor(local)));
        checked(quic.migrate(connection.handle, local, host.now()), "moving to another port");
        endpoint.flush();
        host.armTimer();
      },
      close: async (info = {}) => {
        await connection.close(info);
        endpoint.flush();
      },
    };
  } catch (error) {
    host.stop();
    throw error;
  }
}

/** Whether connecting ended because the server speaks the other version. */
async function isVersionOffered(connection: QuicConnection): Promise<boolean> {
  try {
    await connection.ready;
    return false;
  } catch (error) {
    return error instanceof QuicConnectionError && error.status === (QuicStatus.VERSION_OFFERED as number);
  }
}
