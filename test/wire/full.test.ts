// The engine with its pools full: the event ring, and memory at every allocation. Nothing is lost, nothing traps, and
// everything is given back.

import { describe, expect, test } from "vitest";
import { SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { Driver } from "./driver.ts";
import type { Connection } from "./driver.ts";
import { readResponses } from "./responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

describe("the event ring", () => {
  /** Hands bytes over without reading events; answers how much was taken. */
  function receive(driver: Driver, connection: Connection, bytes: string): number {
    driver.engine.receiveBuffer.set(Buffer.from(bytes, "latin1"));
    return driver.engine.doors.receive(connection.handle, 0, bytes.length, driver.now);
  }

  test("when it is nearly full receive takes less, and the rest is taken once the events were read", () => {
    const driver = new Driver({ limits: { pipelinedCount: 64 } });
    const seen: string[] = [];
    const connections: Connection[] = [];
    const batch = Array.from({ length: 60 }, (_, i) => GET.replace("/", `/${i}`)).join("");
    let taken = batch.length;
    // Each connection leaves 60 events; the ring is full after some 130 of them.
    while (taken === batch.length) {
      const connection = driver.open();
      connections.push(connection);
      taken = receive(driver, connection, batch);
      expect(taken).toBeGreaterThanOrEqual(0);
      expect(connections.length).toBeLessThan(1000);
    }
    const last = connections.at(-1);
    expect(receive(driver, last, batch.slice(taken))).toBe(0);
    driver.engine.readEvents(driver);
    for (const connection of connections.slice(0, -1)) expect(connection.messages).toHaveLength(60);
    while (taken < batch.length) {
      taken += receive(driver, last, batch.slice(taken));
      driver.engine.readEvents(driver);
    }
    for (const message of last.messages) seen.push(message.target);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => `/${i}`));
  });

  test("a head in pieces is not lost when the ring fills up in the middle of it", () => {
    const driver = new Driver();
    const partial = driver.open();
    driver.feed(partial, "GET /half");
    fill(driver);
    expect(receive(driver, partial, " HTTP/1.1\r\nhost: a\r\n\r\n")).toBe(0);
    driver.engine.readEvents(driver);
    driver.feed(partial, " HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(partial.messages.map(({ target }) => target)).toEqual(["/half"]);
  });

  test("held requests go on at the next timeout when there was no room to tell them", () => {
    const driver = new Driver({ limits: { pipelinedCount: 1 } });
    const connection = driver.open();
    driver.feed(connection, GET + GET.replace("/", "/2"));
    fill(driver);
    driver.engine.respond(connection.messages[0]!.exchange, 204, [], "", SendFlag.RELEASE);
    expect(driver.engine.doors.pollDeadline()).toBeLessThanOrEqual(driver.now);
    // Called although there is still no room, it returns.
    driver.engine.doors.handleTimeout(driver.now);
    driver.engine.readEvents(driver);
    driver.advance(0);
    expect(connection.messages.map(({ target }) => target)).toEqual(["/", "/2"]);
    expect(connection.isPaused).toBe(false);
  });

  test("the end of a peer waits for room", () => {
    const driver = new Driver();
    const connection = driver.open();
    driver.feed(connection, GET);
    fill(driver);
    expect(driver.engine.doors.receiveEnd(connection.handle, driver.now)).toBe(Status.WOULD_BLOCK);
    driver.engine.readEvents(driver);
    driver.endPeer(connection);
    expect(connection.events.at(-1)).toBe("peer ended");
  });

  test("deadlines that pass while it is full are told later, none is lost", () => {
    const driver = new Driver({ limits: { connectionCount: 20_000 } });
    const connections = Array.from({ length: 9000 }, () => driver.open());
    driver.now += 10_000;
    driver.engine.doors.handleTimeout(driver.now);
    expect(driver.engine.doors.pollDeadline()).toBeLessThanOrEqual(driver.now);
    driver.engine.readEvents(driver);
    driver.engine.doors.handleTimeout(driver.now);
    driver.engine.readEvents(driver);
    expect(connections.filter(({ closedBy }) => closedBy !== Status.HEAD_TIMEOUT)).toEqual([]);
  });

  /** Fills the ring with requests of other connections, as far as receive goes. */
  function fill(driver: Driver): void {
    const small = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for (;;) {
      const connection = driver.open();
      if (receive(driver, connection, small) < small.length) return;
    }
  }
});

