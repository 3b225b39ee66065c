// The engine and the router in a page, a worker and a service worker of a headless Chromium, by the example in
// examples/browser/, which this project's own server serves.

import assert from "node:assert/strict";
import { startNode } from "../runtime/program.ts";
import { Chromium, findChromium, type Page } from "./chromium.ts";
import { problemOf, results, skipped, type Suite, type SuiteResult } from "./suite.ts";

/** Resolves in the page once the example has done all it does by itself. */
const COMPLETE = `new Promise((resolve) => {
  const look = () => document.documentElement?.dataset.state === "complete" ? resolve(true) : setTimeout(look, 20);
  look();
})`;
const textOf = (id: string) => `document.getElementById("${id}").textContent`;

const checks: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async "the example runs to its end"(page) {
    assert.equal(await page.evaluate(COMPLETE), true);
  },

  async "a request is parsed step by step"(page) {
    await page.evaluate(`document.getElementById("step").click()`);
    assert.match(String(await page.evaluate(textOf("state"))), /^1 of 105 bytes$/);
    assert.equal(await page.evaluate(textOf("events")), "");
    await page.evaluate(`document.getElementById("run").click()`);
    const events = await page.evaluate(
      `[...document.querySelectorAll("#events li")].map((line) => line.textContent)`,
    );
    assert.deepEqual(events, [
      "after byte 100: request POST /users/7?verbose=1 http/1.1",
      "after byte 100:   field host: example.org",
      "after byte 100:   field content-type: text/plain",
      "after byte 100:   field content-length: 5",
      'after byte 101: content "h"',
      'after byte 102: content "e"',
      'after byte 103: content "l"',
      'after byte 104: content "l"',
      'after byte 105: content "o", the last',
    ]);
    const answer = String(await page.evaluate(textOf("answer")));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nTaken apart and answered\.\n$/);
  },

  async "what is no request is refused, at the byte that says so"(page) {
    await page.evaluate(`(async () => {
      document.getElementById("request").value = "GET / HTTP/1.1\\nHost : a\\n\\n";
      document.getElementById("request").dispatchEvent(new Event("input"));
      await new Promise((later) => setTimeout(later, 200));
      document.getElementById("run").click();
    })()`);
    assert.match(String(await page.evaluate(textOf("answer"))), /^HTTP\/1\.1 400 /);
    assert.match(String(await page.evaluate(textOf("events"))), /to be closed/);
  },

  async "a server in a worker answers over a message port"(page) {
    const answer = String(await page.evaluate(textOf("worker")));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"id":"7","protocol":"http\/1\.1"\}$/);
  },

  async "large content passes the port whole, in both directions"(page) {
    const result = await page.evaluate(`(async () => {
      const { overPort, startWorker } = await import("/page.js");
      const worker = await startWorker();
      const get = "GET /app/bytes/3000000 HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n";
      const down = await overPort(worker.connect(), get);
      const content = "b".repeat(900000);
      const fields = "host: a\\r\\nconnection: close\\r\\ncontent-length: " + content.length;
      const up = await overPort(worker.connect(), "POST /app/echo HTTP/1.1\\r\\n" + fields + "\\r\\n\\r\\n" + content);
      return [down.length - down.indexOf("\\r\\n\\r\\n") - 4, up.endsWith("\\r\\n\\r\\n" + content)];
    })()`);
    assert.deepEqual(result, [3_000_000, true]);
  },

  async "a WebSocket opens over the port, and its message comes back"(page) {
    const frames = await page.evaluate(`(async () => {
      const { overPort, startWorker } = await import("/page.js");
      const handshake = ["GET /app/ws HTTP/1.1", "host: a", "upgrade: websocket", "connection: upgrade",
        "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "", ""].join("\\r\\n");
      const hello = "\\x01\\x83\\0\\0\\0\\0Hel" + "\\x80\\x82\\0\\0\\0\\0lo";
      const close = "\\x88\\x82\\0\\0\\0\\0\\x03\\xe8";
      const received = await overPort((await startWorker()).connect(), handshake + hello + close);
      return [received.slice(0, 12), received.slice(received.indexOf("\\r\\n\\r\\n") + 4)];
    })()`);
    assert.deepEqual(frames, ["HTTP/1.1 101", "\x81\x05Hello\x88\x02\x03\xe8"]);
  },

  async "the application answers as a service worker"(page) {
    assert.equal(await page.evaluate(textOf("service-worker")), '200 {"id":"7","protocol":"http/1.1"}');
    const echoed = await page.evaluate(`(async () => {
      const echo = await fetch("/app/echo", { method: "POST", body: "from the page" });
      const missing = await fetch("/app/nowhere");
      return [await echo.text(), missing.status];
    })()`);
    assert.deepEqual(echoed, ["from the page", 404]);
  },

  async "listening without a transport is an error that says what is missing"(page) {
    const message = await page.evaluate(`(async () => {
      const { App } = await import("/httpy.js");
      return new App().listen().catch((error) => error.message);
    })()`);
    assert.match(String(message), /option transport is missing/);
  },
};

export const browserSuites: Suite[] = [{ name: "browser: Chromium", runtime: "chromium", run }];

async function run(): Promise<SuiteResult> {
  const path = findChromium();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const program = startNode(["scripts/run.mjs", "examples/browser/serve.ts"], { PORT: "0" });
  try {
    const [, url] = await program.prints(/^listening on (http:\S+)$/m);
    const chromium = await Chromium.start(path);
    try {
      const page = await chromium.open(url!);
      const found: [string, string | null][] = [];
      for (const [name, check] of Object.entries(checks)) {
        found.push([name, await problemOf(() => check(page))]);
      }
      return results(found);
    } finally {
      await chromium.close();
    }
  } finally {
    await program.stop();
  }
}
