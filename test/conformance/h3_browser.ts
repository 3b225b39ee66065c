// HTTP/3 as headless Chromium speaks it: it comes by HTTP/2, is told of HTTP/3 by Alt-Svc, and moves there by itself; then everything
// that HTTP/2 is asked for, with its log of the network as the witness. A WebSocket it opens on a connection of its own, over HTTP/1.1:
// it has no RFC 9220.

import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser, findBrowser } from "../runtime/browser.ts";
import type { Page } from "../runtime/browser.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { EXPRESSIONS, expectValue } from "./h2_browser.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

export const h3BrowserSuites: Suite[] = [{ name: "HTTP/3: Chromium", run }];

const PROTOCOLS = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.startsWith(location.origin)).map((entry) => entry.nextHopProtocol)`;
/** Trailers that leave together with the last of the content; h3_trailers.ts has those that come later. */
const TRAILERS = `(async () => {
  let failed = 0;
  for (let asked = 0; asked < 30; asked++)
    await fetch('/trailers?' + asked).then((r) => r.text()).catch(() => failed++);
  return failed;
})()`;
/** Asks until an answer comes over h3. */
const MOVE = `(async () => {
  for (let asked = 0; asked < 100; asked++) {
    const url = location.origin + '/json?' + asked;
    await (await fetch(url)).text();
    const [entry] = performance.getEntriesByName(url);
    if (entry?.nextHopProtocol === 'h3') { performance.clearResourceTimings(); return 'h3'; }
    await new Promise((wake) => setTimeout(wake, 50));
  }
  return 'h2 still';
})()`;

async function run(server: ContractServer): Promise<SuiteResult> {
  const path = findBrowser();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const folder = mkdtempSync(join(tmpdir(), "httpy-netlog-"));
  const netLog = join(folder, "netlog.json");
  const key = new X509Certificate(server.cert).publicKey.export({ type: "spki", format: "der" });
  const browser = new Browser(path, [
    `--log-net-log=${netLog}`,
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
    // Over QUIC, Chromium trusts a root that is not a public one for hosts that it is to try QUIC on: the host is named, with a port
    // that nobody asks, so that the server's own has to be found by Alt-Svc.
    `--origin-to-force-quic-on=${new URL(server.secure).hostname}:1`,
  ]);
  let isOpen = true;
  try {
    const page = await browser.open(`${server.secure}/`);
    const outcome: [string, string | null][] = [
      ["the page comes over h2", await problemOf(async () => expectProtocol(await page.protocol(), "h2"))],
      ["it moves to h3 by itself", await problemOf(() => expectValue(page, MOVE, "h3"))],
    ];
    for (const [name, expression, gives] of EXPRESSIONS)
      outcome.push([name, await problemOf(() => expectValue(page, expression, gives))]);
    outcome.push([
      "trailers lose no content, thirty times",
      await problemOf(() => expectValue(page, TRAILERS, 0)),
    ]);
    outcome.push(["everything came over h3", await problemOf(() => expectOnlyH3(page))]);
    isOpen = false;
    await browser.quit();
    outcome.push(["its log tells of QUIC and of trailers", await problemOf(() => expectLog(netLog, server))]);
    return results(outcome);
  } finally {
    if (isOpen) await browser.close();
    rmSync(folder, { recursive: true });
  }
}

function expectProtocol(protocol: string, wanted: string): void {
  if (protocol !== wanted) throw new Error(`it is ${protocol}`);
}

async function expectOnlyH3(page: Page): Promise<void> {
  const protocols = new Set((await page.evaluate(PROTOCOLS)) as string[]);
  protocols.delete("");
  expectProtocol([...protocols].join(), "h3");
}

/** The log's numbers for kinds of events are its own. */
async function expectLog(path: string, server: ContractServer): Promise<void> {
  const { constants, events } = JSON.parse(await readFile(path, "utf8")) as {
    constants: { logEventTypes: Record<string, number> };
    events: { type: number; params?: Record<string, unknown> }[];
  };
  const { port } = new URL(server.secure);
  const kind = constants.logEventTypes["QUIC_SESSION"];
  const sessions = events.filter(({ type, params }) => type === kind && String(params?.["port"]) === port);
  if (sessions.length === 0) throw new Error("no QUIC session to the server");
  const closed = constants.logEventTypes["QUIC_SESSION_CLOSED"];
  const errors = events.filter(({ type, params }) => type === closed && params?.["from_peer"] === true);
  if (errors.length > 0) throw new Error(`the server closed one: ${JSON.stringify(errors[0]?.params)}`);
  const decoded = constants.logEventTypes["HTTP3_HEADERS_DECODED"];
  const sections = events
    .filter(({ type }) => type === decoded)
    .map(({ params }) => String(params?.["headers"]));
  if (!sections.some((section) => /^x-checksum: [0-9a-f]{64}$/u.test(section)))
    throw new Error("no trailers");
}
