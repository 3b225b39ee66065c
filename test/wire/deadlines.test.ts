// The limits over time, by a virtual clock: each from both sides, with what is sent, what is told, and what is counted.

import { describe, expect, test } from "vitest";
import { Role, SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { Driver } from "./driver.ts";
import type { Connection } from "./driver.ts";
import { readResponses } from "./responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const HEAD_MS = 10_000;
const IDLE_MS = 60_000;
const WINDOW_MS = 30_000;
const WRITE_MS = 30_000;
const LINGER_MS = 2000;

function codes(connection: Connection): number[] {
  return readResponses(connection.sentText).map(({ statusCode }) => statusCode);
}

function answerAll(driver: Driver, connection: Connection): void {
  for (const message of connection.messages) driver.answer(message, 200, "ok", SendFlag.RELEASE);
  driver.settle(connection);
}

describe("a head", () => {
  test("has an absolute time from the accept, whatever trickles in", () => {
    const driver = new Driver();
    const connection = driver.open();
    for (let second = 0; second < 9; second++) {
      driver.feed(connection, GET[second]!);
      driver.advance(1000);
    }
    driver.advance(999);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(codes(connection)).toEqual([408]);
    expect(connection.closedBy).toBe(Status.HEAD_TIMEOUT);
    expect(driver.limitHits("headTimeoutMs")).toBe(1);
    driver.feed(connection, GET.slice(9));
    expect(connection.messages).toEqual([]);
  });

  test("that was never begun ends without an answer", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.advance(HEAD_MS);
    expect(connection.sentText).toBe("");
    expect(connection.closedBy).toBe(Status.HEAD_TIMEOUT);
  });

  test("of the next request has its time from its own first byte", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    answerAll(driver, connection);
    driver.advance(40_000);
    driver.feed(connection, "G");
    driver.advance(HEAD_MS - 1);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(codes(connection)).toEqual([200, 408]);
    expect(connection.closedBy).toBe(Status.HEAD_TIMEOUT);
  });

  test("is not begun by an empty line", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    answerAll(driver, connection);
    driver.feed(connection, "\r");
    driver.feed(connection, "\n");
    driver.advance(IDLE_MS - 1);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(codes(connection)).toEqual([200]);
    expect(connection.closedBy).toBe(Status.IDLE_TIMEOUT);
  });

  test("that stalls behind a pending answer is answered after it", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, `${GET}GET /`);
    driver.advance(HEAD_MS);
    expect(connection.sentText).toBe("");
    answerAll(driver, connection);
    expect(codes(connection)).toEqual([200, 408]);
  });
});

describe("an idle connection", () => {
  test("ends after its time without an answer", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    answerAll(driver, connection);
    driver.advance(IDLE_MS - 1);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(connection.closedBy).toBe(Status.IDLE_TIMEOUT);
    expect(driver.limitHits("idleTimeoutMs")).toBe(1);
    expect(codes(connection)).toEqual([200]);
  });

  test("is not one whose handler takes its time", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    driver.advance(24 * 3600 * 1000);
    expect(connection.closedBy).toBeNull();
    answerAll(driver, connection);
    expect(codes(connection)).toEqual([200]);
  });
});

describe("content", () => {
  const POST = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
  const RATE = 256;

  test("that does not come ends with 408", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, POST);
    driver.advance(WINDOW_MS - 1);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(codes(connection)).toEqual([408]);
    expect(connection.messages[0]!.abortedBy).toBe(Status.BODY_TIMEOUT);
    expect(driver.limitHits("bodyWindowMs")).toBe(1);
  });

  test("that drips below the rate ends with 408, at the rate it goes on", () => {
    const driver = new Driver();
    const [slow, steady] = [driver.open(), driver.open()];
    driver.feed(slow, POST);
    driver.feed(steady, POST);
    for (let second = 0; second < 90; second++) {
      if (slow.closedBy === null) driver.feed(slow, "x".repeat(RATE - 1));
      driver.feed(steady, "x".repeat(RATE));
      driver.advance(1000);
    }
    expect(slow.closedBy).toBe(Status.BODY_TIMEOUT);
    expect(codes(slow)).toEqual([408]);
    expect(driver.limitHits("bodyRateBytesPerS")).toBe(1);
    expect(steady.closedBy).toBeNull();
  });

  test("that a handler does not want is not late", () => {
    const driver = new Driver({ isReading: false });
    const connection = driver.open();
    driver.feed(connection, POST);
    driver.feed(connection, "x".repeat(70_000));
    expect(connection.isPaused).toBe(true);
    driver.advance(10 * WINDOW_MS);
    expect(connection.closedBy).toBeNull();
    driver.engine.doors.readBody(connection.messages[0]!.exchange, 70_000, driver.now);
    driver.settle(connection);
    expect(connection.isPaused).toBe(false);
    driver.advance(WINDOW_MS);
    expect(connection.closedBy).toBe(Status.BODY_TIMEOUT);
  });

  test("that waits for 100 (Continue) is late only after it was asked for", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, POST.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n"));
    driver.advance(10 * WINDOW_MS);
    expect(connection.closedBy).toBeNull();
    driver.engine.doors.readBody(connection.messages[0]!.exchange, 0, driver.now);
    driver.settle(connection);
    driver.advance(WINDOW_MS - 1);
    expect(connection.closedBy).toBeNull();
    driver.advance(1);
    expect(connection.closedBy).toBe(Status.BODY_TIMEOUT);
    expect(codes(connection)).toEqual([100, 408]);
  });

  test("of a tunnel has no deadline", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n");
    driver.engine.sendHead(connection.messages[0]!.exchange, 200, [], -1, SendFlag.TUNNEL);
    driver.settle(connection);
    driver.advance(100 * WINDOW_MS);
    expect(connection.closedBy).toBeNull();
  });

  test("of a response has a window too, which begins again while the request is being sent", () => {
    const driver = new Driver();
    const connection = driver.open(Role.CLIENT);
    const exchange = driver.ask(connection, { method: "POST", target: "/" }, 0);
    driver.advance(10 * WINDOW_MS);
    expect(connection.closedBy).toBeNull();
    driver.engine.sendBody(exchange, Buffer.alloc(0), SendFlag.END);
    driver.advance(2 * WINDOW_MS);
    expect(connection.closedBy).toBe(Status.BODY_TIMEOUT);
    expect(connection.log[0]!.text).toContain("aborted");
  });
});

