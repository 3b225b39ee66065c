// Every attack on HTTP/2 that the limits are for (assembly/abi/limit.ts): the offender's connection ends with the right code, the limit
// is counted by its name, nothing is left over, and another connection of the same instance is served.

import { afterEach, describe, expect, test } from "vitest";
import { Status } from "../../assembly/abi/status.ts";
import type { LimitName } from "../../host/engine/limits.ts";
import type { Handler } from "./driver.ts";
import {
  block,
  data,
  Flag,
  frame,
  FrameType,
  GET,
  headers,
  ping,
  POST,
  PREFACE,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from "./h2_frames.ts";
import type { Fields } from "./h2_frames.ts";
import { H2Server } from "./h2_server.ts";

const CALM = "ENHANCE_YOUR_CALM";
const SECOND_MS = 1000;
const silent: Handler = {};

let server: H2Server | null = null;

function start(...options: ConstructorParameters<typeof H2Server>): H2Server {
  server = new H2Server(...options);
  return server;
}

/** What is true after every attack. */
afterEach(() => {
  const { driver, connection } = server as H2Server;
  driver.handler = { request: (message) => void driver.answer(message, 200, "ok") };
  const other = driver.open();
  driver.feed(other, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  expect(other.sentText).toMatch(/^HTTP\/1\.1 200/u);
  driver.hangUp(other);
  driver.hangUp(connection);
  expect(driver.counter("exchanges_open")).toBe(0);
  expect(driver.memoryInUse()).toBe(0);
});

function expectGoaway(of: H2Server, code: string, limit?: LimitName): void {
  expect(of.lines().filter((line) => line.startsWith("GOAWAY"))).toEqual([
    expect.stringMatching(new RegExp(`^GOAWAY \\d+ ${code}$`, "u")) as string,
  ]);
  expect(of.connection.closedBy).not.toBeNull();
  if (limit !== undefined) expect(of.driver.limitHits(limit)).toBeGreaterThan(0);
}

const ids = (count: number, first = 1): number[] =>
  Array.from({ length: count }, (_, index) => first + index * 2);
const repeat = (count: number, bytes: Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes));

describe("concurrent streams", () => {
  test("are refused beyond streamCount, and the others are served", () => {
    const at = start({ handler: silent });
    at.feed(...ids(101).map((id) => headers(id)));
    expect(at.lines()).toEqual(["RST_STREAM 201 REFUSED_STREAM"]);
    expect(at.driver.limitHits("streamCount")).toBe(1);
    for (const message of at.connection.messages) at.driver.answer(message, 200, "ok");
    at.driver.settle(at.connection);
    expect(at.lines().filter((line) => line.endsWith("END"))).toHaveLength(100);
  });

  test("count until their handlers end, however often they are reset (CVE-2023-44487)", () => {
    const at = start({ handler: silent, limits: { resetBurst: 1000 } });
    at.feed(...ids(100).flatMap((id) => [headers(id), rstStream(id)]));
    at.feed(headers(201));
    expect(at.lines()).toEqual(["RST_STREAM 201 REFUSED_STREAM"]);
    at.driver.release(at.message(0));
    at.feed(headers(203));
    expect(at.connection.messages).toHaveLength(101);
  });
});

describe("resets", () => {
  test("by the peer end the connection once the budget is spent (CVE-2023-44487)", () => {
    const at = start({ handler: { request: (message, driver) => driver.release(message) } });
    at.feed(...ids(201).flatMap((id) => [headers(id), rstStream(id)]));
    expectGoaway(at, CALM, "resetBurst");
  });

  const provoked: [string, (id: number) => Buffer[]][] = [
    ["a window update of nothing", (id) => [headers(id, POST, 0), windowUpdate(id, 0)]],
    ["a window that overflows", (id) => [headers(id, POST, 0), windowUpdate(id, 0x7fffffff)]],
    [
      "PRIORITY of the wrong length",
      (id) => [headers(id, POST, 0), frame(FrameType.PRIORITY, 0, id, Buffer.alloc(4))],
    ],
    [
      "PRIORITY on itself",
      (id) => [
        headers(id, POST, 0),
        frame(FrameType.PRIORITY, 0, id, Buffer.concat([uint32(id), Buffer.from([1])])),
      ],
    ],
    ["HEADERS after END_STREAM", (id) => [headers(id), headers(id, [["x", "y"]])]],
    ["DATA after END_STREAM", (id) => [headers(id), data(id, "x")]],
    ["a malformed head", (id) => [headers(id, [["x", "y"]])]],
    [
      "more content than declared",
      (id) => [headers(id, [...POST, ["content-length", "1"]], 0), data(id, "xy")],
    ],
  ];
  test.each(provoked)("provoked by %s are in the same budget (CVE-2025-8671)", (_, attack) => {
    const at = start({ handler: silent, limits: { streamCount: 1000 } });
    for (const id of ids(200)) at.feed(...attack(id));
    expect(at.connection.closedBy).toBeNull();
    at.feed(...attack(401));
    expectGoaway(at, CALM, "resetBurst");
  });

  test("are forgiven with time", () => {
    const at = start({ handler: silent, limits: { streamCount: 1000, idleTimeoutMs: 3_600_000 } });
    for (const id of ids(200)) at.feed(headers(id, [["x", "y"]]));
    for (const id of ids(100, 401)) {
      at.driver.advance(60);
      at.feed(headers(id, [["x", "y"]]));
    }
    expect(at.connection.closedBy).toBeNull();
  });
});

describe("header blocks", () => {
  const begin = frame(FrameType.HEADERS, Flag.END_STREAM, 1, block(GET));
  const more = frame(FrameType.CONTINUATION, 0, 1, block([["x", "y"]]));
  const last = frame(FrameType.CONTINUATION, Flag.END_HEADERS, 1);

  test("may have continuationCount frames and no more (VU#421644)", () => {
    const at = start();
    at.feed(begin, repeat(7, more), last);
    expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 1 END"]);
    const flooded = new H2Server();
    flooded.feed(begin, repeat(9, more));
    expectGoaway(flooded, CALM, "continuationCount");
  });

  test("count empty continuations too", () => {
    const at = start();
    at.feed(begin, repeat(9, frame(FrameType.CONTINUATION, 0, 1)));
    expectGoaway(at, CALM, "continuationCount");
  });

  test("are not kept beyond headerBlockBytes", () => {
    const at = start();
    const large = frame(FrameType.CONTINUATION, 0, 1, Buffer.alloc(16384));
    at.feed(begin, large, large, large, large);
    expectGoaway(at, CALM, "headerBlockBytes");
  });

  test("have to be complete in time", () => {
    const at = start();
    at.feed(begin);
    at.driver.advance(9_000);
    at.feed(more);
    at.driver.advance(1_100);
    expectGoaway(at, "PROTOCOL_ERROR", "headTimeoutMs");
  });

  const many = (count: number, field: readonly [string, string]): Fields => [
    ...GET,
    ...Array.from({ length: count - GET.length }, () => field),
  ];
  test.each([
    ["headerListCount", "fields", many(129, ["x", "y"]), many(128, ["x", "y"])],
    ["headerListCount", "cookie crumbs", many(129, ["cookie", "a=b"]), many(128, ["cookie", "a=b"])],
    [
      "headerListBytes",
      "large values",
      many(5, ["x", "v".repeat(33_000)]),
      many(5, ["x", "v".repeat(16_000)]),
    ],
    [
      "headerListBytes",
      "names and overhead",
      many(100, ["n".repeat(320), ""]),
      many(100, ["n".repeat(250), ""]),
    ],
  ] as [LimitName, string, Fields, Fields][])(
    "beyond %s by %s are answered 431",
    (limit, _, tooMuch, enough) => {
      const at = start();
      const whole = (fields: Fields, id: number): Buffer[] => {
        const bytes = block(fields);
        const frames = [frame(FrameType.HEADERS, Flag.END_STREAM, id, bytes.subarray(0, 16384))];
        for (let from = 16384; from < bytes.length; from += 16384) {
          frames.push(frame(FrameType.CONTINUATION, 0, id, bytes.subarray(from, from + 16384)));
        }
        return [...frames, frame(FrameType.CONTINUATION, Flag.END_HEADERS, id)];
      };
      at.feed(...whole(enough, 1));
      expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 1 END"]);
      at.feed(...whole(tooMuch, 3));
      expect(at.lines()).toEqual(["HEADERS 3 END"]);
      expect(at.driver.limitHits(limit)).toBe(1);
      expect(at.connection.messages).toHaveLength(1);
      at.feed(headers(5));
      expect(at.lines()).toEqual(["HEADERS 5", "DATA 5 1 END"]);
    },
  );

  test("of one-byte references cost no memory and keep the table right (CVE-2026-49975)", () => {
    const at = start();
    const entry = Buffer.concat([Buffer.from([0x40]), block([["x-bomb", "v".repeat(120)]]).subarray(1)]);
    at.feed(frame(FrameType.HEADERS, 5, 1, Buffer.concat([block(GET), entry])));
    at.frames();
    // Index 62 is the newest entry of the dynamic table.
    const bomb = Buffer.concat([block(GET), Buffer.alloc(16_000, 0xbe)]);
    at.feed(frame(FrameType.HEADERS, 5, 3, bomb));
    expect(at.lines()).toEqual(["HEADERS 3 END"]);
    expect(at.driver.memoryInUse()).toBeLessThan(16_384);
    at.feed(frame(FrameType.HEADERS, 5, 5, Buffer.concat([block(GET), Buffer.from([0xbe])])));
    expect(at.message(1).fields).toEqual([["x-bomb", "v".repeat(120)]]);
  });
});

describe("header blocks of little that grow", () => {
  test("by references to one large entry are refused before they are kept (CVE-2016-6581)", () => {
    const at = start();
    const entry = Buffer.concat([Buffer.from([0x40]), block([["x-bomb", "v".repeat(4000)]]).subarray(1)]);
    at.feed(frame(FrameType.HEADERS, 5, 1, Buffer.concat([block(GET), entry])));
    at.frames();
    for (const id of ids(20, 3)) {
      at.feed(frame(FrameType.HEADERS, 5, id, Buffer.concat([block(GET), Buffer.alloc(16_000, 0xbe)])));
      expect(at.lines()).toEqual([`HEADERS ${id} END`]);
      expect(at.driver.memoryInUse()).toBeLessThan(16_384);
    }
    expect(at.driver.limitHits("headerListBytes")).toBe(20);
    at.feed(frame(FrameType.HEADERS, 5, 43, Buffer.concat([block(GET), Buffer.from([0xbe])])));
    expect(at.message(1).fields).toEqual([["x-bomb", "v".repeat(4000)]]);
  });

  test.each([
    ["empty names", ["", "x"], 100, "RST_STREAM 1 PROTOCOL_ERROR"],
    ["empty names and values", ["", ""], 100, "RST_STREAM 1 PROTOCOL_ERROR"],
    ["empty names beyond headerListCount", ["", ""], 4000, "HEADERS 1 END"],
    ["empty values beyond headerListCount", ["x", ""], 4000, "HEADERS 1 END"],
  ] as [string, [string, string], number, string][])(
    "by %s are refused, and nothing of them stays (CVE-2019-9516)",
    (_, field, count, answer) => {
      const at = start();
      at.feed(headers(1, [...GET, ...Array.from({ length: count }, () => field)]));
      expect(at.lines()).toEqual([answer]);
      expect(at.connection.messages).toEqual([]);
      expect(at.driver.memoryInUse()).toBeLessThan(8192);
    },
  );
});

describe("floods", () => {
  test("of requests that have to be reset end the connection though nobody reads the resets (CVE-2019-9514)", () => {
    const at = start();
    at.block(true);
    for (const id of ids(200)) at.feed(headers(id, [["x", "y"]]));
    expect(at.connection.isAborted).toBe(false);
    const before = at.driver.memoryInUse();
    at.feed(headers(401, [["x", "y"]]));
    at.driver.advance(SECOND_MS);
    expect(at.connection.isAborted).toBe(true);
    expect(at.driver.limitHits("resetBurst")).toBe(1);
    expect(before).toBeLessThan(16_384);
  });

  test.each([
    ["pings (CVE-2019-9512)", ping()],
    ["settings (CVE-2019-9515)", settings()],
  ])("of %s end the connection when their answers are not read", (_, bytes) => {
    const at = start();
    at.block(true);
    at.feed(repeat(100, bytes));
    expect(at.connection.closedBy).toBeNull();
    at.feed(bytes);
    at.driver.advance(SECOND_MS);
    expect(at.connection.isAborted).toBe(true);
    expect(at.driver.limitHits("queuedReplyCount")).toBe(1);
  });

  test("of pings whose answers are read go on", () => {
    const at = start();
    for (let i = 0; i < 500; i++) at.feed(ping());
    expect(at.frames()).toHaveLength(500);
  });

  test.each([
    ["DATA", data(1, "")],
    ["padding alone", data(1, Buffer.from([2, 0, 0]), Flag.PADDED)],
  ])("of empty %s end the connection (CVE-2019-9518)", (_, bytes) => {
    const at = start({ handler: silent });
    at.feed(headers(1, POST, 0), repeat(100, bytes));
    at.driver.advance(SECOND_MS);
    at.feed(repeat(100, bytes));
    expect(at.connection.closedBy).toBeNull();
    at.feed(bytes);
    expectGoaway(at, CALM, "emptyFramesPerS");
  });

  test.each([
    ["window updates on the connection (CVE-2019-9511)", windowUpdate(0, 1)],
    ["window updates on a stream", windowUpdate(1, 1)],
    ["PRIORITY (CVE-2019-9513)", frame(FrameType.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 3, 7]))],
    [
      "PRIORITY_UPDATE",
      frame(FrameType.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(1), Buffer.from("u=1")])),
    ],
    ["unknown frames", frame(0x77, 0, 1)],
  ])("of %s end the connection", (_, bytes) => {
    const at = start({ handler: silent });
    at.feed(headers(1, POST, 0));
    at.feed(repeat(1000, bytes));
    expect(at.connection.closedBy).toBeNull();
    at.feed(repeat(10, bytes));
    expectGoaway(at, CALM, "controlFramesPerS");
  });
});

