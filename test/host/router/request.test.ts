import { describe, expect, test } from "vitest";
import { HttpError, Router, bodyLimit } from "../../../host/router/index.ts";
import type { Handler } from "../../../host/router/index.ts";
import { ask, exchangeFor, readAnswer } from "./ask.ts";
import type { MemoryRequest } from "./memory_exchange.ts";

const jsonHeaders: MemoryRequest["headers"] = [["content-type", "application/json"]];

/** Answers POST / with what the handler gives. */
function post(handler: Handler, rest: MemoryRequest): ReturnType<typeof ask> {
  return ask(new Router().post("/", handler), "POST /", rest);
}

describe("the head of a request", () => {
  test("follows the Fetch Request", async () => {
    const router = new Router().get("/a/:id", (request) => {
      expect(request.method).toBe("GET");
      expect(request.url).toBe("https://example.test/a/b%20c?q=1");
      expect(request.headers).toBeInstanceOf(Headers);
      expect(request.headers).toBe(request.headers);
      expect(request.headers.get("X-Two")).toBe("1, 2");
      expect(request.headers.get("cookie")).toBe("a=1; b=2");
      expect(request.header("x-two")).toBe("1, 2");
      expect(request.body).toBeNull();
      expect(request.bodyUsed).toBe(false);
      expect(() => request.clone()).toThrow(/cannot be cloned/);
      return "ok";
    });
    const headers: MemoryRequest["headers"] = [
      ["x-two", "1"],
      ["cookie", "a=1"],
      ["x-two", "2"],
      ["cookie", "b=2"],
    ];
    expect((await ask(router, "/a/b%20c?q=1", { headers, scheme: "https" })).text).toBe("ok");
  });

  test("adds peer, protocol, path and pattern", async () => {
    const router = new Router().get("/a/:id", (r) => [r.ip, r.protocol, r.path, r.pattern, r.host]);
    expect((await ask(router, "/a/b%20c?q", { protocol: "h2" })).text).toBe(
      '["192.0.2.7","h2","/a/b c","/a/:id","example.test"]',
    );
  });

  test("has a URL even without a host, and the URL agrees with routing", async () => {
    const router = new Router().get("/a", (request) => request.url);
    expect((await ask(router, "/x/../a", { authority: "" })).text).toBe("http://localhost/a");
  });

  test("signal aborts when the peer goes away, before or after it is asked for", async () => {
    const router = new Router().get("/", async (request) => {
      const { signal } = request;
      expect(signal).toBe(request.signal);
      expect(signal.aborted).toBe(false);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return (signal.reason as Error).message;
    });
    const exchange = exchangeFor("/");
    const pending = router.handle(exchange);
    exchange.abort(new Error("left"));
    expect((await readAnswer(await pending)).text).toBe("left");
    expect(
      (await readAnswer(await new Router().get("/", (r) => r.signal.aborted).handle(exchange))).text,
    ).toBe("true");
  });

  test("sends early hints, other 1xx and pushes, all validated", async () => {
    const router = new Router().get("/", (request) => {
      request.early({ Link: ["</a.css>; rel=preload", "</b.js>; rel=preload"] });
      request.informational(102);
      expect(() => request.informational(101)).toThrow("status 101");
      expect(() => request.early({ a: "b\nc" })).toThrow(/Header "a"/);
      expect(() => request.push("a")).toThrow(/must begin with/);
      return request.push("/a.css", { accept: "text/css" });
    });
    const exchange = exchangeFor("/", { protocol: "h2" });
    expect((await readAnswer(await router.handle(exchange))).text).toBe("true");
    expect(exchange.informational).toEqual([
      {
        status: 103,
        headers: [
          ["link", "</a.css>; rel=preload"],
          ["link", "</b.js>; rel=preload"],
        ],
      },
      { status: 102, headers: [] },
    ]);
    expect(exchange.pushed).toEqual([{ path: "/a.css", headers: [["accept", "text/css"]] }]);
    expect((await ask(router, "/", { protocol: "http/1.1" })).text).toBe("false");
  });
});

