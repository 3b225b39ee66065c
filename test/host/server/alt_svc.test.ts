// The alt-svc field of answers: over TLS, on short and long ways alike, unless the handler says another, and `clear` at the end.

import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { Reply } from "../../../host/router/index.ts";
import type { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { run } from "./running.ts";

const tls = await developmentCertificate();
const h3 = 'h3=":443"; ma=60';

function routes(app: App): void {
  app.get("/", () => "short");
  app.get("/json", () => ({ a: 1 }));
  app.get("/long", () => new Uint8Array(100_000));
  app.get("/own", () => Reply.text("own").set("alt-svc", 'h3=":8443"'));
  app.get("/stream", () => new Response("streamed"));
}

const paths = ["/", "/json", "/long", "/stream", "/nowhere"];

test.each(["http/1.1", "h2"] as const)("is what the option says, over %s", async (protocol) => {
  const { port, server } = await run(routes, { tls, altSvc: h3 });
  await using client = new HttpClient({ protocols: [protocol], tls: { ca: tls.cert } });
  const said = async (path: string): Promise<string | null> => {
    const response = await client.fetch(`https://localhost:${port}${path}`);
    await response.arrayBuffer();
    return response.headers.get("alt-svc");
  };
  for (const path of paths) expect([path, await said(path)]).toEqual([path, h3]);
  expect(await said("/own")).toBe('h3=":8443"');
  let current: string | null = 'h3=":444"';
  server.advertise(() => current);
  for (const path of paths) expect([path, await said(path)]).toEqual([path, current]);
  current = null;
  for (const path of paths) expect([path, await said(path)]).toEqual([path, null]);
});

test("is not said without TLS, where nobody could trust it, nor where nothing was set", async () => {
  await using client = new HttpClient({ tls: { ca: tls.cert } });
  const plain = await run(routes, { altSvc: h3 });
  const silent = await run(routes, { tls });
  for (const url of [`http://localhost:${plain.port}/`, `https://localhost:${silent.port}/`]) {
    const response = await client.fetch(url);
    await response.text();
    expect(response.headers.get("alt-svc")).toBeNull();
  }
});

test("is clear while the server closes", async () => {
  let answer = (): void => undefined;
  const { port, server } = await run(
    (app) => void app.get("/", () => new Promise<string>((resolve) => (answer = () => resolve("late")))),
    { tls, altSvc: h3 },
  );
  await using client = new HttpClient({ tls: { ca: tls.cert } });
  const asked = client.fetch(`https://localhost:${port}/`);
  while (server.pool.counters().get("exchanges_open") !== 1) await new Promise(setImmediate);
  const closing = server.close();
  answer();
  const response = await asked;
  expect([response.headers.get("alt-svc"), await response.text()]).toEqual(["clear", "late"]);
  expect(await closing).toEqual({ connections: 0, exchanges: 0 });
});

test.each(["", "clear", "h3", 'h3=":no"', 1, {}])("refuses the option %j", async (altSvc) => {
  const wrong = run(routes, { tls, altSvc: altSvc as string });
  await expect(wrong).rejects.toThrow(/^listen option altSvc is .*; it must be a value such as/u);
});
