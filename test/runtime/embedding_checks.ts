// What the examples of embedding answer, in whichever language they are.

import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { text } from "node:stream/consumers";

export const embeddingChecks: Readonly<Record<string, (url: string) => Promise<void>>> = {
  async "HTTP/1.1"(url) {
    const answer = await fetch(`${url}/a?b=1`, { headers: { connection: "close" } });
    assert.equal(answer.headers.get("content-type"), "text/plain");
    assert.match(await answer.text(), /^You asked .*for \/a\?b=1\n$/);
  },

  async "what is not HTTP"(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect({ host: hostname, port: Number(port) });
    socket.write("GET / HTTP/1.1\r\nno colon\r\n\r\n");
    assert.match(await text(socket), /^HTTP\/1.1 400 /);
  },

  async "HTTP/2"(url) {
    const session = http2.connect(url);
    const bodies = await Promise.all([1, 2, 3].map((id) => text(session.request({ ":path": `/${id}` }))));
    session.close();
    await once(session, "close");
    bodies.forEach((body, index) => assert.match(body, new RegExp(`for /${index + 1}\n$`)));
  },
};
