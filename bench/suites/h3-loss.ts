/*
 * Fifty objects at once where packets are lost, over HTTP/2 and over HTTP/3.
 *
 * As root on Linux it is measured: the kernel's own TCP with CUBIC, and this package's client and server, in two namespaces with a link
 * between them that loses (network/link.py). Elsewhere it is simulated: HTTP/2 on a model of TCP (test/sim/tcp_pipe.ts says what the model
 * has), each seed a sample, without machines and their load. A note of the result says which of the two it was.
 */
import { join } from "node:path";
import { QuicOption } from "../../assembly/abi/quic.ts";
import { Random } from "../../test/fuzz/random.ts";
import { runHttp2 } from "../../test/sim/http2_run.ts";
import { http3Nodes } from "../../test/sim/http3_nodes.ts";
import { get, Http3Run } from "../../test/sim/http3_run.ts";
import { CLEAR } from "../../test/sim/network.ts";
import { BBR, CUBIC } from "../../test/sim/quic_bottleneck.ts";
import { canLink, type Link, startLink } from "../network/link.ts";
import { bundleFolder } from "../paths.ts";
import { LineProcess, LOAD_CORE, startCommand, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure, RunOptions, Series } from "../suite.ts";

const LOSS = 0.05;
const ROUND_TRIP_MS = 50;
const OBJECT_COUNT = 50;
const OBJECT_BYTES = 20 * 1024;
/** One run says little where luck decides, so the rounds that are usual would not do. */
const ROUND_COUNT = 20;
const TIMEOUT_MS = 120_000;

const OVER_H2 = "http2";
const OVER_H3 = "http3";
/** The server chooses the congestion control of HTTP/3 with the option, and not CUBIC, the default. */
const OVER_H3_BBR = "http3-bbr";

async function fetchObjects(link: Link, protocol: string, port: number): Promise<number> {
  const program = join(bundleFolder, "load", "objects.mjs");
  const args = [protocol, link.address, port, OBJECT_COUNT, OBJECT_BYTES].map(String);
  const client = new LineProcess(
    "objects",
    LOAD_CORE,
    ...link.at("client", process.execPath, [program, ...args]),
  );
  try {
    const { ms, error } = JSON.parse(await client.nextLine(TIMEOUT_MS)) as { ms: number; error?: string };
    if (error !== undefined) throw new BenchError(`over ${protocol}: ${error}`);
    return ms;
  } finally {
    await client.stop();
  }
}

async function measured(peers: string[], { quick, rounds, progress }: RunOptions): Promise<Series[]> {
  const link = await startLink({ delayMs: ROUND_TRIP_MS / 2, loss: LOSS, seed: 1, tcp: "cubic" });
  try {
    const start = (name: string): Promise<Server> => {
      const program = join(bundleFolder, "servers", "httpy-h3.mjs");
      const congestion = name === OVER_H3_BBR ? "bbr" : "cubic";
      return startCommand(name, ...link.at("server", process.execPath, [program, link.address, congestion]));
    };
    const compare = (servers: Map<string, Server>): Promise<Series[]> => {
      const roundCount = quick ? rounds : Math.max(rounds, ROUND_COUNT);
      return alternate(peers, roundCount, async (peer, round) => {
        progress(`${peer}, round ${round + 1} of ${roundCount}`);
        const { port } = servers.get(peer) as Server;
        return { value: await fetchObjects(link, peer === OVER_H2 ? "h2" : "h3", port) };
      });
    };
    return await withServers(peers, compare, [], start);
  } finally {
    await link.process.stop();
  }
}

function simulated(peers: string[]): Series[] {
  const one = (peer: string, seed: number): number => {
    const random = new Random(seed);
    if (peer === OVER_H2) {
      const objects = { objectCount: OBJECT_COUNT, objectBytes: OBJECT_BYTES };
      return runHttp2({ random, roundTripMs: ROUND_TRIP_MS, loss: LOSS, ...objects });
    }
    const { server, ...nodes } = http3Nodes(seed);
    const congestion = [QuicOption.CONGESTION, peer === OVER_H3_BBR ? BBR : CUBIC] as const;
    return new Http3Run({
      ...nodes,
      server: { ...server, options: [...(server.options ?? []), congestion] },
      random,
      weather: { ...CLEAR, latencyMs: ROUND_TRIP_MS / 2, loss: LOSS },
      plans: Array.from({ length: OBJECT_COUNT }, () => get(OBJECT_BYTES)),
      concurrency: OBJECT_COUNT,
    }).go().ms;
  };
  return peers.map((peer) => ({
    peer,
    samples: Array.from({ length: ROUND_COUNT }, (_, seed) => ({ value: one(peer, seed) })),
  }));
}

function ninetiethPercentiles(series: Series[]): string {
  const figures = series.map(({ peer, samples }) => {
    const sorted = samples.map(({ value }) => value).sort((a, b) => a - b);
    return `${peer} ${Math.round(sorted[Math.ceil(sorted.length * 0.9) - 1] as number)} ms`;
  });
  return `Nine of ten runs took at most: ${figures.join(", ")}.`;
}

export const lossyObjects: Measure = {
  name: "lossy-objects",
  title: "50 objects of 20 KiB at 5 % loss and a round trip of 50 ms, handshake included",
  peers: [OVER_H2, OVER_H3, OVER_H3_BBR],
  async run(options) {
    const peers = options.selectPeers(this.peers);
    const series = canLink ? await measured(peers, options) : simulated(peers);
    return {
      unit: "ms",
      better: "lower",
      series,
      bars: [OVER_H3, OVER_H3_BBR].map((subject) => {
        return { kind: "ratio", subject, peer: OVER_H2, direction: "at most", factor: 1 / 1.5 };
      }),
      notes: [
        canLink
          ? "Measured between two network namespaces, over the kernel's TCP with CUBIC and over UDP; every packet is lost by the same chance."
          : "Simulated, since namespaces need Linux and root: HTTP/2 over a model of TCP with SACK, loss probes and CUBIC's cut.",
        ninetiethPercentiles(series),
      ],
    };
  },
};
