// Requests on their way to handlers: content with backpressure, order, interim responses, and early answers.

import { describe, expect, test } from "vitest";
import { HttpError, Reply } from "../../../host/router/index.ts";
import { ask, get, post, RawClient, request } from "./client.ts";
import { eventually, pause, run } from "./running.ts";

describe("uploads", () => {
  test("a handler that does not read stops the peer, and lets it go on when it reads", async () => {
    let read = (): void => undefined;
    const { port } = await run((app) => {
      app.post("/", async (req) => {
        await new Promise<void>((resolve) => (read = resolve));
        let count = 0;
        for await (const chunk of req) count += chunk.length;
        return String(count);
      });
    });
    const size = 40_000_000;
    const client = await RawClient.open(port);
    client.write(request("POST", "/", `content-length: ${size}`));
    client.write(new Uint8Array(size));
    await pause(300);
    const stuck = client.socket.writableLength;
    expect(stuck).toBeGreaterThan(size / 2);
    await pause(100);
    expect(client.socket.writableLength).toBe(stuck);
    read();
    expect((await client.response()).body.toString()).toBe(String(size));
    client.close();
  });

  test("a slow reader holds no more than the window", async () => {
    let most = 0;
    const { port, server } = await run(
      (app) => {
        app.post("/", async (req) => {
          let count = 0;
          for await (const chunk of req) {
            count += chunk.length;
            if (count % 50 === 0) await pause(1);
            most = Math.max(most, server.pool.counters().get("bytes_received")! - count);
          }
          return String(count);
        });
      },
      { limits: { readWindowBytes: 65536 } },
    );
    const client = await RawClient.open(port);
    client.write(request("POST", "/", "content-length: 8000000")).write(new Uint8Array(8_000_000));
    expect((await client.response()).body.toString()).toBe("8000000");
    expect(most).toBeLessThan(4 * 65536);
    client.close();
  });

  test("chunked content with trailers", async () => {
    const { port } = await run((app) => {
      app.post("/", async (req) => {
        const text = await req.text();
        const trailers = await req.trailers;
        return `${text}|${trailers.get("x-sum")}`;
      });
    });
    const client = await RawClient.open(port);
    const body = "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: abc\r\n\r\n";
    for (const parts of [[body], [...body]]) {
      client.write(request("POST", "/", "transfer-encoding: chunked"));
      for (const part of parts) client.write(part);
      expect((await client.response()).body.toString()).toBe("hello world|abc");
    }
    client.close();
  });

  test("100 (Continue) is sent when the handler asks, and not when it answers without", async () => {
    const { port } = await run((app) => {
      app.post("/read", async (req) => pause(10).then(() => req.text()));
      app.post("/refuse", () => new Reply(403, "text/plain", "no"));
      app.post("/limited", async (req) => req.text({ limitBytes: 3 }));
    });
    const expecting = (path: string): string =>
      request("POST", path, "content-length: 5", "expect: 100-continue");
    const client = await RawClient.open(port);
    expect((await client.write(expecting("/read")).response()).status).toBe(100);
    expect((await client.write("hello").response()).body.toString()).toBe("hello");
    const refused = await client.write(expecting("/refuse")).response();
    expect([refused.status, refused.headers.get("connection")]).toEqual([403, "close"]);
    await client.ended();
    expect((await ask(port, expecting("/limited"))).status).toBe(413);
    client.close();
  });

  test("content that is not read is drained for the next request", async () => {
    const { port } = await run((app) => {
      app.post("/", () => "ignored");
      app.get("/", () => "next");
    });
    const client = await RawClient.open(port);
    client.write(post("/", "x".repeat(200_000)) + get("/"));
    expect((await client.response()).body.toString()).toBe("ignored");
    expect((await client.response()).body.toString()).toBe("next");
    client.close();
  });

  test("an early answer to an endless upload is not lost to a reset", async () => {
    const { port } = await run((app) => {
      app.post("/", () => {
        throw new HttpError(413, "enough");
      });
      app.post("/half", async (req) => {
        for await (const chunk of req) if (chunk.length > 0) break;
        return "early";
      });
    });
    for (const [path, status] of [
      ["/", 413],
      ["/half", 200],
    ] as const) {
      const client = await RawClient.open(port);
      client.write(request("POST", path, "content-length: 1000000000"));
      let isSending = true;
      const sending = (async () => {
        while (isSending && !client.isClosed) {
          if (client.socket.writableLength < 1e6) client.write(new Uint8Array(100_000));
          await pause(1);
        }
      })();
      const response = await client.response();
      expect(response.status).toBe(status);
      expect(response.headers.get("connection")).toBe("close");
      await client.ended();
      isSending = false;
      client.socket.end();
      await sending;
      client.close();
    }
  });

  test("reading after the answer is an error and not an empty body", async () => {
    const outcome: Record<string, unknown> = {};
    const { port } = await run((app) => {
      app.post("/before", (req) => {
        setTimeout(
          () =>
            void req.text().then(
              (text) => (outcome["before"] = text),
              (error: unknown) => (outcome["before"] = error),
            ),
          20,
        );
        return "early";
      });
      app.post("/during", (req) => {
        void req.text().then(
          (text) => (outcome["during"] = text),
          (error: unknown) => (outcome["during"] = error),
        );
        return "early";
      });
      app.get("/none", (req) => {
        setTimeout(() => void req.text().then((text) => (outcome["none"] = text)), 20);
        return "early";
      });
    });
    for (const path of ["/before", "/during"]) {
      const client = await RawClient.open(port);
      client.write(request("POST", path, "content-length: 10") + "12345");
      expect((await client.response()).body.toString()).toBe("early");
      client.close();
    }
    await ask(port, get("/none"));
    await eventually("all outcomes", () => Object.keys(outcome).length === 3);
    expect(outcome["before"]).toBeInstanceOf(HttpError);
    expect(outcome["during"]).toBeInstanceOf(HttpError);
    expect(outcome["none"]).toBe("");
  });

  test("both directions at once", async () => {
    const { port } = await run((app) => {
      app.post("/", (req) =>
        Reply.stream(
          (async function* () {
            yield "begin;";
            for await (const chunk of req) yield Buffer.from(chunk).toString().toUpperCase();
          })(),
        ),
      );
    });
    const client = await RawClient.open(port);
    client.write(request("POST", "/", "content-length: 10"));
    for (let i = 0; i < 5; i++) {
      client.write(`${i}a`);
      await client.until(`the echo of ${i}`, () => client.text.includes(`${i}A`));
    }
    const { body } = await client.response();
    expect(body.toString()).toBe("begin;0A1A2A3A4A");
    client.close();
  });
});

