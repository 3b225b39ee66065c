// The contract server's `/ws` by undici's WebSocket, over plain sockets and TLS, and over HTTP/2 (RFC 8441) by node:http2.

import { once } from "node:events";
import http2 from "node:http2";
import { Agent, WebSocket } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
afterAll(() => server.stop());

const MIB = 1024 * 1024;

describe.each([false, true])("over TLS: %s", (isSecure) => {
  const connect = async () => {
    const dispatcher = new Agent({ connect: { ca: server.cert } });
    const url = `${(isSecure ? server.secure : server.plain).replace(/^http/, "ws")}/ws`;
    const ws = new WebSocket(url, { dispatcher });
    ws.binaryType = "arraybuffer";
    onTestFinished(() => {
      ws.close();
      return dispatcher.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      ws.addEventListener("open", () => resolve());
      ws.addEventListener("error", ({ error }) => reject(error));
    });
    return ws;
  };
  const next = (ws: WebSocket) =>
    new Promise<unknown>((resolve, reject) => {
      ws.addEventListener("message", ({ data }) => resolve(data), { once: true });
      ws.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)), { once: true });
    });

  test("text and binary are echoed, of every size of the length field", async () => {
    const ws = await connect();
    for (const text of ["", "a", "Grüße, 世界 🌍", "x".repeat(125), "y".repeat(126), "z".repeat(70_000)]) {
      ws.send(text);
      expect(await next(ws)).toBe(text);
    }
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);
    ws.send(bytes);
    expect(Buffer.from((await next(ws)) as ArrayBuffer).equals(bytes)).toBe(true);
  });

  test("16 MiB are echoed", async () => {
    const ws = await connect();
    const bytes = new Uint8Array(16 * MIB).fill(7);
    ws.send(bytes);
    expect(Buffer.from((await next(ws)) as ArrayBuffer).equals(bytes)).toBe(true);
  });

  test("thousand messages come back in order", async () => {
    const ws = await connect();
    const received: unknown[] = [];
    const all = new Promise<void>((resolve) =>
      ws.addEventListener("message", ({ data }) => {
        if (received.push(data) === 1000) resolve();
      }),
    );
    const sent = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
    for (const text of sent) ws.send(text);
    await all;
    expect(received).toEqual(sent);
  });

  test("a close is answered with its code", async () => {
    const ws = await connect();
    const closed = once(ws as unknown as EventTarget, "close");
    ws.close(4321, "enough");
    const [event] = (await closed) as [{ code: number; wasClean: boolean }];
    expect([event.code, event.wasClean]).toEqual([4321, true]);
  });
});

describe.each([false, true])("over HTTP/2, TLS %s", (isSecure) => {
  test("an extended CONNECT opens one, and a frame comes back", async () => {
    const session = http2.connect(isSecure ? server.secure : server.plain, { ca: server.cert });
    onTestFinished(() => session.destroy());
    await once(session, "remoteSettings");
    const stream = session.request(
      { ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13" },
      { endStream: false },
    );
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    expect(headers[":status"]).toBe(200);
    // A client's frame whose key is zeros, so that its payload stands as it is.
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const [frame] = (await once(stream, "data")) as [Buffer];
    expect(frame.toString("hex")).toBe("81026869");
    stream.close();
  });
});
