// HTTP/2 as headless Chromium speaks it over TLS: a page, fetch, an upload, streamed content, events, the rows of push, trailers and 103, and a
// WebSocket, all of them on the page's own connection.

import { Browser, findBrowser } from "../runtime/browser.ts";
import type { Page } from "../runtime/browser.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

export const h2BrowserSuites: Suite[] = [{ name: "HTTP/2: Chromium", run }];

/** An expression, run in the page, and what it gives. */
export const EXPRESSIONS: readonly [name: string, expression: string, gives: unknown][] = [
  ["the page shows its text", "document.body.innerText", "Hello, World!"],
  ["fetch reads JSON", "fetch('/json').then((r) => r.json()).then((o) => o.message)", "Hello, World!"],
  [
    "an upload of 5 MB is counted",
    "fetch('/count', { method: 'POST', body: new Uint8Array(5_000_000) }).then((r) => r.text())",
    "5000000",
  ],
  [
    "content comes back as it was sent",
    `(async () => {
      const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) % 256);
      const got = new Uint8Array(await (await fetch('/', { method: 'POST', body: sent })).arrayBuffer());
      return got.length === sent.length && got.every((byte, i) => byte === sent[i]);
    })()`,
    true,
  ],
  [
    "streamed content is whole",
    `(async () => {
      let length = 0;
      for await (const chunk of (await fetch('/bytes/20000000')).body)
        for (const byte of chunk) if (byte !== length++ % 251) return 'wrong at ' + (length - 1);
      return length;
    })()`,
    20_000_000,
  ],
  [
    "what is given up in the middle stops nobody",
    `(async () => {
      const control = new AbortController();
      const { body } = await fetch('/bytes/4000000000', { signal: control.signal });
      await body.getReader().read();
      control.abort();
      return (await fetch('/')).status;
    })()`,
    200,
  ],
  ["the row of push is answered", "fetch('/push').then((r) => r.text())", "pushed where the protocol can"],
  [
    "the row of trailers is answered",
    "fetch('/trailers').then((r) => r.text())",
    "a body\nwhose checksum\nis known at its end\n",
  ],
  ["the row of 103 is answered", "fetch('/early').then((r) => r.text())", "Hello, after a hint!"],
  [
    "events arrive",
    `new Promise((resolve, reject) => {
      const seen = [];
      const source = new EventSource('/sse');
      source.onerror = () => reject(new Error('seen: ' + seen));
      source.onmessage = ({ data }) => { if (seen.push(data) === 5) { source.close(); resolve(seen.join()); } };
    })`,
    "event 1,event 2,event 3,event 4,event 5",
  ],
  [
    "sixty requests at a time are each answered with their own",
    `Promise.all(Array.from({ length: 60 }, (_, i) => fetch('/users/' + i).then((r) => r.json())))
      .then((all) => all.every(({ id }, i) => id === String(i)))`,
    true,
  ],
  [
    "a WebSocket echoes",
    `new Promise((resolve, reject) => {
      const socket = new WebSocket('wss://' + location.host + '/ws');
      socket.onerror = () => reject(new Error('no WebSocket'));
      socket.onopen = () => socket.send('over one stream');
      socket.onmessage = ({ data }) => { socket.close(); resolve(data); };
    })`,
    "over one stream",
  ],
];

async function run(server: ContractServer): Promise<SuiteResult> {
  const path = findBrowser();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const browser = new Browser(path);
  try {
    const page = await browser.open(`${server.secure}/`);
    const outcome: [string, string | null][] = [];
    for (const [name, expression, gives] of EXPRESSIONS)
      outcome.push([name, await problemOf(() => expectValue(page, expression, gives))]);
    outcome.push(["everything came over h2", await problemOf(() => expectOnlyH2(page))]);
    const statuses = page.handshakeStatuses().join();
    // RFC 8441: the answer to an extended CONNECT is 200, to an upgrade 101.
    outcome.push(["the WebSocket is a stream of HTTP/2", statuses === "200" ? null : `status ${statuses}`]);
    return results(outcome);
  } finally {
    await browser.close();
  }
}

export async function expectValue(page: Page, expression: string, gives: unknown): Promise<void> {
  const value = await page.evaluate(expression);
  if (value !== gives) throw new Error(`it gives ${JSON.stringify(value)}`);
}

async function expectOnlyH2(page: Page): Promise<void> {
  const expression = "performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol).join()";
  const protocols = new Set([await page.protocol(), ...String(await page.evaluate(expression)).split(",")]);
  protocols.delete("");
  if ([...protocols].join() !== "h2") throw new Error(`protocols: ${[...protocols].join()}`);
}
