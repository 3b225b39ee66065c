// What goes wrong on one connection stays there: a trap of the module, a fault of the host, handlers that throw, loggers and
// callbacks that fail.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import type { EngineHost } from "../../../host/server/engine_host.ts";
import { Server } from "../../../host/server/server.ts";
import { ask, get, RawClient, request } from "./client.ts";
import { collector, eventually, keep, type Log, pause, run, type Running } from "./running.ts";

let debugModule: WebAssembly.Module;

beforeAll(async () => {
  debugModule = await WebAssembly.compile(
    await readFile(new URL("../../../build/engine.debug.wasm", import.meta.url)),
  );
});

type DoorName =
  "receive" | "readBody" | "sendInformational" | "openConnection" | "frameBody" | "handleTimeout";

/** Makes a door of one instance trap the next time it is called, inside the module. */
function trapAt(host: EngineHost, door: DoorName): void {
  const engine = host.engine as unknown as { doors: Record<string, (...args: number[]) => number> };
  const { doors } = engine;
  engine.doors = { ...doors, [door]: () => doors["debugTrap"]!() };
}

async function twoInstances(): Promise<Running> {
  return run(
    (app) => {
      app.get("/", () => "ok");
      app.get("/early", (req) => {
        req.early({ link: "x" });
        return "hinted";
      });
      app.post("/", async (req) => req.text());
      app.get("/stream", () =>
        Reply.stream(
          (async function* () {
            for (;;) {
              yield "x".repeat(10_000);
              await pause(10);
            }
          })(),
        ),
      );
    },
    { module: debugModule, instances: 2 },
  );
}

/** Two clients, the first of which is served by the first instance and the second by the other. */
async function clientsOf({ port, server }: Running): Promise<[RawClient, RawClient]> {
  const first = await RawClient.open(port);
  await first.write(get("/")).response();
  const second = await RawClient.open(port);
  await second.write(get("/")).response();
  expect(server.pool.hosts.map((host) => host.sessions.size)).toEqual([1, 1]);
  return [first, second];
}

describe("a trap", () => {
  const places: [place: string, door: DoorName, bytes: string][] = [
    ["while receiving", "receive", get("/")],
    ["while a handler reads", "readBody", request("POST", "/", "content-length: 5") + "hello"],
    ["in an interim response", "sendInformational", get("/early")],
    ["while streaming", "frameBody", get("/stream")],
  ];
  test.each(places)("%s fails the connections of its instance and no others", async (_place, door, bytes) => {
    const running = await twoInstances();
    const { server, port, log } = running;
    const [first, second] = await clientsOf(running);
    const failed = server.pool.hosts[0]!;
    trapAt(failed, door);
    first.write(bytes);
    await first.ended();
    expect((await second.write(get("/")).response()).body.toString()).toBe("ok");
    expect(server.pool.hosts[0]).not.toBe(failed);
    expect((await ask(port, get("/"))).status).toBe(200);
    expect(log.errors[0]!.error).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(log.errors[0]!.message).toBe("an engine instance failed and was replaced");
    const metrics = await server.metrics();
    expect(metrics).toMatch(/^httpy_instance_failures_total 1$/mu);
    expect(metrics).toMatch(/^httpy_connections_total\{protocol="h1"\} 3$/mu);
    second.close();
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
    expect(failed.sessions.size).toBe(0);
  });

  test("while accepting gives the connection to another instance", async () => {
    const running = await twoInstances();
    trapAt(running.server.pool.hosts[0]!, "openConnection");
    expect((await ask(running.port, get("/"))).status).toBe(200);
    expect(running.server.pool.failureCount).toBe(1);
  });

  test("with a single instance leaves the server running, however often", async () => {
    const { server, port } = await run((app) => void app.get("/", () => "ok"), { module: debugModule });
    for (let i = 1; i <= 5; i++) {
      const client = await RawClient.open(port);
      await client.write(get("/")).response();
      trapAt(server.pool.hosts[0]!, i % 2 === 0 ? "receive" : "openConnection");
      if (i % 2 === 0) await client.write(get("/")).ended();
      else expect((await ask(port, get("/"))).status).toBe(200);
      client.close();
      expect(server.pool.failureCount).toBe(i);
    }
    expect((await ask(port, get("/"))).status).toBe(200);
  });

  test("aborts the requests that were being answered", async () => {
    let reason: unknown;
    const { server, port } = await run(
      (app) => {
        app.get("/", (req) => {
          req.signal.addEventListener("abort", () => void (reason = req.signal.reason));
          return new Promise<string>(() => undefined);
        });
      },
      { module: debugModule },
    );
    const client = await RawClient.open(port);
    client.write(get("/"));
    await eventually("the request", () => server.pool.counters().get("exchanges_open") === 1);
    const other = await RawClient.open(port);
    await eventually("the other connection", () => server.connectionCount === 2);
    trapAt(server.pool.hosts[0]!, "receive");
    other.write(get("/"));
    await client.ended();
    expect(reason).toBeInstanceOf(Error);
    expect(server.connectionCount).toBe(0);
  });
});

