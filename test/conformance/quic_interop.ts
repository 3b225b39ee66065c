// QUIC against aioquic in both directions: handshakes of every suite and group, many streams, Retry, resumption, 0-RTT, key updates,
// migration, versions, long chains, loss, long round trips and IPv6. Files go by HTTP/0.9 over streams (ALPN hq-interop), and their
// hashes tell whether they arrived. Each check has a server and a proxy of its own.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { connectQuic, listenQuic } from "../../host/quic/index.ts";
import type { ListenQuicOptions, QuicClient, QuicStream } from "../../host/quic/index.ts";
import { root } from "../runtime/program.ts";
import { runClient, usualCases, type UsualCase } from "./quic_client_cases.ts";
import { assertEqual, LARGE, makeSite, many, sha256, type Site, SMALL } from "./quic_site.ts";
import { problemOf, results, runProgram, skipped, type Suite } from "./suite.ts";
import { pythonWith } from "./tools.ts";
import { type ProxyOptions, UdpProxy } from "./udp_proxy.ts";

const PACKAGE = "aioquic==1.7.2";
const CLIENT_TIMEOUT_MS = 60_000;
const ALPN = ["hq-interop"];

/** The command line of a peer: a program, its arguments, then "client" or "server" and what is asked of it, as JSON. */
export type Peer = readonly [program: string, ...args: string[]];

// The peer's client, our server.

/** What aioquic's client reports. */
interface Report {
  readonly hashes: readonly string[];
  readonly resumed: boolean;
  readonly early: boolean;
  readonly version: number;
  readonly cipher: string;
  readonly phase: number;
  readonly retried: boolean;
}

export interface ServerCase {
  readonly name: string;
  readonly server?: Partial<ListenQuicOptions> & { readonly isChainLong?: boolean };
  readonly client?: Readonly<Record<string, unknown>>;
  readonly proxy?: Omit<ProxyOptions, "targetPort"> & { readonly rebindAfterMs?: number };
  readonly paths?: readonly string[];
  readonly check?: (report: Report) => void;
}

export const serverCases: readonly ServerCase[] = [
  { name: "handshake and transfer", paths: [LARGE, SMALL] },
  ...(["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"] as const).map(
    (cipher): ServerCase => ({
      name: cipher,
      client: { cipher },
      check: (report) => assertEqual("the suite", `TLS_${report.cipher}`, cipher),
    }),
  ),
  { name: "P-256", server: { groups: ["P-256"] } },
  { name: "2000 streams", paths: many(2000, SMALL) },
  {
    name: "Retry",
    server: { retry: true },
    check: (report) => assertEqual("whether a Retry came", report.retried, true),
  },
  {
    name: "resumption",
    client: { resumes: true },
    check: (report) => assertEqual("whether it is resumed", report.resumed, true),
  },
  {
    name: "0-RTT",
    server: { earlyData: true },
    client: { resumes: true, early: true },
    check: (report) => assertEqual("whether early data are accepted", report.early, true),
  },
  {
    name: "key updates by the client",
    client: { updates: true },
    paths: many(300, SMALL),
    check: (report) => assertEqual("the key phase", report.phase, 1),
  },
  {
    name: "key updates by the server",
    server: { limits: { quicKeyUpdatePackets: 100 } },
    paths: [LARGE],
  },
  { name: "rebinding by a NAT", proxy: { delayMs: 20, rebindAfterMs: 150 }, paths: many(5, LARGE) },
  {
    name: "version 2",
    client: { versions: [2, 1] },
    check: (report) => assertEqual("the version", report.version, 2),
  },
  ...(
    [
      ["compatible version negotiation", {}, {}, undefined],
      ["the same after a Retry", { retry: true }, {}, undefined],
      ["the same after a HelloRetryRequest", { groups: ["P-256"] }, {}, undefined],
      ["the same with a resumption", {}, { resumes: true }, undefined],
      ["the same with 10 % loss", {}, {}, { loss: 0.1, delayMs: 5 }],
    ] as const
  ).map(([name, server, client, proxy]): ServerCase => ({
    name,
    server: { ...server, preferredVersion: 2 },
    client: { ...client, versions: [1, 2] },
    paths: [LARGE, SMALL],
    ...(proxy === undefined ? {} : { proxy }),
    check: (report) => assertEqual("the version", report.version, 2),
  })),
  {
    name: "version negotiation",
    client: { versions: [1], originalVersion: 0x1a2a3a4a },
    check: (report) => assertEqual("the version", report.version, 1),
  },
  { name: "a chain of nine certificates", server: { isChainLong: true } },
  { name: "10 % loss", proxy: { loss: 0.1, delayMs: 5 }, paths: [LARGE, SMALL] },
  { name: "a round trip of half a second", proxy: { delayMs: 250 }, paths: [SMALL, LARGE] },
  { name: "IPv6", server: { host: "::1" }, client: { host: "::1" } },
];

async function answer(site: Site, stream: QuicStream): Promise<void> {
  let request = "";
  for await (const chunk of stream.readable) request += Buffer.from(chunk).toString("latin1");
  const writer = stream.writable.getWriter();
  const bytes = site.files.get(request.trim().slice("GET /".length));
  if (bytes === undefined) return stream.abort(1n);
  await writer.write(bytes);
  await writer.close();
}

