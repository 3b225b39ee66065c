/*
 * Request rates over HTTP/3: a small GET on many streams of few connections, by this package's engine as the client, in a process of
 * its own; the same server over HTTP/2 with TLS, by h2load; and aioquic's server, by the same client of HTTP/3.
 *
 * The two loads are not the same program: h2load is C, and takes less of its core for a request than an engine in JavaScript does. What
 * that does to the ratio, the server's share of its core tells. ngtcp2's client is a second load for HTTP/3, where it is installed: it cannot
 * be told for how long to ask, nor how many streams to hold open, and holds as many as the server allows, which is 100.
 */
import { join } from "node:path";
import { pythonWith } from "../../test/conformance/tools.ts";
import { timed } from "../compare.ts";
import { commandExists, runClient, startCommand, startServer, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { fetchByGtlsClient, hasGtlsClient, runGtlsClient } from "../gtls.ts";
import { runH2load } from "../load/h2load.ts";
import { benchFolder, certificateFolder } from "../paths.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const CONNECTION_COUNT = 8;
const STREAM_COUNT = 32;
const HELLO_LEN = 13;
const PYTHON_PACKAGES = ["aioquic==1.7.2", "uvloop==0.23.0"];
const OVER_H2 = "httpy-h2";
const OVER_H3 = "httpy-h3";
const BY_GTLSCLIENT = "httpy-h3 by gtlsclient";
/** About what it asks a second of the fastest server there is. */
const GTLSCLIENT_RATE = 160_000;
const AIOQUIC = "aioquic";
const TIMEOUT_MS = 60_000;

interface Load {
  readonly requestCount: number;
  readonly contentBytes: number;
  readonly seconds: number;
  readonly error?: string;
}

async function startPeer(name: string): Promise<Server> {
  if (name !== AIOQUIC) return { ...(await startServer("httpy-h3")), name };
  const python = pythonWith("aioquic", PYTHON_PACKAGES);
  if (python === null) throw new BenchError("aioquic can not be had; leave it out with --peers");
  const files = ["cert.pem", "key.pem"].map((file) => join(certificateFolder, file));
  return startCommand(name, python, [join(benchFolder, "servers", "aioquic_http3.py"), ...files]);
}

async function load(server: Server, seconds: number): Promise<Load> {
  const { name, port } = server;
  if (name === OVER_H2) {
    const extent = { seconds };
    const shape = { connectionCount: CONNECTION_COUNT, streamCount: STREAM_COUNT };
    return runH2load({ peer: name, url: `https://127.0.0.1:${port}/`, ...shape, extent });
  }
  if (name === BY_GTLSCLIENT) return loadByGtlsClient(server, seconds);
  const args = [port, CONNECTION_COUNT, STREAM_COUNT, seconds].map(String);
  const answered = await runClient<Load>("h3-requests", args, TIMEOUT_MS);
  if (answered.error !== undefined) throw new BenchError(`${name}: ${answered.error}`);
  return answered;
}

/** One process for each connection; what it was answered was looked at before. The handshakes are in its time. */
async function loadByGtlsClient(server: Server, seconds: number): Promise<Load> {
  const each = Math.ceil((GTLSCLIENT_RATE * seconds) / CONNECTION_COUNT);
  const flags = ["-n", String(each), "--no-quic-dump", "--no-http-dump"];
  const startedAt = performance.now();
  const runs = Array.from({ length: CONNECTION_COUNT }, () => runGtlsClient({ server, path: "/" }, flags));
  await Promise.all(runs);
  const requestCount = each * CONNECTION_COUNT;
  const took = (performance.now() - startedAt) / 1000;
  return { requestCount, contentBytes: requestCount * HELLO_LEN, seconds: took };
}

async function checkByGtlsClient(server: Server): Promise<void> {
  const { length } = await fetchByGtlsClient({ server, path: "/" });
  if (length !== HELLO_LEN) throw new BenchError(`gtlsclient was answered ${length} bytes by ${server.name}`);
}

export const streams: Measure = {
  name: "small-get",
  title: `Small GET, ${CONNECTION_COUNT} connections × ${STREAM_COUNT} streams`,
  peers: [AIOQUIC, OVER_H2, OVER_H3, BY_GTLSCLIENT],
  async run(options) {
    const peers = options
      .selectPeers(this.peers)
      .filter((peer) => peer !== OVER_H2 || commandExists("h2load", ["--version"]))
      .filter((peer) => peer !== BY_GTLSCLIENT || hasGtlsClient);
    const compare = async (servers: Map<string, Server>) => {
      const byGtlsClient = servers.get(BY_GTLSCLIENT);
      if (byGtlsClient !== undefined) await checkByGtlsClient(byGtlsClient);
      for (const server of servers.values()) await load(server, options.warmupSeconds);
      return alternate(peers, options.rounds, async (peer, round) => {
        options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
        const server = servers.get(peer) as Server;
        return timed(server, async () => {
          const { requestCount, contentBytes, seconds } = await load(server, options.secondsPerRound);
          if (contentBytes < requestCount * HELLO_LEN) {
            throw new BenchError(`${peer} sent ${contentBytes} bytes of content for ${requestCount} answers`);
          }
          return { value: requestCount / seconds, seconds };
        });
      });
    };
    const bar = { kind: "ratio", subject: OVER_H3, direction: "at least" } as const;
    return {
      unit: "requests/s",
      better: "higher",
      series: await withServers(peers, compare, [], startPeer),
      bars: [
        { ...bar, peer: AIOQUIC, factor: 8 },
        { ...bar, peer: OVER_H2, factor: 0.5 },
      ],
      notes: [
        "aioquic answers without an application; its example http3_server.py has one, and is slower.",
        "The load over HTTP/3 is this package's engine, that over HTTP/2 is h2load.",
        "gtlsclient holds 100 streams of each connection open, and its handshakes are in its time.",
      ],
    };
  },
};
