// Any application with `fetch` runs on the engine: here one of Hono, by itself at the root, or mounted beside other routes.

import { Hono } from "hono";
import { App, closeOnSignals } from "httpy";

const hono = new Hono();
hono.get("/", (c) => c.text("Hello from Hono"));
hono.get("/users/:id", (c) => c.json({ id: c.req.param("id") }));
hono.post("/echo", async (c) => c.body(await c.req.arrayBuffer()));

// With nothing beside it, `serve(hono, options)` is all that is needed.
const app = new App();
app.get("/", () => "Hello from HTTPy");
app.mount("/hono", hono);

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server);
console.log(`listening on ${server.urls[0]}`);
