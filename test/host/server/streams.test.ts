// Content that is produced while it is sent: pulled no faster than the peer takes it, ended as its source ends, given up when
// the peer goes away, and never taken for complete when it is not.

import { describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import { ask, get, RawClient } from "./client.ts";
import { eventually, pause, run } from "./running.ts";

const CHUNK = new Uint8Array(65536).fill(97);

/** An endless body that counts what was taken of it and says when it was given up. */
function endless(chunk: Uint8Array | string = CHUNK): {
  body: AsyncGenerator<Uint8Array | string>;
  taken: number;
  isOver: boolean;
} {
  const state = { taken: 0, isOver: false, body: null as unknown as AsyncGenerator<Uint8Array | string> };
  state.body = (async function* () {
    try {
      for (;;) {
        state.taken++;
        yield chunk;
      }
    } finally {
      state.isOver = true;
    }
  })();
  return state;
}

describe("a source that is pulled", () => {
  test("arrives whole in chunks of any kind and size", async () => {
    const sizes = [0, 1, 4095, 4096, 5000, 262144, 262145, 700_000];
    const { port } = await run((app) => {
      app.get("/gen", () =>
        Reply.stream(
          (async function* () {
            for (const size of sizes) yield "é".repeat(size);
            await pause(1);
            yield Buffer.from("end");
          })(),
        ),
      );
      app.get("/web", () =>
        Reply.stream(
          new ReadableStream({
            start(controller) {
              for (const size of sizes) controller.enqueue(new TextEncoder().encode("é".repeat(size)));
              controller.enqueue(new TextEncoder().encode("end"));
              controller.close();
            },
          }),
        ),
      );
    });
    const expected = `${"é".repeat(sizes.reduce((sum, size) => sum + size, 0))}end`;
    const client = await RawClient.open(port);
    for (const path of ["/gen", "/web", "/gen"]) {
      const { status, body } = await client.write(get(path)).response();
      expect(status).toBe(200);
      expect(body.toString() === expected).toBe(true);
    }
    client.close();
  });

  test("keeps to a length that the handler declares, and pipelined answers follow in their places", async () => {
    const { port } = await run((app) => {
      app.get("/s", () =>
        Reply.stream(
          (async function* () {
            yield "x".repeat(100_000);
            await pause(2);
            yield "y".repeat(100_000);
          })(),
          "text/plain",
        ).set("content-length", 200_000),
      );
      app.get("/t", () => "t".repeat(20_000));
    });
    const client = await RawClient.open(port);
    client.write([get("/s"), get("/t"), get("/s"), get("/t"), get("/t")].join(""));
    for (const size of [200_000, 20_000, 200_000, 20_000, 20_000]) {
      const { headers, body } = await client.response();
      expect(headers.get("content-length")).toBe(String(size));
      expect(body.length).toBe(size);
    }
    client.close();
  });

  test("does not keep others waiting for a peer that takes everything", async () => {
    const streams = [endless(), endless("x"), endless(new Uint8Array(0))];
    const { port, server } = await run((app) => {
      streams.forEach(({ body }, index) => app.get(`/endless/${index}`, () => Reply.stream(body)));
      app.get("/whole", () => new Uint8Array(50_000_000));
      app.get("/", () => "ok");
    });
    const takers = await Promise.all(
      ["/endless/0", "/endless/1", "/endless/2", "/whole"].map(async (path) =>
        (await RawClient.open(port, false)).write(get(path)),
      ),
    );
    await pause(50);
    for (let i = 0; i < 5; i++) {
      const begun = performance.now();
      expect((await ask(port, get("/"))).status).toBe(200);
      expect(performance.now() - begun).toBeLessThan(1000);
    }
    for (const taker of takers) taker.socket.resetAndDestroy();
    await eventually("streams to be given up", () => streams.every(({ isOver }) => isOver));
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
  });
});

describe("a peer that stops reading", () => {
  test("stops the source with bounded memory, and is cut by the write deadline", async () => {
    const stream = endless();
    const { port, server, log } = await run((app) => void app.get("/", () => Reply.stream(stream.body)), {
      limits: { writeTimeoutMs: 700 },
    });
    const client = await RawClient.open(port);
    client.socket.pause();
    client.write(get("/"));
    await eventually("the source to be stopped", () => stream.taken > 4);
    await pause(200);
    const { taken } = stream;
    await pause(200);
    expect(stream.taken).toBe(taken);
    const [session] = server.pool.hosts[0]!.sessions;
    expect(session!.socket.pendingBytes).toBeLessThan(1024 * 1024);
    await eventually("the write deadline", () => stream.isOver, 3000);
    await eventually("the connection to be forgotten", () => server.connectionCount === 0);
    expect(server.pool.limitHits().get("writeTimeoutMs")).toBe(1);
    expect(log.errors).toEqual([]);
    client.close();
  });

  test("goes on where it stopped when it reads again", async () => {
    const { port } = await run((app) => void app.get("/", () => Buffer.alloc(30_000_000, "0123456789")));
    const client = await RawClient.open(port);
    client.socket.pause();
    client.write(get("/"));
    await pause(100);
    client.socket.resume();
    const { body } = await client.response();
    expect(body.equals(Buffer.alloc(30_000_000, "0123456789"))).toBe(true);
    client.close();
  });

  test("a peer that reads slowly but steadily is not cut", async () => {
    const total = 12_000_000;
    const { port } = await run((app) => void app.get("/", () => Buffer.alloc(total)), {
      limits: { writeTimeoutMs: 1500, lingerTimeoutMs: 100 },
    });
    const client = await RawClient.open(port, false);
    client.socket.on("data", () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 10);
    });
    client.write(get("/", "connection: close"));
    await client.ended(8000);
    expect(client.error).toBeNull();
    expect(client.receivedBytes).toBeGreaterThan(total);
    client.close();
  });

  test("answers that it does not read do not hold more than the output limit", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "x".repeat(10_000)), {
      limits: { writeTimeoutMs: 600 },
    });
    const client = await RawClient.open(port);
    client.socket.pause();
    const burst = get("/").repeat(200);
    for (let i = 0; i < 100; i++) client.write(burst);
    await pause(300);
    const [session] = server.pool.hosts[0]!.sessions;
    expect(session!.socket.pendingBytes).toBeLessThan(2 * 1024 * 1024);
    expect(session!.exchangeCount).toBeLessThanOrEqual(64);
    await eventually("the write deadline", () => server.connectionCount === 0, 3000);
    client.close();
  });
});

