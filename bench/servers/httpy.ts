/*
 * This project's server through its public interface, the routes the peers have. As with them, each is written the
 * way that is fastest: middlewares leave a hook for the reply, so that a route without a promise stays without one.
 */
import { App, reply } from "httpy";
import { freshBlocks, patternBlocks } from "./pattern.ts";
import { announceReady } from "./ready.ts";

const app = new App();

app.get("/", () => "Hello, World!");

app.get(
  "/users/:id",
  (req, next) => {
    req.onReply((res) => res.set("x-first", "1"));
    return next();
  },
  (req, next) => {
    req.onReply((res) => res.set("x-second", "2"));
    return next();
  },
  (req) => ({ id: req.params.id }),
);

app.post("/", (req) => req.bytes());

app.get("/bytes/:n", (req) => sendBytes(req.params.n, patternBlocks));
app.get("/fresh/:n", (req) => sendBytes(req.params.n, freshBlocks));

function sendBytes(byteCount: string, makeBlocks: typeof patternBlocks) {
  async function* pieces() {
    yield* makeBlocks(Number(byteCount));
  }
  return reply(pieces(), { headers: { "content-length": byteCount } });
}

app.post("/count", async (req) => {
  let total = 0;
  for await (const chunk of req) total += chunk.length;
  return String(total);
});

app.post("/hold", () => new Promise<never>(() => {}));

const server = await app.listen({ port: 0, host: "127.0.0.1" });
announceReady(server.port);
