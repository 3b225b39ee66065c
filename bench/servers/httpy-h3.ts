/*
 * This server with TLS and HTTP/3 on the same port number.
 */
import { readCertificate } from "./certificate.ts";
import { app } from "./httpy-app.ts";
import { announceReady } from "./ready.ts";

const server = await app.listen({ port: 0, host: "127.0.0.1", tls: readCertificate(), http3: true });
announceReady(server.port);
