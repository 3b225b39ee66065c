// HTTP/2 as other people's clients speak it: every row of the contract server asked by node:http2, undici and curl, over TLS by ALPN and
// without it by prior knowledge and by upgrade, and by nghttp what only it shows: pushes, interim answers and trailers as frames.

import { createHash } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import { buffer } from "node:stream/consumers";
import { Agent, fetch, H2CClient } from "undici";
import type { Dispatcher } from "undici";
import { curlWith } from "../runtime/clients.ts";
import type { Answer, Client, Question } from "../runtime/clients.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { contractRows } from "../runtime/contract_rows.ts";
import type { ContractRow } from "../runtime/contract_rows.ts";
import { findProgram, problemOf, results, runProgram, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

const TIMEOUT_MS = 20_000;

const nodeClient: Client = {
  name: "node:http2",
  async ask(server, isSecure, { method = "GET", path, headers = {}, body }) {
    const session = http2.connect(isSecure ? server.secure : server.plain, { ca: server.cert });
    try {
      const length = body === undefined ? {} : { "content-length": body.length };
      const fields = { ":method": method, ":path": path, ...length, ...headers };
      const stream = session.request(fields, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      const [answer] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      const header = (name: string): string | null => answer[name]?.toString() ?? null;
      return { status: Number(answer[":status"]), header, body: await buffer(stream), version: "HTTP/2" };
    } finally {
      session.destroy();
    }
  },
};

/** undici speaks HTTP/2 by ALPN where it is allowed to; `H2CClient` speaks nothing else. */
const undiciClient: Client = {
  name: "undici",
  async ask(server, isSecure, { method = "GET", path, headers = {}, body }) {
    const origin = isSecure ? server.secure : server.plain;
    const dispatcher: Dispatcher = isSecure
      ? new Agent({ allowH2: true, connect: { ca: server.cert } })
      : new H2CClient(origin);
    try {
      const response = await fetch(origin + path, { method, headers, body: body ?? null, dispatcher });
      const content = Buffer.from(await response.arrayBuffer());
      return { status: response.status, header: (name) => response.headers.get(name), body: content };
    } finally {
      await dispatcher.destroy();
    }
  },
};

interface Way {
  readonly client: Client;
  readonly isSecure: boolean;
  readonly how: string;
  /** Rows that it cannot ask, or does not ask over HTTP/2, and why. */
  readonly leavesOut?: (row: ContractRow) => boolean;
}

/** undici 7 sends HEADERS without END_STREAM and then nothing, for which node:http2 waits too. */
const emptyContent = (row: ContractRow): boolean => row.body?.length === 0;
/** A request with content is not upgraded: its answer is HTTP/1.1 (RFC 7540 §3.2 leaves it to the server). */
const content = (row: ContractRow): boolean => row.body !== undefined;

const ways: readonly Way[] = [
  { client: nodeClient, isSecure: true, how: "over TLS" },
  { client: nodeClient, isSecure: false, how: "by prior knowledge" },
  { client: undiciClient, isSecure: true, how: "over TLS", leavesOut: emptyContent },
  { client: undiciClient, isSecure: false, how: "by prior knowledge", leavesOut: emptyContent },
  { client: curlWith("--http2"), isSecure: true, how: "over TLS" },
  { client: curlWith("--http2"), isSecure: false, how: "by upgrade", leavesOut: content },
  { client: curlWith("--http2-prior-knowledge"), isSecure: false, how: "by prior knowledge" },
];

export const h2ClientSuites: Suite[] = [
  ...ways.map((way) => ({
    name: `HTTP/2: ${way.client.name} ${way.how}`,
    run: (server: ContractServer) => askRows(server, way),
  })),
  { name: "HTTP/2: nghttp over TLS", run: (server) => nghttp(server.secure, []) },
  { name: "HTTP/2: nghttp by prior knowledge", run: (server) => nghttp(server.plain, []) },
  { name: "HTTP/2: nghttp by upgrade", run: (server) => nghttp(server.plain, ["--upgrade"]) },
];

async function askRows(
  server: ContractServer,
  { client, isSecure, leavesOut = () => false }: Way,
): Promise<SuiteResult> {
  if (client.missing !== undefined) return skipped(client.missing);
  const rows = contractRows.filter((row) => !leavesOut(row));
  const checks: [string, string | null][] = [];
  const before = await exchangesOfH2(server);
  for (const row of rows) {
    const check = async (): Promise<void> => expectRow(row, await client.ask(server, isSecure, row));
    checks.push([`${row.method ?? "GET"} ${row.path}`, await problemOf(check)]);
  }
  // What a client does not tell, the server's own count does. A push is an exchange too.
  const asked = (await exchangesOfH2(server)) - before;
  const problem = asked >= rows.length ? null : `${asked} of ${rows.length} were`;
  return results([...checks, ["every row is asked over HTTP/2", problem]]);
}

function expectRow(row: ContractRow, answer: Answer): void {
  const { status, body, version } = answer;
  if (status !== (row.status ?? 200)) throw new Error(`status ${status}`);
  if (version !== undefined && version !== "HTTP/2") throw new Error(`answered by ${version}`);
  const type = answer.header("content-type") ?? "none";
  if (row.type !== undefined && !type.includes(row.type)) throw new Error(`content-type ${type}`);
  const isRight =
    row.gives instanceof RegExp ? row.gives.test(String(body)) : body.equals(Buffer.from(row.gives));
  if (!isRight) throw new Error(`the content is ${JSON.stringify(body.toString("latin1").slice(0, 100))}`);
}

async function exchangesOfH2(server: ContractServer): Promise<number> {
  const text = await (await globalThis.fetch(`${server.plain}/metrics`)).text();
  return Number(/^httpy_exchanges_total\{protocol="h2"\} (\d+)$/mu.exec(text)?.[1] ?? NaN);
}

async function nghttp(origin: string, flags: readonly string[]): Promise<SuiteResult> {
  const program = findProgram("nghttp");
  if (program === null) return skipped("nghttp is missing; Debian's package is nghttp2-client");
  const ask = async ({ path }: Question, more: readonly string[] = []): Promise<string> => {
    const args = [...flags, "--no-verify-peer", ...more, origin + path];
    const { code, output } = await runProgram(program, args, TIMEOUT_MS);
    if (code !== 0) throw new Error(`nghttp ended with ${code}: ${output.slice(-200)}`);
    return output;
  };
  const expectIn = (output: string, ...patterns: RegExp[]): void => {
    for (const pattern of patterns)
      if (!pattern.test(output)) throw new Error(`nothing like ${pattern.source} in: ${output.slice(-800)}`);
  };
  const checks: Record<string, () => Promise<void>> = {
    "content is whole": async () => {
      const output = await ask({ path: "/bytes/1000000" });
      const wanted = createHash("sha256");
      for (let at = 0; at < 1_000_000; at += 251)
        wanted.update(Uint8Array.from({ length: Math.min(251, 1_000_000 - at) }, (_, index) => index));
      const seen = createHash("sha256").update(Buffer.from(output, "latin1")).digest("hex");
      if (seen !== wanted.digest("hex")) throw new Error(`${output.length} bytes, and not those`);
    },
    "a head comes before the end of its stream": async () =>
      expectIn(await ask({ path: "/json" }, ["-v"]), /:status: 200/u, /END_STREAM/u, /"Hello, World!"/u),
    "a push is promised and sent": async () =>
      expectIn(
        await ask({ path: "/push" }, ["-v"]),
        /recv PUSH_PROMISE frame/u,
        /:path: \/json/u,
        /recv \(stream_id=2\) :status: 200/u,
        /pushed where the protocol can/u,
      ),
    "no push is promised to who takes none": async () => {
      const output = await ask({ path: "/push" }, ["-v", "--no-push"]);
      expectIn(output, /pushed where the protocol can/u);
      if (output.includes("recv PUSH_PROMISE")) throw new Error("one is");
    },
    "trailers end the stream": async () =>
      expectIn(await ask({ path: "/trailers" }, ["-v"]), /is known at its end[^]*x-checksum: [0-9a-f]{64}/u),
    "103 comes before 200": async () =>
      expectIn(await ask({ path: "/early" }, ["-v"]), /:status: 103[^]*link: [^]*:status: 200/u),
    "several requests share a connection": async () => {
      const output = await ask({ path: "/users/1" }, ["-m", "20"]);
      const count = output.split('{"id":"1"}').length - 1;
      if (count !== 20) throw new Error(`${count} of 20 answers`);
    },
    "padding is taken": async () => expectIn(await ask({ path: "/" }, ["-b", "200"]), /Hello, World!/u),
    "continuation frames are taken": async () =>
      expectIn(await ask({ path: "/" }, ["--continuation"]), /Hello, World!/u),
    "a small window is kept to, and opened": async () =>
      expectIn(await ask({ path: "/bytes/300000" }, ["-w", "10", "-W", "10", "-v"]), /send WINDOW_UPDATE/u),
    "every setting is acknowledged": async () =>
      expectIn(
        await ask({ path: "/slow/50" }, ["-v", "--header-table-size=1000"]),
        /recv SETTINGS frame[^\n]*\n[^]*ACK/u,
      ),
  };
  const outcome: [string, string | null][] = [];
  for (const [name, check] of Object.entries(checks)) outcome.push([name, await problemOf(check)]);
  return results(outcome);
}
