// Attacks on HTTP/1.1 and the limits that stop them, each from both sides: one under is served, one over gets its error and
// ends the connection, while a second connection is answered in under a second and memory hardly grows.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, get, post, RawClient, request } from "./client.ts";
import { pause, run, type Running } from "./running.ts";

const GROWTH_BYTES = 64 * 1024 * 1024;

let running: Running;
let witness: RawClient;
let smuggledCount = 0;

beforeAll(async () => {
  running = await run((app) => {
    app.get("/", () => "ok");
    app.get("/*", (req) => req.path);
    app.post("/", async (req) => String((await req.bytes({ limitBytes: 1e8 })).length));
    app.post("/unread", () => "unread");
    app.get("/smuggled", () => {
      smuggledCount++;
      return "smuggled";
    });
    app.get("/query", (req) => ({
      query: req.query,
      polluted: ({} as Record<string, unknown>)["x"] ?? null,
    }));
    app.post("/json", async (req) => {
      const value = await req.json<Record<string, unknown>>();
      return { keys: Object.keys(value), polluted: ({} as Record<string, unknown>)["x"] ?? null };
    });
    app.get("/headers", (req) => ({
      value: req.header("__proto__") ?? null,
      cookie: Object.keys(req.cookies),
      polluted: ({} as Record<string, unknown>)["x"] ?? null,
    }));
  });
  witness = await RawClient.open(running.port);
});
afterAll(() => witness.close());

/** Sends bytes on a connection of its own and watches the second connection and the memory meanwhile. */
async function attack(bytes: string | Uint8Array): Promise<{ status: number; hasEnded: boolean }> {
  const before = process.memoryUsage.rss();
  const client = await RawClient.open(running.port);
  client.write(bytes);
  const begun = performance.now();
  expect((await witness.write(get("/")).response()).status).toBe(200);
  expect(performance.now() - begun).toBeLessThan(1000);
  const { status } = await client.response();
  if (status !== 200) await client.ended();
  expect(process.memoryUsage.rss() - before).toBeLessThan(GROWTH_BYTES);
  const { hasEnded } = client;
  client.close();
  return { status, hasEnded };
}

const SERVED = { status: 200, hasEnded: false };

function refused(status: number): { status: number; hasEnded: boolean } {
  return { status, hasEnded: true };
}

/** A request whose head has exactly `bytes` bytes. */
function headOf(bytes: number): string {
  const bare = get("/", "x-a: ");
  return get("/", `x-a: ${"v".repeat(bytes - bare.length)}`);
}

describe("header size and count", () => {
  test.each([
    ["a target at its limit", get(`/${"a".repeat(8191)}`), SERVED],
    ["a target above it", get(`/${"a".repeat(8192)}`), refused(414)],
    ["a target without end", `GET /${"a".repeat(1_000_000)}`, refused(414)],
    ["a head at its limit", headOf(32768), SERVED],
    ["a head above it", headOf(32769), refused(431)],
    ["a head without end", `${get("/").slice(0, -2)}x: ${"v".repeat(5_000_000)}`, refused(431)],
    ["100 fields", get("/", ...Array.from({ length: 99 }, (_, i) => `x-${i}: 1`)), SERVED],
    ["101 fields", get("/", ...Array.from({ length: 100 }, (_, i) => `x-${i}: 1`)), refused(431)],
    ["a method at its limit", request("M".repeat(32), "/"), { status: 405, hasEnded: false }],
    ["a method above it", request("M".repeat(33), "/"), refused(501)],
  ])("%s", async (_what, bytes, expected) => {
    if (expected.status === 405) expect((await ask(running.port, bytes)).status).toBe(405);
    else expect(await attack(bytes)).toEqual(expected);
  });
});

