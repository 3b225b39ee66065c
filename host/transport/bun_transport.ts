// Listeners on Bun.listen for plain TCP; TLS and Unix sockets are those of `node:*`, which has more of what they need:
// certificates by name, a time limit for handshakes, the lowest version.

import { BunSocket, type NativeSocket } from "./bun_socket.ts";
import { nodeTransport } from "./node_transport.ts";
import type { BoundAddress, Listener, ListenTarget, Socket, Transport } from "./transport.ts";

interface NativeListener {
  readonly hostname: string;
  readonly port: number;
  stop(closesConnections: boolean): void;
}

interface NativeHandlers {
  open(socket: NativeSocket): void;
  data(socket: NativeSocket, chunk: Uint8Array): void;
  drain(socket: NativeSocket): void;
  end(socket: NativeSocket): void;
  close(socket: NativeSocket, error?: Error): void;
  error(socket: NativeSocket, error: Error): void;
}

/** The part of the global `Bun` that is used here. */
interface BunGlobal {
  listen(options: {
    hostname: string;
    port: number;
    allowHalfOpen: boolean;
    exclusive: boolean;
    reusePort?: boolean;
    ipv6Only?: boolean;
    socket: NativeHandlers;
  }): NativeListener;
}

/** Where node:net listens when nobody says where. */
const ANY_HOST = "::";

export const bunTransport: Transport = {
  name: "bun",
  listen(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Listener> {
    if (target.tls !== undefined || target.path !== undefined) return nodeTransport.listen(target, onSocket);
    return Promise.resolve().then(() => listen(target, onSocket));
  },
};

function listen(target: ListenTarget, onSocket: (socket: Socket) => void): Listener {
  const native = (globalThis as unknown as { Bun: BunGlobal }).Bun.listen({
    hostname: target.host ?? ANY_HOST,
    port: target.port ?? 0,
    allowHalfOpen: true,
    exclusive: true,
    ...(target.reusePort === undefined ? {} : { reusePort: target.reusePort }),
    ...(target.ipv6Only === undefined ? {} : { ipv6Only: target.ipv6Only }),
    socket: handlers(onSocket),
  });
  const address: BoundAddress = { host: native.hostname, port: native.port, path: null };
  const stop = (): Promise<void> => {
    native.stop(false);
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { address, stop };
}

/** One set for all sockets of a listener; each finds its own by `data`. */
function handlers(onSocket: (socket: Socket) => void): NativeHandlers {
  return {
    open(native) {
      native.data = new BunSocket(native);
      onSocket(native.data);
    },
    data: (native, chunk) => native.data?.received(chunk),
    drain: (native) => native.data?.drained(),
    end: (native) => native.data?.ended(),
    close: (native, error) => native.data?.closed(error),
    // Told before `close`, which follows.
    error: () => undefined,
  };
}