describe("memory", () => {
  /** Blocks of memory until less than `bytes` of it are left; connections and exchanges still have room in their tables. */
  function occupy(driver: Driver, left: number): Connection[] {
    const held: Connection[] = [];
    const head = `GET / HTTP/1.1\r\nhost: a\r\nx: ${"v".repeat(20_000)}\r\n\r\n`;
    for (;;) {
      const handle = driver.engine.doors.openConnection(1, 0, 0, driver.now);
      if (handle < 0) break;
      driver.engine.doors.closeConnection(handle);
      const connection = driver.open();
      held.push(connection);
      driver.feed(connection, head);
      if (connection.closedBy !== null || held.length > 10_000) break;
    }
    // The last ones make room again, a little more each time.
    for (let freed = 0; freed < left && held.length > 0; freed += 24_576) driver.hangUp(held.pop()!);
    return held;
  }

  const scripts: [string, (driver: Driver, connection: Connection) => number | void][] = [
    [
      "a head in pieces",
      (d, c) =>
        [...`GET / HTTP/1.1\r\nhost: a\r\nx: ${"v".repeat(3000)}\r\n\r\n`].forEach(
          (b) => open(d, c) && d.feed(c, b),
        ),
    ],
    ["a request", (d, c) => d.feed(c, `GET / HTTP/1.1\r\nhost: a\r\nx: ${"v".repeat(8000)}\r\n\r\n`)],
    ["a pipeline that is held", (d, c) => d.feed(c, GET.repeat(2000))],
    [
      "trailers",
      (d, c) =>
        d.feed(
          c,
          `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ${"v".repeat(5000)}\r\n\r\n`,
        ),
    ],
    [
      "an answer behind others",
      (d, c) => {
        d.feed(c, GET + GET);
        const second = c.messages[1];
        if (second === undefined) return;
        return d.engine.respond(second.exchange, 200, [], Buffer.alloc(12_000), 0);
      },
    ],
    [
      "a large answer to a peer that does not read",
      (d, c) => {
        d.feed(c, GET);
        c.isBlocked = true;
        const message = c.messages[0];
        if (message === undefined) return;
        d.engine.sendHead(message.exchange, 200, [], -1, 0);
        let status = 0;
        for (let i = 0; i < 10 && status >= 0; i++) {
          status = d.engine.sendBody(message.exchange, Buffer.alloc(100_000), 0);
        }
        return status;
      },
    ],
    [
      "an answer that makes way for another connection's",
      (d, c) => {
        d.feed(c, GET);
        const message = c.messages[0];
        if (message === undefined) return;
        d.engine.respond(message.exchange, 200, [], Buffer.alloc(100_000), 0);
        const handle = d.engine.doors.openConnection(1, 0, 0, d.now);
        if (handle > 0) {
          d.engine.receiveBuffer.set(Buffer.from("bad\r\n"));
          d.engine.doors.receive(handle, 0, 5, d.now);
          d.engine.doors.closeConnection(handle);
        }
      },
    ],
    [
      "a client's response",
      (d) => {
        const handle = d.engine.doors.openConnection(1, 1, 0, d.now);
        if (handle < 0) return;
        d.engine.doors.closeConnection(handle);
        const c = d.open(1);
        d.ask(c, { method: "GET", target: `/${"t".repeat(4000)}` });
        d.feed(
          c,
          `HTTP/1.1 103 Hi\r\nx: ${"v".repeat(3000)}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: ${"v".repeat(8000)}\r\n\r\n`,
        );
        d.settle(c);
        d.hangUp(c);
      },
    ],
  ];

  function open(driver: Driver, connection: Connection): boolean {
    return driver.connections.has(connection.handle) && connection.closedBy === null;
  }

  test.each(scripts)(
    "nearly full: %s is served, or refused with 503 or a status, and never traps",
    (_name, script) => {
      let refusals = 0;
      for (let left = 0; left <= 140_000; left += 4096) {
        const driver = new Driver({
          memoryBytes: 2_600_000,
          limits: { connectionCount: 1000, exchangeCount: 1000 },
        });
        const held = occupy(driver, left);
        const before = driver.counter("pool_refusals");
        const handle = driver.engine.doors.openConnection(1, 0, 0, driver.now);
        if (handle < 0) {
          expect(handle).toBe(Status.CONNECTIONS_FULL);
        } else {
          driver.engine.doors.closeConnection(handle);
          const connection = driver.open();
          const status = script(driver, connection) ?? 0;
          if (status < 0) refusals++;
          if (status < 0) expect([Status.MEMORY_FULL, Status.INVALID_HANDLE]).toContain(status);
          driver.settle(connection);
          if (connection.closedBy !== null && !connection.isAborted) {
            expect([Status.EXCHANGES_FULL, Status.MEMORY_FULL]).toContain(connection.closedBy);
            const codes = readResponses(connection.sentText).map(({ statusCode }) => statusCode);
            expect(codes.filter((code) => code !== 503 && code !== 200)).toEqual([]);
          }
          driver.hangUp(connection);
        }
        refusals += driver.counter("pool_refusals") - before;
        for (const connection of held) driver.hangUp(connection);
        expect(driver.memoryInUse()).toBe(0);
        expect(driver.counter("exchanges_open")).toBe(0);
        expect(driver.counter("connections_open")).toBe(0);
      }
      // Otherwise nothing was nearly full.
      expect(refusals).toBeGreaterThan(0);
    },
  );

  test("an instance too small for its limits says so at the start", () => {
    expect(() => new Driver({ memoryBytes: 1_000_000 })).toThrow("the memory of the instance is full");
  });
});
