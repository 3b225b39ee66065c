// Every limit of assembly/abi/limit.ts from both sides: what just fits is served, one more is refused with its status,
// counted by its name, and the connection ends. Limits over time are in deadlines.test.ts.

import { describe, expect, test } from "vitest";
import { SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import type { LimitName } from "../../host/engine/limits.ts";
import { Driver } from "./driver.ts";
import type { Connection, Handler } from "./driver.ts";
import { readResponses } from "./responses.ts";

const answering: Handler = {
  complete(message, driver) {
    driver.answer(message, 200, "ok");
  },
};

function serve(
  limits: Partial<Record<LimitName, number>>,
  bytes: string,
): { driver: Driver; connection: Connection } {
  const driver = new Driver({ limits, handler: answering });
  const connection = driver.open();
  driver.feed(connection, bytes);
  return { driver, connection };
}

function request(line: string, fields: string[] = [], body = ""): string {
  return `${[line, "host: a", ...fields].join("\r\n")}\r\n\r\n${body}`;
}

const chunked = ["transfer-encoding: chunked"];

/** A name, the value tried, bytes that fit, bytes that do not, and the status that answers those. */
const sizes: [LimitName, number, string, string, number][] = [
  ["methodBytes", 10, request(`${"M".repeat(10)} / HTTP/1.1`), request(`${"M".repeat(11)} / HTTP/1.1`), 501],
  [
    "targetBytes",
    100,
    request(`GET /${"t".repeat(99)} HTTP/1.1`),
    request(`GET /${"t".repeat(100)} HTTP/1.1`),
    414,
  ],
  [
    "headBytes",
    600,
    request("GET / HTTP/1.1", [`x: ${"v".repeat(600 - 32)}`]),
    request("GET / HTTP/1.1", [`x: ${"v".repeat(601 - 32)}`]),
    431,
  ],
  [
    "fieldCount",
    10,
    request("GET / HTTP/1.1", Array<string>(9).fill("x: y")),
    request("GET / HTTP/1.1", Array<string>(10).fill("x: y")),
    431,
  ],
  [
    "trailerBytes",
    100,
    request("POST / HTTP/1.1", chunked, `0\r\nx: ${"v".repeat(93)}\r\n\r\n`),
    request("POST / HTTP/1.1", chunked, `0\r\nx: ${"v".repeat(94)}\r\n\r\n`),
    431,
  ],
  [
    "trailerCount",
    2,
    request("POST / HTTP/1.1", chunked, "0\r\nx: 1\r\nx: 2\r\n\r\n"),
    request("POST / HTTP/1.1", chunked, "0\r\nx: 1\r\nx: 2\r\nx: 3\r\n\r\n"),
    431,
  ],
  [
    "chunkExtensionBytes",
    8,
    request("POST / HTTP/1.1", chunked, "1;a=b\r\nx\r\n1;a=b\r\nx\r\n0\r\n\r\n"),
    request("POST / HTTP/1.1", chunked, "1;a=b\r\nx\r\n1;a=bc\r\nx\r\n0\r\n\r\n"),
    400,
  ],
  [
    "bodyBytes",
    5,
    request("POST / HTTP/1.1", ["content-length: 5"], "hello"),
    request("POST / HTTP/1.1", ["content-length: 6"], "hello!"),
    413,
  ],
  [
    "bodyBytes",
    5,
    request("POST / HTTP/1.1", chunked, "5\r\nhello\r\n0\r\n\r\n"),
    request("POST / HTTP/1.1", chunked, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
    413,
  ],
];

describe("sizes", () => {
  test.each(sizes)("%s of %i: what fits is served", (name, value, fits) => {
    const { driver, connection } = serve({ [name]: value }, fits);
    expect(readResponses(connection.sentText).map(({ statusCode }) => statusCode)).toEqual([200]);
    expect(driver.limitHits(name)).toBe(0);
    expect(connection.closedBy).toBeNull();
  });

  test.each(sizes)(
    "%s of %i: one more is refused, counted, and ends the connection",
    (name, value, _fits, over, code) => {
      const { driver, connection } = serve({ [name]: value }, over);
      const [answer, ...rest] = readResponses(connection.sentText);
      expect(rest).toEqual([]);
      expect(answer!.statusCode).toBe(code);
      expect(answer!.fields).toContainEqual(["connection", "close"]);
      expect(answer!.body.startsWith(`${code} `)).toBe(true);
      expect(driver.limitHits(name)).toBe(1);
      expect(connection.closedBy).toBeLessThan(0);
      expect(driver.counter("peer_errors")).toBe(1);
    },
  );

  test.each(sizes)("%s of %i: refused the same byte by byte", (name, value, _fits, over, code) => {
    const driver = new Driver({ limits: { [name]: value }, handler: answering });
    const connection = driver.open();
    for (const byte of over) if (connection.closedBy === null) driver.feed(connection, byte);
    expect(readResponses(connection.sentText).at(-1).statusCode).toBe(code);
    expect(driver.limitHits(name)).toBe(1);
  });

  test("a request line without an end is refused at the limit, not at the end of memory", () => {
    const { connection } = serve({}, `GET /${"x".repeat(9000)}`);
    expect(readResponses(connection.sentText)[0]!.statusCode).toBe(414);
  });

  test("a client refuses what is too large too", () => {
    const driver = new Driver({ limits: { headBytes: 512, bodyBytes: 5 } });
    for (const [bytes, status] of [
      [`HTTP/1.1 200 OK\r\nx: ${"v".repeat(600)}\r\n\r\n`, Status.H1_HEAD_TOO_LARGE],
      ["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n", Status.BODY_TOO_LARGE],
      ["HTTP/1.1 200 OK\r\n\r\nhello!", Status.BODY_TOO_LARGE],
    ] as const) {
      const connection = driver.open(1);
      driver.ask(connection, { method: "GET", target: "/" });
      driver.feed(connection, bytes);
      expect(connection.closedBy).toBe(status);
    }
  });

  test("the length that HEAD answers with is not content", () => {
    const driver = new Driver({ limits: { bodyBytes: 5 } });
    const connection = driver.open(1);
    driver.ask(connection, { method: "HEAD", target: "/" });
    driver.feed(connection, "HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n");
    expect(connection.messages[0]!.isComplete).toBe(true);
  });
});

describe("content that nobody reads", () => {
  const early: Handler = {
    request(message, driver) {
      driver.answer(message, 200, "ok", SendFlag.RELEASE);
    },
  };
  const next = request("GET /next HTTP/1.1");

  test.each([
    ["by length", (n: number) => request("POST / HTTP/1.1", [`content-length: ${n}`])],
    ["chunked", (n: number) => request("POST / HTTP/1.1", chunked, `${n.toString(16)}\r\n`)],
  ])("is drained up to drainBytes, %s", (how, head) => {
    for (const [length, isKept] of [
      [1000, true],
      [1001, false],
    ] as const) {
      const driver = new Driver({ limits: { drainBytes: 1000 }, handler: early });
      const connection = driver.open();
      driver.feed(connection, head(length));
      driver.feed(connection, "x".repeat(length) + (how === "chunked" ? "\r\n0\r\n\r\n" : ""));
      driver.feed(connection, next);
      expect(connection.messages.length, `${length}`).toBe(isKept ? 2 : 1);
      expect(connection.closedBy, `${length}`).toBe(isKept ? null : Status.OK);
      expect(driver.limitHits("drainBytes")).toBe(!isKept && how === "chunked" ? 1 : 0);
      driver.hangUp(connection);
      expect(driver.memoryInUse()).toBe(0);
    }
  });

  test("is discarded from a peer that was paused when the answer came", () => {
    const driver = new Driver({ limits: { readWindowBytes: 1024 }, isReading: false });
    const connection = driver.open();
    driver.feed(connection, request("POST / HTTP/1.1", ["content-length: 10000"]));
    driver.feed(connection, "x".repeat(5000));
    expect(connection.isPaused).toBe(true);
    driver.answer(connection.messages[0]!, 200, "ok", SendFlag.RELEASE);
    driver.settle(connection);
    expect(connection.isPaused).toBe(false);
    driver.feed(connection, "x".repeat(5000) + next);
    expect(connection.messages.map(({ target }) => target)).toEqual(["/", "/next"]);
  });
});

describe("pools", () => {
  test("connectionCount: one more is refused and counted, and the place of a closed one is free", () => {
    const driver = new Driver({ limits: { connectionCount: 2 } });
    const first = driver.open();
    driver.open();
    expect(driver.engine.doors.openConnection(1, 0, 0, 0)).toBe(Status.CONNECTIONS_FULL);
    expect(driver.limitHits("connectionCount")).toBe(1);
    expect(driver.counter("pool_refusals")).toBe(1);
    driver.hangUp(first);
    expect(driver.open().handle).toBeGreaterThan(0);
  });

  test("exchangeCount: one more is answered 503, others go on", () => {
    const driver = new Driver({ limits: { exchangeCount: 1 } });
    const [first, second] = [driver.open(), driver.open()];
    driver.feed(first, request("GET /1 HTTP/1.1"));
    driver.feed(second, request("GET /2 HTTP/1.1"));
    expect(readResponses(second.sentText)[0]!.statusCode).toBe(503);
    expect(second.closedBy).toBe(Status.EXCHANGES_FULL);
    expect(driver.limitHits("exchangeCount")).toBe(1);
    expect(driver.counter("pool_refusals")).toBe(1);
    expect(driver.counter("peer_errors")).toBe(0);
    driver.answer(first.messages[0]!, 200, "ok", SendFlag.RELEASE);
    driver.feed(first, request("GET /3 HTTP/1.1"));
    expect(first.messages.map(({ target }) => target)).toEqual(["/1", "/3"]);
  });

  test("pipelinedCount: no more is read until an answer makes room", () => {
    const driver = new Driver({ limits: { pipelinedCount: 2 } });
    const connection = driver.open();
    const targets = ["/1", "/2", "/3", "/4", "/5"];
    driver.feed(connection, targets.map((target) => request(`GET ${target} HTTP/1.1`)).join(""));
    const seen = (): string[] => connection.messages.map(({ target }) => target);
    expect(seen()).toEqual(["/1", "/2"]);
    expect(connection.isPaused).toBe(true);
    expect(driver.limitHits("pipelinedCount")).toBe(1);
    // The second's answer waits for the first's.
    driver.answer(connection.messages[1]!, 200, "2", SendFlag.RELEASE);
    driver.settle(connection);
    expect(seen()).toEqual(["/1", "/2"]);
    driver.answer(connection.messages[0]!, 200, "1", SendFlag.RELEASE);
    driver.settle(connection);
    expect(seen()).toEqual(["/1", "/2", "/3", "/4"]);
    for (const message of connection.messages.slice(2))
      driver.answer(message, 200, message.target, SendFlag.RELEASE);
    driver.settle(connection);
    expect(connection.isPaused).toBe(false);
    driver.answer(connection.messages[4]!, 200, "5", SendFlag.RELEASE);
    driver.settle(connection);
    expect(readResponses(connection.sentText).map(({ body }) => body)).toEqual(["1", "2", "/3", "/4", "5"]);
  });

  test("a full read of requests behind the limit is held, and memory does not grow with their number", () => {
    const driver = new Driver({ limits: { pipelinedCount: 1 }, memoryBytes: 4 * 1024 * 1024 });
    const connection = driver.open();
    driver.feed(connection, request("GET /first HTTP/1.1"));
    const one = request("GET / HTTP/1.1");
    const count = Math.floor(driver.engine.receiveBuffer.length / one.length);
    const all = one.repeat(count);
    driver.feed(connection, all.padEnd(driver.engine.receiveBuffer.length, "\r\n"));
    expect(connection.isPaused).toBe(true);
    expect(connection.closedBy).toBeNull();
    for (let answered = 0; answered <= count; answered++) {
      expect(connection.messages.length).toBe(answered + 1);
      driver.answer(connection.messages[answered]!, 204, "", SendFlag.RELEASE);
      // Only the events: a busy host does not let time pass in between.
      driver.settle(connection);
    }
    expect(connection.isPaused).toBe(false);
    expect(connection.closedBy).toBeNull();
  });

  test("a host that reads on in spite of READ_PAUSE is told when there is no room left", () => {
    const driver = new Driver({ limits: { pipelinedCount: 1 } });
    const connection = driver.open();
    driver.feed(
      connection,
      request("GET /1 HTTP/1.1") + request("GET /2 HTTP/1.1", ["x: 01234567890123456789"]),
    );
    expect(connection.isPaused).toBe(true);
    const { length } = driver.engine.receiveBuffer;
    expect(driver.engine.doors.receive(connection.handle, 0, length, driver.now)).toBe(Status.WOULD_BLOCK);
    driver.answer(connection.messages[0]!, 204, "", SendFlag.RELEASE);
    driver.settle(connection);
    expect(connection.messages.map(({ target }) => target)).toEqual(["/1", "/2"]);
  });
});

describe("backpressure", () => {
  test("readWindowBytes: a handler that does not read stops the peer, and one that reads half of it lets it go on", () => {
    const driver = new Driver({ limits: { readWindowBytes: 1024 }, isReading: false });
    const connection = driver.open();
    driver.feed(connection, request("POST / HTTP/1.1", ["content-length: 5000"]));
    const { exchange } = connection.messages[0]!;
    driver.feed(connection, "x".repeat(1024));
    expect(connection.isPaused).toBe(false);
    driver.feed(connection, "x");
    expect(connection.isPaused).toBe(true);
    expect(driver.limitHits("readWindowBytes")).toBe(1);
    driver.engine.doors.readBody(exchange, 512, driver.now);
    driver.settle(connection);
    expect(connection.isPaused).toBe(true);
    driver.engine.doors.readBody(exchange, 1, driver.now);
    driver.settle(connection);
    expect(connection.isPaused).toBe(false);
    expect(driver.engine.doors.readBody(exchange, 513, driver.now)).toBe(Status.INVALID_ARGUMENT);
  });

  test("outputBytes: a peer that does not read stops the handler, and one that has read half lets it go on", () => {
    const driver = new Driver({ limits: { outputBytes: 16384 } });
    const writable: number[] = [];
    driver.handler = { writable: () => void writable.push(1) };
    const connection = driver.open();
    driver.feed(connection, request("GET / HTTP/1.1"));
    const { exchange } = connection.messages[0]!;
    const { engine } = driver;
    connection.isBlocked = true;
    engine.sendHead(exchange, 200, [], 100_000, 0);
    const taken = engine.sendBody(exchange, Buffer.alloc(50_000, 0x61), 0);
    expect(taken).toBeGreaterThan(16_000);
    expect(taken).toBeLessThan(16_384);
    expect(engine.sendBody(exchange, Buffer.alloc(10, 0x61), 0)).toBe(0);
    expect(driver.limitHits("outputBytes")).toBe(2);
    driver.settle(connection);
    expect(writable).toEqual([]);
    connection.isBlocked = false;
    driver.settle(connection);
    expect(writable).toEqual([1]);
    let sent = taken;
    while (sent < 100_000) {
      const part = engine.sendBody(exchange, Buffer.alloc(100_000 - sent, 0x61), SendFlag.END);
      sent += part;
      driver.settle(connection);
    }
    expect(readResponses(connection.sentText)[0]!.body.length).toBe(100_000);
  });
});
