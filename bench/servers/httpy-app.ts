/*
 * The routes of this server's peers `httpy` and `httpy-tls`, through the public interface of the published build only.
 *
 * Written the way that is fastest there: middlewares leave a hook for the reply, so that a route without a promise
 * stays without one.
 */
import { App, reply } from "httpy";
import { freshBlocks, patternBlocks } from "./pattern.ts";

export const app = new App();

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
