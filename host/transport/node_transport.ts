// Listeners on node:net and node:tls, which Deno and Bun have too: TCP, Unix sockets, IPv6, TLS with ALPN and SNI.

import { createServer, type Server, type Socket as NetSocket } from "node:net";
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { NodeSocket } from "./node_socket.ts";
import type { BoundAddress, Listener, ListenTarget, Socket, TlsOptions, Transport } from "./transport.ts";

const DEFAULT_BACKLOG = 1024;
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;

export const nodeTransport: Transport = { name: "node", listen };

async function listen(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Listener> {
  const server = target.tls === undefined ? plainServer(onSocket) : tlsServer(target, target.tls, onSocket);
  await bind(server, target);
  const address = boundAddress(server);
  return { address, stop: () => stop(server) };
}

function plainServer(onSocket: (socket: Socket) => void): Server {
  // Paused, so that the handle can be given to a socket of another kind before anything is read.
  return createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
    onSocket(new NodeSocket(socket, false)),
  );
}

function tlsServer(target: ListenTarget, tls: TlsOptions, onSocket: (socket: Socket) => void): Server {
  const { names, ...context } = tls;
  const contexts = names === undefined ? null : contextsByName(names, context);
  const server = createTlsServer(
    {
      ...(context as { key: string; cert: string }),
      minVersion: tls.minVersion ?? "TLSv1.2",
      ALPNProtocols: [...(target.alpn ?? ["http/1.1"])],
      handshakeTimeout: target.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
      allowHalfOpen: true,
      ...(contexts === null ? {} : { SNICallback: (name, done) => done(null, contextFor(contexts, name)) }),
    },
    (socket: TLSSocket) => onSocket(new NodeSocket(socket as unknown as NetSocket, true)),
  );
  // A failed handshake concerns its peer alone.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function contextsByName(
  names: NonNullable<TlsOptions["names"]>,
  base: Omit<TlsOptions, "names">,
): Map<string, SecureContext> {
  const entries = Object.entries(names).map(([name, pair]): [string, SecureContext] => [
    name.toLowerCase(),
    createSecureContext({ ...(base as object), key: asPem(pair.key), cert: asPem(pair.cert) }),
  ]);
  return new Map(entries);
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

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // `close` waits for every connection; the port is free at once, which is what is promised.
    server.close();
    setImmediate(resolve);
  });
}
