// The congestion control of HTTP/3, chosen on either side.

import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { keep } from "./running.ts";

const host = "127.0.0.1";
const CONTENT = Buffer.alloc(300_000, "content ");

test.each(["cubic", "reno", "bbr"] as const)("content goes both ways by %s", async (congestion) => {
  const tls = await developmentCertificate();
  const app = new App().post("/", (req) => req.bytes());
  const server = keep(await app.listen({ host, port: 0, tls, http3: { congestion } }));
  await using client = new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert }, congestion });
  const { port } = new URL(server.urls[0] as string);
  const response = await client.fetch(`https://localhost:${port}/`, { method: "POST", body: CONTENT });
  expect(response.protocol).toBe("h3");
  expect(Buffer.from(await response.arrayBuffer()).equals(CONTENT)).toBe(true);
});

test("a name that is none is refused", async () => {
  const tls = await developmentCertificate();
  const http3 = { congestion: "vegas" as "bbr" };
  await expect(new App().listen({ host, port: 0, tls, http3 })).rejects.toThrow(
    /http3\.congestion is "vegas"; it must be cubic, reno or bbr$/u,
  );
  expect(() => new HttpClient(http3)).toThrow(
    /^client option congestion is "vegas"; it must be cubic, reno or bbr$/u,
  );
});