describe("chunked content", () => {
  const chunked = (body: string): string => request("POST", "/", "transfer-encoding: chunked") + body;
  const extension = (bytes: number): string => chunked(`1;${"e".repeat(bytes - 1)}\r\na\r\n0\r\n\r\n`);
  test.each([
    ["extensions at their limit", extension(16384), SERVED],
    ["extensions of 64 KiB", extension(65536), refused(400)],
    ["many small extensions", chunked(`${"1;ee\r\na\r\n".repeat(20_000)}0\r\n\r\n`), refused(400)],
    ["trailers under their limit", chunked(`0\r\nx: ${"v".repeat(8000)}\r\n\r\n`), SERVED],
    ["trailers above it", chunked(`0\r\nx: ${"v".repeat(8200)}\r\n\r\n`), refused(431)],
    ["too many trailers", chunked(`0\r\n${"x: y\r\n".repeat(33)}\r\n`), refused(431)],
    ["a size of 17 digits", chunked(`${"0".repeat(16)}1\r\na\r\n0\r\n\r\n`), refused(400)],
  ])("%s", async (_what, bytes, expected) => {
    expect(await attack(bytes)).toEqual(expected);
  });

  const smuggled = get("/smuggled");
  test.each([
    "1\na\r\n0\r\n\r\n",
    "1\r\na\n0\r\n\r\n",
    "1\r\naX\r\n0\r\n\r\n",
    "1\r\na\r\n0\n\r\n",
    "1\r\na\r\n0\r\n\n",
    "1\r\na\r\r\n0\r\n\r\n",
    "1\r\r\na\r\n0\r\n\r\n",
    "1\r\rX\na\r\n0\r\n\r\n",
    "1;a\nb\r\na\r\n0\r\n\r\n",
    '1;a="\n"\r\na\r\n0\r\n\r\n',
    "1;\ra\r\na\r\n0\r\n\r\n",
    " 1\r\na\r\n0\r\n\r\n",
    "+1\r\na\r\n0\r\n\r\n",
    "0x1\r\na\r\n0\r\n\r\n",
    "1_0\r\na\r\n0\r\n\r\n",
    "\r\na\r\n0\r\n\r\n",
    "-1\r\na\r\n0\r\n\r\n",
  ])("the terminator variant %j is refused and what follows reaches no handler", async (body) => {
    smuggledCount = 0;
    expect(await attack(chunked(body) + smuggled)).toEqual(refused(400));
    await pause(5);
    expect(smuggledCount).toBe(0);
  });
});

