// Graceful close: no new connections, idle ones at once, open exchanges to their end, the rest cut and reported.

import { connect, createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { Reply } from "../../../host/router/index.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { get, RawClient, request } from "./client.ts";
import { eventually, pause, run } from "./running.ts";

test("closes idle connections at once, and lets open exchanges finish with connection: close", async () => {
  let answer = (_text: string): void => undefined;
  const { port, server } = await run((app) => {
    app.get("/", () => "ok");
    app.get("/slow", () => new Promise<string>((resolve) => (answer = resolve)));
  });
  const idle = await RawClient.open(port);
  await idle.write(get("/")).response();
  const silent = await RawClient.open(port);
  const busy = await RawClient.open(port);
  busy.write(get("/slow"));
  await eventually("the request", () => server.pool.counters().get("exchanges_open") === 1);
  const closing = server.close({ deadlineMs: 5000 });
  const begun = performance.now();
  await Promise.all([idle.ended(), silent.ended()]);
  expect(performance.now() - begun).toBeLessThan(500);
  idle.close();
  silent.close();
  busy.write(get("/"));
  await pause(20);
  answer("done");
  const response = await busy.response();
  expect([response.body.toString(), response.headers.get("connection")]).toEqual(["done", "close"]);
  await busy.ended();
  expect(busy.text).toBe("");
  busy.close();
  expect(await closing).toEqual({ connections: 0, exchanges: 0 });
  expect(server.connectionCount).toBe(0);
});

test("lets uploads and streams that are under way finish", async () => {
  const { port, server } = await run((app) => {
    app.post("/", async (req) => String((await req.text()).length));
    app.get("/stream", () =>
      Reply.stream(
        (async function* () {
          for (let i = 0; i < 10; i++) {
            yield `${i}`;
            await pause(10);
          }
        })(),
      ),
    );
  });
  const upload = await RawClient.open(port);
  upload.write(request("POST", "/", "content-length: 10") + "12345");
  const stream = await RawClient.open(port);
  stream.write(get("/stream"));
  await eventually("both requests", () => server.pool.counters().get("exchanges_open") === 2);
  const closing = server.close();
  await pause(30);
  upload.write("67890");
  expect((await upload.response()).body.toString()).toBe("10");
  expect((await stream.response()).body.toString()).toBe("0123456789");
  upload.close();
  stream.close();
  expect(await closing).toEqual({ connections: 0, exchanges: 0 });
});

test("cuts at the deadline and reports what it cut", async () => {
  const { port, server } = await run((app) => void app.get("/", () => new Promise<string>(() => undefined)));
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
  clients[0]!.write(get("/") + get("/"));
  clients[1]!.write(get("/"));
  await eventually("the requests", () => server.pool.counters().get("exchanges_open") === 3);
  const begun = performance.now();
  const closing = server.close({ deadlineMs: 150 });
  expect(server.close({ deadlineMs: 9 })).toBe(closing);
  expect(await closing).toEqual({ connections: 2, exchanges: 3 });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
  await Promise.all(clients.map((client) => client.ended()));
  for (const client of clients) client.close();
  await eventually("connections to be forgotten", () => server.connectionCount === 0);
  expect(await server.close()).toEqual({ connections: 2, exchanges: 3 });
});

test("a deadline of nothing cuts at once; a wrong one is refused by name", async () => {
  const { port, server } = await run((app) => void app.get("/", () => new Promise<string>(() => undefined)));
  const client = await RawClient.open(port);
  client.write(get("/"));
  await eventually("the request", () => server.pool.counters().get("exchanges_open") === 1);
  for (const deadlineMs of [-1, NaN, "1" as never]) {
    expect(() => server.close({ deadlineMs })).toThrow(/^close option deadlineMs is /u);
  }
  expect(await server.close({ deadlineMs: 0 })).toEqual({ connections: 1, exchanges: 1 });
  await client.ended();
});

test("a peer that has its answer and never closes holds nothing up for long", async () => {
  const { port, server } = await run((app) => void app.get("/", () => "ok"), {
    limits: { lingerTimeoutMs: 100 },
  });
  const client = await RawClient.open(port);
  await client.write(get("/")).response();
  const begun = performance.now();
  expect(await server.close()).toEqual({ connections: 0, exchanges: 0 });
  expect(performance.now() - begun).toBeLessThan(1000);
  client.close();
});

test("a connection in its handshake completes it, and learns that its request was not acted on", async () => {
  const requests: string[] = [];
  const { port, server } = await run((app) => void app.post("/", (req) => (requests.push(req.url), "ok")), {
    tls: await developmentCertificate(),
  });
  // The server's side of the handshake waits for what the client says last, so it is not complete before the client's is.
  const relay = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    upstream.pipe(client);
    client.once("data", (hello) => {
      upstream.write(hello);
      // Held back until the server closes.
      client.pause();
      void closed.then(() => client.pipe(upstream));
    });
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  let close = (): void => undefined;
  const closed = new Promise<void>((resolve) => (close = resolve));
  const client = new HttpClient({ tls: { rejectUnauthorized: false }, protocols: ["h2"], retries: 0 });
  const asked = client.fetch(`https://localhost:${(relay.address() as AddressInfo).port}/`, {
    method: "POST",
  });
  const failure = asked.catch((error: unknown) => error);
  await eventually("the client's side of the connection", () => [...client.connections.values()][0] === 1);
  const closing = server.close();
  setTimeout(close, 50);
  expect(await failure).toMatchObject({ code: "ERR_HTTPY_CLIENT_REFUSED", isUnprocessed: true });
  expect(await closing).toEqual({ connections: 0, exchanges: 0 });
  expect(requests).toEqual([]);
  client.destroy();
  relay.close();
});

test("can be waited for by a block", async () => {
  const { port, server } = await run((app) => void app.get("/", () => "ok"));
  await server[Symbol.asyncDispose]();
  await expect(RawClient.open(port)).rejects.toThrow(/ECONNREFUSED/u);
});
