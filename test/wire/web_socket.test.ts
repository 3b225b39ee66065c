// WebSockets at the engine's doors: the cases of web_socket_cases.ts however their bytes are cut, every close code, and the attacks
// that a frame can make.

import { describe, expect, test } from "vitest";
import { WsStatus } from "../../host/engine/index.ts";
import { webSocketCases } from "./web_socket_cases.ts";
import { EchoServer } from "./web_socket_echo.ts";
import { closeBody, closeFrame, frame, readFrames } from "./web_socket_frames.ts";

/** What a server answers to these parts, as text. */
function answersTo(server: EchoServer, parts: readonly Buffer[]): string[] {
  server.open();
  for (const part of parts) server.receive(part);
  const { frames, rest } = readFrames(server.transmitted());
  const texts = frames.map(({ firstByte, payload }) => textOf(firstByte, payload));
  if (rest !== 0) texts.push(`${rest} bytes of a frame`);
  if (!server.isClosed) texts.push("open");
  server.destroy();
  return texts;
}

function textOf(firstByte: number, payload: Buffer): string {
  return `${firstByte.toString(16)} ${payload.toString("hex")}`;
}

function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.from([byte]));
}

/** Cases longer than this are cut in fewer places, for the sake of time. */
const SHORT = 80;

describe("the answer to frames", () => {
  const server = new EchoServer();
  const cases = webSocketCases();

  test("has more than four hundred cases", () => {
    expect(cases.length).toBeGreaterThan(400);
  });

  test.each(cases.map((one) => [one.name, one] as const))("%s", (_name, { sent, answers }) => {
    const expected = answers.map(([firstByte, payload]) => textOf(firstByte, payload));
    expect(answersTo(server, [sent])).toEqual(expected);
    if (sent.length <= SHORT) {
      for (let at = 1; at < sent.length; at++) {
        expect(answersTo(server, [sent.subarray(0, at), sent.subarray(at)]), `cut at ${at}`).toEqual(
          expected,
        );
      }
    }
    if (sent.length <= 2048) expect(answersTo(server, bytewise(sent)), "byte by byte").toEqual(expected);
    const step = 997;
    const parts = Array.from({ length: Math.ceil(sent.length / step) }, (_, index) =>
      sent.subarray(index * step, (index + 1) * step),
    );
    expect(answersTo(server, parts), `in parts of ${step}`).toEqual(expected);
  });

  test("is the beginning of the whole answer where the bytes end early", () => {
    for (const { name, sent, answers } of cases.filter((one) => one.sent.length <= SHORT)) {
      const expected = answers.map(([firstByte, payload]) => textOf(firstByte, payload));
      for (let length = 0; length < sent.length; length++) {
        const got = answersTo(server, [sent.subarray(0, length)]).filter((text) => text !== "open");
        expect(got, `${name}, ${length} bytes`).toEqual(expected.slice(0, got.length));
      }
    }
  });

  test("leaves nothing behind", () => {
    const before = server.engine.counters().get("exchanges_open");
    server.engine.doors.setDate(0);
    const bytes = server.engine.counters().get("memory_bytes_in_use");
    for (const { sent } of cases.slice(0, 100)) answersTo(server, [sent]);
    server.open().destroy();
    server.wait(1);
    expect(server.engine.counters().get("exchanges_open")).toBe(before);
    expect(server.engine.counters().get("web_sockets_open")).toBe(0);
    server.engine.doors.setDate(0);
    expect(server.engine.counters().get("memory_bytes_in_use")).toBeLessThanOrEqual(bytes as number);
  });
});

test("a socket does not hold the head of its handshake", () => {
  const server = new EchoServer();
  const memory = (): number => {
    server.wait(1);
    return server.engine.counters().get("memory_bytes_in_use") as number;
  };
  const before = memory();
  server.open(`x-long: ${"x".repeat(8000)}\r\n`);
  expect(memory() - before).toBeLessThan(1024);
  // It goes on as one that came with few fields.
  server.receive(frame(0x81, "hello"));
  expect(readFrames(server.transmitted()).frames.map(({ payload }) => payload.toString())).toEqual(["hello"]);
  server.destroy();
  expect(memory()).toBeLessThanOrEqual(before);
});

describe("close", () => {
  test("is answered by the same code where it may be sent, and by 1002 where not: every code from 0 to 5000", () => {
    const server = new EchoServer();
    for (let code = 0; code <= 5000; code++) {
      const isValid =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
      const answer = textOf(0x88, closeBody(isValid ? code : 1002));
      expect(answersTo(server, [closeFrame(code, "why")]), String(code)).toEqual([answer]);
      expect(server.ends, String(code)).toEqual([
        isValid
          ? { code, reason: "why", status: 0 }
          : { code: 1002, reason: "", status: WsStatus.CLOSE_CODE },
      ]);
    }
  });

  test("that never comes is 1006", () => {
    const server = new EchoServer().open();
    server.end();
    expect(server.ends).toEqual([{ code: 1006, reason: "", status: WsStatus.UNEXPECTED_END }]);
    expect(server.isClosed).toBe(true);
  });
});

describe("UTF-8", () => {
  const text = Buffer.from("aé€😀\u{10ffff}z");

  test("may be cut by frames and by reads at every byte", () => {
    const server = new EchoServer();
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const sent = Buffer.concat([
          frame(0x01, text.subarray(0, first)),
          frame(0x00, text.subarray(first, second)),
          frame(0x80, text.subarray(second)),
        ]);
        const expected = [textOf(0x81, text), "open"];
        expect(answersTo(server, [sent])).toEqual(expected);
        expect(answersTo(server, bytewise(sent))).toEqual(expected);
      }
    }
  });

  test("is refused at the byte that is wrong, wherever it is", () => {
    const server = new EchoServer();
    for (let at = 0; at < 100; at++) {
      const bytes = Buffer.alloc(100, "a");
      bytes[at] = 0xff;
      const sent = frame(0x81, bytes);
      const header = 6;
      expect(answersTo(server, [sent.subarray(0, header + at)])).toEqual(["open"]);
      expect(answersTo(server, [sent.subarray(0, header + at + 1)])).toEqual([textOf(0x88, closeBody(1007))]);
    }
  });
});