describe("query", () => {
  const router = new Router().get("/", (request) => ({
    query: request.query,
    own: Object.keys(request.query),
  }));
  const queryOf = async (text: string): Promise<unknown> =>
    (JSON.parse((await ask(router, `/?${text}`)).text) as { query: unknown }).query;

  test("gives a string for one value and an array for several", async () => {
    expect(await queryOf("a=1&b=2&a=3&a=&c&=d&&e=f=g")).toEqual({
      a: ["1", "3", ""],
      b: "2",
      c: "",
      "": "d",
      e: "f=g",
    });
  });

  test("decodes as the URL standard does, malformed escapes too", async () => {
    const text = "a+b=c%20d%2B&u=%E2%82%AC&bad=%zz&cut=%E2&x=100%";
    expect(await queryOf(text)).toEqual(Object.fromEntries(new URLSearchParams(text)));
  });

  test("has no prototype, so its tricks are plain keys", async () => {
    let query: Record<string, unknown> = {};
    const own = new Router().get("/", (request) => void (query = request.query));
    await ask(own, "/?__proto__[x]=1&__proto__=2&constructor=3&toString=4");
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(Object.keys(query)).toEqual(["__proto__[x]", "__proto__", "constructor", "toString"]);
    expect("hasOwnProperty" in query).toBe(false);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("takes 1000 pairs and refuses one more", async () => {
    const pairs = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}`).join("&");
    expect((await ask(router, `/?${pairs(1000)}`)).status).toBe(200);
    const answer = await ask(router, `/?${pairs(1001)}`);
    expect(answer).toMatchObject({ status: 400, text: "The query has more than 1000 keys" });
  });

  test("is there as URLSearchParams as well", async () => {
    const own = new Router().get("/", (request) => request.searchParams.getAll("a"));
    expect((await ask(own, "/?a=1&a=2")).text).toBe('["1","2"]');
    expect((await ask(own, "/")).text).toBe("[]");
  });
});

test("cookies are read by name, the first of equal names, without prototype", async () => {
  const router = new Router().get("/", (request) => {
    expect(Object.getPrototypeOf(request.cookies)).toBeNull();
    return request.cookies;
  });
  const headers: MemoryRequest["headers"] = [
    ["cookie", 'a=1; b="x y"; a=2; c=%E2%82%AC; d=%zz; nameless; =x; __proto__=p'],
  ];
  expect((await ask(router, "/", { headers })).text).toBe(
    '{"a":"1","b":"x y","c":"€","d":"%zz","__proto__":"p"}',
  );
});

describe("reading the body", () => {
  const chunks = ["he", "llo", " ", "wörld"];

  test("as text, bytes, array buffer and blob", async () => {
    expect((await post((r) => r.text(), { body: chunks })).text).toBe("hello wörld");
    expect((await post((r) => r.bytes(), { body: chunks })).text).toBe("hello wörld");
    expect((await post((r) => r.arrayBuffer(), { body: chunks })).text).toBe("hello wörld");
    const blob = async (r: Parameters<Handler>[0]): Promise<string> => {
      const made = await r.blob();
      return `${made.type} ${await made.text()}`;
    };
    expect((await post(blob, { body: chunks, headers: [["content-type", "text/css"]] })).text).toBe(
      "text/css hello wörld",
    );
    expect((await post((r) => r.text(), { body: null })).text).toBe("");
  });

  test("as an async iterable and as a web stream that reads only when pulled", async () => {
    const iterate: Handler = async (request) => {
      let count = 0;
      for await (const chunk of request) count += chunk.byteLength;
      return count;
    };
    expect((await post(iterate, { body: chunks })).text).toBe("12");
    const router = new Router().post("/", async (request) => {
      const reader = request.body!.getReader();
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(exchange.readCount).toBe(0);
      expect(request.bodyUsed).toBe(false);
      await reader.read();
      expect(exchange.readCount).toBe(1);
      expect(request.bodyUsed).toBe(true);
      return "ok";
    });
    const exchange = exchangeFor("POST /", { body: chunks });
    expect((await readAnswer(await router.handle(exchange))).text).toBe("ok");
    expect((await post((r) => new Response(r.body), { body: chunks })).text).toBe("hello wörld");
  });

  test("happens once", async () => {
    const twice: Handler = async (request) => {
      await request.text();
      expect(request.bodyUsed).toBe(true);
      await expect(request.json({ anyContentType: true })).rejects.toThrow("already read");
      await expect(request.body!.getReader().read()).rejects.toThrow("already read");
      return "ok";
    };
    expect((await post(twice, { body: ["x"] })).text).toBe("ok");
  });

  test("gives trailers once the body is complete", async () => {
    const handler: Handler = async (request) => {
      const pending = request.trailers;
      await request.text();
      return (await pending).get("x-sum");
    };
    expect((await post(handler, { body: ["x"], trailers: [["x-sum", "7"]] })).text).toBe("7");
    expect((await post(async (r) => [...(await r.trailers)].length, { body: null })).text).toBe("0");
  });

  test("that breaks off rejects with a 400 that keeps the cause", async () => {
    const breakOff = Object.assign(new Error("reset"), { code: "PEER_RESET" });
    let caught: unknown;
    const handler: Handler = async (request) => {
      const trailers = request.trailers;
      await request.text().catch((error: unknown) => (caught = error));
      await expect(trailers).rejects.toBe(caught);
      return "";
    };
    expect((await post(handler, { body: ["x"], breakOff })).status).toBe(200);
    expect(caught).toBeInstanceOf(HttpError);
    expect((caught as HttpError).cause).toBe(breakOff);
    expect((await post((r) => r.text(), { body: [], breakOff })).status).toBe(400);
  });
});

describe("the limit of a body", () => {
  const handlerOf = (limitBytes: number): Router =>
    new Router({ bodyLimitBytes: limitBytes }).post("/", (r) => r.text());

  test("is held from both sides, announced or counted", async () => {
    expect((await ask(handlerOf(5), "POST /", { body: ["12345"] })).text).toBe("12345");
    expect((await ask(handlerOf(5), "POST /", { body: ["123456"] })).status).toBe(413);
    expect((await ask(handlerOf(5), "POST /", { body: ["123", "45"], contentLength: -1 })).text).toBe(
      "12345",
    );
    expect((await ask(handlerOf(5), "POST /", { body: ["123", "456"], contentLength: -1 })).status).toBe(413);
  });

  test("is 1 MiB by default", async () => {
    const router = new Router().post("/", async (r) => (await r.bytes()).byteLength);
    expect((await ask(router, "POST /", { body: [new Uint8Array(1024 * 1024)] })).text).toBe("1048576");
    expect((await ask(router, "POST /", { body: [new Uint8Array(1024 * 1024 + 1)] })).status).toBe(413);
  });

  test("refuses an announced length before the first read, so 100-continue is never sent", async () => {
    const exchange = exchangeFor("POST /", { body: ["x"], contentLength: 6 });
    expect((await handlerOf(5).handle(exchange)).status).toBe(413);
    expect(exchange.readCount).toBe(0);
  });

  test("can be set for a route, for streams too, and for one call", async () => {
    const router = new Router()
      .post("/more", bodyLimit(2 ** 21), async (r) => (await r.bytes()).byteLength)
      .post("/stream", bodyLimit(3), async (r) => {
        for await (const chunk of r) void chunk;
        return "";
      })
      .post("/call", (r) => r.text({ limitBytes: 2 }));
    expect((await ask(router, "POST /more", { body: [new Uint8Array(2 ** 21)] })).text).toBe(`${2 ** 21}`);
    expect((await ask(router, "POST /stream", { body: ["12", "34"], contentLength: -1 })).status).toBe(413);
    expect((await ask(router, "POST /stream", { body: ["12", "3"] })).status).toBe(200);
    expect((await ask(router, "POST /call", { body: ["123"] })).status).toBe(413);
    expect(() => bodyLimit(1.5)).toThrow("bodyLimit: 1.5 is not a whole number");
  });

  test("does not concern a stream without one", async () => {
    const router = new Router({ bodyLimitBytes: 1 }).post("/", async (request) => {
      let count = 0;
      for await (const chunk of request) count += chunk.byteLength;
      return count;
    });
    expect((await ask(router, "POST /", { body: ["12", "34"] })).text).toBe("4");
  });
});

describe("json()", () => {
  const echo: Handler = async (request) => ({ got: await request.json() });
  const send = (text: string | Uint8Array, headers = jsonHeaders): ReturnType<typeof ask> =>
    post(echo, { body: [text], headers });

  test("reads any JSON value", async () => {
    expect((await send(' {"a":[1,2.5e3,true,null,"\\u00e9"]} ')).text).toBe(
      '{"got":{"a":[1,2500,true,null,"é"]}}',
    );
    expect((await send("7", [["content-type", 'application/problem+json; charset="UTF-8"']])).text).toBe(
      '{"got":7}',
    );
  });

  test("demands a JSON content type", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonx",
      "text/json; charset=latin1",
      "application/json; charset=utf-16",
      "",
    ]) {
      expect((await send("1", [["content-type", type]])).status, type).toBe(415);
    }
    expect((await send("1", [])).status).toBe(415);
    const any: Handler = async (request) => request.json<number>({ anyContentType: true });
    expect((await post(any, { body: ["1"] })).text).toBe("1");
  });

  const faults: Array<[text: string, line: number, column: number, position: number]> = [
    ["", 1, 1, 0],
    ["   ", 1, 4, 3],
    ['{"a":1,}', 1, 8, 7],
    ['{"a":1 "b":2}', 1, 8, 7],
    ['{"a" 1}', 1, 6, 5],
    ["{a:1}", 1, 2, 1],
    ["[1,2", 1, 5, 4],
    ["[1,]", 1, 4, 3],
    ["[,1]", 1, 2, 1],
    ["1 2", 1, 3, 2],
    ["]", 1, 1, 0],
    ["[}", 1, 2, 1],
    ["nul", 1, 1, 0],
    ["truex", 1, 5, 4],
    ["01", 1, 2, 1],
    ["1.", 1, 2, 1],
    ["-", 1, 1, 0],
    ["+1", 1, 1, 0],
    ["NaN", 1, 1, 0],
    ['"abc', 1, 5, 4],
    ['"a\nb"', 1, 3, 2],
    ['"\\x"', 1, 2, 1],
    ['"\\u12g4"', 1, 2, 1],
    ['{\n  "a": 1,\n  "b": tru\n}', 3, 8, 19],
    ["'a'", 1, 1, 0],
  ];
  test.each(faults)("%j is a 400 saying where", async (text, line, column, position) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    const answer = await send(text);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`Malformed JSON at line ${line}, column ${column} (position ${position})`);
    expect(answer.text).toMatch(/expected .+, found .+/);
  });

  test("refuses invalid UTF-8", async () => {
    expect(await send(new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({
      status: 400,
      text: "The JSON is not valid UTF-8",
    });
  });

  test("refuses keys that poison prototypes, however spelled and however deep", async () => {
    for (const text of [
      '{"__proto__":{"x":1}}',
      '{"a":[{"__proto__":1}]}',
      '{"\\u005f_proto__":1}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"a":{"construct\\u006fr":{"prototype":1}}}',
    ]) {
      expect((await send(text)).status, text).toBe(400);
    }
    expect((await send('{"constructor":"Ford","prototype":1,"a":"__proto__"}')).status).toBe(200);
  });

  test("does not overflow the stack, malformed or poisoned", async () => {
    const deep = "[".repeat(200_000);
    expect((await send(deep)).status).toBe(400);
    const nested = `${deep}{"__proto__":1}${"]".repeat(200_000)}`;
    expect((await send(nested)).status).toBe(400);
  });
});

describe("formData()", () => {
  const echo: Handler = async (request) => Object.fromEntries(await request.formData());

  test("reads urlencoded and multipart forms", async () => {
    const urlencoded: MemoryRequest["headers"] = [["content-type", "application/x-www-form-urlencoded"]];
    expect((await post(echo, { body: ["a=1&b=x+y"], headers: urlencoded })).text).toBe('{"a":"1","b":"x y"}');
    const multipart: MemoryRequest["headers"] = [["content-type", "multipart/form-data; boundary=B"]];
    const body = ['--B\r\ncontent-disposition: form-data; name="a"\r\n\r\nhello\r\n--B--\r\n'];
    expect((await post(echo, { body, headers: multipart })).text).toBe('{"a":"hello"}');
    expect((await post(echo, { body: ["nonsense"], headers: multipart })).status).toBe(400);
    expect((await post(echo, { body, headers: jsonHeaders })).status).toBe(415);
  });
});