describe("a peer that goes away", () => {
  test("ends a generator and cancels a web stream", async () => {
    const stream = endless("tick");
    let reason: unknown;
    const { port, server, log } = await run((app) => {
      app.get("/generator", () => Reply.stream(stream.body));
      app.get("/web", () =>
        Reply.stream(
          new ReadableStream({
            pull: () => new Promise(() => undefined),
            cancel: (given) => void (reason = given),
          }),
        ),
      );
    });
    for (const path of ["/generator", "/web"]) {
      const client = await RawClient.open(port);
      client.write(get(path));
      await pause(30);
      client.socket.resetAndDestroy();
    }
    await eventually("both to be given up", () => stream.isOver && reason !== undefined);
    expect((reason as { code: string }).code).toBe("ERR_HTTPY_PEER_GONE");
    await eventually("the connections to be forgotten", () => server.connectionCount === 0);
    expect(log.errors).toEqual([]);
  });

  test("does not wait for a source that is in the middle of a chunk", async () => {
    let returned = 0;
    const hung = (async function* () {
      await new Promise(() => undefined);
      yield "never";
    })();
    const { port, server } = await run((app) => {
      app.get("/hung", () => Reply.stream(hung));
      app.get("/iterable", () =>
        Reply.stream({
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<IteratorResult<string>>(() => undefined),
            return: () => {
              returned++;
              return Promise.reject(new Error("nobody hears this"));
            },
          }),
        }),
      );
    });
    for (const path of ["/hung", "/iterable"]) {
      const client = await RawClient.open(port);
      client.write(get(path));
      await pause(30);
      client.socket.resetAndDestroy();
    }
    await eventually("the iterator's return", () => returned === 1);
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
    const counters = server.pool.counters();
    expect(counters.get("exchanges_open")).toBe(0);
    expect(counters.get("connections_open")).toBe(0);
  });

  test("a reply that comes after it is given up unread, and the exchange is freed", async () => {
    let answer = (_reply: Reply): void => undefined;
    let isCancelled = false;
    const { port, server, log } = await run((app) => {
      app.get("/", () => new Promise<Reply>((resolve) => (answer = resolve)));
    });
    const client = await RawClient.open(port);
    client.write(get("/"));
    await eventually("the request", () => server.pool.counters().get("exchanges_open") === 1);
    client.socket.resetAndDestroy();
    await eventually("the connection to be forgotten", () => server.connectionCount === 0);
    answer(Reply.stream(new ReadableStream({ cancel: () => void (isCancelled = true) })));
    await eventually("the cancellation", () => isCancelled);
    expect(server.pool.counters().get("exchanges_open")).toBe(0);
    expect(log.errors).toEqual([]);
  });
});

