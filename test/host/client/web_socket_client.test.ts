// The WebSocket client against the server: over HTTP/1.1, HTTP/2 and HTTP/3, with TLS and without, compressed or not, and its failures.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { WebSocketClient } from "../../../host/client/web_socket_client.ts";
import type { WebSocketClientOptions } from "../../../host/client/web_socket_client.ts";
import type { WebSocketCloseEvent, WebSocketErrorEvent } from "../../../host/client/web_socket_events.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { eventually, run } from "../server/running.ts";

const tls = await developmentCertificate();

function routes(app: Parameters<Parameters<typeof run>[0]>[0]): void {
  const echo = (ws: { send(data: string | Uint8Array): boolean }, data: string | Uint8Array): void =>
    void ws.send(data);
  app.ws("/plain", { maxMessageBytes: 1 << 24, message: echo, protocols: ["v2"] });
  app.ws("/deflate", {
    maxMessageBytes: 1 << 24,
    message: echo,
    compression: { serverContextTakeover: true, clientContextTakeover: true },
  });
  app.ws("/small", { maxMessageBytes: 200, message: echo });
  app.ws("/bye", { open: (ws) => ws.close(4321, "bye") });
  app.get("/none", () => "no WebSocket");
}

const { port } = await run(routes);
const secure = await run(routes, { tls, http3: true });

function opened(ws: WebSocketClient): Promise<void> {
  return new Promise((resolve, reject) => {
    ws.addEventListener("open", () => resolve());
    ws.addEventListener("error", (event) => reject((event as WebSocketErrorEvent).error));
  });
}

function closed(ws: WebSocketClient): Promise<WebSocketCloseEvent> {
  return new Promise((resolve) =>
    ws.addEventListener("close", (event) => resolve(event as WebSocketCloseEvent)),
  );
}

const ways: [string, string, WebSocketClientOptions][] = [
  ["http/1.1", `ws://127.0.0.1:${port}`, {}],
  ["http/2 by prior knowledge", `ws://127.0.0.1:${port}`, { http2: true }],
  ["http/1.1 with TLS", `wss://127.0.0.1:${secure.port}`, { tls: { ca: tls.cert } }],
  ["http/3", `wss://127.0.0.1:${secure.port}`, { http3: true, tls: { ca: tls.cert } }],
  ["http/2 by ALPN", `wss://127.0.0.1:${secure.port}`, { http2: true, tls: { ca: tls.cert } }],
];

describe.each(ways)("over %s", (_name, base, options) => {
  test.each(["/plain", "/deflate"])("messages of every size come back from %s", async (path) => {
    const ws = new WebSocketClient(base + path, { ...options, protocols: ["v1", "v2"] });
    expect(ws.readyState).toBe(WebSocketClient.CONNECTING);
    expect(() => ws.send("early")).toThrow("not open yet");
    await opened(ws);
    expect(ws.protocol).toBe(path === "/plain" ? "v2" : "");
    expect(ws.extensions.startsWith("permessage-deflate")).toBe(path === "/deflate");
    const got: unknown[] = [];
    ws.onmessage = ({ data }) => void got.push(data);
    const sizes = [0, 1, 125, 126, 65535, 65536, 1_000_000];
    const random = Uint8Array.from({ length: 1_000_000 }, (_, at) => (at * 2654435761) >>> 13);
    for (const size of sizes) {
      ws.send("é".repeat(size));
      ws.send(random.subarray(0, size));
    }
    await eventually("every answer", () => got.length === 2 * sizes.length);
    sizes.forEach((size, index) => {
      expect(got[2 * index] === "é".repeat(size), `text of ${size}`).toBe(true);
      const bytes = Buffer.from(got[2 * index + 1] as ArrayBuffer);
      expect(bytes.equals(random.subarray(0, size)), `bytes of ${size}`).toBe(true);
    });
    expect(ws.bufferedAmount).toBe(0);
    const end = closed(ws);
    ws.close(3001, "done");
    expect(await end).toMatchObject({ code: 3001, wasClean: true });
    expect(ws.readyState).toBe(WebSocketClient.CLOSED);
  });

  test("the server's close is told with its code and reason", async () => {
    const ws = new WebSocketClient(`${base}/bye`, options);
    expect(await closed(ws)).toMatchObject({ code: 4321, reason: "bye", wasClean: true });
  });

  test("a message that the server refuses ends it with 1009", async () => {
    const ws = new WebSocketClient(`${base}/small`, options);
    await opened(ws);
    const end = closed(ws);
    ws.send("x".repeat(201));
    expect(await end).toMatchObject({ code: 1009, wasClean: true });
  });

  test("an answer that opens nothing is an error", async () => {
    for (const path of ["/none", "/nowhere"]) {
      const ws = new WebSocketClient(base + path, options);
      const end = closed(ws);
      await expect(opened(ws)).rejects.toThrow("the server answered");
      expect(await end).toMatchObject({ code: 1006, wasClean: false });
    }
  });
});

describe("the client", () => {
  test("fails where nobody listens, and for URLs that are none", async () => {
    const ws = new WebSocketClient("ws://127.0.0.1:1/");
    const end = closed(ws);
    await expect(opened(ws)).rejects.toThrow("ECONNREFUSED");
    expect((await end).code).toBe(1006);
    expect(() => new WebSocketClient("ftp://a.example/")).toThrow("no scheme");
    expect(() => new WebSocketClient("ws://a.example/#part")).toThrow("fragment");
  });

  test("says that HTTP/3 is spoken for wss: alone, and when nobody answers there", async () => {
    expect(() => new WebSocketClient("ws://127.0.0.1:1/", { http3: true })).toThrow("http3 is true");
    const options = { http3: true, tls: { rejectUnauthorized: true } };
    const ws = new WebSocketClient(`wss://127.0.0.1:${secure.port}/plain`, options);
    const end = closed(ws);
    await expect(opened(ws)).rejects.toThrow("transport error 0x1");
    expect(await end).toMatchObject({ code: 1006, wasClean: false });
  });

  test("refuses codes that only the protocol may use", async () => {
    const ws = new WebSocketClient(`ws://127.0.0.1:${port}/plain`);
    await opened(ws);
    for (const code of [999, 1001, 1005, 2999, 5000]) expect(() => ws.close(code)).toThrow("3000 to 4999");
    const end = closed(ws);
    ws.close();
    expect(await end).toMatchObject({ code: 1005, wasClean: true });
  });

  test("gives binary messages as it is asked to, and handlers by property", async () => {
    const ws = new WebSocketClient(new URL(`http://127.0.0.1:${port}/plain`), "v2");
    ws.binaryType = "uint8array";
    await new Promise<void>((resolve) => (ws.onopen = () => resolve()));
    const data = new Promise((resolve) => (ws.onmessage = (event) => resolve(event.data)));
    ws.send(readFileSync("package.json"));
    expect(await data).toEqual(new Uint8Array(readFileSync("package.json")));
    ws.close();
  });
});