describe("order", () => {
  test("pipelined answers leave in the order of their requests, whenever they are ready", async () => {
    const { port } = await run((app) => {
      app.get("/:ms", async (req) => {
        await pause(Number(req.params.ms));
        return req.params.ms;
      });
      app.get("/big/:ms", async (req) => {
        await pause(Number(req.params.ms));
        return `${req.params.ms};`.repeat(50_000);
      });
    });
    const client = await RawClient.open(port);
    const order = [30, 0, 20, 1, 0, 10, 40, 2];
    client.write(order.map((ms, index) => get(index % 3 === 1 ? `/big/${ms}` : `/${ms}`)).join(""));
    for (const [index, ms] of order.entries()) {
      const { body } = await client.response();
      expect(body.toString()).toBe(index % 3 === 1 ? `${ms};`.repeat(50_000) : String(ms));
    }
    client.close();
  });

  test("thousands of pipelined requests are all answered", async () => {
    let count = 0;
    const { port } = await run((app) => {
      app.get("/sync", () => String(count++));
      app.get("/async", async () => {
        const mine = count++;
        await pause(0);
        return String(mine);
      });
    });
    for (const path of ["/sync", "/async"]) {
      count = 0;
      const client = await RawClient.open(port);
      client.write(get(path).repeat(3000));
      for (let i = 0; i < 3000; i++) {
        const { body } = await client.response();
        if (body.toString() !== String(i)) expect(body.toString()).toBe(String(i));
      }
      client.close();
    }
  });
});

describe("interim responses", () => {
  test("103 comes before the reply and is left out for HTTP/1.0", async () => {
    const { port } = await run((app) => {
      app.get("/", async (req) => {
        req.early({ link: "</a.css>; rel=preload" });
        await pause(5);
        req.informational(102);
        return "done";
      });
    });
    const client = await RawClient.open(port);
    client.write(get("/"));
    const early = await client.response();
    expect([early.status, early.headers.get("link")]).toEqual([103, "</a.css>; rel=preload"]);
    expect((await client.response()).status).toBe(102);
    expect((await client.response()).body.toString()).toBe("done");
    client.close();
    expect((await ask(port, "GET / HTTP/1.0\r\n\r\n")).status).toBe(200);
  });

  test("after the reply it is an error of the handler's and reaches nobody", async () => {
    let problem: unknown;
    const { port } = await run((app) => {
      app.get("/", (req) => {
        setTimeout(() => {
          try {
            req.early({ link: "x" });
          } catch (error) {
            problem = error;
          }
        }, 10);
        return "done";
      });
    });
    const client = await RawClient.open(port);
    expect((await client.write(get("/")).response()).body.toString()).toBe("done");
    await pause(30);
    expect(client.text).toBe("");
    expect(problem).toBeUndefined();
    client.close();
  });
});

describe("HTTP/1.0", () => {
  test("closes by default, keeps alive when asked, and ends unknown lengths with the connection", async () => {
    const { port } = await run((app) => {
      app.get("/", () => "plain");
      app.get("/stream", () =>
        Reply.stream(
          (async function* () {
            yield "a";
            await pause(1);
            yield "b";
          })(),
        ),
      );
    });
    const client = await RawClient.open(port);
    client.write("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    const first = await client.response();
    expect(first.headers.get("connection")).toBe("keep-alive");
    client.write("GET / HTTP/1.0\r\n\r\n");
    expect((await client.response()).headers.get("connection")).toBe("close");
    await client.ended();
    client.close();
    const streamed = await ask(port, "GET /stream HTTP/1.0\r\n\r\n");
    expect(streamed.headers.get("transfer-encoding")).toBeUndefined();
    expect(streamed.body.toString()).toBe("ab");
  });
});