describe("a source that fails", () => {
  const failing =
    (length: number | null): (() => Reply) =>
    () => {
      const reply = Reply.stream(
        (async function* () {
          yield "x".repeat(1000);
          await pause(5);
          throw new Error("the source broke");
        })(),
        "text/plain",
      );
      return length === null ? reply : reply.set("content-length", length);
    };

  test.each([
    ["chunked", "1.1", null],
    ["of a declared length", "1.1", 2000],
    ["until the end of the connection", "1.0", null],
  ])("cuts content that is %s in a way that cannot be taken for its end", async (_kind, version, length) => {
    const { port, log } = await run((app) => void app.get("/", failing(length)));
    const client = await RawClient.open(port);
    client.write(`GET / HTTP/${version}\r\nhost: test\r\n\r\n`);
    await client.until("the close", () => client.isClosed);
    expect(client.error?.code).toBe("ECONNRESET");
    expect(client.text).not.toContain("\r\n0\r\n");
    expect(log.errors.map(({ error }) => error.message)).toEqual(["the source broke"]);
  });

  test.each([
    ["longer", 500],
    ["shorter", 2000],
  ])("cuts a connection whose content is %s than declared", async (_kind, length) => {
    const { port, log } = await run((app) => {
      app.get("/", () =>
        Reply.stream(
          (async function* () {
            for (let i = 0; i < 10; i++) yield "x".repeat(100);
          })(),
        ).set("content-length", length),
      );
    });
    const client = await RawClient.open(port);
    client.write(get("/") + get("/"));
    await client.ended();
    expect(client.text.split("HTTP/1.1 200").length - 1).toBeLessThanOrEqual(1);
    expect(log.errors.length).toBeGreaterThan(0);
    for (const { error } of log.errors) expect(error.message).toMatch(/than its declared length/u);
  });

  test("what is not a chunk is an error that says so", async () => {
    const { port, log } = await run((app) => {
      app.get("/", () =>
        Reply.stream(
          (async function* () {
            yield 5 as unknown as string;
          })(),
        ),
      );
    });
    const client = await RawClient.open(port);
    client.write(get("/"));
    await client.ended();
    expect(log.errors[0]!.error.message).toBe(
      "a chunk of the reply's body is 5; it must be a string or bytes",
    );
  });

  test("before its head is sent, it is answered 500", async () => {
    const { port, log } = await run((app) => {
      app.get("/locked", () => {
        const stream = new ReadableStream<Uint8Array>();
        stream.getReader();
        return Reply.stream(stream);
      });
      app.get("/", () => "ok");
    });
    const client = await RawClient.open(port);
    expect((await client.write(get("/locked")).response()).status).toBe(500);
    expect((await client.write(get("/")).response()).status).toBe(200);
    expect(log.errors).toHaveLength(1);
    client.close();
  });

  test("trailers that fail cut the content before its end", async () => {
    const { port, log } = await run((app) => {
      app.get("/", () => Reply.text("body").withTrailers(() => Promise.reject(new Error("no sum"))));
      app.get("/bad", () => Reply.text("body").withTrailers(() => [["content-length", "1"]]));
      app.get("/good", () => Reply.text("body").withTrailers({ "x-sum": "1" }));
    });
    for (const path of ["/", "/bad"]) {
      const client = await RawClient.open(port);
      client.write(get(path));
      await client.ended();
      expect(client.text).not.toContain("\r\n0\r\n");
    }
    expect(log.errors).toHaveLength(2);
    const client = await RawClient.open(port);
    client.write(get("/good"));
    await client.until("the trailers", () => client.text.endsWith("4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n"));
    client.close();
  });
});
