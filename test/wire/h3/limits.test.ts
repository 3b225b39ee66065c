// What HTTP/3 survives, by the rows of its limits (assembly/abi/limit.ts): slow heads, slow content, readers that stall, frames without
// content, QPACK that plays for time, and priorities that are said on the control stream (RFC 9218 §7.2). The offender is cut with the
// right code, the limit is counted by its name, and the connection, or another one, goes on.

import { beforeAll, describe, expect, test } from "vitest";
import { Role } from "../../../assembly/abi/message.ts";
import type { Handler } from "../driver.ts";
import {
  bytesOf,
  Code,
  data,
  Frame,
  frame,
  type Fields,
  GET,
  headers,
  POST,
  prefixed,
  section,
  settings,
  Stream,
  varint,
} from "./frames.ts";
import { echoing, Pair } from "./pair.ts";
import type { PairOptions, RawStream } from "./pair.ts";

// Where its sources have changed it is compiled, and no test is to wait for that.
beforeAll(() => Pair.module(), 120_000);

const begun = bytesOf(varint(Stream.control), settings());
const HEAD_MS = 10_000;
const WINDOW_MS = 30_000;

async function start(options: PairOptions = {}): Promise<Pair> {
  const pair = await Pair.create({ client: false, handler: echoing, ...options });
  pair.open(true, begun);
  return pair.run();
}

/** Another request of the same connection is answered, and the transport has nothing against the peer. */
function expectAlive(pair: Pair): void {
  pair.driver.handler = echoing;
  const stream = pair.open(false, headers(GET), true);
  pair.run();
  expect(stream.isEnded).toBe(true);
  expect(stream.resetCode).toBe(null);
  expect(pair.errorOf(Role.SERVER)).toBe(null);
}

describe("a head that does not come", () => {
  test("is not waited for longer on a connection that was idle", async () => {
    const pair = await start();
    expectAlive(pair);
    // Longer than it takes until nothing but idleness is waited for.
    pair.advance(3 * HEAD_MS);
    const stream = pair.open(false, headers(GET).subarray(0, 20));
    pair.run().advance(HEAD_MS - 1);
    expect(stream.resetCode).toBe(null);
    pair.advance(1);
    expect(stream.resetCode).toBe(Code.requestCancelled);
  });

  test.each([
    ["not begun", [], 0],
    ["cut in its frame's header", headers(GET).subarray(0, 1), 1],
    ["cut in its section", headers(GET).subarray(0, 20), 1],
  ] as const)("is waited for ten seconds: %s", async (_name, content, hits) => {
    const pair = await start();
    const stream = pair.open(false, content);
    pair.run().advance(HEAD_MS - 100);
    expect(stream.resetCode).toBe(null);
    pair.advance(200);
    // A stream of which nothing came does not exist for the server.
    expect(pair.driver.limitHits("headTimeoutMs")).toBe(hits);
    expect(stream.resetCode).toBe(hits === 0 ? null : Code.requestCancelled);
    expectAlive(pair);
  });

  test("is not waited for longer when it dribbles", async () => {
    const pair = await start();
    const stream = pair.open(false);
    const whole = headers([...GET, ["x", "y".repeat(200)]]);
    for (let at = 0; at < whole.length && stream.resetCode === null; at++) {
      pair.send(stream, whole.subarray(at, at + 1)).run();
      pair.advance(500);
    }
    expect(stream.resetCode).toBe(Code.requestCancelled);
    expect(pair.driver.limitHits("headTimeoutMs")).toBe(1);
    expectAlive(pair);
  });

  test("is not waited for longer when its section is blocked", async () => {
    const pair = await start();
    const stream = pair.open(false, frame(Frame.headers, bytesOf([2, 0], section(GET).subarray(2), [0x80])));
    pair.run().advance(HEAD_MS + 100);
    expect(stream.resetCode).toBe(Code.requestCancelled);
    expectAlive(pair);
  });

  test("is not waited for on a unidirectional stream whose type does not come", async () => {
    const pair = await start();
    const stream = pair.open(true, [0x40]);
    pair.run().advance(HEAD_MS + 100);
    expect(pair.driver.limitHits("headTimeoutMs")).toBe(1);
    // What still comes is nobody's: were it the type of a second control stream, the connection would end.
    pair.send(stream, [0]).run();
    expectAlive(pair);
  });
});