export async function checkServer(peer: Peer, site: Site, attempt: ServerCase): Promise<void> {
  const { server: changes = {}, proxy: weather, paths = [SMALL], client = {} } = attempt;
  const { isChainLong = false, ...options } = changes;
  const listener = await listenQuic(
    {
      alpn: ALPN,
      host: "127.0.0.1",
      tls: {
        cert: readFileSync(isChainLong ? site.longChain : site.chain, "utf8"),
        key: readFileSync(site.key, "utf8"),
      },
      ...options,
    },
    async (connection) => {
      for await (const stream of connection.incomingStreams()) answer(site, stream).catch(() => undefined);
    },
  );
  const proxy =
    weather === undefined ? null : await UdpProxy.start({ ...weather, targetPort: listener.port });
  const timer =
    weather?.rebindAfterMs === undefined
      ? undefined
      : setTimeout(() => void proxy?.rebind(), weather.rebindAfterMs);
  try {
    const asked = {
      host: "127.0.0.1",
      port: proxy?.port ?? listener.port,
      ca: site.ca,
      paths: paths.map((path) => `/${path}`),
      ...client,
    };
    const [program, ...args] = peer;
    const { code, output } = await runProgram(
      program,
      [...args, "client", JSON.stringify(asked)],
      CLIENT_TIMEOUT_MS,
    );
    const line = output.split("\n").find((text) => text.startsWith("{"));
    if (code !== 0 || line === undefined) throw new Error(output.trim().split("\n").slice(-2).join(" "));
    const report = JSON.parse(line) as Report;
    assertEqual("the number of files", report.hashes.length, paths.length);
    report.hashes.forEach((hash, index) =>
      assertEqual(`the hash of ${paths[index]}`, hash, sha256(site.files.get(paths[index]!) as Buffer)),
    );
    attempt.check?.(report);
  } finally {
    clearTimeout(timer);
    proxy?.close();
    await listener.close();
  }
}

// Our client, the peer's server.

export interface ClientCase extends UsualCase {
  readonly server?: Readonly<Record<string, unknown>> & { readonly isChainLong?: boolean };
}

export const clientCases: readonly ClientCase[] = [
  ...usualCases,
  { name: "Retry", server: { retry: true } },
  {
    name: "version 2",
    client: { version: 2 },
    check: ({ connection }) => assertEqual("the version", connection.stats()?.version, 2),
  },
  {
    name: "a server that has chosen version 2 for a client of version 1",
    server: { prefers: 2 },
    check: ({ connection }) => assertEqual("the version", connection.stats()?.version, 2),
  },
  {
    name: "version negotiation: a server without version 2",
    server: { versions: [1] },
    client: { version: 2 },
    check: ({ connection }) => assertEqual("the version", connection.stats()?.version, 1),
  },
  { name: "a chain of nine certificates", server: { isChainLong: true } },
  { name: "IPv6", server: { host: "::1" }, client: { host: "::1" } },
];

async function fetchFile(client: QuicClient, path: string): Promise<string> {
  const stream = await client.connection.openStream();
  const writer = stream.writable.getWriter();
  await writer.write(Buffer.from(`GET /${path}\r\n`));
  await writer.close();
  const hash = createHash("sha256");
  for await (const chunk of stream.readable) hash.update(chunk);
  return hash.digest("hex");
}

export async function checkClient(peer: Peer, site: Site, attempt: ClientCase): Promise<void> {
  const { server: changes = {}, paths = [SMALL], proxy: weather } = attempt;
  const { isChainLong = false, ...options } = changes;
  const asked = {
    certificate: isChainLong ? site.longChain : site.chain,
    key: site.key,
    folder: site.folder,
    ...options,
  };
  const [program, ...args] = peer;
  const server = spawn(program, [...args, "server", JSON.stringify(asked)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [first] = (await once(server.stdout, "data")) as [Buffer];
  const port = Number(first.toString());
  const proxy = weather === undefined ? null : await UdpProxy.start({ ...weather, targetPort: port });
  try {
    const place = { alpn: ALPN, host: "127.0.0.1", port: proxy?.port ?? port };
    await runClient(site, { ...attempt, paths }, place, connectQuic, fetchFile);
  } finally {
    proxy?.close();
    server.kill();
  }
}

/** A suite of checks by a peer, which `find` answers; `missing` says what to install where it answers null. */
export function interopSuite<Case extends { readonly name: string }>(
  name: string,
  find: () => Peer | null,
  missing: string,
  cases: readonly Case[],
  check: (peer: Peer, site: Site, attempt: Case) => Promise<void>,
): Suite {
  return {
    name,
    async run() {
      const peer = find();
      if (peer === null) return skipped(missing);
      const site = makeSite();
      try {
        const found: [string, string | null][] = [];
        for (const attempt of cases)
          found.push([attempt.name, await problemOf(() => check(peer, site, attempt))]);
        return results(found);
      } finally {
        rmSync(site.folder, { recursive: true });
      }
    },
  };
}

function aioquic(): Peer | null {
  const python = pythonWith("aioquic", [PACKAGE]);
  return python === null ? null : [python, join(root, "test/conformance/aioquic_peer.py")];
}

const AIOQUIC_MISSING = "no Python with PyPI's aioquic can be had";

export const quicInteropSuites: Suite[] = [
  interopSuite("quic: aioquic's client", aioquic, AIOQUIC_MISSING, serverCases, checkServer),
  interopSuite("quic: aioquic's server", aioquic, AIOQUIC_MISSING, clientCases, checkClient),
];
