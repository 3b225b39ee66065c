// What an attacker of a WebSocket can do to the server, at its limits: compressed bombs, long handshakes, origins that are almost
// right, and pings nobody reads the answers of. The attacks of single frames are in test/wire/web_socket.test.ts.

import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { frame, closeBody, readFrames } from "../../wire/web_socket_frames.ts";
import { RawClient } from "./client.ts";
import { eventually, run } from "./running.ts";

const MIB = 1 << 20;

function handshake(path: string, fields: Record<string, string> = {}): string {
  const all = {
    host: "127.0.0.1",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** The status of the answer to a request. */
async function statusOf(port: number, request: string): Promise<number> {
  const client = await RawClient.open(port);
  client.write(request);
  await client.until("an answer", () => client.received.includes("\r\n"));
  client.socket.destroy();
  return Number(client.received.toString("latin1", 9, 12));
}

/** A compressed message of `size` zeros: a block of them, which a full flush makes independent of what is before, repeated. */
function zeros(size: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(16 * MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat(Array.from({ length: size / (16 * MIB) }, () => block)).subarray(0, -4);
}

describe("a compressed bomb", () => {
  test(
    "of 1 MiB for a gibibyte is inflated as far as the limit, and ends with 1009",
    { timeout: 60_000 },
    async () => {
      let told = 0;
      const { port } = await run((app) => {
        app.ws("/ws", {
          compression: true,
          maxMessageBytes: 16 * MIB,
          message: () => void told++,
          error: () => undefined,
        });
      });
      const bomb = zeros(1024 * MIB);
      expect(bomb.length).toBeGreaterThan(MIB / 2);
      const client = await RawClient.open(port);
      client.write(handshake("/ws", { "sec-websocket-extensions": "permessage-deflate" }));
      await client.until("the answer", () => client.received.includes("\r\n\r\n"));
      const before = process.memoryUsage().rss;
      let most = 0;
      const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 1);
      const start = performance.now();
      client.write(frame(0xc2, bomb));
      await client.until("the end", () => client.hasEnded);
      clearInterval(watch);
      const { frames } = readFrames(client.received.subarray(client.received.indexOf("\r\n\r\n") + 4));
      expect(frames).toEqual([{ firstByte: 0x88, payload: closeBody(1009) }]);
      expect(told).toBe(0);
      // The whole of it is 1024 MiB and takes seconds; both processes' buffers of the bomb are in this.
      expect(most - before).toBeLessThan(128 * MIB);
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );

  test("that stays below the limit is taken, and one byte more is not", async () => {
    const { port } = await run((app) => {
      app.ws("/ws", {
        compression: true,
        maxMessageBytes: MIB,
        message: (ws, data) => void ws.send(String(data.length)),
        error: () => undefined,
      });
    });
    for (const [size, opcode, payload] of [
      [MIB, 0x81, Buffer.from(String(MIB))],
      [MIB + 1, 0x88, closeBody(1009)],
    ] as const) {
      const client = await RawClient.open(port);
      client.write(handshake("/ws", { "sec-websocket-extensions": "permessage-deflate" }));
      await client.until("the answer", () => client.received.includes("\r\n\r\n"));
      const compressed = deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH });
      client.write(frame(0xc2, compressed.subarray(0, -4)));
      const at = client.received.indexOf("\r\n\r\n") + 4;
      await client.until("a frame", () => client.received.length > at + 1);
      expect(readFrames(client.received.subarray(at)).frames[0]).toEqual({ firstByte: opcode, payload });
      client.socket.destroy();
    }
  });
});

describe("a handshake", () => {
  test("with 100 KB of subprotocols or extensions is refused quickly", async () => {
    const { port } = await run((app) => app.ws("/ws", { protocols: ["chat"], compression: true }));
    const long = 100_000;
    const heads: Record<string, string>[] = [
      { "sec-websocket-protocol": "a,".repeat(long / 2) },
      { "sec-websocket-protocol": "a".repeat(long) },
      { "sec-websocket-extensions": "a;b=c,".repeat(long / 6) },
      { "sec-websocket-extensions": `permessage-deflate;a="${"\\a".repeat(long / 2)}"` },
      { "sec-websocket-extensions": `permessage-deflate;${" ".repeat(long)}` },
    ];
    for (const fields of heads) {
      const start = performance.now();
      expect(await statusOf(port, handshake("/ws", fields))).toBe(431);
      expect(performance.now() - start).toBeLessThan(1000);
    }
  });

  test("with as much of them as a head may hold is decided in no time, whatever they are", async () => {
    const { port } = await run((app) => app.ws("/ws", { protocols: ["chat"], compression: true }));
    const most = 12_000;
    const cases: [Record<string, string>, number][] = [
      [{ "sec-websocket-protocol": `${"a,".repeat(most / 2)}chat` }, 101],
      [{ "sec-websocket-protocol": "a ".repeat(most / 2) }, 400],
      [{ "sec-websocket-extensions": `${"a;b=c,".repeat(most / 6)}permessage-deflate` }, 101],
      [{ "sec-websocket-extensions": `permessage-deflate;a="${"\\a".repeat(most / 2)}` }, 400],
      [{ "sec-websocket-extensions": `${"permessage-deflate;server_max_window_bits=7,".repeat(250)}x` }, 101],
    ];
    for (const [fields, status] of cases) {
      const start = performance.now();
      expect(await statusOf(port, handshake("/ws", fields)), JSON.stringify(fields).slice(0, 60)).toBe(
        status,
      );
      expect(performance.now() - start).toBeLessThan(500);
    }
  });

  test("of a page is taken when its origin is the host it asks for, of twenty pairs", async () => {
    const { port } = await run((app) => app.ws("/ws", {}));
    const pairs: [origin: string, host: string, isTaken: boolean][] = [
      ["http://a.example", "a.example", true],
      ["https://a.example", "a.example", true],
      ["http://A.EXAMPLE", "a.example", true],
      ["http://a.example:8080", "a.example:8080", true],
      ["http://127.0.0.1:3000", "127.0.0.1:3000", true],
      ["http://[::1]:3000", "[::1]:3000", true],
      ["http://a.example:8080", "a.example", false],
      ["http://a.example", "a.example:8080", false],
      ["http://a.example:8080", "a.example:8081", false],
      ["http://b.example", "a.example", false],
      ["http://a.example.b.example", "a.example", false],
      ["http://xa.example", "a.example", false],
      ["http://sub.a.example", "a.example", false],
      ["http://a.example", "sub.a.example", false],
      ["http://a.example@b.example", "a.example", false],
      ["http://b.example/a.example", "a.example", false],
      ["http://b.example#a.example", "a.example", false],
      ["null", "a.example", false],
      ["file://", "a.example", false],
      ["a.example", "a.example", false],
    ];
    expect(pairs).toHaveLength(20);
    for (const [origin, host, isTaken] of pairs) {
      const status = await statusOf(port, handshake("/ws", { origin, host }));
      expect(status, `${origin} at ${host}`).toBe(isTaken ? 101 : 403);
    }
  });
});

test("a hundred thousand pings whose answers are not read are bounded by one pong that waits", async () => {
  let heard = 0;
  const { port } = await run((app) => {
    app.ws("/ws", { ping: () => void heard++ });
  });
  const client = await RawClient.open(port, false);
  client.socket.pause();
  client.write(handshake("/ws"));
  const before = process.memoryUsage().rss;
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, Buffer.alloc(125, 1))));
  for (let batch = 0; batch < 100; batch++) client.write(pings);
  await eventually("every ping", () => heard === 100_000, 10_000);
  // 13 MB of pings were written; their pongs are as many, of which only some fill buffers.
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  client.socket.destroy();
});