describe("output", () => {
  test("that the socket does not take for its time destroys the connection and tells its exchanges", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    const { exchange } = connection.messages[0]!;
    driver.engine.sendHead(exchange, 200, [], -1, 0);
    driver.settle(connection);
    driver.engine.doors.transmitBlocked(connection.handle, driver.now);
    driver.advance(WRITE_MS - 1);
    // Told again, it is still the same stall.
    driver.engine.doors.transmitBlocked(connection.handle, driver.now);
    expect(connection.closedBy).toBeNull();
    driver.engine.sendBody(exchange, Buffer.from("more"), 0);
    driver.advance(1);
    expect(connection.closedBy).toBe(Status.WRITE_TIMEOUT);
    expect(connection.isAborted).toBe(true);
    expect(connection.messages[0]!.abortedBy).toBe(Status.WRITE_TIMEOUT);
    expect(driver.limitHits("writeTimeoutMs")).toBe(1);
    expect(driver.engine.doors.pollTransmit(connection.handle)).toBe(0);
  });

  test("that the socket takes in time goes on", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    for (let round = 0; round < 5; round++) {
      driver.engine.doors.transmitBlocked(connection.handle, driver.now);
      driver.advance(WRITE_MS - 1);
      driver.engine.doors.transmitDrained(connection.handle, driver.now);
      driver.advance(WRITE_MS);
    }
    expect(connection.closedBy).toBeNull();
  });
});

describe("a closed connection", () => {
  function closed(driver: Driver): Connection {
    const connection = driver.open();
    driver.feed(connection, "bad\r\n");
    expect(codes(connection)).toEqual([400]);
    expect(connection.isAborted).toBe(false);
    return connection;
  }

  test("lingers so that its answer is not lost, and is then destroyed", () => {
    const driver = new Driver();
    const connection = closed(driver);
    driver.feed(connection, GET.repeat(10));
    expect(connection.messages).toEqual([]);
    driver.advance(LINGER_MS - 1);
    expect(connection.isAborted).toBe(false);
    driver.advance(1);
    expect(connection.isAborted).toBe(true);
    expect(driver.limitHits("lingerTimeoutMs")).toBe(1);
  });

  test("lingers from when the socket has written everything", () => {
    const driver = new Driver();
    const connection = closed(driver);
    driver.engine.doors.transmitBlocked(connection.handle, driver.now);
    driver.advance(LINGER_MS * 3);
    expect(connection.isAborted).toBe(false);
    driver.engine.doors.transmitDrained(connection.handle, driver.now);
    driver.advance(LINGER_MS - 1);
    expect(connection.isAborted).toBe(false);
    driver.advance(1);
    expect(connection.isAborted).toBe(true);
  });

  test("tells nothing after it was given up", () => {
    const driver = new Driver();
    const connection = closed(driver);
    driver.advance(LINGER_MS);
    const told = connection.log.length;
    driver.feed(connection, GET);
    driver.endPeer(connection);
    driver.advance(IDLE_MS);
    expect(connection.log.length).toBe(told);
  });
});

describe("the timer", () => {
  test("is one deadline for thousands of connections, each of which ends at its own time", () => {
    const driver = new Driver();
    const opened: [Connection, number][] = [];
    for (let i = 0; i < 2000; i++) {
      opened.push([driver.open(), driver.now]);
      driver.now += 3;
    }
    for (const [connection, at] of opened) {
      const { now } = driver;
      if (at + HEAD_MS > now) driver.advance(at + HEAD_MS - now);
      expect(connection.closedBy).toBe(Status.HEAD_TIMEOUT);
    }
  });

  test("has nothing to wait for once every connection is gone", () => {
    const driver = new Driver();
    const connections = [driver.open(), driver.open()];
    expect(driver.engine.doors.pollDeadline()).toBeLessThan(Infinity);
    for (const connection of connections) driver.hangUp(connection);
    expect(driver.engine.doors.pollDeadline()).toBe(Infinity);
  });

  test("stands still when the clock runs backwards", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.engine.doors.handleTimeout(0);
    driver.engine.doors.handleTimeout(NaN);
    driver.advance(HEAD_MS - 1);
    expect(connection.closedBy).toBeNull();
  });
});
