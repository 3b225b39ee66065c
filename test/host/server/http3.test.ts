// A server that cannot have UDP says so once and serves what it can; `protocols` tells.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { bindDatagrams } from "../../../host/transport/runtime_datagrams.ts";
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
