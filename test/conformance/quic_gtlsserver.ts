// Our client of QUIC against ngtcp2's gtlsserver, which speaks HTTP/3 alone: requests are put together here, by hand, on streams of the
// raw API, so that it is QUIC that is tested. Hashes of the files tell whether they arrived. Each check has a server of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { connectQuic } from "../../host/quic/index.ts";
import type { ConnectQuicOptions, QuicClient } from "../../host/quic/index.ts";
import { runClient, usualCases, type UsualCase } from "./quic_client_cases.ts";
import { assertEqual, freePort, LARGE, makeSite, many, type Site, SMALL } from "./quic_site.ts";
import { findProgram, problemOf, results, skipped, type Suite } from "./suite.ts";
import { UdpProxy } from "./udp_proxy.ts";

interface Case extends UsualCase {
  /** More arguments of gtlsserver's. */
  readonly args?: readonly string[] | ((port: number) => readonly string[]);
  readonly isChainLong?: boolean;
  readonly host?: string;
}

const BOOT_MS = 300;
const PREFERRED_HOST = "127.0.0.2";

const cases: readonly Case[] = [
  ...usualCases,
  { name: "HelloRetryRequest for P-256", args: ["--groups=-GROUP-ALL:+GROUP-SECP256R1"] },
  { name: "Retry", args: ["--validate-addr"] },
  {
    name: "the server's preferred address",
    args: (port) => [`--preferred-ipv4-addr=${PREFERRED_HOST}:${port}`],
    paths: many(20, LARGE),
    check: ({ connection }) => assertEqual("the server's address", connection.remoteAddress, PREFERRED_HOST),
  },
  {
    // Of the versions that gtlsserver speaks, version 2 is a draft's, under another number.
    name: "version negotiation: a server without version 2",
    client: { version: 2 },
    check: ({ connection }) => assertEqual("the version", connection.stats()?.version, 1),
  },
  {
    name: "connection IDs that are all retired",
    paths: many(20, LARGE),
    during: async ({ connection }) => {
      await connection.confirmed;
      assertEqual("whether others are there", connection.retireConnectionIds(), true);
    },
  },
  { name: "a chain of nine certificates", isChainLong: true },
  { name: "IPv6", host: "::1" },
];

/** Control stream with empty SETTINGS: RFC 9114 §6.2.1, §7.2.4. */
const CONTROL_STREAM = Uint8Array.of(0x00, 0x04, 0x00);

/** HEADERS of a GET, in literals and the static table of QPACK (RFC 9204 §4.5, Appendix A). */
function requestOf(path: string): Uint8Array {
  const text = (prefix: number, value: string) => [prefix, value.length, ...Buffer.from(value)];
  // No dynamic table; :method GET and :scheme https as they are in the static one, :path and :authority with their names.
  const section = [0, 0, 0xd1, 0xd7, ...text(0x51, `/${path}`), ...text(0x50, "localhost")];
  return Uint8Array.of(0x01, section.length, ...section);
}

/** A variable-length integer of RFC 9000 §16 at `at`, and where it ends. */
function varint(bytes: Buffer, at: number): [value: number, end: number] {
  const length = 1 << ((bytes[at] as number) >> 6);
  let value = (bytes[at] as number) & 0x3f;
  for (let index = 1; index < length; index++) value = value * 256 + (bytes[at + index] as number);
  return [value, at + length];
}

/** Content of a response: its DATA frames. */
function contentOf(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const [type, lengthAt] = varint(bytes, at);
    const [length, begin] = varint(bytes, lengthAt);
    if (type === 0) pieces.push(bytes.subarray(begin, begin + length));
    at = begin + length;
  }
  return Buffer.concat(pieces);
}

async function fetchFile({ connection }: QuicClient, path: string): Promise<string> {
  const stream = await connection.openStream();
  const writer = stream.writable.getWriter();
  await writer.write(requestOf(path));
  await writer.close();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.readable) chunks.push(chunk);
  return createHash("sha256")
    .update(contentOf(Buffer.concat(chunks)))
    .digest("hex");
}

async function open(options: ConnectQuicOptions): Promise<QuicClient> {
  const client = await connectQuic(options);
  // RFC 9114 §6.2.1: it stays open for as long as the connection does.
  const control = await client.connection.openStream({ unidirectional: true });
  await control.writable.getWriter().write(CONTROL_STREAM);
  void (async () => {
    for await (const stream of client.connection.incomingStreams())
      void stream.readable.pipeTo(new WritableStream()).catch(() => undefined);
  })();
  return client;
}

function start(program: string, site: Site, attempt: Case, host: string, port: number): ChildProcess {
  const { args = [], isChainLong = false } = attempt;
  const more = typeof args === "function" ? args(port) : args;
  const chain = isChainLong ? site.longChain : site.chain;
  return spawn(program, ["-q", "-d", site.folder, ...more, host, String(port), site.key, chain], {
    stdio: "ignore",
  });
}

async function check(program: string, site: Site, attempt: Case): Promise<void> {
  const { paths = [SMALL], proxy: weather, host = "127.0.0.1" } = attempt;
  const port = await freePort(host);
  const server = start(program, site, attempt, host, port);
  await new Promise((resolve) => setTimeout(resolve, BOOT_MS));
  const proxy = weather === undefined ? null : await UdpProxy.start({ ...weather, targetPort: port });
  try {
    const place = { alpn: ["h3"], host, port: proxy?.port ?? port };
    await runClient(site, { ...attempt, paths }, place, open, fetchFile);
  } finally {
    proxy?.close();
    server.kill();
  }
}

export const quicGtlsserverSuite: Suite = {
  name: "quic: gtlsserver",
  async run() {
    const program = findProgram("gtlsserver");
    if (program === null) return skipped("gtlsserver is missing; Debian's package is ngtcp2-server");
    const site = makeSite();
    try {
      const found: [string, string | null][] = [];
      for (const attempt of cases)
        found.push([attempt.name, await problemOf(() => check(program, site, attempt))]);
      return results(found);
    } finally {
      rmSync(site.folder, { recursive: true });
    }
  },
};
