// Every deadline over real sockets, with small values: who is slow is cut with the right answer, and nobody else notices.
// Most of the tests run at the same time; each has a server of its own.

import { describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import { ask, get, RawClient, request } from "./client.ts";
import { eventually, pause, run } from "./running.ts";

/** How long something takes, in milliseconds. */
async function timed(what: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await what();
  return performance.now() - begun;
}

describe.concurrent("deadlines", () => {
  test("a head that does not come closes without an answer", async () => {
    const { port, server } = await run(() => undefined, { limits: { headTimeoutMs: 300 } });
    const client = await RawClient.open(port);
    const tookMs = await timed(() => client.ended());
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(2000);
    expect(client.text).toBe("");
    expect(server.pool.limitHits().get("headTimeoutMs")).toBe(1);
    client.close();
  });

  test("a head that dribbles is answered 408 at an absolute deadline", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), { limits: { headTimeoutMs: 400 } });
    const client = await RawClient.open(port);
    client.write("GET / HTTP/1.1\r\nhost: a\r\n");
    const dribble = setInterval(() => client.write("x-a: b\r\n"), 20);
    const tookMs = await timed(async () => {
      const response = await client.response();
      expect([response.status, response.headers.get("connection")]).toEqual([408, "close"]);
      await client.ended();
    });
    clearInterval(dribble);
    expect(tookMs).toBeLessThan(2000);
    client.close();
  });

  test("the head of a later request has its own deadline, from its first byte", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), {
      limits: { headTimeoutMs: 300, idleTimeoutMs: 5000 },
    });
    const client = await RawClient.open(port);
    expect((await client.write(get("/")).response()).status).toBe(200);
    await pause(500);
    client.write("GET / HT");
    const tookMs = await timed(async () => expect((await client.response()).status).toBe(408));
    expect(tookMs).toBeGreaterThan(250);
    client.close();
  });

  test("an idle connection is closed, one that is used is not", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), { limits: { idleTimeoutMs: 300 } });
    const idle = await RawClient.open(port);
    const used = await RawClient.open(port);
    await idle.write(get("/")).response();
    const using = (async () => {
      for (let i = 0; i < 8; i++) {
        expect((await used.write(get("/")).response()).status).toBe(200);
        await pause(100);
      }
    })();
    const tookMs = await timed(() => idle.ended());
    expect(tookMs).toBeLessThan(1500);
    expect(idle.text).toBe("");
    await using;
    idle.close();
    used.close();
  });

  test("content that stalls or trickles is answered 408, content that flows is not", async () => {
    const { port } = await run(
      (app) => void app.post("/", async (req) => String((await req.bytes()).length)),
      {
        limits: { bodyWindowMs: 400, bodyRateBytesPerS: 1000 },
      },
    );
    const stalled = await RawClient.open(port);
    stalled.write(request("POST", "/", "content-length: 5000") + "x".repeat(900));
    const trickling = await RawClient.open(port);
    trickling.write(request("POST", "/", "content-length: 5000"));
    const trickle = setInterval(() => trickling.write("x"), 20);
    const flowing = await RawClient.open(port);
    flowing.write(request("POST", "/", "content-length: 5000"));
    const flow = (async () => {
      for (let i = 0; i < 25; i++) {
        flowing.write("x".repeat(200));
        await pause(50);
      }
    })();
    expect((await stalled.response()).status).toBe(408);
    expect((await trickling.response()).status).toBe(408);
    clearInterval(trickle);
    expect((await flowing.response()).body.toString()).toBe("5000");
    await flow;
    for (const client of [stalled, trickling, flowing]) client.close();
  });

  test("a handler that takes its time with content is not the peer's fault", async () => {
    const { port } = await run(
      (app) => {
        app.post("/", async (req) => {
          await pause(700);
          return String((await req.bytes({ limitBytes: 1e6 })).length);
        });
      },
      { limits: { bodyWindowMs: 200 } },
    );
    const client = await RawClient.open(port);
    client.write(request("POST", "/", "content-length: 500000")).write(new Uint8Array(500_000));
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([200, "500000"]);
    client.close();
  });

  test("a peer that is done and does not close is closed after the linger time", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "ok"), {
      limits: { lingerTimeoutMs: 200 },
    });
    const client = await RawClient.open(port);
    await client.write(get("/", "connection: close")).response();
    await client.ended();
    const tookMs = await timed(() => eventually("the connection's end", () => server.connectionCount === 0));
    expect(tookMs).toBeGreaterThan(100);
    expect(tookMs).toBeLessThan(1500);
    client.close();
  });

  test("the time to linger begins once a slow peer has its answer", async () => {
    const { port, server } = await run((app) => void app.get("/", () => new Uint8Array(12_000_000)), {
      limits: { lingerTimeoutMs: 200, writeTimeoutMs: 6000 },
    });
    const client = await RawClient.open(port, false);
    client.socket.on("data", () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 5);
    });
    client.write(get("/", "connection: close"));
    await client.ended();
    expect(client.receivedBytes).toBeGreaterThan(12_000_000);
    const tookMs = await timed(() => eventually("the connection's end", () => server.connectionCount === 0));
    expect(tookMs).toBeLessThan(2000);
    client.close();
  });

  test("an error's answer is not lost on a client that keeps sending", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), { limits: { lingerTimeoutMs: 500 } });
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.open(port);
      client.write("GET / HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n");
      for (let j = 0; j < 20; j++) client.write("x".repeat(50_000));
      const response = await client.response();
      expect([response.status, response.headers.get("connection")]).toEqual([400, "close"]);
      await client.ended();
      expect(client.error).toBeNull();
      client.close();
    }
  });

  test("200 slow heads do not keep others waiting, and all are gone by the deadline", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "ok"), {
      limits: { headTimeoutMs: 1500 },
    });
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(port)));
    for (const client of slow) client.write("GET / HTTP/1.1\r\n");
    const dribble = setInterval(() => {
      for (const client of slow) client.write("x: y\r\n");
    }, 100);
    for (let i = 0; i < 20; i++) {
      const tookMs = await timed(async () => expect((await ask(port, get("/"))).status).toBe(200));
      expect(tookMs).toBeLessThan(1000);
      await pause(20);
    }
    await Promise.all(slow.map(async (client) => expect((await client.response()).status).toBe(408)));
    clearInterval(dribble);
    for (const client of slow) client.close();
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
  });
});

describe("memory and time", () => {
  test("100 slow readers do not keep others waiting, and all are gone by the deadline", async () => {
    let open = 0;
    let begun = 0;
    const { port, server } = await run(
      (app) => {
        app.get("/", () => "ok");
        app.get("/big", () =>
          Reply.stream(
            (async function* () {
              open++;
              begun++;
              try {
                for (;;) yield new Uint8Array(16384);
              } finally {
                open--;
              }
            })(),
          ),
        );
      },
      { limits: { writeTimeoutMs: 1500 } },
    );
    const before = process.memoryUsage().rss;
    const slow = await Promise.all(Array.from({ length: 100 }, () => RawClient.open(port, false)));
    for (const client of slow) client.socket.pause();
    for (const client of slow) client.write(get("/big"));
    await eventually("the streams", () => begun === 100);
    for (let i = 0; i < 10; i++) {
      const tookMs = await timed(async () => expect((await ask(port, get("/"))).status).toBe(200));
      expect(tookMs).toBeLessThan(1000);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    await eventually("the write deadline", () => server.connectionCount === 0 && open === 0, 8000);
    for (const client of slow) client.close();
  });
});
