/*
 * Fastify with its logger off (the default) and without schemas, which no other peer has.
 */
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

const app = fastify();

// Content as bytes, as the other peers read it.
app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

app.get("/", (_request, reply) => void reply.type("text/plain").send("Hello, World!"));
app.get("/json", (_request, reply) => void reply.send({ message: "Hello, World!" }));
app.get("/items/:id", (request, reply) => void reply.send({ id: request.params["id"] }));
app.post("/echo", (request, reply) => void reply.type("application/octet-stream").send(request.body));
app.get("/large", (_request, reply) => void reply.send(items));

await app.listen({ port: 0, host: "127.0.0.1" });
announceReady((app.server.address() as AddressInfo).port);
