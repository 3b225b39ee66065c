// A server that has served many requests over real sockets is as it was before: nothing open, and the heap where it was.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { get, post, RawClient } from "./client.ts";
import { eventually, run, type Running } from "./running.ts";

const REQUESTS = 100_000;
const CONNECTIONS = 32;
const PIPELINED = 25;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Sends pipelined requests of every kind over many connections, each of which is replaced now and then. */
async function load({ port }: Running, requests: number): Promise<void> {
  const batch =
    get("/") +
    get("/later") +
    post("/", "x".repeat(500)) +
    get("/users/7?a=b") +
    get("/big") +
    get("/nowhere");
  const perBatch = 6;
  const rounds = Math.ceil(requests / (CONNECTIONS * PIPELINED));
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let round = 0; round < rounds; round++) {
        const batches = Math.ceil(PIPELINED / perBatch);
        const client = await RawClient.open(port, false);
        let count = 0;
        client.socket.on("data", (chunk: Buffer) => {
          count += chunk.toString("latin1").split("HTTP/1.1 ").length - 1;
        });
        client.write(batch.repeat(batches - 1) + get("/"));
        client.socket.end(get("/"));
        await client.ended();
        expect(count).toBeGreaterThanOrEqual((batches - 1) * perBatch);
        client.close();
      }
    }),
  );
}

test(`${REQUESTS} requests leave nothing behind`, { timeout: 60_000 }, async () => {
  const running = await run((app) => {
    app.get("/", () => "ok");
    app.get("/later", async () => Promise.resolve({ later: true }));
    app.post("/", async (req) => req.text());
    app.get("/users/:id", (req) => `${req.params.id} ${String(req.query["a"])} ${req.header("host")}`);
    app.get("/big", () => "y".repeat(20_000));
  });
  const { server } = running;
  const closed = (): boolean => server.connectionCount === 0;
  await load(running, REQUESTS / 5);
  await eventually("connections to be forgotten", closed);
  const heapBefore = heapBytes();
  const engineBefore = server.pool.hosts[0]!.engine.counters().get("memory_bytes_in_use")!;
  const begun = server.pool.counters().get("exchanges_h1")!;
  await load(running, (REQUESTS / 5) * 4);
  await eventually("connections to be forgotten", closed);
  const counters = server.pool.counters();
  expect(counters.get("exchanges_h1")! - begun).toBeGreaterThan(REQUESTS / 2);
  expect(counters.get("exchanges_open")).toBe(0);
  expect(counters.get("connections_open")).toBe(0);
  expect(counters.get("host_errors")).toBe(0);
  expect(server.pool.hosts[0]!.sessions.size).toBe(0);
  expect(heapBytes() - heapBefore).toBeLessThan(3 * 1024 * 1024);
  expect(server.pool.hosts[0]!.engine.counters().get("memory_bytes_in_use")! - engineBefore).toBeLessThan(
    512 * 1024,
  );
});
