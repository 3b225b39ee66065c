// The client of HTTP/3 and versions of QUIC (RFC 9000 §6.2): where version 1 is said not to be spoken it asks again in version 2, and
// finds out when a server that speaks both was never asked (RFC 9368 §4).

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { App } from "../../../host/index.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";

const V2 = 0x6b3343cf;
const LONG_HEADER = 0x80;

test("a client of HTTP/3 that is offered version 2 connects again, and is not fooled", async () => {
  const certificate = await developmentCertificate();
  const app = new App();
  app.get("/", () => "hello");
  const tls = { key: certificate.key, cert: certificate.cert };
  const server = await app.listen({ host: "127.0.0.1", port: 0, tls, http3: true });
  const asked: number[] = [];
  const front = createSocket("udp4");
  const back = createSocket("udp4");
  let client = 0;
  front.on("message", (bytes, { port }) => {
    client = port;
    const version = bytes.readUInt32BE(1);
    if (((bytes[0] as number) & LONG_HEADER) !== 0) asked.push(version);
    if (version !== 1) return back.send(bytes, server.port, "127.0.0.1");
    // A Version Negotiation packet, RFC 9000 §17.2.1.
    const destination = bytes.subarray(5, 6 + (bytes[5] as number));
    const source = bytes.subarray(
      5 + destination.length,
      6 + destination.length + (bytes[5 + destination.length] as number),
    );
    const offered = Buffer.alloc(4);
    offered.writeUInt32BE(V2);
    return front.send(
      Buffer.concat([Uint8Array.of(0xc0, 0, 0, 0, 0), source, destination, offered]),
      port,
      "127.0.0.1",
    );
  });
  back.on("message", (bytes) => front.send(bytes, client, "127.0.0.1"));
  front.bind(0, "127.0.0.1");
  back.bind(0, "127.0.0.1");
  await Promise.all([once(front, "listening"), once(back, "listening")]);
  const http = new HttpClient({ protocols: ["h3"], tls: { ca: certificate.cert, servername: "localhost" } });
  try {
    const error: unknown = await http
      .fetch(`https://127.0.0.1:${front.address().port}/`)
      .catch((reason: unknown) => reason);
    expect(String((error as { cause?: unknown }).cause)).toContain("transport error 0x11");
    expect(new Set(asked)).toEqual(new Set([1, V2]));
    expect(asked[0]).toBe(1);
  } finally {
    await http.close();
    front.close();
    back.close();
    await server.close();
  }
});
