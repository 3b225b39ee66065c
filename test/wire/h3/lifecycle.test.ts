// What HTTP/3 does over time: draining, early data, floods, priorities, backpressure, blocked sections, memory. RFC 9114 §4.1 and §5,
// RFC 9204 §2.1, RFC 9218 §7, RFC 8470.

import { beforeAll, describe, expect, test } from "vitest";
import { Role, SendFlag } from "../../../assembly/abi/message.ts";
import {
  bytesOf,
  Code,
  data,
  Frame,
  frame,
  GET,
  headers,
  POST,
  readFrames,
  readSettings,
  readVarint,
  section,
  settings,
  Stream,
  varint,
} from "./frames.ts";
import { echoing, Pair } from "./pair.ts";
import type { RawStream } from "./pair.ts";

// Where its sources have changed it is compiled, and no test is to wait for that.
beforeAll(() => Pair.module(), 120_000);

const begun = bytesOf(varint(Stream.control), settings());

function control(pair: Pair): { type: number; payload: Buffer }[] {
  const stream = [...pair.raw.values()].find(
    ({ id, bytes: seen }) => (id & 2) !== 0 && seen[0] === 0,
  ) as RawStream;
  return readFrames(stream.bytes.subarray(1));
}

/** Types of the frames on a stream. */
const types = (stream: RawStream): number[] => readFrames(stream.bytes).map(({ type }) => type);

test("the first frame is SETTINGS, with what the limits say", async () => {
  const pair = await Pair.create({ client: false, limits: { headerListBytes: 1000 } });
  const [first] = control(pair);
  expect(first!.type).toBe(Frame.settings);
  const found = readSettings(first!.payload);
  expect(found.get(0x06)).toBe(1000);
  expect(found.get(0x08)).toBe(1);
});

describe("messages", () => {
  test("interim responses and trailers arrive", async () => {
    const pair = await Pair.create({
      handler: {
        request(message, driver) {
          driver.engine.sendInformational(message.exchange, 103, [["link", "</a>"]]);
          driver.engine.sendHead(message.exchange, 200, [], -1, 0);
          driver.engine.sendBody(message.exchange, Buffer.from("x"), 0);
          driver.engine.sendTrailers(message.exchange, [["checksum", "1"]]);
        },
      },
    });
    pair.driver.ask(pair.client!, { method: "GET", target: "/" });
    pair.run();
    expect(pair.client!.informational).toEqual([{ statusCode: 103, fields: [["link", "</a>"]] }]);
    expect(pair.client!.messages[0]!.trailers).toEqual([["checksum", "1"]]);
    expect(pair.client!.messages[0]!.isComplete).toBe(true);
  });

  // Chromium fails a response whose trailers end the stream while it waits for content.
  test.each([
    ["that come after a pause leave before the end does", true],
    ["that are ready with the content end the stream", false],
  ])("trailers %s", async (_name, isLater) => {
    const pair = await Pair.create({ client: false, handler: {} });
    const seen: string[] = [];
    const stream = pair.open(false, headers(GET), true);
    const { exchange } = pair.run().server!.messages[0]!;
    pair.driver.engine.sendHead(exchange, 200, [], -1, 0);
    pair.driver.engine.sendBody(exchange, Buffer.from("x"), 0);
    if (isLater) pair.run().advance(200);
    pair.onRead = () => seen.push(`${types(stream).length} ${stream.isEnded ? "ended" : "open"}`);
    pair.driver.engine.sendTrailers(exchange, [["checksum", "1"]]);
    pair.run();
    expect([...new Set(seen)]).toEqual(isLater ? ["3 open", "3 ended"] : ["3 ended"]);
  });

  test("trailers of a request are told, and content that nobody reads is not waited for", async () => {
    const pair = await Pair.create({ client: false, handler: echoing });
    const stream = pair.open(false, bytesOf(headers(POST), data("ab"), headers([["a", "b"]])), true);
    pair.run();
    expect(pair.server!.messages[0]!.trailers).toEqual([["a", "b"]]);
    expect(types(stream)).toEqual([Frame.headers, Frame.data]);
  });

  test("an answer before the request is complete stops it once too much has come", async () => {
    const pair = await Pair.create({
      client: false,
      limits: { drainBytes: 10_000 },
      handler: { request: (message, driver) => void driver.answer(message, 200, "early", SendFlag.RELEASE) },
    });
    const stream = pair.open(false, headers(POST));
    pair.run();
    expect(stream.isEnded).toBe(true);
    pair.send(stream, data(Buffer.alloc(20_000))).run();
    expect(stream.stopCode).toBe(Code.noError);
    expect(stream.resetCode).toBe(null);
  });

  test("a request that the peer cancels is cut, and counts until its handler is done", async () => {
    const pair = await Pair.create({ client: false, handler: {} });
    const stream = pair.open(false, headers(POST));
    pair.run();
    pair.reset(stream, Code.requestCancelled).stop(stream, Code.requestCancelled).run();
    const [message] = pair.server!.messages;
    expect(message!.abortedBy).toBe(-817);
    expect(stream.resetCode).toBe(Code.requestCancelled);
    pair.driver.release(message!);
    pair.run();
    expect(pair.answers[Role.SERVER]).toBe(0);
  });
});

