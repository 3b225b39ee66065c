// Streams both ways: a body that is transformed as it arrives, a body made piece by piece, events, and a trailer. None of
// it is held as a whole, and nobody is faster than the slowest: a peer that stops reading stops what is made for it.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { App, closeOnSignals, reply, sse } from "httpy";

const app = new App();

app.post("/upper", (req) => {
  const upper = new TransformStream<string, string>({
    transform: (text, controller) => controller.enqueue(text.toUpperCase()),
  });
  const body = req.body ?? new ReadableStream();
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(upper).pipeThrough(new TextEncoderStream());
});

app.post("/sha256", async (req) => {
  const hash = createHash("sha256");
  for await (const chunk of req) hash.update(chunk);
  return hash.digest("hex");
});

app.get("/countdown/:from", (req) => {
  const hash = createHash("sha256");
  async function* lines() {
    for (let left = Number(req.params.from); left > 0; left--) {
      const line = `${left}\n`;
      hash.update(line);
      yield line;
      await sleep(10);
    }
  }
  const countdown = reply(lines(), { contentType: "text/plain", headers: { trailer: "x-sha256" } });
  return countdown.withTrailers(() => [["x-sha256", hash.digest("hex")]]);
});

app.get("/time", () =>
  sse(async (events) => {
    // False once the peer has gone, so this ends with it.
    while (await events.send({ event: "time", data: { now: new Date().toISOString() } })) await sleep(1000);
  }),
);

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server, { deadlineMs: 1000 });
console.log(`listening on ${server.urls[0]}`);
