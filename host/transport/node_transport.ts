// Listeners on node:net and node:tls, which Deno and Bun have too: TCP, Unix sockets, IPv6, TLS with ALPN and SNI.
//
// A TLS connection is handed over once its handshake is complete. Until then it belongs to the listener, which gives it
// limited time, and little of that once it has stopped.

import { createServer, type Server, type Socket as NetSocket } from "node:net";
import type * as nodeTls from "node:tls";
import { NodeSocket } from "./node_socket.ts";
import { runtime } from "./runtime.ts";
import type { BoundAddress, Listener, ListenTarget, Socket, TlsOptions, Transport } from "./transport.ts";

/** How sockets are read. */
export interface NodeTransportOptions {
  /** Read into the sink's buffer, without a copy. Default true, but on Bun, whose sockets take no accepted handle. */
  readonly readsInPlace?: boolean;
}

/** node:tls, loaded with the first listener that needs it: plain servers start without. */
type TlsModule = typeof nodeTls;
type SecureContext = nodeTls.SecureContext;
type TLSSocket = nodeTls.TLSSocket;
type TlsNames = NonNullable<TlsOptions["names"]>;

const DEFAULT_BACKLOG = 1024;
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
/** What is left of a handshake when the listener stops: a round trip or two. */
const STOPPED_HANDSHAKE_MS = 500;

/** A transport on node's sockets. */
export function createNodeTransport(options: NodeTransportOptions = {}): Transport {
  const readsInPlace = options.readsInPlace ?? runtime !== "bun";
  return { name: "node", listen: (target, onSocket) => listen(target, onSocket, readsInPlace) };
}

export const nodeTransport: Transport = createNodeTransport();

async function listen(
  target: ListenTarget,
  onSocket: (socket: Socket) => void,
  readsInPlace: boolean,
): Promise<Listener> {
  const shaking = new Map<string, NetSocket>();
  const server =
    target.tls === undefined
      ? plainServer(onSocket, readsInPlace)
      : tlsServer(await import("node:tls"), target, target.tls, onSocket, shaking);
  await bind(server, target);
  const address = boundAddress(server);
  return {
    address,
    stop: () => stop(server, shaking),
    get handshakeCount() {
      return shaking.size;
    },
  };
}

function plainServer(onSocket: (socket: Socket) => void, readsInPlace: boolean): Server {
  // Paused, so that the handle can be given to a socket of another kind before anything is read.
  return createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
    onSocket(new NodeSocket(socket, false, readsInPlace)),
  );
}

function tlsServer(
  tlsModule: TlsModule,
  target: ListenTarget,
  tls: TlsOptions,
  onSocket: (socket: Socket) => void,
  shaking: Map<string, NetSocket>,
): Server {
  const { names, ...context } = tls;
  const contexts = names === undefined ? null : contextsByName(tlsModule, names, context);
  const options = {
    ...(context as { key: string; cert: string }),
    minVersion: tls.minVersion ?? ("TLSv1.2" as const),
    ...(runtime === "node" ? { ciphers: tls.ciphers ?? usualCiphers(tlsModule) } : {}),
    ALPNProtocols: [...(target.alpn ?? ["http/1.1"])],
    handshakeTimeout: target.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
    allowHalfOpen: true,
    ...(contexts === null
      ? {}
      : {
          SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
            done(null, contextFor(contexts, name)),
        }),
  };
  const server = usable("tls", () => tlsModule.createServer(options));
  server.on("connection", (socket: NetSocket) => {
    const name = peerName(socket);
    if (name === null) return;
    shaking.set(name, socket);
    socket.once("close", () => shaking.delete(name));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    shaking.delete(peerName(socket) ?? "");
    onSocket(new NodeSocket(socket, true, false));
  });
  // A failed handshake concerns its peer alone.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/**
 * Node's own, but of the suites of TLS 1.3 the one first that takes the least time, as in Node's order for TLS 1.2: AES-128-GCM.
 * RFC 8446 §9.1 has everybody implement it.
 */
function usualCiphers(tlsModule: TlsModule): string {
  const suites = tlsModule.DEFAULT_CIPHERS.split(":");
  return [FIRST_SUITE, ...suites.filter((suite) => suite !== FIRST_SUITE)].join(":");
}

const FIRST_SUITE = "TLS_AES_128_GCM_SHA256";

/** Tells connections of one listener apart while they are open; null on a Unix socket, whose peers have no name. */
function peerName(socket: NetSocket | TLSSocket): string | null {
  return socket.remotePort === undefined ? null : `${socket.remoteAddress} ${socket.remotePort}`;
}

function contextsByName(
  tlsModule: TlsModule,
  names: TlsNames,
  base: Omit<TlsOptions, "names">,
): Map<string, SecureContext> {
  const entries = Object.entries(names).map(([name, pair]): [string, SecureContext] => [
    name.toLowerCase(),
    usable(`tls.names["${name}"]`, () =>
      tlsModule.createSecureContext({ ...(base as object), key: asPem(pair.key), cert: asPem(pair.cert) }),
    ),
  ]);
  return new Map(entries);
}

/** What OpenSSL says of a bad key does not say whose key it was. */
function usable<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`listen option ${option} cannot be used: ${reason}`, { cause });
  }
}
/** The context of a server name, or of its wildcard (RFC 9525 §6.3: one whole leftmost label). */
function contextFor(contexts: Map<string, SecureContext>, name: string): SecureContext | undefined {
  const lower = name.toLowerCase();
  return contexts.get(lower) ?? contexts.get(lower.replace(/^[^.]+/u, "*"));
}

function asPem(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

function bind(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const options = {
      backlog: target.backlog ?? DEFAULT_BACKLOG,
      ...(target.path !== undefined ? { path: target.path } : { port: target.port ?? 0, host: target.host }),
      ...(target.ipv6Only === undefined ? {} : { ipv6Only: target.ipv6Only }),
      ...(target.reusePort === undefined ? {} : { reusePort: target.reusePort }),
    };
    server.listen(options, () => {
      server.off("error", reject);
      // Accepting fails for want of file descriptors; the listener goes on.
      server.on("error", () => undefined);
      resolve();
    });
  });
}

function boundAddress(server: Server): BoundAddress {
  const address = server.address();
  if (typeof address === "string") return { host: "", port: 0, path: address };
  return { host: address?.address ?? "", port: address?.port ?? 0, path: null };
}

function stop(server: Server, shaking: ReadonlyMap<string, NetSocket>): Promise<void> {
  return new Promise((resolve) => {
    // `close` waits for every connection; the port is free at once, which is what is promised.
    server.close();
    setTimeout(() => {
      for (const socket of shaking.values()) socket.destroy();
    }, STOPPED_HANDSHAKE_MS).unref();
    setImmediate(resolve);
  });
}
