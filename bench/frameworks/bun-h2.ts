/*
 * `Bun.serve` with HTTP/2 on the same port, which it leaves out unless asked.
 */
import { announceReady } from "../servers/ready.ts";

declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    http2: boolean;
    routes: Record<string, () => Response>;
  }): { readonly port: number };
};

const routes = { "/": () => new Response("Hello, World!") };
announceReady(Bun.serve({ port: 0, hostname: "127.0.0.1", http2: true, routes }).port);
