// Large content over real sockets, by HTTP/1.1 and HTTP/2, with TLS and without: what arrives is what was sent, whatever the
// sizes of chunks and the pace of the peer, though the memory that it is put together in is used again and again.

import { createHash } from "node:crypto";
import http2 from "node:http2";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { reply } from "../../../host/router/index.ts";
import { Random } from "../../fuzz/random.ts";
import { run } from "./running.ts";

const MIB = 1024 * 1024;
let origins: { plain: string; secure: string; ca: string };

/** Chunks of many sizes, each with content of its own, and the hash of it all. */
function* chunks(seed: number, total: number): Generator<Uint8Array> {
  const random = new Random(seed);
  for (let left = total; left > 0;) {
    const size = Math.min(left, random.pick([1, 100, 4095, 4096, 16_384, 65_536, 262_144, 700_000]));
    const chunk = new Uint8Array(size).fill(random.next());
    chunk[0] = size & 0xff;
    left -= size;
    yield chunk;
  }
}

function hashOf(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

beforeAll(async () => {
  const certificate = await developmentCertificate();
  const { port, server } = await run(
    (app) => {
      app.get("/chunks/:seed/:total", (req) => {
        async function* body(): AsyncGenerator<Uint8Array> {
          yield* chunks(Number(req.params.seed), Number(req.params.total));
        }
        return reply(body());
      });
      app.get("/whole/:seed/:total", (req) =>
        Buffer.concat([...chunks(Number(req.params.seed), Number(req.params.total))]),
      );
      app.post("/hash", async (req) => {
        const parts: Uint8Array[] = [];
        for await (const part of req) parts.push(part);
        // Only now: a part that shared memory with a later read would show it.
        return hashOf(parts);
      });
    },
    {
      listeners: [
        { host: "127.0.0.1", port: 0 },
        { host: "127.0.0.1", port: 0, tls: certificate },
      ],
    },
  );
  const secure = server.addresses[1]!.port;
  origins = {
    plain: `http://127.0.0.1:${port}`,
    secure: `https://127.0.0.1:${secure}`,
    ca: String(certificate.cert),
  };
});

const sessions: http2.ClientHttp2Session[] = [];
afterAll(() => sessions.forEach((session) => session.destroy()));

function connect(kind: "plain" | "secure", connectionWindow = 16 * MIB): http2.ClientHttp2Session {
  const session = http2.connect(origins[kind], {
    ca: origins.ca,
    settings: { initialWindowSize: 4 * MIB },
  });
  session.on("connect", () => session.setLocalWindowSize(connectionWindow));
  sessions.push(session);
  return session;
}

async function hashOfAnswer(stream: http2.ClientHttp2Stream, pauses = false): Promise<string> {
  const hash = createHash("sha256");
  let seen = 0;
  for await (const chunk of stream) {
    hash.update(chunk as Buffer);
    if (pauses && ++seen % 20 === 0) await sleep(2);
  }
  return hash.digest("hex");
}

describe.each(["plain", "secure"] as const)("HTTP/2, %s", (kind) => {
  test.each([
    ["chunks", 1],
    ["whole", 2],
  ])("a download of %s arrives unchanged", async (what, seed) => {
    const session = connect(kind);
    const stream = session.request({ ":path": `/${what}/${seed}/${6 * MIB}` });
    expect(await hashOfAnswer(stream)).toBe(hashOf(chunks(seed, 6 * MIB)));
  });

  test("downloads that share a connection with a slow reader arrive unchanged", async () => {
    const session = connect(kind);
    const seeds = [3, 4, 5, 6];
    const hashes = await Promise.all(
      seeds.map((seed) =>
        hashOfAnswer(session.request({ ":path": `/chunks/${seed}/${2 * MIB}` }), seed % 2 === 0),
      ),
    );
    expect(hashes).toEqual(seeds.map((seed) => hashOf(chunks(seed, 2 * MIB))));
  });

  test("uploads that share a connection arrive unchanged", async () => {
    const session = connect(kind);
    const seeds = [7, 8, 9];
    const hashes = await Promise.all(
      seeds.map(async (seed) => {
        const stream = session.request({ ":path": "/hash", ":method": "POST" });
        stream.setEncoding("latin1");
        for (const chunk of chunks(seed, 2 * MIB)) if (!stream.write(chunk)) await once(stream, "drain");
        stream.end();
        let text = "";
        for await (const part of stream) text += part as string;
        return text;
      }),
    );
    expect(hashes).toEqual(seeds.map((seed) => hashOf(chunks(seed, 2 * MIB))));
  });

  test("of streams that compete for a slow reader the urgent one is complete first (RFC 9218)", async () => {
    // Each stream's window holds all of its content, so that only the connection's window is competed for.
    const session = connect(kind, 128 * 1024);
    const order: string[] = [];
    const streams = ["u=6", "u=1"].map((priority) => {
      const stream = session.request({ ":path": `/chunks/10/${3 * MIB}`, priority });
      return hashOfAnswer(stream, true).then(() => order.push(priority));
    });
    await Promise.all(streams);
    expect(order).toEqual(["u=1", "u=6"]);
  });
});

test("HTTP/1.1 with TLS: small chunks of one record, which the engine gathers, arrive unchanged", async () => {
  const parts = Array.from({ length: 40 }, (_, index) => Buffer.alloc(300, `chunk ${index},`));
  const framed = parts.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, "\r\n"]);
  const head = "POST /hash HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
  const socket = connectTls({
    host: "127.0.0.1",
    port: Number(new URL(origins.secure).port),
    ca: origins.ca,
  });
  socket.write(head);
  socket.write(Buffer.concat([...framed, "0\r\n\r\n"].map((part) => Buffer.from(part))));
  let text = "";
  for await (const part of socket) text += String(part);
  expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(hashOf(parts));
});