describe("content that comes slowly", () => {
  test.each([
    ["not at all", 0, 1000],
    ["a byte each second", 1, 1000],
    ["less than the least", 200, 1000],
  ])("is cut off: %s", async (_name, size, everyMs) => {
    const pair = await start({ handler: {} });
    // What is waited for on another stream does not decide.
    const other = pair.open(false, headers(POST));
    pair.run().advance(7000);
    const stream = pair.open(false, headers(POST));
    for (let ms = 0; ms < WINDOW_MS; ms += everyMs) {
      expect(stream.resetCode).toBe(null);
      if (size !== 0) pair.send(stream, data(Buffer.alloc(size)));
      pair.send(other, data(Buffer.alloc(400))).run();
      pair.advance(everyMs);
    }
    expect(other.resetCode).toBe(null);
    expect(stream.resetCode).toBe(Code.requestCancelled);
    expect(pair.driver.limitHits("bodyWindowMs")).toBe(1);
    expect(pair.server!.messages[1]!.abortedBy).not.toBe(null);
    pair.driver.release(pair.server!.messages[1]!);
    expectAlive(pair);
  });

  test("has all of its time from where the handler lets it come", async () => {
    const window = 256 * 1024;
    const limits = { quicStreamWindowBytes: window };
    const pair = await start({ handler: {}, isReading: false, limits });
    const stream = pair.open(false, headers(POST));
    const { exchange } = pair.run().server!.messages[0]!;
    // One frame that fills the window, its type and length of four bytes counted.
    const room = window - headers(POST).length - 5;
    const whole = data(Buffer.alloc(room));
    for (let at = 0; at < whole.length; at += 16_384)
      pair.send(stream, whole.subarray(at, at + 16_384)).run();
    pair.advance(2 * WINDOW_MS - 1000);
    expect(stream.resetCode).toBe(null);
    pair.driver.engine.doors.readBody(exchange, room, pair.driver.now);
    pair.run().advance(WINDOW_MS - 1);
    expect(stream.resetCode).toBe(null);
    pair.advance(1);
    expect(stream.resetCode).toBe(Code.requestCancelled);
  });

  test("is waited for from where 100 (Continue) was said", async () => {
    const pair = await start({ handler: {} });
    const stream = pair.open(false, headers([...POST, ["expect", "100-continue"]]));
    pair.run().advance(WINDOW_MS + 5000);
    expect(stream.resetCode).toBe(null);
    pair.driver.engine.doors.readBody(pair.server!.messages[0]!.exchange, 0, pair.driver.now);
    pair.run().advance(WINDOW_MS - 1);
    expect(stream.resetCode).toBe(null);
    pair.advance(1);
    expect(stream.resetCode).toBe(Code.requestCancelled);
  });

  test("is waited for while it keeps the least rate", async () => {
    const pair = await start({ handler: {} });
    const stream = pair.open(false, headers(POST));
    for (let second = 0; second < 90; second++) {
      pair.send(stream, data(Buffer.alloc(300))).run();
      pair.advance(1000);
    }
    expect(stream.resetCode).toBe(null);
    expect(pair.driver.limitHits("bodyWindowMs")).toBe(0);
  });
});

