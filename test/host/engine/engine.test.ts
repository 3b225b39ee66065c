// The wrapper of one instance: regions, fields, handles, heads, counters. The protocol itself is tested in test/wire/.

import { beforeEach, describe, expect, test } from "vitest";
import { Protocol, Role, SendFlag } from "../../../assembly/abi/message.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { Engine } from "../../../host/engine/engine.ts";
import { EngineError } from "../../../host/engine/engine_error.ts";
import { Driver, engineModule } from "../../wire/driver.ts";
import type { Connection, Message } from "../../wire/driver.ts";
import { readResponses } from "../../wire/responses.ts";

let driver: Driver;
let connection: Connection;

beforeEach(() => {
  driver = new Driver();
  connection = driver.open();
});

function ask(bytes = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"): Message {
  driver.feed(connection, bytes);
  return connection.messages.at(-1);
}

describe("an instance", () => {
  test("can be made from a module many times", () => {
    const engines = Array.from({ length: 5 }, () =>
      Engine.create(engineModule(), { memoryBytes: 8 << 20, now: 0 }),
    );
    const handles = engines.map(({ doors }) => doors.openConnection(Protocol.HTTP_1, Role.SERVER, 0, 0));
    expect(new Set(handles).size).toBe(1);
  });

  test("is initialized once", () => {
    expect(driver.engine.doors.initialize(0)).toBe(Status.INVALID_STATE);
  });

  test("takes entropy of the right length only", () => {
    expect(() => driver.engine.addEntropy(new Uint8Array(31))).toThrow("entropy has 31 bytes; it must be 32");
    driver.engine.addEntropy(new Uint8Array(32));
    driver.engine.addEntropy();
  });

  test.each([NaN, -1, 1e300, Infinity])("refuses the date %d", (epochMs) => {
    expect(driver.engine.doors.setDate(epochMs)).toBe(Status.INVALID_ARGUMENT);
  });

  test("before it is initialized, opens nothing", () => {
    const { exports } = new WebAssembly.Instance(engineModule());
    const doors = exports as unknown as Record<string, (...args: number[]) => number>;
    expect(doors.openConnection!(1, 0, 0, 0)).toBe(Status.NOT_INITIALIZED);
    expect(doors.handleTimeout!(0)).toBe(Status.NOT_INITIALIZED);
    expect(doors.addEntropy!()).toBe(Status.NOT_INITIALIZED);
    expect(doors.initialize!(0)).toBe(Status.INVALID_STATE);
    for (const door of ["receiveEnd", "pollTransmit", "closeConnection", "releaseExchange", "readBody"]) {
      expect(doors[door]!(1, 0, 0), door).toBe(Status.INVALID_HANDLE);
    }
  });
});

