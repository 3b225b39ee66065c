// The transport in memory, by itself and under the server: order, splits, stalls and ends without a clock.

import { describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import { App } from "../../../host/server/app.ts";
import { MemoryTransport, type MemoryNetworkOptions } from "../../../host/transport/memory_transport.ts";
import type { Socket, SocketSink } from "../../../host/transport/transport.ts";
import { get, post } from "../server/client.ts";
import { eventually, keep, pause } from "../server/running.ts";

/** The other end of a connection: keeps what it is told. */
class Peer implements SocketSink {
  readonly receiveBuffer = new Uint8Array(65536);
  readonly socket: Socket;
  readonly events: string[] = [];
  readonly sizes: number[] = [];
  text = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.start(this);
  }

  onBytes(length: number): void {
    this.sizes.push(length);
    this.text += Buffer.from(this.receiveBuffer.subarray(0, length)).toString("latin1");
  }

  onEnd(): void {
    this.events.push("end");
  }

  onDrain(): void {
    this.events.push("drain");
  }

  onClose(error: Error | null): void {
    this.events.push(error === null ? "close" : error.message);
  }
}

async function pairOf(options: MemoryNetworkOptions = {}): Promise<[Peer, Peer]> {
  const transport = new MemoryTransport(options);
  let accepted: Peer | null = null;
  const { address } = await transport.listen({ port: 0 }, (socket) => (accepted = new Peer(socket)));
  const connecting = new Peer(transport.connect(address.port));
  await pause(0);
  return [connecting, accepted as unknown as Peer];
}

describe("a pair of sockets", () => {
  test("delivers in order and in the pieces that were asked for", async () => {
    const [one, other] = await pairOf({ splitBytes: 3 });
    one.socket.writeText("hello ");
    one.socket.writeBoth("wor", new TextEncoder().encode("ld"));
    await pause(0);
    expect(other.text).toBe("hello world");
    expect(other.sizes).toEqual([3, 3, 3, 2]);
  });

  test("a paused reader fills the network, then the writer, and both go on when it reads", async () => {
    const [one, other] = await pairOf({ capacityBytes: 1000 });
    other.socket.pause();
    expect(one.socket.write(new Uint8Array(60_000))).toBe(true);
    expect(one.socket.pendingBytes).toBe(59_000);
    expect(one.socket.write(new Uint8Array(10_000))).toBe(false);
    await pause(0);
    expect([other.text.length, one.events]).toEqual([0, []]);
    other.socket.resume();
    await pause(0);
    expect([other.text.length, one.events, one.socket.pendingBytes]).toEqual([70_000, ["drain"], 0]);
  });

  test("ends one side at a time, after what was written", async () => {
    const [one, other] = await pairOf();
    one.socket.writeText("last");
    one.socket.end();
    await pause(0);
    expect([other.text, other.events]).toEqual(["last", ["end"]]);
    other.socket.writeText("answer");
    other.socket.end();
    await pause(0);
    expect([one.text, one.events.at(-1), other.events.at(-1)]).toEqual(["answer", "close", "close"]);
  });

  test("a reset is an error for the other side, a destroyed socket an end", async () => {
    const [one, other] = await pairOf();
    one.socket.reset();
    await pause(0);
    expect([one.events, other.events]).toEqual([["close"], ["read ECONNRESET"]]);
    const [third, fourth] = await pairOf();
    third.socket.destroy();
    await pause(0);
    expect([third.events, fourth.events]).toEqual([["close"], ["end"]]);
  });

  test("refuses what nobody listens to, and a name that is taken", async () => {
    const transport = new MemoryTransport();
    const listener = await transport.listen({ path: "/a" }, () => undefined);
    await expect(transport.listen({ path: "/a" }, () => undefined)).rejects.toThrow("EADDRINUSE");
    await listener.stop();
    expect(() => transport.connect("/a")).toThrow("ECONNREFUSED");
  });
});