describe("messages whose end is in doubt", () => {
  const smuggled = get("/smuggled");
  const cases: [what: string, bytes: string, status: number][] = [
    [
      "both lengths",
      request("POST", "/", "content-length: 5", "transfer-encoding: chunked") + `0\r\n\r\n${smuggled}`,
      400,
    ],
    ["two lengths", request("POST", "/", "content-length: 5", "content-length: 6") + `hello${smuggled}`, 400],
    ["a list of lengths", request("POST", "/", "content-length: 5, 6") + `hello${smuggled}`, 400],
    ["a signed length", request("POST", "/", "content-length: +5") + `hello${smuggled}`, 400],
    [
      "chunked twice",
      request("POST", "/", "transfer-encoding: chunked, chunked") + `0\r\n\r\n${smuggled}`,
      400,
    ],
    [
      "chunked not last",
      request("POST", "/", "transfer-encoding: chunked, gzip") + `0\r\n\r\n${smuggled}`,
      400,
    ],
    [
      "a coding with a vertical tab",
      request("POST", "/", "transfer-encoding: \x0bchunked") + `0\r\n\r\n${smuggled}`,
      400,
    ],
    [
      "a coding that is not known",
      request("POST", "/", "transfer-encoding: gzip, chunked") + `0\r\n\r\n${smuggled}`,
      501,
    ],
    ["chunked in HTTP/1.0", `POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
    [
      "a name before a blank",
      request("POST", "/", "transfer-encoding : chunked") + `0\r\n\r\n${smuggled}`,
      400,
    ],
    ["a folded line", request("POST", "/", "transfer-encoding:\r\n chunked") + `0\r\n\r\n${smuggled}`, 400],
    ["a bare CR", get("/", "x: a\rb"), 400],
    ["a bare LF", `GET / HTTP/1.1\nhost: a\n\n`, 400],
    ["two hosts", get("/", "host: b"), 400],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["another host in the target", "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n", 400],
    ["a NUL in a value", get("/", "x: a\0b"), 400],
    ["another version", "GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505],
    ["another expectation", get("/", "expect: 200-ok"), 417],
  ];
  test.each(cases)("%s", async (_what, bytes, status) => {
    smuggledCount = 0;
    expect(await attack(bytes)).toEqual(refused(status));
    expect(smuggledCount).toBe(0);
  });

  test("content that nobody read is never taken for requests", async () => {
    smuggledCount = 0;
    const client = await RawClient.open(running.port);
    client.write(post("/unread", smuggled) + post("/unread", smuggled.repeat(1000)) + get("/"));
    expect((await client.response()).body.toString()).toBe("unread");
    expect((await client.response()).body.toString()).toBe("unread");
    expect((await client.response()).body.toString()).toBe("ok");
    client.write(
      request("POST", "/unread", `content-length: ${smuggled.length}`, "expect: 100-continue") + smuggled,
    );
    client.write(get("/"));
    expect((await client.response()).body.toString()).toBe("unread");
    expect((await client.response()).body.toString()).toBe("ok");
    expect(smuggledCount).toBe(0);
    client.close();
  });
});

test("paths are normalised once, before routing", async () => {
  for (const path of [
    "/a/../x",
    "/a/%2e%2e/x",
    "/a/.%2E/x",
    "/%2e/x",
    "/./x",
    "/a/b/../../x",
    "/a/b/%2E./%2e./x",
  ]) {
    const { status, body } = await ask(running.port, get(path));
    expect([path, status, body.toString()]).toEqual([path, 200, "/x"]);
  }
  for (const path of ["/../x", "/%2e%2e/x", "/.%2E/x", "/a/../../x", "/a/%2e%2e/%2e%2e/x"]) {
    expect([path, (await ask(running.port, get(path))).status]).toEqual([path, 400]);
  }
  for (const path of ["/%00", "/a%00b", "/%", "/%zz", "/%c0%ae%c0%ae/x"]) {
    expect([path, (await ask(running.port, get(path))).status]).toEqual([path, 400]);
  }
  expect((await ask(running.port, get("/a%2Fb"))).body.toString()).toBe("/a%2Fb");
});

test("keys that name prototypes stay keys", async () => {
  const query = await ask(running.port, get("/query?__proto__[x]=1&__proto__=2&constructor=3&x=y"));
  const answered = JSON.parse(query.body.toString()) as { query: object; polluted: unknown };
  expect(Object.entries(answered.query)).toEqual([
    ["__proto__[x]", "1"],
    ["__proto__", "2"],
    ["constructor", "3"],
    ["x", "y"],
  ]);
  expect(answered.polluted).toBeNull();
  for (const json of ['{"__proto__":{"x":1}}', '{"a":{"constructor":{"prototype":{"x":1}}}}']) {
    const bytes =
      request("POST", "/json", "content-type: application/json", `content-length: ${json.length}`) + json;
    const { status, body } = await ask(running.port, bytes);
    if (status === 200) expect(body.toString()).toContain('"polluted":null');
    else expect(status).toBe(400);
  }
  const headers = await ask(
    running.port,
    get("/headers", "__proto__: h", "cookie: __proto__=c; constructor=d"),
  );
  expect(JSON.parse(headers.body.toString())).toEqual({
    value: "h",
    cookie: ["__proto__", "constructor"],
    polluted: null,
  });
});

test("a path of 8,000 bytes of near misses takes no longer than another", async () => {
  const client = await RawClient.open(running.port);
  const begun = performance.now();
  for (let i = 0; i < 50; i++) await client.write(get(`/${"a-".repeat(4000)}`)).response();
  expect(performance.now() - begun).toBeLessThan(1000);
  client.close();
});

describe("connections and content", () => {
  test("more connections than the limit are refused, and there is room again when one leaves", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "ok"), {
      limits: { connectionCount: 3 },
    });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
    for (const client of clients) expect((await client.write(get("/")).response()).status).toBe(200);
    const over = await RawClient.open(port);
    await over.write(get("/")).ended();
    expect(over.text).toBe("");
    expect(await server.metrics()).toMatch(/^httpy_connections_refused_total 1$/mu);
    clients[0]!.close();
    await clients[1]!.until("room", () => server.connectionCount === 2);
    expect((await ask(port, get("/"))).status).toBe(200);
    for (const client of clients) client.close();
  });

  test("content is measured against its limit, announced or not", async () => {
    const { port } = await run(
      (app) => void app.post("/", async (req) => String((await req.text()).length)),
      {
        limits: { bodyBytes: 1000 },
      },
    );
    expect((await ask(port, post("/", "x".repeat(1000)))).body.toString()).toBe("1000");
    expect((await ask(port, post("/", "x".repeat(1001)))).status).toBe(413);
    const chunk = `64\r\n${"x".repeat(100)}\r\n`;
    const chunked = (count: number): string =>
      `${request("POST", "/", "transfer-encoding: chunked")}${chunk.repeat(count)}0\r\n\r\n`;
    expect((await ask(port, chunked(10))).body.toString()).toBe("1000");
    expect((await ask(port, chunked(11))).status).toBe(413);
  });

  test("more handlers than the limit are refused with 503", async () => {
    const { port } = await run((app) => void app.get("/", () => new Promise<string>(() => undefined)), {
      limits: { exchangeCount: 2 },
    });
    const clients = await Promise.all([1, 2].map(() => RawClient.open(port)));
    for (const client of clients) client.write(get("/"));
    await pause(20);
    expect((await ask(port, get("/"))).status).toBe(503);
    for (const client of clients) client.close();
  });

  test("what was hit is counted", async () => {
    const metrics = await running.server.metrics();
    for (const limit of [
      "targetBytes",
      "headBytes",
      "fieldCount",
      "chunkExtensionBytes",
      "trailerBytes",
      "methodBytes",
    ]) {
      expect(metrics).toMatch(new RegExp(`^httpy_limit_hits_total\\{limit="${limit}"\\} [1-9]`, "mu"));
    }
    for (const line of metrics.split("\n").filter((text) => text !== "")) {
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_0-9]+(?:\{[a-z]+="\w+"\})? \d+(?:\.\d+)?)$/u);
    }
  });
});
