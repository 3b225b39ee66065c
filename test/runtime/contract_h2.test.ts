// The contract server over HTTP/2, by ALPN and by prior knowledge, asked by node:http2: the rows that differ from HTTP/1.1,
// and what many streams on one connection do to each other.

import { createHash } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import tls from "node:tls";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
afterAll(() => server.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly hints: number[];
  readonly body: Buffer;
}

async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
  body?: Uint8Array,
): Promise<Answer> {
  const stream = session.request(fields, { endStream: body === undefined });
  const hints: number[] = [];
  let trailers: IncomingHttpHeaders = {};
  stream.on("headers", (interim) => hints.push(Number(interim[":status"])));
  stream.on("trailers", (fieldsAtEnd: IncomingHttpHeaders) => void (trailers = fieldsAtEnd));
  if (body !== undefined) stream.end(body);
  const [[headers], content] = await Promise.all([
    once(stream, "response") as Promise<[IncomingHttpHeaders]>,
    buffer(stream),
  ]);
  return { status: Number(headers[":status"]), headers, trailers, hints, body: content };
}

describe.each([false, true])("over TLS: %s", (isSecure) => {
  const connect = (options: http2.SecureClientSessionOptions = {}) => {
    const session = http2.connect(isSecure ? server.secure : server.plain, { ...options, ca: server.cert });
    session.on("error", () => undefined);
    onTestFinished(() => session.destroy());
    return session;
  };

  test("text, JSON, a parameter, and what no route answers", async () => {
    const session = connect();
    const text = await ask(session, { ":path": "/" });
    expect([text.status, text.headers["content-type"], String(text.body)]).toEqual([
      200,
      expect.stringContaining("text/plain"),
      "Hello, World!",
    ]);
    expect(String((await ask(session, { ":path": "/json" })).body)).toBe('{"message":"Hello, World!"}');
    expect(String((await ask(session, { ":path": "/users/a%20b" })).body)).toBe('{"id":"a b"}');
    expect((await ask(session, { ":path": "/nowhere" })).status).toBe(404);
    expect((await ask(session, { ":path": "/", ":method": "DELETE" })).status).toBe(405);
  });

  test("content in both directions", async () => {
    const session = connect();
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 256));
    const echoed = await ask(session, { ":path": "/", ":method": "POST" }, sent);
    expect(echoed.body.equals(sent)).toBe(true);
    const counted = await ask(session, { ":path": "/count", ":method": "POST" }, sent);
    expect(String(counted.body)).toBe("3000000");
    const bytes = (await ask(session, { ":path": "/bytes/2000003" })).body;
    expect(bytes.equals(Buffer.from(Array.from({ length: 2_000_003 }, (_, index) => index % 251)))).toBe(
      true,
    );
  });

  test("trailers, 103 and a push", async () => {
    const session = connect();
    const { body, trailers } = await ask(session, { ":path": "/trailers" });
    expect(trailers["x-checksum"]).toBe(createHash("sha256").update(body).digest("hex"));
    expect((await ask(session, { ":path": "/early" })).hints).toEqual([103]);
    const pushed = once(session, "stream") as Promise<[http2.ClientHttp2Stream, IncomingHttpHeaders]>;
    await ask(session, { ":path": "/push" });
    const [stream, fields] = await pushed;
    expect(fields[":path"]).toBe("/json");
    expect(String(await buffer(stream))).toBe('{"message":"Hello, World!"}');
  });

  test("a slow answer holds up no other", async () => {
    const session = connect();
    const order: string[] = [];
    await Promise.all(
      ["/slow/400", "/slow/200", "/json"].map(async (path) => {
        await ask(session, { ":path": path });
        order.push(path);
      }),
    );
    expect(order).toEqual(["/json", "/slow/200", "/slow/400"]);
  });

  test("hundred streams at once are each answered with their own", async () => {
    const session = connect();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, id) => ask(session, { ":path": `/users/${id}` })),
    );
    expect(answers.map(({ body }) => String(body))).toEqual(
      Array.from({ length: 100 }, (_, id) => `{"id":"${id}"}`),
    );
  });

  test("a stream that is not read stops nobody, and costs what its window lets it", async () => {
    const session = connect();
    const stalled = session.request({ ":path": "/bytes/4000000000" });
    await once(stalled, "response");
    stalled.pause();
    expect(String((await ask(session, { ":path": "/json" })).body)).toBe('{"message":"Hello, World!"}');
    stalled.close(http2.constants.NGHTTP2_CANCEL);
    expect((await ask(session, { ":path": "/" })).status).toBe(200);
  });
});

describe("ALPN", () => {
  test.each([
    [["h2", "http/1.1"], "h2"],
    [["http/1.1", "h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], false],
  ])("of %j chooses %s", async (ALPNProtocols, chosen) => {
    const { hostname, port } = new URL(server.secure);
    const socket = tls.connect({ host: hostname, port: Number(port), ca: server.cert, ALPNProtocols });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(chosen);
  });
});