describe("handles", () => {
  test("of closed connections are stale at every door, and the next connection has another", () => {
    const { doors } = driver.engine;
    const { handle } = connection;
    driver.hangUp(connection);
    const next = driver.open();
    expect(next.handle).not.toBe(handle);
    expect(doors.receive(handle, 0, 0, 0)).toBe(Status.INVALID_HANDLE);
    expect(doors.receiveEnd(handle, 0)).toBe(Status.INVALID_HANDLE);
    expect(doors.pollTransmit(handle)).toBe(Status.INVALID_HANDLE);
    expect(doors.transmitBlocked(handle, 0)).toBe(Status.INVALID_HANDLE);
    expect(doors.transmitDrained(handle, 0)).toBe(Status.INVALID_HANDLE);
    expect(doors.drainConnection(handle, 0)).toBe(Status.INVALID_HANDLE);
    expect(doors.closeConnection(handle)).toBe(Status.INVALID_HANDLE);
    expect(driver.counter("host_errors")).toBe(7);
  });

  test("of released exchanges are stale at every door, and never the next exchange's", () => {
    const { engine } = driver;
    const first = ask();
    driver.answer(first, 200, "", SendFlag.RELEASE);
    const second = ask();
    expect(second.exchange).not.toBe(first.exchange);
    const { exchange } = first;
    expect(engine.respond(exchange, 200, [], "x", 0)).toBe(Status.INVALID_HANDLE);
    expect(engine.sendHead(exchange, 200, [], 0, 0)).toBe(Status.INVALID_HANDLE);
    expect(engine.sendBody(exchange, new Uint8Array(1), 0)).toBe(Status.INVALID_HANDLE);
    expect(engine.sendTrailers(exchange, [])).toBe(Status.INVALID_HANDLE);
    expect(engine.sendInformational(exchange, 103, [])).toBe(Status.INVALID_HANDLE);
    expect(engine.doors.frameBody(exchange, 1)).toBe(Status.INVALID_HANDLE);
    expect(engine.doors.readBody(exchange, 0, 0)).toBe(Status.INVALID_HANDLE);
    expect(engine.doors.releaseExchange(exchange)).toBe(Status.INVALID_HANDLE);
    driver.answer(second, 200, "second");
    driver.settle(connection);
    expect(readResponses(connection.sentText).map(({ body }) => body)).toEqual(["", "second"]);
  });

  test("stay apart through thousands of uses of one slot", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      const message = ask();
      expect(seen.has(message.exchange)).toBe(false);
      seen.add(message.exchange);
      driver.answer(message, 204, "", SendFlag.RELEASE);
    }
  });

  test("of an exchange whose connection is gone can only be released, and its head is there until then", () => {
    const message = ask("GET /still HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n");
    driver.engine.doors.closeConnection(connection.handle);
    expect(driver.answer(message, 200, "")).toBe(Status.INVALID_HANDLE);
    expect(message.head.target).toBe("/still");
    expect(message.head.field("x")).toBe("y");
    expect(driver.counter("exchanges_open")).toBe(1);
    expect(driver.engine.doors.releaseExchange(message.exchange)).toBe(Status.OK);
    expect(driver.counter("exchanges_open")).toBe(0);
  });

  test.each([0, -1, 1, 0x7fffffff, 0xffffffff, 1 << 20, 3.7, NaN])("made up as %d are nobody's", (handle) => {
    driver.hangUp(connection);
    expect(driver.engine.doors.pollTransmit(handle)).toBe(Status.INVALID_HANDLE);
    expect(driver.engine.doors.releaseExchange(handle)).toBe(Status.INVALID_HANDLE);
  });
});

describe("pointers", () => {
  test("outside of the command and pinned regions are refused", () => {
    const { exchange } = ask();
    const { doors } = driver.engine;
    const region = driver.engine.pin([["x", "y"]]);
    const outside = [0, 100, region.ptr - 1_000_000, region.ptr + 10_000_000, 0xffffffff];
    for (const ptr of outside) {
      expect(doors.respond(exchange, 200, ptr, 8, region.ptr, 0, 0), `${ptr}`).toBe(Status.OUT_OF_BOUNDS);
      expect(doors.sendBody(exchange, ptr, 1, 0)).toBe(Status.OUT_OF_BOUNDS);
      expect(doors.sendTrailers(exchange, ptr, 1)).toBe(Status.OUT_OF_BOUNDS);
    }
    expect(doors.respond(exchange, 200, region.ptr, 0xffffffff, region.ptr, 0, 0)).toBe(Status.OUT_OF_BOUNDS);
    const { length } = driver.engine.receiveBuffer;
    expect(doors.receive(connection.handle, length, 1, 0)).toBe(Status.OUT_OF_BOUNDS);
    expect(doors.receive(connection.handle, 1, 0xffffffff, 0)).toBe(Status.OUT_OF_BOUNDS);
  });

  test("to a field block that ends early are refused at every length", () => {
    const { exchange } = ask();
    const { doors } = driver.engine;
    const block = driver.engine.pin([
      ["content-type", "text/plain"],
      ["x-own", "value"],
    ]);
    const boundaries = new Set([0, 8 + "text/plain".length, block.len]);
    for (let len = 0; len <= block.len; len++) {
      if (boundaries.has(len)) continue;
      expect(doors.sendInformational(exchange, 103, block.ptr, len), `${len}`).toBe(Status.OUT_OF_BOUNDS);
    }
    expect(doors.sendInformational(exchange, 103, block.ptr, block.len)).toBe(0);
  });
});

