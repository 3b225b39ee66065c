// Connections of HTTP/3 to a real server are recorded, and run again on another engine: the same events, and the same datagrams in
// number and length, although each was encrypted under keys that two engines and the runtime's cryptography made together.

import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { readRecording } from "../../../host/engine/index.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { recorded, replayed } from "./recorded.ts";
import { RawTransportClient } from "./web_transport_client.ts";
import { eventually } from "./running.ts";

const tls = await developmentCertificate();

function dial(): HttpClient {
  return new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert } });
}

const connectionsOf3 = async (text: string) =>
  (await replayed(text)).filter(({ lines }) => lines.some((line) => line.startsWith("* accepted from")));

test("requests of two clients at once, with content both ways; and each is told apart", async () => {
  const text = await recorded(
    async (port) => {
      await using one = dial();
      await using other = dial();
      const ask = async (client: HttpClient, id: number): Promise<void> => {
        const headers = { cookie: "secret=1234" };
        const response = await client.fetch(`https://localhost:${port}/users/${id}`, { headers });
        expect([response.protocol, await response.json()]).toEqual(["h3", { id: `${id}` }]);
      };
      await Promise.all(Array.from({ length: 20 }, (_, id) => ask(id % 2 === 0 ? one : other, id)));
      const body = "x".repeat(50_000);
      const echoed = await one.fetch(`https://localhost:${port}/`, { method: "POST", body });
      expect((await echoed.text()).length).toBe(50_000);
      const large = await other.fetch(`https://localhost:${port}/large`);
      expect((await large.arrayBuffer()).byteLength).toBe(500_000);
    },
    { tls, http3: true },
  );
  const connections = await connectionsOf3(text);
  expect(connections.map(({ differences }) => differences)).toEqual([[], []]);
  const [one, other] = connections.map(({ lines }) => lines.join("\n")) as [string, string];
  for (let id = 0; id < 20; id++) {
    const [its, not] = id % 2 === 0 ? [one, other] : [other, one];
    expect(its).toContain(`GET /users/${id} h3`);
    expect(not).not.toContain(`GET /users/${id} h3`);
  }
  expect(one).toMatch(/content of \d+ bytes/);
  expect(one).toContain("* TLS asks for a signature");
  expect(one).toContain('* connected: h3, server name "localhost"');
  expect(one).toContain("*   cookie: (11 characters)");
  expect(one).toContain("* connection closed");
  expect(one).not.toContain("secret");
});

test("sessions of WebTransport, with their streams and datagrams", async () => {
  const text = await recorded(
    async (port) => {
      const client = await RawTransportClient.connect(port, tls.cert);
      const { stream: session } = await client.connect("/wt");
      await eventually("the stream that the server opens", () => client.incoming.length > 0);
      const [opened] = client.incoming;
      await eventually("what is on it", () => opened!.bytes.includes("hello"));
      await session.end();
      await client.close();
    },
    { tls, http3: true },
    (app) =>
      void app.webtransport("/wt", async (session) => {
        const stream = await session.createUnidirectionalStream();
        const writer = stream.getWriter();
        await writer.write(Buffer.from("hello"));
        await writer.close();
      }),
  );
  const [connection, ...others] = await connectionsOf3(text);
  expect(others).toEqual([]);
  expect(connection?.differences).toEqual([]);
  expect(connection?.lines).toContain("  openSessionStream");
  expect(connection?.lines.filter((line) => line.startsWith("  writeStream")).length).toBeGreaterThan(0);
});

test("a Retry and a datagram that was changed on its way", async () => {
  const text = await recorded(
    async (port) => {
      await using client = dial();
      expect(await (await client.fetch(`https://localhost:${port}/users/1`)).json()).toEqual({ id: "1" });
    },
    { tls, http3: { retry: true } },
  );
  const [same] = await connectionsOf3(text);
  expect(same?.differences).toEqual([]);
  const connection = readRecording(text).connections.find(({ setupCount }) => setupCount > 0);
  const datagrams = connection!.calls.filter(([door]) => door === "receiveDatagrams");
  const bytes = datagrams[0]![2];
  const changed = Buffer.from(bytes, "base64");
  changed[changed.length - 1]! ^= 1;
  const [other] = await replayed(text.replace(bytes, changed.toString("base64")));
  expect(other?.lines.join("\n")).not.toContain("* connected");
  expect(other?.differences.length).toBeGreaterThan(0);
});
