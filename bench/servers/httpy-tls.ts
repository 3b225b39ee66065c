/*
 * This server with TLS; a client that offers `h2` by ALPN gets HTTP/2.
 */
import { readCertificate } from "./certificate.ts";
import { app } from "./httpy-app.ts";
import { announceReady } from "./ready.ts";

const server = await app.listen({ port: 0, host: "127.0.0.1", tls: readCertificate() });
announceReady(server.port);