test("too many requests that are reset end the connection", async () => {
  const pair = await Pair.create({
    client: false,
    limits: { resetBurst: 20 },
    handler: { request: (message, driver) => driver.release(message) },
  });
  pair.open(true, begun);
  for (let count = 0; count < 30 && pair.errorOf(Role.SERVER) === null; count++) {
    const stream = pair.open(false, headers(POST));
    pair.run();
    if (stream.resetCode === null) pair.reset(stream, 0).run();
  }
  expect(pair.errorOf(Role.SERVER)).toBe(Code.excessiveLoad);
});

test("frames that nobody knows are passed over, but not without end", async () => {
  const pair = await Pair.create({ client: false, limits: { controlFramesPerS: 50 } });
  const stream = pair.open(true, bytesOf(begun, ...Array.from({ length: 40 }, () => frame(0x21, [1, 2]))));
  pair.run();
  expect(pair.errorOf(Role.SERVER)).toBe(null);
  pair.send(stream, bytesOf(...Array.from({ length: 20 }, () => frame(0x21)))).run();
  expect(pair.errorOf(Role.SERVER)).toBe(Code.excessiveLoad);
});

describe("draining", () => {
  test("a server says so twice, answers what it accepted, and refuses the rest", async () => {
    const pair = await Pair.create({ client: false, handler: {} });
    const accepted = pair.open(false, headers(GET), true);
    pair.run();
    pair.door("endDrain")(Role.SERVER);
    pair.run();
    const late = pair.open(false, headers(GET), true);
    pair.run();
    expect(pair.server!.messages).toHaveLength(2);
    pair.advance(1000);
    const goaways = control(pair).filter(({ type }) => type === Frame.goaway);
    expect(goaways.map(({ payload }) => readVarint(payload, 0).value)).toEqual([(1n << 62n) - 4n, 8n]);
    const refused = pair.open(false, headers(GET), true);
    pair.run();
    expect(refused.resetCode).toBe(Code.requestRejected);
    expect(pair.answers[Role.SERVER]).toBe(0);
    for (const message of pair.server!.messages) pair.driver.answer(message, 200, "ok", SendFlag.RELEASE);
    pair.run();
    expect([accepted.isEnded, late.isEnded]).toEqual([true, true]);
    expect(pair.answers[Role.SERVER]).toBe(1);
  });

  test("a server is not done before its peer has the end of each answer", async () => {
    const pair = await Pair.create({ client: false, handler: {} });
    const stream = pair.open(false, headers(GET), true);
    const { exchange } = pair.run().server!.messages[0]!;
    pair.driver.engine.sendHead(exchange, 200, [], -1, 0);
    pair.driver.engine.sendBody(exchange, Buffer.from("x"), 0);
    pair.door("endDrain")(Role.SERVER);
    pair.run().advance(1000);
    pair.driver.engine.sendBody(exchange, Buffer.alloc(0), SendFlag.END | SendFlag.RELEASE);
    // Nothing is left but the end, which has not been sent.
    expect(pair.door("endRun")(Role.SERVER)).toBe(0);
    pair.run();
    expect(stream.isEnded).toBe(true);
    expect(pair.answers[Role.SERVER]).toBe(1);
  });

  test("a client hears which requests nobody acted on, and begins none", async () => {
    const pair = await Pair.create({ server: false });
    const stream = pair.open(true, begun);
    const first = pair.driver.ask(pair.client!, { method: "GET", target: "/1" });
    pair.driver.ask(pair.client!, { method: "GET", target: "/2" });
    pair.run();
    pair.send(stream, frame(Frame.goaway, varint(4))).run();
    expect(pair.client!.events).toEqual(
      ["aborted H3_REJECTED"].map(() => expect.stringMatching(/^aborted/) as string),
    );
    expect(pair.driver.ask(pair.client!, { method: "GET", target: "/3" })).toBe(-2);
    expect(first).toBeGreaterThan(0);
  });
});