describe("fields and bodies", () => {
  test("arrive as they were given, with and without a number", () => {
    const message = ask();
    const fields: [string, string][] = [
      ["content-type", "text/plain"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-own", "caf\xe9"],
      ["x-empty", ""],
      [`x-${"n".repeat(200)}`, "v".repeat(5000)],
    ];
    expect(driver.engine.respond(message.exchange, 200, fields, "h\xe9llo", 0)).toBe(0);
    driver.settle(connection);
    const [response] = readResponses(connection.sentText);
    expect(response!.fields.slice(0, fields.length)).toEqual(fields);
    expect(Buffer.from(response!.body, "latin1").toString()).toBe("h\xe9llo");
  });

  test("pinned fields are sent again and again, and the region has an end", () => {
    const { engine } = driver;
    const before = engine.pinnedRoom;
    const pinned = engine.pin([["content-type", "text/html"]]);
    expect(engine.pinnedRoom).toBe(before - pinned.len);
    for (let i = 0; i < 3; i++) engine.respondText(ask().exchange, 200, pinned, "<p>", SendFlag.RELEASE);
    driver.settle(connection);
    for (const response of readResponses(connection.sentText)) {
      expect(response.fields).toContainEqual(["content-type", "text/html"]);
    }
    expect(() => engine.pin([["x", "v".repeat(before)]])).toThrow(EngineError);
    expect(engine.pinnedRoom).toBe(before - pinned.len);
  });

  test("a body says how much of it was not taken", () => {
    const own = new Driver({ limits: { outputBytes: 16_384 } });
    const peer = own.open();
    own.feed(peer, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    const { exchange } = peer.messages[0]!;
    peer.isBlocked = true;
    const rest = own.engine.respond(exchange, 200, [], Buffer.alloc(20_000), 0);
    expect(rest).toBeGreaterThan(3600);
    expect(rest).toBeLessThan(4000);
  });

  test("what does not fit into one command is refused or taken in part", () => {
    const { engine } = driver;
    const { exchange } = ask();
    expect(engine.bodyFits(196_608)).toBe(true);
    expect(engine.bodyFits(196_609)).toBe(false);
    expect(engine.respond(exchange, 200, [], new Uint8Array(300_000), 0)).toBe(Status.OUT_OF_BOUNDS);
    engine.sendHead(exchange, 200, [], 300_000, 0);
    expect(engine.sendBody(exchange, new Uint8Array(300_000), SendFlag.END)).toBe(262_144);
    expect(engine.sendBody(exchange, new Uint8Array(300_000 - 262_144), SendFlag.END)).toBe(
      300_000 - 262_144,
    );
  });
});

describe("a received head", () => {
  test("answers for its fields by name", () => {
    const { head } = ask(
      "POST /p?q HTTP/1.1\r\nHost: example.org\r\nCookie: a=1\r\ncookie: b=2\r\nX: 1\r\nx: 2\r\n" +
        "X-Long-Name-Without-A-Number-Of-Its-Own: v\r\ncontent-length: 5\r\n\r\n",
    );
    expect([head.method, head.target, head.authority, head.protocol]).toEqual([
      "POST",
      "/p?q",
      "example.org",
      "http/1.1",
    ]);
    expect(head.contentLength).toBe(5);
    expect(head.hasBody).toBe(true);
    expect(head.field("cookie")).toBe("a=1; b=2");
    expect(head.field("x")).toBe("1, 2");
    expect(head.field("x-long-name-without-a-number-of-its-own")).toBe("v");
    expect(head.field("x-none")).toBeUndefined();
    expect(head.field("accept")).toBeUndefined();
    expect(head.field("__proto__")).toBeUndefined();
    expect(head.fields().map(([name]) => name)).toContain("x");
  });

  test("is empty once it was released", () => {
    const message = ask();
    message.head.release();
    expect([message.head.target, message.head.fields(), message.head.field("host")]).toEqual([
      "",
      [],
      undefined,
    ]);
  });

  test("has lengths beyond 32 bits, and none when it is not known", () => {
    expect(
      ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9007199254740991\r\n\r\n").head.contentLength,
    ).toBe(Number.MAX_SAFE_INTEGER);
    connection = driver.open();
    expect(ask("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").head.contentLength).toBe(
      -1,
    );
  });
});

test("counters count", () => {
  driver.answer(ask(), 200, "hello", SendFlag.RELEASE);
  driver.settle(connection);
  expect(driver.counter("connections_h1")).toBe(1);
  expect(driver.counter("connections_open")).toBe(1);
  expect(driver.counter("exchanges_h1")).toBe(1);
  expect(driver.counter("exchanges_open")).toBe(0);
  expect(driver.counter("bytes_received")).toBe(27);
  expect(driver.counter("bytes_sent")).toBe(connection.sent.length);
});

test("a trap leaves through the call that met it", () => {
  const broken = Engine.create(engineModule("engine.debug"), { memoryBytes: 8 << 20, now: 0 });
  expect(() => broken.doors.debugTrap!()).toThrow(WebAssembly.RuntimeError);
  expect(driver.engine.doors.debugTrap).toBeUndefined();
});
