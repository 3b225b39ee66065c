/*
 * The `ws` package on `node:http`: what Fastify and Express give their WebSockets to.
 */
import "../servers/ws.ts";