describe("a reader that stalls", () => {
  const piece = Buffer.alloc(50_000, 1);
  /** Sends as much as is taken, and more when there is room. */
  const endless: Handler = {
    complete(message, driver) {
      driver.engine.sendHead(message.exchange, 200, [], -1, 0);
      while (driver.engine.sendBody(message.exchange, piece, 0) === piece.length);
    },
    writable(message, driver) {
      while (driver.engine.sendBody(message.exchange, piece, 0) === piece.length);
    },
  };

  test("costs a bounded amount of memory, and is cut off", async () => {
    const pair = await start({ handler: endless });
    const before = pair.driver.memoryInUse();
    pair.isReading = false;
    const stream = pair.open(false, headers(GET), true);
    pair.run();
    expect(pair.driver.memoryInUse() - before).toBeLessThan(2 << 20);
    pair.advance(2 * WINDOW_MS + 1000);
    pair.isReading = true;
    pair.onRead = () => (pair.isReading = false);
    pair.run();
    pair.onRead = () => undefined;
    pair.isReading = true;
    expect(pair.driver.limitHits("stallTimeoutMs")).toBeGreaterThan(0);
    expect(stream.resetCode).toBe(Code.excessiveLoad);
    pair.driver.release(pair.server!.messages[0]!);
    expectAlive(pair);
  });

  test("is served while it reads the least", async () => {
    const pair = await start({ handler: endless });
    // Once every five seconds.
    pair.onRead = () => (pair.isReading = false);
    const stream = pair.open(false, headers(GET), true);
    for (let second = 0; second < 120; second++) {
      pair.isReading = second % 5 === 0;
      pair.run().advance(1000);
    }
    expect(stream.bytes.length).toBeGreaterThan(20 * 100_000);
    expect(stream.resetCode).toBe(null);
    expect(pair.errorOf(Role.SERVER)).toBe(null);
  });
});

describe("floods", () => {
  test("DATA frames without content end the connection", async () => {
    const pair = await start({ handler: {}, limits: { emptyFramesPerS: 20 } });
    const stream = pair.open(false, bytesOf(headers(POST), ...Array.from({ length: 20 }, () => data(""))));
    pair.run();
    expect(pair.errorOf(Role.SERVER)).toBe(null);
    pair.send(stream, data("")).run();
    expect(pair.errorOf(Role.SERVER)).toBe(Code.excessiveLoad);
    expect(pair.driver.limitHits("emptyFramesPerS")).toBe(1);
  });

  test("PRIORITY_UPDATE without end ends the connection", async () => {
    const pair = await start({ limits: { controlFramesPerS: 50 } });
    const control = pair.open(true, varint(0x21));
    pair.run();
    expect(control.stopCode).not.toBe(null);
    const stream = [...pair.raw.values()].find(({ id }) => id === 2) as RawStream;
    const update = frame(Frame.priorityUpdate, bytesOf(varint(0), Buffer.from("u=1")));
    for (let count = 0; count < 60 && pair.errorOf(Role.SERVER) === null; count++)
      pair.send(stream, update).run();
    expect(pair.errorOf(Role.SERVER)).toBe(Code.excessiveLoad);
    expect(pair.driver.limitHits("controlFramesPerS")).toBe(1);
  });

  test("requests beyond the pool of exchanges are rejected, so that they may be made again", async () => {
    const pair = await start({ handler: {}, limits: { exchangeCount: 4 } });
    const streams = Array.from({ length: 6 }, () => pair.open(false, headers(GET), true));
    pair.run();
    expect(streams.map(({ resetCode }) => resetCode)).toEqual([
      ...Array.from({ length: 4 }, () => null),
      Code.requestRejected,
      Code.requestRejected,
    ]);
    for (const message of pair.server!.messages) {
      pair.driver.answer(message, 200, "ok");
      pair.driver.release(message);
    }
    expectAlive(pair);
  });
});

