// examples/chat: its rooms by a client over HTTP/1.1 and one over HTTP/2 that talk to each other, and its page in a real browser,
// where there is one, over both.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocketClient } from "../../host/client/web_socket_client.ts";
import type { WebSocketClientOptions } from "../../host/client/web_socket_client.ts";
import { Browser, findBrowser } from "./browser.ts";
import { root, startNode } from "./program.ts";
import type { Program } from "./program.ts";

let program: Program;
let plain = "";
let secure = "";
beforeAll(async () => {
  program = startNode(["scripts/run.mjs", "examples/chat/server.ts"], { PORT: "0", TLS_PORT: "0" });
  [, plain = "", secure = ""] = await program.prints(/^listening on (http:\S+)\/ and (https:\S+)\/$/m);
});
afterAll(async () => expect(await program.stop()).toBe(0));

interface Guest {
  readonly ws: WebSocketClient;
  readonly lines: Record<string, unknown>[];
}

const overH2 = { http2: true, tls: { rejectUnauthorized: false } };

/** Enters a room; `base` is of http or https. */
async function enter(
  base: string,
  room: string,
  name: string,
  options: WebSocketClientOptions = {},
): Promise<Guest> {
  const url = `${base.replace("http", "ws")}/rooms/${room}?name=${encodeURIComponent(name)}`;
  const ws = new WebSocketClient(url, options);
  onTestFinished(() => ws.close());
  const lines: Record<string, unknown>[] = [];
  ws.onmessage = ({ data }) => void lines.push(JSON.parse(data as string) as Record<string, unknown>);
  await new Promise<void>((resolve, reject) => {
    ws.onopen = () => resolve();
    ws.onerror = ({ error }) => reject(error);
  });
  return { ws, lines };
}

describe("the chat", () => {
  test("brings what is said to everybody in the room, whatever carries them, and to those who come later", async () => {
    const ada = await enter(plain, "red", "Ada");
    const bob = await enter(secure, "red", "Bob", overH2);
    const other = await enter(plain, "blue", "Cy");
    ada.ws.send(JSON.stringify({ text: "Hello from h1" }));
    bob.ws.send(JSON.stringify({ text: "Hello from h2" }));
    for (const guest of [ada, bob]) {
      await expect.poll(() => guest.lines.filter(({ kind }) => kind === "said").length).toBe(2);
    }
    expect(ada.lines[1]).toEqual({ kind: "joined", name: "Bob", present: 2 });
    expect(ada.lines.find(({ name, kind }) => name === "Bob" && kind === "said")).toMatchObject({
      text: "Hello from h2",
    });
    const late = await enter(plain, "red", "Late");
    await expect.poll(() => late.lines.map(({ kind }) => kind)).toEqual(["said", "said", "joined"]);
    bob.ws.close();
    await expect.poll(() => ada.lines.at(-1)).toEqual({ kind: "left", name: "Bob", present: 2 });
    expect(other.lines).toHaveLength(1);
  });

  test("takes no names and texts but those it expects", async () => {
    await expect(enter(plain, "red", "")).rejects.toThrow("400");
    await expect(enter(plain, "red", "x".repeat(25))).rejects.toThrow("400");
    for (const message of [
      "no JSON",
      '{"text":1}',
      '{"text":""}',
      `{"text":"${"x".repeat(1001)}"}`,
      "null",
    ]) {
      const guest = await enter(plain, "red", "Eve");
      const end = new Promise<number>((resolve) => (guest.ws.onclose = ({ code }) => resolve(code)));
      guest.ws.send(message);
      expect(await end, message).toBe(1008);
    }
  });

  const path = findBrowser();
  test.skipIf(path === null)("works in a browser over HTTP/1.1 and HTTP/2", { timeout: 60_000 }, async () => {
    const browser = new Browser(path!);
    onTestFinished(() => browser.close());
    const ways = [
      { url: `${plain}/`, name: "Ann", protocol: "http/1.1", status: 101 },
      { url: `${secure}/`, name: "Ben <b>", protocol: "h2", status: 200 },
    ];
    const pages = [];
    for (const { url, name, protocol, status } of ways) {
      const page = await browser.open(url);
      expect(await page.protocol()).toBe(protocol);
      await page.evaluate(`enter.elements.name.value = ${JSON.stringify(name)}; enter.requestSubmit()`);
      await page.until("state.value === 'connected'");
      expect(await page.evaluate("getComputedStyle(enter).display")).toBe("none");
      // 101 is HTTP/1.1's, 200 that of extended CONNECT.
      expect(page.handshakeStatuses()).toEqual([status]);
      pages.push(page);
    }
    for (const [index, page] of pages.entries()) {
      await page.evaluate(`say.elements.text.value = "<i>${index}</i>"; say.requestSubmit()`);
    }
    for (const page of pages) {
      await page.until("document.querySelectorAll('#lines b').length === 2");
      const text = (await page.evaluate("document.getElementById('lines').innerText")) as string;
      expect(text).toContain("Ann <i>0</i>");
      expect(text).toContain("Ben <b> <i>1</i>");
    }
    expect(await pages[0]!.evaluate("document.querySelector('#lines i')")).toBeNull();
    await program.stop();
    await pages[0]!.until("state.value.startsWith('not connected (1001')");
    await pages[1]!.until("state.value.startsWith('not connected (1001')");
  });

  test("comes with a page that asks nobody else for anything", () => {
    const page = readFileSync(join(root, "examples/chat/page.html"), "utf8");
    expect(page.match(/https?:\/\/\S+/g) ?? []).toEqual([]);
  });
});
