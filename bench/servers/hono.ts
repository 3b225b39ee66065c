/*
 * Hono on Node through its own adapter. The two middlewares are on the one route that has them.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { announceReady } from "./ready.ts";

const app = new Hono();

app.get("/", (c) => c.text("Hello, World!"));

app.get(
  "/users/:id",
  async (c, next) => {
    c.header("x-first", "1");
    await next();
  },
  async (c, next) => {
    c.header("x-second", "2");
    await next();
  },
  (c) => c.json({ id: c.req.param("id") }),
);

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => announceReady(port));
