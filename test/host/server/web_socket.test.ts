// `app.ws` from outside, by undici's WebSocket: messages both ways, the handshake's decisions, the handlers and their order, the
// two ends of a close, topics, and what happens to a peer that does not read.

import { constants, inflateRawSync } from "node:zlib";
import { WebSocket } from "undici";
import { describe, expect, test } from "vitest";
import { HttpError, Reply } from "../../../host/router/index.ts";
import type { WebSocketConnection } from "../../../host/router/index.ts";
import { RawClient } from "./client.ts";
import { eventually, run } from "./running.ts";

/** A WebSocket that is open. */
function connect(port: number, path = "/ws", options: object = {}): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  ws.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    ws.addEventListener("open", () => resolve(ws));
    ws.addEventListener("error", () => reject(new Error(`${path} did not open`)));
  });
}

function message(ws: WebSocket): Promise<unknown> {
  return new Promise((resolve) =>
    ws.addEventListener("message", ({ data }) => resolve(data), { once: true }),
  );
}

function closed(ws: WebSocket): Promise<{ code: number; reason: string; wasClean: boolean }> {
  return new Promise((resolve) => {
    ws.addEventListener("close", ({ code, reason, wasClean }) => resolve({ code, reason, wasClean }));
  });
}

function handshake(path: string, fields: Record<string, string> = {}): string {
  const all = {
    host: "127.0.0.1",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    ...fields,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== "");
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** A client's frame; a key of zeros leaves the payload as it is. */
function frame(firstByte: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** The short frames of a server. */
function framesOf(bytes: Buffer): { firstByte: number; payload: Buffer }[] {
  const frames: { firstByte: number; payload: Buffer }[] = [];
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] as number)) {
    const payload = Buffer.from(bytes.subarray(at + 2, at + 2 + (bytes[at + 1] as number)));
    frames.push({ firstByte: bytes[at] as number, payload });
  }
  return frames;
}

const INFLATE = { finishFlush: constants.Z_SYNC_FLUSH };

describe("messages", () => {
  test("are echoed whole, text and binary, of every size of length field, compressed or not", async () => {
    const { port } = await run((app) => {
      app.ws("/plain", { maxMessageBytes: 1 << 22, message: (ws, data) => void ws.send(data) });
      app.ws("/deflate", {
        maxMessageBytes: 1 << 22,
        compression: { threshold: 0 },
        message: (ws, data) => void ws.send(data),
      });
      app.ws("/takeover", {
        compression: { threshold: 0, serverContextTakeover: true, clientContextTakeover: true },
        maxMessageBytes: 1 << 22,
        message: (ws, data) => void ws.send(data),
      });
    });
    for (const path of ["/plain", "/deflate", "/takeover"]) {
      const ws = await connect(port, path);
      expect(ws.extensions.startsWith("permessage-deflate")).toBe(path !== "/plain");
      for (const size of [0, 1, 125, 126, 4095, 4096, 65535, 65536, 300_000, 2_000_000]) {
        const text = "aé€😀z"
          .repeat(size)
          .slice(0, size)
          .replace(/[\ud800-\udbff]$/, "x");
        const echoed = message(ws);
        ws.send(text);
        expect((await echoed) === text, `${path}, text of ${size}`).toBe(true);
        const bytes = Uint8Array.from({ length: size }, (_, at) => at * 7);
        const echoedBytes = message(ws);
        ws.send(bytes);
        expect(Buffer.compare(Buffer.from((await echoedBytes) as ArrayBuffer), bytes)).toBe(0);
      }
      const end = closed(ws);
      ws.close(4000, "done");
      expect(await end).toMatchObject({ code: 4000, wasClean: true });
    }
  });

  test("sent before a close are all delivered and answered, compressed ones too", async () => {
    const { port } = await run((app) => {
      app.ws("/ws", { compression: { threshold: 0 }, message: (ws, data) => void ws.send(data) });
    });
    const client = await RawClient.open(port);
    client.write(handshake("/ws", { "sec-websocket-extensions": "permessage-deflate" }));
    for (let index = 0; index < 50; index++) client.write(frame(0x81, Buffer.from(`message ${index}`)));
    client.write(frame(0x88, Buffer.from([0x03, 0xe8])));
    await client.until("the end", () => client.hasEnded);
    const frames = framesOf(client.received.subarray(client.received.indexOf("\r\n\r\n") + 4));
    const texts = frames.slice(0, 50).map(({ payload }) => inflateRawSync(payload, INFLATE).toString());
    expect(texts).toEqual(Array.from({ length: 50 }, (_, index) => `message ${index}`));
    expect(frames.slice(50)).toEqual([{ firstByte: 0x88, payload: Buffer.from([0x03, 0xe8]) }]);
  });

  test("are read one after the other where a route has no handler for them", async () => {
    const ends: string[] = [];
    const { port } = await run((app) => {
      app.ws("/ws", {
        async open(ws) {
          for await (const data of ws) ws.send(`<${String(data)}>`);
          ends.push("iteration");
        },
        close: () => void ends.push("close"),
      });
    });
    const ws = await connect(port);
    const got: unknown[] = [];
    ws.addEventListener("message", ({ data }) => void got.push(data));
    for (let index = 0; index < 100; index++) ws.send(String(index));
    await eventually("all answers", () => got.length === 100);
    expect(got[99]).toBe("<99>");
    ws.close();
    await eventually("both ends", () => ends.length === 2);
  });

  test("may come in very many fragments, at a cost that grows with their bytes and not with its square", async () => {
    const { port } = await run((app) => {
      app.ws("/ws", { maxMessageBytes: 1 << 22, message: (ws, data) => void ws.send(String(data.length)) });
    });
    const client = await RawClient.open(port);
    client.write(handshake("/ws"));
    const fragment = Buffer.alloc(64, "x");
    const count = 1 << 16;
    const fragments = Buffer.concat([
      frame(0x02, fragment),
      ...Array.from({ length: count - 2 }, () => frame(0x00, fragment)),
      frame(0x80, fragment),
    ]);
    const start = performance.now();
    client.write(fragments);
    await client.until("the answer", () => client.received.toString("latin1").endsWith(String(count * 64)));
    // A tenth of a second; half a minute when every fragment has all before it copied.
    expect(performance.now() - start).toBeLessThan(4000);
  });

  test("longer than the route allows end the connection with 1009, at the header or while inflating", async () => {
    const errors: Error[] = [];
    const { port } = await run((app) => {
      const options = {
        maxMessageBytes: 1000,
        message: () => undefined,
        error: (_: unknown, e: Error) => void errors.push(e),
      };
      app.ws("/plain", options);
      app.ws("/deflate", { ...options, compression: true });
    });
    for (const path of ["/plain", "/deflate"]) {
      const ws = await connect(port, path);
      const end = closed(ws);
      ws.send("x".repeat(100_000));
      expect((await end).code).toBe(1009);
    }
    expect(errors.map(({ message: text }) => text)).toEqual(["message too large", "message too large"]);
  });
});

