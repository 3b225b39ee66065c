/*
 * Fastify with its logger off (the default). The two middlewares are `onRequest` hooks in the callback form, its
 * fastest, on the one route that has them.
 */
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { announceReady } from "./ready.ts";

const app = fastify();

app.get("/", (_request, reply) => {
  reply.type("text/plain").send("Hello, World!");
});

app.get(
  "/users/:id",
  {
    onRequest: [
      (_request, reply, done) => {
        reply.header("x-first", "1");
        done();
      },
      (_request, reply, done) => {
        reply.header("x-second", "2");
        done();
      },
    ],
  },
  (request, reply) => {
    reply.send({ id: request.params["id"] });
  },
);

await app.listen({ port: 0, host: "127.0.0.1" });
announceReady((app.server.address() as AddressInfo).port);
