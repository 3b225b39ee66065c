// Connections of a real server are recorded, and run again on another engine: the same answers, byte count for byte count.

import http2 from "node:http2";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { WebSocket } from "undici";
import { describe, expect, test } from "vitest";
import { loadModule, readRecording, Recorder, replay } from "../../../host/engine/index.ts";
import { Engine, Protocol, Role } from "../../../host/engine/index.ts";
import { RawClient } from "./client.ts";
import { recorded, replayed } from "./recorded.ts";

test("HTTP/1.1: requests, content, an error; secrets are told by their length", async () => {
  const text = await recorded(async (port) => {
    const client = await RawClient.open(port);
    client.write("GET /users/7 HTTP/1.1\r\nhost: a\r\ncookie: secret=1234\r\n\r\n");
    await client.response();
    client.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n${"x".repeat(20_000)}`);
    expect((await client.response()).body.length).toBe(20_000);
    client.write("GET /large HTTP/1.1\r\nhost: a\r\n\r\nnonsense\r\n\r\n");
    await client.ended();
    client.socket.end();
  });
  const [first] = await replayed(text);
  expect(first?.differences).toEqual([]);
  const lines = first?.lines.join("\n") ?? "";
  expect(lines).toContain("* exchange 1 GET /users/7 http/1.1");
  expect(lines).toContain("*   cookie: (11 characters)");
  expect(lines).not.toContain("secret");
  expect(lines).toContain("* exchange 2 POST / http/1.1");
  expect(lines).toMatch(/\* close/);
  expect(JSON.parse(text.split("\n")[0]!)).toMatchObject({ format: "httpy-recording", holdsSecrets: true });
});

test("HTTP/2 with streams at once, and WebSockets", async () => {
  const text = await recorded(async (port) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await Promise.all(ids.map((id) => buffer(session.request({ ":path": `/users/${id}` }))));
    expect((await buffer(session.request({ ":path": "/large" }))).length).toBe(500_000);
    session.close();
    await once(session, "close");
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((open) => ws.addEventListener("open", open));
    ws.send("hello");
    await new Promise((message) => ws.addEventListener("message", message));
    const closed = new Promise((close) => ws.addEventListener("close", close));
    ws.close();
    await closed;
  });
  const [h2, ws] = await replayed(text);
  expect([h2?.differences, ws?.differences]).toEqual([[], []]);
  expect(h2?.lines.filter((line) => /GET \/users\/\d+ h2/.test(line))).toHaveLength(20);
  expect(ws?.lines.join("\n")).toContain("WebSocket data of 5 bytes");
});

test("what answers otherwise than it was recorded is a difference", async () => {
  const text = await recorded(async (port) => {
    const client = await RawClient.open(port);
    client.write("GET /users/7 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await client.ended();
    client.socket.end();
  });
  const [one] = readRecording(text).connections;
  const bytes = one!.calls.find(([door]) => door === "receive")![2];
  const other = Buffer.from(Buffer.from(bytes, "base64").toString().replace("close", "alive")).toString(
    "base64",
  );
  const [changed] = await replayed(text.replace(bytes, other));
  expect(changed?.differences.length).toBeGreaterThan(0);
});

test("memory is bounded: closed connections go first, and one that is too long says so", async () => {
  const recorder = new Recorder(20_000);
  const module = await loadModule();
  const engine = Engine.create(module, { memoryBytes: 16 * 1024 * 1024, recorder, now: 0 });
  const open = () => engine.doors.openConnection(Protocol.HTTP_1, Role.SERVER, 0, 0);
  const feed = (connection: number, text: string) => {
    engine.receiveBuffer.set(Buffer.from(text, "latin1"));
    engine.doors.receive(connection, 0, text.length, 0);
  };
  for (let i = 0; i < 100; i++) {
    const connection = open();
    feed(connection, "GET / HTTP/1.1\r\n");
    engine.doors.closeConnection(connection);
    expect(recorder.byteLength).toBeLessThanOrEqual(20_000);
  }
  expect(readRecording(recorder.toText()).connections.length).toBeGreaterThan(10);
  const long = open();
  feed(long, `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(8000)}\r\n`);
  feed(long, `z: ${"y".repeat(8000)}\r\n`);
  const { head, connections } = readRecording(recorder.toText());
  expect(connections.map(({ isWhole }) => isWhole)).toEqual([false]);
  expect(() => replay(module, head, connections[0]!, () => undefined)).toThrow("cannot be replayed");
  expect(recorder.byteLength).toBeLessThanOrEqual(20_000);
});

test.each(["", "{}", '{"format":"other"}'])("%j is no recording, and the error says so", (text) => {
  expect(() => readRecording(text)).toThrow("this is no recording");
});

describe("a damaged recording says which line and why", () => {
  const head = {
    format: "httpy-recording",
    version: 2,
    limits: [1],
    memoryBytes: 65536,
    entropy: "AAAA",
    startMs: 1,
    setup: [],
  };
  const connection = { connection: 1, exchanges: [], streams: [], setupCount: 0, calls: [], isWhole: true };
  const text = (first: object, second: object) => `${JSON.stringify(first)}\n${JSON.stringify(second)}\n`;
  const withCall = (...call: unknown[]) => text(head, { ...connection, calls: [call] });

  test.each([
    [text(head, connection).slice(0, -10), "line 2 of the recording is damaged: it is not JSON"],
    [text({ ...head, limits: null }, connection), "line 1 of the recording is damaged: it does not say how"],
    [text({ ...head, setup: [[1]] }, connection), "line 1 of the recording is damaged: it does not say how"],
    [text(head, { isWhole: true }), "line 2 of the recording is damaged: it is no connection"],
    [text(head, { ...connection, setupCount: 1 }), "line 2 of the recording is damaged: it needs more"],
    [withCall("layout", [], "", 0), "line 2 of the recording is damaged: its call 1 is none"],
    [withCall("constructor", [], "", 0), "line 2 of the recording is damaged: its call 1 is none"],
    [withCall("receive", ["1"], "", 0), "line 2 of the recording is damaged: its call 1 is none"],
    [withCall("receive", [1], "*", 0), "line 2 of the recording is damaged: its call 1 is none"],
    [withCall("receive", [1], "", 0, "*"), "line 2 of the recording is damaged: its call 1 is none"],
    [text({ ...head, version: 1 }, connection), "this is no recording of version 2"],
    ["null", "this is no recording of version 2"],
  ])("%#", (damaged, why) => {
    expect(() => readRecording(damaged)).toThrow(why);
  });

  test("and one that is whole is read", () => {
    expect(readRecording(text(head, connection)).connections).toEqual([connection]);
  });
});