describe("a peer that does not take what it asked for", () => {
  /** Offers content to every request as long as it is taken; answers how much was. */
  const streaming = (): { handler: Handler; taken: () => number } => {
    let taken = 0;
    const piece = new Uint8Array(65_536);
    return {
      taken: () => taken,
      handler: {
        request(message, driver) {
          driver.engine.sendHead(message.exchange, 200, [], -1, 0);
          for (let sent = 1; sent > 0; taken += sent)
            sent = driver.engine.sendBody(message.exchange, piece, 0);
        },
      },
    };
  };

  test("holds no more than outputBytes of a connection, and streamOutputBytes of a stream (CVE-2019-9517)", () => {
    const { handler, taken } = streaming();
    const at = start({ handler, clientSettings: [[4, 0]] });
    at.feed(headers(1));
    expect(taken()).toBe(262_144);
    at.feed(...ids(30, 3).map((id) => headers(id)));
    expect(taken()).toBeLessThanOrEqual(1_048_576);
    expect(taken()).toBeGreaterThan(900_000);
    expect(at.driver.memoryInUse()).toBeLessThan(1_300_000);
  });

  test("loses its stream when the window stays closed (CVE-2019-9511)", () => {
    const at = start({ handler: streaming().handler, clientSettings: [[4, 0]] });
    at.feed(headers(1), headers(3));
    at.driver.advance(29_000);
    expect(at.lines()).toEqual(["HEADERS 1", "HEADERS 3"]);
    at.feed(windowUpdate(3, 20_000));
    at.driver.advance(1_500);
    at.driver.advance(SECOND_MS);
    expect(at.lines().filter((line) => line.startsWith("RST"))).toEqual([`RST_STREAM 1 ${CALM}`]);
    expect(at.driver.limitHits("stallTimeoutMs")).toBe(1);
    expect(at.message(0).abortedBy).toBe(Status.H2_STALLED);
  });

  test("loses its stream when it lets through a byte now and then", () => {
    const at = start({ handler: streaming().handler, clientSettings: [[4, 0]] });
    at.feed(headers(1));
    for (let second = 0; second < 31; second++) {
      at.feed(windowUpdate(1, 1));
      at.driver.advance(SECOND_MS);
    }
    expect(at.lines().at(-1)).toBe(`RST_STREAM 1 ${CALM}`);
  });

  test("loses its connection when that window stays closed", () => {
    const at = start({ handler: streaming().handler });
    at.feed(headers(1));
    at.driver.advance(31_000);
    expectGoaway(at, CALM, "stallTimeoutMs");
  });

  test("loses its connection when its socket takes nothing", () => {
    const at = start({ handler: streaming().handler });
    at.feed(headers(1));
    at.block(true);
    at.driver.advance(30_000);
    expect(at.connection.isAborted).toBe(true);
    expect(at.driver.limitHits("writeTimeoutMs")).toBe(1);
  });
});