describe("the handshake", () => {
  test("is refused with the status that fits, and a plain request is told to upgrade", async () => {
    const { port } = await run((app) => app.ws("/ws", { message: () => undefined }));
    const cases: [string, number][] = [
      ["GET /ws HTTP/1.1\r\nhost: a\r\n\r\n", 426],
      [handshake("/ws", { "sec-websocket-version": "12" }), 426],
      [handshake("/ws", { "sec-websocket-key": "c2hvcnQ=" }), 400],
      [handshake("/ws", { "sec-websocket-key": "" }), 400],
      [handshake("/ws", { "sec-websocket-extensions": "a;;b" }), 400],
      [handshake("/ws").replace("HTTP/1.1", "HTTP/1.0"), 400],
      [handshake("/ws", { origin: "http://elsewhere.example" }), 403],
      [handshake("/ws", { origin: "null" }), 403],
      [handshake("/nowhere"), 404],
    ];
    for (const [request, status] of cases) {
      const client = await RawClient.open(port);
      const response = await client.write(request).response();
      expect(response.status, request).toBe(status);
      if (status === 426) expect(response.headers.get("sec-websocket-version")).toBe("13");
      client.socket.destroy();
    }
  });

  test("takes pages of its own host and of those allowed", async () => {
    const { port } = await run((app) => {
      app.ws("/own", {});
      app.ws("/listed", { origins: ["https://a.example"] });
      app.ws("/chosen", { origins: (origin) => origin.endsWith(".example") });
    });
    const cases: [string, string, string, number][] = [
      ["/own", "http://127.0.0.1:80", "127.0.0.1", 403],
      ["/own", "http://127.0.0.1", "127.0.0.1", 101],
      ["/own", "https://127.0.0.1", "127.0.0.1", 101],
      ["/own", "http://127.0.0.1:81", "127.0.0.1", 403],
      ["/own", "http://a.example:8080", "A.example:8080", 101],
      ["/own", "http://a.example.evil.example", "a.example", 403],
      ["/own", "file://", "a.example", 403],
      ["/listed", "https://a.example", "b.example", 101],
      ["/listed", "http://a.example", "b.example", 403],
      ["/chosen", "https://z.example", "b.example", 101],
      ["/chosen", "https://z.test", "z.test", 403],
    ];
    for (const [path, origin, host, status] of cases) {
      const client = await RawClient.open(port);
      const wanted = `HTTP/1.1 ${status}`;
      client.write(handshake(path, { origin, host }));
      await client.until(`${path} ${origin}`, () => client.received.length >= wanted.length);
      expect(client.received.toString("latin1", 0, wanted.length), `${path} ${origin} ${host}`).toBe(wanted);
      client.socket.destroy();
    }
  });

  test("is decided by upgrade: accepted with data, fields and a subprotocol, or refused", async () => {
    const seen: unknown[] = [];
    const { port } = await run((app) => {
      app.ws("/rooms/:room", {
        protocols: ["v2", "v1"],
        upgrade: async (req) => {
          await Promise.resolve();
          if (req.params.room === "closed") return Reply.text("closed\n", 503);
          if (req.params.room === "secret") throw new HttpError(401, "who are you?");
          return { data: req.params.room, headers: { "x-room": req.params.room } };
        },
        open: (ws) => void seen.push(ws.data, ws.protocol),
      });
    });
    const ws = await connect(port, "/rooms/red", { protocols: ["v1", "v2"] });
    expect(ws.protocol).toBe("v2");
    expect(seen).toEqual(["red", "v2"]);
    ws.close();
    for (const [room, status] of [
      ["closed", 503],
      ["secret", 401],
    ] as const) {
      const client = await RawClient.open(port);
      expect((await client.write(handshake(`/rooms/${room}`)).response()).status).toBe(status);
    }
    const client = await RawClient.open(port);
    client.write(handshake("/rooms/blue"));
    await client.until("the answer", () => client.received.includes("\r\n\r\n"));
    expect(client.received.toString()).toContain("x-room: blue");
    expect(client.received.toString()).toContain("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});

describe("the end", () => {
  test("is told once, with the peer's code and reason, and answered", async () => {
    const ends: [number, string][] = [];
    const { port } = await run((app) => {
      app.ws("/ws", {
        message: () => undefined,
        close: (_ws, code, reason) => void ends.push([code, reason]),
      });
    });
    for (const [code, reason] of [
      [1000, "bye"],
      [3000, "é€"],
      [4999, ""],
    ] as const) {
      const ws = await connect(port);
      const end = closed(ws);
      ws.close(code, reason);
      expect(await end).toMatchObject({ code, wasClean: true });
    }
    const cut = await RawClient.open(port);
    cut.write(handshake("/ws"));
    await cut.until("the answer", () => cut.received.includes("\r\n\r\n"));
    cut.socket.destroy();
    await eventually("four ends", () => ends.length === 4);
    expect(ends).toEqual([
      [1000, "bye"],
      [3000, "é€"],
      [4999, ""],
      [1006, ""],
    ]);
  });

  test("comes from the server: close with what was sent before it, and terminate", async () => {
    const { port } = await run((app) => {
      app.ws("/close", {
        open(ws) {
          ws.send("x".repeat(100_000));
          ws.close(4001, "enough");
          expect(ws.isOpen).toBe(false);
        },
      });
      app.ws("/cut", { open: (ws) => ws.terminate() });
    });
    const ws = new WebSocket(`ws://127.0.0.1:${port}/close`);
    const got = message(ws);
    const end = closed(ws);
    expect(((await got) as string).length).toBe(100_000);
    expect(await end).toEqual({ code: 4001, reason: "enough", wasClean: true });
    const cut = new WebSocket(`ws://127.0.0.1:${port}/cut`);
    expect(await closed(cut)).toMatchObject({ code: 1006, wasClean: false });
  });

  test("refuses codes and reasons that may not be sent", async () => {
    const errors: string[] = [];
    const { port } = await run((app) => {
      app.ws("/ws", {
        open(ws) {
          for (const code of [0, 999, 1004, 1006, 1015, 2999, 5000, 1.5])
            expect(() => ws.close(code)).toThrow(RangeError);
          expect(() => ws.close(1000, "é".repeat(62))).toThrow(RangeError);
          errors.push("checked");
          ws.close(1000, "é".repeat(61));
        },
        error: (_ws, error) => void errors.push(error.message),
      });
    });
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    expect((await closed(ws)).reason.length).toBe(61);
    expect(errors).toEqual(["checked"]);
  });

  test("of the server says 1001 to everybody", async () => {
    const { port, server } = await run((app) => app.ws("/ws", { message: () => undefined }));
    const ws = await connect(port);
    const end = closed(ws);
    const report = await server.close({ deadlineMs: 2000 });
    expect((await end).code).toBe(1001);
    expect(report).toEqual({ connections: 0, exchanges: 0 });
  });
});

describe("handlers", () => {
  test("that throw or reject are told to error, or logged", async () => {
    const errors: string[] = [];
    const { port, app } = await run((app) => {
      app.ws("/told", {
        message: (_ws, data) => {
          throw new Error(`no ${String(data)}`);
        },
        error: (_ws, error) => void errors.push(error.message),
      });
      app.ws("/logged", { message: () => Promise.reject(new Error("late")) });
    });
    app.logger = {
      ...app.logger,
      error: (fields) => void errors.push((fields as { err: Error }).err.message),
    };
    const told = await connect(port, "/told");
    told.send("a");
    told.send("b");
    const logged = await connect(port, "/logged");
    logged.send("c");
    await eventually("three errors", () => errors.length === 3);
    expect(errors.sort()).toEqual(["late", "no a", "no b"]);
  });

  test("hear pings and pongs, which are answered without them", async () => {
    const heard: string[] = [];
    const { port } = await run((app) => {
      app.ws("/ws", {
        open: (ws) => ws.ping("are you there?"),
        ping: (_ws, payload) => void heard.push(`ping ${String(payload.length)}`),
        pong: (_ws, payload) => void heard.push(`pong ${Buffer.from(payload).toString()}`),
      });
    });
    const client = await RawClient.open(port);
    client.write(handshake("/ws"));
    await client.until("a ping", () => client.received.includes("are you there?"));
    client.write(Uint8Array.of(0x8a, 0x82, 0, 0, 0, 0, 0x68, 0x69, 0x89, 0x83, 0, 0, 0, 0, 1, 2, 3));
    await client.until("a pong", () => client.received.includes(Buffer.from([0x8a, 3, 1, 2, 3])));
    await eventually("both", () => heard.length === 2);
    expect(heard).toEqual(["pong hi", "ping 3"]);
  });
});

describe("topics", () => {
  test("reach every other subscriber, by one socket or by the server", async () => {
    const { port, server } = await run((app) => {
      app.ws("/chat", {
        open: (ws) => ws.subscribe("room"),
        message(ws, data) {
          if (data === "leave") ws.unsubscribe("room");
          else ws.publish("room", data);
        },
      });
    });
    const all = await Promise.all([connect(port, "/chat"), connect(port, "/chat"), connect(port, "/chat")]);
    const got = all.map((): unknown[] => []);
    all.forEach((ws, index) => ws.addEventListener("message", ({ data }) => void got[index]?.push(data)));
    all[0]?.send("hello");
    await eventually("two messages", () => got[1]?.length === 1 && got[2]?.length === 1);
    expect(server.publish("room", "to all")).toBe(3);
    expect(server.publish("nobody", "?")).toBe(0);
    await eventually("three messages", () => got.every((list) => list.includes("to all")));
    expect(got[0]).toEqual(["to all"]);
    all[2]?.close();
    await eventually("one fewer", () => server.subscriberCount("room") === 2);
    all[1]?.send("leave");
    await eventually("another one", () => server.subscriberCount("room") === 1);
  });
});

describe("a peer that does not read", () => {
  test("is not read either, is told of by send, and drained when it reads on", async () => {
    let peer: WebSocketConnection | null = null;
    let drains = 0;
    const { port } = await run((app) => {
      app.ws("/ws", { open: (ws) => void (peer = ws), drain: () => void drains++ });
    });
    const client = await RawClient.open(port, false);
    client.socket.pause();
    client.write(handshake("/ws"));
    await eventually("the socket", () => peer !== null);
    const ws = peer as unknown as WebSocketConnection;
    const piece = new Uint8Array(65536);
    let sent = 0;
    while (ws.send(piece)) sent++;
    expect(sent).toBeGreaterThan(1);
    for (let more = 0; more < 20; more++) ws.send(piece);
    expect(ws.bufferedAmount).toBeGreaterThan(20 * piece.length);
    client.socket.resume();
    await eventually("a drain", () => drains === 1);
    await client.until("everything", () => client.receivedBytes > (sent + 21) * piece.length);
    expect(ws.bufferedAmount).toBe(0);
  });

  test("is cut when more waits for it than the route allows", async () => {
    const ends: number[] = [];
    const { port } = await run((app) => {
      app.ws("/ws", {
        maxBufferedBytes: 1 << 20,
        open(ws) {
          for (let index = 0; index < 200 && ws.isOpen; index++) ws.send(new Uint8Array(65536));
        },
        close: (_ws, code) => void ends.push(code),
        error: () => undefined,
      });
    });
    const client = await RawClient.open(port, false);
    client.socket.pause();
    client.write(handshake("/ws"));
    await eventually("its end", () => ends.length === 1);
    expect(ends).toEqual([1006]);
    client.socket.destroy();
  });
});