describe("field sections", () => {
  const many = (count: number): Fields => Array.from({ length: count }, (_, at) => [`n${at}`, "v"]);

  test.each<[string, Fields]>([
    ["of more than 128 fields", [...GET, ...many(129)]],
    ["of more than 32 KiB", [...GET, ...many(100).map(([name]) => [name, "v".repeat(400)] as const)]],
  ])("%s are answered 431, and the connection goes on", async (_name, fields) => {
    const pair = await start();
    const stream = pair.open(false, headers(fields), true);
    pair.run();
    expect(pair.server!.messages).toHaveLength(0);
    expect(stream.bytes.length > 0 || stream.resetCode === Code.excessiveLoad).toBe(true);
    expectAlive(pair);
  });

  /** HTTP/2's bomb of 2026 in QPACK: thousands of references of one byte to a static entry. */
  test("of thousands of references to one entry do not grow memory", async () => {
    const pair = await start();
    const before = pair.driver.memoryInUse();
    const lines = Buffer.alloc(30_000, 0xc0 | 5);
    const stream = pair.open(false, frame(Frame.headers, bytesOf(section(GET), lines)), true);
    pair.run();
    expect(pair.server!.messages).toHaveLength(0);
    expect(stream.bytes.length > 0 || stream.resetCode !== null).toBe(true);
    expect(pair.driver.memoryInUse() - before).toBeLessThan(64 * 1024);
    expectAlive(pair);
  });

  test("more that are blocked than allowed end the connection", async () => {
    const pair = await start({ limits: { qpackBlockedStreamCount: 4 } });
    const blocked = frame(Frame.headers, bytesOf([2, 0], section(GET).subarray(2), [0x80]));
    for (let count = 0; count < 4; count++) pair.open(false, blocked);
    pair.run();
    expect(pair.errorOf(Role.SERVER)).toBe(null);
    pair.open(false, blocked);
    pair.run();
    expect(pair.errorOf(Role.SERVER)).toBe(Code.decompressionFailed);
  });

  test("an instruction that never completes is not kept beyond its limit", async () => {
    const pair = await start();
    const before = pair.driver.memoryInUse();
    const stream = pair.open(true, bytesOf([Stream.encoder], [0x3f, 0xe1, 0x1f], prefixed(0x40, 5, 1 << 20)));
    pair.run();
    for (let count = 0; count < 40 && pair.errorOf(Role.SERVER) === null; count++)
      pair.send(stream, Buffer.alloc(1000, 0x61)).run();
    expect(pair.errorOf(Role.SERVER)).toBe(Code.encoderStreamError);
    expect(pair.driver.memoryInUse() - before).toBeLessThan(64 * 1024);
  });
});

describe("PRIORITY_UPDATE", () => {
  /** Answers the order in which whole answers reach the client, when all are ready at once. */
  async function orderOf(
    updates: (control: RawStream, pair: Pair) => void,
    isBefore: boolean,
  ): Promise<number[]> {
    const large = Buffer.alloc(20_000, 1);
    const pair = await Pair.create({ client: false, handler: {}, packetBytes: [1200] });
    const control = pair.open(true, begun);
    pair.run();
    if (isBefore) updates(control, pair);
    pair.run();
    const streams = [0, 4, 8].map(() => pair.open(false, headers(GET), true));
    pair.run();
    if (!isBefore) updates(control, pair);
    pair.run();
    const order: number[] = [];
    for (const message of pair.server!.messages) pair.driver.answer(message, 200, large);
    pair.onRead = () => {
      for (const stream of streams) if (stream.isEnded && !order.includes(stream.id)) order.push(stream.id);
    };
    pair.run();
    return order;
  }
  const update = (id: number, value: string) =>
    frame(Frame.priorityUpdate, bytesOf(varint(id), Buffer.from(value)));

  test.each([
    ["that come", false],
    ["that have not come yet", true],
  ])("orders the answers of requests %s", async (_name, isBefore) => {
    for (const wanted of [
      [8, 4, 0],
      [4, 0, 8],
      [0, 8, 4],
    ]) {
      const order = await orderOf((control, pair) => {
        pair.send(control, bytesOf(...wanted.map((id, urgency) => update(id, `u=${urgency}`))));
      }, isBefore);
      expect(order).toEqual(wanted);
    }
  });

  test("of a request that is over is no error", async () => {
    const pair = await start();
    const stream = pair.open(false, headers(GET), true);
    pair.run();
    expect(stream.isEnded).toBe(true);
    const control = [...pair.raw.values()].find(({ id }) => id === 2) as RawStream;
    pair.send(control, update(stream.id, "u=1")).run();
    expectAlive(pair);
  });
});