describe("attacks", () => {
  test("a million empty fragments end with 1008, and take no memory", () => {
    const server = new EchoServer().open();
    server.engine.doors.setDate(0);
    const before = server.engine.counters().get("memory_bytes_in_use") as number;
    server.receive(frame(0x01));
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => frame(0x00)));
    for (let batch = 0; batch < 100 && !server.isClosed; batch++) {
      server.receive(many);
      if (batch === 5) {
        server.engine.doors.setDate(0);
        expect((server.engine.counters().get("memory_bytes_in_use") as number) - before).toBeLessThan(4096);
      }
    }
    expect(readFrames(server.transmitted()).frames).toEqual([{ firstByte: 0x88, payload: closeBody(1008) }]);
    expect(server.dataEventCount).toBe(0);
    expect(server.engine.limitHits().get("webSocketFragmentCount")).toBe(1);
  });

  test("a hundred thousand pings that nobody reads the answers of leave one pong waiting", () => {
    const server = new EchoServer().open();
    const ping = frame(0x89, Buffer.alloc(125, 1));
    const { engine } = server;
    const sent = Buffer.concat(Array.from({ length: 400 }, () => ping));
    for (let batch = 0; batch < 250; batch++) {
      engine.receiveBuffer.set(sent);
      for (let offset = 0; offset < sent.length;) {
        offset += engine.doors.receive(server.connection, offset, sent.length - offset, 1);
        engine.readEvents(server);
      }
    }
    engine.doors.setDate(0);
    expect(engine.counters().get("memory_bytes_in_use")).toBeLessThan(2 << 20);
    const answered = readFrames(server.transmitted()).frames.length;
    expect(answered).toBeLessThan(10_000);
    server.receive(frame(0x89, "again"));
    expect(readFrames(server.transmitted()).frames.at(-1)).toEqual({
      firstByte: 0x8a,
      payload: Buffer.from("again"),
    });
  });

  test("a pong that waits for room is forgotten when a close frame is sent, which nothing may follow", () => {
    const server = new EchoServer().open();
    const { engine } = server;
    const pings = Buffer.concat(Array.from({ length: 20_000 }, () => frame(0x89, Buffer.alloc(125, 1))));
    const unread = (bytes: Buffer): void => {
      for (let at = 0; at < bytes.length; at += engine.receiveBuffer.length) {
        const part = bytes.subarray(at, at + engine.receiveBuffer.length);
        engine.receiveBuffer.set(part);
        for (let offset = 0; offset < part.length;) {
          offset += engine.doors.receive(server.connection, offset, part.length - offset, 1);
          engine.readEvents(server);
        }
      }
    };
    unread(pings);
    unread(closeFrame(1000));
    const { frames, rest } = readFrames(server.transmitted());
    expect(frames.length).toBeLessThan(20_000);
    expect(frames.findIndex(({ firstByte }) => firstByte === 0x88)).toBe(frames.length - 1);
    expect(rest).toBe(0);
  });

  test("a message over the limit is refused at its header, or at that of the fragment that is too much", () => {
    const server = new EchoServer({ messageBytesMax: 1000 });
    const tooLarge = [textOf(0x88, closeBody(1009))];
    expect(answersTo(server, [frame(0x82, Buffer.alloc(1001)).subarray(0, 4)])).toEqual(tooLarge);
    expect(answersTo(server, [frame(0x02, Buffer.alloc(999)), frame(0x80, "ab").subarray(0, 2)])).toEqual(
      tooLarge,
    );
    expect(answersTo(server, [frame(0x82, Buffer.alloc(1000))])).toHaveLength(2);
  });
});

describe("time", () => {
  const limits = {
    webSocketPingIntervalMs: 1000,
    webSocketPingTimeoutMs: 500,
    webSocketIdleTimeoutMs: 5000,
    webSocketCloseTimeoutMs: 300,
  };

  test("a silent peer is pinged, and cut when it does not answer", () => {
    const server = new EchoServer({ limits }).open();
    server.wait(999);
    expect(server.transmitted().length).toBe(0);
    server.wait(1);
    expect(readFrames(server.transmitted()).frames).toEqual([{ firstByte: 0x89, payload: Buffer.alloc(0) }]);
    server.wait(400);
    server.receive(frame(0x8a));
    server.wait(600);
    expect(server.ends).toEqual([]);
    server.wait(400);
    expect(readFrames(server.transmitted()).frames).toHaveLength(1);
    server.wait(500);
    expect(server.ends).toEqual([{ code: 1006, reason: "", status: WsStatus.PING_TIMEOUT }]);
    expect(server.isAborted).toBe(true);
  });

  test("one that only answers pings is closed when it may not idle, and cut when it does not answer that", () => {
    const server = new EchoServer({ limits: { ...limits, webSocketPingIntervalMs: 0 } }).open();
    server.wait(5000);
    expect(readFrames(server.transmitted()).frames).toEqual([{ firstByte: 0x88, payload: closeBody(1001) }]);
    expect(server.ends).toEqual([]);
    server.wait(300);
    expect(server.ends).toEqual([{ code: 1006, reason: "", status: WsStatus.CLOSE_TIMEOUT }]);
    expect(server.isAborted).toBe(true);
    server.destroy();
    expect(server.engine.counters().get("web_sockets_open")).toBe(0);
  });
});
