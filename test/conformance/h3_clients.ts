// HTTP/3 as ngtcp2's gtlsclient speaks it: the rows of the contract server, interim answers, trailers, an upload, many streams, key
// updates, migration, packet loss, suites, groups, and resumption with and without early data.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "../../host/server/app.ts";
import { developmentCertificate } from "../../host/server/development_certificate.ts";
import { startContract } from "../runtime/contract_process.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { contractRows } from "../runtime/contract_rows.ts";
import type { ContractRow } from "../runtime/contract_rows.ts";
import { bundleContract, type Runtime, runtimes } from "./runtimes.ts";
import { findProgram, problemOf, results, runProgram, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

/** Deno has datagrams of its own where it is told so, and node:dgram where not. */
const DENO_FLAG = "--unstable-net";

export const h3ClientSuites: Suite[] = [
  { name: "HTTP/3: gtlsclient", run: (server) => run(server, true) },
  ...runtimes.flatMap((runtime) => [
    suiteOn(runtime, []),
    ...(runtime.name === "deno" ? [suiteOn(runtime, [DENO_FLAG])] : []),
  ]),
];

function suiteOn(runtime: Runtime, flags: readonly string[]): Suite {
  const title = [runtime.title, ...flags].join(" ");
  return {
    name: `HTTP/3: gtlsclient on ${title}`,
    runtime: runtime.name,
    async run() {
      const command = runtime.command();
      if (command === null) return skipped(`npm cannot install ${runtime.title}`);
      await bundleContract();
      const server = await startContract([...command, ...flags]);
      try {
        return await run(server, false);
      } finally {
        await server.stop();
      }
    },
  };
}

const TIMEOUT_MS = 18_000;
const TLS13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+";
const SUITES = ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"];
const GROUPS = ["X25519", "SECP256R1"];

interface Asked {
  readonly method?: string | undefined;
  readonly body?: Uint8Array | undefined;
  readonly flags?: readonly string[];
}

interface Answered {
  /** What the client printed: events, and with them heads. */
  readonly log: string;
  readonly content: Buffer;
}

/** The server of early data is one on this Node. */
async function run(server: ContractServer, hasEarlyData: boolean): Promise<SuiteResult> {
  const program = findProgram("gtlsclient");
  if (program === null) return skipped("gtlsclient is missing; Debian's package is ngtcp2-client");
  const folder = mkdtempSync(join(tmpdir(), "httpy-gtlsclient-"));
  const ask = (path: string, asked: Asked = {}, origin = server.secure): Promise<Answered> =>
    question(program, folder, origin, path, asked);
  const checks = new Map<string, () => Promise<void>>();
  // The client sets no fields of one's own, and maps the file of its content, which must not be empty.
  for (const row of contractRows.filter(({ headers, body }) => !headers && body?.length !== 0))
    checks.set(`${row.method ?? "GET"} ${row.path}`, async () => expectRow(row, await ask(row.path, row)));
  for (const [name, check] of Object.entries(transportChecks(ask))) checks.set(name, check);
  if (hasEarlyData) {
    checks.set("a resumed connection is answered in early data, a POST on it with 425", () =>
      expectEarlyData(folder, ask),
    );
  }
  try {
    const outcome: [string, string | null][] = [];
    for (const [name, check] of checks) outcome.push([name, await problemOf(check)]);
    return results(outcome);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Check = [name: string, check: () => Promise<void>];
type Ask = (path: string, asked?: Asked, origin?: string) => Promise<Answered>;

function transportChecks(ask: Ask): Record<string, () => Promise<void>> {
  const large = 3_000_000;
  const whole = async (flags: readonly string[]): Promise<string> => {
    const { log, content } = await ask(`/bytes/${large}`, { flags });
    if (content.length !== large || content.some((byte, index) => byte !== index % 251))
      throw new Error(`${content.length} bytes, and not those`);
    return log;
  };
  const suites = SUITES.map((suite): Check => [
    `the suite ${suite}`,
    async () =>
      expectIn(
        (await ask("/json", { flags: [`--ciphers=${TLS13}${suite}`] })).log,
        `cipher suite is ${suite}`,
      ),
  ]);
  const groups = GROUPS.map((group): Check => [
    `the group ${group}`,
    async () =>
      expectIn((await ask("/json", { flags: [`--groups=-GROUP-ALL:+GROUP-${group}`] })).log, ":status: 200"),
  ]);
  return {
    ...Object.fromEntries([...suites, ...groups]),
    "103 comes before 200": async () =>
      expectIn((await ask("/early")).log, ":status: 103", "link: ", ":status: 200"),
    "trailers end the stream": async () =>
      expectIn((await ask("/trailers")).log, ":status: 200", "trailers started", "x-checksum: "),
    "a hundred streams share a connection": async () => {
      const { log } = await ask("/users/1", { flags: ["--nstreams=100"] });
      const count = log.split("[:status: 200]").length - 1;
      if (count !== 100) throw new Error(`${count} of 100 answers`);
    },
    "content is whole over a key update": async () =>
      expectIn(await whole(["--key-update=5ms"]), "type=1RTT k=1"),
    "content is whole over a change of address": async () => {
      const log = await whole(["--change-local-addr=5ms"]);
      const ports = new Set(
        [...log.matchAll(/^Received packet: local=\[[^\]]*\]:(\d+)/gmu)].map(([, port]) => port),
      );
      expectIn(log, "PATH_CHALLENGE", "PATH_RESPONSE");
      if (ports.size < 2) throw new Error("nothing came to another address");
    },
    "content is whole at 5 % loss both ways": async () =>
      expectIn(await whole(["--tx-loss=0.05", "--rx-loss=0.05"]), "lost"),
  };
}

async function question(
  program: string,
  folder: string,
  origin: string,
  path: string,
  { method, body, flags = [] }: Asked,
): Promise<Answered> {
  const { hostname, port } = new URL(origin);
  const download = mkdtempSync(join(folder, "download-"));
  const upload = join(folder, "upload");
  if (body !== undefined) writeFileSync(upload, body);
  const args = [
    "--no-quic-dump",
    "--no-http-dump",
    "--exit-on-all-streams-close",
    `--download=${download}`,
    ...(method === undefined ? [] : [`--http-method=${method}`]),
    ...(body === undefined ? [] : [`--data=${upload}`]),
    ...flags,
  ];
  const { code, output } = await runProgram(program, [...args, hostname, port, origin + path], TIMEOUT_MS);
  if (code !== 0) throw new Error(`gtlsclient ended with ${code}: ${output.slice(-200)}`);
  const [file] = readdirSync(download);
  return { log: output, content: file === undefined ? Buffer.alloc(0) : readFileSync(join(download, file)) };
}

function expectRow({ status = 200, type, gives }: ContractRow, { log, content }: Answered): void {
  expectIn(log, `[:status: ${status}]`);
  if (type !== undefined) expectIn(log, `[content-type: ${type}`);
  const isRight =
    gives instanceof RegExp ? gives.test(content.toString()) : content.equals(Buffer.from(gives));
  if (!isRight) throw new Error(`the content is ${JSON.stringify(content.toString("latin1").slice(0, 100))}`);
}

/** Each text, after the one before it. */
function expectIn(log: string, ...texts: readonly string[]): void {
  let at = 0;
  for (const text of texts) {
    const found = log.indexOf(text, at);
    if (found < 0) throw new Error(`no ${text}`);
    at = found + text.length;
  }
}

/** The contract server takes no early data: this is one that does. */
async function expectEarlyData(folder: string, ask: Ask): Promise<void> {
  const app = new App();
  app.get("/", () => "early or not");
  app.post("/", () => "done once");
  const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const server = await app.listen({
    host: "127.0.0.1",
    port: 0,
    tls: await developmentCertificate(),
    http3: { earlyData: true },
    logger: silent,
  });
  try {
    const origin = `https://127.0.0.1:${server.port}`;
    const kept = ["session", "tp", "token"].map((name) => `--${name}-file=${join(folder, name)}`);
    const first = await ask("/", { flags: kept }, origin);
    if (first.log.includes("type=0RTT")) throw new Error("early data without a session");
    const again = await ask("/", { flags: kept }, origin);
    expectIn(again.log, "0RTT STREAM", ":status: 200");
    if (again.log.includes("Early data was rejected")) throw new Error("early data was rejected");
    const unsafe = await ask("/", { method: "POST", body: Buffer.from("twice"), flags: kept }, origin);
    expectIn(unsafe.log, "0RTT STREAM", ":status: 425");
  } finally {
    await server.close();
  }
}

function ignore(): void {
  return undefined;
}