describe("deadlines", () => {
  test("end a connection that does not begin with a preface", () => {
    const at = start();
    const { driver } = at;
    const late = driver.open(0, 0, 2);
    driver.feed(late, PREFACE.subarray(0, 10));
    driver.advance(10_000);
    expect(late.closedBy).toBe(Status.HEAD_TIMEOUT);
    driver.hangUp(late);
  });

  test("end a connection that does not acknowledge settings", () => {
    const at = start();
    const { driver } = at;
    const late = driver.open(0, 0, 2);
    driver.feed(late, Buffer.concat([PREFACE, settings()]));
    driver.advance(10_000);
    expect(late.closedBy).toBe(Status.H2_SETTINGS_TIMEOUT);
    expect(driver.limitHits("settingsTimeoutMs")).toBe(1);
    driver.hangUp(late);
  });

  test("end an idle connection without blame", () => {
    const at = start();
    at.driver.advance(60_000);
    expectGoaway(at, "NO_ERROR", "idleTimeoutMs");
  });

  test("do not end a connection whose handler takes its time, while the peer answers pings", () => {
    const at = start({ handler: silent });
    at.feed(headers(1));
    for (let i = 0; i < 10; i++) {
      at.driver.advance(30_000);
      for (const { type, payload } of at.frames()) {
        if (type === FrameType.PING) at.feed(frame(FrameType.PING, Flag.ACK, 0, payload));
      }
    }
    expect(at.connection.closedBy).toBeNull();
    at.driver.advance(60_000);
    expect(at.connection.closedBy).toBe(Status.H2_PING_TIMEOUT);
    expect(at.driver.limitHits("pingTimeoutMs")).toBe(1);
  });

  test("reset a stream whose content comes too slowly, and leave the others", () => {
    const at = start({ handler: silent });
    at.feed(headers(1, POST, 0), headers(3, POST, 0));
    for (let second = 0; second < 62; second++) {
      at.driver.advance(SECOND_MS);
      at.feed(data(1, "x"), data(3, Buffer.alloc(300)));
    }
    expect(at.lines().filter((line) => line.startsWith("RST"))).toEqual(["RST_STREAM 1 CANCEL"]);
    expect(at.message(0).abortedBy).toBe(Status.BODY_TIMEOUT);
  });

  test("give each stream its own window for its content, whatever the others wait for", () => {
    const at = start({ handler: silent });
    at.feed(headers(1, POST, 0));
    at.driver.advance(7 * SECOND_MS);
    at.feed(headers(3, POST, 0));
    for (let second = 1; second < 30; second++) {
      at.driver.advance(SECOND_MS);
      at.feed(data(1, Buffer.alloc(400)), data(3, "x"));
    }
    at.driver.advance(SECOND_MS - 1);
    expect(at.message(1).abortedBy).toBeNull();
    at.driver.advance(1);
    expect(at.message(1).abortedBy).toBe(Status.BODY_TIMEOUT);
    expect(at.message(0).abortedBy).toBeNull();
  });

  test("give content all of its time from where the handler lets it come", () => {
    const limits = { streamWindowBytes: 65_535, pingIntervalMs: 3_600_000 };
    const at = start({ handler: silent, isReading: false, limits });
    at.feed(headers(1, POST, 0));
    at.feed(...Array.from({ length: 3 }, () => data(1, Buffer.alloc(16_384))), data(1, Buffer.alloc(16_383)));
    at.driver.advance(59 * SECOND_MS);
    at.driver.engine.doors.readBody(at.message(0).exchange, 65_535, at.driver.now);
    at.driver.advance(30 * SECOND_MS - 1);
    expect(at.message(0).abortedBy).toBeNull();
    at.driver.advance(1);
    expect(at.message(0).abortedBy).toBe(Status.BODY_TIMEOUT);
  });

  test("do not blame a peer whose window the handler leaves closed", () => {
    const at = start({
      handler: silent,
      isReading: false,
      limits: { streamWindowBytes: 65_535, pingIntervalMs: 3_600_000 },
    });
    at.feed(headers(1, POST, 0));
    at.feed(...Array.from({ length: 3 }, () => data(1, Buffer.alloc(16_384))), data(1, Buffer.alloc(16_383)));
    at.driver.advance(120_000);
    expect(at.connection.closedBy).toBeNull();
    expect(at.message(0).abortedBy).toBeNull();
  });

  test("free a connection a second after its GOAWAY, though nobody reads it (CVE-2026-21714)", () => {
    const at = start({ handler: silent });
    at.block(true);
    at.feed(windowUpdate(0, 0x7fffffff));
    at.driver.advance(SECOND_MS);
    expect(at.connection.isAborted).toBe(true);
  });
});

describe("stream identifiers", () => {
  test("that run out drain the connection", () => {
    const at = start({ handler: silent });
    at.feed(headers(0x7fffffff));
    expect(at.lines()[0]).toBe(`GOAWAY ${0x7fffffff} NO_ERROR`);
    at.driver.answer(at.message(0), 200, "ok");
    at.driver.advance(SECOND_MS);
    expect(at.connection.closedBy).toBe(Status.OK);
  });
});
