// Peers that leave before they have their answer: what the handler is told, what it can still read, and what is freed.

import { describe, expect, test } from "vitest";
import type { HttpError } from "../../../host/router/index.ts";
import { ask, get, RawClient, request } from "./client.ts";
import { eventually, pause, run } from "./running.ts";

describe("a peer that leaves", () => {
  test("aborts the signal, and again at once when asked late", async () => {
    const reasons: unknown[] = [];
    let late = (): void => undefined;
    const { port } = await run((app) => {
      app.get("/", async (req) => {
        req.signal.addEventListener("abort", () => reasons.push(req.signal.reason));
        await new Promise<void>((resolve) => (late = resolve));
        req.exchange.onAbort((reason) => reasons.push(reason));
        return "nobody";
      });
    });
    const client = await RawClient.open(port);
    client.write(get("/"));
    await pause(20);
    client.socket.resetAndDestroy();
    await eventually("the abort", () => reasons.length === 1);
    late();
    await eventually("the late abort", () => reasons.length === 2);
    for (const reason of reasons) expect((reason as { code: string }).code).toBe("ERR_HTTPY_PEER_GONE");
  });

  test("that only ends its side aborts the signal and still gets its answer", async () => {
    let isAborted = false;
    const { port } = await run((app) => {
      app.get("/", async (req) => {
        await new Promise<void>((resolve) => req.signal.addEventListener("abort", () => resolve()));
        isAborted = req.signal.aborted;
        return "goodbye";
      });
    });
    const client = await RawClient.open(port);
    client.socket.end(get("/"));
    expect((await client.response()).body.toString()).toBe("goodbye");
    expect(isAborted).toBe(true);
    client.close();
  });

  test("in the middle of its content is an error of the body and of nothing else", async () => {
    let error: unknown;
    const { port, log } = await run((app) => {
      app.post("/", async (req) => {
        await req.text().catch((reason: unknown) => (error = reason));
        return "";
      });
      app.get("/", () => "ok");
    });
    for (const leave of ["end", "reset"] as const) {
      error = undefined;
      const client = await RawClient.open(port);
      client.write(request("POST", "/", "content-length: 10") + "123");
      await pause(20);
      if (leave === "end") client.socket.end();
      else client.socket.resetAndDestroy();
      await eventually("the error", () => error !== undefined);
      expect((error as HttpError).status).toBe(400);
      client.close();
    }
    expect((await ask(port, get("/"))).status).toBe(200);
    expect(log.errors).toEqual([]);
  });

  test("leaves the request readable for a handler that goes on, and never shows it another's", async () => {
    let seen = "";
    let go = (): void => undefined;
    const { port, server } = await run((app) => {
      app.get("/first", async (req) => {
        await new Promise<void>((resolve) => (go = resolve));
        seen = `${req.method} ${req.exchange.target} ${req.header("x-secret")} ${req.exchange.authority}`;
        return "";
      });
      app.get("/", () => "ok");
    });
    const client = await RawClient.open(port);
    client.write(get("/first", "x-secret: first"));
    await pause(20);
    client.socket.resetAndDestroy();
    await eventually("the connection to be forgotten", () => server.connectionCount === 0);
    for (let i = 0; i < 20; i++) await ask(port, get("/", `x-secret: other-${i}`));
    const others = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(port)));
    for (const other of others) other.write(get("/", "x-secret: mine"));
    await Promise.all(others.map((other) => other.response()));
    go();
    await eventually("the handler's end", () => seen !== "");
    expect(seen).toBe("GET /first first test");
    await eventually("the exchange's end", () => server.pool.counters().get("exchanges_open") === 0);
    for (const other of others) other.close();
  });
});
