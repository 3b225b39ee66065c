import { Hono } from "hono";
import { streamText } from "hono/streaming";
import { describe, expect, test } from "vitest";
import { fromFetch, Reply, Router, sse } from "../../../host/router/index.ts";
import { ask, exchangeFor, readAnswer } from "./ask.ts";

function honoApp(): Hono {
  const app = new Hono();
  app.get("/", (c) => c.text("hono root"));
  app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q"), url: c.req.url }));
  app.post("/echo", async (c) =>
    c.text(await c.req.text(), 201, { "x-type": c.req.header("content-type") ?? "" }),
  );
  app.get("/stream", (c) =>
    streamText(c, async (stream) => {
      await stream.write("one ");
      await stream.sleep(1);
      await stream.write("two");
    }),
  );
  app.get("/cookies", (c) => {
    c.header("set-cookie", "a=1", { append: true });
    c.header("set-cookie", "b=2", { append: true });
    return c.body(null, 204);
  });
  return app;
}

describe("a Hono app", () => {
  test("mounted below a prefix answers with its own paths", async () => {
    const router = new Router().get("/", () => "ours").mount("/hono", honoApp());
    expect((await ask(router, "/")).text).toBe("ours");
    expect((await ask(router, "/hono")).text).toBe("hono root");
    expect((await ask(router, "/hono/")).text).toBe("hono root");
    expect((await ask(router, "/hono/users/a%2Fb?q=1")).text).toBe(
      '{"id":"a/b","q":"1","url":"http://example.test/users/a%2Fb?q=1"}',
    );
    expect((await ask(router, "/hono/nothing")).status).toBe(404);
    expect((await ask(router, "/h%6fno/x/../users/7")).text).toContain('"id":"7"');
  });

  test("reads a body and streams its answer", async () => {
    const router = new Router().mount("/hono", honoApp());
    const posted = await ask(router, "POST /hono/echo", {
      body: ["he", "llo"],
      headers: [["content-type", "text/x"]],
    });
    expect(posted).toMatchObject({ status: 201, text: "hello" });
    expect(posted.header("x-type")).toBe("text/x");
    expect((await ask(router, "/hono/stream")).text).toBe("one two");
    expect((await ask(router, "/hono/cookies")).headers).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    expect(await ask(router, "HEAD /hono")).toMatchObject({ status: 200, text: "" });
  });

  test("mounted in a mounted router loses the whole prefix", async () => {
    const inner = new Router().mount("/b", honoApp());
    const router = new Router().mount("/a/:x", inner);
    expect((await ask(router, "/a/1/b/users/7")).text).toContain('"url":"http://example.test/users/7"');
  });

  test("alone behind exchanges answers everything", async () => {
    const handle = fromFetch(honoApp());
    expect((await readAnswer(await handle(exchangeFor("/users/7")))).text).toContain('"id":"7"');
    const posted = await handle(exchangeFor("POST /echo", { body: ["x"] }));
    expect(await readAnswer(posted)).toMatchObject({ status: 201, text: "x" });
  });
});

describe("fromFetch", () => {
  test("never rejects: what fetch throws answers 500 and is reported", async () => {
    const errors: unknown[] = [];
    const broken = { fetch: () => Promise.reject(new Error("secret")) };
    const handle = fromFetch(broken, { onUnhandled: (error) => errors.push(error) });
    expect(await readAnswer(await handle(exchangeFor("/")))).toMatchObject({
      status: 500,
      text: "Internal Server Error",
    });
    expect(errors).toHaveLength(1);
  });

  test("answers what has no web request itself", async () => {
    const handle = fromFetch({ fetch: () => new Response("never") });
    expect((await handle(exchangeFor("CONNECT a.test:1"))).status).toBe(501);
    expect((await handle(exchangeFor("TRACE /"))).status).toBe(501);
    expect((await handle(exchangeFor("/", { authority: "a b" }))).status).toBe(400);
  });

  test("hands on the signal of the peer and pulls the body only when asked", async () => {
    const exchange = exchangeFor("POST /", { body: ["x", "y"] });
    let signal: AbortSignal | null = null;
    const handle = fromFetch({
      fetch: async (request) => {
        signal = request.signal;
        expect(exchange.readCount).toBe(0);
        return new Response(await request.text());
      },
    });
    expect((await readAnswer(await handle(exchange))).text).toBe("xy");
    exchange.abort();
    expect(signal!.aborted).toBe(true);
  });

  test("wants a fetch function", () => {
    expect(() => fromFetch({} as { fetch: () => Response })).toThrow(
      'must have a function "fetch"; found undefined',
    );
    expect(() => new Router().mount("/", null as unknown as Router)).toThrow("found null");
  });
});

describe("router.fetch", () => {
  const router = new Router()
    .get("/users/:id", (request) => ({ id: request.params.id, q: request.query["q"] }))
    .post("/json", async (request) =>
      Reply.json(await request.json(), 201)
        .append("set-cookie", "a=1")
        .append("set-cookie", "b=2"),
    )
    .get("/events", () => sse(["a", "b"]))
    .get("/empty", () => null)
    .get("/bytes", () => new Uint8Array([1, 2]));

  test("answers a web Request without a server", async () => {
    const { fetch } = router;
    const shown = await fetch(new Request("https://example.test/users/7?q=x"));
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-type")).toBe("application/json");
    expect(await shown.json()).toEqual({ id: "7", q: "x" });
    const posted = await fetch(
      new Request("https://example.test/json", {
        method: "POST",
        body: '{"a":1}',
        headers: { "content-type": "application/json" },
      }),
    );
    expect([posted.status, await posted.text()]).toEqual([201, '{"a":1}']);
    expect(posted.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await (await fetch(new Request("http://x.test/events"))).text()).toBe("data: a\n\ndata: b\n\n");
    expect((await fetch(new Request("http://x.test/empty"))).status).toBe(204);
    expect(new Uint8Array(await (await fetch(new Request("http://x.test/bytes"))).arrayBuffer())).toEqual(
      new Uint8Array([1, 2]),
    );
    expect(
      (await fetch(new Request("http://x.test/users/7", { method: "HEAD" }))).headers.get("content-length"),
    ).toBe("10");
    expect((await fetch(new Request("http://x.test/nothing"))).status).toBe(404);
  });

  test("tells a reader that left to the source, and the handler of an abort", async () => {
    let left = false;
    const own = new Router()
      .get("/", () => sse((stream) => stream.onClose(() => (left = true))))
      .get("/abort", (request) => request.signal.aborted);
    const response = await own.fetch(new Request("http://x.test/"));
    await response.body!.cancel();
    expect(left).toBe(true);
    const aborted = await own.fetch(new Request("http://x.test/abort", { signal: AbortSignal.abort() }));
    expect(await aborted.text()).toBe("true");
  });
});
