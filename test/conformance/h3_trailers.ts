// Trailers that come some time after the content, as headless Chromium takes them over HTTP/3: from the contract server, and from
// aioquic as the witness of whose fault it is where they fail.
//
// Chromium 156 fails a response with ERR_CONNECTION_CLOSED whose trailers end the stream while it waits for more content: reading the
// trailers closes the stream, and what waits for content is told of that and not of the end. It does so with either server. Where the
// end of the stream comes after the trailers were read, nothing fails: therefore our server sends that end only once the trailers are
// acknowledged (assembly/h3/send.ts). Should a Chromium do better, the check that it fails says so.

import { spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Browser, findBrowser } from "../runtime/browser.ts";
import type { Page } from "../runtime/browser.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { root } from "../runtime/program.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { pythonWith } from "./tools.ts";

export const h3TrailersSuites: Suite[] = [{ name: "HTTP/3: late trailers, Chromium", run }];

const TIMES = 5;
const PACKAGES = ["aioquic==1.7.2", "wsproto==1.2.0"];
const CONTENT = "content";
const OF_CONTRACT = "a body\nwhose checksum\nis known at its end\n";

/** What aioquic does (its query), and whether Chromium has the content then. */
const WITNESS: readonly (readonly [name: string, query: string, isWhole: boolean])[] = [
  ["content without trailers is whole", "end=without", true],
  ["trailers that leave with the content lose nothing", "end=with", true],
  ["trailers that end the stream after a pause fail, which is Chromium's fault", "pause=0.2&end=with", false],
  ["trailers whose end comes later lose nothing", "pause=0.2&end=later&wait=0.1", true],
];

async function run(server: ContractServer): Promise<SuiteResult> {
  const path = findBrowser();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const python = pythonWith("aioquic", PACKAGES);
  if (python === null) return skipped("aioquic cannot be had: no Python, or no network");
  const options = {
    certificate: join(server.certFolder, "cert.pem"),
    key: join(server.certFolder, "key.pem"),
  };
  const peer = spawn(python, [join(root, "test/conformance/aioquic_trailers.py"), JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [printed] = (await once(peer.stdout, "data")) as [Buffer];
    const witness = new URL(server.secure);
    witness.port = printed.toString().trim();
    return results([
      ...(await withPage(path, server, server.secure, contractChecks)),
      ...(await withPage(path, server, `${witness.origin}/?end=without`, witnessChecks)),
    ]);
  } finally {
    peer.kill();
  }
}

type Checks = [name: string, problem: string | null][];

/** Runs checks in a page that came over HTTP/3. */
async function withPage(
  path: string,
  server: ContractServer,
  url: string,
  checks: (page: Page) => Promise<Checks>,
): Promise<Checks> {
  const key = new X509Certificate(server.cert).publicKey.export({ type: "spki", format: "der" });
  const browser = new Browser(path, [
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
    `--origin-to-force-quic-on=${new URL(url).host}`,
  ]);
  try {
    const page = await browser.open(url);
    const protocol = await page.protocol();
    if (protocol !== "h3") return [["the page comes over h3", `it is ${protocol}`]];
    return await checks(page);
  } finally {
    await browser.close();
  }
}

async function contractChecks(page: Page): Promise<Checks> {
  const expectContent = async (): Promise<void> => expectAll(page, "/trailers?pause=200", OF_CONTRACT);
  return [["trailers of ours after a pause lose nothing", await problemOf(expectContent)]];
}

async function witnessChecks(page: Page): Promise<Checks> {
  const outcome: Checks = [];
  for (const [name, query, isWhole] of WITNESS) {
    const expected = isWhole ? CONTENT : "TypeError: Failed to fetch";
    outcome.push([`aioquic's: ${name}`, await problemOf(() => expectAll(page, `/?${query}`, expected))]);
  }
  return outcome;
}

/** Asks a few times, one after the other. */
async function expectAll(page: Page, target: string, expected: string): Promise<void> {
  for (let asked = 0; asked < TIMES; asked++) {
    const url = JSON.stringify(`${target}&asked=${asked}`);
    const got = await page.evaluate(`fetch(${url}).then((r) => r.text()).catch(String)`);
    if (got !== expected) throw new Error(`time ${asked + 1}: ${JSON.stringify(got)}`);
  }
}
