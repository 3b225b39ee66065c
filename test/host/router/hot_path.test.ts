// What the hot path must not do: wait, or make web objects. Every web constructor is replaced by one that counts.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accessLog, bodyLimit, Reply, Router, silentLogger } from "../../../host/router/index.ts";
import { exchangeFor } from "./ask.ts";

const webObjects = [
  "Response",
  "Request",
  "Headers",
  "URL",
  "URLSearchParams",
  "AbortController",
  "ReadableStream",
] as const;

describe("the hot path", () => {
  const made: string[] = [];

  beforeEach(() => {
    made.length = 0;
    for (const name of webObjects) {
      const original = globalThis[name] as unknown as new (...args: unknown[]) => object;
      vi.stubGlobal(
        name,
        new Proxy(original, {
          construct(target, args, newTarget) {
            made.push(name);
            return Reflect.construct(target, args, newTarget) as object;
          },
        }),
      );
    }
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const router = new Router({ onUnhandled: () => {} })
    .use((_request, next) => next())
    .use("/json", (_request, next) => void next())
    .use(accessLog({ logger: silentLogger }), bodyLimit(10))
    .get("/", () => "Hello, World!")
    .get("/json/:id", (request) => ({ id: request.params.id, q: request.query, c: request.cookies }))
    .get("/bytes", () => new Uint8Array(3))
    .get("/none", () => {})
    .get("/headers", () => Reply.text("x").set("x-a", "1"))
    .get("/throws", () => {
      throw new Error("x");
    })
    .onError(RangeError, () => "")
    .get("/class", () => {
      throw new RangeError("x");
    })
    .mount(
      "/sub",
      new Router().get("/a", () => "sub"),
    );

  test.each([
    "GET /",
    "HEAD /",
    "GET /json/1?a=b",
    "GET /json/a%20b",
    "GET /bytes",
    "GET /none",
    "GET /headers",
    "GET /throws",
    "GET /class",
    "GET /sub/a",
    "GET /missing",
    "POST /",
    "OPTIONS /",
    "OPTIONS *",
    "GET /%00",
  ])("%s is answered at once and without web objects", (line) => {
    const exchange = exchangeFor(line, { headers: [["cookie", "a=1"]] });
    const reply = router.handle(exchange);
    expect(reply).toBeInstanceOf(Reply);
    expect(made).toEqual([]);
    expect(exchange.headerPairsCount).toBe(0);
    expect(exchange.readCount).toBe(0);
  });

  test("the counters do count", async () => {
    const web = new Router().get(
      "/",
      (request) => new Response(request.headers.get("a"), { headers: { b: "c" } }),
    );
    expect(await web.handle(exchangeFor("/"))).toBeInstanceOf(Reply);
    expect(made).toContain("Response");
    expect(made).toContain("Headers");
  });

  test("replies have one shape, headers made only when set", () => {
    const plain = router.handle(exchangeFor("/")) as Reply;
    expect(Object.keys(plain)).toEqual(["status", "contentType", "headers", "body", "trailers"]);
    expect(plain.headers).toBeNull();
  });

  test("a handler that waits gives a promise, and only then", () => {
    const mixed = new Router().get("/now", () => "x").get("/later", async () => "x");
    expect(mixed.handle(exchangeFor("/now"))).toBeInstanceOf(Reply);
    expect(mixed.handle(exchangeFor("/later"))).toBeInstanceOf(Promise);
  });
});
