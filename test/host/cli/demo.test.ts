// The demo: every link of its page answers, and it ends although its clock never would.

import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readArguments } from "../../../host/cli/arguments.ts";
import { serveDemo } from "../../../host/cli/demo.ts";
import { demoApp } from "../../../host/cli/demo_app.ts";
import { HttpClient, WebTransport } from "../../../host/index.ts";
import { startNode } from "../../runtime/program.ts";

const { app, stop } = demoApp(() => Promise.resolve("metrics\n"));
const ask = (path: string, init?: RequestInit) => app.fetch(new Request(`https://localhost${path}`, init));

describe("the demo's page", () => {
  test("tells the protocol, and each of its links answers", async () => {
    const page = await ask("/");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const html = await page.text();
    expect(html).toContain("HTTP/1.1 over TLS");
    const links = [...html.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!.replaceAll("&amp;", "&"));
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) {
      const answer = await ask(link);
      expect(answer.status, link).toBe(200);
      await answer.body?.cancel();
    }
  });

  test("lists every route", async () => {
    const html = await (await ask("/")).text();
    for (const { method, pattern } of app.routes()) expect(html).toContain(`${method} ${pattern}`);
  });
});

describe("the demo's routes", () => {
  test("count an upload", async () => {
    const answer = await ask("/upload", { method: "POST", body: new Uint8Array(70_000) });
    expect(await answer.json()).toEqual({ byteCount: 70_000 });
  });

  test("tick until the demo stops", async () => {
    const reader = (await ask("/ticks")).body!.getReader();
    const { value } = (await reader.read()) as { value: Uint8Array };
    expect(new TextDecoder().decode(value)).toMatch(/^data: \d{4}-\d\d-\d\dT.*Z\n\n$/);
    const ready = async () => (await app.fetch(new Request("http://localhost/readyz"))).status;
    expect(await ready()).toBe(200);
    stop();
    expect(await ready()).toBe(503);
    expect((await reader.read()).done).toBe(true);
  });
});

test("a session of WebTransport over HTTP/3 echoes, and ends with the demo", async () => {
  const command = readArguments(["demo", "--host", "localhost", "--port", "0", "--tls-port", "0"]);
  if (command.name !== "demo") throw new Error(`it is ${command.name}`);
  const demo = await serveDemo(command.options);
  const secure = demo.server.urls.find((url) => url.startsWith("https:"))!;
  const client = new HttpClient({ tls: { rejectUnauthorized: false } });
  const html = await (await client.fetch(secure)).text();
  expect(html).toMatch(/const hash = "[\w+/]{43}="/u);
  await client.close();
  const session = new WebTransport(`${secure}echo`, { tls: { rejectUnauthorized: false } });
  const { readable, writable } = await session.createBidirectionalStream();
  const writer = writable.getWriter();
  await writer.write(Buffer.from("hello"));
  await writer.close();
  expect(await new Response(readable).text()).toBe("hello");
  await session.datagrams.writable.getWriter().write(Buffer.from("hi"));
  const { value } = await session.datagrams.readable.getReader().read();
  expect(Buffer.from(value!).toString()).toBe("hi");
  demo.stop();
  expect(await demo.server.close({ deadlineMs: 4000 })).toEqual({ connections: 0, exchanges: 0 });
  expect(await session.closed).toEqual({ closeCode: 0, reason: "" });
});

describe("httpy demo", () => {
  const busy = net.createServer();
  beforeAll(() => new Promise<void>((resolve) => void busy.listen(0, "127.0.0.1", resolve)));
  afterAll(() => void busy.close());

  test.skipIf(process.platform === "win32")("closes at once while a clock is being read", async () => {
    const program = startNode(["dist/cli.js", "demo", "--port", "0", "--tls-port", "0"]);
    const [, url] = await program.prints(/^serving (http:\S+) [^]*^serving https:/m);
    const clock = await fetch(`${url}ticks`);
    await clock.body!.getReader().read();
    expect(await program.stop()).toBe(0);
    expect(program.stderr()).toContain("closed; everything was finished");
  });

  test("a port that was asked for is that port or an error", async () => {
    const { port } = busy.address() as net.AddressInfo;
    const program = startNode(["dist/cli.js", "demo", "--host", "127.0.0.1", "--port", String(port)]);
    expect(await program.ended()).toBe(1);
    expect(program.stderr()).toContain("EADDRINUSE");
  });

  test("a usual port that is taken gives way to the next one", async () => {
    const first = startNode(["dist/cli.js", "demo", "--host", "127.0.0.1"]);
    await first.prints(/^serving https:/m);
    const second = startNode(["dist/cli.js", "demo", "--host", "127.0.0.1"]);
    const [, url] = await second.prints(/^serving (http:\S+) [^]*^serving https:/m);
    expect((await fetch(`${url}json`)).status).toBe(200);
    await Promise.all([first.stop(), second.stop()]);
    expect(first.stdout()).not.toBe(second.stdout());
  });
});
