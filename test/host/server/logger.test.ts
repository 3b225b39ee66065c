// Where a server's log goes: one logger, given to the application or to `listen`, is told of everything.

import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { accessLog, App, serve } from "../../../host/index.ts";
import type { ListenOptions, Logger } from "../../../host/index.ts";

function recording(): { lines: string[]; logger: Logger } {
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push(`${level}: ${message} ${String((fields as { err?: unknown }).err)}`);
  return {
    lines,
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
}

function brokenApp(app: App): App {
  return app.get("/broken", () => {
    throw new Error("out of order");
  });
}

async function askBroken(app: App, options: ListenOptions = {}): Promise<number> {
  const server = await app.listen({ host: "127.0.0.1", memoryMiB: 32, ...options });
  onTestFinished(async () => void (await server.close()));
  return (await fetch(`http://127.0.0.1:${server.port}/broken`)).status;
}

const TOLD = "error: unhandled error Error: out of order";

test("the application's logger is told of errors that answer 500", async () => {
  const { lines, logger } = recording();
  expect(await askBroken(brokenApp(new App({ logger })))).toBe(500);
  expect(lines).toEqual([TOLD]);
});

test("a logger given to listen is told as well", async () => {
  const { lines, logger } = recording();
  expect(await askBroken(brokenApp(new App()), { logger })).toBe(500);
  expect(lines).toEqual([TOLD]);
});

test("without one the console is told", async () => {
  const spy = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => spy.mockRestore());
  expect(await askBroken(brokenApp(new App()))).toBe(500);
  expect(spy.mock.calls.map((call) => String(call[1]))).toEqual(["unhandled error"]);
});

test("a fetch-style application's errors are told to the logger of serve", async () => {
  const { lines, logger } = recording();
  const app = { fetch: (): never => brokenFetch() };
  const brokenFetch = (): never => {
    throw new Error("out of order");
  };
  const server = await serve(app, { host: "127.0.0.1", memoryMiB: 32, logger });
  onTestFinished(async () => void (await server.close()));
  expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(500);
  expect(lines).toEqual(["error: unhandled error in fetch Error: out of order"]);
});

test("the access log writes through pino over a real connection", async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const app = new App({ logger }).use(accessLog({ logger })).get("/users/:id", (req) => req.params.id);
  const server = await app.listen({ host: "127.0.0.1", memoryMiB: 32 });
  onTestFinished(async () => void (await server.close()));
  await (await fetch(`http://127.0.0.1:${server.port}/users/7?token=secret`)).text();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 30,
    msg: "request answered",
    path: "/users/7",
    pattern: "/users/:id",
    status: 200,
    ip: "127.0.0.1",
    protocol: "http/1.1",
  });
});

test("a logger that lacks a method is refused by name", async () => {
  const logger = { error() {} } as unknown as Logger;
  await expect(new App().listen({ logger })).rejects.toThrow(
    "listen option logger is [object Object]; it must have the methods debug, info, warn and error",
  );
});
