/*
 * Hono on Node, through its own adapter.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

const app = new Hono();

app.get("/", (c) => c.text("Hello, World!"));
app.get("/json", (c) => c.json({ message: "Hello, World!" }));
app.get("/items/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/echo", async (c) =>
  c.body(await c.req.arrayBuffer(), 200, { "content-type": "application/octet-stream" }),
);
app.get("/large", (c) => c.json(items));

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => announceReady(port));
