import { Writable } from "node:stream";
import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import { accessLog, consoleLogger, Reply, Router, silentLogger } from "../../../host/router/index.ts";
import type { Logger } from "../../../host/router/index.ts";
import { ask } from "./ask.ts";

type Line = { level: string; fields: Record<string, unknown>; message: string | undefined };

function recording(): { lines: Line[]; logger: Logger } {
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  return {
    lines,
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
  };
}

describe("the access log", () => {
  test("tells of every answer once: handled, missed, failed", async () => {
    const { lines, logger } = recording();
    let clockMs = 100;
    const router = new Router({ onUnhandled: () => {} })
      .use(accessLog({ logger, now: () => (clockMs += 5) }))
      .get("/users/:id", async () => "x")
      .get("/broken", () => {
        throw new Error("x");
      });
    await ask(router, "/users/7?token=secret");
    await ask(router, "/missing");
    await ask(router, "/broken");
    expect(lines.map(({ level, fields }) => [level, fields["status"], fields["pattern"]])).toEqual([
      ["info", 200, "/users/:id"],
      ["info", 404, null],
      ["error", 500, "/broken"],
    ]);
    expect(lines[0]).toEqual({
      level: "info",
      message: "request answered",
      fields: {
        method: "GET",
        path: "/users/7",
        pattern: "/users/:id",
        status: 200,
        durationMs: 5,
        ip: "192.0.2.7",
        protocol: "http/1.1",
      },
    });
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("may skip requests and add fields", async () => {
    const { lines, logger } = recording();
    const fields = (_request: object, reply: Reply): object => ({ type: reply.contentType });
    const router = new Router()
      .use(accessLog({ logger, fields, skip: (request) => request.path === "/health" }))
      .get("/health", () => "")
      .get("/", () => Reply.html(""));
    await ask(router, "/health");
    await ask(router, "/");
    expect(lines).toHaveLength(1);
    expect(lines[0]!.fields["type"]).toBe("text/html; charset=utf-8");
  });

  test("writes through pino as it is", async () => {
    let text = "";
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    const router = new Router().use(accessLog({ logger: pino(sink) })).get("/*", () => "");
    await ask(router, "/a%0a%22forged%22");
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 30,
      msg: "request answered",
      path: '/a\n"forged"',
      status: 200,
    });
  });
});

describe("the router's logger", () => {
  const broken = new Error("broken");
  const fail = (): never => {
    throw broken;
  };

  test("is told of an error that answers 500, with the request it concerns", async () => {
    const { lines, logger } = recording();
    const router = new Router({ logger }).get("/broken", fail).get("/late", async () => fail());
    await ask(router, "/broken?token=secret");
    await ask(router, "/late");
    await ask(router, "/missing");
    expect(lines).toEqual([
      { level: "error", message: "unhandled error", fields: { err: broken, method: "GET", path: "/broken" } },
      { level: "error", message: "unhandled error", fields: { err: broken, method: "GET", path: "/late" } },
    ]);
  });

  test("is not told what onUnhandled takes", async () => {
    const { lines, logger } = recording();
    const taken: unknown[] = [];
    const router = new Router({ logger, onUnhandled: (error) => taken.push(error) }).get("/", fail);
    await ask(router, "/");
    expect([taken, lines]).toEqual([[broken], []]);
  });

  test("may be pino, which then has the stack", async () => {
    let text = "";
    const logger = pino({}, { write: (line: string) => void (text += line) });
    await ask(new Router({ logger }).get("/", fail), "/");
    expect(JSON.parse(text)).toMatchObject({ level: 50, err: { message: "broken", stack: broken.stack } });
  });

  test("has every method, or the option is refused", () => {
    const wrong = { error() {} } as unknown as Logger;
    expect(() => new Router({ logger: wrong })).toThrow(
      'Router option "logger" is [object Object], but must be an object with the methods debug, info, warn and error',
    );
  });
});

describe("the console logger", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("writes one JSON object per line, from its level up", () => {
    const written: string[] = [];
    for (const name of ["debug", "info", "warn", "error"] as const) {
      vi.spyOn(console, name).mockImplementation((line: string) => void written.push(line));
    }
    const logger = consoleLogger("warn");
    logger.debug({ a: 1 }, "d");
    logger.info({ a: 1 });
    logger.warn({ text: "two\nlines", big: 1n });
    logger.error({ error: new TypeError("broken", { cause: "x" }) }, "failed");
    expect(written.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(["warn", "error"]);
    expect(written.every((line) => !line.includes("\n"))).toBe(true);
    expect(JSON.parse(written[1]!)).toMatchObject({
      message: "failed",
      error: { name: "TypeError", message: "broken", cause: "x" },
    });
    expect(() => consoleLogger("loud" as "info")).toThrow('level is "loud"');
  });

  test("the silent one drops everything", () => {
    expect(silentLogger.error({ a: 1 }, "x")).toBeUndefined();
  });
});
