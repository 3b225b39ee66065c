// Middlewares: around everything, around a group of routes, and for one route.

import { timingSafeEqual } from "node:crypto";
import { App, bodyLimit, closeOnSignals, HttpError } from "httpy";
import type { Handler } from "httpy";

const TOKEN = Buffer.from(process.env["TOKEN"] ?? "secret");

/** A header for every answer, those of errors too. It waits for nothing, so a synchronous route stays synchronous. */
const withRequestId: Handler = (req, next) => {
  const id = req.header("x-request-id") ?? crypto.randomUUID();
  req.state["id"] = id;
  req.onReply((reply) => reply.set("x-request-id", id));
  return next();
};

const demandToken: Handler = (req, next) => {
  const given = Buffer.from(req.header("authorization")?.replace(/^Bearer /, "") ?? "");
  const isKnown = given.length === TOKEN.length && timingSafeEqual(given, TOKEN);
  if (!isKnown) throw new HttpError(401, "a token is needed", { headers: { "www-authenticate": "Bearer" } });
  return next();
};

/** What follows can be waited for and its reply changed. */
const withTiming: Handler = async (req, next) => {
  const startMs = performance.now();
  const reply = await next();
  return reply.set("server-timing", `handler;dur=${(performance.now() - startMs).toFixed(1)}`);
};

const app = new App();
app.use(withRequestId);
app.get("/", (req) => `request ${String(req.state["id"])}`);
app.group("/admin", (admin) => {
  admin.use(demandToken);
  admin.get("/", withTiming, () => "welcome");
  admin.post("/notes", bodyLimit(1024), async (req) => ({ length: (await req.text()).length }));
});

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server);
console.log(`listening on ${server.urls[0]}`);
