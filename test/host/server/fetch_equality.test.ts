// The same application answers the same over a socket and by `app.fetch`, and a fetch-style app by `serve` as by itself.

import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import { type App, serve } from "../../../host/server/app.ts";
import { get, RawClient, request } from "./client.ts";
import { keep, pause, run } from "./running.ts";

interface Asked {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

const routes = (app: App): void => {
  app.use(async (req, next) => {
    const reply = await next();
    return req.path.startsWith("/mw") ? reply.set("x-through", "yes") : reply;
  });
  app.get("/text", () => "hello");
  app.get("/json", () => ({ a: [1, "é"] }));
  app.get("/empty", () => undefined);
  app.get("/bytes", () => new Uint8Array([0, 255, 128]));
  app.get("/stream", () =>
    Reply.stream(
      (async function* () {
        yield "a";
        await pause(1);
        yield "é";
      })(),
      "text/plain",
    ),
  );
  app.get("/status/:code", (req) => new Reply(Number(req.params["code"]), "text/plain", "body"));
  app.get("/redirect", () => Reply.redirect("/elsewhere é"));
  app.get("/cookies", () => Reply.text("x").append("set-cookie", "a=1").append("set-cookie", "b=2"));
  app.get("/mw/:id", (req) => req.params["id"]);
  app.get("/throw", () => {
    throw new Error("boom");
  });
  app.get("/web", () => new Response("web", { status: 201, headers: { "x-web": "1" } }));
  app.get("/echo", (req) => ({
    method: req.method,
    path: req.path,
    query: req.query,
    a: req.header("x-a") ?? null,
    cookies: req.cookies,
    accept: req.headers.get("accept"),
  }));
  app.post("/upper", async (req) => (await req.text()).toUpperCase());
  app.post("/json", async (req) => ({ got: await req.json() }));
  app.post("/form", async (req) =>
    Object.fromEntries((await req.formData()) as unknown as Iterable<[string, string]>),
  );
  app.post("/limited", async (req) => req.text({ limitBytes: 3 }));
};

const asked: Asked[] = [
  ...["/text", "/json", "/empty", "/bytes", "/stream", "/redirect", "/cookies", "/throw", "/web"].map(
    (path) => ({ path }),
  ),
  ...["/text", "/json", "/bytes", "/stream", "/empty"].map((path) => ({ path, method: "HEAD" })),
  ...[200, 204, 205, 304, 404, 500].map((code) => ({ path: `/status/${code}` })),
  { path: "/nowhere" },
  { path: "/text", method: "DELETE" },
  { path: "/text", method: "OPTIONS" },
  { path: "/mw/a%20b" },
  { path: "/mw/%E4%BD%A0" },
  { path: "/echo?a=1&a=2&b=%20&c", headers: { "x-a": "1", cookie: "k=v; l=w", accept: "*/*" } },
  { path: "/upper", method: "POST", body: "abc" },
  { path: "/upper", method: "POST" },
  { path: "/json", method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } },
  { path: "/json", method: "POST", body: '{"a":1', headers: { "content-type": "application/json" } },
  { path: "/json", method: "POST", body: "{}", headers: { "content-type": "text/plain" } },
  {
    path: "/form",
    method: "POST",
    body: "a=1&b=x+y",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  },
  { path: "/limited", method: "POST", body: "four" },
];

/** Fields that only one of the two has: those of the connection and of the framing. */
const OF_THE_WIRE = new Set(["date", "connection", "content-length", "transfer-encoding"]);

describe("over a socket and by fetch", () => {
  test.each(asked.map((one) => [`${one.method ?? "GET"} ${one.path} ${one.body ?? ""}`, one] as const))(
    "%s",
    async (_name, { method = "GET", path, headers = {}, body }) => {
      const { app, port } = await run(routes);
      const client = await RawClient.open(port);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      if (body !== undefined) lines.push(`content-length: ${body.length}`);
      const wire = await client.write(request(method, path, ...lines) + (body ?? "")).response(method);
      client.close();
      const web = await app.fetch(new Request(`http://test${path}`, { method, headers, body: body ?? null }));
      expect(wire.status).toBe(web.status);
      expect(wire.body.toString("latin1")).toBe(Buffer.from(await web.arrayBuffer()).toString("latin1"));
      const fields = [...web.headers].filter(([name]) => !OF_THE_WIRE.has(name));
      const received = [...wire.headers].filter(([name]) => !OF_THE_WIRE.has(name));
      expect(received.filter(([name]) => name !== "set-cookie").sort()).toEqual(
        fields.filter(([name]) => name !== "set-cookie").sort(),
      );
      expect(wire.head.match(/^set-cookie: .*$/gmu) ?? []).toEqual(
        web.headers.getSetCookie().map((cookie) => `set-cookie: ${cookie}`),
      );
    },
  );
});

describe("a Hono app", () => {
  const hono = new Hono();
  let isAborted = false;
  hono.get("/", (c) => c.text("hono"));
  hono.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") ?? null }));
  hono.post("/echo", async (c) => c.body(await c.req.arrayBuffer()));
  hono.get("/cookies", (c) => {
    c.header("set-cookie", "a=1", { append: true });
    c.header("set-cookie", "b=2", { append: true });
    return c.body(null, 204);
  });
  hono.get("/stream", () => {
    let left = 10;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      await pause(1);
      controller.enqueue(new Uint8Array(10_000));
      if (--left === 0) controller.close();
    };
    return new Response(new ReadableStream({ pull }));
  });
  hono.get("/throw", () => {
    throw new Error("hono broke");
  });
  hono.get("/wait", async (c) => {
    await new Promise<void>((resolve) => c.req.raw.signal.addEventListener("abort", () => resolve()));
    isAborted = true;
    return c.text("late");
  });
  hono.onError((_error, c) => c.text("handled", 500));

  test("answers over the engine", async () => {
    const server = keep(await serve(hono, { host: "127.0.0.1", memoryMiB: 32 }));
    const client = await RawClient.open(server.port);
    expect((await client.write(get("/")).response()).body.toString()).toBe("hono");
    expect(JSON.parse((await client.write(get("/users/7?q=z")).response()).body.toString())).toEqual({
      id: "7",
      q: "z",
    });
    const body = "y".repeat(300_000);
    const echo = await client
      .write(request("POST", "/echo", `content-length: ${body.length}`) + body)
      .response();
    expect(echo.body.length).toBe(300_000);
    expect((await client.write(get("/cookies")).response()).head.match(/^set-cookie: .=.$/gmu)).toHaveLength(
      2,
    );
    expect((await client.write(get("/stream")).response()).body.length).toBe(100_000);
    const head = await client.write(request("HEAD", "/stream")).response("HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([200, undefined]);
    const failed = await client.write(get("/throw")).response();
    expect([failed.status, failed.body.toString()]).toEqual([500, "handled"]);
    expect((await client.write(get("/nowhere")).response()).status).toBe(404);
    client.write(get("/wait"));
    await pause(20);
    client.socket.resetAndDestroy();
    await client.until("the abort", () => isAborted);
  });
});
