// What a WASI server of examples/wasi answers, whatever runs it: one list of checks for every host, over HTTP/1.1 and HTTP/2.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import http2 from "node:http2";
import net from "node:net";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";

const MIB = 1024 * 1024;

/** By name; each rejects when the server at `url` (without a slash at its end) does something else. */
export const wasiChecks: Readonly<Record<string, (url: string) => Promise<void>>> = {
  async "text, JSON and a parameter"(url) {
    assert.equal(await (await fetch(`${url}/`)).text(), "Hello, World!");
    const json = await fetch(`${url}/json?unread=1`);
    assert.equal(json.headers.get("content-type"), "application/json");
    assert.deepEqual(await json.json(), { message: "Hello, World!" });
    const user = await fetch(`${url}/users/${encodeURIComponent('ä "x"\\')}`);
    assert.deepEqual(await user.json(), { id: 'ä "x"\\' });
  },

  async "what no route answers"(url) {
    assert.equal((await fetch(`${url}/nowhere`)).status, 404);
    assert.equal((await fetch(`${url}/users/`)).status, 404);
    const refused = await fetch(`${url}/`, { method: "DELETE" });
    assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, POST, PUT"]);
    const head = await fetch(`${url}/`, { method: "HEAD" });
    assert.deepEqual([head.headers.get("content-length"), await head.text()], ["13", ""]);
  },

  async "header lines"(url) {
    const echo = await fetch(`${url}/echo`, {
      method: "PATCH",
      headers: { "X-Odd": "1", accept: "text/plain" },
    });
    const lines = (await echo.text()).split("\n");
    assert.ok(lines.includes("x-odd: 1") && lines.includes("accept: text/plain"), lines.join());
  },

  async "content in both directions"(url) {
    const sent = randomBytes(3 * MIB);
    const echoed = await fetch(`${url}/`, { method: "POST", body: sent });
    assert.ok(sent.equals(Buffer.from(await echoed.arrayBuffer())));
    async function* chunks() {
      for (let i = 0; i < 8; i++) yield sent.subarray(0, 100_000);
    }
    const counted = await fetch(`${url}/count`, {
      method: "POST",
      body: ReadableStream.from(chunks()),
      duplex: "half",
    });
    assert.equal(await counted.text(), "800000");
    const bytes = new Uint8Array(await (await fetch(`${url}/bytes/2000003`)).arrayBuffer());
    assert.equal(bytes.length, 2_000_003);
    assert.equal(
      bytes.findIndex((byte, index) => byte !== index % 251),
      -1,
    );
    assert.equal((await fetch(`${url}/bytes/1e3`)).status, 400);
  },

  async "HTTP/2 with many streams at once"(url) {
    const session = http2.connect(url);
    try {
      const sent = randomBytes(200_000);
      const ask = async (path: string, body?: Buffer) => {
        const stream = session.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
        stream.end(body);
        return buffer(stream);
      };
      const answers = await Promise.all([
        ...Array.from({ length: 50 }, (_, id) => ask(`/users/${id}`)),
        ask("/", sent),
        ask("/bytes/500000"),
      ]);
      assert.deepEqual(JSON.parse(answers[49]!.toString()), { id: "49" });
      assert.ok(answers[50]!.equals(sent));
      assert.equal(answers[51]!.length, 500_000);
    } finally {
      session.close();
      await once(session, "close");
    }
  },

  async "a pipeline, and the end of its connection"(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect({ host: hostname, port: Number(port) });
    const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
    socket.write(get("/json") + get("/users/1") + get("/", "connection: close\r\n"));
    const received = await text(socket);
    assert.match(
      received,
      /Hello, World!"}HTTP\/1.1 200 OK[^]*{"id":"1"}HTTP\/1.1 200 OK[^]*\r\n\r\nHello, World!$/,
    );
  },

  async "what is not HTTP"(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect({ host: hostname, port: Number(port) });
    socket.write("GET / HTTP/1.1\r\nno colon\r\n\r\n");
    assert.match(await text(socket), /^HTTP\/1.1 400 /);
  },
};
