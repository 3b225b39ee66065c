/*
 * This server with TLS and HTTP/3 on the same port number. Argument: the address that it listens on, by default that of this machine.
 */
import { readCertificate } from "./certificate.ts";
import { app } from "./httpy-app.ts";
import { announceReady } from "./ready.ts";

const [host = "127.0.0.1"] = process.argv.slice(2);
const server = await app.listen({ port: 0, host, tls: readCertificate(), http3: true });
announceReady(server.port);