describe("a server in memory", () => {
  test.each([1, 2, 3, 7, 100, undefined])(
    "gives the same bytes whatever the network splits (%s)",
    async (splitBytes) => {
      const transport = new MemoryTransport(splitBytes === undefined ? {} : { splitBytes });
      const app = new App();
      app.get("/", () => "hello");
      app.get("/big", () => "x".repeat(30_000));
      app.post("/", async (req) => (await req.text()).toUpperCase());
      app.get("/stream", () =>
        Reply.stream(
          (async function* () {
            yield "a";
            yield "b".repeat(5000);
          })(),
        ),
      );
      const server = keep(await app.listen({ transport, memoryMiB: 32 }));
      const peer = new Peer(transport.connect(server.port));
      const chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
      peer.socket.writeText(
        get("/") + post("/", "abc") + get("/big") + chunked + get("/stream", "connection: close"),
      );
      peer.socket.end();
      await eventually("the close", () => peer.events.includes("close"));
      const plain = peer.text
        .replace(/^date: .*\r\n/gmu, "")
        .replaceAll("content-type: text/plain; charset=utf-8\r\n", "");
      const answer = (body: string): string =>
        `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      const stream = `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\na\r\n1388\r\n${"b".repeat(5000)}\r\n0\r\n\r\n`;
      expect(plain).toBe(
        answer("hello") + answer("ABC") + answer("x".repeat(30_000)) + answer("ABC") + stream,
      );
      expect(server.connectionCount).toBe(0);
    },
  );

  test("content framed for the socket never overtakes what waits in the engine", async () => {
    const transport = new MemoryTransport({ capacityBytes: 100 });
    const app = new App();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    app.get("/first", () => gate.then(() => "f".repeat(16_000)));
    app.get("/small/:n", (req) => `${req.params.n};`.repeat(5000).slice(0, 15_000));
    app.get("/stream", () =>
      Reply.stream(
        (async function* () {
          for (let i = 0; i < 20; i++) yield `${i}`.padEnd(i % 2 === 0 ? 9000 : 100, ".");
        })(),
        "text/plain",
      ).set("content-length", 10 * 9000 + 10 * 100),
    );
    const server = keep(await app.listen({ transport, memoryMiB: 32 }));
    const peer = new Peer(transport.connect(server.port));
    peer.socket.pause();
    const small = Array.from({ length: 40 }, (_, n) => get(`/small/${n}`)).join("");
    peer.socket.writeText(get("/first") + small + get("/stream") + get("/small/99"));
    await pause(5);
    release();
    await pause(5);
    peer.socket.resume();
    const last = "99;".repeat(5000).slice(0, 15_000);
    await eventually("the last answer", () => peer.text.endsWith(last));
    const bodies = peer.text.split(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)+\r\n/u).slice(1);
    const expected = ["f".repeat(16_000)];
    for (let n = 0; n < 40; n++) expected.push(`${n};`.repeat(5000).slice(0, 15_000));
    let stream = "";
    for (let i = 0; i < 20; i++) stream += `${i}`.padEnd(i % 2 === 0 ? 9000 : 100, ".");
    expected.push(stream, last);
    expect(bodies).toEqual(expected);
    peer.socket.destroy();
  });

  test("answers that were gathered in one turn leave before large content that follows them", async () => {
    const transport = new MemoryTransport({ capacityBytes: 100 });
    const app = new App();
    app.get("/small/:n", (req) => `${req.params.n};`.repeat(5000).slice(0, 15_000));
    app.get("/large", () => new Uint8Array(20_000).fill(76));
    const server = keep(await app.listen({ transport, memoryMiB: 32 }));
    const peer = new Peer(transport.connect(server.port));
    const small = Array.from({ length: 40 }, (_, n) => get(`/small/${n}`)).join("");
    peer.socket.writeText(small + get("/large") + get("/small/99"));
    await eventually("the last answer", () => peer.text.endsWith("99;".repeat(5000).slice(0, 15_000)));
    const bodies = peer.text.split(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)+\r\n/u).slice(1);
    const expected = Array.from({ length: 40 }, (_, n) => `${n};`.repeat(5000).slice(0, 15_000));
    expect(bodies.slice(0, 40)).toEqual(expected);
    expect(bodies[40]).toBe("L".repeat(20_000));
    peer.socket.destroy();
  });

  test("a last answer has all its time to be read, and the time to linger begins after it", async () => {
    const transport = new MemoryTransport({ capacityBytes: 100 });
    const app = new App();
    app.get("/", () => "x".repeat(30_000));
    const limits = { lingerTimeoutMs: 50, writeTimeoutMs: 5000 };
    const server = keep(await app.listen({ transport, memoryMiB: 32, limits }));
    const peer = new Peer(transport.connect(server.port));
    peer.socket.pause();
    peer.socket.writeText(get("/", "connection: close"));
    await pause(200);
    expect(server.connectionCount).toBe(1);
    peer.socket.resume();
    await eventually("the end", () => peer.events.includes("end"));
    expect(peer.text.endsWith("x".repeat(30_000))).toBe(true);
    await eventually("the linger deadline", () => server.connectionCount === 0, 1000);
  });

  test("a stalled peer stops a stream at the high-water mark and is cut by its deadline", async () => {
    const transport = new MemoryTransport({ capacityBytes: 1000 });
    const app = new App();
    let taken = 0;
    let isOver = false;
    app.get("/", () =>
      Reply.stream(
        (async function* () {
          try {
            for (;;) {
              taken++;
              yield new Uint8Array(8192);
            }
          } finally {
            isOver = true;
          }
        })(),
      ),
    );
    const server = keep(await app.listen({ transport, memoryMiB: 32, limits: { writeTimeoutMs: 200 } }));
    const peer = new Peer(transport.connect(server.port));
    peer.socket.pause();
    peer.socket.writeText(get("/"));
    await pause(50);
    expect(taken).toBeGreaterThan(7);
    expect(taken).toBeLessThan(16);
    await eventually("the deadline", () => isOver);
    expect(peer.events.at(-1)).toBe("read ECONNRESET");
    expect(server.connectionCount).toBe(0);
  });
});
