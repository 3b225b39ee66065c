/*
 * `Deno.serve` with TLS, which speaks HTTP/2 where ALPN says so.
 */
import { readCertificate } from "../servers/certificate.ts";
import { announceReady } from "../servers/ready.ts";

declare const Deno: {
  serve(
    options: {
      port: number;
      hostname: string;
      key: string;
      cert: string;
      onListen(address: { port: number }): void;
    },
    handler: (request: Request) => Response,
  ): unknown;
};

const onListen = ({ port }: { port: number }): void => announceReady(port);
Deno.serve(
  { port: 0, hostname: "127.0.0.1", ...readCertificate(), onListen },
  () => new Response("Hello, World!"),
);
