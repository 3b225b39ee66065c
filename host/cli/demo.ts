// `httpy demo`: the demo application, plain and over TLS, on the usual ports or the next free ones.

import { createHash, X509Certificate } from "node:crypto";
import { developmentCertificate } from "../index.ts";
import type { Server } from "../index.ts";
import type { ServeOptions } from "./arguments.ts";
import { demoApp } from "./demo_app.ts";
import { certificateOf, commonOptions } from "./serve.ts";

const DEFAULT_PORT = 8080;
const DEFAULT_TLS_PORT = 8443;
/** How many ports above the usual ones are tried while they are taken. */
const TRIES = 100;

/** The demo while it is served. */
export interface RunningDemo {
  readonly server: Server;
  /** Ends what would go on for ever, so that the server can close. */
  readonly stop: () => void;
}

/** Serves the demo; resolves once both listeners are bound. */
export async function serveDemo(options: ServeOptions): Promise<RunningDemo> {
  const { host } = options;
  const given = await certificateOf(options);
  const tls = given ?? (await developmentCertificate());
  const isDevelopment = given === null || options.devCert;
  const { app, stop } = demoApp(() => server.metrics(), isDevelopment ? hashOf(tls.cert as string) : null);
  const server = await onFreePorts(options, (port, tlsPort) => {
    const plain = options.path === undefined ? { host, port } : { path: options.path };
    return app.listen({
      ...commonOptions(options),
      listeners: [plain, { host, port: tlsPort, tls }],
      http3: true,
    });
  });
  return { server, stop };
}

function hashOf(cert: string): string {
  return createHash("sha256").update(new X509Certificate(cert).raw).digest("base64");
}

/** Tries the next port while a usual one is taken. A port that somebody asked for is that port or an error. */
async function onFreePorts(
  options: ServeOptions,
  listen: (port: number, tlsPort: number) => Promise<Server>,
): Promise<Server> {
  let port = options.port ?? DEFAULT_PORT;
  let tlsPort = options.tlsPort ?? DEFAULT_TLS_PORT;
  for (let attempt = 1; ; attempt++) {
    try {
      return await listen(port, tlsPort);
    } catch (error) {
      const { code, port: taken } = error as { code?: string; port?: number };
      if (code !== "EADDRINUSE" || attempt === TRIES) throw error;
      if (taken === port && options.port === undefined) port++;
      else if (taken === tlsPort && options.tlsPort === undefined) tlsPort++;
      else throw error;
    }
  }
}