describe("handlers", () => {
  test("that throw, reject or answer nonsense answer 500 and keep the connection", async () => {
    const { port, log } = await run((app) => {
      app.get("/throw", () => {
        throw new Error("one");
      });
      app.get("/reject", () => Promise.reject(new Error("two")));
      app.get("/late", () =>
        pause(5).then((): string => {
          throw new Error("three");
        }),
      );
      app.get("/symbol", () => Symbol("four") as never);
      app.get("/status", () => new Reply(99, "text/plain", "x"));
      app.get("/status-high", () => new Reply(700, "text/plain", "x").set("x-a", "1"));
      app.get("/type", () => new Reply(200, "text/☃", "x"));
      app.get("/split", () => new Reply(200, "text/plain\r\nx-evil: 1", "x"));
      app.get("/split-more", () => new Reply(200, "text/plain\r\nx-evil: 1", "x").set("x-a", "1"));
      app.get("/value", () => Reply.text("x").set("x-a", "a\r\nb: c"));
      app.get("/huge", () => Reply.text("x").set("x-a", "v".repeat(70_000)));
      app.get("/body", () => new Reply(200, null, 5 as never));
      app.get("/", () => "ok");
    });
    const client = await RawClient.open(port);
    const paths = [
      "/throw",
      "/reject",
      "/late",
      "/symbol",
      "/status",
      "/status-high",
      "/type",
      "/split",
      "/split-more",
      "/value",
      "/huge",
      "/body",
    ];
    for (const [index, path] of paths.entries()) {
      const response = await client.write(get(path)).response();
      expect([path, response.status]).toEqual([path, 500]);
      expect(response.head).not.toContain("x-evil");
      expect([path, log.errors.length]).toEqual([path, index + 1]);
    }
    expect((await client.write(get("/")).response()).body.toString()).toBe("ok");
    client.close();
  });

  test("of a server without a router are held to the same", async () => {
    const errors: Log["errors"] = [];
    const server = keep(
      await Server.start(
        {
          handle: (exchange) => {
            if (exchange.target === "/throw") throw new Error("one");
            if (exchange.target === "/reject") return Promise.reject(new Error("two"));
            if (exchange.target === "/nothing") return undefined as never;
            return Reply.text("ok");
          },
        },
        { host: "127.0.0.1", memoryMiB: 32, logger: collector(errors) },
      ),
    );
    const client = await RawClient.open(server.port);
    for (const path of ["/throw", "/reject", "/nothing"]) {
      expect((await client.write(get(path)).response()).status).toBe(500);
    }
    expect((await client.write(get("/")).response()).status).toBe(200);
    expect(errors).toHaveLength(3);
    expect(server.pool.failureCount).toBe(0);
    client.close();
  });

  test("whose abort callback throws hurt nobody", async () => {
    const { port, log, server } = await run((app) => {
      app.get("/abort", (req) => {
        req.exchange.onAbort(() => {
          throw new Error("in a callback");
        });
        return new Promise<string>(() => undefined);
      });
      app.get("/", () => "ok");
    });
    const other = await RawClient.open(port);
    await other.write(get("/")).response();
    const client = await RawClient.open(port);
    client.write(get("/abort"));
    await pause(20);
    client.socket.resetAndDestroy();
    await eventually("the report", () => log.errors.length === 1);
    expect((await other.write(get("/")).response()).status).toBe(200);
    expect(server.pool.failureCount).toBe(0);
    other.close();
  });

  test("a logger that throws hurts nobody", async () => {
    const failing = (): never => {
      throw new Error("no log");
    };
    const { port, server } = await run(
      (app) => {
        app.get("/bad", () => new Reply(700, "text/plain", "x"));
        app.get("/cut", () =>
          Reply.stream(
            (async function* () {
              yield "a";
              throw new Error("cut");
            })(),
          ),
        );
        app.get("/", () => "ok");
      },
      { logger: { debug: failing, info: failing, warn: failing, error: failing } },
    );
    expect((await ask(port, get("/bad"))).status).toBe(500);
    const client = await RawClient.open(port);
    await client.write(get("/cut")).ended();
    expect((await ask(port, get("/"))).status).toBe(200);
    expect(server.pool.failureCount).toBe(0);
  });
});

describe("fields of a reply", () => {
  test("several set-cookie lines stay apart, and those of the connection stay behind", async () => {
    const { port } = await run((app) => {
      app.get("/", () =>
        Reply.text("x")
          .append("set-cookie", "a=1")
          .append("set-cookie", "b=2; path=/")
          .set("transfer-encoding", "gzip")
          .set("keep-alive", "timeout=5")
          .set("proxy-connection", "x"),
      );
      app.get("/close", () => Reply.text("bye").set("connection", "x-a, Close"));
      app.get(
        "/response",
        () =>
          new Response("web", {
            headers: [
              ["set-cookie", "a=1"],
              ["set-cookie", "b=2"],
              ["connection", "close"],
            ],
          }),
      );
      app.get("/length", () => Reply.text("hello").set("content-length", 3));
      app.get("/length-invalid", () => Reply.text("hello").set("content-length", "5, 5"));
    });
    const client = await RawClient.open(port);
    const first = await client.write(get("/")).response();
    expect(first.head.match(/^set-cookie: .*$/gmu)).toEqual(["set-cookie: a=1", "set-cookie: b=2; path=/"]);
    for (const name of ["transfer-encoding", "keep-alive", "proxy-connection", "connection"]) {
      expect(first.headers.has(name)).toBe(false);
    }
    expect((await client.write(get("/response")).response()).head.match(/^set-cookie/gmu)).toHaveLength(2);
    for (const path of ["/length", "/length-invalid"]) {
      const { headers, body } = await client.write(get(path)).response();
      expect([headers.get("content-length"), body.toString()]).toEqual(["5", "hello"]);
    }
    expect((await client.write(get("/close")).response()).headers.get("connection")).toBe("close");
    await client.ended();
    client.close();
  });
});
