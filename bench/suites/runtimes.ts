/*
 * This server on Bun and on Deno against the servers that these runtimes bring along: a small GET over HTTP/1.1, and many streams over
 * HTTP/2 with TLS and without. One process each, on one core, each in the version that the conformance suites pin.
 */
import { cachedCertificate } from "../../host/server/development_certificate.ts";
import { runtimes as pinned } from "../../test/conformance/runtimes.ts";
import { compareRequests } from "../compare.ts";
import { requireH2load } from "../load/h2load.ts";
import { requireWrk } from "../load/wrk.ts";
import { certificateFolder } from "../paths.ts";
import { installPeers } from "../peers.ts";
import type { Server } from "../process.ts";
import { requireRuntime, startPeer } from "../programs.ts";
import type { Program } from "../programs.ts";
import { atLeast } from "../suite.ts";
import type { Bar, Measure, Suite } from "../suite.ts";
import { compareStreams, SHAPE } from "./h2-requests.ts";

const CONNECTION_COUNT = 64;

/** Which versions these are, for the report. */
const VERSIONS = pinned.filter(({ name }) => name === "bun" || name === "deno").map(({ title }) => title);
const NOTES = [`The runtimes are ${VERSIONS.join(" and ")}.`];

/** `-tls` at the end of a name says that the peer has a certificate (bench/session.ts). */
const PROGRAMS: Readonly<Record<string, Program>> = {
  "bun-serve": { file: "bun.mjs", runtime: "bun" },
  "httpy-bun": { file: "httpy.mjs", runtime: "bun" },
  "deno-serve": { file: "deno.mjs", runtime: "deno" },
  "httpy-deno": { file: "httpy.mjs", runtime: "deno" },
  "bun-serve-h2": { file: "bun-h2.mjs", runtime: "bun" },
  "node-http2-bun": { folder: "servers", file: "node-http2.mjs", runtime: "bun" },
  "bun-serve-tls": { file: "bun-tls.mjs", runtime: "bun" },
  "node-http2-bun-tls": { folder: "servers", file: "node-http2-tls.mjs", runtime: "bun" },
  "httpy-bun-tls": { folder: "servers", file: "httpy-tls.mjs", runtime: "bun" },
  "deno-serve-tls": { file: "deno-tls.mjs", runtime: "deno" },
  "httpy-deno-tls": { folder: "servers", file: "httpy-tls.mjs", runtime: "deno" },
};

const start = (name: string): Promise<Server> => startPeer(name, PROGRAMS[name] as Program);

const smallGet: Measure = {
  name: "small-get",
  title: `Small GET, ${CONNECTION_COUNT} connections`,
  peers: ["bun-serve", "httpy-bun", "deno-serve", "httpy-deno"],
  async run(options) {
    const series = await compareRequests(
      {
        peers: options.selectPeers(this.peers),
        path: "/",
        load: { connectionCount: CONNECTION_COUNT },
        expected: { status: 200, contentType: "text/plain", body: "Hello, World!" },
        start,
      },
      options,
    );
    const bars = [atLeast("httpy-bun", "bun-serve", 1), atLeast("httpy-deno", "deno-serve", 0.75)];
    return { unit: "requests/s", better: "higher", series, bars, notes: NOTES };
  },
};

function streams(name: string, title: string, peers: string[], bars: Bar[]): Measure {
  return {
    name,
    title: `Small GET, ${SHAPE}, ${title}`,
    peers,
    async run(options) {
      const series = await compareStreams(options.selectPeers(this.peers), options, start);
      return { unit: "requests/s", better: "higher", series, bars, notes: NOTES };
    },
  };
}

export const runtimes: Suite = {
  name: "runtimes",
  async prepare(options) {
    requireWrk();
    requireH2load();
    installPeers(options.progress);
    await cachedCertificate(certificateFolder);
    for (const peer of options.selectPeers(Object.keys(PROGRAMS))) {
      requireRuntime((PROGRAMS[peer] as Program).runtime, options.progress);
    }
  },
  measures: [
    smallGet,
    streams(
      "streams",
      "h2c",
      ["node-http2-bun", "bun-serve-h2", "httpy-bun", "deno-serve", "httpy-deno"],
      [atLeast("httpy-bun", "bun-serve-h2", 1), atLeast("httpy-deno", "deno-serve", 4)],
    ),
    streams(
      "streams-tls",
      "TLS",
      ["node-http2-bun-tls", "bun-serve-tls", "httpy-bun-tls", "deno-serve-tls", "httpy-deno-tls"],
      [atLeast("httpy-bun-tls", "bun-serve-tls", 1), atLeast("httpy-deno-tls", "deno-serve-tls", 4)],
    ),
  ],
};
