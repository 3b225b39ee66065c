/*
 * `Bun.serve` with TLS, and HTTP/2 where ALPN says so.
 */
import { readCertificate } from "../servers/certificate.ts";
import { announceReady } from "../servers/ready.ts";

declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    http2: boolean;
    tls: { key: string; cert: string };
    routes: Record<string, () => Response>;
  }): { readonly port: number };
};

const routes = { "/": () => new Response("Hello, World!") };
announceReady(
  Bun.serve({ port: 0, hostname: "127.0.0.1", http2: true, tls: readCertificate(), routes }).port,
);
