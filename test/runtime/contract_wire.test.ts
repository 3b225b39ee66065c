// The contract server byte by byte: framing, order, interim answers, half-closed connections, and second requests hidden in
// the first. `/smuggled` answers 299 with `x-smuggled`, so a request that should never have been seen shows itself.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";
import { connectRaw } from "./raw_client.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
afterAll(() => server.stop());

const HOST = "host: localhost\r\n";
const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const SMUGGLED = get("/smuggled");
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));

describe.each([false, true])("over TLS: %s", (isSecure) => {
  const connect = async () => {
    const client = await connectRaw(server, isSecure);
    onTestFinished(() => client.close());
    return client;
  };
  /** What comes back until the server ends the connection. */
  const exchange = async (bytes: string) => {
    const client = await connect();
    client.send(bytes);
    return client.untilEnd();
  };

  test("pipelined requests are answered in order, slow ones first", async () => {
    const text = await exchange(
      get("/slow/80") + get("/json") + get("/slow/10") + get("/bytes/3") + get("/", "connection: close\r\n"),
    );
    const order = [
      "80 ms later",
      '{"message":"Hello, World!"}',
      "10 ms later",
      "\0\x01\x02",
      "Hello, World!",
    ];
    const positions = order.map((body) => text.lastIndexOf(body));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(positions).not.toContain(-1);
    expect(statuses(text)).toEqual([200, 200, 200, 200, 200]);
  });

  test("a request may arrive byte by byte", async () => {
    const client = await connect();
    client.socket.setNoDelay(true);
    for (const byte of `PUT / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`) {
      client.send(byte);
      await new Promise((wake) => setImmediate(wake));
    }
    expect(await client.until(/\r\n\r\nabc$/)).toContain("content-length: 3\r\n");
  });

  test("100 Continue comes when the handler asks for the body, once", async () => {
    const client = await connect();
    client.send(`POST / HTTP/1.1\r\n${HOST}content-length: 4\r\nexpect: 100-continue\r\n\r\n`);
    expect(await client.until(/\r\n\r\n$/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    expect(statuses(await client.until(/body$/))).toEqual([100, 200]);
  });

  test("no 100 Continue comes when the handler asks for nothing", async () => {
    const client = await connect();
    client.send(`POST /echo HTTP/1.1\r\n${HOST}content-length: 4\r\nexpect: 100-continue\r\n\r\n`);
    expect(statuses(await client.until(/expect: 100-continue/))).toEqual([200]);
  });

  test("a peer that has ended its sending side still gets its answers", async () => {
    const client = await connect();
    client.socket.end(get("/slow/50") + get("/json"));
    const text = await client.untilEnd();
    expect(statuses(text)).toEqual([200, 200]);
    expect(text).toMatch(/"Hello, World!"}$/);
  });

  test("the trailer follows the last chunk", async () => {
    const client = await connect();
    client.send(get("/trailers"));
    const text = await client.until(/\r\n0\r\nx-checksum: [0-9a-f]{64}\r\n\r\n$/);
    const checksum = createHash("sha256")
      .update("a body\nwhose checksum\nis known at its end\n")
      .digest("hex");
    expect(text).toContain(`x-checksum: ${checksum}`);
    expect(text).toContain("trailer: x-checksum\r\n");
  });

  test("103 precedes the answer, and HTTP/1.0 is spared it", async () => {
    const client = await connect();
    client.send(get("/early"));
    const text = await client.until(/a hint!$/);
    expect(statuses(text)).toEqual([103, 200]);
    expect(text).toContain("link: </style.css>; rel=preload; as=style\r\n");
    expect(await exchange(`GET /early HTTP/1.0\r\n\r\n`)).not.toContain(" 103 ");
  });

  test.each(["PURGE", "FOO", "M-SEARCH", "get", "QUERY"])(
    "method %s reaches /echo as it is",
    async (method) => {
      const text = await exchange(
        `${method} /echo HTTP/1.1\r\n${HOST}connection: close\r\nx-mark: 1\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).toMatch(/\r\n\r\nhost: localhost\nconnection: close\nx-mark: 1\n$/);
    },
  );

  test("HEAD has the fields of GET and no body", async () => {
    const text = await exchange(`HEAD /bytes/1000 HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`);
    expect(text).toContain("content-length: 1000\r\n");
    expect(text).toMatch(/\r\n\r\n$/);
  });

  test("OPTIONS * is answered for the server", async () => {
    expect(await exchange(`OPTIONS * HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 204 /,
    );
  });

  test("HTTP/1.0 closes after the answer unless asked to stay", async () => {
    expect(await exchange("GET / HTTP/1.0\r\n\r\n")).toMatch(/Hello, World!$/);
    const client = await connect();
    client.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    await client.until(/Hello, World!$/);
    client.send("GET /json HTTP/1.0\r\n\r\n");
    expect(await client.untilEnd()).toMatch(/"Hello, World!"}$/);
  });

  test.each<[what: string, bytes: string, status: number]>([
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["two hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
    ["an unknown version", `GET / HTTP/3.7\r\n${HOST}\r\n`, 505],
    ["a target of 9,000 bytes", get(`/${"a".repeat(9000)}`), 414],
    ["a head of 40,000 bytes", get("/", `x: ${"a".repeat(40_000)}\r\n`), 431],
    ["101 fields", get("/", "x: 1\r\n".repeat(100)), 431],
    ["an unknown coding", `POST / HTTP/1.1\r\n${HOST}transfer-encoding: gzip, chunked\r\n\r\n`, 501],
    ["an unknown expectation", get("/", "expect: miracles\r\n"), 417],
    ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\r\n\r\n", 400],
  ])("%s: an error and the end", async (_what, bytes, status) => {
    expect(statuses(await exchange(bytes))).toEqual([status]);
  });

  describe("a second request inside the first", () => {
    test("shows itself when it is an honest one", async () => {
      const client = await connect();
      client.send(get("/") + SMUGGLED);
      expect(statuses(await client.until(/a second request/))).toEqual([200, 299]);
      expect(client.received()).toContain("x-smuggled: 1\r\n");
    });

    const post = (fields: string, body: string) => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
    const chunked = "transfer-encoding: chunked\r\n";
    test.each<[what: string, bytes: string]>([
      ["CL.TE", post(`content-length: 6\r\n${chunked}`, `0\r\n\r\n${SMUGGLED}`)],
      ["TE.CL", post(`${chunked}content-length: 4\r\n`, `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`)],
      ["two lengths", post(`content-length: 0\r\ncontent-length: 5\r\n`, SMUGGLED)],
      ["a list of lengths", post(`content-length: 0, 5\r\n`, SMUGGLED)],
      ["a length with a sign", post(`content-length: +0\r\n`, SMUGGLED)],
      ["a hexadecimal length", post(`content-length: 0x0\r\n`, SMUGGLED)],
      ["chunked, identity", post(`transfer-encoding: chunked, identity\r\n`, `0\r\n\r\n${SMUGGLED}`)],
      ["chunked twice", post(`${chunked}${chunked}`, `0\r\n\r\n${SMUGGLED}`)],
      ["xchunked", post(`transfer-encoding: xchunked\r\n`, SMUGGLED)],
      [
        "chunked with a tab before the colon",
        post(`transfer-encoding\t: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
      ],
      ["a space before the colon", post(`content-length : 0\r\n`, SMUGGLED)],
      ["a folded line", post(`x: 1\r\n content-length: 0\r\n`, SMUGGLED)],
      ["chunked for HTTP/1.0", `POST / HTTP/1.0\r\n${chunked}\r\n0\r\n\r\n${SMUGGLED}`],
      ["a bare LF after the chunk size", post(chunked, `1\nx\r\n0\r\n\r\n${SMUGGLED}`)],
      ["a bare LF in an extension", post(chunked, `1;a\nx\r\n0\r\n\r\n${SMUGGLED}`)],
      ["no CRLF after the data", post(chunked, `1\r\nxx0\r\n\r\n${SMUGGLED}`)],
      ["a size above 64 bits", post(chunked, `10000000000000001\r\nx\r\n0\r\n\r\n${SMUGGLED}`)],
      ["a bare CR in a field", post(`x: a\rb\r\ncontent-length: 0\r\n`, SMUGGLED)],
      ["a NUL in a field", post(`x: a\0b\r\ncontent-length: 0\r\n`, SMUGGLED)],
      ["bare LFs as line ends", `POST / HTTP/1.1\nhost: localhost\ncontent-length: 0\n\n${SMUGGLED}`],
    ])("%s: refused and closed", async (_what, bytes) => {
      const text = await exchange(bytes);
      expect(text).not.toContain("x-smuggled");
      expect(statuses(text).at(-1)).toBeGreaterThanOrEqual(400);
    });

    test("is content when it lies in a body that the handler leaves unread", async () => {
      const client = await connect();
      client.send(`POST /echo HTTP/1.1\r\n${HOST}content-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
      client.send(get("/json"));
      const text = await client.until(/"Hello, World!"}$/);
      expect(statuses(text)).toEqual([200, 200]);
    });

    test("is never read when the unread body before it is too long to discard", async () => {
      const client = await connect();
      client.send(`POST /echo HTTP/1.1\r\n${HOST}content-length: 100000000\r\n\r\n`);
      client.send(SMUGGLED.repeat(20_000));
      expect(statuses(await client.untilEnd())).toEqual([200]);
    });

    test("is content when a client sends the body without waiting for 100 Continue", async () => {
      const client = await connect();
      const expecting = `content-length: ${SMUGGLED.length}\r\nexpect: 100-continue\r\n`;
      client.send(`POST /echo HTTP/1.1\r\n${HOST}${expecting}\r\n${SMUGGLED}`);
      client.send(get("/json", "connection: close\r\n"));
      expect(await client.untilEnd()).not.toContain("x-smuggled");
    });
  });

  test.skipIf(process.platform !== "linux")("a peer that stops reading costs little memory", async () => {
    const residentMiB = () => {
      const status = readFileSync(`/proc/${server.program.child.pid}/status`, "latin1");
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
    };
    const client = await connect();
    client.send(get("/bytes/100000"));
    await client.until(/HTTP/);
    const before = residentMiB();
    client.socket.pause();
    client.send(get("/bytes/4000000000"));
    await new Promise((wake) => setTimeout(wake, 500));
    expect(residentMiB() - before).toBeLessThan(64);
  });
});
