// A server that cannot have UDP says so once and serves what it can; `protocols` tells.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { bindDatagrams } from "../../../host/transport/runtime_datagrams.ts";
import { connectQuic } from "../../../host/quic/connect_quic.ts";
import type { DatagramSocket } from "../../../host/transport/datagrams.ts";
import { runtimeTransport } from "../../../host/transport/runtime_transport.ts";
import type { Transport } from "../../../host/transport/transport.ts";
import { keep } from "./running.ts";

const host = "127.0.0.1";
const silent = { debug: ignore, info: ignore, error: ignore };

function ignore(): void {
  return undefined;
}

test("h1 and h2 are served, without alt-svc, where somebody else has the UDP port", async () => {
  const tls = await developmentCertificate();
  // A port that is free for TCP as well, and stays so until the server asks for it.
  const reserved = createServer().listen(0, host);
  await once(reserved, "listening");
  const { port } = reserved.address() as AddressInfo;
  const taken = await bindDatagrams({ host, port }, { onDatagram: ignore, onClose: ignore });
  await new Promise((resolve) => reserved.close(resolve));
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_fields: object, message: string) => void warnings.push(message) };
  const app = new App().get("/", () => "here");
  const server = keep(await app.listen({ host, port: taken.port, tls, http3: true, logger }));
  expect(server.protocols).toEqual(["h2", "http/1.1"]);
  expect(warnings).toEqual([`HTTP/3 is not served on port ${taken.port}: UDP cannot be used`]);
  for (const protocol of ["http/1.1", "h2"] as const) {
    await using client = new HttpClient({ protocols: [protocol], tls: { ca: tls.cert } });
    const response = await client.fetch(`https://localhost:${taken.port}/`);
    expect([response.protocol, response.headers.get("alt-svc")]).toEqual([protocol, null]);
    expect(await response.text()).toBe("here");
  }
  await taken.close();
  const other = keep(await app.listen({ host, port: 0, tls, http3: true, logger }));
  expect(other.protocols).toEqual(["h3", "h2", "http/1.1"]);
  expect(warnings.length).toBe(1);
});

/** The runtime's transport, where somebody has the UDP port of the first `count` listeners. */
function withTakenPorts(count: number): { transport: Transport; taken: DatagramSocket[]; ports: number[] } {
  const taken: DatagramSocket[] = [];
  const ports: number[] = [];
  const transport: Transport = {
    name: "taken",
    listen: async (target, onSocket) => {
      const listener = await runtimeTransport.listen(target, onSocket);
      const { port } = listener.address;
      ports.push(port);
      if (taken.length < count)
        taken.push(await bindDatagrams({ host, port }, { onDatagram: ignore, onClose: ignore }));
      return listener;
    },
  };
  return { transport, taken, ports };
}

test.each([
  ["the next is taken", 3, true],
  ["eight are tried", 8, false],
])("of any port whose number somebody has for UDP %s", async (_name, count, isServed) => {
  const tls = await developmentCertificate();
  const { transport, taken, ports } = withTakenPorts(count);
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_fields: object, message: string) => void warnings.push(message) };
  const app = new App().get("/", () => "here");
  const server = keep(await app.listen({ host, tls, http3: true, logger, transport }));
  expect(ports).toHaveLength(isServed ? count + 1 : count);
  expect(new Set(ports).size).toBe(ports.length);
  expect(server.addresses.map(({ port }) => port)).toEqual(ports.slice(-1));
  expect(server.protocols.includes("h3")).toBe(isServed);
  expect(warnings).toHaveLength(isServed ? 0 : 1);
  await using client = new HttpClient({ protocols: [isServed ? "h3" : "h2"], tls: { ca: tls.cert } });
  const response = await client.fetch(`https://${host}:${server.port}/`);
  expect(await response.text()).toBe("here");
  // Those that were not taken are given back.
  const refused = await fetch(`http://${host}:${ports[0]}/`).catch((error: Error) => error);
  if (isServed) expect(refused).toBeInstanceOf(Error);
  await Promise.all(taken.map((socket) => socket.close()));
});

test("clients go to the preferred address", async () => {
  const tls = await developmentCertificate();
  const traces: string[] = [];
  const qlog = () => ({ write: (text: string) => void traces.push(text), end: ignore });
  const app = new App().get("/", (req) => req.exchange.protocol);
  const server = keep(
    await app.listen({
      host,
      port: 0,
      tls,
      http3: { preferredAddress: { host: "127.0.0.1" } },
    }),
  );
  await using client = new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert }, qlog });
  for (let asked = 0; asked < 5; asked++) {
    const response = await client.fetch(`https://${host}:${server.port}/`);
    expect([response.status, response.protocol]).toEqual([200, "h3"]);
    await response.text();
  }
  expect(traces.join("")).toContain("path_challenge");
});

test("an error of a peer counts once, and is none of the host's", async () => {
  const tls = await developmentCertificate();
  const app = new App().post("/", async (req) => {
    let length = 0;
    for await (const chunk of req) length += chunk.length;
    return String(length);
  });
  const server = keep(await app.listen({ host, port: 0, tls, http3: true }));
  const client = await connectQuic({
    alpn: ["h3"],
    host,
    port: server.port,
    ca: tls.cert,
    serverName: "localhost",
  });
  const control = (await client.connection.openStream({ unidirectional: true })).writable.getWriter();
  await control.write(Uint8Array.of(0, 4, 0));
  // A request with content, then frames without content until the server has enough (CVE-2019-9518).
  const head = [0, 0, 0xd4, 0xd7, 0xc1, 0x50, 9, ...Buffer.from("localhost")];
  const request = (await client.connection.openStream()).writable.getWriter();
  const frames = Buffer.concat([Uint8Array.of(1, head.length, ...head, 0, 1, 0), Buffer.alloc(2000)]);
  await request.write(frames).catch(ignore);
  const end = await client.connection.closed;
  expect(end).toMatchObject({ code: 0x107n, isApplication: true });
  const metrics = await server.metrics();
  expect(metrics).toMatch(/^httpy_peer_errors_total 1$/mu);
  expect(metrics).toMatch(/^httpy_host_errors_total 0$/mu);
});
