/*
 * 100 MB on one stream of QUIC: down and up by gtlsclient over HTTP/3, with gtlsserver beside this server, and between two processes
 * of this package by raw QUIC.
 *
 * Invariant: a server is timed only after its answer was looked at once.
 */
import { timed } from "../compare.ts";
import {
  fetchByGtlsClient,
  hasGtlsClient,
  hasGtlsServer,
  pathOf,
  runGtlsClient,
  startGtlsServer,
  zerosFile,
} from "../gtls.ts";
import { runClient, startServer, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Bar, Measure, Sample } from "../suite.ts";

const MB = 1e6;
const TRANSFER_LEN = 100 * MB;
const CHECK_LEN = 10 * MB;
const PATTERN_PERIOD = 251;
const TIMEOUT_MS = 60_000;
const BITS_PER_GBIT = 1e9;

type Direction = "download" | "upload";

const MISSING_CLIENT =
  "gtlsclient is not installed: nothing was measured (Debian and Ubuntu: ngtcp2-client).";
const MISSING_SERVER = "gtlsserver is not installed and was left out (Debian and Ubuntu: ngtcp2-server).";

function requestFor(direction: Direction, server: Server, byteCount: number) {
  const isOurs = server.name !== "gtlsserver";
  if (direction === "download") {
    return { server, path: isOurs ? `/bytes/${byteCount}` : pathOf(zerosFile(byteCount)) };
  }
  return { server, path: isOurs ? "/count" : pathOf(zerosFile(1)), bodyFile: zerosFile(byteCount) };
}

/** gtlsserver answers with zeros, and a POST with whatever it likes: only its downloads can be looked at. */
async function expectAnswer(direction: Direction, server: Server): Promise<void> {
  const content = await fetchByGtlsClient(requestFor(direction, server, CHECK_LEN));
  const isOurs = server.name !== "gtlsserver";
  if (direction === "upload") {
    if (isOurs && content.toString() !== String(CHECK_LEN))
      throw new BenchError(`${server.name} counted "${content.toString().slice(0, 100)}", not ${CHECK_LEN}`);
    return;
  }
  const isRight = (byte: number, index: number) => byte === (isOurs ? index % PATTERN_PERIOD : 0);
  if (content.length !== CHECK_LEN || !content.every(isRight))
    throw new BenchError(`${server.name} sent ${content.length} bytes that are not the ones asked for`);
}

function sampleOf(seconds: number): Sample & { seconds: number } {
  return { value: (TRANSFER_LEN * 8) / BITS_PER_GBIT / seconds, seconds };
}

function gtlsMeasure(direction: Direction, title: string): Measure {
  const peers = ["gtlsserver", "httpy-h3"].filter((peer) => hasGtlsServer || peer !== "gtlsserver");
  const ratio: Bar = {
    kind: "ratio",
    subject: "httpy-h3",
    peer: "gtlsserver",
    direction: "at least",
    factor: 0.35,
  };
  const limit: Bar = { kind: "limit", subject: "httpy-h3", direction: "at least", limit: 0.8 };
  return {
    name: direction,
    title,
    peers,
    async run(options) {
      const result = {
        unit: "Gbit/s",
        better: "higher",
        series: [],
        bars: direction === "download" ? [limit, ratio] : [{ ...limit, limit: 0.5 }],
      } as const;
      if (!hasGtlsClient) return { ...result, series: [], bars: [...result.bars], notes: [MISSING_CLIENT] };
      const chosen = options.selectPeers(peers);
      const start = (name: string) => (name === "gtlsserver" ? startGtlsServer(name) : startServer(name));
      const compare = async (servers: Map<string, Server>) => {
        for (const server of servers.values()) await expectAnswer(direction, server);
        return alternate(chosen, options.rounds, (peer, round) => {
          options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
          const server = servers.get(peer) as Server;
          const request = requestFor(direction, server, TRANSFER_LEN);
          return timed(server, async () => sampleOf((await runGtlsClient(request)).seconds));
        });
      };
      const series = await withServers(chosen, compare, [], start);
      return { ...result, series, bars: [...result.bars], notes: hasGtlsServer ? [] : [MISSING_SERVER] };
    },
  };
}

function pairMeasure(name: string, direction: Direction, title: string): Measure {
  return {
    name,
    title,
    peers: ["httpy-quic"],
    async run(options) {
      const transfer = async ({ port }: Server, byteCount: number): Promise<number> => {
        const args = [direction, String(port), String(byteCount)];
        const { seconds, error } = await runClient<{ seconds: number; error?: string }>(
          "quic-transfer",
          args,
          TIMEOUT_MS,
        );
        if (error !== undefined) throw new BenchError(`${name}: ${error}`);
        return seconds;
      };
      const compare = async (servers: Map<string, Server>) => {
        for (const server of servers.values()) await transfer(server, CHECK_LEN);
        return alternate([...servers.keys()], options.rounds, (peer, round) => {
          options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
          const server = servers.get(peer) as Server;
          return timed(server, async () => sampleOf(await transfer(server, TRANSFER_LEN)));
        });
      };
      return {
        unit: "Gbit/s",
        better: "higher",
        series: await withServers(options.selectPeers(this.peers), compare),
        bars: [{ kind: "limit", subject: "httpy-quic", direction: "at least", limit: 0.5 }],
        notes: [],
      };
    },
  };
}

export const download = gtlsMeasure("download", "GET of 100 MB by gtlsclient, one stream, HTTP/3");
export const upload = gtlsMeasure("upload", "POST of 100 MB by gtlsclient, one stream, HTTP/3");
export const pairDownload = pairMeasure(
  "pair-download",
  "download",
  "100 MB to a client of this package, one stream, raw QUIC",
);
export const pairUpload = pairMeasure(
  "pair-upload",
  "upload",
  "100 MB from a client of this package, one stream, raw QUIC",
);