describe("early data", () => {
  test("a safe request is marked, another one is answered 425", async () => {
    const pair = await Pair.create({ client: false, handler: echoing });
    pair.door("endSetEarly")(Role.SERVER, 1);
    const unsafe = pair.open(false, headers(POST), true);
    const safe = pair.open(false, headers(GET), true);
    pair.run();
    expect(pair.server!.messages.map(({ method }) => method)).toEqual(["GET"]);
    expect([unsafe.isEnded, safe.isEnded]).toEqual([true, true]);
    expect(types(unsafe)).toEqual([Frame.headers]);
    pair.door("endSetEarly")(Role.SERVER, 0);
    pair.open(false, headers(POST), true);
    pair.run();
    expect(pair.server!.messages.map(({ method }) => method)).toEqual(["GET", "POST"]);
  });
});

test("a section that needs an insertion waits for it", async () => {
  const pair = await Pair.create({ client: false, handler: echoing });
  // Required Insert Count 1 with a table of 4096 bytes, Base 1; at its end the entry of relative index 0.
  const lines = bytesOf([2, 0], section(GET).subarray(2), [0x80]);
  const stream = pair.open(false, frame(Frame.headers, lines), true);
  pair.run();
  expect(pair.server!.messages).toHaveLength(0);
  expect(pair.answers[Role.SERVER]).toBe(0);
  // Capacity 4096, then `x: y` with a literal name.
  pair.open(true, bytesOf([Stream.encoder], [0x3f, 0xe1, 0x1f], [0x41, 0x78, 0x01, 0x79]));
  pair.run();
  expect(pair.server!.messages[0]!.fields).toEqual([["x", "y"]]);
  expect(stream.isEnded).toBe(true);
  // Acknowledged on the decoder stream.
  const decoder = [...pair.raw.values()].find(({ id, bytes: seen }) => (id & 3) === 3 && seen[0] === 3);
  expect(decoder!.bytes).toEqual(Buffer.from([3, 0x80]));
});

test("content that the handler does not take stops the peer", async () => {
  const pair = await Pair.create({ isReading: false, handler: {} });
  const exchange = pair.driver.ask(pair.client!, { method: "POST", target: "/" }, 0);
  const piece = Buffer.alloc(50_000, 1);
  let sent = 0;
  for (let turn = 0; turn < 60; turn++) {
    sent += Math.max(pair.driver.engine.sendBody(exchange, piece, 0), 0);
    pair.run();
  }
  const message = pair.server!.messages[0]!;
  const told = message.body.length;
  expect(told).toBeLessThanOrEqual(262_144);
  expect(sent).toBeGreaterThan(told);
  // What is consumed is credit.
  pair.driver.engine.doors.readBody(message.exchange, told, pair.driver.now);
  pair.run();
  expect(message.body.length).toBeGreaterThan(told);
});

test("an idle connection takes little memory, and a closed one none", async () => {
  const pair = await Pair.create({ handler: echoing });
  for (let count = 0; count < 20; count++) {
    pair.driver.ask(pair.client!, { method: "GET", target: `/${count}` });
    pair.run();
  }
  const used = pair.driver.memoryInUse();
  // Two ends, each with its streams and the tables of QPACK.
  expect(used / 2).toBeLessThan(12 * 1024);
  for (const role of [Role.CLIENT, Role.SERVER]) pair.door("endClose")(role, -1);
  expect(pair.driver.memoryInUse()).toBe(0);
});
