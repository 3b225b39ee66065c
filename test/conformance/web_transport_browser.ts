// WebTransport as headless Chromium speaks it: a page trusts the contract server by the hash of its certificate, which is no other kind
// than a page may (ECDSA, fewer than 14 days), and asks for streams and datagrams by the standard's own class. That all of it came by
// HTTP/3 and not by HTTP/2, its log of the network tells.

import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser, findBrowser } from "../runtime/browser.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { expectValue } from "./h2_browser.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

export const webTransportSuites: Suite[] = [{ name: "WebTransport: Chromium", run }];

/** What the page has before each expression: a session, and how to read. */
function prelude(url: string, hash: string): string {
  return `(() => {
    window.connect = () => new WebTransport(${JSON.stringify(url)}, {
      serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.from(${hash}) }],
    });
    window.textOf = (readable) => new Response(readable).text();
    window.put = async (writable, text) => {
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
    };
    return "ready";
  })()`;
}

const inSession = (body: string): string => `(async () => {
  const wt = connect();
  await wt.ready;
  const result = await (async () => { ${body} })();
  wt.close();
  return result;
})()`;

/** What it is called, the expression, and what that gives. */
const EXPRESSIONS: readonly (readonly [name: string, expression: string, gives: unknown])[] = [
  [
    "a stream both ways",
    inSession(`const { readable, writable } = await wt.createBidirectionalStream();
      await put(writable, "hello");
      return textOf(readable);`),
    "hello",
  ],
  [
    "fifty streams both ways at once",
    inSession(`const asked = Array.from({ length: 50 }, async (_, index) => {
        const { readable, writable } = await wt.createBidirectionalStream();
        await put(writable, String(index));
        return Number(await textOf(readable));
      });
      return (await Promise.all(asked)).reduce((sum, number) => sum + number, 0);`),
    1225,
  ],
  [
    "a megabyte each way",
    inSession(`const { readable, writable } = await wt.createBidirectionalStream();
      const text = "0123456789abcdef".repeat(65536);
      const sent = put(writable, text);
      const back = await textOf(readable);
      await sent;
      return back === text;`),
    true,
  ],
  [
    "a stream one way, answered by one of the server's",
    inSession(`await put(await wt.createUnidirectionalStream(), "alone");
      const { value } = await wt.incomingUnidirectionalStreams.getReader().read();
      return textOf(value);`),
    "alone",
  ],
  [
    "datagrams",
    inSession(`const writer = wt.datagrams.writable.getWriter();
      const reader = wt.datagrams.readable.getReader();
      let isBack = false;
      const sending = (async () => {
        // A datagram may be lost.
        for (let sent = 0; sent < 50 && !isBack; sent++) {
          await writer.write(new TextEncoder().encode("ping"));
          await new Promise((wake) => setTimeout(wake, 20));
        }
      })();
      const { value } = await reader.read();
      isBack = true;
      await sending;
      return new TextDecoder().decode(value);`),
    "ping",
  ],
  [
    "a code that a stream is reset with comes back",
    inSession(`// Chromium closes the stream's pipe and tells the code in two messages that may overtake each other: an error without
      // the code says that they have, so it is asked again.
      for (let tries = 0; tries < 10; tries++) {
        const { readable, writable } = await wt.createBidirectionalStream();
        const writer = writable.getWriter();
        await writer.write(new Uint8Array(1));
        const reader = readable.getReader();
        await reader.read();
        await reader.cancel(new WebTransportError({ source: "stream", streamErrorCode: 77 }));
        const end = await writer.closed.then(() => "closed", (error) => error.streamErrorCode ?? error.name);
        if (end !== "NetworkError") return end;
      }`),
    77,
  ],
  [
    "it closes with code and reason",
    `(async () => {
      const wt = connect();
      await wt.ready;
      wt.close({ closeCode: 9, reason: "done" });
      return JSON.stringify(await wt.closed);
    })()`,
    '{"closeCode":9,"reason":"done"}',
  ],
  [
    "a path without a route is refused",
    `(async () => {
      const wt = new WebTransport(location.origin + "/none", { serverCertificateHashes: [] });
      wt.closed.catch(() => undefined);
      return wt.ready.then(() => "opened", () => "refused");
    })()`,
    "refused",
  ],
];

async function run(server: ContractServer): Promise<SuiteResult> {
  const path = findBrowser();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const hash = createHash("sha256").update(new X509Certificate(server.cert).raw).digest();
  const folder = mkdtempSync(join(tmpdir(), "httpy-netlog-"));
  const netLog = join(folder, "netlog.json");
  const browser = new Browser(path, [`--log-net-log=${netLog}`]);
  let isOpen = true;
  try {
    const page = await browser.open(`${server.secure}/`);
    await page.evaluate(prelude(`${server.secure}/wt`, JSON.stringify([...hash])));
    const outcome: [string, string | null][] = [];
    for (const [name, expression, gives] of EXPRESSIONS)
      outcome.push([name, await problemOf(() => expectValue(page, expression, gives))]);
    isOpen = false;
    await browser.quit();
    outcome.push([
      "its log tells of sessions over h3",
      await problemOf(() => expectSessions(netLog, server)),
    ]);
    return results(outcome);
  } finally {
    if (isOpen) await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** That its client of WebTransport, which speaks HTTP/3 alone, had the sessions, and datagrams in frames of QUIC. */
async function expectSessions(path: string, server: ContractServer): Promise<void> {
  // The log's numbers for kinds of events are its own.
  const { constants, events } = JSON.parse(await readFile(path, "utf8")) as {
    constants: { logEventTypes: Record<string, number> };
    events: { type: number; params?: { url?: string } }[];
  };
  const all = (name: string) =>
    events.filter(({ type }) => type === constants.logEventTypes[`QUIC_SESSION_${name}`]);
  const asked = all("WEBTRANSPORT_CLIENT_ALIVE").filter(
    ({ params }) => params?.url === `${server.secure}/wt`,
  );
  const ready = all("WEBTRANSPORT_SESSION_READY");
  // A session for each expression but the last.
  const least = EXPRESSIONS.length - 1;
  if (asked.length < least || ready.length !== least)
    throw new Error(`${asked.length} sessions were asked for, and ${ready.length} ready over QUIC`);
  if (all("MESSAGE_FRAME_SENT").length === 0 || all("MESSAGE_FRAME_RECEIVED").length === 0)
    throw new Error("no datagrams in frames of QUIC");
}
