/*
 * This server without TLS: HTTP/1.1 and, by prior knowledge, HTTP/2 on one port.
 */
import { app } from "./httpy-app.ts";
import { announceReady } from "./ready.ts";

const server = await app.listen({ port: 0, host: "127.0.0.1" });
announceReady(server.port);
