// `/ws` by clients that others have written: PyPI's `websockets`, npm's `ws`, undici, the WebSockets of Node, Deno and Bun, and a
// browser over HTTP/1.1 and HTTP/2; and ten thousand of them that say nothing.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ContractServer } from "../runtime/contract_process.ts";
import { Browser, findBrowser } from "../runtime/browser.ts";
import type { Page } from "../runtime/browser.ts";
import { root } from "../runtime/program.ts";
import { idleSockets } from "./idle_sockets.ts";
import { runtimes } from "./runtimes.ts";
import { problemOf, results, runProgram, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { npmTool, pythonWith } from "./tools.ts";

const PYTHON_PACKAGE = "websockets==16.0";
const WS_VERSION = "8.21.0";
const TIMEOUT_MS = 300_000;
const script = (name: string): string => join(root, "test/conformance", name);

const python: Suite = {
  name: `websocket: PyPI's ${PYTHON_PACKAGE}`,
  async run(server) {
    const program = pythonWith("websockets", [PYTHON_PACKAGE]);
    if (program === null) return skipped(`no Python with ${PYTHON_PACKAGE} can be had`);
    const args = [script("web_socket_client.py"), ...urlsOf(server), join(server.certFolder, "cert.pem")];
    return told(await runProgram(program, args, TIMEOUT_MS), 24);
  },
};

/** Clients after the standard: the command line in front of the program's arguments, and the module that has WebSocket. */
function standard(
  name: string,
  commandOf: () => readonly string[] | null,
  moduleOf: () => string | null,
): Suite {
  return {
    name: `websocket: ${name}`,
    async run(server) {
      const [program, ...args] = commandOf() ?? [];
      const module = moduleOf();
      if (program === undefined || module === null) return skipped(`npm cannot install ${name}`);
      const all = [...args, script("web_socket_client.mjs"), ...urlsOf(server)];
      if (module !== "") all.push(pathToFileURL(module).href);
      return told(await runProgram(program, all, TIMEOUT_MS, certificates(server)), 8);
    },
  };
}

const thisNode = (): readonly string[] => [process.execPath];

const standards: Suite[] = [
  standard(`npm's ws ${WS_VERSION}`, thisNode, () => npmTool("ws", WS_VERSION, "wrapper.mjs")),
  standard("undici", thisNode, () => join(root, "node_modules/undici/index.js")),
  // Node has its own from version 22 on.
  ...runtimes
    .filter(({ name }) => name !== "node20")
    .map((runtime) =>
      standard(
        `that of ${runtime.title}`,
        () => runtime.command(),
        () => "",
      ),
    ),
];

/** How each of them is told to trust the server's certificate. */
function certificates({ certFolder }: ContractServer): Record<string, string> {
  const file = join(certFolder, "cert.pem");
  return { NODE_EXTRA_CA_CERTS: file, DENO_CERT: file };
}

/** With a name, which is what certificates are checked by. */
function urlsOf(server: ContractServer): string[] {
  const port = (url: string): string => new URL(url).port;
  return [`ws://127.0.0.1:${port(server.plain)}/ws`, `wss://localhost:${port(server.secure)}/ws`];
}

/** Lines of a name, a tab and what is wrong. */
function told({ code, output }: { code: number | null; output: string }, checkCount: number): SuiteResult {
  const lines = output.split("\n").filter((line) => line.includes("\t"));
  const checks = lines.map((line) => {
    const [name = "", problem = ""] = line.split("\t");
    return [name, problem.trim() === "" ? null : problem] as const;
  });
  const isWhole = code === 0 && checks.length === checkCount;
  const whole = isWhole
    ? null
    : `${checks.length} of ${checkCount} checks, code ${code}: ${output.slice(-300)}`;
  return results([...checks, ["every check was made", whole]]);
}

const browser: Suite = {
  name: "websocket: a browser",
  async run(server) {
    const path = findBrowser();
    if (path === null) return skipped("no Chromium; Debian's package is chromium");
    const chromium = new Browser(path);
    try {
      const checks: (readonly [string, string | null])[] = [];
      for (const [url, protocol, status] of [
        [server.plain, "http/1.1", 101],
        [server.secure, "h2", 200],
      ] as const) {
        const page = await chromium.open(`${url}/`);
        for (const [name, check] of Object.entries(pageChecks)) {
          checks.push([`${name}, ${protocol}`, await problemOf(() => check(page))]);
        }
        const statuses = new Set(page.handshakeStatuses());
        const isRight =
          (await page.protocol().catch(() => "")) === protocol && statuses.size === 1 && statuses.has(status);
        checks.push([`${protocol} carries them`, isRight ? null : `answered ${[...statuses].join()}`]);
      }
      return results(checks);
    } finally {
      await chromium.close();
    }
  },
};

const OPEN = `const ws = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  ws.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => { ws.onopen = resolve; ws.onerror = () => reject(new Error("not open")); });
  const next = () => new Promise((resolve, reject) => {
    ws.onmessage = ({ data }) => resolve(data);
    ws.onclose = ({ code }) => reject(new Error("closed with " + code));
  });`;

/** Runs in the page; the body throws when something is wrong. */
async function inPage(page: Page, body: string): Promise<void> {
  await page.evaluate(`(async () => { ${OPEN}\n${body} })()`);
}

const pageChecks: Record<string, (page: Page) => Promise<void>> = {
  echoes: (page) =>
    inPage(
      page,
      `for (const size of [0, 1, 125, 126, 65535, 65536, 300000]) {
        const text = "aé€z".repeat(size / 4 + 1).slice(0, size);
        let got = next();
        ws.send(text);
        if ((await got) !== text) throw new Error("text of " + size);
        const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 2654435761) >>> 13);
        got = next();
        ws.send(bytes);
        const back = new Uint8Array(await got);
        if (back.length !== size || back.some((byte, at) => byte !== bytes[at])) throw new Error("bytes of " + size);
      }
      if (!ws.extensions.startsWith("permessage-deflate")) throw new Error("not compressed");
      ws.close();`,
    ),
  "a thousand in order": (page) =>
    inPage(
      page,
      `const got = [];
      const all = new Promise((resolve) => (ws.onmessage = ({ data }) => got.push(data) === 1000 && resolve()));
      for (let index = 0; index < 1000; index++) ws.send("message " + index);
      await all;
      if (got.some((text, index) => text !== "message " + index)) throw new Error("out of order");
      ws.close();`,
    ),
  closes: (page) =>
    inPage(
      page,
      `const end = new Promise((resolve) => (ws.onclose = resolve));
      ws.close(4321, "é€");
      const { code, wasClean } = await end;
      if (code !== 4321 || !wasClean) throw new Error("ended with " + code);`,
    ),
  "too large": (page) =>
    inPage(
      page,
      `const end = new Promise((resolve) => (ws.onclose = resolve));
      ws.send(crypto.getRandomValues(new Uint8Array(65536)));
      ws.send(new Uint8Array((16 << 20) + 1).map((_, at) => (at * 2654435761) >>> 13));
      const { code } = await end;
      if (code !== 1009 && code !== 1006) throw new Error("ended with " + code);`,
    ),
};

export const webSocketSuites: Suite[] = [python, ...standards, browser, idleSockets];
